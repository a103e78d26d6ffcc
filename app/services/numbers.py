"""Running numbers without gaps: the row of the series is locked until the case is committed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models import NumberSeries
from app.services.calendar import OFFICE_ZONE

_YEAR: Final = re.compile(r"[^-]*-([0-9]{4})-")


def year_of(number: str) -> int:
    """The year that a case belongs to for good, as its number says; 0 where it says none."""
    found = _YEAR.match(number)
    return int(found[1]) if found else 0


def next_number(session: Session, prefix: str, now: datetime) -> str:
    """The next `PGD-YYYY-NNNNNN` of the office's year (Asia/Jakarta); gives none twice.

    A rolled-back registration gives its number back, because the counter rolls back with it.
    """
    return next_numbers(session, prefix, now, 1)[0]


def next_numbers(session: Session, prefix: str, now: datetime, count: int) -> list[str]:
    """The next `count` numbers of the office's year, in a row, by one statement."""
    year = now.astimezone(OFFICE_ZONE).year
    insert: Any = (
        postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    )
    statement = (
        insert(NumberSeries)
        .values(prefix=prefix, year=year, last=count)
        .on_conflict_do_update(
            index_elements=[NumberSeries.prefix, NumberSeries.year],
            set_={"last": NumberSeries.last + count},
        )
        .returning(NumberSeries.last)
    )
    last = session.execute(statement).scalar_one()
    return [f"{prefix}-{year:04d}-{number:06d}" for number in range(last - count + 1, last + 1)]
