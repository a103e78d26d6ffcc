"""The number of a request in the database: `pg_stat_activity` and its log tell which request it is.

psycopg begins a transaction with a message of its own; the name is set in that same message, so it
costs no statement and no journey. It holds until the transaction ends, hence also through a pooler
in transaction mode.
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

from app.services.audit import origin

#: What a request's number may hold to stand in a statement as it is; `app.logs` lets no other in.
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
#: PostgreSQL keeps so many letters of a name.
_LONGEST: Final = 63


def begin_statement(plain: bytes, request_id: str) -> bytes:
    """BEGIN, with the request's number as the name of what runs."""
    if not _PLAIN.fullmatch(request_id):
        return plain
    name = f"aduan {request_id}"[:_LONGEST]
    return plain + f"; SET LOCAL application_name = '{name}'".encode()


def install() -> None:
    """Name the transactions of every connection to PostgreSQL; calling it twice changes nothing."""
    if not event.contains(Engine, "connect", _name_transactions):
        event.listen(Engine, "connect", _name_transactions)


def _name_transactions(connection: Any, _record: Any) -> None:
    if not isinstance(connection, psycopg.Connection):
        return
    # Not of psycopg's public interface: should they go, transactions merely have no name.
    plain = getattr(connection, "_start_query", None)
    begin = getattr(connection, "_get_tx_start_command", None)
    if plain is None or begin is None:
        return

    def start() -> Generator[Any, Any, None]:
        number = origin.get().request_id
        idle = connection.pgconn.transaction_status == TransactionStatus.IDLE
        if not number or connection.autocommit or not idle or connection._pipeline:
            yield from plain()
            return
        connection.pgconn.send_query(begin_statement(begin(), number))
        for result in (yield from execute(connection.pgconn)):
            if result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result, encoding=connection.pgconn._encoding)

    connection._start_query = start  # type: ignore[method-assign]
