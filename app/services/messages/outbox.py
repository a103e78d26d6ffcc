"""The outbox: e-mails are sent once, by any number of workers, and none is lost.

queued → claimed → handing → sent. Each arrow is one committed transaction that writes only what is
still as it was, so two workers never hold the same message. What a worker that died had merely
claimed goes back into the queue; what it was just handing to the mail server nobody can know of,
so it becomes `unclear` and waits for an officer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.models import Message
from app.services.messages.mailer import (
    Connection,
    DeliveryDoubtfulError,
    DeliveryRefusedError,
    Mailer,
    MailServerError,
)
from app.sop.identity import mask

#: After this long without a word a worker counts as dead; longer than any sending can take.
LEASE: Final = timedelta(minutes=10)
#: How long to wait after each failure for now; after the last one the message has failed.
WAITS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 4 * 60, 12 * 60, 24 * 60)
)
#: While the mail server cannot be reached at all, no message is to blame.
SERVER_WAIT: Final = timedelta(minutes=2)
AT_ONCE: Final = 20


@dataclass
class Round:
    """What one look into the outbox did."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0
    unclear: int = 0
    #: Why nothing can be sent at all now; "" when the mail server answers.
    server: str = ""
    server_params: dict[str, Any] = field(default_factory=dict)

    @property
    def handled(self) -> int:
        """How many messages it dealt with."""
        return self.sent + self.waiting + self.failed + self.unclear


def something_due(session: Session, now: datetime) -> bool:
    """Whether a worker has anything to do; only reads."""
    stale = Message.state.in_(("claimed", "handing")) & (Message.claimed_at < now - LEASE)
    due = (Message.state == "queued") & (Message.next_at <= now)
    return session.scalar(select(Message.id).where(or_(due, stale)).limit(1)) is not None


def recover(session: Session, now: datetime) -> tuple[int, int]:
    """Take over from workers that died: how many went back into the queue, how many are unclear."""
    late = Message.claimed_at < now - LEASE
    returned = _write(
        session,
        (Message.state == "claimed") & late,
        {"state": "queued", "worker": "", "claimed_at": None},
    )
    unclear = _write(
        session,
        (Message.state == "handing") & late,
        {"state": "unclear", "error": "worker_died", "error_params": {}},
    )
    return returned, unclear


def claim(session: Session, worker: str, now: datetime, most: int = AT_ONCE) -> list[int]:
    """Take the oldest due e-mails for one worker; the keys of those that are his once committed."""
    due = (
        select(Message.id)
        .where(Message.state == "queued", Message.way == "email", Message.next_at <= now)
        .order_by(Message.next_at, Message.id)
        .limit(most)
        # PostgreSQL: rows that another worker is just taking are passed over. SQLite has one
        # writer at a time and needs no lock.
        .with_for_update(skip_locked=True)
    )
    ids = list(session.scalars(due))
    if ids:
        taken = session.scalars(
            update(Message)
            .where(Message.id.in_(ids), Message.state == "queued")
            .values(state="claimed", worker=worker, claimed_at=now)
            .returning(Message.id)
            .execution_options(synchronize_session=False)
        )
        mine = set(taken)
        ids = [key for key in ids if key in mine]
    return ids


def work_once(
    session: Session,
    mailer: Mailer,
    worker: str,
    now: datetime,
    *,
    commit: Callable[[], None],
    stopping: Callable[[], bool] = lambda: False,
) -> Round:
    """Recover, claim some messages and send them one by one.

    The caller's `commit` is called before and after every handing over: what is in no database
    yet cannot be told by the next worker. When it is to stop, the message in hand is finished and
    the others go back into the queue.
    """
    done = Round()
    recover(session, now)
    commit()
    ids = claim(session, worker, now)
    commit()
    if not ids:
        return done
    try:
        with mailer.connected() as connection:
            for place, key in enumerate(ids):
                if stopping():
                    _put_back(session, ids[place:], worker, {"state": "queued"})
                    commit()
                    break
                try:
                    _deliver(session, connection, key, worker, done, commit)
                except MailServerError:
                    ids = ids[place:]
                    raise
    except MailServerError as error:
        _put_back(session, ids, worker, _requeued(error, mailer.clock()))
        commit()
        done.server, done.server_params = error.code, error.params
    return done


def _deliver(
    session: Session,
    connection: Connection,
    key: int,
    worker: str,
    done: Round,
    commit: Callable[[], None],
) -> None:
    """Send one claimed message and write down what became of it."""
    now = connection.clock()
    mine = (Message.id == key) & (Message.worker == worker)
    handing = {"state": "handing", "claimed_at": now}
    if not _write(session, mine & (Message.state == "claimed"), handing):
        commit()  # it took so long that another worker has it
        return
    commit()
    message = session.get_one(Message, key, populate_existing=True)
    # Nothing is open while the mail server takes its time: on SQLite nobody else could write.
    session.expunge(message)
    commit()
    # An officer may have been asked about it meanwhile; what really happened counts more.
    held = mine & Message.state.in_(("handing", "unclear"))
    try:
        connection.send(message)
    except DeliveryRefusedError as error:
        values = _after_refusal(message, error, connection.clock())
        done.failed += values["state"] == "failed"
        done.waiting += values["state"] == "queued"
    except DeliveryDoubtfulError as error:
        values = {"state": "unclear", "error": error.code, "error_params": error.params}
        done.unclear += 1
    except MailServerError as error:  # nothing was handed over
        values = {**_requeued(error, connection.clock()), "claimed_at": None, "worker": ""}
        _write(session, held, _without_address(values, message.recipient))
        commit()
        raise
    else:
        values = {
            "state": "sent",
            "sent_at": connection.clock(),
            "attempts": message.attempts + 1,
            "error": "",
            "error_params": {},
        }
        done.sent += 1
    _write(session, held, _without_address(values, message.recipient))
    commit()


def _without_address(values: dict[str, Any], recipient: str) -> dict[str, Any]:
    """Mail servers repeat the address that they refuse; it is kept sealed and nowhere else."""
    said = {
        name: text.replace(recipient, mask(recipient, first=1, last=0))
        if isinstance(text, str)
        else text
        for name, text in values["error_params"].items()
    }
    return {**values, "error_params": said}


def _after_refusal(message: Message, error: DeliveryRefusedError, now: datetime) -> dict[str, Any]:
    """Once more later, or never again."""
    attempts = message.attempts + 1
    values: dict[str, Any] = {
        "attempts": attempts, "error": error.code, "error_params": error.params,
        "worker": "", "claimed_at": None,
    }  # fmt: skip
    if error.for_good or attempts > len(WAITS):
        return {**values, "state": "failed", "next_at": None}
    return {**values, "state": "queued", "next_at": now + WAITS[attempts - 1]}


def _requeued(error: MailServerError, now: datetime) -> dict[str, Any]:
    return {
        "state": "queued",
        "next_at": now + SERVER_WAIT,
        "error": error.code,
        "error_params": error.params,
    }


def _put_back(session: Session, ids: Sequence[int], worker: str, values: Mapping[str, Any]) -> None:
    """What was claimed and not handed over goes back into the queue, none the worse for it."""
    condition = Message.id.in_(ids) & (Message.worker == worker) & (Message.state == "claimed")
    _write(session, condition, {**values, "worker": "", "claimed_at": None})


def _write(session: Session, condition: Any, values: dict[str, Any]) -> int:
    """A conditional UPDATE; how many rows were still as the condition says."""
    result = session.execute(
        update(Message)
        .where(condition)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return int(result.rowcount)
