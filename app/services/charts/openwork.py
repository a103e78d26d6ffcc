"""Open cases by age, read live; and how many are open of each channel, category or kecamatan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.models import Complaint, SopStep
from app.services.charts.periods import of_cases
from app.services.statistics import Scope, day_bounds


@dataclass(frozen=True)
class AgeClass:
    """Cases received so many days ago, from … to (None: or more); the key stands in links."""

    key: str
    first: int
    last: int | None


#: Days since receipt. The law speaks of 5, 14 and 60: an answer, a complete file, a decision.
AGES: Final = (
    AgeClass("0-5", 0, 5),
    AgeClass("6-14", 6, 14),
    AgeClass("15-30", 15, 30),
    AgeClass("31-60", 31, 60),
    AgeClass("61", 61, None),
)
_DIMS: Final[dict[str, Any]] = {
    "channel": Complaint.channel_id,
    "category": Complaint.category_id,
    "kecamatan": Complaint.kecamatan_code,
}


@dataclass(frozen=True)
class OpenAge:
    """The open cases of one age."""

    age: AgeClass
    #: With the office, and waiting for the applicant.
    office: int
    applicant: int
    #: Past the date of their legal class (5, 14 or 60 working days), past 60 days.
    past_class: int
    past_decision: int

    @property
    def cases(self) -> int:
        """All of them."""
        return self.office + self.applicant


def open_by_age(session: Session, scope: Scope, *, today: date) -> tuple[OpenAge, ...]:
    """The open cases of this moment by days since receipt; one statement.

    The scope's period does not matter: what is open is open now. A case is as old as the calendar
    days of the office between its receipt and today.
    """
    age = case(
        *((_received(item, today), item.key) for item in AGES[:-1]),
        else_=AGES[-1].key,
    )
    waits = Complaint.step_key.in_(_steps(SopStep.kind == "waiting"))
    statement = (
        select(
            age,
            _count(~waits),
            _count(waits),
            _count(Complaint.class_due < today),
            _count(Complaint.decision_due < today),
        )
        .where(*_open())
        .group_by(age)
    )
    statement = of_cases(statement, scope)
    if scope.step_key is not None:
        statement = statement.where(Complaint.step_key == scope.step_key)
    rows = {row[0]: [int(n or 0) for n in row[1:]] for row in session.execute(statement)}
    return tuple(OpenAge(item, *rows.get(item.key, [0, 0, 0, 0])) for item in AGES)


def open_by_sort(session: Session, scope: Scope, dim: str) -> dict[str, int]:
    """The open cases of this moment by channel, category or kecamatan, named as cells name them."""
    # An index of the open cases alone holds them in this order.
    sort = _DIMS[dim]
    statement = select(sort, func.count()).where(Complaint.closed_at.is_(None)).group_by(sort)
    found = session.execute(of_cases(statement, scope))
    return {"" if value is None else str(value): number for value, number in found}


def received_between(today: date, age: AgeClass) -> tuple[date | None, date]:
    """The days of receipt of an age: from (None: however early) and to, inclusive."""
    last = date.fromordinal(today.toordinal() - age.first)
    first = None if age.last is None else date.fromordinal(today.toordinal() - age.last)
    return first, last


def _received(age: AgeClass, today: date) -> Any:
    """Received on its first day or later: the ages are asked for from the youngest one on.

    A receipt that lies ahead by a wrong clock is young, not old.
    """
    first = received_between(today, age)[0] or date.min
    return Complaint.received_at >= day_bounds(first, first)[0]


def _open() -> tuple[Any, Any]:
    """Cases before an end. Few are open: an index holds these alone, or their steps are looked up."""
    return Complaint.closed_at.is_(None), Complaint.step_key.in_(_steps(SopStep.kind != "end"))


def _steps(condition: Any) -> Any:
    return select(SopStep.key).where(condition)


def _count(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))
