"""Jobs: asked for, taken by one worker at a time, cancelled, fetched, and thrown away.

queued → running → done | failed | cancelled. Each arrow is one committed UPDATE that writes only
what is still as it was: of two workers one gets a job, and a worker that was cancelled or taken
for dead finds at its next sign of life that the job is not his any more.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.models import ReportJob
from app.services.actor import Actor
from app.services.reports import FORMATS
from app.services.statistics import Scope
from app.services.storage import Store, delete_after_commit, new_key
from app.sop.errors import NotFoundError, RefusedError

VIEW: Final = "Report"
#: A finished report is kept so long.
LIFE: Final = timedelta(days=7)
#: What was asked for is remembered so long, without its file.
MEMORY: Final = timedelta(days=90)
#: After this long without a sign of life a worker counts as dead; no single table takes as long.
LEASE: Final = timedelta(minutes=5)
#: A job whose workers died so often is not begun again.
MOST_ATTEMPTS: Final = 3
#: Unfinished jobs of one officer.
MOST_OPEN: Final = 5
OPEN: Final = ("queued", "running")
_TOKEN: Final = re.compile(r"[\w-]{1,40}", re.ASCII)


@dataclass(frozen=True)
class Asked:
    """What somebody asks for."""

    kind: str
    format: str
    scope: Scope
    language: str


def personal_allowed(actor: Actor) -> bool:
    """Whether reports of this officer show whom the cases are about.

    A register full of personal data is more than one case: it asks for a permission of its own,
    besides the one to see personal data at all.
    """
    return actor.can("see_personal") and actor.can("see_personal", VIEW)


def ask_for(session: Session, actor: Actor, asked: Asked, *, now: datetime) -> ReportJob:
    """Put a report into the queue; what it may show is what the asker may see now.

    Raises:
        NotAllowedError: he may not ask for reports.
        RefusedError: there is no such report, or too many of his wait already.
    """
    actor.require("can_add", VIEW)
    if asked.format not in FORMATS.get(asked.kind, ()):
        raise RefusedError("report_unknown")
    waiting = session.scalar(
        select(func.count())
        .select_from(ReportJob)
        .where(ReportJob.user_id == actor.id, ReportJob.state.in_(OPEN))
    )
    if (waiting or 0) >= MOST_OPEN:
        raise RefusedError("report_too_many", count=waiting)
    with_people = asked.kind == "register"
    job = ReportJob(
        public_id=secrets.token_urlsafe(16),
        user_id=actor.id,
        kind=asked.kind,
        format=asked.format,
        language=asked.language,
        params=to_params(asked.scope),
        personal=with_people and personal_allowed(actor),
        confidential=asked.kind != "recap" and actor.can("see_confidential"),
        state="queued",
        requested_at=now,
        expires_at=now + LIFE,
    )
    session.add(job)
    session.flush()
    return job


def own_job(session: Session, public_id: str, actor: Actor) -> ReportJob:
    """A job of the officer; that of another is not there at all.

    Raises:
        NotFoundError: there is none for him.
    """
    if not _TOKEN.fullmatch(public_id):  # PostgreSQL would not even take a null byte
        raise NotFoundError("report")
    job = session.scalars(select(ReportJob).where(ReportJob.public_id == public_id)).first()
    if job is None or job.user_id != actor.id:
        raise NotFoundError("report")
    return job


def own_jobs(session: Session, actor: Actor, most: int) -> list[ReportJob]:
    """The officer's jobs, the latest first."""
    statement = (
        select(ReportJob)
        .where(ReportJob.user_id == actor.id)
        .order_by(ReportJob.requested_at.desc(), ReportJob.id.desc())
        .limit(most)
    )
    return list(session.scalars(statement))


def still_allowed(job: ReportJob, actor: Actor) -> bool:
    """Whether its officer may still see everything that the report shows."""
    if job.personal and not personal_allowed(actor):
        return False
    return not job.confidential or actor.can("see_confidential")


def open_report(job: ReportJob, actor: Actor, *, now: datetime) -> str:
    """The key of a report's file, for its own officer and as long as he may see what it shows.

    Raises:
        NotAllowedError: he may not fetch reports.
        RefusedError: it is not finished, thrown away, or shows what he may not see any more.
    """
    actor.require("can_download", VIEW)
    if job.state != "done":
        raise RefusedError("report_not_ready")
    if job.file_key is None or job.expires_at <= now:
        raise RefusedError("report_expired", days=LIFE.days)
    if not still_allowed(job, actor):
        raise RefusedError("report_not_allowed")
    return job.file_key


def cancel(session: Session, job: ReportJob, actor: Actor, *, now: datetime) -> None:
    """Give a report up; a worker that makes it notices before its next rows.

    Raises:
        NotAllowedError: he may not ask for reports.
        RefusedError: it is finished already.
    """
    actor.require("can_add", VIEW)
    values = {"state": "cancelled", "finished_at": now}
    if not _write(session, (ReportJob.id == job.id) & ReportJob.state.in_(OPEN), values):
        raise RefusedError("report_too_late")


# --- the worker's side ---


def job_waits(session: Session, now: datetime) -> bool:
    """Whether a worker has anything to do; only reads."""
    due = or_(
        ReportJob.state == "queued",
        and_(ReportJob.state == "running", ReportJob.beat_at < now - LEASE),
    )
    return session.scalar(select(ReportJob.id).where(due).limit(1)) is not None


