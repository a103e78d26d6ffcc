"""Writing the audit log: noted where it happens, sealed and written just before the commit.

The row is part of the transaction that it tells of: both are there or neither. It is written last,
because from then until the commit every other writer of the log waits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, event, insert, select, text
from sqlalchemy.orm import Session, SessionTransaction

from app.models import AuditEvent
from app.services.audit.chain import BEGINNING, seal
from app.services.audit.kinds import KINDS

# Its listener must come first: the cells of the statistics are locked before the log is.
from app.services.statistics import keeping as _keeping  # noqa: F401

_PENDING: Final = "audit"
_LONGEST: Final = 200
#: Numbers of persons and families have 16 digits; nothing else that is logged has.
_PERSON: Final = re.compile(r"(?<!\d)\d{16}(?!\d)")
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ROWS: Final[Any] = AuditEvent.__table__
_HEAD: Final = select(_ROWS.c.id, _ROWS.c.mac).order_by(_ROWS.c.id.desc()).limit(1)
_LOCKED_HEAD: Final = text("SELECT id, mac FROM audit_head()")
_ADD: Final = insert(_ROWS).inline()


@dataclass(frozen=True)
class Origin:
    """Where what happens now was asked for: the address and the number of the request, and who."""

    address: str = ""
    request_id: str = ""
    who: Callable[[], int | None] = lambda: None


_NOWHERE: Final = Origin()
#: The web layer sets it per request.
origin: Final[ContextVar[Origin]] = ContextVar("audit_origin", default=_NOWHERE)


def record(
    session: Session,
    kind: str,
    *,
    actor_id: int | None,
    subject: str = "",
    detail: Mapping[str, str | int | bool] | None = None,
    address: str = "",
    request_id: str = "",
    at: datetime | None = None,
) -> None:
    """Tell the log what happens in this transaction; it is written when the session commits.

    Args:
        session: any session over the panel's engine; a rollback (of a savepoint, too) takes the
            note with it.
        kind: one of `KINDS`.
        actor_id: the user who did it; None for nobody who is signed in, or the panel itself.
        subject: what it was done to, as `sort:number`: "complaint:PGD-2026-000001", "user:12".
        detail: short facts. Never a name, a NIK or a secret: numbers of 16 digits are blotted out
            and control characters removed, whatever comes.
        address, request_id: where from; those of the request (`origin`) unless given.
        at: when it happened, if that is not now.

    Raises:
        ValueError: the kind is not on the list.
    """
    if kind not in KINDS:
        raise ValueError(f"the audit log knows no {kind!r}")
    here = origin.get()
    row = {
        "at": at or datetime.now(UTC),
        "kind": kind,
        "actor_id": actor_id,
        "subject": _plain(subject)[:80],
        "detail": json.dumps(
            {name: _value(value) for name, value in (detail or {}).items()},
            ensure_ascii=False,
            separators=(",", ":"),
            sort_keys=True,
        ),
        "address": _plain(address or here.address)[:45],
        "request_id": _plain(request_id or here.request_id)[:64],
    }
    if not session.in_transaction():
        session.begin()  # what is rolled back before anything else was done is not told either
    session.info.setdefault(_PENDING, []).append((tuple(_savepoints(session)), row))


def write(session: Session) -> None:
    """Seal and add everything noted so far: two statements, however much it is."""
    pending = session.info.pop(_PENDING, None)
    if not pending:
        return
    connection = session.connection()
    key = audit_key(connection)
    locked = connection.dialect.name == "postgresql"
    head = connection.execute(_LOCKED_HEAD if locked else _HEAD).first()
    number, mac = (head[0], head[1]) if head else (0, BEGINNING)
    rows = []
    for _chain, row in pending:
        number += 1
        row["id"] = number
        row["mac"] = mac = seal(key, mac, row)
        rows.append(row)
    connection.execute(_ADD, rows)


def audit_key(connection: Connection) -> bytes:
    """The key that seals the log; it rides on the engine and never stands in the database.

    Raises:
        RuntimeError: the engine was not made from the panel's settings.
    """
    key: bytes | None = connection.get_execution_options().get("audit_key")
    if not key:
        raise RuntimeError("this engine has no key for the audit log")
    return key


def _plain(text_: str) -> str:
    return _PERSON.sub("[16 digits]", _UNSEEN.sub(" ", text_)).strip()


def _value(value: str | int | bool) -> str | int | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**15 else "[16 digits]"
    return _plain(str(value))[:_LONGEST]


def _savepoints(session: Session) -> Iterable[SessionTransaction]:
    transaction = session.get_nested_transaction()
    while transaction is not None:
        yield transaction
        transaction = transaction.parent


def _before_commit(session: Session) -> None:
    if session.info.get(_PENDING) and not session.in_nested_transaction():
        session.flush()
        write(session)


def _after_soft_rollback(session: Session, ended: SessionTransaction) -> None:
    pending: list[Any] | None = session.info.get(_PENDING)
    if pending and ended.nested:
        session.info[_PENDING] = [entry for entry in pending if ended not in entry[0]]


def _after_transaction_end(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is None:  # committed, rolled back or closed: what is left was not done
        session.info.pop(_PENDING, None)


def install() -> None:
    """Put the listeners on every session; calling it twice changes nothing."""
    if not event.contains(Session, "before_commit", _before_commit):
        event.listen(Session, "before_commit", _before_commit)
        event.listen(Session, "after_soft_rollback", _after_soft_rollback)
        event.listen(Session, "after_transaction_end", _after_transaction_end)


install()
