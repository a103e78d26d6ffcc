"""Tables that lie in a part for each year on PostgreSQL: made ahead and listed.

The audit log goes by the year of its rows, the step records by the year of their case. Who takes a
year out knows more of its rows: `audit.partitions` and `archive`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

log = logging.getLogger(__name__)
#: Years for which partitions are there before they begin.
AHEAD: Final = 2
#: In the order in which one transaction may change their shape: the audit log is written last by all.
BY_YEARS: Final = ("step_run", "audit_event")
#: SQLSTATE of a lock that was not given in time, and of a deadlock.
_BUSY: Final = ("55P03", "40P01")
_MAKE: Final = text("SELECT make_year_partitions(:parent, :years)")
_LIST: Final = text(
    "SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS span,"
    " pg_total_relation_size(c.oid) AS size FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = CAST(:parent AS regclass)"
    " ORDER BY substring(c.relname FROM '[0-9]+$')::integer NULLS LAST"
)


class PartitionError(Exception):
    """What cannot be done with a partition; its text is for the person at the keys."""


@dataclass(frozen=True)
class Partition:
    """One part of a table; numbers of its rows, None where it is empty."""

    name: str
    span: str
    size: int
    rows: int
    first: int | None
    last: int | None

    @property
    def year(self) -> int | None:
        """The year that it is for, or up to which; None for the default one."""
        year = self.name.rpartition("_")[2]
        return int(year) if year.isdigit() else None


def is_partitioned(session: Session) -> bool:
    """Only PostgreSQL has partitions; SQLite keeps one table."""
    return session.get_bind().dialect.name == "postgresql"


def make_ahead(session: Session, years: int = AHEAD) -> int:
    """Make the partitions of this year and the next ones; how many were made. The caller commits.

    Others write meanwhile: where a lock is not to be had at once, the year waits for another time.
    """
    if not is_partitioned(session):
        return 0
    made = 0
    for parent in BY_YEARS:
        try:
            with session.begin_nested():
                made += session.scalar(_MAKE, {"parent": parent, "years": years}) or 0
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") not in _BUSY:
                raise
            log.warning("partitions of %s: the table is busy, another time", parent)
    return made


def make_year_of_rows(session: Session, parent: str, year: int) -> None:
    """Make the part of a year gone by, of which rows lie in the default one, and move them there.

    Raises:
        PartitionError: it was not made.
    """
    session.execute(_MAKE, {"parent": parent, "years": 0})
    if year not in [part.year for part in partitions(session, parent)]:
        raise PartitionError(f"the part of {year} was not made")


def partitions(session: Session, parent: str) -> list[Partition]:
    """Every part of a table, the oldest first and the default one last."""
    found = []
    for name, span, size in session.execute(_LIST, {"parent": parent}).all():
        rows, first, last = session.execute(
            text(f"SELECT count(*), min(id), max(id) FROM {name}")  # noqa: S608 - of the catalogue
        ).one()
        found.append(Partition(name, span, int(size), rows, first, last))
    return found
