"""Where the cases of each number stand in the tables, by the rules that the roll-up counts by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, and_, cast, extract, false, func, select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, Dispatch, SopStep, StepRun
from app.services.chart_cases.question import P90, STANDARD, Question
from app.services.statistics import Scope, day_bounds, percentile, read

#: The office's clock: Asia/Jakarta, which has kept to UTC+7 since 1964.
_ZONE: Final = "Asia/Jakarta"
_SQLITE_ZONE: Final = "+7 hours"


@dataclass(frozen=True)
class Source:
    """Rows of one table beside their complaint, and the order in which they are listed."""

    #: The table joined to the complaint; None where it is the complaint itself.
    entity: Any
    columns: Mapping[str, Any]
    conditions: tuple[ColumnElement[bool], ...]
    #: Listed by this, the largest first unless `ascending`; the row's own key decides equals.
    order: Any
    key: Any
    ascending: bool = False


def source_of(session: Session, question: Question, scope: Scope, today: date) -> Source:
    """The rows of a question."""
    return _SOURCES[question.of](session, question, scope, today)


def counted_runs(session: Session, question: Question, scope: Scope) -> dict[str, int]:
    """What the roll-up holds of the runs of a question: of one step, or of all together."""
    step = question.item or scope.step_key
    found = read(session, "run", replace(scope, step_key=step))
    if question.lane:
        steps = set(session.scalars(_steps_of(question.lane)))
        found = {key: counts for key, counts in found.items() if key in steps}
    if step is not None:
        return found.get(step, {})
    merged: dict[str, int] = {}
    for counts in found.values():
        for name, number in counts.items():
            merged[name] = merged.get(name, 0) + number
    return merged


def limit_seconds(session: Session, question: Question, scope: Scope) -> int | None:
    """The seconds that the runs asked for took longer than, where it is one limit for all."""
    if question.minutes is not None:
        return question.minutes * 60
    if question.over != P90:
        return None
    prefix = "q" if question.by == "wait" else "w"
    # Nothing was counted: nothing is longer than nothing.
    return percentile(counted_runs(session, question, scope), prefix, 9, 10) or 0


def _runs(session: Session, question: Question, scope: Scope, today: date) -> Source:
    start, end = day_bounds(scope.first, scope.last)
    conditions: list[Any] = [StepRun.finished_at >= start, StepRun.finished_at < end]
    step = question.item or scope.step_key
    if step:
        conditions.append(StepRun.step_key == step)
    if question.lane:
        conditions.append(StepRun.step_key.in_(_steps_of(question.lane)))
    if question.person is not None:
        conditions.append(StepRun.finished_by_id == question.person)
    took: Any = StepRun.wait_seconds if question.by == "wait" else StepRun.work_seconds
    if question.over == STANDARD:
        conditions.append(StepRun.work_seconds > StepRun.standard_minutes * 60)
    elif (limit := limit_seconds(session, question, scope)) is not None:
        conditions.append(took > limit)
    columns = {
        "run_step": StepRun.step_key,
        "entered_at": StepRun.entered_at,
        "at": StepRun.finished_at,
        "wait": StepRun.wait_seconds,
        "work": StepRun.work_seconds,
        "standard": StepRun.standard_minutes,
        "round": StepRun.round,
        "outcome": StepRun.transition,
    }
    return Source(StepRun, columns, (*conditions, *_of_cases(scope)), took, StepRun.id)


def _arrivals(session: Session, question: Question, scope: Scope, today: date) -> Source:
    conditions = [*_during(Complaint.received_at, scope)]
    if question.hour is not None:
        conditions.append(_clock(session, Complaint.received_at, "hour") == question.hour)
    if question.weekday is not None:
        conditions.append(_clock(session, Complaint.received_at, "weekday") == question.weekday)
    columns = {"at": Complaint.received_at}
    return _complaints(columns, conditions, scope, Complaint.received_at)


def _ends(session: Session, question: Question, scope: Scope, today: date) -> Source:
    conditions = [*_during(Complaint.closed_at, scope)]
    if question.item:
        conditions.append(Complaint.step_key == question.item)
    if question.round is not None:
        conditions.append(Complaint.round == question.round)
    return _complaints({"at": Complaint.closed_at}, conditions, scope, Complaint.closed_at)


def _dues(session: Session, question: Question, scope: Scope, today: date) -> Source:
    due, done = _due_columns(question.item)
    conditions = [due.between(scope.first, scope.last)]
    done_on = _office_date(session, done)
    if question.state == "met":
        conditions.append(and_(done.is_not(None), done_on <= due))
    elif question.state == "late":
        conditions.append(and_(done.is_not(None), done_on > due))
    elif question.state == "missed":
        conditions.append(and_(done.is_(None), due < today))
    elif question.state == "ahead":
        conditions.append(and_(done.is_(None), due >= today))
    return _complaints({"due": due, "at": done}, conditions, scope, due)


def _due_columns(item: str) -> tuple[Any, Any]:
    """The date of a kind, and what keeps it."""
    if item == "completeness":
        return Complaint.completeness_due, func.coalesce(Complaint.told_at, Complaint.closed_at)
    if item == "class":
        return Complaint.class_due, Complaint.closed_at
    return Complaint.decision_due, Complaint.closed_at


def _returns(session: Session, question: Question, scope: Scope, today: date) -> Source:
    waiting = select(SopStep.key).where(SopStep.kind == "waiting")
    conditions: list[Any] = [
        CaseEvent.kind == "moved",
        CaseEvent.to_step.in_(waiting),
        *_during(CaseEvent.at, scope),
    ]
    if question.item:
        conditions.append(CaseEvent.transition == question.item)
    columns = {
        "at": CaseEvent.at,
        "run_step": CaseEvent.from_step,
        "outcome": CaseEvent.transition,
        "round": CaseEvent.round,
        "details": CaseEvent.details,
    }
    return Source(
        CaseEvent, columns, (*conditions, *_of_cases(scope)), CaseEvent.at, CaseEvent.id
    )  # fmt: skip


def _open(session: Session, question: Question, scope: Scope, today: date) -> Source:
    # Not "in no end": each step before an end is a stretch of the index, and few cases stand there.
    before_end = select(SopStep.key).where(SopStep.kind != "end")
    conditions: list[Any] = [Complaint.closed_at.is_(None), Complaint.step_key.in_(before_end)]
    step = question.item or scope.step_key
    if step:
        conditions.append(Complaint.step_key == step)
    if question.lane:
        conditions.append(Complaint.step_key.in_(_steps_of(question.lane)))
    if question.age:
        conditions += _aged(question, today)
    if question.state:
        conditions.append(_standing(question.state, today))
    columns = {"at": Complaint.received_at, "since": Complaint.step_since}
    return _complaints(columns, conditions, scope, Complaint.received_at, ascending=True)


def _steps_of(lane: str) -> Select[str]:
    """The steps that a lane of the SOP works on."""
    return select(SopStep.key).where(SopStep.actor == lane)


def _aged(question: Question, today: date) -> list[Any]:
    """Received so many days ago; a receipt that lies ahead by a wrong clock is young, not old."""
    first, last = question.ages
    conditions: list[Any] = []
    if last is not None:
        day = today - timedelta(days=last)
        conditions.append(Complaint.received_at >= day_bounds(day, day)[0])
    if first > 0:
        day = today - timedelta(days=first)
        conditions.append(Complaint.received_at < day_bounds(day, day)[1])
    return conditions


def _standing(state: str, today: date) -> Any:
    """The condition on an open case that a state means."""
    if state in ("waiting", "working"):
        started = StepRun.started_at.is_(None)
        if state == "working":
            started = StepRun.started_at.is_not(None)
        return (
            select(StepRun.id)
            .where(
                StepRun.complaint_id == Complaint.id, StepRun.finished_at.is_(None), started
            )
            .exists()
        )  # fmt: skip
    if state in ("office", "applicant"):
        with_whom = SopStep.kind == "waiting"
        if state == "office":
            with_whom = SopStep.kind.not_in(("waiting", "end"))
        return Complaint.step_key.in_(select(SopStep.key).where(with_whom))
    due = Complaint.class_due if state == "past_class" else Complaint.decision_due
    return due < today


def _parcels(session: Session, question: Question, scope: Scope, today: date) -> Source:
    conditions = [*_during(Dispatch.sent_at, scope), *_by_courier(question)]
    if question.state:
        conditions.append(Dispatch.status == question.state)
    return _dispatches(conditions, scope, Dispatch.sent_at)


def _deliveries(session: Session, question: Question, scope: Scope, today: date) -> Source:
    """Listed by how long they took would need a sum: the latest delivery comes first."""
    conditions = [*_during(Dispatch.delivered_at, scope), *_by_courier(question)]
    return _dispatches(conditions, scope, Dispatch.delivered_at)


def _by_courier(question: Question) -> list[Any]:
    if not question.item:
        return []
    known = question.item.isascii() and question.item.isdigit() and len(question.item) < 10
    return [Dispatch.courier_id == (int(question.item) if known else -1)]


def _dispatches(conditions: list[Any], scope: Scope, order: Any) -> Source:
    columns = {
        "at": order,
        "courier_id": Dispatch.courier_id,
        "sent_at": Dispatch.sent_at,
        "delivered_at": Dispatch.delivered_at,
        "status": Dispatch.status,
    }
    return Source(Dispatch, columns, (*conditions, *_of_cases(scope)), order, Dispatch.id)


def _complaints(
    columns: Mapping[str, Any],
    conditions: list[Any],
    scope: Scope,
    order: Any,
    ascending: bool = False,
) -> Source:
    return Source(
        None, columns, (*conditions, *_of_cases(scope)), order, Complaint.id, ascending
    )  # fmt: skip


def _of_cases(scope: Scope) -> list[Any]:
    wanted: tuple[tuple[Any, object], ...] = (
        (Complaint.channel_id, scope.channel_id),
        (Complaint.category_id, scope.category_id),
        (Complaint.kecamatan_code, scope.kecamatan_code),
    )
    found: list[Any] = [column == value for column, value in wanted if value is not None]
    # The cases of a merged office are elsewhere.
    return found if scope.office is None else [*found, false()]


def _during(column: Any, scope: Scope) -> tuple[Any, Any]:
    start, end = day_bounds(scope.first, scope.last)
    return column >= start, column < end


def _sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _office_date(session: Session, column: Any) -> Any:
    """The office day of an instant, comparable with a date column."""
    if _sqlite(session):
        return func.date(column, _SQLITE_ZONE)
    return func.date(func.timezone(_ZONE, column))


def _clock(session: Session, column: Any, part: str) -> Any:
    """The hour (0-23) or the weekday (Monday is 0) on the office's clock."""
    if _sqlite(session):
        code = "%H" if part == "hour" else "%w"
        number = cast(func.strftime(code, column, _SQLITE_ZONE), Integer)
        return number if part == "hour" else (number + 6) % 7
    here = func.timezone(_ZONE, column)
    return extract("hour", here) if part == "hour" else extract("isodow", here) - 1


_SOURCES: Final[Mapping[str, Callable[[Session, Question, Scope, date], Source]]] = {
    "run": _runs,
    "arrival": _arrivals,
    "ended": _ends,
    "due": _dues,
    "return": _returns,
    "open": _open,
    "parcel": _parcels,
    "delivery": _deliveries,
}
