"""Nothing but `apply_transition` moves a complaint: a listener that refuses everything else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, inspect, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.models import CaseEvent, Complaint, StepRun
from app.sop.errors import SopError

#: The facts of a complaint that only the move itself may write.
MOVED_FIELDS = ("step_key", "step_since", "version")


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
    result = session.execute(
        update(Complaint)
        .where(
            Complaint.id == complaint.id,
            Complaint.version == version,
            Complaint.step_key == complaint.step_key,
        )
        .values(version=version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        session.expire(complaint)
        return False
    for name, value in {"version": version + 1, **values}.items():
        set_committed_value(complaint, name, value)
    if "step_key" in values:
        session.expire(complaint, ["step"])
    return True


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
