"""Parcels of a case, officers who lack a permission, an officer at the dispatch desk."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Complaint, Dispatch, Role
from app.services.actor import Actor
from tests.support.forms import PageForm

DESK: Final = "/desk/"


def parcel_of(session: Session, case: Complaint) -> Dispatch:
    """The latest parcel of a case."""
    parcels = select(Dispatch).where(Dispatch.complaint_id == case.id)
    return session.scalars(parcels.order_by(Dispatch.id.desc()).limit(1)).one()


def without(actor: Actor, *permissions: str) -> Actor:
    """The same officer after an administrator took something from his role."""
    kept = frozenset(pair for pair in actor.permissions if pair[0] not in permissions)
    return Actor(actor.id, actor.name, kept)


def take_away(session: Session, role: str, permission: str, view: str) -> None:
    """What an administrator does in the role screen."""
    found = session.scalars(select(Role).where(Role.name == role)).one()
    found.permissions = [
        item
        for item in found.permissions
        if (item.permission.name, item.view_menu.name) != (permission, view)
    ]
    session.commit()


def fresh(session: Session, case: Complaint) -> Complaint:
    session.commit()
    session.expire_all()
    return session.get_one(Complaint, case.id)


def parcels(session: Session) -> int:
    session.commit()
    return session.scalar(select(func.count()).select_from(Dispatch)) or 0


class Window:
    """An officer at the desk."""

    def __init__(self, client: Any, post: Any) -> None:
        self.client, self._post = client, post

    def open(self, case: Complaint) -> PageForm:
        answer = self.client.get(DESK, query_string={"case": case.number})
        assert answer.status_code == 200
        return PageForm(answer.text, "desk")

    def send(self, case: Complaint, form: PageForm, **changes: Any) -> Any:
        data = form.sent(**changes)
        data.pop("csrf_token", None)
        return self._post(self.client, f"/desk/send/{case.id}", data)
