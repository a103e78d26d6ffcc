"""The dispatch desk: which case was scanned, what is to be done with it, and what waits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload

from app.models import CaseOutput, Complaint, Courier, Dispatch, Office
from app.services.actor import Actor
from app.services.calendar import OFFICE_ZONE
from app.services.dispatching import clean_tracking_number, sending_moves
from app.services.facts import current_dispatch, current_outputs
from app.services.visibility import visible_cases
from app.sop.definition import Sop, Transition

#: More fitting cases than this are not shown: the officer types more of the number.
MOST_FOUND: Final = 8
#: Rows of one list on a page of the desk.
MOST_LISTED: Final = 100
#: How far back an officer's last parcel counts for the courier that is offered.
_LAST_COURIER: Final = timedelta(days=60)
_NUMBER: Final = re.compile(r"(?i)pgd\W{0,2}(\d{4})\W{0,2}(\d{1,6})")
_SERIAL: Final = re.compile(r"\d{1,6}")
_CHECK_LINK: Final = re.compile(r"/check/([A-Za-z0-9_-]{16,24})/?$")
_TRACKING: Final = re.compile(r"[A-Z0-9]{6,40}")


@dataclass
class Errand:
    """A case at the desk: sent for the first time, sent again, or nothing to be done with it."""

    case: Complaint
    #: The transition that sends it from where it stands.
    move: Transition | None = None
    #: The parcel that came back and may be sent again.
    returned: Dispatch | None = None
    #: The latest parcel of the case's present round.
    latest: Dispatch | None = None
    papers: list[CaseOutput] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether there is something to send."""
        return self.move is not None or self.returned is not None


def find_cases(session: Session, sop: Sop, actor: Actor, text: str) -> list[Complaint]:
    """The cases that a scanned or typed text may mean, those that can be sent first.

    It may be a case number, its last digits, a tracking number, or what the QR code of a paper
    of ours leads to. Names and NIK are not looked for: what is typed here stands in an address.
    """
    condition = _meaning(text.strip())
    if condition is None:
        return []
    waiting = {move.source for move in sending_moves(sop)}
    cases = session.scalars(
        select(Complaint)
        .where(condition, visible_cases(actor))
        .options(
            joinedload(Complaint.kecamatan),
            joinedload(Complaint.region),
            joinedload(Complaint.category),
            joinedload(Complaint.assignee),
        )
        .order_by(Complaint.received_at.desc())
        .limit(MOST_FOUND)
    ).all()
    return sorted(cases, key=lambda case: case.step_key not in waiting)


def errand_of(session: Session, sop: Sop, case: Complaint) -> Errand:
    """What is to be done with a case at the desk."""
    move = next((move for move in sending_moves(sop) if move.source == case.step_key), None)
    latest = current_dispatch(session, case)
    came_back = latest is not None and latest.status == "returned" and move is None
    return Errand(
        case,
        move=move,
        returned=latest if came_back else None,
        latest=latest,
        papers=current_outputs(session, case),
    )


def last_courier(session: Session, actor: Actor, now: datetime) -> int | None:
    """The courier of the officer's last parcel, while the office still uses him."""
    return session.scalars(
        select(Dispatch.courier_id)
        .join(Dispatch.courier)
        .where(
            Dispatch.sent_by_id == actor.id,
            Dispatch.sent_at > now - _LAST_COURIER,
            Courier.active,
        )
        .order_by(Dispatch.sent_at.desc(), Dispatch.id.desc())
        .limit(1)
    ).first()


def waiting_cases(
    session: Session, sop: Sop, actor: Actor, *, limit: int = MOST_LISTED
) -> tuple[int, Sequence[Complaint]]:
    """The cases whose papers can be sent, who waits longest first, and how many there are."""
    condition = (
        Complaint.step_key.in_([move.source for move in sending_moves(sop)]),
        visible_cases(actor),
    )
    count = session.scalar(select(func.count()).select_from(Complaint).where(*condition)) or 0
    cases = session.scalars(
        select(Complaint)
        .where(*condition)
        .options(joinedload(Complaint.kecamatan))
        .order_by(Complaint.step_since, Complaint.id)
        .limit(limit)
    ).all()
    return count, cases


