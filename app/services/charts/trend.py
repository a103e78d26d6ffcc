"""Week by week: what came in, what was finished, and how long the work took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from app.services.statistics import Counts, Scope, ranked, read_all_by, spread
from app.services.statistics.scope import end_of

#: A longer period is shown month by month: more weeks than these no page can hold.
MOST_WEEKS: Final = 54
Kinds = Mapping[str, Sequence[tuple[int, int]]]


@dataclass(frozen=True)
class TrendPoint:
    """One week or month, cut to the period; seconds are office seconds.

    Of one chosen step: the median of its work. Of all steps: the sum of their medians, which is
    what a case that passes each of them once takes, beside the sum of their standards.
    """

    first: date
    last: date
    received: int
    ended: int
    #: Finished stays in a step, and how many of those with a standard kept to it.
    runs: int
    within: int
    judged: int
    work: int | None
    #: The standard that most of the runs were held to when they began, summed like the work.
    standard_minutes: int | None

    @property
    def within_share(self) -> float | None:
        """Share of runs within their standard, 0 to 1."""
        return self.within / self.judged if self.judged else None


def grain_of(scope: Scope) -> str:
    """Weeks, or months where the period has too many of them."""
    return "week" if (scope.last - scope.first).days < MOST_WEEKS * 7 else "month"


def trend(session: Session, scope: Scope) -> tuple[TrendPoint, ...]:
    """Every week of the period in order, those without any work too; one statement."""
    grain = grain_of(scope)
    runs, arrivals, ends = read_all_by(session, ("run", "arrival", "ended"), scope, grain)
    points = []
    for start in sorted(runs):
        steps = runs[start].values()
        kinds = [spread(counts) for counts in steps]
        points.append(
            TrendPoint(
                first=max(start, scope.first),
                last=min(end_of(grain, start), scope.last),
                received=_sum(arrivals.get(start, {}).values(), "n"),
                ended=_sum(ends.get(start, {}).values(), "n"),
                runs=_sum(steps, "n"),
                within=_sum(steps, "within"),
                judged=_sum(steps, "judged"),
                work=_path(kinds),
                standard_minutes=_standards(kinds),
            )
        )
    return tuple(points)


def _sum(items: Iterable[Counts], name: str) -> int:
    return sum(counts.get(name, 0) for counts in items)


def _path(steps: Iterable[Kinds]) -> int | None:
    medians = [ranked(kinds.get("w", []), (1, 2))[0] for kinds in steps]
    known = [median for median in medians if median is not None]
    return sum(known) if known else None


def _standards(steps: Iterable[Kinds]) -> int | None:
    known = [_usual(kinds["s"]) for kinds in steps if kinds.get("s")]
    return sum(known) if known else None


def _usual(found: Sequence[tuple[int, int]]) -> int:
    """The standard of most runs; of two that are equally frequent the stricter one."""
    return min(found, key=lambda item: (-item[1], item[0]))[0]
