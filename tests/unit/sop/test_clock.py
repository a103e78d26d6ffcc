"""The office clock: hand-made cases, then properties that hold for any case."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sop.clock import (
    Calendar,
    DayHours,
    add_working_days,
    counted_seconds,
    office_seconds,
    shares,
)

WIB = timezone(timedelta(hours=7))
MINUTE, HOUR = 60, 3600
RAMADAN = {
    **dict.fromkeys(range(4), DayHours(time(8), time(15), time(12), time(12, 30))),
    4: DayHours(time(8), time(15, 30), time(11, 30), time(12, 30)),
}
# 2025-06-02 is a Monday; 06 a Friday, 09 a holiday here, 23 to 29 a special period.
CALENDAR = Calendar(
    holidays=frozenset({date(2025, 6, 9), date(2025, 6, 25)}),
    special=((date(2025, 6, 23), date(2025, 6, 29), RAMADAN),),
)


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """An instant of June 2025 as the office's wall shows it."""
    return datetime(2025, 6, day, hour, minute, second, tzinfo=WIB)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        pytest.param(at(2, 8), at(2, 8, 10), 10 * MINUTE, id="ten minutes in the morning"),
        pytest.param(at(2, 7), at(2, 8), 30 * MINUTE, id="before opening does not count"),
        pytest.param(at(2, 15, 50), at(2, 17), 10 * MINUTE, id="after closing does not count"),
        pytest.param(at(2, 11, 50), at(2, 13, 5), 15 * MINUTE, id="the break splits the day"),
        pytest.param(at(2, 12, 10), at(2, 12, 50), 0, id="inside the break nothing counts"),
        pytest.param(at(2), at(3), 27000, id="a whole Monday is seven and a half hours"),
        pytest.param(at(6), at(7), 27000, id="a whole Friday is seven and a half hours"),
        pytest.param(at(6, 11), at(6, 13, 30), HOUR, id="the long break of Friday"),
        pytest.param(at(6, 16), at(9, 9), 30 * MINUTE, id="the weekend and a holiday are skipped"),
        pytest.param(at(7), at(9), 0, id="a weekend"),
        pytest.param(at(9, 8), at(9, 15), 0, id="a holiday"),
        pytest.param(at(2), at(9), 5 * 27000, id="a week is thirty-seven and a half hours"),
        pytest.param(at(23), at(24), 23400, id="a day of the special period"),
        pytest.param(at(25), at(26), 0, id="a holiday beats the special period"),
        pytest.param(at(28), at(30), 0, id="the special period falls back to the week"),
        pytest.param(at(2, 9), at(2, 9), 0, id="an empty interval"),
        pytest.param(at(2, 10), at(2, 9), 0, id="an end before its start"),
        pytest.param(at(2, 9, 0, 1), at(2, 9, 0, 3), 2, id="seconds count"),
    ],
)
def test_office_seconds(start: datetime, end: datetime, expected: int) -> None:
    assert office_seconds(CALENDAR, start, end) == expected
    assert office_seconds(CALENDAR, start.astimezone(UTC), end.astimezone(UTC)) == expected


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        pytest.param([], 2 * HOUR, id="no pause"),
        pytest.param([(at(2, 9), at(2, 9, 30))], 90 * MINUTE, id="one pause inside"),
        pytest.param([(at(2, 7), at(2, 8, 30))], 90 * MINUTE, id="a pause over the start"),
        pytest.param([(at(2, 9, 30), at(3, 9))], 90 * MINUTE, id="a pause over the end"),
        pytest.param([(at(1), at(3))], 0, id="a pause around everything"),
        pytest.param([(at(2, 14), at(2, 15))], 2 * HOUR, id="a pause outside"),
        pytest.param([(at(2, 9), None)], HOUR, id="a pause that has not ended"),
        pytest.param([(at(2, 11), None)], 2 * HOUR, id="an open pause that began later"),
        pytest.param([(at(2, 9, 30), at(2, 9))], 2 * HOUR, id="a pause that ends before it starts"),
        pytest.param(
            [(at(2, 9), at(2, 9, 20)), (at(2, 9, 10), at(2, 9, 30))],
            90 * MINUTE,
            id="overlapping pauses count once",
        ),
        pytest.param(
            [(at(2, 9), at(2, 9, 30)), (at(2, 9, 10), at(2, 9, 20))],
            90 * MINUTE,
            id="a pause within a pause",
        ),
        pytest.param(
            [(at(2, 9, 30), at(2, 9, 40)), (at(2, 8, 10), at(2, 8, 20))],
            100 * MINUTE,
            id="pauses in any order",
        ),
    ],
)
def test_pauses(pauses: list[tuple[datetime, datetime | None]], expected: int) -> None:
    assert office_seconds(CALENDAR, at(2, 8), at(2, 10), pauses) == expected


