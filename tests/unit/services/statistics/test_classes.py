"""Classes of durations keep what pages show: order, percentiles, shares within a standard."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.statistics.classes import class_bound, hours_bound, percentile, within

SECONDS = st.integers(0, 400_000)


@pytest.mark.parametrize(
    ("seconds", "bound"),
    [
        pytest.param(0, 0, id="no time is no time"),
        pytest.param(1, 6, id="the shortest is a tenth of a minute"),
        pytest.param(6, 6, id="a bound belongs to its own class"),
        pytest.param(1201, 1230, id="half minutes after twenty minutes"),
        pytest.param(3601, 3660, id="minutes after an hour"),
        pytest.param(7201, 7500, id="five minutes after two hours"),
        pytest.param(36_001, 37_800, id="half hours after ten"),
        pytest.param(180_001, 198_000, id="five hours after fifty"),
    ],
)
def test_the_bound_of_a_duration(seconds: int, bound: int) -> None:
    assert class_bound(seconds) == bound


@given(SECONDS, SECONDS)
def test_classes_keep_the_order_and_never_shorten(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert class_bound(low) <= class_bound(high)
    assert class_bound(low) >= low
    assert class_bound(class_bound(low)) == class_bound(low)


@given(st.lists(SECONDS, min_size=1, max_size=60), st.integers(1, 10))
def test_a_percentile_is_the_class_of_the_case_itself(values: list[int], tenths: int) -> None:
    counts = Counter(f"w{class_bound(value)}" for value in values)
    counts["w0"] += 0  # what was taken back leaves a zero
    # The nearest rank by its definition: the least value that at least this share keeps to.
    ordered = sorted(values)
    nearest = next(
        value for value in ordered if 10 * sum(v <= value for v in values) >= tenths * len(values)
    )
    assert percentile(counts, "w", tenths, 10) == class_bound(nearest)


def test_no_case_has_no_percentile() -> None:
    assert percentile({}, "w", 1, 2) is None
    assert percentile({"n": 3, "q6": 3}, "w", 1, 2) is None


@given(st.lists(SECONDS, max_size=60), st.integers(1, 120))
def test_a_share_within_whole_minutes_is_exact(values: list[int], minutes: int) -> None:
    counts = Counter(f"w{class_bound(value)}" for value in values)
    assert within(counts, "w", minutes * 60) == sum(value <= minutes * 60 for value in values)


def test_a_limit_between_two_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="no bound"):
        within({"w6": 1}, "w", 5)


@pytest.mark.parametrize(
    ("seconds", "hours"),
    [(0, 0), (1, 1), (3600, 1), (3601, 2), (240 * 3600, 240), (240 * 3600 + 1, 264)],
)
def test_hours_of_delivery_are_counted_up(seconds: int, hours: int) -> None:
    assert hours_bound(seconds) == hours
