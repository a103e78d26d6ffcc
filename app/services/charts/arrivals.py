"""When complaints come in: weekdays and hours of the office's clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy.orm import Session

from app.services.statistics import Scope, read


@dataclass(frozen=True)
class Arrivals:
    """Complaints received in the period by (weekday, hour); Monday is 0."""

    total: int
    by_hour: Mapping[tuple[int, int], int]

    def at(self, weekday: int, hour: int) -> int:
        """How many came on this weekday in the hour that begins then."""
        return self.by_hour.get((weekday, hour), 0)

    @property
    def busiest(self) -> tuple[int, int] | None:
        """The weekday and hour with the most; the earliest one of several."""
        if not self.total:
            return None
        return min(self.by_hour, key=lambda place: (-self.by_hour[place], place))


def arrivals(session: Session, scope: Scope) -> Arrivals:
    """The period's complaints by weekday and hour of receipt; one statement."""
    counts = read(session, "arrival", scope).get("", {})
    places = [(_place(key), number) for key, number in counts.items()]
    found = {place: number for place, number in places if place is not None}
    return Arrivals(counts.get("n", 0), found)


@lru_cache(maxsize=1000)  # the same 168 in every cell
def _place(key: str) -> tuple[int, int] | None:
    """The weekday and hour that a number of a cell is of."""
    if not key.startswith("h"):
        return None
    weekday, _dash, hour = key[1:].partition("-")
    return int(weekday), int(hour)
