"""An office's statistics without persons, for its province: sums of at least so many cases each.

The roll-up holds no personal data, but a day with one case is that case: who knows that somebody
came on Tuesday would read what was wrong with his papers. So days are put together until at least
LEAST cases stand in a sum; what remains at the end of a month joins the sum before it, and a month
that has fewer is left out and only counted. Nothing is told by officer, channel, category or
kecamatan. Sums over months stay exact but for what is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import StatCell
from app.services.statistics.cells import merge, without_zeros
from app.services.statistics.facts import Counts
from app.services.statistics.scope import end_of, office_day, start_of

#: The fewest cases that one number is about; an office may take more, never fewer.
LEAST: Final = 5
#: Parcels are counted by the office's own couriers and stay there.
SERIES: Final = ("run", "arrival", "ended", "due", "return")
#: How many cases an officer finished, and his seconds.
_OF_PERSONS: Final = re.compile(r"[pm]\d+")
Day = tuple[date, Counts]


class ExportError(Exception):
    """What cannot be exported; its text is for the person at the keys."""


@dataclass(frozen=True)
class Export:
    """What goes to the province, unsigned, and how many facts are left out of it."""

    body: dict[str, Any]
    left_out: int


def export_statistics(
    session: Session, name: str, label: str, first: date, last: date, now: datetime, *, least: int
) -> Export:
    """The months from … to (each by any of its days) of this office.

    Raises:
        ExportError: a month that has not ended, or fewer cases in a sum than LEAST.
    """
    if least < LEAST:
        raise ExportError(f"a sum is of at least {LEAST} cases")
    first, last = start_of("month", first), end_of("month", start_of("month", last))
    if last < first or last >= office_day(now):
        raise ExportError("only whole months that have ended are exported")
    cells: list[list[Any]] = []
    left_out = 0
    for series, item, days in _days(session, first, last):
        sums, left = pooled(days, least)
        left_out += left
        cells += [[series, day.isoformat(), item, counts] for day, counts in sums]
    body = {
        "office": name,
        "label": label,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "made_at": now.isoformat(timespec="seconds"),
        "least": least,
        "left_out": left_out,
        "cells": cells,
    }
    return Export(body, left_out)


def pooled(days: Iterable[Day], least: int) -> tuple[list[Day], int]:
    """Days as sums of at least so many cases, within each month; and how many are in none.

    A sum stands on the last of its days.
    """
    found: list[Day] = []
    left_out = 0
    for _month, of_month in groupby(days, key=lambda day: start_of("month", day[0])):
        sums: list[Day] = []
        open_sum: Counts = {}
        for day, counts in of_month:
            merge(open_sum, counts)
            if open_sum.get("n", 0) >= least:
                sums.append((day, open_sum))
                open_sum = {}
        if open_sum and sums:
            merge(sums[-1][1], open_sum)
        else:
            left_out += open_sum.get("n", 0)
        found += [(day, without_zeros(counts)) for day, counts in sums]
    return found, left_out


def _days(session: Session, first: date, last: date) -> Iterator[tuple[str, str, list[Day]]]:
    """Every series and item with its days in order, nothing of persons in them."""
    rows = session.execute(
        select(StatCell.series, StatCell.item, StatCell.start, StatCell.counts)
        .where(
            StatCell.series.in_(SERIES),
            StatCell.dim == "",
            StatCell.grain == "day",
            StatCell.start.between(first, last),
        )
        .order_by(StatCell.series, StatCell.item, StatCell.start)
    )
    for (series, item), group in groupby(rows, key=lambda row: (row[0], row[1])):
        days = [(row[2], _without_persons(row[3])) for row in group]
        yield series, item, [(day, counts) for day, counts in days if counts]


def _without_persons(counts: Counts) -> Counts:
    return {
        name: number
        for name, number in counts.items()
        if number and not _OF_PERSONS.fullmatch(name)
    }
