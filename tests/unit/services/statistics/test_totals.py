"""Sums of cells are kept for the same texts, and for no others."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.statistics import ranked, spread
from app.services.statistics import totals as module
from app.services.statistics.totals import total_of, totals

CELL = st.dictionaries(
    st.sampled_from(["n", "work", "w6", "w12", "w600", "q30", "s15", "p4"]),
    st.integers(-3, 9),
    max_size=6,
)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sum of another test."""
    monkeypatch.setattr(module, "_KEPT", module._Kept())


def text(**counts: int) -> str:
    return json.dumps(counts)


def plain(added: Sequence[dict[str, int]], taken: Sequence[dict[str, int]]) -> dict[str, int]:
    """The sum by a loop."""
    total: Counter[str] = Counter()
    for cell in added:
        total.update(cell)
    for cell in taken:
        total.subtract(cell)
    return {name: number for name, number in total.items() if number}


def test_a_cell_that_changed_is_another_sum() -> None:
    first = total_of([text(n=1, w6=1), text(n=2)], [])
    assert first == {"n": 3, "w6": 1}
    assert total_of([text(n=1, w6=1), text(n=3)], []) == {"n": 4, "w6": 1}
    assert total_of([text(n=1, w6=1), text(n=2)], []) is first


def test_what_is_taken_away_is_not_what_is_added() -> None:
    both = [text(n=5), text(n=2)]
    assert total_of(both, []) == {"n": 7}
    assert total_of(both[:1], both[1:]) == {"n": 3}
    assert total_of(both[1:], both[:1]) == {"n": -3}
    assert total_of([], both) == {"n": -7}
    assert total_of([], []) == {}


def test_what_cancelled_out_is_not_there() -> None:
    assert totals({"a": ([text(n=2, w6=1)], [text(n=2)]), "b": ([text(n=1)], [text(n=1)])}) == {
        "a": {"w6": 1}
    }


def test_classes_are_found_once_and_rank_like_a_list() -> None:
    total = total_of([text(n=4, w12=1, w6=2, w600=1, q30=1, work=9)], [])
    kinds = spread(total)
    assert kinds == {"w": ((6, 2), (12, 1), (600, 1)), "q": ((30, 1),)}
    assert spread(total) is kinds
    assert ranked(kinds["w"], (1, 2), (9, 10)) == ranked(
        [(6, 2), (12, 1), (600, 1)], (1, 2), (9, 10)
    )
    assert ranked(kinds["w"], (1, 2), (9, 10)) == (6, 600)


def test_no_more_is_kept_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cancelled out takes room, too."""
    monkeypatch.setattr(module, "MOST", 100)
    for number in range(1, 40):
        assert total_of([text(n=number, w6=number)], []) == {"n": number, "w6": number}
        assert total_of([text(n=number)], [text(n=number)]) == {}
        assert 0 < len(module._KEPT.sums) <= 4


@given(st.lists(st.tuples(st.lists(CELL, max_size=4), st.lists(CELL, max_size=3)), max_size=6))
def test_every_sum_is_that_of_a_loop(
    asked: list[tuple[list[dict[str, int]], list[dict[str, int]]]],
) -> None:
    for added, taken in twice(asked):
        texts = [json.dumps(cell) for cell in added], [json.dumps(cell) for cell in taken]
        assert total_of(*texts) == plain(added, taken)


def twice(asked: Sequence[Any]) -> Iterator[Any]:
    """The second time from what is kept."""
    yield from asked
    yield from asked
