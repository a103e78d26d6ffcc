"""How long each step takes beside its standard, aggregated by the database in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Subquery, case, func, select
from sqlalchemy.orm import Session

from app.models import Complaint, SopStep, StepRun
from app.services.calendar import OFFICE_ZONE
from app.sop.definition import Sop
from app.sop.text import Text

#: Percentiles as fractions of whole numbers, so that both databases reckon exactly.
MEDIAN: Final = (1, 2)
P90: Final = (9, 10)


@dataclass(frozen=True)
class ChartFilter:
    """Which closed runs count: finished on office days from … to (inclusive), of which cases."""

    period_from: date
    period_to: date
    channel_id: int | None = None
    category_id: int | None = None
    kecamatan_code: str | None = None


@dataclass(frozen=True)
class StepDuration:
    """One step's numbers; seconds are office seconds, None where no run was finished."""

    key: str
    label: Text
    position: int
    #: The office's standard as it is now; None for a step without one.
    standard_minutes: int | None
    #: The standards frozen in the runs counted here, lowest and highest.
    frozen_minutes: tuple[int, int] | None
    cases: int
    work_median: float | None
    work_p90: float | None
    wait_median: float | None
    wait_p90: float | None
    #: Runs whose work kept to the standard frozen when they entered the step, and runs that had one.
    within: int
    judged: int
    #: Cases in the step at this moment, and those of them that nobody has started.
    here_now: int
    waiting_now: int

    @property
    def within_share(self) -> float | None:
        """Share of runs within their standard, 0 to 1."""
        return self.within / self.judged if self.judged else None

    @property
    def standard_changed(self) -> bool:
        """Whether some of these runs were held to another standard than today's."""
        return self.frozen_minutes is not None and self.frozen_minutes != (
            self.standard_minutes,
            self.standard_minutes,
        )

    @property
    def median_share(self) -> float | None:
        """The median of work as a share of the standard; above 1 is too slow."""
        if self.work_median is None or not self.standard_minutes:
            return None
        return self.work_median / (self.standard_minutes * 60)


def day_bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """From midnight of the first office day to midnight after the last, as instants."""
    start = datetime.combine(first, time(), OFFICE_ZONE)
    end = datetime.combine(last + timedelta(days=1), time(), OFFICE_ZONE)
    return start, end


def step_durations(session: Session, sop: Sop, chosen: ChartFilter) -> tuple[StepDuration, ...]:
    """Every step that has a clock, in the SOP's order, with 0 cases too; one statement.

    Percentiles are interpolated linearly between the two nearest runs (position `(n-1)·p`). A
    step that has left the SOP is shown last, as long as the period has runs of it.
    """
    closed = _aggregates(_closed_runs(chosen))
    now = _open_counts(chosen)
    statement = (
        select(SopStep, closed, now.c.here, now.c.waiting)
        .outerjoin(closed, closed.c.step_key == SopStep.key)
        .outerjoin(now, now.c.step_key == SopStep.key)
        .where(SopStep.clock)
    )
    found = {row[0].key: row for row in session.execute(statement)}
    order = [step.key for step in sop.clock_steps if step.key in found]
    order += [key for key, row in found.items() if key not in order and row.cases]
    return tuple(_duration(found[key], place) for place, key in enumerate(order, start=1))


def last_finished(session: Session, chosen: ChartFilter) -> datetime | None:
    """When a step of such cases was last finished, whatever the period; for an empty chart."""
    statement = select(func.max(StepRun.finished_at)).where(StepRun.finished_at.is_not(None))
    found: datetime | None = session.scalar(_of_cases(statement, chosen))
    return found