def test_a_pause_takes_only_its_overlap_with_working_time() -> None:
    lunch = [(at(2, 11, 50), at(2, 13, 10))]
    assert office_seconds(CALENDAR, at(2, 11), at(2, 14), lunch) == 100 * MINUTE


@pytest.mark.parametrize(
    ("start", "end", "pauses", "expected"),
    [
        pytest.param(at(2, 19), at(2, 19, 20), [], 20 * MINUTE, id="an evening is overtime"),
        pytest.param(at(7, 9), at(7, 10), [], HOUR, id="a Saturday is overtime"),
        pytest.param(at(9, 9), at(9, 10), [], HOUR, id="a holiday is overtime"),
        pytest.param(at(2, 12, 10), at(2, 12, 20), [], 600, id="work through the lunch break"),
        pytest.param(at(7, 23), at(8), [], HOUR, id="up to midnight is one day"),
        pytest.param(at(7, 23), at(8, 1), [], 0, id="over midnight is two days"),
        pytest.param(at(2, 15, 50), at(2, 17), [], 600, id="partly office time counts as office"),
        pytest.param(at(2, 19), at(2, 18), [], 0, id="an end before its start"),
        pytest.param(
            at(7, 9), at(7, 10), [(at(7, 9, 30), None)], 30 * MINUTE, id="overtime less its pause"
        ),
        pytest.param(
            at(2, 8), at(2, 9), [(at(2, 7), at(2, 10))], 0, id="paused office time is no overtime"
        ),
    ],
)
def test_counted_seconds(
    start: datetime,
    end: datetime,
    pauses: list[tuple[datetime, datetime | None]],
    expected: int,
) -> None:
    assert counted_seconds(CALENDAR, start, end, pauses) == expected


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param(DayHours(time(8), time(12)), 4 * HOUR, id="no break"),
        pytest.param(DayHours(time(12), time(8)), 0, id="closes before it opens"),
        pytest.param(
            DayHours(time(8), time(12), time(11), time(14)), 3 * HOUR, id="break past closing"
        ),
        pytest.param(
            DayHours(time(8), time(12), time(7), time(9)), 3 * HOUR, id="break before opening"
        ),
        pytest.param(DayHours(time(8), time(12), time(6), time(7)), 4 * HOUR, id="early break"),
        pytest.param(DayHours(time(8), time(12), time(9), time(9)), 4 * HOUR, id="empty break"),
        pytest.param(DayHours(time(8), time(12), time(13), time(14)), 4 * HOUR, id="late break"),
        pytest.param(DayHours(time(8), time(12), time(7), time(13)), 0, id="all of it a break"),
    ],
)
def test_odd_hours_do_no_harm(hours: DayHours, expected: int) -> None:
    assert office_seconds(Calendar({0: hours}), at(2), at(3)) == expected


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        pytest.param(2, 0, 2, id="none is the day itself"),
        pytest.param(2, 1, 3, id="the day itself does not count"),
        pytest.param(6, 1, 10, id="over a weekend and a holiday"),
        pytest.param(7, 1, 10, id="from a Saturday"),
        pytest.param(2, 5, 10, id="five working days"),
        pytest.param(24, 1, 26, id="a holiday in the special period"),
    ],
)
def test_add_working_days(day: int, n: int, expected: int) -> None:
    assert add_working_days(CALENDAR, date(2025, 6, day), n) == date(2025, 6, expected)


def test_a_calendar_without_working_days_still_gives_a_due_date() -> None:
    assert add_working_days(Calendar({}), date(2025, 6, 2), 3) > date(2025, 6, 5)


def test_naive_instants_are_refused() -> None:
    naive = at(2, 8).replace(tzinfo=None)
    with pytest.raises(TypeError):
        office_seconds(CALENDAR, naive, naive)


@pytest.mark.parametrize(("seconds", "n"), [(10, 0), (-1, 2)], ids=["no case", "negative time"])
def test_shares_refuses(seconds: int, n: int) -> None:
    with pytest.raises(ValueError, match="at least one case"):
        shares(seconds, n)


# --- Properties ---


