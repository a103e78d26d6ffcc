"""Office time: how much of an interval the office was working and nothing stood still.

Pure and exact in whole seconds: every instant is floored to its second first, so that
parts always add up to the whole. Instants are aware datetimes; days, hours and holidays
are those of the calendar's own time zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: From when to when something stood still; None while it still does.
Pause = tuple[datetime, datetime | None]
#: From one epoch second up to, not including, another.
Span = tuple[int, int]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)


def jakarta() -> tzinfo:
    """Western Indonesian Time; a fixed UTC+7 where the machine has no zone data."""
    try:
        return ZoneInfo("Asia/Jakarta")
    except ZoneInfoNotFoundError:  # a bare Windows without tzdata
        return timezone(timedelta(hours=7), "WIB")


@dataclass(frozen=True, slots=True)
class DayHours:
    """The hours of one working day, with or without a break.

    Hours that make no sense do no harm: a break is cut to the open hours, and a day that
    closes before it opens has no working time.
    """

    open: time
    close: time
    break_start: time | None = None
    break_end: time | None = None

    def parts(self) -> tuple[tuple[time, time], ...]:
        """The working parts of the day, in order and never empty."""
        if self.break_start is None or self.break_end is None or self.break_end <= self.break_start:
            parts = [(self.open, self.close)]
        else:
            parts = [
                (self.open, min(self.break_start, self.close)),
                (max(self.break_end, self.open), self.close),
            ]
        return tuple((start, end) for start, end in parts if start < end)


Week = Mapping[int, DayHours | None]

_MONDAY_TO_THURSDAY: Final = DayHours(time(7, 30), time(16), time(12), time(13))
_FRIDAY: Final = DayHours(time(7, 30), time(16, 30), time(11, 30), time(13))

#: 37.5 hours a week (Perpres 21/2023); Monday is 0. The office edits its own copy.
DEFAULT_WEEK: Final[Week] = {
    0: _MONDAY_TO_THURSDAY,
    1: _MONDAY_TO_THURSDAY,
    2: _MONDAY_TO_THURSDAY,
    3: _MONDAY_TO_THURSDAY,
    4: _FRIDAY,
    5: None,
    6: None,
}


#: Moments whose place in their month a calendar keeps; when there are more, all are forgotten.
MOST_MOMENTS: Final = 20_000


@dataclass(frozen=True)
class Calendar:
    """When the office works. A holiday is closed, whatever else is said about the day.

    `special` holds periods with hours of their own (Ramadan), both days included; the
    first that covers a day and names its weekday counts, else the ordinary week.
    Never change the mappings of a calendar in use: make a new one.
    """

    weekly: Week = field(default_factory=lambda: dict(DEFAULT_WEEK))
    holidays: frozenset[date] = frozenset()
    special: tuple[tuple[date, date, Week], ...] = ()
    tz: tzinfo = field(default_factory=jakarta)
    _spans: dict[date, tuple[Span, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _months: dict[date, list[int]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _moments: dict[int, tuple[date, int]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def hours(self, day: date) -> DayHours | None:
        """The hours of a day, None when the office is closed."""
        if day in self.holidays:
            return None
        for first, last, week in self.special:
            if first <= day <= last and day.weekday() in week:
                return week[day.weekday()]
        return self.weekly.get(day.weekday())

    def is_working_day(self, day: date) -> bool:
        """Whether the office works at all on that day."""
        return bool(self.spans(day))

    def spans(self, day: date) -> tuple[Span, ...]:
        """The working time of a day, in epoch seconds."""
        spans = self._spans.get(day)
        if spans is None:
            hours = self.hours(day)
            spans = tuple(
                (self._second(day, start), self._second(day, end))
                for start, end in (hours.parts() if hours else ())
            )
            self._spans[day] = spans
        return spans

    def month(self, first_day: date) -> list[int]:
        """The working seconds before each day of a month, and last those of the whole month."""
        sums = self._months.get(first_day)
        if sums is None:
            day, after, sums = first_day, _next_month(first_day), [0]
            while day < after:
                sums.append(sums[-1] + sum(closes - opens for opens, closes in self.spans(day)))
                day += _DAY
            self._months[first_day] = sums
        return sums

    def day_of(self, instant: datetime) -> date:
        """The calendar day of an instant, as the office's wall shows it."""
        return instant.astimezone(self.tz).date()

    def _second(self, day: date, clock: time) -> int:
        return _second(datetime.combine(day, clock, tzinfo=self.tz))


