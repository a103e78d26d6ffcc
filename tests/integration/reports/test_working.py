"""Workers: one makes a job, a killed one loses nothing, a cancelled job stops, old files go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, select, update
from sqlalchemy.orm import Session

from app.cli.reports import make_one
from app.models import ReportJob
from app.services.reports import jobs
from app.services.storage import Store
from tests.support.reports import fill_office, lines

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def program(database_url: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`program("worker")`: our worker in a process of its own, without any mail server."""
    started: list[subprocess.Popen[str]] = []
    environment = {
        **{key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")},
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "STORE_URL": str(tmp_path / "files"),
        "DATABASE_URL": database_url,
        "SECRET_KEY": "signs nothing",
    }

    def start(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", *words],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def state_of(session: Session, job: ReportJob) -> str:
    session.commit()
    session.expire_all()
    return session.get_one(ReportJob, job.id).state


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


@pytest.mark.both
def test_a_worker_without_a_mail_server_makes_reports(
    session: Session, login: Any, ask: Any, program: Any
) -> None:
    fill_office(session, 3)
    job = ask(login("petugas"), "register.csv")
    worker = program("worker")
    until(lambda: state_of(session, job) == "done")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0


@pytest.mark.both
def test_of_two_workers_one_gets_a_job(
    session: Session, login: Any, ask: Any, database_url: str
) -> None:
    wanted = {ask(login("petugas"), "register.csv").id for _ in range(4)}
    session.commit()
    engine = create_engine(database_url)

    def take(number: int) -> int | None:
        with Session(engine) as mine:
            got = jobs.claim(mine, f"worker-{number}", datetime.now(UTC))
            mine.commit()
            return got

    with ThreadPoolExecutor(8) as pool:
        got = [found for found in pool.map(take, range(8)) if found is not None]
    engine.dispose()
    assert sorted(got) == sorted(wanted)


@pytest.mark.both
def test_a_job_of_a_killed_worker_is_taken_again(
    session: Session, login: Any, ask: Any, work: Callable[[], int], store: Store
) -> None:
    """The first worker has it and gives no sign of life any more, as after kill -9."""
    fill_office(session, 3)
    client = login("petugas")
    job = ask(client, "register.csv")
    now = datetime.now(UTC)
    assert jobs.claim(session, "dead", now - jobs.LEASE - timedelta(minutes=1)) == job.id
    session.commit()
    assert jobs.choose_key(session, store, job.id, "dead") is not None
    session.commit()
    assert work() == 1
    assert state_of(session, job) == "done"
    answer = client.get(f"/reports/{job.public_id}/file")
    assert len(lines(answer.data)) > 1
    # The dead one comes back: nothing is his any more.
    assert not jobs.beat(session, job.id, "dead", datetime.now(UTC), 1, 2)
    assert len(list(store.keys())) == 1


@pytest.mark.both
def test_killed_with_kill_9_in_the_middle(
    session: Session, login: Any, ask: Any, program: Any, work: Callable[[], int], store: Store
) -> None:
    fill_office(session, 3, count=400, days=20)
    client = login("petugas")
    job = ask(client, "register.xlsx")
    worker = program("worker")
    until(lambda: state_of(session, job) in ("running", "done"))
    worker.kill()
    worker.wait(30)
    if state_of(session, job) == "running":
        session.execute(
            update(ReportJob).values(beat_at=datetime.now(UTC) - jobs.LEASE - timedelta(minutes=1))
        )
        session.commit()
        assert work() == 1
    assert state_of(session, job) == "done"
    assert client.get(f"/reports/{job.public_id}/file").status_code == 200
    assert len(list(store.keys())) == 1


@pytest.mark.both
def test_a_job_that_kills_its_workers_fails_and_says_so(
    session: Session, login: Any, ask: Any, work: Callable[[], int]
) -> None:
    client = login("petugas")
    job = ask(client, "register.csv")
    late = datetime.now(UTC) - jobs.LEASE * 20
    for number in range(jobs.MOST_ATTEMPTS):
        now = late + number * 2 * jobs.LEASE
        jobs.recover(session, now)
        assert jobs.claim(session, f"dead-{number}", now) == job.id
        session.commit()
    assert work() == 0
    assert state_of(session, job) == "failed"
    page = client.get(f"/reports/{job.public_id}").text
    assert "gagal" in page.lower() or "tidak dapat" in page.lower()


@pytest.mark.both
def test_a_job_cancelled_while_it_is_made_stops_and_leaves_no_file(
    app: Flask, session: Session, login: Any, post: Any, ask: Any, store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fill_office(session, 3)
    client = login("petugas")
    job = ask(client, "register.csv")
    real, job_id = jobs.beat, job.id

    def cancelled_meanwhile(mine: Session, *rest: Any) -> bool:
        """As if the officer's request had come just before this sign of life."""
        mine.execute(
            update(ReportJob)
            .where(ReportJob.id == job_id, ReportJob.state == "running")
            .values(state="cancelled", finished_at=datetime.now(UTC))
        )
        return real(mine, *rest)

    monkeypatch.setattr(jobs, "beat", cancelled_meanwhile)
    session.commit()
    with app.app_context():
        assert make_one("w")
    assert state_of(session, job) == "cancelled"
    assert list(store.keys()) == []
    assert client.get(f"/reports/{job.public_id}/file").status_code in (303, 404, 409)


def test_progress_is_shown_and_told_to_the_script(session: Session, login: Any, ask: Any) -> None:
    client = login("petugas")
    job = ask(client, "register.csv")
    now = datetime.now(UTC)
    jobs.claim(session, "w", now)
    assert jobs.beat(session, job.id, "w", now, 3, 10)
    session.commit()
    page = client.get(f"/reports/{job.public_id}").text
    assert "30" in page
    assert "<progress" in page or "progressbar" in page


def test_old_files_are_thrown_away_with_their_rows_files_first_gone_after_commit(
    session: Session, login: Any, ask: Any, work: Callable[[], int], store: Store
) -> None:
    job = ask(login("petugas"), "register.csv")
    work()
    assert len(list(store.keys())) == 1
    later = datetime.now(UTC) + jobs.LIFE + timedelta(hours=1)
    jobs.tidy_reports(session, store, later)
    assert len(list(store.keys())) == 1  # not before the commit
    session.commit()
    assert list(store.keys()) == []
    assert session.scalars(select(ReportJob.id).where(ReportJob.id == job.id)).all() == [job.id]
