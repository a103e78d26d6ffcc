"""The breach register: three times 24 hours from when a failure was known, by the wall clock.

Law 27/2022, art. 46: written notice to the persons concerned and to the authority, saying which data,
when and how, and what is done about it. Nights, Sundays and holidays count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.models import Breach, BreachVersion
from app.services.actor import Actor
from app.services.audit import record
from app.services.calendar import OFFICE_ZONE
from app.services.papers.frame import BLANK, Printing, frame
from app.services.papers.letters import signatory
from app.services.papers.words import day, moment

LIMIT: Final = timedelta(hours=72)
State = Literal["running", "overdue", "told", "told_late", "nobody"]
#: Whom the law wants told, and the columns that say when and how.
Whom = Literal["authority", "persons"]
WHOM: Final[tuple[Whom, ...]] = ("authority", "persons")
#: What an entry says; in this order its history shows it.
FIELDS: Final = (
    "title", "known_at", "happened_at", "what", "data", "persons", "measures", "contact",
    "authority_told_at", "authority_how", "persons_told_at", "persons_how",
)  # fmt: skip


@dataclass(frozen=True)
class Notice:
    """Where one of the two notices stands."""

    whom: Whom
    state: State
    deadline: datetime
    #: What is left, or by how much it is late; nothing once all is well.
    span: timedelta = timedelta()

    @property
    def open(self) -> bool:
        """Whether somebody still has to be told."""
        return self.state in ("running", "overdue")


def notice_of(breach: Breach, whom: Whom, now: datetime) -> Notice:
    """Where a notice stands at a moment; the last second of the 72 hours is still in time."""
    deadline = breach.known_at + LIMIT
    told: datetime | None = getattr(breach, f"{whom}_told_at")
    if told is not None:
        late = told - deadline
        if late > timedelta():
            return Notice(whom, "told_late", deadline, late)
        return Notice(whom, "told", deadline)
    if whom == "persons" and breach.persons == 0:
        return Notice(whom, "nobody", deadline)
    if now > deadline:
        return Notice(whom, "overdue", deadline, now - deadline)
    return Notice(whom, "running", deadline, deadline - now)


def open_breaches(session: Session, limit: int = 5) -> Sequence[Breach]:
    """Those of which somebody still has to be told, the most pressing first."""
    persons = and_(
        Breach.persons_told_at.is_(None), or_(Breach.persons.is_(None), Breach.persons != 0)
    )
    return session.scalars(
        select(Breach)
        .where(or_(Breach.authority_told_at.is_(None), persons))
        .order_by(Breach.known_at, Breach.id)
        .limit(limit)
    ).all()


def mistakes_of(said: dict[str, Any], now: datetime) -> dict[str, str]:
    """What does not fit together in an entry: field -> a code, see the form."""
    found: dict[str, str] = {}
    known, happened = said.get("known_at"), said.get("happened_at")
    if known is not None and known > now:
        found["known_at"] = "not_yet"
    if happened is not None and happened > now:
        found["happened_at"] = "not_yet"
    elif happened is not None and known is not None and happened > known:
        found["happened_at"] = "after_known"
    for whom in WHOM:
        told, how = said.get(f"{whom}_told_at"), (said.get(f"{whom}_how") or "").strip()
        if told is not None and told > now:
            found[f"{whom}_told_at"] = "not_yet"
        elif told is not None and known is not None and told < known:
            found[f"{whom}_told_at"] = "before_known"
        if told is not None and not how:
            found[f"{whom}_how"] = "how_missing"
        if told is None and how:
            found.setdefault(f"{whom}_told_at", "when_missing")
    return found


def note_version(
    session: Session, breach: Breach, actor: Actor, now: datetime, *, new: bool
) -> bool:
    """Keep what an entry says now and tell the log; flushes. False: nothing was changed.

    Long texts stay in the versions: the log names the fields, and says when who was told.
    """
    said = {name: _plain(getattr(breach, name)) for name in FIELDS}
    before: dict[str, Any] = {}
    if not new:
        last = session.scalars(
            select(BreachVersion)
            .where(BreachVersion.breach_id == breach.id)
            .order_by(BreachVersion.id.desc())
            .limit(1)
        ).first()
        before = dict(last.said) if last is not None else {}
        if before == said:
            return False
    session.flush()
    session.add(BreachVersion(breach_id=breach.id, at=now, by_id=actor.id, said=said))
    session.flush()
    changed = [name for name in FIELDS if before.get(name) != said[name]]
    detail: dict[str, str | int | bool] = {"columns": ",".join(changed)}
    for name in ("known_at", "authority_told_at", "persons_told_at", "persons"):
        if name in changed:
            detail[name] = f"{before.get(name) or '–'} → {said[name] or '–'}"
    record(
        session,
        "breach_recorded" if new else "breach_changed",
        actor_id=actor.id,
        subject=f"breach:{breach.id}",
        detail=detail,
    )
    return True


def changes_of(breach: Breach) -> list[tuple[BreachVersion, list[tuple[str, Any, Any]]]]:
    """The history of an entry, the newest first: each version with what it changed."""
    found, before = [], dict.fromkeys(FIELDS)
    for version in breach.versions:
        said = {name: version.said.get(name) for name in FIELDS}
        found.append(
            (
                version,
                [
                    (name, before[name], said[name])
                    for name in FIELDS
                    if (before[name] or None) != (said[name] or None)
                ],
            )
        )
        before = said
    return found[::-1]


def notice_paper(
    session: Session, printing: Printing, breach: Breach, whom: Whom
) -> dict[str, Any]:
    """The written notice to the authority or to a person concerned."""
    return {
        **frame(session, printing),
        "to": whom,
        "title": breach.title,
        "known": moment(breach.known_at),
        "happened": moment(breach.happened_at) if breach.happened_at else "",
        "what": breach.what,
        "affected": breach.data,
        "persons": "" if breach.persons is None else f"{breach.persons:,}".replace(",", "."),
        "measures": breach.measures,
        "contact": breach.contact or BLANK,
        "deadline": moment(breach.known_at + LIMIT),
        "letter_day": day(printing.now),
        "signatory": signatory(session, printing.now.astimezone(OFFICE_ZONE).date()),
    }


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