def _closed_runs(chosen: ChartFilter) -> Subquery:
    """The closed runs of the period with their place among the runs of their step."""
    start, end = day_bounds(chosen.period_from, chosen.period_to)
    step = StepRun.step_key
    statement = select(
        step,
        StepRun.work_seconds.label("work"),
        StepRun.wait_seconds.label("wait"),
        StepRun.standard_minutes.label("standard"),
        func.row_number()
        .over(partition_by=step, order_by=StepRun.work_seconds)
        .label("work_place"),
        func.row_number()
        .over(partition_by=step, order_by=StepRun.wait_seconds)
        .label("wait_place"),
        func.count().over(partition_by=step).label("n"),
    ).where(StepRun.finished_at >= start, StepRun.finished_at < end)
    closed: Subquery = _of_cases(statement, chosen).subquery("closed")
    return closed


def _aggregates(runs: Subquery) -> Subquery:
    columns = runs.c
    judged = columns.standard.is_not(None)
    return (
        select(
            columns.step_key,
            func.count().label("cases"),
            _weighted(columns.work, columns.work_place, columns.n, MEDIAN).label("work_median"),
            _weighted(columns.work, columns.work_place, columns.n, P90).label("work_p90"),
            _weighted(columns.wait, columns.wait_place, columns.n, MEDIAN).label("wait_median"),
            _weighted(columns.wait, columns.wait_place, columns.n, P90).label("wait_p90"),
            func.sum(case((judged & (columns.work <= columns.standard * 60), 1), else_=0)).label(
                "within"
            ),
            func.sum(case((judged, 1), else_=0)).label("judged"),
            func.min(columns.standard).label("lowest"),
            func.max(columns.standard).label("highest"),
        )
        .group_by(columns.step_key)
        .subquery("aggregates")
    )


def _weighted(
    value: ColumnElement[Any],
    place: ColumnElement[Any],
    n: ColumnElement[Any],
    percentile: tuple[int, int],
) -> ColumnElement[Any]:
    """A percentile times its denominator: whole numbers only, so no database rounds.

    The wanted position `(n-1)·p` lies `rest/denominator` beyond the run at place `below + 1`.
    """
    numerator, denominator = percentile
    below = ((n - 1) * numerator) // denominator
    rest = ((n - 1) * numerator) % denominator
    weight = case(
        (place == below + 1, denominator - rest),
        (place == below + 2, rest),
        else_=0,
    )
    return func.sum(value * weight)


def _open_counts(chosen: ChartFilter) -> Subquery:
    """The cases in each step at this moment, and those still waiting there."""
    waiting = func.sum(case((StepRun.started_at.is_(None), 1), else_=0))
    statement = (
        select(StepRun.step_key, func.count().label("here"), waiting.label("waiting"))
        .where(StepRun.finished_at.is_(None))
        .group_by(StepRun.step_key)
    )
    now: Subquery = _of_cases(statement, chosen).subquery("now")
    return now


def _of_cases(statement: Any, chosen: ChartFilter) -> Any:
    """Cut a statement over runs to the chosen channel, category and kecamatan."""
    wanted: tuple[tuple[Any, object], ...] = (
        (Complaint.channel_id, chosen.channel_id),
        (Complaint.category_id, chosen.category_id),
        (Complaint.kecamatan_code, chosen.kecamatan_code),
    )
    conditions = [column == value for column, value in wanted if value is not None]
    if not conditions:
        return statement
    return statement.join(Complaint, Complaint.id == StepRun.complaint_id).where(*conditions)


def _duration(row: Any, position: int) -> StepDuration:
    step: SopStep = row[0]
    return StepDuration(
        key=step.key,
        label=step.label,
        position=position,
        standard_minutes=step.standard_minutes,
        frozen_minutes=None if row.lowest is None else (row.lowest, row.highest),
        cases=row.cases or 0,
        work_median=_seconds(row.work_median, MEDIAN),
        work_p90=_seconds(row.work_p90, P90),
        wait_median=_seconds(row.wait_median, MEDIAN),
        wait_p90=_seconds(row.wait_p90, P90),
        within=int(row.within or 0),
        judged=int(row.judged or 0),
        here_now=row.here or 0,
        waiting_now=int(row.waiting or 0),
    )


def _seconds(weighted: Any, percentile: tuple[int, int]) -> float | None:
    return None if weighted is None else int(weighted) / percentile[1]
