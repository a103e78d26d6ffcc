"""Files of a case for tests, and what an administrator takes from a role."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Complaint, Document, Role, StagedUpload, User
from app.services.storage import Store
from app.services.uploads import attach_staged, stage_upload
from tests.support import samples


def stage_file(
    session: Session, store: Store, officer: User, name: str = "baru.jpg", data: bytes = b""
) -> StagedUpload:
    """A file that an officer has uploaded, as yet of no case."""
    return stage_upload(
        session,
        store,
        user_id=officer.id,
        filename=name,
        data=data or samples.jpeg(),
        now=datetime.now(UTC),
    )


def attach_file(
    session: Session,
    store: Store,
    case: Complaint,
    officer: User,
    name: str = "kk.jpg",
    data: bytes = b"",
    **more: Any,
) -> Document:
    """A file of a case; `stage`, `kind_id`, `output_id` as in `attach_staged`."""
    staged = stage_file(session, store, officer, name, data)
    values: dict[str, Any] = {"stage": "requirement", **more}
    document = attach_staged(
        session, staged, complaint=case, user_id=officer.id, now=datetime.now(UTC), **values
    )
    session.commit()
    return document


def take_away(session: Session, role: str, permission: str, view: str) -> None:
    """What an administrator does in the role screen."""
    found = session.scalars(select(Role).where(Role.name == role)).one()
    found.permissions = [
        item
        for item in found.permissions
        if (item.permission.name, item.view_menu.name) != (permission, view)
    ]
    session.commit()
