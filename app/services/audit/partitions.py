"""The audit log by years, on PostgreSQL: how the oldest are detached into an archive.

Only the oldest years go, and only whole: what remains is a chain that begins behind them. The row
`audit_archived` in the log itself, sealed like any other, says where that is, so that nobody takes rows
away and calls it an archive.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Table, select, text
from sqlalchemy.orm import Session

from app.models import AuditEvent
from app.services.audit.recording import record
from app.services.partitions import PartitionError, partitions

#: What nobody else locks: who writes the log waits while it changes its shape.
_LOCK: Final = text("SELECT pg_advisory_xact_lock(720016)")
_ROWS: Final[Table] = AuditEvent.__table__


@dataclass(frozen=True)
class Archived:
    """What was taken out: its numbers, its last seal, and the sum of the lines that were written."""

    name: str
    first: int
    last: int
    mac: str
    sha256: str


def detach(
    session: Session, name: str, now: datetime, write: Callable[[Iterator[bytes]], None], place: str
) -> Archived:
    """Take the oldest years out of the log; the caller commits once the archive is safe.

    `write` gets the rows as JSON lines and returns when they are on disk. `place` is the archive's name,
    for the log.

    Raises:
        PartitionError: it is not the oldest, goes on, or its rows do not come before all others.
    """
    session.execute(_LOCK)
    parts = partitions(session, "audit_event")
    if name not in [part.name for part in parts]:
        raise PartitionError(f"the audit log has no partition {name!r}")
    part = next(item for item in parts if item.name == name)
    older = [item.name for item in parts[: parts.index(part)] if item.rows]
    if part.year is None or part.year >= now.astimezone(UTC).year:
        raise PartitionError(f"{name} goes on; only years that have ended are taken out")
    if older:
        raise PartitionError(f"{older[0]} is older; years are taken out in their order")
    if part.first is None or part.last is None:
        raise PartitionError(f"{name} is empty")
    rest = [item.first for item in parts if item.name != name and item.first is not None]
    if any(first <= part.last for first in rest):
        raise PartitionError("the clock was set back: rows of these years come after others")
    total = hashlib.sha256()
    write(_lines(session, name, total))
    mac = str(session.scalar(select(_ROWS.c.mac).where(_ROWS.c.id == part.last)))
    # Its name was found in the catalogue.
    session.execute(text(f"ALTER TABLE audit_event DETACH PARTITION {name}"))
    session.execute(text(f"DROP TABLE {name}"))
    archived = Archived(name, part.first, part.last, mac, total.hexdigest())
    record(
        session,
        "audit_archived",
        actor_id=None,
        subject=f"audit:{part.last}",
        detail={
            "first": part.first, "last": part.last, "mac": mac,
            "sha256": archived.sha256, "file": place,
        },
    )  # fmt: skip
    return archived


def _lines(session: Session, name: str, total: Any) -> Iterator[bytes]:
    statement = text(f"SELECT * FROM {name} ORDER BY id").columns(*_ROWS.c)  # noqa: S608
    for row in session.execute(statement.execution_options(yield_per=2_000)):
        values = {**row._mapping, "at": row.at.astimezone(UTC).isoformat(timespec="microseconds")}
        line = json.dumps(values, ensure_ascii=False).encode() + b"\n"
        total.update(line)
        yield line
