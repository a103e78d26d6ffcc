"""Looking into the audit log: by person, kind, subject and day, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from app.models import AuditEvent, User

#: Sorts of subjects; a bare number or key is looked for under each of them.
SORTS: Final = (
    "complaint", "document", "user", "role", "case", "category", "channel", "courier",
    "document_kind", "holiday", "message_text", "office", "print_batch", "region", "report",
    "signatory", "sop_step", "upload", "working_hours",
)  # fmt: skip


@dataclass(frozen=True)
class Sought:
    """What is looked for; empty means everything. The days are the beginnings of their moments."""

    actor_id: int | None = None
    kinds: Sequence[str] = ()
    subject: str = ""
    since: datetime | None = None
    before: datetime | None = None


def events(
    session: Session, sought: Sought, *, below: int | None = None, limit: int
) -> list[tuple[AuditEvent, str]]:
    """The newest rows, each with the name of who did it; `below` begins behind a row."""
    return [(row[0], _name(row)) for row in session.execute(_found(sought, below).limit(limit))]


def each_event(session: Session, sought: Sought, limit: int) -> Iterator[tuple[AuditEvent, str]]:
    """The same for a file, read in pieces."""
    statement = _found(sought, None).limit(limit).execution_options(yield_per=500)
    for row in session.execute(statement):
        yield row[0], _name(row)


def people(session: Session) -> list[tuple[int, str]]:
    """Everybody with an account, by name."""
    statement = select(User.id, User.first_name, User.last_name).order_by(
        User.first_name, User.last_name, User.id
    )
    return [(row[0], f"{row[1]} {row[2]}".strip()) for row in session.execute(statement)]


def _found(sought: Sought, below: int | None) -> Select[Any]:
    statement = select(AuditEvent, User.first_name, User.last_name).outerjoin(
        User, User.id == AuditEvent.actor_id
    )
    if sought.actor_id is not None:
        statement = statement.where(AuditEvent.actor_id == sought.actor_id)
    if sought.kinds:
        statement = statement.where(AuditEvent.kind.in_(sought.kinds))
    if sought.subject:
        statement = statement.where(_subject(sought.subject))
    if sought.since is not None:
        statement = statement.where(AuditEvent.at >= sought.since)
    if sought.before is not None:
        statement = statement.where(AuditEvent.at < sought.before)
    if below is not None:
        statement = statement.where(AuditEvent.id < below)
    return statement.order_by(AuditEvent.id.desc())


def _subject(text: str) -> Any:
    """A whole subject ("user:12"), or the number behind any sort."""
    if ":" in text:
        return AuditEvent.subject == text
    wanted = [text, *(f"{sort}:{text}" for sort in SORTS)]
    return or_(AuditEvent.subject.in_(wanted))


def _name(row: Any) -> str:
    return f"{row[1] or ''} {row[2] or ''}".strip()