def always(*strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`given`, without a deadline: a busy machine is no counterexample."""
    return lambda test: settings(deadline=None)(given(*strategies)(test))


JUNE = datetime(2025, 6, 1, tzinfo=WIB)
minutes = st.integers(0, 5 * 24 * 60).map(lambda m: JUNE + timedelta(days=4, minutes=m))
instants = st.integers(0, 50 * 24 * HOUR * 1000).map(
    lambda ms: JUNE + timedelta(days=-12, milliseconds=ms)
)


def pauses_of(
    moments: st.SearchStrategy[datetime],
) -> st.SearchStrategy[list[tuple[datetime, datetime | None]]]:
    """Pauses in any order: overlapping, empty, reversed, some still open."""
    return st.lists(st.tuples(moments, st.none() | moments), max_size=4)


clock_times = st.integers(0, 24 * 60 - 1).map(lambda m: time(m // 60, m % 60))
day_hours = st.builds(DayHours, clock_times, clock_times, clock_times, clock_times)
calendars = st.just(CALENDAR) | st.builds(
    Calendar,
    st.dictionaries(st.integers(0, 6), st.none() | day_hours),
    st.frozensets(st.dates(date(2025, 6, 1), date(2025, 6, 30)), max_size=3),
)


@always(calendars, instants, instants, pauses_of(instants))
def test_never_negative_and_never_more_than_the_wall(cal, start, end, pauses) -> None:
    counted = office_seconds(cal, start, end, pauses)
    assert 0 <= counted <= max(0, (end - start).total_seconds() + 1)


@always(calendars, instants, instants, instants, pauses_of(instants))
def test_additive_over_a_split(cal, one, two, three, pauses) -> None:
    start, split, end = sorted((one, two, three))
    whole = office_seconds(cal, start, end, pauses)
    parts = office_seconds(cal, start, split, pauses), office_seconds(cal, split, end, pauses)
    assert whole == sum(parts)


@always(calendars, instants, instants, instants, pauses_of(instants))
def test_monotone(cal, one, two, three, pauses) -> None:
    start, end, later = sorted((one, two, three))
    assert office_seconds(cal, start, end, pauses) <= office_seconds(cal, start, later, pauses)
    assert office_seconds(cal, end, later, pauses) <= office_seconds(cal, start, later, pauses)


@always(instants, instants, pauses_of(instants), st.tuples(instants, st.none() | instants))
def test_one_more_pause_never_adds_time(start, end, pauses, more) -> None:
    with_more = office_seconds(CALENDAR, start, end, [*pauses, more])
    assert with_more <= office_seconds(CALENDAR, start, end, pauses)


@always(instants, instants, pauses_of(instants))
def test_counted_is_office_time_or_overtime(start, end, pauses) -> None:
    office = office_seconds(CALENDAR, start, end, pauses)
    counted = counted_seconds(CALENDAR, start, end, pauses)
    assert counted >= office
    if office:
        assert counted == office


def naive_count(cal: Calendar, start: datetime, end: datetime, pauses: Any) -> int:
    """Walk through every minute and ask of each whether it counts."""
    total, minute = 0, start
    while minute < end:
        local = minute.astimezone(WIB)
        hours, now = cal.hours(local.date()), local.time()
        working = hours is not None and hours.open <= now < hours.close
        if working and hours.break_start and hours.break_end:
            working = not hours.break_start <= now < hours.break_end
        still = any(begun <= minute and (not ended or minute < ended) for begun, ended in pauses)
        total += working and not still
        minute += timedelta(minutes=1)
    return total * MINUTE


@always(calendars, minutes, minutes, pauses_of(minutes))
def test_agrees_with_a_count_minute_by_minute(cal, start, end, pauses) -> None:
    assert office_seconds(cal, start, end, pauses) == naive_count(cal, start, end, pauses)


@always(st.dates(date(2025, 1, 1), date(2025, 12, 31)), st.integers(0, 60), st.integers(0, 60))
def test_working_days_add_up(day: date, first: int, second: int) -> None:
    middle = add_working_days(CALENDAR, day, first)
    assert add_working_days(CALENDAR, middle, second) == add_working_days(
        CALENDAR, day, first + second
    )


@always(st.integers(0, 10**6), st.integers(1, 200))
def test_shares_add_up_and_are_fair(seconds: int, n: int) -> None:
    parts = shares(seconds, n)
    assert len(parts) == n
    assert sum(parts) == seconds
    assert max(parts) - min(parts) <= 1


@always(calendars, st.integers(0, 250 * 24 * 60), st.integers(0, 250 * 24 * 60))
def test_months_at_once_count_as_their_days(cal, one, two) -> None:
    start, end = (JUNE + timedelta(minutes=m - 100 * 24 * 60) for m in sorted((one, two)))
    pieces, at = 0, start
    while at < end:
        midnight = (at + timedelta(days=1)).replace(hour=0, minute=0)
        pieces += office_seconds(cal, at, min(midnight, end))
        at = min(midnight, end)
    assert office_seconds(cal, start, end) == pieces


def test_years_are_quick() -> None:
    start, end = datetime(2015, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
    calendar = Calendar()
    assert office_seconds(calendar, start, end) > 0
    assert len(calendar._spans) < 8000  # days are remembered, not seconds
