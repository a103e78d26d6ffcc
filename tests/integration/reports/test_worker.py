"""Many workers, dead workers, cancelled jobs: each report is made once, or honestly not at all."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from app.cli.reports import make_one, report_until, tidy, workshop
from app.models import ReportJob
from app.services.reports import jobs
from app.services.reports.jobs import Asked
from app.services.reports.making import make
from app.services.statistics import Scope
from app.services.storage import Store
from tests.support.panel import engine_of
from tests.support.programs import Start, commands
from tests.support.reports import fill_office, lines

YEAR = Scope(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def queue(session: Session, actor: Any) -> Callable[..., list[int]]:
    """`queue(3)`: so many register books wait."""

    def add(count: int = 1, kind: str = "register", format_: str = "csv") -> list[int]:
        found = []
        for number in range(count):
            who = actor(("petugas", "petugas2", "subkoordinator", "kepala")[number // 5])
            asked = Asked(kind, format_, YEAR, "id")
            found.append(jobs.ask_for(session, who, asked, now=datetime.now(UTC)).id)
        session.commit()
        return found

    return add


def states(session: Session) -> list[str]:
    session.commit()
    return list(session.scalars(select(ReportJob.state).order_by(ReportJob.id)))


@pytest.mark.pooled
@pytest.mark.both
def test_two_workers_take_one_job_once(app: Flask, session: Session, queue: Any) -> None:
    queue(1)
    barrier, taken = Barrier(2), []

    def work(name: str) -> None:
        with app.app_context():
            barrier.wait(20)
            taken.append(make_one(name))

    threads = [Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken) == [False, True] or states(session) == ["done"]
    assert session.scalars(select(ReportJob.attempts)).all() == [1]


@pytest.mark.both
def test_four_workers_share_twenty_jobs(
    app: Flask, session: Session, queue: Any, store: Store
) -> None:
    queue(20)
    stop = Event()
    threads = [
        Thread(target=report_until, args=(app, stop, f"w{n}"), kwargs={"pause": 0.02})
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 60
    while set(states(session)) != {"done"} and time.monotonic() < until:
        time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert states(session) == ["done"] * 20
    assert session.scalars(select(ReportJob.attempts)).all() == [1] * 20
    assert len(set(session.scalars(select(ReportJob.file_key)))) == 20 == len(list(store.keys()))


@pytest.mark.both
def test_cancelling_stops_it_within_a_piece(
    app: Flask, session: Session, queue: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.reports.rows.CHUNK", 10)
    fill_office(session, 1, 60)
    (job_id,) = queue(1)
    beats: list[int] = []
    before = jobs.beat

    def beat(session_: Session, *args: Any) -> bool:
        beats.append(args[3])
        if args[3] == 20:  # the officer presses the button
            with Session(engine_of(app)) as other:
                other.execute(update(ReportJob).values(state="cancelled"))
                other.commit()
        return before(session_, *args)

    monkeypatch.setattr(jobs, "beat", beat)
    with app.app_context():
        assert make_one("w")
    assert beats == [0, 10, 20]
    assert states(session) == ["cancelled"]
    assert session.get_one(ReportJob, job_id).file_key is None
    assert list(store.keys()) == []


@pytest.mark.both
def test_cancelled_at_the_last_moment_leaves_no_file(
    app: Flask, session: Session, queue: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(1)
    before = Store.put_file

    def put_file(self: Store, key: str, path: Path) -> None:
        before(self, key, path)
        with Session(engine_of(app)) as other:
            other.execute(update(ReportJob).values(state="cancelled"))
            other.commit()

    monkeypatch.setattr(Store, "put_file", put_file)
    with app.app_context():
        make_one("w")
        tidy()
    assert states(session) == ["cancelled"]
    assert list(store.keys()) == []


@pytest.fixture
def program(database_url: str, tmp_path: Path) -> Iterator[Start]:
    """`program("worker")`: our command in a process of its own."""
    environment = {
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "STORE_URL": str(tmp_path / "files"),
        "DATABASE_URL": database_url,
        "DEMO": "0",
    }
    with commands(environment) as start:
        yield start


def wait_for_progress(session: Session, job_id: int) -> ReportJob:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        session.commit()
        job = session.get_one(ReportJob, job_id, populate_existing=True)
        if job.state != "queued" and (job.progress or job.state == "done"):
            return job
        time.sleep(0.005)
    raise AssertionError("no worker began")


@pytest.mark.both
def test_killed_in_the_middle_another_worker_begins_again(
    app: Flask, session: Session, queue: Any, program: Any, store: Store
) -> None:
    fill_office(session, 1, 9_000, days=60)
    (job_id,) = queue(1)
    worker = program("worker")
    job = wait_for_progress(session, job_id)
    worker.send_signal(signal.SIGKILL)
    assert worker.wait(30) == -signal.SIGKILL
    session.commit()
    session.refresh(job)
    assert job.state == "running", "the worker was not killed in the middle"
    session.commit()
    # Nobody touches it while it may be alive; then another one takes it.
    with app.app_context():
        assert not make_one("early")
        session.execute(
            update(ReportJob).values(beat_at=datetime.now(UTC) - jobs.LEASE - timedelta(seconds=1))
        )
        session.commit()
        assert make_one("successor")
    session.refresh(job)
    assert (job.state, job.attempts) == ("done", 2)
    assert len(lines(store.get(job.file_key or ""))) == 9_001
    assert list(store.keys()) == [job.file_key]


@pytest.mark.both
def test_what_kills_its_workers_fails_at_last(app: Flask, session: Session, queue: Any) -> None:
    (job_id,) = queue(1)
    for _time in range(jobs.MOST_ATTEMPTS):
        now = datetime.now(UTC)
        jobs.recover(session, now + jobs.LEASE + timedelta(minutes=1))
        assert jobs.claim(session, "dies", now) == job_id
        session.commit()
    jobs.recover(session, datetime.now(UTC) + jobs.LEASE + timedelta(minutes=1))
    session.commit()
    job = session.get_one(ReportJob, job_id, populate_existing=True)
    assert (job.state, job.error) == ("failed", "report_worker_died")
    assert jobs.claim(session, "another", datetime.now(UTC)) is None


@pytest.mark.both
def test_a_worker_taken_for_dead_spoils_nothing(
    app: Flask, session: Session, queue: Any, store: Store
) -> None:
    """It wakes up when another one has made the report: its own file goes, the other's stays."""
    (job_id,) = queue(1)
    with app.app_context(), app.test_request_context():
        assert jobs.claim(session, "sleepy", datetime.now(UTC)) == job_id
        session.commit()
        session.execute(update(ReportJob).values(beat_at=datetime.now(UTC) - 2 * jobs.LEASE))
        session.commit()
        assert make_one("successor")
        made = make(session, workshop("id"), job_id, "sleepy", commit=session.commit)
    assert not made
    assert states(session) == ["done"]
    assert list(store.keys()) == session.scalars(select(ReportJob.file_key)).all()