def sent_on(session: Session, actor: Actor, day: date) -> Sequence[Dispatch]:
    """The parcels of one day of the office, the latest first."""
    return session.scalars(
        _parcels(actor)
        .where(
            Dispatch.sent_at >= _midnight(day),
            Dispatch.sent_at < _midnight(day + timedelta(days=1)),
        )
        .order_by(Dispatch.sent_at.desc(), Dispatch.id.desc())
        .limit(MOST_LISTED)
    ).all()


def quiet_days(session: Session) -> int:
    """After so many days without news a parcel is asked after; the office sets it."""
    return session.scalar(select(Office.quiet_days).limit(1)) or 7


def quiet_parcels(session: Session, actor: Actor, today: date, days: int) -> Sequence[Dispatch]:
    """Parcels under way without news for so many days, the longest first."""
    return session.scalars(
        _parcels(actor).where(*_quiet(today, days)).order_by(Dispatch.sent_at).limit(MOST_LISTED)
    ).all()


def returned_parcels(session: Session, actor: Actor) -> Sequence[Dispatch]:
    """Parcels that came back and were not sent again, the longest first."""
    return session.scalars(
        _parcels(actor).where(*_came_back()).order_by(Dispatch.sent_at).limit(MOST_LISTED)
    ).all()


def desk_counts(session: Session, actor: Actor, today: date, days: int) -> tuple[int, int]:
    """How many parcels came back, and how many are without news."""

    def count(*conditions: ColumnElement[bool]) -> Any:
        return (
            select(func.count())
            .select_from(Dispatch)
            .join(Dispatch.complaint)
            .where(visible_cases(actor), *conditions)
            .scalar_subquery()
        )

    row = session.execute(select(count(*_came_back()), count(*_quiet(today, days)))).one()
    return row[0], row[1]


def _parcels(actor: Actor) -> Select[Dispatch]:
    return (
        select(Dispatch)
        .join(Dispatch.complaint)
        .where(visible_cases(actor))
        .options(contains_eager(Dispatch.complaint), joinedload(Dispatch.courier))
    )


def _quiet(today: date, days: int) -> tuple[ColumnElement[bool], ...]:
    # Whole days of the office: sent on the 1st, without news for seven days on the 8th.
    edge = _midnight(today - timedelta(days=days - 1))
    return (
        Dispatch.status == "sent",
        Dispatch.sent_at < edge,  # news come after the sending: the index finds these
        func.coalesce(Dispatch.news_at, Dispatch.sent_at) < edge,
    )


def _came_back() -> tuple[ColumnElement[bool], ...]:
    later = aliased(Dispatch)
    sent_again = select(later.id).where(
        later.complaint_id == Dispatch.complaint_id,
        later.round == Dispatch.round,
        later.attempt > Dispatch.attempt,
    )
    return (
        Dispatch.status == "returned",
        Dispatch.round == Complaint.round,
        ~sent_again.correlate(Dispatch).exists(),
    )


def _meaning(text: str) -> ColumnElement[bool] | None:
    if found := _NUMBER.fullmatch(text):
        return Complaint.number == f"PGD-{found[1]}-{int(found[2]):06d}"
    if _SERIAL.fullmatch(text):
        serial = int(text)
        return Complaint.number.in_([f"PGD-{year}-{serial:06d}" for year in range(2020, 2051)])
    if found := _CHECK_LINK.search(text):
        paper = select(CaseOutput.complaint_id).where(CaseOutput.check_code == found[1])
        return Complaint.id.in_(paper)
    tracking = clean_tracking_number(text)
    if _TRACKING.fullmatch(tracking):
        parcel = select(Dispatch.complaint_id).where(Dispatch.tracking_number == tracking)
        return Complaint.id.in_(parcel)
    return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), OFFICE_ZONE)
