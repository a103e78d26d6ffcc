"""How long each step takes beside its standard: work, wait, and how the durations are spread."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.models import Complaint, SopStep, StepRun
from app.services.casefile import Shelf
from app.services.charts.names import named
from app.services.charts.periods import of_cases
from app.services.statistics import Counts, Scope, Spread, class_bound, ranked, read, spread
from app.sop.definition import Sop
from app.sop.text import Text

#: A histogram shows so many standards and puts what took longer into one last bar.
SHOWN_STANDARDS: Final = 3
_NONE: Final = Spread()


@dataclass(frozen=True)
class StepDuration:
    """One step's numbers; seconds are office seconds, None where no run was finished.

    Percentiles are nearest rank: half of the runs took at most the median. They are bounds of
    classes a tenth of a minute wide where minutes are worked.
    """

    key: str
    label: Text
    position: int
    #: The office's standard as it is now; None for a step without one.
    standard_minutes: int | None
    #: The standards frozen in the runs counted here, lowest and highest.
    frozen_minutes: tuple[int, int] | None
    cases: int
    work_median: int | None
    work_p90: int | None
    wait_median: int | None
    wait_p90: int | None
    #: Runs whose work kept to the standard frozen when they entered the step, and runs that had one.
    within: int
    judged: int
    #: Office seconds of all runs together.
    work_total: int
    wait_total: int
    #: Runs by the upper bound of their duration, in order.
    work_classes: Spread
    wait_classes: Spread
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

    def work_spread(self, shares: Sequence[tuple[int, int]]) -> tuple[int | None, ...]:
        """Several percentiles of work, counted through once."""
        return ranked(self.work_classes, *shares)


@dataclass(frozen=True)
class Bin:
    """Runs that took longer than `above` and at most `up_to` seconds (None: however long)."""

    above: int
    up_to: int | None
    cases: int


def step_durations(
    session: Session, sop: Sop, scope: Scope, *, shelf: Shelf | None = None
) -> tuple[StepDuration, ...]:
    """Every step that has a clock, in the SOP's order, with 0 cases too; the chosen one alone.

    A step that has left the SOP is shown last, as long as the period has runs of it.
    """
    counted = read(session, "run", scope)
    now = open_counts(session, scope)
    steps = {
        key: (key, row.label_id, row.label_en, row.standard_minutes)
        for key, row in named(session, SopStep, shelf).items()
        if row.clock and scope.step_key in (None, key)
    }
    order = [step.key for step in sop.clock_steps if step.key in steps]
    order += [key for key in steps if key not in order and counted.get(key)]
    return tuple(
        _duration(*steps[key], place, counted.get(key, {}), now.get(key, (0, 0)))
        for place, key in enumerate(order, start=1)
    )


def open_counts(session: Session, scope: Scope) -> dict[str, tuple[int, int]]:
    """The cases in each step at this moment, and those that nobody has started there."""
    waiting = func.sum(case((StepRun.started_at.is_(None), 1), else_=0))
    statement = (
        select(StepRun.step_key, func.count(), waiting)
        .where(StepRun.finished_at.is_(None))
        .group_by(StepRun.step_key)
    )
    if scope.dims:
        statement = statement.join(Complaint, Complaint.id == StepRun.complaint_id)
        statement = of_cases(statement, scope)
    rows: Sequence[Any] = session.execute(statement).all()
    return {row[0]: (row[1], int(row[2])) for row in rows}


def bins_of(step: StepDuration) -> tuple[Bin, ...]:
    """The distribution of work as bars of equal width, with an edge exactly at the standard.

    The width is the largest part of the standard whose edges are bounds of classes, so that no
    run is put on the wrong side of an edge. Without a standard a bar is five minutes wide.
    """
    standard = (step.standard_minutes or 20) * 60
    width = next(
        (
            standard // parts
            for parts in (5, 4, 2, 1)
            if standard % parts == 0
            and all(
                class_bound(edge * standard // parts) == edge * standard // parts
                for edge in range(1, SHOWN_STANDARDS * parts + 1)
            )
        ),
        standard,
    )
    edges = list(range(0, SHOWN_STANDARDS * standard + 1, width))
    found = [
        Bin(above, up_to, sum(n for bound, n in step.work_classes if above < bound <= up_to))
        for above, up_to in itertools.pairwise(edges)
    ]
    # A duration of nothing is no longer than any edge.
    nothing = sum(n for bound, n in step.work_classes if bound == 0)
    found[0] = Bin(0, width, found[0].cases + nothing)
    longer = sum(n for bound, n in step.work_classes if bound > edges[-1])
    return (*found, Bin(edges[-1], None, longer))


def _duration(
    key: str,
    label_id: str,
    label_en: str,
    standard_minutes: int | None,
    position: int,
    counts: Counts,
    now: tuple[int, int],
) -> StepDuration:
    kinds = spread(counts)
    frozen, work, wait = (kinds.get(kind, _NONE) for kind in "swq")
    work_median, work_p90 = ranked(work, (1, 2), (9, 10))
    wait_median, wait_p90 = ranked(wait, (1, 2), (9, 10))
    return StepDuration(
        key=key,
        label=Text(label_id, label_en or label_id),
        position=position,
        standard_minutes=standard_minutes,
        frozen_minutes=(frozen[0][0], frozen[-1][0]) if frozen else None,
        cases=counts.get("n", 0),
        work_median=work_median,
        work_p90=work_p90,
        wait_median=wait_median,
        wait_p90=wait_p90,
        within=counts.get("within", 0),
        judged=counts.get("judged", 0),
        work_total=counts.get("work", 0),
        wait_total=counts.get("wait", 0),
        work_classes=work,
        wait_classes=wait,
        here_now=now[0],
        waiting_now=now[1],
    )
