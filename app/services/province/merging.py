"""Merging an office's export: its months are replaced, the charts read the sums like any others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.models import MergedCell, MergedOffice, SopStep
from app.services.province.exporting import LEAST, SERIES
from app.services.statistics.cells import Cells, add_cells, all_grains, merge
from app.services.statistics.facts import Counts
from app.services.statistics.merged import day_cells
from app.services.statistics.rebuilding import lock

_OFFICE: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ITEM: Final = re.compile(r"[a-z0-9_]{0,40}")
#: Every name that a fact counts under (`statistics/facts.py`), but those of officers.
_NAME: Final = re.compile(
    r"n|work|wait|judged|within|met|late|[wqsr]\d{1,9}|h[0-6]-\d{1,2}"
    r"|i[A-Za-z0-9_.-]{1,40}:(missing|unreadable)|d[a-z_]{1,20}"
)
_LARGEST: Final = 10**12
Row = tuple[str, date, str, Counts]


class MergeError(Exception):
    """What keeps an export from being merged; its text is for the person at the keys."""


@dataclass(frozen=True)
class _Body:
    office: str
    label: str
    first: date
    last: date
    made_at: datetime
    rows: list[Row]


def merge_statistics(
    session: Session, body: Mapping[str, Any], public_key: str, *, trusted_key: str = ""
) -> str:
    """Put an export in the place of what was merged of its months; the office's name. The caller commits.

    `trusted_key`: the office's key as it was told on another way, with its first export.

    Raises:
        MergeError: another key, an older export, an unknown step, or something that is no number.
    """
    found = _read(session, body)
    office = session.get(MergedOffice, found.office)
    known = office.public_key if office is not None else trusted_key
    if not known:
        raise MergeError(
            f"{found.office} is new here: give its key with --key, as the office prints it"
            " (`flask stats key`)"
        )
    if known != public_key or (trusted_key and trusted_key != known):
        raise MergeError(f"not signed with the key of {found.office}")
    if office is None:
        office = MergedOffice(name=found.office, label=found.label, public_key=known)
        session.add(office)
    elif office.made_at is not None and found.made_at < office.made_at:
        raise MergeError(f"an export of {office.made_at:%Y-%m-%d %H:%M} UTC was merged already")
    office.label, office.made_at = found.label, found.made_at
    session.flush()
    lock(session)
    _replace(session, found)
    return found.office


def _replace(session: Session, found: _Body) -> None:
    there = MergedCell.__table__.c
    of_months = (there.office == found.office, there.start.between(found.first, found.last))
    before: list[Row] = [
        (row[0], row[1], row[2], row[3])
        for row in session.execute(
            select(there.series, there.start, there.item, there.counts).where(*of_months)
        )
    ]
    session.execute(delete(MergedCell).where(*of_months))
    rows = [
        {"office": found.office, "series": series, "start": day, "item": item, "counts": counts}
        for series, day, item, counts in found.rows
    ]
    if rows:
        session.execute(insert(MergedCell), rows)
    change: Cells = day_cells(found.office, found.rows)
    for key, counts in day_cells(found.office, before, sign=-1).items():
        merge(change.setdefault(key, {}), counts)
    add_cells(session, all_grains(change))


def _read(session: Session, body: Mapping[str, Any]) -> _Body:
    """The body, every part of it looked at.

    Raises:
        MergeError: something in it cannot be.
    """
    try:
        office, label = body["office"], body["label"]
        first, last = date.fromisoformat(body["first"]), date.fromisoformat(body["last"])
        made_at = datetime.fromisoformat(body["made_at"])
        if not (isinstance(office, str) and len(office) <= 20 and _OFFICE.fullmatch(office)):
            raise MergeError("the office has no name that can be used")
        if not isinstance(label, str) or not 0 < len(label) <= 200 or not label.isprintable():
            raise MergeError("the office has no label that can be shown")
        if made_at.tzinfo is None or first > last or int(body["least"]) < LEAST:
            raise MergeError("its dates, or the fewest cases of a sum, cannot be")
        steps = set(session.scalars(select(SopStep.key)))
        rows = [_row(cell, first, last, steps) for cell in body["cells"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MergeError(f"something in it is no statistic ({type(error).__name__})") from None
    if len({row[:3] for row in rows}) != len(rows):
        raise MergeError("a sum stands in it twice")
    return _Body(office, label, first, last, made_at, rows)


def _row(cell: Any, first: date, last: date, steps: set[str]) -> Row:
    series, start, item, counts = cell
    day = date.fromisoformat(start)
    if series not in SERIES or not first <= day <= last or not _ITEM.fullmatch(item):
        raise MergeError(f"{series} {start} {item} is no sum of this export")
    if series in ("run", "ended") and item not in steps:
        raise MergeError(f"this province's SOP has no step {item!r}; its file has to name it")
    for name, number in counts.items():
        if not _NAME.fullmatch(name) or type(number) is not int or not 0 <= number <= _LARGEST:
            raise MergeError(f"{series} {start} {item}: {name} is no count")
    if counts.get("n", 0) < LEAST:
        raise MergeError(f"{series} {start} {item} is of fewer than {LEAST} cases")
    return series, day, item, dict(counts)