def office_seconds(
    cal: Calendar, start: datetime, end: datetime, pauses: Iterable[Pause] = ()
) -> int:
    """The working time between two instants that no pause covers, in seconds.

    Never negative, monotone, and additive: a split at any instant changes nothing.
    Overlapping pauses count once; a pause without an end lasts; an interval or a pause
    that ends before it starts is empty.

    Raises:
        TypeError: an instant has no time zone.
    """
    return sum(_working(cal, first, last) for first, last in _free(start, end, pauses))


def counted_seconds(
    cal: Calendar, start: datetime, end: datetime, pauses: Iterable[Pause] = ()
) -> int:
    """Office seconds, but overtime within one calendar day counts as wall time.

    An interval that begins and ends on one day of the office and touches no working time
    at all (an evening, a Sunday, a holiday, the lunch break) counts in full, less pauses.
    So this is not additive over a split between overtime and office hours.
    """
    pauses = tuple(pauses)
    first, last = _second(start), _second(end)
    if last <= first:
        return 0
    working = _working(cal, first, last)
    if not working:
        one_day = cal.day_of(_instant(first)) == cal.day_of(_instant(last - 1))
        return sum(b - a for a, b in _free(start, end, pauses)) if one_day else 0
    return office_seconds(cal, start, end, pauses) if pauses else working


def add_working_days(cal: Calendar, day: date, n: int) -> date:
    """The `n`-th working day after `day`, which itself does not count; 0 gives `day`.

    Where a whole year holds no working day, the calendar is unusable and every day
    counts: a due date that is too early beats none.

    Raises:
        ValueError: `n` is negative.
    """
    if n < 0:
        raise ValueError("n must not be negative")
    closed = 0
    while n:
        day += _DAY
        closed = 0 if cal.is_working_day(day) else closed + 1
        if not closed or closed > 366:
            n -= 1
    return day


def shares(seconds: int, n: int) -> list[int]:
    """Share the time of a batch among its `n` cases; the shares add up exactly.

    Raises:
        ValueError: there is no case, or the time is negative.
    """
    if n < 1 or seconds < 0:
        raise ValueError("a batch has at least one case and no negative time")
    each, rest = divmod(seconds, n)
    return [each + (index < rest) for index in range(n)]


def _second(instant: datetime) -> int:
    """The epoch second an instant lies in."""
    return (instant - _EPOCH) // _SECOND


def _instant(second: int) -> datetime:
    return _EPOCH + second * _SECOND


def _next_month(first_day: date) -> date:
    return (first_day + 31 * _DAY).replace(day=1)


def _free(start: datetime, end: datetime, pauses: Iterable[Pause]) -> Iterator[Span]:
    """The parts of an interval that no pause covers, in order."""
    at, last = _second(start), _second(end)
    if last <= at:
        return
    covered = sorted(
        (_second(begun), last if ended is None else _second(ended)) for begun, ended in pauses
    )
    for begun, ended in covered:
        if ended <= begun or ended <= at:
            continue
        if begun >= last:
            break
        if begun > at:
            yield at, begun
        at = ended
    if at < last:
        yield at, last


def _working(cal: Calendar, first: int, last: int) -> int:
    """The working seconds between two epoch seconds: what the later has behind it less the earlier.

    Both count from the first of their own month; the months between count at once.
    """
    if last <= first:
        return 0
    month, before = _into_month(cal, first)
    final, total = _into_month(cal, last)
    while month < final:
        total += cal.month(month)[-1]
        month = _next_month(month)
    return total - before


def _into_month(cal: Calendar, second: int) -> tuple[date, int]:
    """The first day of a moment's month, and the working seconds from there to the moment.

    Kept: the moments in which open cases came and were begun are asked for again and again.
    """
    found = cal._moments.get(second)
    if found is not None:
        return found
    day = cal.day_of(_instant(second))
    month = day.replace(day=1)
    passed = cal.month(month)[day.day - 1]
    for opens, closes in cal.spans(day):
        if second > opens:
            passed += min(second, closes) - opens
    if len(cal._moments) >= MOST_MOMENTS:
        cal._moments.clear()
    cal._moments[second] = month, passed
    return month, passed
