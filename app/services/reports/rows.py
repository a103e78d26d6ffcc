"""What the long lists share: names for keys, and the cases of a period in order, in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Category, Channel, Complaint, Region, User
from app.services.charts.periods import of_cases
from app.services.statistics import Scope, day_bounds

Cell = str | int | datetime | date | None
#: Rows between two signs of life; cancelling takes effect within so many.
CHUNK: Final = 1_000


@dataclass(frozen=True)
class Names:
    """What the keys in rows are called, read once for the whole file."""

    channels: Mapping[int, str]
    categories: Mapping[int, str]
    regions: Mapping[str, str]
    users: Mapping[int, str]


def load_names(session: Session) -> Names:
    """Every name, those that are retired too; four statements."""
    users = session.execute(select(User.id, User.first_name, User.last_name))
    return Names(
        channels={row.id: str(row) for row in session.scalars(select(Channel))},
        categories={row.id: str(row) for row in session.scalars(select(Category))},
        regions={row[0]: row[1] for row in session.execute(select(Region.code, Region.name))},
        users={row[0]: f"{row[1]} {row[2]}".strip() for row in users},
    )


def received_in(statement: Any, scope: Scope, *, confidential: bool) -> Any:
    """Cut a statement over complaints to those received in a period that the reader may know of."""
    start, end = day_bounds(scope.first, scope.last)
    statement = statement.where(Complaint.received_at >= start, Complaint.received_at < end)
    return known_of(of_cases(statement, scope), confidential=confidential)


def known_of(statement: Any, *, confidential: bool) -> Any:
    """Without the confidential cases, for who may not know of them."""
    return statement if confidential else statement.where(Complaint.confidential.is_(False))


def counted(session: Session, statement: Any) -> int:
    """How many rows a statement over complaints has."""
    return session.scalar(statement.with_only_columns(func.count(Complaint.id))) or 0


def in_pieces(session: Session, statement: Any) -> Iterator[Sequence[Any]]:
    """The rows of a statement, a piece at a time, never all of them in memory."""
    result = session.execute(statement.execution_options(yield_per=CHUNK))
    yield from result.partitions()
