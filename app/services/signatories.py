"""Who may sign for the office on a day, and in which capacity (SOP step 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from app.models import Complaint, Office, SiakCheck, Signatory
from app.services.actor import Actor
from app.services.calendar import OFFICE_ZONE

#: What stands before the position of an acting head; the head himself has nothing before it.
PREFIXES: Final[dict[str, str]] = {"definitif": "", "plt": "Plt. ", "plh": "Plh. "}
#: Capacities that rest on a decree.
ACTING: Final = frozenset({"plt", "plh"})


def office_day(now: datetime) -> date:
    """The day it is in the office: a capacity begins and ends at its midnight, not at UTC's."""
    return now.astimezone(OFFICE_ZONE).date()


def in_office(
    user_id: int | BindParameter[Any] | None, day: date | BindParameter[Any]
) -> ColumnElement[bool]:
    """The condition on `Signatory` that somebody may sign on a day."""
    return and_(
        Signatory.user_id == (0 if user_id is None else user_id),
        Signatory.valid_from <= day,
        or_(Signatory.valid_to.is_(None), Signatory.valid_to >= day),
    )


def signatory_of(session: Session, actor: Actor, now: datetime) -> Signatory | None:
    """The capacity in which the actor signs today, None when he may not."""
    return session.scalars(
        select(Signatory)
        .where(in_office(actor.id, office_day(now)))
        .order_by(Signatory.valid_from.desc(), Signatory.id.desc())
        .limit(1)
    ).first()


def is_in_office(session: Session, actor: Actor, now: datetime) -> bool:
    """Whether the actor is a signatory of the office today."""
    found = session.scalar(select(exists().where(in_office(actor.id, office_day(now)))))
    return bool(found)


@dataclass(frozen=True)
class Standing:
    """Whether somebody may sign one case: in office today, and not the one who checked it."""

    in_office: bool = False
    checked: bool = False
    #: The office's reason why the same person may do both, "" when there is none today.
    exception: str = ""

    @property
    def conflict(self) -> bool:
        """Whether he would sign what he checked himself, without an exception."""
        return self.checked and not self.exception


def checked_by(case: Any, case_round: Any, user_id: int | None) -> ColumnElement[bool]:
    """The condition that somebody recorded the SIAK check of a case's round."""
    return exists().where(
        SiakCheck.complaint_id == case,
        SiakCheck.round == case_round,
        SiakCheck.checked_by_id == (user_id or 0),
    )


def standing_of(session: Session, complaint: Complaint, actor: Actor, now: datetime) -> Standing:
    """Whether the actor may sign this case, in one statement."""
    day = office_day(now)
    reason = select(Office.same_person_reason).where(*_excepted(day)).limit(1).scalar_subquery()
    row = session.execute(
        select(
            exists().where(in_office(actor.id, day)),
            checked_by(complaint.id, complaint.round, actor.id),
            reason,
        )
    ).one()
    return Standing(bool(row[0]), bool(row[1]), row[2] or "")


def exception_on(session: Session, day: date) -> tuple[str, date] | None:
    """The exception from the separation of duties on a day: its reason and its last day."""
    row = session.execute(
        select(Office.same_person_reason, Office.same_person_until).where(*_excepted(day))
    ).first()
    return (row[0], row[1]) if row and row[1] else None


def cases_checked_by(session: Session, actor: Actor, ids: Iterable[int]) -> frozenset[int]:
    """Those of the cases whose present SIAK check the actor recorded himself."""
    return frozenset(
        session.scalars(
            select(Complaint.id).where(
                Complaint.id.in_(list(ids)),
                checked_by(Complaint.id, Complaint.round, actor.id),
            )
        )
    )


def _excepted(day: date) -> tuple[ColumnElement[bool], ...]:
    return (Office.same_person_reason != "", Office.same_person_until >= day)


def title_of(signatory: Signatory) -> str:
    """The position as it is stamped: `Plt. Kepala Dinas …` for an acting head."""
    return f"{PREFIXES[signatory.capacity]}{signatory.position}"


def overlapping(
    session: Session,
    user_id: int,
    valid_from: date,
    valid_to: date | None,
    *,
    but_not: int | None = None,
) -> Signatory | None:
    """Another entry of the same officer for some of the same days: he signs in one capacity."""
    conditions = [
        Signatory.user_id == user_id,
        or_(Signatory.valid_to.is_(None), Signatory.valid_to >= valid_from),
    ]
    if valid_to is not None:
        conditions.append(Signatory.valid_from <= valid_to)
    if but_not is not None:
        conditions.append(Signatory.id != but_not)
    return session.scalars(
        select(Signatory).where(*conditions).order_by(Signatory.valid_from).limit(1)
    ).first()
