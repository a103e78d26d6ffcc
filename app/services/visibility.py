"""Who may know of a case: the one row rule that lists, pages, actions and files share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, True_, true

from app.models import Complaint
from app.services.actor import Actor
from app.sop.errors import NotFoundError


def visible_cases(actor: Actor) -> ColumnElement[bool]:
    """The condition on `Complaint` that an actor's every query carries (invariant 7)."""
    if actor.can("see_confidential"):
        return true()
    return Complaint.confidential.is_(False)


def visible_through(complaint: Any) -> Callable[[Actor], ColumnElement[bool]]:
    """The row rule of what belongs to a case: visible exactly when its case is.

    `complaint` is the model's relation, such as `Document.complaint`.
    """

    def rule(actor: Actor) -> ColumnElement[bool]:
        condition = visible_cases(actor)
        if isinstance(condition, True_):  # sees all: nothing to look up
            return condition
        through: ColumnElement[bool] = complaint.has(condition)
        return through

    return rule


def ensure_visible(actor: Actor, complaint: Complaint) -> None:
    """Go on only with a case the actor may know of.

    Raises:
        NotFoundError: he may not; the same error as for a case that does not exist.
    """
    if complaint.confidential and not actor.can("see_confidential"):
        raise NotFoundError("complaint", complaint.id)
