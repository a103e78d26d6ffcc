"""When the database changes hands: which connections are worthless, and what is not known.

After a failover a pool holds connections to a server that only reads, is going down, or is gone.
Whatever shows one of them drops it and all others of its age, so that the next request connects
anew: to the first of the hosts in `DATABASE_URL` that takes writes (ADR 0034).
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

#: It only reads; it was told to go, broke down, or is starting; the line to it broke.
WORTHLESS: Final = frozenset(
    {"25006", "57P01", "57P02", "57P03", "08000", "08001", "08003", "08006", "08P01"}
)
#: Whether the last that was begun on the way to a database was the end of a transaction.
_ending: Final[ContextVar[bool]] = ContextVar("ending", default=False)


@event.listens_for(Engine, "handle_error")
def _drop_worthless(context: ExceptionContext) -> None:
    state = getattr(context.original_exception, "sqlstate", None)
    if context.connection is not None and state in WORTHLESS:
        context.is_disconnect = True


@event.listens_for(Engine, "begin")
def _begins(_connection: Connection) -> None:
    _ending.set(False)


@event.listens_for(Engine, "commit")
def _ends(_connection: Connection) -> None:
    _ending.set(True)


def is_unsure(error: SQLAlchemyError) -> bool:
    """Whether nobody knows if a transaction was committed: the line broke before the answer came."""
    return (
        isinstance(error, DBAPIError)
        and error.connection_invalidated
        and error.statement is None
        and _ending.get()
    )
