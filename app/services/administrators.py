"""The last active administrator stays: a listener that refuses every way to be without one.

An administrator is an active user who may edit users and roles and give any right. Pages, commands
and whatever else writes through a session meet the same rule, because it is asked when the change
is committed; of two administrators who switch each other off at the same moment one is refused.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import event, func, inspect, or_, select
from sqlalchemy.orm import Session, SessionTransaction

from app.models import Group, Permission, PermissionView, Role, Stamp, User, ViewMenu
from app.services.rights import GRANT_ANY
from app.sop.errors import RefusedError
from app.sop.text import N_

#: What an administrator holds, all of it.
ADMINISTERS: Final = (
    ("can_edit", "UserDBModelView"),
    ("can_edit", "RoleModelView"),
    GRANT_ANY,
)
MESSAGES: Final[dict[str, str]] = {
    "last_administrator": N_(
        "This would leave the panel without an active administrator. Appoint another one first."
    ),
}

_BEFORE: Final = "administrators_before"
_WATCHED: Final = {
    User: ("active", "roles", "groups"),
    Role: ("permissions", "user", "groups"),
    Group: ("roles", "users"),
}


def count_administrators(session: Session) -> int:
    """How many active users can administer rights at this moment."""
    query = select(func.count()).select_from(User).where(User.active.is_(True))
    for permission, view in ADMINISTERS:
        holding = (
            select(Role.id)
            .join(Role.permissions)
            .join(Permission, PermissionView.permission_id == Permission.id)
            .join(ViewMenu, PermissionView.view_menu_id == ViewMenu.id)
            .where(Permission.name == permission, ViewMenu.name == view)
        )
        query = query.where(
            or_(
                User.roles.any(Role.id.in_(holding)),
                User.groups.any(Group.roles.any(Role.id.in_(holding))),
            )
        )
    return session.scalar(query) or 0


def _watch(session: Session, flush_context: object, instances: object) -> None:
    """Count them before the first change that could take one away."""
    if _BEFORE in session.info or not _may_take_one(session):
        return
    # Whoever else is about to change rights waits here, and counts what we leave.
    session.execute(select(Stamp.id).with_for_update())
    session.info[_BEFORE] = count_administrators(session)


def _may_take_one(session: Session) -> bool:
    for item in session.deleted:
        if isinstance(item, User | Role | Group | PermissionView):
            return True
    for item in session.dirty:
        names = next((names for kind, names in _WATCHED.items() if isinstance(item, kind)), ())
        state: Any = inspect(item)
        if any(state.attrs[name].history.has_changes() for name in names):
            return True
    return False


def _refuse(session: Session) -> None:
    if _BEFORE not in session.info:
        session.flush()
    # None before: an office that never had one (an empty database) is not held up.
    if not session.info.get(_BEFORE):
        return
    session.flush()
    if count_administrators(session) == 0:
        raise RefusedError("last_administrator")


def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_BEFORE, None)


def install() -> None:
    """Put the listeners on every session; calling it twice changes nothing."""
    if not event.contains(Session, "before_flush", _watch):
        event.listen(Session, "before_flush", _watch)
        event.listen(Session, "before_commit", _refuse)
        event.listen(Session, "after_transaction_end", _forget)


install()
