"""Tables of a report: typed numbers, so that a file can hold them and a page can print them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

#: text · whole number · share of one · seconds shown as minutes · seconds shown as hours and
#: minutes · hours (wall time)
Kind = Literal["text", "count", "share", "minutes", "duration", "hours"]
Value = str | int | float | None


@dataclass(frozen=True)
class Column:
    """The heading of a column and what its cells hold."""

    label: str
    kind: Kind = "count"


@dataclass(frozen=True)
class Table:
    """One table; `total` is its last row where its rows add up."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    total: tuple[Value, ...] | None = None
    note: str = ""

    @property
    def all_rows(self) -> tuple[tuple[Value, ...], ...]:
        """The rows with the total below them."""
        return self.rows if self.total is None else (*self.rows, self.total)


@dataclass(frozen=True)
class Speech:
    """The reader's language: what messages and values are called in it.

    `say(message, **params)` translates; `show(kind, value)` writes a value as the screens do.
    """

    language: str
    say: Callable[..., str]
    show: Callable[[Kind, Value], str]
    #: A day as `23 November 2026`, and a moment with its time.
    day: Callable[[Any], str]
    moment: Callable[[Any], str]


#: Kinds that stand on the right of their column.
NUMBERS: Final = frozenset({"count", "share", "minutes", "duration", "hours"})


def added(rows: Sequence[Sequence[Value]], *places: int) -> list[int]:
    """The sums of some columns of whole numbers."""
    return [sum(int(row[place] or 0) for row in rows) for place in places]
