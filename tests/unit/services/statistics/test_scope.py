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


def days_of(pieces: Iterable[Stretch]) -> Iterator[date]:
    """Every day of every cell that begins in a stretch, told without the code under test."""
    for piece in pieces:
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
                yield start
                start += DAY


@given(DAYS, DAYS)
def test_a_period_is_covered_exactly_once(one: date, other: date) -> None:
    first, last = sorted((one, other))
    wanted = Counter(first + n * DAY for n in range((last - first).days + 1))
    assert Counter(days_of(cover(first, last))) == wanted


@given(DAYS, DAYS)
def test_few_kinds_of_cells_cover_it(one: date, other: date) -> None:
    """However long the period: a page reads the same number of stretches of the index."""
    pieces = list(cover(*sorted((one, other))))
    assert len(pieces) <= 7
    assert sum(len(list(days_of([p]))) for p in pieces if p.grain == "day") <= 24


@given(DAYS, DAYS, st.sampled_from(GRAINS))
def test_pieces_of_a_grain_cover_it_and_stay_within_their_own(
    one: date, other: date, grain: str
) -> None:
    first, last = sorted((one, other))
    pieces = list(stretches_by(grain, first, last))
    wanted = Counter(first + n * DAY for n in range((last - first).days + 1))
    assert Counter(days_of(piece for _start, piece in pieces)) == wanted
    for start, piece in pieces:
        assert start == start_of(grain, piece.first)
        if piece.grain == "day" and grain != "day":
            assert piece.last <= end_of(grain, start)


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
