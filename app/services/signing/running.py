"""Signing one paper of a batch: what is durable before, what is kept after, what is never repeated.

`sending` is committed before anything leaves for the signer. An answer that never comes leaves
`unknown` behind, whether the service stayed silent or this process died: nobody sends that paper
again before an official has looked it up at the service (invariant of `SigningItem`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint, Document, SigningBatch, SigningItem
from app.services.actor import Actor
from app.services.documents import read_file
from app.services.facts import INTACT
from app.services.signatories import signatory_of, standing_of, title_of
from app.services.signature import (
    SigningError,
    SignRequest,
    Stamp,
    keep_signed,
)
from app.services.signing.batches import close_batch, error_facts
from app.services.signing.items import (
    SigningDesk,
    close,
    first_waiting,
    held,
    put_back,
    settle,
    settle_stale,
)
from app.services.signing.waiting import SIGN, sources
from app.services.transitions import Handling, apply_transition
from app.services.visibility import ensure_visible
from app.sop.clock import counted_seconds, shares
from app.sop.errors import NotAllowedError, RefusedError, SopError

logger = logging.getLogger(__name__)

#: Refusals that are about one paper; any other would meet the next paper as well, so the batch
#: stops and all of it stays waiting (a wrong passphrase above all: services lock after a few).
OF_ONE_PAPER: Final = frozenset(
    {"draft_not_pdf", "draft_locked", "sign_failed", "stamp_failed", "service_refused"}
)


def sign_next(
    session: Session,
    desk: SigningDesk,
    batch: SigningBatch,
    actor: Actor,
    passphrase: str,
    *,
    clock: Callable[[], datetime],
) -> SigningItem | None:
    """Sign the next paper of a batch; None when nothing waits any more. Commits on its way.

    A refusal of one paper is kept in its row and returned, so the others go on.

    Raises:
        SigningError: the whole batch stops here (wrong passphrase); the paper still waits.
        NotAllowedError: the actor may not sign.
    """
    if not actor.can(SIGN):
        raise NotAllowedError(SIGN)
    settle_stale(session, desk, clock())
    item = first_waiting(session, batch.id)
    if item is None:
        close(session, batch.id, clock())
        desk.commit()
        return None
    try:
        request = _take(session, desk, item, actor, clock())
    except SopError as error:
        return settle(session, desk, item.id, "failed", error, clock())
    if request is None:  # nothing to sign: all its papers are signed, or another was faster
        return _finish(session, desk, item.id, actor, clock())
    key = item.id
    desk.commit()
    # From here until the answer no transaction is open: nobody waits for the service but us.
    return _send(session, desk, key, request, actor, passphrase, clock)


def _take(
    session: Session, desk: SigningDesk, item: SigningItem, actor: Actor, now: datetime
) -> SignRequest | None:
    """Check once more what the official saw, and mark the paper as being sent; flushes.

    Raises:
        SopError: it may not be signed any more.
    """
    # Held until `sending` is kept: nobody replaces the draft in between (`replace_document`).
    case = session.get_one(
        Complaint, item.complaint_id, populate_existing=True, with_for_update=True
    )
    ensure_visible(actor, case)
    signatory = signatory_of(session, actor, now)
    if signatory is None:
        raise RefusedError("signatory_not_in_office")
    if standing_of(session, case, actor, now).conflict and _asks_for_another(desk, case):
        # Before anything is sent: a signature that was placed cannot be taken back.
        raise RefusedError("checked_by_signer")
    # What is stamped is what he is now, and he has seen it: never a capacity that has ended.
    if signatory.id != item.batch.signatory_id:
        raise RefusedError("capacity_changed")
    if case.step_key not in sources(desk.office.sop) or case.version != item.case_version:
        raise RefusedError("case_changed")
    if item.output_id is None:
        return None
    output = session.get_one(CaseOutput, item.output_id, populate_existing=True)
    if output.dropped_at is not None:
        raise RefusedError("case_changed")
    label = str(output)
    if _signed_meanwhile(session, item):
        raise RefusedError("signed_by_somebody")
    draft = session.get(Document, item.draft_id, populate_existing=True) if item.draft_id else None
    if draft is None:
        raise RefusedError("no_draft", label=label)
    if draft.replaced_at is not None:
        raise RefusedError("draft_changed")
    if desk.signer is None:
        raise RefusedError("signed_file_missing", label=label)
    pdf = read_file(desk.store, draft)
    request = SignRequest(
        pdf=pdf,
        file_name=draft.original_name,
        stamp=Stamp(
            name=signatory.name,
            title=title_of(signatory),
            nip=signatory.nip,
            at=now,
            check_url=desk.check_url(output.check_code),
            demo=desk.demo,
        ),
        nik=signatory.nik,
        certificate=signatory.certificate,
        reason=f"{case.number} {output.kind}",
    )
    try:
        with session.begin_nested():
            item.state, item.started_at, item.error, item.error_params = "sending", now, "", {}
    except IntegrityError as error:  # the same paper in another batch
        raise RefusedError("signing_outstanding", label=label) from error
    return request


def _asks_for_another(desk: SigningDesk, case: Complaint) -> bool:
    """Whether this office's SOP wants the check and the signature from two people."""
    return any(
        "checked_by_another" in move.guards
        for move in desk.office.sop.transitions
        if move.key == SIGN and move.source == case.step_key
    )


