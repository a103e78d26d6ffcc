"""Who may know of a case: the one row rule that lists, pages, actions and files share."""

from __future__ import annotations

from sqlalchemy import ColumnElement, true

from app.models import Complaint
from app.services.actor import Actor
from app.sop.errors import NotFoundError


def visible_cases(actor: Actor) -> ColumnElement[bool]:
    """The condition on `Complaint` that an actor's every query carries (invariant 7)."""
    if actor.can("see_confidential"):
        return true()
    return Complaint.confidential.is_(False)


def ensure_visible(actor: Actor, complaint: Complaint) -> None:
    """Go on only with a case the actor may know of.

    Raises:
        NotFoundError: he may not; the same error as for a case that does not exist.
    """
    if complaint.confidential and not actor.can("see_confidential"):
        raise NotFoundError("complaint", complaint.id)
