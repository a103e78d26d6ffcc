"""How fast blank cards go and how long they last: the same figures on the list and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import BlankEntry
from app.sop.clock import Calendar

#: The pace is that of the last days before now, today included.
PACE_DAYS: Final = 30


@dataclass(frozen=True)
class Pace:
    """Cards used and spoiled in the last days, and over how many working days."""

    gone: int = 0
    working_days: int = 0

    @property
    def per_day(self) -> float:
        """Cards a working day."""
        return self.gone / self.working_days if self.working_days else 0.0

    def days_left(self, balance: int) -> int | None:
        """Whole working days that a balance lasts; None while nothing goes."""
        return int(balance * self.working_days // self.gone) if self.gone else None


def paces(session: Session, calendar: Calendar, now: datetime) -> Mapping[int, Pace]:
    """The pace of every stock that has a ledger.

    A ledger that is younger than the span counts from its first line, so that a new office is not
    told that its cards last for months.
    """
    today = calendar.day_of(now)
    since = now - timedelta(days=PACE_DAYS)
    first_lines = {
        row[0]: row[1]
        for row in session.execute(
            select(BlankEntry.blank_id, func.min(BlankEntry.at)).group_by(BlankEntry.blank_id)
        )
    }
    gone = {
        blank_id: -int(total)
        for blank_id, total in session.execute(
            select(BlankEntry.blank_id, func.sum(BlankEntry.quantity))
            .where(BlankEntry.kind.in_(("used", "spoiled")), BlankEntry.at > since)
            .group_by(BlankEntry.blank_id)
        )
    }
    found = {}
    for blank_id, first in first_lines.items():
        begin = calendar.day_of(max(first, since))
        days = (begin + timedelta(days=n) for n in range((today - begin).days + 1))
        working = sum(calendar.is_working_day(day) for day in days)
        # Printing on a free day only: it was a day of work all the same.
        found[blank_id] = Pace(gone.get(blank_id, 0), max(working, 1))
    return found