def _signed_meanwhile(session: Session, item: SigningItem) -> bool:
    return (
        session.scalars(
            select(Document.id)
            .where(
                Document.output_id == item.output_id,
                Document.stage == "signed",
                Document.replaced_at.is_(None),
                Document.signature_state.in_(INTACT),
            )
            .limit(1)
        ).first()
        is not None
    )


def _send(
    session: Session,
    desk: SigningDesk,
    key: int,
    request: SignRequest,
    actor: Actor,
    passphrase: str,
    clock: Callable[[], datetime],
) -> SigningItem:
    assert desk.signer is not None
    try:
        answer = desk.signer.sign(request, passphrase)
    except SigningError as error:
        if error.outcome == "unknown":
            return settle(session, desk, key, "unknown", error, clock())
        if error.code not in OF_ONE_PAPER:
            put_back(session, desk, key)
            raise
        return settle(session, desk, key, "failed", error, clock())
    except Exception:
        # What happened inside the signer is not known, so neither is whether it has signed.
        logger.exception("signing item %s stopped", key)
        stopped = RefusedError("signing_stopped")
        return settle(session, desk, key, _lost(desk), stopped, clock())
    data = answer.data
    if data is None:
        item = session.get_one(SigningItem, key, populate_existing=True)
        item.state, item.remote_id = "remote", answer.remote_id
        desk.commit()
        return _fetch(session, desk, key, answer.remote_id, actor, clock)
    return _keep(session, desk, key, data, answer.remote_id, actor, clock())


def _lost(desk: SigningDesk) -> str:
    """What a paper is when its signed form got lost here: only a service has signed it elsewhere."""
    return "failed" if desk.signer is not None and desk.signer.way == "pkcs12" else "unknown"


def fetch_again(
    session: Session,
    desk: SigningDesk,
    item: SigningItem,
    actor: Actor,
    *,
    clock: Callable[[], datetime],
) -> SigningItem:
    """Fetch a file that the service has signed already; never signs.

    Raises:
        NotAllowedError: the actor may not sign.
        RefusedError: there is nothing to be fetched.
    """
    if not actor.can(SIGN):
        raise NotAllowedError(SIGN)
    ensure_visible(actor, item.complaint)
    if item.state not in ("remote", "unknown") or not item.remote_id or desk.signer is None:
        raise RefusedError("paper_not_waiting")
    key, remote_id = item.id, item.remote_id
    desk.commit()
    return _fetch(session, desk, key, remote_id, actor, clock)