def recover(session: Session, now: datetime) -> tuple[int, int]:
    """Take over from workers that died: how many are queued again, how many have failed."""
    dead = (ReportJob.state == "running") & (ReportJob.beat_at < now - LEASE)
    failed = _write(
        session,
        dead & (ReportJob.attempts >= MOST_ATTEMPTS),
        {"state": "failed", "error": "report_worker_died", "finished_at": now},
    )
    queued = _write(session, dead, {"state": "queued", "worker": "", "beat_at": None})
    return queued, failed


def claim(session: Session, worker: str, now: datetime) -> int | None:
    """Take the oldest waiting job for one worker; its id, his once it is committed.

    The key of the file is new at each attempt: a worker that was taken for dead may still write
    under the old one, and that file goes with the row's old key.
    """
    found = session.scalars(
        select(ReportJob.id)
        .where(ReportJob.state == "queued")
        .order_by(ReportJob.requested_at, ReportJob.id)
        .limit(1)
        # PostgreSQL: one that another worker is just taking is passed over. SQLite has one
        # writer at a time and needs no lock.
        .with_for_update(skip_locked=True)
    ).first()
    if found is None:
        return None
    return session.scalar(
        update(ReportJob)
        .where(ReportJob.id == found, ReportJob.state == "queued")
        .values(
            state="running",
            worker=worker,
            started_at=now,
            beat_at=now,
            progress=0,
            total=0,
            attempts=ReportJob.attempts + 1,
        )
        .returning(ReportJob.id)
        .execution_options(synchronize_session=False)
    )


def beat(session: Session, job_id: int, worker: str, now: datetime, done: int, total: int) -> bool:
    """A sign of life with how far it is; False when the job is not his any more (cancelled)."""
    values = {"beat_at": now, "progress": done, "total": total}
    return bool(_write(session, _mine(job_id, worker), values))


def choose_key(session: Session, store: Store, job_id: int, worker: str) -> str | None:
    """The key that the file of this attempt will have; what an earlier one left is removed.

    Committed before the file is written. None when the job is not his any more.
    """
    old = session.scalar(select(ReportJob.file_key).where(ReportJob.id == job_id))
    key = new_key()
    if not _write(session, _mine(job_id, worker), {"file_key": key}):
        return None
    if old is not None:
        delete_after_commit(session, store, [old])
    return key


def finish(
    session: Session, job_id: int, worker: str, *, file_name: str, size: int, now: datetime
) -> bool:
    """The file is there; False when the job was cancelled at the last moment."""
    values = {
        "state": "done",
        "finished_at": now,
        "expires_at": now + LIFE,
        "progress": ReportJob.total,
        "file_name": file_name,
        "size": size,
    }
    return bool(_write(session, _mine(job_id, worker), values))


def fail(
    session: Session, job_id: int, worker: str, error: str, params: dict[str, Any], now: datetime
) -> None:
    """It could not be made; the asker reads why."""
    values = {"state": "failed", "error": error, "error_params": params, "finished_at": now}
    _write(session, _mine(job_id, worker), values)


def put_back(session: Session, job_id: int, worker: str) -> None:
    """The worker is stopped in good order: another one begins again, none the worse for it."""
    values = {
        "state": "queued", "worker": "", "beat_at": None, "attempts": ReportJob.attempts - 1,
    }  # fmt: skip
    _write(session, _mine(job_id, worker), values)


def tidy_reports(session: Session, store: Store, now: datetime) -> int:
    """Throw away what nobody can fetch: expired reports, and what a cancelled one left behind.

    Answers how many files; the caller commits, and with that they go.
    """
    useless = or_(ReportJob.expires_at <= now, ReportJob.state.in_(("cancelled", "failed")))
    rows = session.execute(
        select(ReportJob.id, ReportJob.file_key).where(useless, ReportJob.file_key.is_not(None))
    ).all()
    if rows:
        _write(session, ReportJob.id.in_([row[0] for row in rows]), {"file_key": None})
        delete_after_commit(session, store, [row[1] for row in rows if row[1]])
    for job in session.scalars(select(ReportJob).where(ReportJob.requested_at < now - MEMORY)):
        if job.file_key is None and job.state not in OPEN:
            session.delete(job)
    return len(rows)


def to_params(scope: Scope) -> dict[str, Any]:
    """A scope as it is kept with a job; a report is always about all steps."""
    values = asdict(scope)
    del values["step_key"]
    return {**values, "first": scope.first.isoformat(), "last": scope.last.isoformat()}


def to_scope(params: dict[str, Any]) -> Scope:
    """The scope of a job."""
    days = {name: date.fromisoformat(params[name]) for name in ("first", "last")}
    return Scope(**{**params, **days})


def _mine(job_id: int, worker: str) -> Any:
    return and_(ReportJob.id == job_id, ReportJob.worker == worker, ReportJob.state == "running")


def _write(session: Session, condition: Any, values: dict[str, Any]) -> int:
    """A conditional UPDATE; how many rows were still as the condition says."""
    result = session.execute(
        update(ReportJob)
        .where(condition)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return int(result.rowcount)
