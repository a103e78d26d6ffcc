"""The release step of several servers that start at once: one does it, the others find it done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import create_engine, func, select

from app.models import Office, SopStep, User
from app.release_lock import one_at_a_time

ROOT = Path(__file__).resolve().parents[2]
SERVERS = 4


@pytest.mark.both
def test_servers_that_start_at_once_prepare_the_database_once(
    empty_database_url: str, tmp_path: Path
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DATABASE_URL": empty_database_url,
        "DEMO": "0",
        "SECRET_KEY": "the same key on every server of this office",
        "DATA_KEYS": str(tmp_path / "data_keys"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    servers = [
        subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", "release"],
            cwd=ROOT,
            env={**environment, "INSTANCE_PATH": str(tmp_path / f"server-{number}")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(SERVERS)
    ]
    said = [server.communicate(timeout=180) for server in servers]
    assert [server.returncode for server in servers] == [0] * SERVERS, said
    assert sum("Database upgraded." in out for out, _ in said) == 1
    assert sum("First administrator" in out for out, _ in said) == 1
    engine = create_engine(empty_database_url)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(User)) == 1
        assert connection.scalar(select(func.count()).select_from(Office)) == 1
        assert connection.scalar(select(func.count()).select_from(SopStep)) >= 6
    engine.dispose()


@pytest.mark.both
def test_the_second_waits_until_the_first_has_ended(database_url: str) -> None:
    engines = [create_engine(database_url) for _ in range(2)]
    order: list[str] = []
    inside = Event()

    def second() -> None:
        inside.wait(10)
        with one_at_a_time(engines[1]):
            order.append("second")

    waiting = Thread(target=second)
    waiting.start()
    with one_at_a_time(engines[0]):
        inside.set()
        waiting.join(0.5)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]
    for engine in engines:
        engine.dispose()


@pytest.mark.both
def test_a_release_that_failed_leaves_no_lock(database_url: str) -> None:
    engine = create_engine(database_url)
    with pytest.raises(ZeroDivisionError), one_at_a_time(engine):
        raise ZeroDivisionError
    with one_at_a_time(engine):
        held = True
    assert held
    engine.dispose()
