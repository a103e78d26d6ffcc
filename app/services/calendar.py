"""The office's calendar, read from its tables for the clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time, tzinfo
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Holiday, WorkingHours
from app.sop.clock import DEFAULT_WEEK, Calendar, DayHours, Week, jakarta

#: The zone of the office's wall clock; the database knows only UTC.
OFFICE_ZONE: Final[tzinfo] = jakarta()


class HoursRow(NamedTuple):
    """One row of `working_hours`, oldest first where rows come in a list."""

    weekday: int
    opens: time
    closes: time
    break_from: time | None
    break_to: time | None
    valid_from: date | None
    valid_to: date | None

    @property
    def hours(self) -> DayHours:
        """The hours of that day."""
        return DayHours(self.opens, self.closes, self.break_from, self.break_to)


def load_calendar(session: Session) -> Calendar:
    """The calendar as the office keeps it now; two selects, nothing remembered between calls.

    A weekday without hours is closed. An office without any usual hours (an empty table) gets
    the default week, because a clock that never runs hides every delay.
    """
    rows = [
        HoursRow(*row)
        for row in session.execute(
            select(
                WorkingHours.weekday,
                WorkingHours.opens,
                WorkingHours.closes,
                WorkingHours.break_from,
                WorkingHours.break_to,
                WorkingHours.valid_from,
                WorkingHours.valid_to,
            ).order_by(WorkingHours.id)
        )
    ]
    return Calendar(
        weekly=usual_week(rows),
        holidays=frozenset(session.scalars(select(Holiday.day))),
        special=special_spans(rows),
        tz=OFFICE_ZONE,
    )


def usual_week(rows: Iterable[HoursRow]) -> Week:
    """The ordinary week; of two rows for one weekday the newer counts."""
    usual = {row.weekday: row.hours for row in rows if row.valid_from is None}
    if not usual:
        return dict(DEFAULT_WEEK)
    return {weekday: usual.get(weekday) for weekday in range(7)}


def special_spans(rows: Iterable[HoursRow]) -> tuple[tuple[date, date, Week], ...]:
    """The spans with hours of their own; where two overlap, the one that begins later counts.

    A weekday that a span does not name keeps its usual hours.
    """
    weeks: dict[tuple[date, date], dict[int, DayHours | None]] = {}
    for row in rows:
        if row.valid_from is not None and row.valid_to is not None:
            weeks.setdefault((row.valid_from, row.valid_to), {})[row.weekday] = row.hours
    # The clock takes the first span that covers a day: the latest start, then the shortest, first.
    order = sorted(weeks, key=lambda span: (-span[0].toordinal(), span[1].toordinal()))
    return tuple((first, last, weeks[first, last]) for first, last in order)
