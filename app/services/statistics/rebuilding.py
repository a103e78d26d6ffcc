"""Counting everything again: to fill a new roll-up, and to prove that a kept one is exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from app.models import (
    ArchivedRun,
    CaseEvent,
    Complaint,
    Dispatch,
    MergedCell,
    StatCell,
    StepRun,
)
from app.services.statistics.cells import (
    CellKey,
    Cells,
    add_day_cells,
    all_grains,
    merge,
    without_zeros,
)
from app.services.statistics.counting import SERIES, facts
from app.services.statistics.facts import Counts
from app.services.statistics.merged import add_merged
from app.services.statistics.scope import GRAINS, end_of, start_of

#: So many months are counted at a time: some 100,000 cells of a large office.
_MONTHS: Final = 3


@dataclass(frozen=True)
class Difference:
    """A cell that does not hold what the rows say."""

    key: CellKey
    kept: Counts
    counted: Counts


def is_missing(session: Session) -> bool:
    """Whether there are cases but no numbers about them: the roll-up is younger than the office."""
    if session.scalar(select(StatCell.series).limit(1)) is not None:
        return False
    return session.scalar(select(Complaint.id).limit(1)) is not None


def rebuild(session: Session) -> int:
    """Count every case again; answers how many cells there are. The caller commits.

    On PostgreSQL other transactions wait with their own numbers until this one ends; what they
    add, they add to the new cells.
    """
    lock(session)
    session.execute(delete(StatCell))
    first, last = _span(session)
    if first is None or last is None:
        return 0
    written = 0
    for series in SERIES:
        unfinished: Cells = {}
        for start, end in _windows(first, last):
            days: Cells = {}
            for fact in facts(session, series, first=start, last=end):
                add_day_cells(days, fact)
            add_merged(session, days, series, start, end)
            cells = all_grains(days)
            # A week that goes on in the next window is written with it: each cell is written once.
            for key, counts in unfinished.items():
                merge(cells.setdefault(key, {}), counts)
            unfinished = {
                key: cells.pop(key)
                for key in list(cells)
                if end < last and end_of(key.grain, key.start) > end
            }
            written += _insert(session, cells)
    return written


def _windows(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Stretches of whole months that together are the span; their cells fit into memory."""
    start = start_of("month", first)
    while start <= last:
        end = start
        for _ in range(_MONTHS):
            end = end_of("month", end) + timedelta(days=1)
        yield start, end - timedelta(days=1)
        start = end


def lock(session: Session) -> None:
    """Let nobody else write cells until this transaction ends; reading goes on.

    SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        # Counting a large office takes longer than any page may.
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text("LOCK TABLE stat_cell IN SHARE ROW EXCLUSIVE MODE"))


def check(session: Session) -> Iterator[Difference]:
    """Every cell that differs from what the rows say, month by month; none is how it should be.

    The caller holds the lock, or reads one snapshot: facts and cells must be of one moment.
    """
    first, last = _span(session)
    if first is None or last is None:
        return
    for series in SERIES:
        month = start_of("month", first)
        while month <= last:
            end = end_of("month", month)
            counted: Cells = {}
            for fact in facts(session, series, first=month, last=end):
                add_day_cells(counted, fact)
            add_merged(session, counted, series, month, end)
            yield from _compare(counted, _kept(session, series, "day", month, end))
            month = end + timedelta(days=1)
        yield from _sums(session, series)


def _insert(session: Session, cells: Cells) -> int:
    rows = [{**key._asdict(), "counts": counts} for key, counts in sorted(cells.items())]
    for begin in range(0, len(rows), 5_000):
        session.execute(_INSERT, rows[begin : begin + 5_000])
    return len(rows)


def _span(session: Session) -> tuple[date | None, date | None]:
    """The days on which anything is counted, by the rows or by the cells."""
    days: list[date] = []
    for column in _DATED:
        for moment in session.execute(select(func.min(column), func.max(column))).one():
            if moment is not None:
                # A day more on both sides: an instant's office day may be the next one.
                day = moment if type(moment) is date else moment.date()
                days += [day - timedelta(days=1), day + timedelta(days=1)]
    return (min(days), max(days)) if days else (None, None)


def _kept(session: Session, series: str, grain: str, first: date, last: date) -> Cells:
    statement = select(StatCell).where(
        StatCell.series == series,
        StatCell.grain == grain,
        StatCell.start.between(first, last),
    )
    rows = session.execute(statement.with_only_columns(*_COLUMNS, StatCell.counts))
    return {CellKey(*row[:6]): without_zeros(row[6]) for row in rows}


def _sums(session: Session, series: str) -> Iterator[Difference]:
    """Weeks and months against the days they are made of, as the cells hold them."""
    statement = (
        select(*_COLUMNS, StatCell.counts)
        .where(StatCell.series == series)
        .order_by(StatCell.dim, StatCell.value)
        .execution_options(yield_per=5_000)
    )
    sort: tuple[str, str] | None = None
    summed: Cells = {}
    kept: Cells = {}
    for row in session.execute(statement):
        key = CellKey(*row[:6])
        if (key.dim, key.value) != sort:
            yield from _compare(summed, kept)
            sort, summed, kept = (key.dim, key.value), {}, {}
        if key.grain == "day":
            for grain in GRAINS[1:]:
                target = key._replace(grain=grain, start=start_of(grain, key.start))
                merge(summed.setdefault(target, {}), row[6])
        else:
            kept[key] = without_zeros(row[6])
    yield from _compare(summed, kept)


def _compare(counted: Cells, kept: Cells) -> Iterator[Difference]:
    for key in sorted(counted.keys() | kept.keys()):
        right, found = without_zeros(counted.get(key, {})), kept.get(key, {})
        if right != found:
            yield Difference(key, found, right)


#: Everything that puts a fact on a day.
_DATED: Final = (
    StatCell.start,
    Complaint.received_at,
    Complaint.completeness_due,
    Complaint.decision_due,
    Complaint.class_due,
    Complaint.closed_at,
    StepRun.finished_at,
    ArchivedRun.finished_at,
    CaseEvent.at,
    Dispatch.sent_at,
    Dispatch.delivered_at,
    MergedCell.start,
)
_INSERT: Final = insert(StatCell.__table__)
_COLUMNS: Final = tuple(getattr(StatCell, name) for name in CellKey._fields)
