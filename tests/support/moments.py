"""A working day that tests count from, and the day that the office calls a moment's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from app.services.calendar import OFFICE_ZONE

#: A Monday morning without a holiday, 08:00 in the office.
MONDAY = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)


def after(**span: float) -> datetime:
    """A moment after that morning's opening."""
    return MONDAY + timedelta(**span)


def office_day(moment: datetime | None = None) -> date:
    """The office's day of a moment, now by default: from 17:00 UTC on it is the next one."""
    return (moment or datetime.now(UTC)).astimezone(OFFICE_ZONE).date()
