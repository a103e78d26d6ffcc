"""Who acts: an officer and the permissions he holds right now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app.models import Group, Permission, PermissionView, Role, User, ViewMenu
from app.sop.errors import NotAllowedError

CASE_VIEW = "Complaint"


@dataclass(frozen=True)
class Actor:
    """An officer with the (permission, view) pairs his roles give him at this moment."""

    id: int | None
    name: str
    permissions: frozenset[tuple[str, str]]

    def can(self, permission: str, view: str = CASE_VIEW) -> bool:
        """True when a role of the officer holds the permission on the view."""
        return (permission, view) in self.permissions

    def can_any(self, permissions: Iterable[str], view: str = CASE_VIEW) -> bool:
        """True when at least one of the permissions is held."""
        return any(self.can(permission, view) for permission in permissions)

    def require(self, permission: str, view: str = CASE_VIEW) -> None:
        """Go on only with the permission.

        Raises:
            NotAllowedError: it is not held.
        """
        if not self.can(permission, view):
            raise NotAllowedError(permission)


def permissions_of(session: Session, user_id: int) -> frozenset[tuple[str, str]]:
    """All (permission, view) pairs of a user's roles, his groups' roles included, in one query."""
    return rights_of(session, user_id)[0]


def rights_of(session: Session, user_id: int) -> tuple[frozenset[tuple[str, str]], tuple[str, ...]]:
    """The permissions of a user and the names of the roles that are his own, in one query."""
    pairs = (
        select(Permission.name, ViewMenu.name)
        .select_from(PermissionView)
        .join(Permission, PermissionView.permission_id == Permission.id)
        .join(ViewMenu, PermissionView.view_menu_id == ViewMenu.id)
        .join(PermissionView.role)
    )
    direct = pairs.join(Role.user).where(User.id == user_id)
    through_group = pairs.join(Role.groups).join(Group.users).where(User.id == user_id)
    # A role's name stands in a row without a permission; no permission is without a name.
    names = select(literal(""), Role.name).join(Role.user).where(User.id == user_id)
    rows = session.execute(direct.union(through_group, names)).all()
    permissions = frozenset((permission, name) for permission, name in rows if permission)
    return permissions, tuple(sorted(name for permission, name in rows if not permission))


def load_actor(session: Session, user: User) -> Actor:
    """The actor behind a user row, for the command line and the demo."""
    return Actor(
        id=user.id, name=user.get_full_name(), permissions=permissions_of(session, user.id)
    )
