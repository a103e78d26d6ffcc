"""Making one report: from a job that a worker has taken to a file in the store.

Everything in a report is of one moment: it is read in one snapshot of the database, while the signs
of life are written in transactions of their own. Nothing is locked, nobody waits.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from app.models import ReportJob, User
from app.services.actor import Actor, load_actor
from app.services.calendar import load_calendar
from app.services.charts import due_dates
from app.services.papers.engine import render
from app.services.reports import jobs
from app.services.reports.duelist import HEADINGS, count_due, due_rows
from app.services.reports.files import (
    MOST_ROWS,
    Heading,
    list_file,
    recap_workbook,
)
from app.services.reports.paper import recap_frame, recap_paper
from app.services.reports.recap import PARTS, collect, due_table, recap_tables
from app.services.reports.register import count_register, fields, register_rows
from app.services.reports.rows import Cell
from app.services.reports.tables import Speech
from app.services.signatories import office_day
from app.services.statistics import Scope
from app.services.storage import Store, StoreError
from app.sop.definition import Sop
from app.sop.errors import NotAllowedError, RefusedError, SopError
from app.sop.text import N_

_NAMES: Final = {
    "recap": N_("recapitulation"),
    "register": N_("register"),
    "due": N_("legal-due-dates"),
}


class NotMineError(Exception):
    """The job was cancelled, or another worker has it."""


class StoppedError(Exception):
    """This worker is being stopped."""


@dataclass(frozen=True)
class Workshop:
    """What making a report needs of the application."""

    sop: Sop
    store: Store
    speech: Speech
    papers: Path | None
    demo: bool
    #: Opens a session that sees one moment of the database.
    snapshot: Callable[[], AbstractContextManager[Session]]
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class Task:
    """A job as it was claimed."""

    id: int
    kind: str
    format: str
    scope: Scope
    actor: Actor
    personal: bool
    confidential: bool


@contextmanager
def snapshot_of(engine: Engine, reading: Callable[[bool], None]) -> Iterator[Session]:
    """A session whose every statement sees the database as it was at the first one.

    `reading` says to the engine whether what begins now may write: on SQLite a reader takes no
    lock that officers would wait for.
    """
    connection = engine.connect()
    if engine.dialect.name == "postgresql":
        connection = connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    try:
        reading(True)
        with Session(connection) as session:
            session.connection()
            reading(False)
            yield session
    except BaseException:
        # Rows that nobody reads on to their end hang on it: on SQLite it could not write again.
        connection.invalidate()
        raise
    finally:
        reading(False)
        connection.close()


def load_task(session: Session, job_id: int) -> Task:
    """The job with its asker as he is now.

    Raises:
        NotAllowedError: he may not ask for reports any more.
        RefusedError: he may not see any more what he asked for.
    """
    job = session.get_one(ReportJob, job_id, populate_existing=True)
    user = session.get_one(User, job.user_id)
    actor = load_actor(session, user)
    if not user.is_active or not actor.can("can_add", jobs.VIEW):
        raise NotAllowedError("can_add")
    if not jobs.still_allowed(job, actor):
        raise RefusedError("report_not_allowed")
    return Task(
        job.id, job.kind, job.format, jobs.to_scope(job.params), actor,
        personal=job.personal, confidential=job.confidential,
    )  # fmt: skip


def make(
    session: Session,
    workshop: Workshop,
    job_id: int,
    worker: str,
    *,
    commit: Callable[[], None],
    stopping: Callable[[], bool] = lambda: False,
) -> bool:
    """Make the report of a claimed job; whether there is a file now.

    Every outcome is written down: done, failed with its reason, or queued again when this worker
    is stopped. What was cancelled meanwhile stays cancelled.
    """
    clock = workshop.clock

    def alive(done: int, total: int) -> None:
        if stopping():
            raise StoppedError
        mine = jobs.beat(session, job_id, worker, clock(), done, total)
        commit()
        if not mine:
            raise NotMineError

    def failed(code: str, **params: Any) -> bool:
        session.rollback()
        jobs.fail(session, job_id, worker, code, params, clock())
        commit()
        return False

    try:
        task = load_task(session, job_id)
        commit()
        with tempfile.TemporaryDirectory(prefix="aduan-report-") as folder:
            path = Path(folder) / f"report.{task.format}"
            _write(workshop, task, path, alive)
            return _keep(session, workshop, task, path, worker, commit)
    except NotMineError:
        session.rollback()
        return False
    except StoppedError:
        session.rollback()
        jobs.put_back(session, job_id, worker)
        commit()
        return False
    except NotAllowedError:
        return failed("report_not_allowed")
    except StoreError:
        return failed("report_no_store")
    except SopError as error:
        return failed(error.code, **{key: str(value) for key, value in error.params.items()})
    except Exception:
        failed("report_broke")
        raise


def _keep(
    session: Session,
    workshop: Workshop,
    task: Task,
    path: Path,
    worker: str,
    commit: Callable[[], None],
) -> bool:
    """Put the file into the store under a key that the database knows already."""
    key = jobs.choose_key(session, workshop.store, task.id, worker)
    commit()
    if key is None:
        return False
    workshop.store.put_file(key, path)
    done = jobs.finish(
        session,
        task.id,
        worker,
        file_name=file_name(task, workshop.speech),
        size=path.stat().st_size,
        now=workshop.clock(),
    )
    commit()
    if not done:  # cancelled at the last moment
        workshop.store.delete(key)
    return done


def file_name(task: Task, speech: Speech) -> str:
    """`rekapitulasi-2026-10-01-2026-10-31.pdf`."""
    scope = task.scope
    return f"{speech.say(_NAMES[task.kind])}-{scope.first}-{scope.last}.{task.format}"


Alive = Callable[[int, int], None]


def _write(workshop: Workshop, task: Task, path: Path, alive: Alive) -> None:
    alive(0, 0)
    with workshop.snapshot() as reader:
        {"recap": _recap, "register": _register, "due": _due}[task.kind](
            reader, workshop, task, path, alive
        )


def _recap(reader: Session, workshop: Workshop, task: Task, path: Path, alive: Alive) -> None:
    now, speech = workshop.clock(), workshop.speech
    found = collect(
        reader, workshop.sop, load_calendar(reader), task.scope, now=now,
        alive=lambda done: alive(done - 1, PARTS + 1),
    )  # fmt: skip
    tables = recap_tables(found, speech)
    data = recap_paper(
        reader, task.scope, tables, speech, by=task.actor.name, now=now, demo=workshop.demo
    )
    reader.rollback()  # drawing takes its time: no transaction stays open for it
    alive(PARTS, PARTS + 1)
    if task.format == "pdf":
        path.write_bytes(render("recap", data, folder=workshop.papers, now=now))
    else:
        recap_workbook(path, recap_frame(data), tables)


def _register(reader: Session, workshop: Workshop, task: Task, path: Path, alive: Alive) -> None:
    total = count_register(reader, task.scope, confidential=task.confidential)
    _refuse_long(task, total)
    columns, speech = fields(personal=task.personal), workshop.speech
    heading = Heading(
        [speech.say(column.label) for column in columns], [column.width for column in columns]
    )
    pieces = register_rows(
        reader, workshop.sop, task.scope, speech,
        personal=task.personal, confidential=task.confidential,
    )  # fmt: skip
    with list_file(
        path, task.format, heading, title=speech.say(N_("Register book")), language=speech.language
    ) as out:
        _copy(pieces, out.write, alive, total)


def _due(reader: Session, workshop: Workshop, task: Task, path: Path, alive: Alive) -> None:
    today, speech = office_day(workshop.clock()), workshop.speech
    total = count_due(reader, task.scope, confidential=task.confidential)
    _refuse_long(task, total)
    summary = due_table(due_dates(reader, task.scope, today=today), speech)
    heading = Heading(
        [speech.say(label) for label, _width in HEADINGS], [width for _label, width in HEADINGS]
    )
    pieces = due_rows(reader, task.scope, speech, today=today, confidential=task.confidential)
    with list_file(
        path,
        task.format,
        heading,
        title=speech.say(N_("List")),
        language=speech.language,
        before=(summary,),
    ) as out:
        _copy(pieces, out.write, alive, total)


def _copy(
    pieces: Iterator[list[list[Cell]]],
    write: Callable[[Sequence[Cell]], None],
    alive: Alive,
    total: int,
) -> None:
    done = 0
    for piece in pieces:
        for row in piece:
            write(row)
        done += len(piece)
        alive(done, max(total, done))


def _refuse_long(task: Task, rows: int) -> None:
    if task.format == "xlsx" and rows > MOST_ROWS:
        raise RefusedError("report_too_long", rows=rows)
