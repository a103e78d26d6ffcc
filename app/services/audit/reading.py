"""Looking into the audit log: by person, kind, subject and day, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.models import AuditEvent, Complaint, User

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
    #: Whether who asks may know of confidential cases; else their numbers are left out.
    confidential: bool = False


@dataclass(frozen=True)
class Found:
    """A row, the name of who did it, and whether it tells of a case that the reader may not know."""

    event: AuditEvent
    name: str
    hidden: bool


def events(
    session: Session, sought: Sought, *, below: int | None = None, limit: int
) -> list[Found]:
    """The newest rows; `below` begins behind a row."""
    statement = _found(sought, below).limit(limit)
    return [_read(row, sought) for row in session.execute(statement)]


def each_event(session: Session, sought: Sought, limit: int) -> Iterator[Found]:
    """The same for a file, read in pieces."""
    statement = _found(sought, None).limit(limit).execution_options(yield_per=500)
    for row in session.execute(statement):
        yield _read(row, sought)


def people(session: Session) -> list[tuple[int, str]]:
    """Everybody with an account, by name."""
    statement = select(User.id, User.first_name, User.last_name).order_by(
        User.first_name, User.last_name, User.id
    )
    return [(row[0], f"{row[1]} {row[2]}".strip()) for row in session.execute(statement)]


def _found(sought: Sought, below: int | None) -> Select[Any]:
    number = func.substr(AuditEvent.subject, len("complaint:") + 1)
    of_case = and_(AuditEvent.subject.startswith("complaint:"), Complaint.number == number)
    statement = (
        select(AuditEvent, User.first_name, User.last_name, Complaint.confidential)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .outerjoin(Complaint, of_case)
    )
    if sought.actor_id is not None:
        statement = statement.where(AuditEvent.actor_id == sought.actor_id)
    if sought.kinds:
        statement = statement.where(AuditEvent.kind.in_(sought.kinds))
    if sought.subject:
        statement = statement.where(_subject(sought.subject))
        if not sought.confidential:  # nor does the search tell that there is such a case
            statement = statement.where(func.coalesce(Complaint.confidential, False).is_(False))
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


def _read(row: Any, sought: Sought) -> Found:
    name = f"{row[1] or ''} {row[2] or ''}".strip()
    return Found(row[0], name, bool(row[3]) and not sought.confidential)
