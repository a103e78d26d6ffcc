"""Cells that a province has merged: what its offices counted, as part of the same roll-up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import MergedCell
from app.services.statistics.cells import CellKey, Cells, merge
from app.services.statistics.facts import Counts

#: The sort of cells that holds one office's numbers by themselves.
OFFICE: Final = "office"


def day_cells(office: str, rows: Iterable[tuple[str, date, str, Counts]], sign: int = 1) -> Cells:
    """An office's numbers as day cells: of the province's whole, and of the office by itself."""
    cells: Cells = {}
    for series, start, item, counts in rows:
        signed = {name: sign * number for name, number in counts.items()}
        for dim, value in (("", ""), (OFFICE, office)):
            merge(cells.setdefault(CellKey(series, dim, value, "day", start, item), {}), signed)
    return cells


def add_merged(session: Session, cells: Cells, series: str, first: date, last: date) -> None:
    """Add what was merged of a series and a stretch of days to the cells counted there."""
    columns: tuple[Any, ...] = (
        MergedCell.office,
        MergedCell.start,
        MergedCell.item,
        MergedCell.counts,
    )
    rows = session.execute(
        select(*columns).where(MergedCell.series == series, MergedCell.start.between(first, last))
    )
    for office, start, item, counts in rows:
        for key, found in day_cells(office, [(series, start, item, counts)]).items():
            merge(cells.setdefault(key, {}), found)
