"""Who saw somebody's numbers in full, and why: written to the audit log."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.actor import Actor
from app.services.audit import record
from app.services.visibility import ensure_visible
from app.sop.errors import RefusedError
from app.sop.text import N_

#: Letters of a reason: "KK", "ok" and dots are none.
LEAST: Final = 5
MOST: Final = 200
MESSAGES: Final[dict[str, str]] = {
    "reveal_reason": N_("Write in a few words why you need the numbers in full."),
}
KIND: Final = "personal_data_revealed"
FIELDS: Final = "nik kk_number phone email address"


def note_reveal(session: Session, complaint: Complaint, actor: Actor, reason: str) -> None:
    """Log that an officer opens the numbers of a case; the caller commits before he shows them.

    Raises:
        NotAllowedError, NotFoundError: not his to open, or not his to know of.
        RefusedError: no reason.
    """
    actor.require("see_personal")
    actor.require("can_reveal")
    ensure_visible(actor, complaint)
    words = " ".join(reason.split())
    if sum(letter.isalnum() for letter in words) < LEAST:
        raise RefusedError("reveal_reason")
    record(
        session,
        KIND,
        actor_id=actor.id,
        subject=f"complaint:{complaint.number}",
        detail={"field": FIELDS, "reason": words[:MOST]},
    )


def may_compare(actor: Actor) -> bool:
    """Whether a step's form may show the numbers that its officer compares."""
    return actor.can("see_personal") and actor.can("can_reveal")


def step_revealed(number: str, step: str) -> tuple[str, str, dict[str, str]]:
    """What the log is told when a step's form shows the numbers of a case to be compared."""
    return KIND, f"complaint:{number}", {"field": FIELDS, "reason": f"step {step}"}


def form_revealed(subject: str, form: str, fields: str = FIELDS) -> tuple[str, str, dict[str, str]]:
    """What the log is told when a form opens with somebody's data in full, to be worked on.

    No reason is asked for there: which form it was is the reason.
    """
    return KIND, subject, {"field": fields, "reason": f"form {form}"}