def _fetch(
    session: Session,
    desk: SigningDesk,
    key: int,
    remote_id: str,
    actor: Actor,
    clock: Callable[[], datetime],
) -> SigningItem:
    assert desk.signer is not None
    try:
        data = desk.signer.fetch(remote_id)
    except SigningError as error:
        # It is signed, whatever went wrong here: it may be fetched again, never signed again.
        state = "unknown" if error.code == "download_gone" else "remote"
        return settle(session, desk, key, state, error, clock())
    return _keep(session, desk, key, data, remote_id, actor, clock())


def _keep(
    session: Session,
    desk: SigningDesk,
    key: int,
    data: bytes,
    remote_id: str,
    actor: Actor,
    now: datetime,
) -> SigningItem:
    """The signed file into the case, and the case on its way when this was its last paper."""
    item = session.get_one(SigningItem, key, populate_existing=True)
    if item.state == "signed":  # fetched in another window, or brought
        desk.commit()
        return item
    output = session.get_one(CaseOutput, item.output_id)
    name = item.draft.original_name if item.draft is not None else f"{output.kind.code}.pdf"
    try:
        with session.begin_nested():
            document = keep_signed(
                session,
                desk.store,
                desk.trust,
                data,
                name=name,
                complaint=item.complaint,
                output=output,
                user_id=actor.id or 0,
                now=now,
            )
    except SopError as error:
        # A service has signed, only the file is not here: it is fetched or brought, not signed.
        return settle(session, desk, key, _lost(desk), error, now, remote_id=remote_id)
    except Exception:
        logger.exception("the signed form of item %s could not be kept", key)
        session.rollback()
        stopped = RefusedError("signing_stopped")
        return settle(session, desk, key, _lost(desk), stopped, now, remote_id=remote_id)
    item = held(session, key)  # after the paper itself, as `bring_papers` does
    item.signed_id, item.remote_id = document.id, remote_id[:80]
    return _finish(session, desk, key, actor, now)


def _finish(
    session: Session, desk: SigningDesk, key: int, actor: Actor, now: datetime
) -> SigningItem:
    """A paper is signed; its case moves on with the last of them."""
    item = session.get_one(SigningItem, key, populate_existing=True)
    item.state, item.error, item.error_params, item.finished_at = "signed", "", {}, now
    session.flush()
    # Of two windows that finish the last two papers of a case, the second sees both.
    batch = session.get_one(
        SigningBatch, item.batch_id, populate_existing=True, with_for_update=True
    )
    session.refresh(batch, ["items"])
    mine = [other for other in batch.items if other.complaint_id == item.complaint_id]
    if all(other.state == "signed" for other in mine):
        _move(session, desk, batch, mine, actor, now)
    close_batch(batch, now)
    session.flush()
    desk.commit()
    return session.get_one(SigningItem, key, populate_existing=True)


def _move(
    session: Session,
    desk: SigningDesk,
    batch: SigningBatch,
    mine: list[SigningItem],
    actor: Actor,
    now: datetime,
) -> None:
    """The transition of a case whose papers are all signed; a refusal leaves it where it is."""
    case = session.get_one(Complaint, mine[0].complaint_id)
    cases = list(dict.fromkeys(item.complaint_id for item in batch.items))
    looked = counted_seconds(desk.office.calendar, batch.opened_at, batch.started_at)
    share = shares(looked, len(cases))[cases.index(case.id)]
    begun = min((item.started_at for item in mine if item.started_at), default=now)
    share += counted_seconds(desk.office.calendar, min(begun, now), now)
    title = title_of(batch.signatory)
    try:
        with session.begin_nested():
            apply_transition(
                session,
                desk.office,
                case,
                SIGN,
                actor,
                now=now,
                expected_version=mine[0].case_version,
                handling=Handling(batch.opened_at, share, len(cases)),
                details={"signed_as": f"{batch.signatory.name}, {title}"},
            )
    except SopError as error:
        code, params = error_facts(error)
        session.expire_all()
        for item in mine:
            item.error, item.error_params = code, params
    else:
        for item in mine:
            item.moved = True
