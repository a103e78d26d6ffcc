"""SOP Hidup: the sheet's steps with what really happened beside each *waktu*, and the what-if.

A standard can be tried on the past: the share of the period's runs that would have kept to it is
read from the same classes as the percentiles. Published, it counts for cases that enter the step
from then on; the standards of runs that have begun stay frozen (SOP, column "Waktu").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.models import SopStep
from app.services.actor import Actor
from app.services.charts import StepDuration, step_durations
from app.services.sheet import Cell, activities, draw
from app.services.statistics import Scope, class_bound
from app.sop.definition import Sop, Step
from app.sop.errors import NotFoundError, RefusedError

#: A standard is a whole number of minutes; the screen of standard minutes has the same limits.
LEAST_MINUTES: Final = 1
MOST_MINUTES: Final = 480


@dataclass(frozen=True)
class LivingRow:
    """One activity of the sheet with its numbers; `tried_minutes` is the standard asked about."""

    step: Step
    cells: tuple[Cell, ...]
    numbers: StepDuration
    tried_minutes: int | None = None

    @property
    def tried_share(self) -> float | None:
        """The share of the period's runs that would have kept to the standard asked about."""
        return share_within(self.numbers, self.tried_minutes)

    @property
    def changes(self) -> bool:
        """Whether another standard than today's is asked about."""
        return self.tried_minutes not in (None, self.numbers.standard_minutes)


@dataclass(frozen=True)
class Living:
    """The whole sheet of a period."""

    rows: tuple[LivingRow, ...]
    #: Steps with a clock that are no activity of the sheet any more, and have runs in the period.
    others: tuple[StepDuration, ...]

    @property
    def standard_total(self) -> int:
        """The minutes of all activities together, as the office has them now."""
        return sum(row.numbers.standard_minutes or 0 for row in self.rows)

    @property
    def tried_total(self) -> int:
        """The same with the standards that are asked about."""
        return sum(
            row.numbers.standard_minutes or 0 if row.tried_minutes is None else row.tried_minutes
            for row in self.rows
        )

    @property
    def median_total(self) -> int | None:
        """The medians of work together, in seconds; None while a step has none."""
        medians = [row.numbers.work_median for row in self.rows]
        found = [median for median in medians if median is not None]
        return sum(found) if found and len(found) == len(medians) else None

    @property
    def changed(self) -> dict[str, tuple[int | None, int]]:
        """Step by step the standard of today and the one that is asked about."""
        return {
            row.numbers.key: (row.numbers.standard_minutes, row.tried_minutes)
            for row in self.rows
            if row.changes and row.tried_minutes is not None
        }

    @property
    def slowest(self) -> LivingRow | None:
        """The step whose median of work is the largest share of its standard."""
        judged = [row for row in self.rows if row.numbers.median_share is not None]
        return max(judged, key=lambda row: row.numbers.median_share or 0, default=None)

    @property
    def longest_wait(self) -> LivingRow | None:
        """The step before which the median case waits longest."""
        waits = [row for row in self.rows if row.numbers.wait_median]
        return max(waits, key=lambda row: row.numbers.wait_median or 0, default=None)


def load_living(
    session: Session, sop: Sop, scope: Scope, tried: Mapping[str, int] | None = None
) -> Living:
    """The sheet with the numbers of a period; the same query as the chart of step durations."""
    found = {step.key: step for step in step_durations(session, sop, scope)}
    rows = tuple(
        LivingRow(step, cells, found.pop(step.key), (tried or {}).get(step.key))
        for step, cells in zip(activities(sop), draw(sop), strict=True)
        if step.key in found
    )
    return Living(rows, tuple(step for step in found.values() if step.cases))


def share_within(numbers: StepDuration, minutes: int | None) -> float | None:
    """The share of runs that took at most so many minutes, exactly; None without any run.

    Raises:
        ValueError: the classes cannot tell (see `can_be_tried`).
    """
    if minutes is None or not numbers.cases:
        return None
    if not can_be_tried(minutes):
        raise ValueError(f"{minutes} minutes are no bound of a class")
    kept = sum(n for bound, n in numbers.work_classes if bound <= minutes * 60)
    return kept / numbers.cases


def can_be_tried(minutes: int) -> bool:
    """Whole minutes up to two hours, steps of five beyond: what the kept classes can tell."""
    in_range = LEAST_MINUTES <= minutes <= MOST_MINUTES
    return in_range and class_bound(minutes * 60) == minutes * 60


def publish_standards(
    session: Session, actor: Actor, changes: Mapping[str, tuple[int | None, int]]
) -> list[str]:
    """Make other minutes the office's standard; answers the labels of the steps. Flushes.

    `changes` maps a step to the standard that was seen and the new one. Runs that have begun keep
    the standard they were opened with.

    Raises:
        NotAllowedError: the actor may not change standard minutes.
        NotFoundError: no such step, or one without a clock.
        RefusedError: minutes out of range, or somebody changed the standard meanwhile.
    """
    actor.require("can_edit", "SopStep")
    labels = []
    # In one order: two who publish at once must not wait for each other crosswise.
    for key, (seen, minutes) in sorted(changes.items()):
        if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
            raise RefusedError("standard_out_of_range", least=LEAST_MINUTES, most=MOST_MINUTES)
        step = session.scalars(
            select(SopStep).where(SopStep.key == key, SopStep.clock)
        ).one_or_none()
        if step is None:
            raise NotFoundError("step", key)
        done = session.execute(
            update(SopStep)
            .where(SopStep.key == key, SopStep.standard_minutes.is_not_distinct_from(seen))
            .values(standard_minutes=minutes)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(done, CursorResult)
        session.refresh(step)
        if done.rowcount != 1:
            raise RefusedError(
                "standard_changed",
                step=step.label,
                now=step.standard_minutes if step.standard_minutes is not None else "–",
                wanted=minutes,
            )
        labels.append(str(step.label))
    return labels
