"""Behind a PgBouncer in transaction mode no session is anybody's: what that forbids, and what helps.

The mark `pooled` sends other tests through the same PgBouncer.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from flask import Flask
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import create_app
from app.extensions import db
from app.models import User
from app.release import prepare
from config import ConfigError, load_settings
from tests.support import panel
from tests.support.pgbouncer import Pooler
from tests.support.postgres import Server
from tools.databases import engine_options

CLIENTS = 6
#: psycopg prepares a statement when it has seen it five times.
ROUNDS = 12


def many_at_once(url: str, **options: object) -> list[str]:
    """What `statement_timeout` is to clients that take turns at two sessions."""
    engine = create_engine(url, pool_size=CLIENTS, **options)
    start = Barrier(CLIENTS)

    def work(_number: int) -> list[str]:
        start.wait(30)
        found = []
        for _round in range(ROUNDS):
            with Session(engine) as session:
                session.execute(select(text("1")))
                found.append(str(session.scalar(text("SHOW statement_timeout"))))
                session.commit()
        return found

    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            return [word for done in pool.map(work, range(CLIENTS)) for word in done]
    finally:
        engine.dispose()


def test_prepared_statements_would_break(pooler: Pooler) -> None:
    def try_often() -> None:
        for _try in range(10):
            many_at_once(pooler.url("postgres"))

    with pytest.raises(DBAPIError) as caught:
        try_often()
    assert isinstance(
        caught.value.orig,
        psycopg.errors.DuplicatePreparedStatement | psycopg.errors.InvalidSqlStatementName,
    )


def test_start_up_options_are_refused(pooler: Pooler) -> None:
    options = engine_options(pooler.url("postgres"), b"")
    engine = create_engine(pooler.url("postgres"), **options)
    with pytest.raises(DBAPIError, match="options"):
        engine.connect()


def test_with_the_setting_both_are_left_out_and_every_statement_has_its_limit(
    pooler: Pooler,
) -> None:
    url = pooler.url("postgres")
    settings = load_settings(
        {"SECRET_KEY": "x" * 40, "DATABASE_URL": url, "DATABASE_DIRECT_URL": url}
    )
    found = many_at_once(url, **settings["SQLALCHEMY_ENGINE_OPTIONS"])
    assert set(found) == {"30s"}
    assert len(found) == CLIENTS * ROUNDS


def test_a_release_goes_past_it_and_leaves_nothing_set(
    pooler: Pooler, postgres: Server, shared_folder: Path
) -> None:
    name = postgres.create_database()
    app = create_app(panel.settings_for(shared_folder, pooler.url(name)))
    seen = ports_while_preparing(app)
    assert seen == {postgres.port}
    with app.app_context():
        assert db.engine.url.port == pooler.port
        assert db.session.scalar(select(User.username)) == "admin"
        limits = {db.session.scalar(text("SHOW statement_timeout")) for _ in range(5)}
        db.session.remove()
        db.engine.dispose()
    assert limits == {"30s"}
    postgres.drop_database(name)


def ports_while_preparing(app: Flask) -> set[int]:
    """The ports that the release step connects to."""
    seen: set[int] = set()

    def connected(connection: psycopg.Connection, _record: object) -> None:
        if isinstance(connection, psycopg.Connection):
            seen.add(connection.info.port)

    event.listen(Engine, "connect", connected)
    try:
        prepare(app)
    finally:
        event.remove(Engine, "connect", connected)
    return seen


def test_sqlite_has_no_pooler() -> None:
    with pytest.raises(ConfigError, match="DATABASE_DIRECT_URL"):
        load_settings({"SECRET_KEY": "x" * 40, "DATABASE_DIRECT_URL": "postgresql://u@h/o"})
