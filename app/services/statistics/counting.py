"""The same facts found again in the tables: for rebuilding, and where no cell is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from app.models import (
    ArchivedRun,
    CaseEvent,
    Complaint,
    Dispatch,
    DocumentKind,
    SopStep,
    StepRun,
)
from app.services.statistics.facts import (
    Dims,
    Fact,
    arrival_fact,
    due_facts,
    ended_fact,
    parcel_facts,
    return_fact,
    run_fact,
)
from app.services.statistics.scope import Scope, day_bounds

#: Every series and the facts it is made of; a parcel makes facts of two.
SERIES: Final = ("run", "arrival", "ended", "due", "return", "parcel", "delivery")
#: Under this name a return's event keeps what the numbers need of it.
RETURNED: Final = "returned"
_CHUNK: Final = 5_000
Bounds = tuple[date, date] | None
Statement = Select[*tuple[Any, ...]]
Made = Callable[[Any], Iterable[Fact]]
Source = tuple[Statement, Made]

_DIMS: Final = (Complaint.channel_id, Complaint.category_id, Complaint.kecamatan_code)


def facts(
    session: Session,
    series: str,
    *,
    first: date | None = None,
    last: date | None = None,
    scope: Scope | None = None,
    complaint_id: int | None = None,
) -> Iterator[Fact]:
    """The facts of one series: of a period, of a sort of cases, of one case, or all there are.

    Rows come in the order of nothing; a whole office is read in pieces, not into memory.
    """
    if scope is not None:
        first, last = scope.first, scope.last
    bounds = (first, last) if first is not None and last is not None else None
    session.flush()
    statement, made = _SOURCES[series](session, bounds)
    found: Any = _of_cases(statement, scope)
    if complaint_id is not None:
        found = found.where(Complaint.id == complaint_id)
    elif series == "run":
        # Runs of old years may lie in an archive, their numbers apart; on SQLite, too, where a backup
        # of PostgreSQL has come. What is asked of one case is asked to change it, which no case of
        # those years is.
        found = found.union_all(_of_cases(_runs(session, bounds, ArchivedRun)[0], scope))
    rows = session.execute(found.execution_options(yield_per=_CHUNK))
    for row in rows:
        yield from made(row)


def facts_of_case(session: Session, complaint_id: int) -> list[Fact]:
    """Everything that one case adds now, so that a correction can move it."""
    return [fact for series in SERIES for fact in facts(session, series, complaint_id=complaint_id)]


def _of_cases(statement: Statement, scope: Scope | None) -> Statement:
    if scope is None:
        return statement
    for column, value in (
        (Complaint.channel_id, scope.channel_id),
        (Complaint.category_id, scope.category_id),
        (Complaint.kecamatan_code, scope.kecamatan_code),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return statement


def _in(statement: Statement, column: Any, bounds: Bounds) -> Statement:
    if bounds is None:
        return statement.where(column.is_not(None))
    start, end = day_bounds(*bounds)
    return statement.where(column >= start, column < end)


def _runs(session: Session, bounds: Bounds, of: Any = StepRun) -> Source:
    statement = select(
        *_DIMS,
        of.step_key,
        of.finished_at,
        of.work_seconds,
        of.wait_seconds,
        of.standard_minutes,
        of.finished_by_id,
    ).join(Complaint, Complaint.id == of.complaint_id)
    # A closed run without its clocks is a fault that `flask verify` names.
    statement = statement.where(of.work_seconds.is_not(None))
    return _in(statement, of.finished_at, bounds), _with_dims(run_fact)


def _arrivals(session: Session, bounds: Bounds) -> Source:
    statement = select(*_DIMS, Complaint.received_at)
    return _in(statement, Complaint.received_at, bounds), _with_dims(arrival_fact)


def _ends(session: Session, bounds: Bounds) -> Source:
    statement = select(*_DIMS, Complaint.step_key, Complaint.closed_at, Complaint.round)
    return _in(statement, Complaint.closed_at, bounds), _with_dims(ended_fact)


def _with_dims(make: Callable[..., Fact]) -> Made:
    """A fact of the columns behind the three that say the sort of the case."""
    return lambda row: [make(Dims(row[0], row[1], row[2]), *row[3:])]


def _dues(session: Session, bounds: Bounds) -> Source:
    columns = (
        Complaint.completeness_due,
        Complaint.decision_due,
        Complaint.class_due,
        Complaint.told_at,
        Complaint.closed_at,
    )
    statement = select(*_DIMS, *columns)
    if bounds is not None:
        statement = statement.where(or_(*(due.between(*bounds) for due in columns[:3])))

    def made(row: Any) -> Iterator[Fact]:
        found = due_facts(Dims(row[0], row[1], row[2]), *row[3:])
        return (fact for fact in found if bounds is None or bounds[0] <= fact.day <= bounds[1])

    return statement, made


def _returns(session: Session, bounds: Bounds) -> Source:
    statement = (
        select(*_DIMS, CaseEvent.transition, CaseEvent.at, CaseEvent.details)
        .join(Complaint, Complaint.id == CaseEvent.complaint_id)
        .join(SopStep, SopStep.key == CaseEvent.to_step)
        .where(CaseEvent.kind == "moved", SopStep.kind == "waiting")
    )
    kinds = session.execute(select(DocumentKind.label_id, DocumentKind.code)).all()
    codes = {row[0]: row[1] for row in kinds}

    def made(row: Any) -> Iterator[Fact]:
        failed, differences = returned(row[5], codes)
        yield return_fact(Dims(row[0], row[1], row[2]), row[3], row[4], failed, differences)

    return _in(statement, CaseEvent.at, bounds), made


def returned(
    details: Mapping[str, Any], codes: Mapping[str, str]
) -> tuple[list[Sequence[str]], list[str]]:
    """What a return's history says: papers that failed, by code, and data that differ.

    Returns of the first releases named papers by their label only: `codes` knows those.
    """
    kept = details.get(RETURNED)
    if isinstance(kept, Mapping):
        return list(kept["failed"]), list(kept["differences"])
    items = [item for item in details.get("items") or () if isinstance(item, Mapping)]
    failed: list[Sequence[str]] = [
        (codes[item["label"]], str(item.get("state", "missing")))
        for item in items
        if item.get("label") in codes
    ]
    differences = details.get("differences") or ()
    return failed, [word for word in differences if isinstance(word, str)]


def _parcels(column: Any, series: str) -> Callable[[Session, Bounds], Source]:
    def source(session: Session, bounds: Bounds) -> Source:
        statement = select(
            *_DIMS,
            Dispatch.courier_id,
            Dispatch.sent_at,
            Dispatch.status,
            Dispatch.delivered_at,
        ).join(Complaint, Complaint.id == Dispatch.complaint_id)
        return _in(statement, column, bounds), made

    def made(row: Any) -> Iterator[Fact]:
        found = parcel_facts(Dims(row[0], row[1], row[2]), *row[3:])
        return (fact for fact in found if fact.series == series)

    return source


_SOURCES: Final[Mapping[str, Any]] = {
    "run": _runs,
    "arrival": _arrivals,
    "ended": _ends,
    "due": _dues,
    "return": _returns,
    "parcel": _parcels(Dispatch.sent_at, "parcel"),
    "delivery": _parcels(Dispatch.delivered_at, "delivery"),
}
