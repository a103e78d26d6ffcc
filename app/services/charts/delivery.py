"""From sending to delivery, by courier."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.models import Courier
from app.services.casefile import Shelf
from app.services.charts.names import named
from app.services.statistics import Asked, Scope, classes, ranked, read_all


@dataclass(frozen=True)
class CourierDelivery:
    """One courier: parcels sent in the period, and how long those delivered in it were under way.

    Hours are wall time, each begun hour whole; beyond ten days they are counted by the day.
    """

    courier_id: int
    name: str
    sent: int
    #: Of those sent in the period: parcels that came back.
    returned: int
    delivered: int
    hours_median: int | None
    hours_p90: int | None
    hours_total: int

    @property
    def hours_mean(self) -> float | None:
        """The mean of the hours under way."""
        return self.hours_total / self.delivered if self.delivered else None


def deliveries(
    session: Session, scope: Scope, *, shelf: Shelf | None = None
) -> tuple[CourierDelivery, ...]:
    """Every courier with a parcel in the period, most sent first; one statement, without shelf two."""
    sent, arrived = read_all(session, [Asked("parcel", scope), Asked("delivery", scope)])
    names = {str(pk): row.name for pk, row in named(session, Courier, shelf).items()}
    rows = []
    for key in sent.keys() | arrived.keys():
        out, there = sent.get(key, {}), arrived.get(key, {})
        median, p90 = ranked(classes(there, "c"), (1, 2), (9, 10))
        rows.append(
            CourierDelivery(
                courier_id=int(key),
                name=names.get(key, key),
                sent=out.get("n", 0),
                returned=out.get("returned", 0),
                delivered=there.get("n", 0),
                hours_median=median,
                hours_p90=p90,
                hours_total=there.get("hours", 0),
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.sent, -row.delivered, row.name)))
