"""Which part of the office's work is asked about, and the cells of the roll-up that cover it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from itertools import groupby
from typing import Final

from app.services.calendar import OFFICE_ZONE

#: Sorts of cases that cells are kept for besides all of them.
DIMS: Final = ("channel", "category", "kecamatan")
GRAINS: Final = ("day", "week", "month")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Scope:
    """Office days from … to (inclusive) and, where chosen, one channel, category, kecamatan, step."""

    first: date
    last: date
    channel_id: int | None = None
    category_id: int | None = None
    kecamatan_code: str | None = None
    step_key: str | None = None
    #: Of a province: one office whose statistics were merged.
    office: str | None = None

    @property
    def dims(self) -> dict[str, str]:
        """The chosen sorts of cases, by dimension, as cells name them."""
        chosen = {
            "channel": None if self.channel_id is None else str(self.channel_id),
            "category": None if self.category_id is None else str(self.category_id),
            "kecamatan": self.kecamatan_code,
            "office": self.office,
        }
        return {dim: value for dim, value in chosen.items() if value is not None}

    def during(self, first: date, last: date) -> Scope:
        """The same sort of cases in another period."""
        return replace(self, first=first, last=last)


def day_bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """From midnight of the first office day to midnight after the last, as instants."""
    start = datetime.combine(first, time(), OFFICE_ZONE)
    end = datetime.combine(last + _DAY, time(), OFFICE_ZONE)
    return start, end


def office_day(instant: datetime) -> date:
    """The day on the office's wall calendar."""
    return instant.astimezone(OFFICE_ZONE).date()


def start_of(grain: str, day: date) -> date:
    """The first day of the day, week (from Monday) or month that a day lies in."""
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def end_of(grain: str, start: date) -> date:
    """The last day of the stretch that begins there."""
    if grain == "week":
        return start + timedelta(days=6)
    if grain == "month":
        return (start + timedelta(days=31)).replace(day=1) - _DAY
    return start


@dataclass(frozen=True)
class Stretch:
    """Cells of one grain that begin on the days from … to (inclusive), added or (-1) taken away."""

    grain: str
    first: date
    last: date
    sign: int = 1


#: What a cell costs to read: a month holds more numbers than a day, but not thirty times as many.
_COST: Final = {"day": 2, "week": 3, "month": 4}
#: So many days around both ends are looked at one by one; between them there are whole months.
_NEAR: Final = 31


@lru_cache(maxsize=512)
def cover(first: date, last: date, low: date = date.min, high: date = date.max) -> tuple[Stretch, ...]:  # fmt: skip
    """The cheapest cells that together are a period exactly, none of them beyond low … high.

    Cells may be taken away again: the 1st to the 28th are a month without two days. What was
    counted is whole numbers, so nothing is lost by it. The way from the first midnight to the last
    one is looked for among midnights; a cell leads over its days, forwards or back.
    """
    start, end = first.toordinal(), (last + _DAY).toordinal()
    costs: dict[int, int] = {start: 0}
    came: dict[int, tuple[int, str]] = {}
    open_ends = [(0, start)]
    while open_ends:
        cost, here = heappop(open_ends)
        if here == end:
            break
        if cost > costs[here]:
            continue
        for there, grain in _ways(here, start, end, low, high):
            further = cost + _COST[grain]
            if further < costs.get(there, further + 1):
                costs[there], came[there] = further, (here, grain)
                heappush(open_ends, (further, there))
    steps: list[tuple[str, int, int]] = []
    while end != start:
        before, grain = came[end]
        steps.append((grain, before, end))
        end = before
    return tuple(_joined(steps))


def _ways(here: int, start: int, end: int, low: date, high: date) -> Iterator[tuple[int, str]]:
    """The midnights that one cell lies between this one and."""
    day = date.fromordinal(here)
    near = abs(here - start) <= _NEAR or abs(here - end) <= _NEAR
    for grain in GRAINS if near else ("month",):
        if start_of(grain, day) != day:
            continue
        after = end_of(grain, day) + _DAY
        before = start_of(grain, day - _DAY)
        if low <= day and after - _DAY <= high:
            yield after.toordinal(), grain
        if low <= before and day - _DAY <= high:
            yield before.toordinal(), grain


def _joined(steps: Iterable[tuple[str, int, int]]) -> Iterator[Stretch]:
    """Neighbouring cells of one grain and sign as one stretch of the index."""
    cells = sorted(
        (grain, 1 if here < there else -1, min(here, there), max(here, there))
        for grain, here, there in steps
    )
    for _kind, same in groupby(
        enumerate(cells), key=lambda item: (item[1][:2], _run(cells, item[0]))
    ):
        members = [cell for _place, cell in same]
        grain, sign, begins, _after = members[0]
        yield Stretch(grain, date.fromordinal(begins), date.fromordinal(members[-1][2]), sign)


def _run(cells: Sequence[tuple[str, int, int, int]], place: int) -> int:
    """Where the row of neighbours begins that a cell belongs to."""
    while (
        place
        and cells[place - 1][:2] == cells[place][:2]
        and cells[place - 1][3] == cells[place][2]
    ):
        place -= 1
    return place


def stretches_by(grain: str, first: date, last: date) -> Iterator[tuple[date, Stretch]]:
    """The cells that answer for each day, week or month of a period by itself.

    A week or month that the period cuts is put together from what lies in it.
    """
    start = start_of(grain, first)
    whole: list[date] = []
    while start <= last:
        end = end_of(grain, start)
        if first <= start and end <= last:
            whole.append(start)
        else:
            for piece in cover(max(first, start), min(last, end), start, end):
                yield start, piece
        start = end + _DAY
    if whole:
        yield whole[0], Stretch(grain, whole[0], whole[-1])
