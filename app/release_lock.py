"""One release step at a time, however many servers start at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

from flask import current_app
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from app.extensions import db
from tools.databases import direct_options

#: Any number nobody else uses in this database: "ADUA" in ASCII.
_KEY: Final = 0x41445541
#: A migration of a large office takes minutes; who waits longer than this is told.
_WAIT_SECONDS: Final = 3600


@contextmanager
def one_at_a_time(engine: Engine) -> Iterator[None]:
    """Hold the release lock of a database; who comes second waits, then finds everything done.

    PostgreSQL: an advisory lock that a transaction of its own holds, so that it also works through
    a pooler in transaction mode and is gone with a killed server. SQLite: the exclusive lock of an
    empty database file beside the office's, which the system lets go with the process.

    Raises:
        DBAPIError: the database cannot be reached.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection, connection.begin():
            for name in ("lock_timeout", "statement_timeout"):
                connection.execute(text(f"SET LOCAL {name} = '{_WAIT_SECONDS}s'"))
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _KEY})
            yield
        return
    database = engine.url.database
    if not database or database == ":memory:":
        yield
        return
    lock = sqlite3.connect(f"{database}.release", timeout=_WAIT_SECONDS, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        lock.close()


@contextmanager
def past_the_pooler() -> Iterator[None]:
    """Reach the database by `DATABASE_DIRECT_URL`, if there is one, for as long as this lasts.

    A release sets what holds for a session (no time limit, for a migration of a large table), and a
    pooler in transaction mode has no sessions.
    """
    direct = current_app.config.get("DATABASE_DIRECT_URL")
    if not direct:
        yield
        return
    engines = cast(dict[str | None, Engine], db.engines)
    pooled = engines[None]
    db.session.remove()
    options = direct_options(current_app.config["SQLALCHEMY_ENGINE_OPTIONS"])
    engines[None] = create_engine(direct, **options)
    try:
        yield
    finally:
        db.session.remove()
        engines[None].dispose()
        engines[None] = pooled
