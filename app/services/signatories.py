"""Who may sign for the office on a day, and in which capacity (SOP step 4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from app.models import Signatory
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
