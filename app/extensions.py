"""The extensions, made once and bound to the application by `create_app`."""

from __future__ import annotations

import sqlite3
from contextvars import ContextVar
from typing import Any

from flask_appbuilder import Model
from flask_compress import Compress
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from app.services.audit import origin

# FAB's tables and ours share one metadata, else Alembic would want to drop one of them.
db = SQLAlchemy(metadata=Model.metadata)
migrate = Migrate()
csrf = CSRFProtect()
compress = Compress()

#: Whether what runs now may write: such a transaction takes SQLite's write lock at once, because a
#: reader that becomes a writer fails when another writer was faster, and waiting does not help it.
may_write: ContextVar[bool] = ContextVar("may_write", default=True)

#: How long a statement waits for another writer.
SQLITE_WAIT_SECONDS = 15


def only_reads() -> bool:
    """Whether a request is answered that must not change anything."""
    return not may_write.get() and bool(origin.get().request_id)


def begin_writing() -> None:
    """End the reading transaction of a request that turns out to write."""
    db.session.rollback()
    may_write.set(True)


@event.listens_for(Engine, "connect")
def _prepare_connection(connection: Any, record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    # SQLAlchemy's `begin` event below opens the transaction; the driver must not do it itself.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: a committed case survives a power cut, not only a crash of the program.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA busy_timeout={SQLITE_WAIT_SECONDS * 1000}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    writes = may_write.get()
    driver: Any = connection.connection.dbapi_connection
    held = only_reads()
    if connection.info.get("held", False) is not held:
        # As READ ONLY on PostgreSQL (`app.tracing`): the database itself keeps it to reading.
        driver.execute(f"PRAGMA query_only={'ON' if held else 'OFF'}")
        connection.info["held"] = held
    if writes:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    # Takes no lock, so it cannot fail for one: no need for SQLAlchemy's way around the driver.
    driver.execute("BEGIN")
