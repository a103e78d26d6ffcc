"""Cells added up: parsed, summed and sorted into classes once for the same contents.

Cells come from the database as text, at each question, and whoever asks again for a month finds all
but today's as they were. What a sum of texts is depends on nothing but the texts, so it is kept
under a digest of them: no number can be older than the cells that were just read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from app.services.statistics.cells import without_zeros
from app.services.statistics.classes import Total
from app.services.statistics.facts import Counts

#: Numbers that the kept sums of a process may hold, some 30 MB; with a million cases a sum has
#: some 500, in a small office twenty.
MOST: Final = 250_000
#: What a sum takes besides its numbers, in numbers.
_EACH: Final = 20
#: Cells that are added up, and cells that are taken away from them.
Texts = tuple[Sequence[str], Sequence[str]]


class _Kept:
    """Sums under the digests of their texts; when there are too many, all are forgotten."""

    def __init__(self) -> None:
        self.sums: dict[bytes, Total] = {}
        self.numbers = 0

    def put(self, key: bytes, total: Total) -> None:
        weight = len(total) + _EACH
        if self.numbers + weight > MOST:
            self.sums, self.numbers = {}, 0
        self.sums[key] = total
        self.numbers += weight


_KEPT: Final = _Kept()


def totals(items: Mapping[str, Texts]) -> dict[str, Counts]:
    """Cells of each item, added and taken away, without numbers that cancelled out and items left without any."""
    found: dict[str, Counts] = {}
    for item, texts in items.items():
        total = total_of(*texts)
        if total:
            found[item] = total
    return found


def total_of(added: Sequence[str], taken: Sequence[str]) -> Total:
    """The sum of some cells; the same object for the same texts."""
    # No text holds a line break, and JSON begins with a brace: the digest tells them apart.
    both = "\n".join((*added, "-", *taken))
    key = hashlib.sha256(both.encode()).digest()
    found = _KEPT.sums.get(key)
    if found is None:
        found = Total(added_up(added, taken))
        _KEPT.put(key, found)
    return found


def added_up(added: Sequence[str], taken: Sequence[str]) -> Counts:
    """The sum of some cells, without numbers that cancelled out."""
    total: Counts = {}
    for counts in orjson.loads(f"[{','.join(added)}]"):
        if total:
            for name, number in counts.items():
                total[name] = total.get(name, 0) + number
        else:
            total = counts
    for text in taken:
        for name, number in orjson.loads(text).items():
            total[name] = total.get(name, 0) - number
    return without_zeros(total) if 0 in total.values() else total
