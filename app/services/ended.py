"""What is said to who would add to a case that has ended, or correct it: a way that is open, or none."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.archive import is_archived
from app.services.numbers import year_of
from app.sop.definition import Sop
from app.sop.errors import RefusedError
from app.sop.text import N_

MESSAGES: Final[dict[str, str]] = {
    "case_finished": N_("This case is finished; it can be reopened but not changed."),
    "case_over": N_(
        "This case has ended and is not opened again. If the applicant complains again, register it"
        " as a new complaint."
    ),
}
#: What the page of a case says by itself, so that nothing is said twice.
SAID_THERE: Final = frozenset({"case_archived", "case_erased"})


def why_ended(session: Session, sop: Sop, complaint: Complaint) -> RefusedError | None:
    """Why nothing is added to a case and nothing corrected; None while it goes on.

    What was erased, lies in an archive, or stands where the SOP knows no way out is not opened
    again, so nobody is sent to do that first.
    """
    step = sop.step(complaint.step_key)
    if step.kind != "end":
        return None
    if complaint.erased_at is not None:
        return RefusedError("case_erased")
    if is_archived(session, complaint):
        return RefusedError("case_archived", year=year_of(complaint.number))
    if not step.transitions:
        return RefusedError("case_over")
    return RefusedError("case_finished")


def require_going_on(session: Session, sop: Sop, complaint: Complaint) -> None:
    """Nothing is added to a case that has ended, and nothing in it is corrected.

    Raises:
        RefusedError: it has ended; the words name only a way that is open.
    """
    if (why := why_ended(session, sop, complaint)) is not None:
        raise why
