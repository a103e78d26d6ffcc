"""Years of step records in an archive (PostgreSQL): how they are taken out, and what knows of it.

A year goes when its cases have ended for good: from then on none of them is opened again. What the
numbers count of each run stays (`archived_run`), the history of the case stays, its clocks are in the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    String,
    Table,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session

from app.models import (
    ArchivedPause,
    ArchivedRun,
    ArchivedYear,
    CaseEvent,
    Complaint,
    Pause,
    SopStep,
    StepRun,
)
from app.services.audit import record
from app.services.calendar import OFFICE_ZONE
from app.services.numbers import year_of
from app.services.partitions import Partition, PartitionError, is_partitioned, partitions
from app.sop.errors import RefusedError
from app.sop.text import N_

#: So long after the last of its cases ended: what was closed by mistake has been opened again by then.
REST: Final = timedelta(days=365)
MESSAGES: Final[dict[str, str]] = {
    "case_archived": N_(
        "The step times of the cases of %(year)s are in the archive; they are not opened again. If the"
        " applicant complains again, register it as a new complaint."
    ),
    "archive_goes_on": N_(
        "Old step times are being taken to or from the archive. Open the case again in a few minutes."
    ),
}
#: One who takes out, or several who open again.
TAKING_OUT: Final = text("SELECT pg_advisory_xact_lock(720017)")
_OPENING: Final = text("SELECT pg_try_advisory_xact_lock_shared(720017)")
#: To drop a part is to change every table that it refers to. They are had all at once or not at all,
#: and waited for less long than it takes to notice a deadlock.
ALONE: Final = text("""
DO $$
DECLARE usual text := current_setting('lock_timeout');
BEGIN
    FOR attempt IN 1 .. 20 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '400ms', true);
            LOCK TABLE ab_user, complaint, sop_step, step_run, pause IN ACCESS EXCLUSIVE MODE;
            PERFORM set_config('lock_timeout', usual, true);
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.3);
        END;
    END LOOP;
    RAISE lock_not_available USING MESSAGE = 'the tables are busy';
