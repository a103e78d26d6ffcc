"""A year of step records back from its archive, as it was: the other half of `archive`.

Only the very lines that were taken out of this office come back, which their sum proves. What the
file does not hold is still here: the reason of a run stands in the history, the note of a pause with
the archived pause. What retention has erased meanwhile stays erased.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import Table, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from app.models import ArchivedPause, ArchivedRun, ArchivedYear, Pause, StepRun
from app.models.base import UTCDateTime
from app.services.archive import ALONE, TAKING_OUT, moves_of
from app.services.audit import record
from app.services.partitions import PartitionError, make_year_of_rows

#: Opens the lines of the archive, from the first one each time it is called.
Read = Callable[[], AbstractContextManager[Iterable[bytes]]]
_TABLES: Final[dict[str, Table]] = {"run": StepRun.__table__, "pause": Pause.__table__}
_AT_ONCE: Final = 2_000
#: Each move out of a step with a clock closed one run, in the same order.
_REASONS: Final = text("""
WITH runs AS (
    SELECT id, complaint_id, step_key, transition,
        row_number() OVER (PARTITION BY complaint_id ORDER BY id) AS n
    FROM step_run WHERE case_year = :year
), moves AS (
    SELECT e.complaint_id, e.from_step, e.transition, e.reason,
        row_number() OVER (PARTITION BY e.complaint_id ORDER BY e.id) AS n
    FROM case_event e JOIN sop_step s ON s.key = e.from_step AND s.clock
    WHERE e.kind = 'moved' AND e.complaint_id IN (SELECT complaint_id FROM runs)
)
UPDATE step_run SET reason = moves.reason FROM runs JOIN moves USING (complaint_id, n)
WHERE step_run.id = runs.id AND step_run.case_year = :year
    AND moves.from_step = runs.step_key AND moves.transition = runs.transition
""")


@dataclass(frozen=True)
class Attached:
    """What came back."""

    year: int
    runs: int
    pauses: int


def attach_runs(session: Session, read: Read, now: datetime) -> Attached:
    """Put a year of step records back where it was; the caller commits.

    Nobody opens a case again or takes out a year meanwhile. The caller has proved the office before.

    Raises:
        PartitionError: the lines are of no year that was taken out of this office, or do not fit
            what is here of it.
    """
    session.execute(TAKING_OUT)
    kept = _year_of(session, read)
    done = Attached(kept.year, kept.runs, kept.pauses)
    mine = StepRun.case_year == done.year
    if session.scalar(select(func.count()).where(mine)):
        raise PartitionError(f"there are step records of {done.year} here already")
    _load(session, read)
    _put_words(session, done)
    for model in (ArchivedPause, ArchivedRun):
        session.execute(delete(model).where(model.case_year == done.year))
    file, total = kept.file, kept.sha256
    session.delete(kept)
    session.flush()
    session.execute(ALONE)
    make_year_of_rows(session, "step_run", done.year)
    record(
        session,
        "runs_attached",
        actor_id=None,
        subject=f"year:{done.year}",
        detail={"runs": done.runs, "pauses": done.pauses, "sha256": total, "file": file},
        at=now,
    )
    return done


def _year_of(session: Session, read: Read) -> ArchivedYear:
    """The year that these very lines were taken out of."""
    total = hashlib.sha256()
    with read() as lines:
        for line in lines:
            total.update(line)
    found = select(ArchivedYear).where(ArchivedYear.sha256 == total.hexdigest())
    kept = session.scalars(found).one_or_none()
    if kept is None:
        raise PartitionError("the file holds no year that is archived of this office")
    return kept


def _load(session: Session, read: Read) -> None:
    """The rows under their own numbers, runs before the pauses that refer to them."""
    with read() as lines:
        rest = iter(lines)
        while some := list(islice(rest, _AT_ONCE)):
            for kind, table in _TABLES.items():
                if rows := list(_rows(some, kind, table)):
                    session.execute(insert(table), rows)


def _rows(lines: Iterable[bytes], kind: str, table: Table) -> Iterator[dict[str, Any]]:
    for line in lines:
        values = json.loads(line)
        if values.pop("row") == kind:
            values.pop("number", None)  # for who reads the file; the key of the case is there, too
            yield {name: _in(table, name, value) for name, value in values.items()}


def _in(table: Table, name: str, value: Any) -> Any:
    moment = isinstance(table.c[name].type, UTCDateTime) and value is not None
    return datetime.fromisoformat(value) if moment else value


def _put_words(session: Session, done: Attached) -> None:
    """What the file leaves out, from where it stayed."""
    put: Any = session.execute(_REASONS, {"year": done.year})
    noted: Any = session.execute(
        update(Pause)
        .where(Pause.id == ArchivedPause.id, ArchivedPause.case_year == done.year)
        .values(note=ArchivedPause.note)
        .execution_options(synchronize_session=False)
    )
    if not put.rowcount == done.runs == moves_of(session, done.year):
        raise PartitionError(f"the history of {done.year} is not that of the file")
    if noted.rowcount != done.pauses:
        raise PartitionError(f"the pauses of {done.year} are not those of the file")
