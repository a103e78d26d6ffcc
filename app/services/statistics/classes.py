"""Classes of durations: fine enough for every number that is shown, few enough to be kept.

A duration counts in the class of the first bound at or above it, so "at most 12.4 minutes" is
exact, and so is the share that keeps to a standard that is a bound. Rounding up keeps the order of
durations; a percentile taken as the nearest rank therefore falls into the class of the very case
that it is: classes lose digits that no page shows, and nothing else.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Final

#: Up to so many seconds, in steps of so many: a tenth of a minute where minutes are worked.
SCALE: Final = (
    (20 * 60, 6),
    (60 * 60, 30),
    (2 * 3600, 60),
    (10 * 3600, 5 * 60),
    (50 * 3600, 30 * 60),
)
COARSEST: Final = 5 * 3600
#: Hours from sending to delivery are counted one by one up to ten days, then by the day.
HOURLY: Final = 240


def class_bound(seconds: int) -> int:
    """The upper bound in seconds of the class that a duration counts in."""
    for limit, step in SCALE:
        if seconds <= limit:
            return -(-seconds // step) * step
    return -(-seconds // COARSEST) * COARSEST


def hours_bound(seconds: int) -> int:
    """The same for hours between sending and delivery."""
    hours = -(-seconds // 3600)
    return hours if hours <= HOURLY else -(-hours // 24) * 24


@lru_cache(maxsize=8192)
def part(key: str) -> tuple[str, int] | None:
    """The prefix and bound that a class is named by; the same few thousand come all the time."""
    return (key[0], int(key[1:])) if key[1:].isdigit() else None


class Spread(tuple[tuple[int, int], ...]):
    """The classes of one kind as (upper bound, number), in order and without empty ones."""

    @cached_property
    def seen(self) -> list[int]:
        """How many there are up to each of them."""
        return list(accumulate(number for _bound, number in self))


#: Classes by their prefix.
Kinds = Mapping[str, Spread]


class Total(dict[str, int]):
    """Numbers that were added up, with their classes found once. Shared: it is never changed."""

    @cached_property
    def kinds(self) -> Kinds:
        """Its classes, in one go over the numbers."""
        found: dict[str, list[tuple[int, int]]] = {}
        for key, number in self.items():
            named = part(key)
            if named is not None and number:
                kind = found.get(named[0])
                if kind is None:
                    kind = found[named[0]] = []
                kind.append((named[1], number))
        return {prefix: Spread(sorted(kind)) for prefix, kind in found.items()}


_NONE: Final = Spread()


def classes(counts: Mapping[str, int], prefix: str) -> Spread:
    """The classes under a prefix."""
    return spread(counts).get(prefix, _NONE)


def spread(counts: Mapping[str, int]) -> Kinds:
    """All classes by their prefix."""
    return counts.kinds if isinstance(counts, Total) else Total(counts).kinds


def percentile(
    counts: Mapping[str, int], prefix: str, numerator: int, denominator: int
) -> int | None:
    """The nearest-rank percentile under a prefix: the bound that this share of cases keeps to.

    None where nothing was counted. `prefix` is `w` (work), `q` (wait) or `c` (hours of delivery).
    """
    return ranked(classes(counts, prefix), (numerator, denominator))[0]


def ranked(ordered: Sequence[tuple[int, int]], *shares: tuple[int, int]) -> tuple[int | None, ...]:
    """The nearest-rank percentiles of classes in order, one for each share."""
    seen = (ordered if isinstance(ordered, Spread) else Spread(ordered)).seen
    if not seen or not seen[-1]:
        return (None,) * len(shares)
    return tuple(
        ordered[bisect_left(seen, max(1, -(-seen[-1] * numerator // denominator)))][0]
        for numerator, denominator in shares
    )


def within(counts: Mapping[str, int], prefix: str, seconds: int) -> int:
    """How many took at most so long.

    Raises:
        ValueError: `seconds` is no bound of a class, so the classes cannot tell.
    """
    if class_bound(seconds) != seconds:
        raise ValueError(f"{seconds} s is no bound of a class")
    return sum(number for bound, number in classes(counts, prefix) if bound <= seconds)
