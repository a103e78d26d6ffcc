"""Nothing but `apply_transition` moves a complaint: a listener that refuses everything else.

The rows of a move are written here and nowhere else, by statements that are made once: a unit of
work over loaded objects costs several times what the statements themselves do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Update, bindparam, event, insert, inspect, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from app.models import CaseEvent, Complaint, SopStep, StepRun
from app.services.numbers import year_of
from app.sop.errors import SopError

#: The facts of a complaint that only the move itself may write.
MOVED_FIELDS = ("step_key", "step_since", "version")
#: What hangs on a fact that a move writes: read again when somebody looks at it.
_RELATIONS: Final = {"step_key": "step", "assignee_id": "assignee"}


class DirectMoveError(SopError):
    """Code tried to change where a complaint stands, or its past, behind the SOP's back."""

    def __init__(self, what: str) -> None:
        super().__init__("direct_move", what=what)


def claim_version(
    session: Session, complaint: Complaint, expected: int | None = None, **values: Any
) -> bool:
    """Take the next version of a complaint; of two officers exactly one gets it.

    A conditional UPDATE on id, version and step: the row lock makes the second wait, and then it
    matches no row. `values` (the new step, say) are written by the same statement.
    """
    session.flush()
    version = complaint.version if expected is None else expected
    written = {"version": version + 1, **values}
    result = session.execute(
        _claim(tuple(written)),
        {
            "of_id": complaint.id,
            "of_version": version,
            "of_step": complaint.step_key,
            **written,
        },
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        session.expire(complaint)
        return False
    for name, value in written.items():
        set_committed_value(complaint, name, value)
    if stale := [relation for name, relation in _RELATIONS.items() if name in values]:
        session.expire(complaint, stale)
    return True


def write_closed_run(session: Session, run_id: int, year: int, values: Mapping[str, Any]) -> None:
    """Freeze the one open run of a case of that year, as its move found it.

    Raises:
        DirectMoveError: it was closed before; a closed run is never written again.
    """
    result = session.execute(_CLOSE_RUN, {"of_id": run_id, "of_year": year, **values})
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        raise DirectMoveError("step_run")
    held = session.identity_map.get(identity_key(StepRun, run_id))
    if held is not None:
        session.expire(held)


def write_next_run(
    session: Session, complaint: Complaint, step_key: str, entered_at: datetime
) -> None:
    """Open the run of a step that has a clock; its standard is frozen by the same statement."""
    session.execute(
        _OPEN_RUN,
        {
            "complaint_id": complaint.id,
            "case_year": year_of(complaint.number),
            "step_key": step_key,
            "round": complaint.round,
            "entered_at": entered_at,
            "of_step": step_key,
        },
    )


def write_event(session: Session, values: Mapping[str, Any]) -> None:
    """Add one line to the history of a case."""
    session.execute(_ADD_EVENT, values)


_CASES: Final[Any] = Complaint.__table__
_RUNS: Final[Any] = StepRun.__table__
_EVENTS: Final[Any] = CaseEvent.__table__


@cache
def _claim(names: tuple[str, ...]) -> Update:
    """The conditional UPDATE that writes these columns."""
    return (
        update(_CASES)
        .where(
            _CASES.c.id == bindparam("of_id"),
            _CASES.c.version == bindparam("of_version"),
            _CASES.c.step_key == bindparam("of_step"),
        )
        .values({name: bindparam(name) for name in names})
    )


_CLOSE_RUN: Final = (
    update(_RUNS)
    .where(
        _RUNS.c.id == bindparam("of_id"),
        _RUNS.c.case_year == bindparam("of_year"),
        _RUNS.c.finished_at.is_(None),
    )
    .values(
        {
            name: bindparam(name)
            for name in (
                "started_at", "started_by_id", "finished_at", "finished_by_id", "transition",
                "reason", "wait_seconds", "work_seconds", "batch_size",
            )
        }
    )
)  # fmt: skip
# `inline`: nobody asks for the keys of the new rows.
_OPEN_RUN: Final = (
    insert(_RUNS)
    .values(
        {
            name: bindparam(name)
            for name in ("complaint_id", "case_year", "step_key", "round", "entered_at")
        }
        | {
            "reason": "",
            "batch_size": 1,
            "standard_minutes": select(SopStep.__table__.c.standard_minutes)
            .where(SopStep.__table__.c.key == bindparam("of_step"))
            .scalar_subquery(),
        }
    )
    .inline()
)
_ADD_EVENT: Final = insert(_EVENTS).inline()


def _refuse_direct_moves(session: Session, flush_context: object, instances: object) -> None:
    for item in session.dirty:
        if isinstance(item, Complaint):
            for name in MOVED_FIELDS:
                if inspect(item).attrs[name].history.has_changes():
                    raise DirectMoveError(f"complaint.{name}")
        elif isinstance(item, StepRun):
            finished: Any = inspect(item).attrs["finished_at"].history
            was_closed = finished.unchanged and finished.unchanged[0] is not None
            rewritten = finished.deleted and finished.deleted[0] is not None
            if (was_closed or rewritten) and session.is_modified(item):
                raise DirectMoveError("step_run")
        elif isinstance(item, CaseEvent) and session.is_modified(item):
            raise DirectMoveError("case_event")
    for item in session.deleted:
        if isinstance(item, Complaint | StepRun | CaseEvent):
            raise DirectMoveError(f"delete {type(item).__name__}")


def install() -> None:
    """Put the listener on every session; calling it twice changes nothing."""
    if not event.contains(Session, "before_flush", _refuse_direct_moves):
        event.listen(Session, "before_flush", _refuse_direct_moves)


install()
