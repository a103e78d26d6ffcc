"""Facts as cells of the roll-up, and adding to cells in the database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import literal_column, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from app.models import StatCell
from app.services.statistics.facts import Counts, Fact
from app.services.statistics.scope import DIMS, GRAINS, start_of


class CellKey(NamedTuple):
    """Which cell; in this order cells are written, so that two writers never wait crosswise."""

    series: str
    dim: str
    value: str
    grain: str
    start: date
    item: str


Cells = dict[CellKey, Counts]


def add_day_cells(cells: Cells, fact: Fact, sign: int = 1) -> None:
    """Add a fact to the cells of its day: of all cases and of each sort it belongs to."""
    dims = fact.dims
    for dim in ("", *DIMS):
        value = dims.value(dim) if dim else ""
        key = CellKey(fact.series, dim, value, "day", fact.day, fact.item)
        cell = cells.get(key)
        if cell is None:
            cell = cells[key] = {}
        for name, number in fact.counts.items():
            cell[name] = cell.get(name, 0) + sign * number


def all_grains(days: Mapping[CellKey, Counts]) -> Cells:
    """Day cells with the weeks and months that they add to; what adds nothing is left out."""
    cells: Cells = {}
    for key, counts in days.items():
        for grain in GRAINS:
            target = key._replace(grain=grain, start=start_of(grain, key.start))
            cell = cells.setdefault(target, {})
            for name, number in counts.items():
                cell[name] = cell.get(name, 0) + number
    found = {key: {name: n for name, n in cell.items() if n} for key, cell in cells.items()}
    return {key: cell for key, cell in found.items() if cell}


def add_cells(session: Session, cells: Mapping[CellKey, Mapping[str, int]]) -> None:
    """Add numbers to cells, making those that are not there; one statement.

    The addition happens in the database, on the row as it is when its lock is held: two
    transactions that add to one cell both count.
    """
    if not cells:
        return
    keys = sorted(cells)
    if session.get_bind().dialect.name == "sqlite":
        session.execute(_SQLITE, [{**key._asdict(), "counts": dict(cells[key])} for key in keys])
        return
    session.execute(_POSTGRES, {"cells": cells_as_json(cells, keys)})


def cells_as_json(cells: Mapping[CellKey, Mapping[str, int]], keys: Iterable[CellKey]) -> str:
    """Cells in the order of the keys as PostgreSQL takes them: all as one text, written in C."""
    return json.dumps([{**key._asdict(), "counts": cells[key]} for key in keys], default=str)


# Only the keys of what comes are looked at, however many there are in the cell.
_SQLITE: Final = sqlite.insert(StatCell.__table__).on_conflict_do_update(
    index_elements=list(CellKey._fields),
    set_={
        "counts": literal_column(
            "json_patch(stat_cell.counts, (SELECT json_group_object(d.key,"
            " coalesce(json_extract(stat_cell.counts, '$.\"' || d.key || '\"'), 0) + d.value)"
            " FROM json_each(excluded.counts) AS d))"
        )
    },
)
# All rows at once: planned once, where a statement for each row would be planned each time.
_POSTGRES: Final = text(
    "INSERT INTO stat_cell (series, dim, value, grain, start, item, counts)"
    " SELECT u.series, u.dim, u.value, u.grain, u.start, u.item, u.counts"
    " FROM jsonb_to_recordset(CAST(:cells AS jsonb)) AS u (series text, dim text, value text,"
    " grain text, start date, item text, counts jsonb)"
    " ON CONFLICT (series, dim, value, grain, start, item) DO UPDATE SET counts ="
    " stat_cell.counts || (SELECT jsonb_object_agg(d.key,"
    " coalesce((stat_cell.counts ->> d.key)\\:\\:bigint, 0) + d.value\\:\\:bigint)"
    " FROM jsonb_each_text(excluded.counts) AS d)"
)


def merge(into: Counts, counts: Mapping[str, int]) -> None:
    """Add the numbers of one cell to others."""
    for name, number in counts.items():
        into[name] = into.get(name, 0) + number


def without_zeros(counts: Mapping[str, int]) -> Counts:
    """The same numbers without those that cancelled out."""
    return {name: number for name, number in counts.items() if number}


def collect(facts: Iterable[tuple[Fact, int]]) -> Cells:
    """Facts with their signs as cells of every grain."""
    days: Cells = {}
    for fact, sign in facts:
        add_day_cells(days, fact, sign)
    return all_grains(days)