END $$
""")
_RUNS: Final[Table] = StepRun.__table__
_PAUSES: Final[Table] = Pause.__table__
#: What stays out of the file: the reason stands in the history, the note with the archived pause, and
#: both go when retention takes them.
_WORDS: Final = ("reason", "note")


def archived_years(session: Session) -> tuple[int, ...]:
    """The years whose step records are in an archive.

    SQLite takes none out, but an office may have come to it with a backup of PostgreSQL.
    """
    return tuple(session.scalars(select(ArchivedYear.year).order_by(ArchivedYear.year)))


def require_not_archived(session: Session, complaint: Complaint) -> None:
    """Who would open an ended case again asks this first; no year is taken out until he is done.

    Raises:
        RefusedError: its step records are in an archive, or a year is taken out at this moment.
    """
    # To wait for it would be to hold what it needs at its end.
    if is_partitioned(session) and not session.scalar(_OPENING):
        raise RefusedError("archive_goes_on")
    if is_archived(session, complaint):
        raise RefusedError("case_archived", year=year_of(complaint.number))


def is_archived(session: Session, complaint: Complaint) -> bool:
    """Whether a case is of a year whose step records are in an archive."""
    year = year_of(complaint.number)
    return session.get(ArchivedYear, year) is not None


def in_archived_year(number: Any) -> ColumnElement[bool]:
    """The same as a part of a statement that reads the case anyway."""
    of_year = literal("%-") + cast(ArchivedYear.year, String) + "-%"
    found: ColumnElement[bool] = exists().where(number.like(of_year))
    return found


def of_years(years: tuple[int, ...]) -> ColumnElement[bool]:
    """The cases of these years."""
    return or_(*(Complaint.number.like(f"%-{year:04d}-%") for year in years))


def count_archived(session: Session, *conditions: Any) -> int:
    """How many of some cases have their step records in an archive."""
    years = archived_years(session)
    if not years:
        return 0
    statement = select(func.count(Complaint.id)).where(of_years(years), *conditions)
    return session.scalar(statement) or 0


def touches_archive(session: Session, start: datetime, end: datetime) -> bool:
    """Whether a run that was archived may have lain in a stretch of time."""
    during = (ArchivedYear.first_at < end, ArchivedYear.last_at >= start)
    return session.scalar(select(ArchivedYear.year).where(*during).limit(1)) is not None


def detach_runs(
    session: Session, name: str, now: datetime, write: Callable[[Iterator[bytes]], None], place: str
) -> ArchivedYear:
    """Take the oldest year of step records out; the caller commits once the archive is safe.

    `write` gets the rows as JSON lines and returns when they are on disk. `place` is the archive's name.
    The caller has proved the whole office before (`verify`).

    Raises:
        PartitionError: not the oldest, or one of its cases may still move, or its walk is not whole.
    """
    session.execute(TAKING_OUT)
    part = _oldest(session, name, now)
    # Readers go on. Nothing writes a run of an ended case, but this cannot be too sure.
    session.execute(text(f"LOCK TABLE {name} IN SHARE MODE"))  # its name is of the catalogue
    year = part.year
    assert year is not None
    _require_at_rest(session, year, now)
    total = hashlib.sha256()
    mine = _RUNS.c.case_year == year
    runs, first, last = session.execute(
        select(func.count(), func.min(_RUNS.c.entered_at), func.max(_RUNS.c.finished_at)).where(
            mine
        )
    ).one()
    pauses = select(func.count()).select_from(_PAUSES.join(_RUNS, _of_run())).where(mine)
    kept = ArchivedYear(
        year=year, at=now, first_at=first, last_at=last, runs=runs,
        pauses=session.scalar(pauses), file=place, sha256="",
    )  # fmt: skip
    write(_lines(session, year, total))
    kept.sha256 = total.hexdigest()
    session.add(kept)
    session.flush()
    _keep(session, year)
    session.execute(
        delete(_PAUSES).where(_PAUSES.c.step_run_id.in_(select(_RUNS.c.id).where(mine)))
    )
    session.execute(ALONE)
    session.execute(text(f"ALTER TABLE step_run DETACH PARTITION {name}"))
    session.execute(text(f"DROP TABLE {name}"))
    record(
        session,
        "runs_archived",
        actor_id=None,
        subject=f"year:{year}",
        detail={"runs": runs, "pauses": kept.pauses, "sha256": kept.sha256, "file": place},
        at=now,
    )
    return kept


def _oldest(session: Session, name: str, now: datetime) -> Partition:
    parts = partitions(session, "step_run")
    part = next((item for item in parts if item.name == name), None)
    if part is None:
        raise PartitionError(f"the step records have no partition {name!r}")
    if part.year is None or part.year >= now.astimezone(OFFICE_ZONE).year:
        raise PartitionError(f"{name} goes on; only years that have ended are taken out")
    if older := [item.name for item in parts[: parts.index(part)] if item.rows]:
        raise PartitionError(f"{older[0]} is older; years are taken out in their order")
    if not part.rows:
        raise PartitionError(f"{name} is empty")
    return part


def _require_at_rest(session: Session, year: int, now: datetime) -> None:
    """Every case of the year has ended, long ago, and each of its moves has its run."""
    cases = of_years((year,))
    ends = session.execute(
        select(Complaint.number)
        .join(SopStep, SopStep.key == Complaint.step_key)
        .where(cases, or_(SopStep.kind != "end", Complaint.closed_at.is_(None)))
        .order_by(Complaint.number)
        .limit(1)
    ).scalar_one_or_none()
    if ends is not None:
        raise PartitionError(f"{ends} has not ended")
    last = session.scalar(select(func.max(Complaint.closed_at)).where(cases))
    if last is not None and last > now - REST:
        raise PartitionError(
            f"the last case of {year} ended on {last.astimezone(OFFICE_ZONE):%Y-%m-%d}; wait until"
            f" {REST.days} days after it, since a case closed by mistake may be opened again"
        )
    moved = moves_of(session, year)
    closed = select(func.count()).where(
        _RUNS.c.case_year == year, _RUNS.c.work_seconds.is_not(None)
    )
    every = select(func.count()).where(_RUNS.c.case_year == year)
    if not moved == session.scalar(closed) == session.scalar(every):
        raise PartitionError(f"the cases of {year} are no whole walks; `flask verify` names them")


def moves_of(session: Session, year: int) -> int:
    """How often cases of a year left a step that has a clock: so many runs they have."""
    statement = (
        select(func.count())
        .select_from(CaseEvent)
        .join(Complaint, Complaint.id == CaseEvent.complaint_id)
        .join(SopStep, SopStep.key == CaseEvent.from_step)
        .where(CaseEvent.kind == "moved", SopStep.clock, of_years((year,)))
    )
    return session.scalar(statement) or 0


def _keep(session: Session, year: int) -> None:
    """What the numbers count, and the pauses; both tables refer to the case."""
    names = [column.key for column in ArchivedRun.__table__.columns]
    runs = select(*(_RUNS.c[name] for name in names)).where(_RUNS.c.case_year == year)
    session.execute(insert(ArchivedRun).from_select(names, runs.order_by(_RUNS.c.finished_at)))
    pauses = select(
        _PAUSES.c.id, _RUNS.c.complaint_id, _RUNS.c.case_year, _RUNS.c.step_key, _PAUSES.c.reason,
        _PAUSES.c.note, _PAUSES.c.from_at, _PAUSES.c.to_at,
    ).select_from(_PAUSES.join(_RUNS, _of_run())).where(_RUNS.c.case_year == year)  # fmt: skip
    names = ["id", "complaint_id", "case_year", "step_key", "reason", "note", "from_at", "to_at"]
    session.execute(insert(ArchivedPause).from_select(names, pauses))


def _of_run() -> ColumnElement[bool]:
    return _PAUSES.c.step_run_id == _RUNS.c.id


def _lines(session: Session, year: int, total: Any) -> Iterator[bytes]:
    """Runs with the number of their case, then pauses; each line says which it is."""
    runs = (
        select(Complaint.number, *(column for column in _RUNS.c if column.name not in _WORDS))
        .join_from(_RUNS, Complaint, Complaint.id == _RUNS.c.complaint_id)
        .where(_RUNS.c.case_year == year)
        .order_by(_RUNS.c.id)
    )
    pauses = (
        select(*(column for column in _PAUSES.c if column.name != "note"))
        .join_from(_PAUSES, _RUNS, _of_run())
        .where(_RUNS.c.case_year == year)
        .order_by(_PAUSES.c.id)
    )
    for kind, statement in (("run", runs), ("pause", pauses)):
        for row in session.execute(statement.execution_options(yield_per=2_000)):
            values = {name: _out(value) for name, value in row._mapping.items()}
            line = json.dumps({"row": kind, **values}, ensure_ascii=False).encode() + b"\n"
            total.update(line)
            yield line


def _out(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value
