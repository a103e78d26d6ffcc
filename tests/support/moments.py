"""A working day that tests count from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

#: A Monday morning without a holiday, 08:00 in the office.
MONDAY = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)


def after(**span: float) -> datetime:
    """A moment after that morning's opening."""
    return MONDAY + timedelta(**span)
