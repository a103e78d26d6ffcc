"""What a transition does besides moving the case; the SOP file names these."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.actor import Actor
from app.services.facts import current_checks, current_outputs
from app.services.prints import record_print
from app.sop.guards import EFFECTS

Effect = Callable[[Session, Complaint, Actor, datetime], None]


def new_round(session: Session, complaint: Complaint, actor: Actor, now: datetime) -> None:
    """The applicant answered: the same number, one round on, only the failed items open again."""
    complaint.round += 1
    for check in current_checks(session, complaint):
        failed = check.state in ("missing", "unreadable")
        check.reopened = failed
        if failed:
            check.state = "unchecked"


def reopen_case(session: Session, complaint: Complaint, actor: Actor, now: datetime) -> None:
    """A finished case starts again: every item may be looked at anew, papers are named anew."""
    complaint.round += 1
    complaint.answer = ""
    for check in current_checks(session, complaint):
        check.reopened = True


def record_printed(session: Session, complaint: Complaint, actor: Actor, now: datetime) -> None:
    """The officer says every paper came out well: papers without a print yet get a good one.

    A paper whose latest print was spoiled keeps its case here until it is printed again.
    """
    for output in current_outputs(session, complaint):
        if not output.prints:
            record_print(session, complaint, output, "good", actor, now=now)
    session.flush()


_EFFECTS: Final[dict[str, Effect]] = {
    effect.__name__: effect for effect in (new_round, reopen_case, record_printed)
}
assert set(_EFFECTS) == EFFECTS, "the SOP compiler and the services name different effects"


def run_effect(
    session: Session, name: str, complaint: Complaint, actor: Actor, now: datetime
) -> None:
    """Do what the SOP file's `effect` names."""
    _EFFECTS[name](session, complaint, actor, now)
    session.flush()
