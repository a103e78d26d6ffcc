"""How transactions begin and end on PostgreSQL, with as few journeys to the server as there can be.

psycopg begins a transaction with a message of its own. In that same message a request's number is
set as `application_name`, so `pg_stat_activity` and the server's log tell which request it is; it
holds until the transaction ends, hence also through a pooler in transaction mode. In a request the
message goes out when the connection is taken from the pool, and so tells whether it still lives.

A request that only reads says so to the server, and ends with COMMIT: there is nothing to take back, and
psycopg forgets its prepared statements at each ROLLBACK, so that every statement of every page was
planned anew.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, Final

import psycopg
from psycopg.errors import error_from_result
from psycopg.generators import execute
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import Pool

from app.extensions import only_reads
from app.services.audit import origin

#: What a request's number may hold to stand in a statement as it is; `app.logs` lets no other in.
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
#: PostgreSQL keeps so many letters of a name.
_LONGEST: Final = 63


def begin_statement(plain: bytes, request_id: str, *, writes: bool = True) -> bytes:
    """BEGIN, with the request's number as the name of what runs.

    Args:
        plain: as psycopg would say it.
        request_id: "" for what is no request.
        writes: whether the transaction may change anything.
    """
    if not writes and b"READ ONLY" not in plain:
        plain += b" READ ONLY"
    if not _PLAIN.fullmatch(request_id):
        return plain
    name = f"aduan {request_id}"[:_LONGEST]
    return plain + f"; SET LOCAL application_name = '{name}'".encode()


def install() -> None:
    """For every connection to PostgreSQL; calling it twice changes nothing."""
    if not event.contains(Engine, "connect", _teach):
        event.listen(Engine, "connect", _teach)
        event.listen(Pool, "checkout", _is_alive)


def _teach(connection: Any, _record: Any) -> None:
    """Let a connection begin and end its transactions as the top of this module says."""
    if not isinstance(connection, psycopg.Connection):
        return
    # Not of psycopg's public interface: should they go, transactions merely have no name.
    plain = getattr(connection, "_start_query", None)
    begin = getattr(connection, "_get_tx_start_command", None)
    if plain is None or begin is None:
        return
    nothing_written = False

    def start() -> Generator[Any, Any, None]:
        nonlocal nothing_written
        number, held = origin.get().request_id, only_reads()
        idle = connection.pgconn.transaction_status == TransactionStatus.IDLE
        if connection.autocommit or not idle or connection._pipeline:
            nothing_written = nothing_written and not idle
            yield from plain()
            return
        connection.pgconn.send_query(begin_statement(begin(), number, writes=not held))
        for result in (yield from execute(connection.pgconn)):
            if result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result, encoding=connection.pgconn._encoding)
        nothing_written = held

    def rollback() -> None:
        end = psycopg.Connection.commit if nothing_written else psycopg.Connection.rollback
        end(connection)

    connection._start_query = start  # type: ignore[method-assign]
    connection.rollback = rollback  # type: ignore[method-assign]


def _is_alive(connection: Any, _record: Any, _fairy: Any) -> None:
    """Ask a connection that comes from the pool for a sign of life.

    Raises:
        InvalidatePoolError: it gave none; the pool then connects anew, and drops all of its age.
    """
    if not isinstance(connection, psycopg.Connection):
        return
    try:
        if origin.get().request_id and not connection.autocommit:
            # The beginning of what follows anyway. Others may still choose how theirs begins.
            with connection.lock:
                connection.wait(connection._start_query())
        else:
            before, connection.autocommit = connection.autocommit, True
            connection.execute("SELECT 1")
            connection.autocommit = before
    except psycopg.Error as error:
        raise InvalidatePoolError from error