def test_a_stopped_worker_puts_its_job_back(
    app: Flask, session: Session, queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.reports.rows.CHUNK", 10)
    fill_office(session, 1, 60)
    (job_id,) = queue(1)
    asked = iter([False, False, True])
    with app.app_context():
        make_one("w", stopping=lambda: next(asked, True))
    job = session.get_one(ReportJob, job_id, populate_existing=True)
    assert (job.state, job.attempts, job.worker) == ("queued", 0, "")


def test_a_fault_of_ours_is_said_and_does_not_end_the_worker(
    app: Flask, session: Session, queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(2)
    before, broken = jobs.choose_key, [True]

    def choose_key(*args: Any) -> Any:
        if broken:
            broken.clear()
            raise ZeroDivisionError
        return before(*args)

    monkeypatch.setattr(jobs, "choose_key", choose_key)
    stop = Event()
    thread = Thread(target=report_until, args=(app, stop, "w"), kwargs={"pause": 0.01})
    thread.start()
    until = time.monotonic() + 30
    while sorted(states(session)) != ["done", "failed"] and time.monotonic() < until:
        time.sleep(0.05)
    stop.set()
    thread.join(20)
    assert sorted(states(session)) == ["done", "failed"]
    errors = session.scalars(select(ReportJob.error).where(ReportJob.state == "failed")).all()
    assert errors == ["report_broke"]


def test_looking_for_work_writes_nothing(app: Flask, session: Session) -> None:
    session.commit()
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    engine = engine_of(app)
    event.listen(engine, "before_cursor_execute", note)
    try:
        with app.app_context():
            assert not make_one("w")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert [text.split()[0] for text in seen if not text.startswith("BEGIN")] == ["SELECT"]
    assert "BEGIN IMMEDIATE" not in seen


@pytest.mark.pooled
@pytest.mark.both
def test_a_report_is_of_one_moment(
    app: Flask, session: Session, queue: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case that comes in while the book is written is not half in it."""
    monkeypatch.setattr("app.services.reports.rows.CHUNK", 10)
    fill_office(session, 1, 30)
    (job_id,) = queue(1)
    before = jobs.beat

    def beat(session_: Session, *args: Any) -> bool:
        if args[3] == 10:
            with Session(engine_of(app)) as other:
                fill_office(other, 2, 5, first=900)
        return before(session_, *args)

    monkeypatch.setattr(jobs, "beat", beat)
    with app.app_context():
        assert make_one("w")
    job = session.get_one(ReportJob, job_id, populate_existing=True)
    assert (job.state, job.progress, job.total) == ("done", 30, 30)
    assert len(lines(store.get(job.file_key or ""))) == 31
