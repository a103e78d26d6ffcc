"""Which part of the office's work is asked about, and the cells of the roll-up that cover it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
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

    @property
    def dims(self) -> dict[str, str]:
        """The chosen sorts of cases, by dimension, as cells name them."""
        chosen = {
            "channel": None if self.channel_id is None else str(self.channel_id),
            "category": None if self.category_id is None else str(self.category_id),
            "kecamatan": self.kecamatan_code,
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
    """Cells of one grain that begin on the days from … to (inclusive)."""

    grain: str
    first: date
    last: date


def cover(first: date, last: date) -> Iterator[Stretch]:
    """The fewest kinds of cells that cover a period exactly: months, then weeks, then days."""
    month = _next_start("month", first)
    after = start_of("month", last + _DAY)  # first day of the month that is not whole
    if month < after:
        yield from _weeks(first, month - _DAY)
        yield Stretch("month", month, after - _DAY)
        yield from _weeks(after, last)
    else:
        yield from _weeks(first, last)


def _weeks(first: date, last: date) -> Iterator[Stretch]:
    if last < first:
        return
    week = _next_start("week", first)
    after = start_of("week", last + _DAY)
    if week < after:
        if first < week:
            yield Stretch("day", first, week - _DAY)
        yield Stretch("week", week, after - _DAY)
        if after <= last:
            yield Stretch("day", after, last)
    else:
        yield Stretch("day", first, last)


def _next_start(grain: str, day: date) -> date:
    """The day itself when a stretch begins there, else the beginning of the next one."""
    start = start_of(grain, day)
    return start if start == day else end_of(grain, start) + _DAY


def stretches_by(grain: str, first: date, last: date) -> Iterator[tuple[date, Stretch]]:
    """The cells that answer for each day, week or month of a period by itself.

    A week or month that the period cuts is put together from its days.
    """
    whole_from = _next_start(grain, first)
    whole_to = start_of(grain, last + _DAY)
    if whole_from >= whole_to:  # no whole one
        start = start_of(grain, first)
        while start <= last:
            end = end_of(grain, start)
            yield start, Stretch("day", max(first, start), min(last, end))
            start = end + _DAY
        return
    if first < whole_from:
        yield start_of(grain, first), Stretch("day", first, whole_from - _DAY)
    yield whole_from, Stretch(grain, whole_from, whole_to - _DAY)
    if whole_to <= last:
        yield whole_to, Stretch("day", whole_to, last)
