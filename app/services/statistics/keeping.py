"""Keeping the roll-up exact: what a transaction did is added when it commits, in one statement.

Facts are noted where they happen and written at the very end, sorted by cell: these rows are
locked after all others and always in the same order, so that no two transactions can wait for each
other crosswise. A rolled-back savepoint takes its notes with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from app.services.statistics.cells import add_cells, collect
from app.services.statistics.facts import Fact

_PENDING: Final = "statistics"


def note(session: Session, facts: Iterable[Fact], sign: int = 1) -> None:
    """Count facts (or, with -1, take back what was counted) when the transaction commits."""
    chain = tuple(_open_savepoints(session))
    pending = session.info.setdefault(_PENDING, [])
    pending.extend((chain, fact, sign) for fact in facts)


def write(session: Session) -> None:
    """Add everything noted so far to its cells."""
    pending = session.info.pop(_PENDING, None)
    if not pending:
        return
    cells = collect((fact, sign) for _chain, fact, sign in pending)
    if cells:
        add_cells(session, cells)


def _open_savepoints(session: Session) -> Iterable[SessionTransaction]:
    transaction = session.get_nested_transaction()
    while transaction is not None:
        yield transaction
        transaction = transaction.parent


def _before_commit(session: Session) -> None:
    if not session.in_nested_transaction():
        # What is not flushed yet may still be refused: its facts are written after it.
        session.flush()
        write(session)


def _after_soft_rollback(session: Session, ended: SessionTransaction) -> None:
    pending: list[Any] | None = session.info.get(_PENDING)
    if not pending:
        return
    if ended.nested:
        kept = [entry for entry in pending if ended not in entry[0]]
        session.info[_PENDING] = kept
    elif ended.parent is None:
        session.info.pop(_PENDING, None)


def install() -> None:
    """Put the listeners on every session; calling it twice changes nothing."""
    if not event.contains(Session, "before_commit", _before_commit):
        event.listen(Session, "before_commit", _before_commit)
        event.listen(Session, "after_soft_rollback", _after_soft_rollback)


install()
