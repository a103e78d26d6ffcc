"""Channels, categories and kecamatan: what came in, what was finished, what is open, what kept time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from app.models import Category, Channel, Region
from app.services.casefile import Shelf
from app.services.charts.names import named
from app.services.charts.openwork import open_by_sort
from app.services.statistics import Asked, Counts, Scope, read_all_split
from app.sop.text import Text

#: Of the cells, the numbers that stand in the table: not by hours or rounds.
_CASES: Final = ("n",)
_DATES: Final = ("n", "met", "late")


@dataclass(frozen=True)
class SortNumbers:
    """One channel, category or kecamatan; `value` is "" where cases name none."""

    value: str
    label: str
    received: int
    finished: int
    #: Open at this moment, whatever the period.
    open_now: int
    #: Cases whose legal date (5, 14 or 60 working days by class) fell into the period and is over
    #: or was met, and how many of them were closed by then.
    judged: int
    on_time: int

    @property
    def on_time_share(self) -> float | None:
        """Share of those that kept their legal date, 0 to 1."""
        return self.on_time / self.judged if self.judged else None


def sort_numbers(
    session: Session, scope: Scope, dim: str, *, today: date, shelf: Shelf | None = None
) -> tuple[SortNumbers, ...]:
    """Every value of a dimension that has any case, most received first; two statements, without shelf three."""
    asked = [Asked("arrival", scope, _CASES), Asked("ended", scope, _CASES, together=True)]
    asked.append(Asked("due", scope, _DATES, "class"))
    # What is due later than yesterday and not closed is neither met nor missed yet.
    if scope.last >= today:
        ahead_of = scope.during(max(today, scope.first), scope.last)
        asked.append(Asked("due", ahead_of, _DATES, "class"))
    names = [*_named(session, dim, shelf), ("", "")]
    values = [value for value, _label in names]
    received, finished, due, *more = read_all_split(session, asked, dim, values)
    ahead = more[0] if more else {}
    now = open_by_sort(session, scope, dim)
    rows = []
    for value, label in names:
        legal, later = _class(due, value), _class(ahead, value)
        undecided = later.get("n", 0) - later.get("met", 0) - later.get("late", 0)
        row = SortNumbers(
            value=value,
            label=label,
            received=_total(received.get(value, {})),
            finished=_total(finished.get(value, {})),
            open_now=now.get(value, 0),
            judged=legal.get("n", 0) - undecided,
            on_time=legal.get("met", 0),
        )
        if row.received or row.finished or row.open_now or row.judged:
            rows.append(row)
    return tuple(sorted(rows, key=lambda row: (-row.received, row.value == "", row.label)))


def _named(session: Session, dim: str, shelf: Shelf | None) -> Sequence[tuple[str, str]]:
    if dim == "kecamatan":
        places = named(session, Region, shelf).values()
        return [(place.code, place.name) for place in places if place.kind == "kecamatan"]
    model = Channel if dim == "channel" else Category
    return [
        (str(pk), str(Text(row.label_id, row.label_en or row.label_id)))
        for pk, row in named(session, model, shelf).items()
    ]


def _class(split: dict[str, dict[str, Counts]], value: str) -> Counts:
    return split.get(value, {}).get("class", {})


def _total(items: dict[str, Counts]) -> int:
    return sum(counts.get("n", 0) for counts in items.values())
