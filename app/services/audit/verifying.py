"""Proving the audit log: what was changed, removed, moved, slipped in or cut off is found.

Whoever can write to the database but has no key can't seal a row. Cutting off the newest rows
leaves a whole chain: only a head that was kept elsewhere (in a backup, in the instance folder, on
paper) shows that.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import AuditEvent
from app.services.audit.chain import BEGINNING, seal
from app.services.audit.recording import audit_key

_ROWS: Final[Any] = AuditEvent.__table__
_HEAD: Final = re.compile(r"(\d{1,10}):([0-9a-f]{64})")


@dataclass(frozen=True)
class Head:
    """The last row of the log at some moment; `str()` is what is kept or printed of it."""

    number: int
    mac: str

    def __str__(self) -> str:
        return f"{self.number}:{self.mac}"

    @classmethod
    def read(cls, text: str) -> Head:
        """A head as it was kept.

        Raises:
            ValueError: it is none.
        """
        match = _HEAD.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is no head of the audit log (a number, a colon, 64 digits)")
        return cls(int(match[1]), match[2])


def current_head(session: Session) -> Head:
    """The last row there is; number 0 before the first."""
    statement = select(_ROWS.c.id, _ROWS.c.mac).order_by(_ROWS.c.id.desc()).limit(1)
    found = session.execute(statement).first()
    return Head(found[0], found[1]) if found else Head(0, BEGINNING)


def broken_rows(session: Session, heads: Iterable[Head] = ()) -> Iterator[tuple[str, str]]:
    """Each place where the log is not what was written, with what is wrong there.

    `heads` are those kept elsewhere: each must still stand in the log.
    """
    key = audit_key(session.connection())
    wanted = {head.number: head.mac for head in heads if head.number}
    number, before = _beginning(session)
    for archived in [kept for kept in wanted if kept <= number]:
        kept_mac = wanted.pop(archived)
        if archived == number and kept_mac != before:
            yield str(archived), "not the row that was the last one when its seal was kept"
    statement = select(_ROWS).order_by(_ROWS.c.id).execution_options(yield_per=2_000)
    for row in session.execute(statement):
        if row.id != number + 1:
            missing = f"{number + 1}" if row.id == number + 2 else f"{number + 1} to {row.id - 1}"
            yield missing, "removed"
        elif not hmac.compare_digest(row.mac, seal(key, before, dict(row._mapping))):
            yield str(row.id), "changed, moved or added by another hand"
        kept = wanted.pop(row.id, row.mac)
        if kept != row.mac:
            yield str(row.id), "not the row that was the last one when its seal was kept"
        number, before = row.id, row.mac
    for lost in sorted(wanted):
        yield str(lost), f"was there once; the log ends at {number}"


def _beginning(session: Session) -> tuple[int, str]:
    """What the first row follows: nothing, or the last row of an archive that the log tells of.

    The row that tells of it is sealed and proved with all others: who merely removes rows cannot
    write it.
    """
    first = session.scalar(select(func.min(_ROWS.c.id)))
    if first in (None, 1):
        return 0, BEGINNING
    told = select(_ROWS.c.detail).where(
        _ROWS.c.kind == "audit_archived", _ROWS.c.subject == f"audit:{first - 1}"
    )
    for detail in session.scalars(told):
        found = json.loads(detail)
        if found.get("last") == first - 1 and isinstance(found.get("mac"), str):
            return first - 1, found["mac"]
    return 0, BEGINNING
