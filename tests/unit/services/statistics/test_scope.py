"""The cells that cover a period cover each of its days once and no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.statistics.scope import (
    GRAINS,
    Stretch,
    cover,
    day_bounds,
    end_of,
    office_day,
    start_of,
    stretches_by,
)

DAYS = st.dates(date(2023, 11, 1), date(2026, 3, 31))
DAY = timedelta(days=1)
#: A longer cell holds more classes, but few more: what one is worth in days.
COST = {"day": 2, "week": 3, "month": 4}


def days_of(pieces: Iterable[Stretch]) -> Iterator[date]:
    """Every day of every cell that begins in a stretch, told without the code under test."""
    for day, _sign in signed(pieces):
        yield day


def counted(pieces: Iterable[Stretch]) -> Counter[date]:
    """How often each day counts, with those that are taken away again."""
    found: Counter[date] = Counter()
    for day, sign in signed(pieces):
        found[day] += sign
    return Counter({day: number for day, number in found.items() if number})


def signed(pieces: Iterable[Stretch]) -> Iterator[tuple[date, int]]:
    for piece in pieces:
        assert piece.sign in (1, -1)
        start = piece.first
        while start <= piece.last:
            if piece.grain == "month":
                assert start.day == 1
                following = date(start.year + start.month // 12, start.month % 12 + 1, 1)
            elif piece.grain == "week":
                assert start.isoweekday() == 1
                following = start + 7 * DAY
            else:
                following = start + DAY
            while start < following:
                yield start, piece.sign
                start += DAY


@given(DAYS, DAYS)
def test_a_period_is_covered_exactly_once(one: date, other: date) -> None:
    first, last = sorted((one, other))
    wanted = Counter(first + n * DAY for n in range((last - first).days + 1))
    assert counted(cover(first, last)) == wanted


@given(DAYS, DAYS)
def test_few_kinds_of_cells_cover_it(one: date, other: date) -> None:
    """However long the period: a page reads the same number of stretches of the index."""
    pieces = list(cover(*sorted((one, other))))
    assert len(pieces) <= 7
    assert sum(len(list(days_of([p]))) for p in pieces if p.grain == "day") <= 24


@given(DAYS, DAYS)
def test_taking_cells_away_never_costs_more(one: date, other: date) -> None:
    """At most what months, then weeks, then days within the period would cost."""
    first, last = sorted((one, other))
    cells = [piece.grain for piece in cover(first, last) for _cell in starts_of(piece)]
    assert sum(map(COST.__getitem__, cells)) <= plain(first, last)


def starts_of(piece: Stretch) -> Iterator[date]:
    """The first day of each cell of a stretch."""
    start = piece.first
    while start <= piece.last:
        yield start
        start = end_of(piece.grain, start) + DAY


def plain(first: date, last: date) -> int:
    """The cost of a period when from each day the longest cell that fits is taken."""
    cost, day = 0, first
    while day <= last:
        fitting = [
            (end_of(grain, day), COST[grain])
            for grain in GRAINS
            if start_of(grain, day) == day and end_of(grain, day) <= last
        ]
        end, more = max(fitting)
        day, cost = end + DAY, cost + more
    return cost


@pytest.mark.parametrize(
    ("first", "last", "cells"),
    [
        pytest.param("2026-11-01", "2026-11-28", {("month", 1): 1, ("day", -1): 2}, id="a month to be"),
        pytest.param("2026-10-30", "2026-11-30", {("month", 1): 1, ("day", 1): 2}, id="and two days"),
        pytest.param("2026-11-03", "2026-11-06", {("day", 1): 4}, id="days"),
        pytest.param("2026-11-02", "2026-11-07", {("week", 1): 1, ("day", -1): 1}, id="all but Sunday"),
    ],
)  # fmt: skip
def test_what_is_nearly_whole_is_the_whole_without_the_rest(
    first: str, last: str, cells: dict[tuple[str, int], int]
) -> None:
    found: Counter[tuple[str, int]] = Counter()
    for piece in cover(date.fromisoformat(first), date.fromisoformat(last)):
        found[piece.grain, piece.sign] += sum(1 for _cell in starts_of(piece))
    assert found == cells


@given(DAYS, DAYS, st.sampled_from(GRAINS))
def test_pieces_of_a_grain_cover_it_and_stay_within_their_own(
    one: date, other: date, grain: str
) -> None:
    first, last = sorted((one, other))
    pieces = list(stretches_by(grain, first, last))
    wanted = Counter(first + n * DAY for n in range((last - first).days + 1))
    assert counted(piece for _start, piece in pieces) == wanted
    for start, piece in pieces:
        assert start == start_of(grain, piece.first)
        if piece.grain != grain:
            assert max(days_of([piece])) <= end_of(grain, start)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        pytest.param("2026-01-31T16:59:59+00:00", date(2026, 1, 31), id="one second to midnight"),
        pytest.param("2026-01-31T17:00:00+00:00", date(2026, 2, 1), id="midnight of the office"),
    ],
)
def test_the_day_is_the_offices(instant: str, day: date) -> None:
    moment = datetime.fromisoformat(instant)
    assert office_day(moment) == day
    start, end = day_bounds(day, day)
    assert start <= moment < end
