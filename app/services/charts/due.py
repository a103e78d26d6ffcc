"""Legal due dates met and missed: UU 25/2009 (14 and 60 days), Permenpan-RB 62/2018 (by class)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from app.services.statistics import Asked, Scope, read_all

#: The kinds of dates, in the order in which a case reaches them.
KINDS: Final = ("completeness", "class", "decision")


@dataclass(frozen=True)
class DueDates:
    """The legal dates of one kind that lie in the period."""

    kind: str
    due: int
    #: Kept; done but too late; still open although the date is over; the date is still to come.
    met: int
    late: int
    missed: int
    ahead: int

    @property
    def judged(self) -> int:
        """Those of which it is known whether they were kept."""
        return self.met + self.late + self.missed

    @property
    def met_share(self) -> float | None:
        """Share of those that were kept, 0 to 1."""
        return self.met / self.judged if self.judged else None


def due_dates(session: Session, scope: Scope, *, today: date) -> tuple[DueDates, ...]:
    """The three kinds of legal dates by the day they fell on; one statement.

    A date that is today is still to come; from tomorrow on an open case has missed it.
    """
    asked = [Asked("due", scope)]
    if scope.last >= today:
        asked.append(Asked("due", scope.during(max(today, scope.first), scope.last)))
    found, *more = read_all(session, asked)
    later = more[0] if more else {}
    rows = []
    for kind in KINDS:
        counts, coming = found.get(kind, {}), later.get(kind, {})
        met, late = counts.get("met", 0), counts.get("late", 0)
        ahead = coming.get("n", 0) - coming.get("met", 0) - coming.get("late", 0)
        missed = counts.get("n", 0) - met - late - ahead
        rows.append(DueDates(kind, counts.get("n", 0), met, late, missed, ahead))
    return tuple(rows)
