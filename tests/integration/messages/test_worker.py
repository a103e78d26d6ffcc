"""The worker as a program: killed in the middle of its work, it loses and doubles nothing."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli.messages import look, work_until
from app.models import Message, Office
from app.services.messages.mailer import Mailer
from app.services.messages.outbox import LEASE
from tests.support.outbox import work_once
from tests.support.programs import Start, commands
from tests.support.smtp_server import MailServer

MANY = 200


@pytest.fixture
def program(database_url: str, server: MailServer, tmp_path: Path) -> Iterator[Start]:
    """`program("worker")`: our command in a process of its own."""
    environment = {
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "DATABASE_URL": database_url,
        "SMTP_HOST": server.host,
        "SMTP_PORT": str(server.port),
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "Kantor <kantor@example.go.id>",
    }
    with commands(environment) as start:
        yield start


def states(session: Session) -> dict[str, str]:
    session.commit()
    session.expire_all()
    return {row.public_id: row.state for row in session.scalars(select(Message))}


@pytest.mark.both
def test_killed_in_the_middle_of_200_nothing_is_lost_or_doubled(
    session: Session, queue: Any, server: MailServer, program: Any, mailer: Mailer
) -> None:
    keys = queue(MANY)
    server.slow = 0.01
    workers = [program("worker"), program("worker")]
    server.wait_for(MANY // 4, 90)
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
    for worker in workers:
        assert worker.wait(30) == -signal.SIGKILL
    came = len(server.received)
    assert came < MANY, "the workers were not killed in the middle"
    server.slow = 0.0

    # Another worker comes when the dead ones' lease is over.
    later = datetime.now(UTC) + LEASE + timedelta(seconds=5)
    while work_once(session, mailer, "successor", later).handled:
        pass
    counts = Counter(server.keys())
    assert max(counts.values()) == 1, "a message came twice"
    now = states(session)
    unclear = {key for key, state in now.items() if state == "unclear"}
    assert len(unclear) <= len(workers)
    assert {key for key, state in now.items() if state == "sent"} == set(keys) - unclear
    assert set(counts) | unclear == set(keys), "a message was lost"


def test_asked_to_stop_it_finishes_what_it_has_in_hand(
    session: Session, queue: Any, server: MailServer, program: Any
) -> None:
    queue(60)
    server.slow = 0.02
    worker = program("worker")
    server.wait_for(5, 60)
    worker.send_signal(signal.SIGTERM)
    out, _err = worker.communicate(timeout=30)
    assert worker.returncode == 0
    assert "Worker stopped." in out
    found = Counter(states(session).values())
    assert found["sent"] == len(server.received)
    assert set(found) == {"sent", "queued"}


def test_sending_once_says_what_it_did(
    session: Session, queue: Any, server: MailServer, program: Any
) -> None:
    queue(25)
    server.on_rcpt = lambda address: "550 no" if address.startswith("a7@") else None
    process = program("messages", "send")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "sent: 24, to be tried again: 0, failed: 1, unclear: 0" in out


def test_without_a_mail_server_there_is_nothing_to_send(program: Any) -> None:
    process = program("messages", "send", SMTP_HOST="")
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "SMTP_HOST" in err


def test_without_a_mail_server_a_worker_still_makes_reports(program: Any) -> None:
    process = program("worker", SMTP_HOST="")
    assert process.stdout.readline() == "Worker started.\n"
    process.send_signal(signal.SIGTERM)
    out, _err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Worker stopped." in out


def test_a_server_that_is_away_is_told_and_the_password_is_not(
    queue: Any, program: Any, server: MailServer
) -> None:
    queue(1)
    process = program(
        "messages", "send", SMTP_USER="aduan", SMTP_PASSWORD="rahasia-surel"
    )  # the server has no AUTH
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert server.host in err
    assert "rahasia-surel" not in out + err
    assert "Traceback" not in err


def test_the_worker_beside_the_server_sends_and_stops(
    make_app: Any, session: Session, queue: Any, server: MailServer
) -> None:
    keys = queue(3)
    app = make_app(
        SMTP_HOST=server.host, SMTP_PORT=server.port, SMTP_SECURITY="none", MAIL_FROM="a@b.example"
    )
    stop = Event()
    thread = Thread(target=work_until, args=(app, stop), kwargs={"pause": 0.05})
    thread.start()
    try:
        server.wait_for(3)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    assert server.keys() == keys
    assert set(states(session).values()) == {"sent"}


def test_the_office_is_the_sender_unless_another_is_named(
    make_app: Any, session: Session, queue: Any, server: MailServer
) -> None:
    queue(1)
    office = session.scalars(select(Office)).one()
    office.email = "kantor@batang.example"
    session.commit()
    app = make_app(SMTP_HOST=server.host, SMTP_PORT=server.port, SMTP_SECURITY="none", MAIL_FROM="")
    with app.app_context():
        assert look("w").sent == 1
    assert server.received[0]["From"] == f"{office.name} <kantor@batang.example>"


def test_while_the_mail_server_takes_its_time_officers_can_write(
    make_app: Any, session: Session, queue: Any, server: MailServer, database_url: str
) -> None:
    """SQLite has one writer: the worker is none while it waits for an answer."""
    queue(2)
    found: list[str] = []

    def write(address: str) -> None:
        other = sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=0)
        try:
            other.execute("BEGIN IMMEDIATE")
            found.append("free")
        except sqlite3.OperationalError as error:
            found.append(str(error))
        finally:
            other.close()

    server.on_rcpt = server.on_data = write
    app = make_app(SMTP_HOST=server.host, SMTP_PORT=server.port, SMTP_SECURITY="none")
    with app.app_context():
        assert look("w").sent == 2
    assert found == ["free"] * 4


def test_looking_into_an_empty_outbox_takes_no_write_lock(
    make_app: Any, session: Session, server: MailServer, database_url: str
) -> None:
    """On SQLite a worker that only looks must not wait for an officer who writes, nor he for it."""
    app = make_app(SMTP_HOST=server.host, SMTP_PORT=server.port, SMTP_SECURITY="none")
    session.commit()
    writer = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with app.app_context():
        assert look("w").handled == 0
    assert time.monotonic() - began < 5
    writer.execute("ROLLBACK")
    writer.close()
