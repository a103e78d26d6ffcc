"""The row of one paper of a batch: taken up by one window, settled once, never undone.

Two windows may work on one batch. Each takes a paper that the other does not hold, and what became
of a paper is written only as long as nothing final stands there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import SigningBatch, SigningItem
from app.services.signature import Signer, Trust
from app.services.signing.batches import close_batch, error_facts
from app.services.storage import Store
from app.services.transitions import Office
from app.sop.errors import SopError

#: What no later answer changes.
FINAL: Final = ("signed", "released")


@dataclass(frozen=True)
class SigningDesk:
    """What signing needs besides the batch."""

    office: Office
    store: Store
    trust: Trust
    signer: Signer | None
    #: The address of the check page of a code, for the stamp's QR.
    check_url: Callable[[str], str]
    demo: bool
    #: Makes what was flushed durable; called before anything leaves for the signer.
    commit: Callable[[], None]
    #: How long an answer may take; a paper that is `sending` for longer has lost its answer.
    patience: timedelta = timedelta(minutes=3)


def settle_stale(session: Session, desk: SigningDesk, now: datetime) -> None:
    """Papers whose sender died are not `sending` for ever, whoever's batch they are in.

    Signed here, with a certificate file, such a paper waits again: what was not kept does not
    exist. Sent to a service it is `unknown`, because it may be signed there.
    """
    stale = (SigningItem.state == "sending") & (SigningItem.started_at < now - desk.patience)
    here = SigningItem.batch_id.in_(select(SigningBatch.id).where(SigningBatch.way == "pkcs12"))
    unanswered = {"state": "unknown", "error": "signing_unanswered", "finished_at": now}
    for condition, values in (
        (stale & here, {"state": "waiting", "started_at": None}),
        (stale, unanswered),
    ):
        session.execute(
            update(SigningItem)
            .where(condition)
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def first_waiting(session: Session, batch_id: int) -> SigningItem | None:
    """The next paper that waits, held; one that another window holds is passed over."""
    return session.scalars(
        select(SigningItem)
        .where(SigningItem.batch_id == batch_id, SigningItem.state == "waiting")
        # What needs a signature first: a wrong passphrase is to stop the batch before anything moves.
        .order_by(SigningItem.output_id.is_(None), SigningItem.position)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()


def held(session: Session, key: int) -> SigningItem:
    """A paper as it is now, held until the transaction ends."""
    return session.get_one(SigningItem, key, populate_existing=True, with_for_update=True)


def settle(
    session: Session,
    desk: SigningDesk,
    key: int,
    state: str,
    error: SopError,
    now: datetime,
    *,
    remote_id: str = "",
) -> SigningItem:
    """What became of a paper that was not signed, or of which that is not known; commits."""
    item = held(session, key)
    if item.state not in FINAL:
        item.state, item.finished_at = state, now
        item.error, item.error_params = error_facts(error)
        item.remote_id = remote_id[:80] or item.remote_id
    session.flush()
    close(session, item.batch_id, now)
    desk.commit()
    return session.get_one(SigningItem, key, populate_existing=True)


def put_back(session: Session, desk: SigningDesk, key: int) -> None:
    """Nothing left for the signer: the paper waits as before; commits."""
    item = held(session, key)
    item.state, item.started_at = "waiting", None
    session.flush()
    desk.commit()


def close(session: Session, batch_id: int, now: datetime) -> None:
    """End a batch of which nothing is left to be done by itself; flushes."""
    batch = session.get_one(SigningBatch, batch_id, populate_existing=True)
    session.refresh(batch, ["items"])
    close_batch(batch, now)
    session.flush()
