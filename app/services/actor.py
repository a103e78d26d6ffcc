"""Who acts: an officer and the permissions he holds right now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import literal, or_, select
from sqlalchemy.orm import Session

from app.models import Group, Permission, PermissionView, Role, RoleRule, User, ViewMenu
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
    return rights_of(session, user_id).permissions


class Rights(NamedTuple):
    """What a user may do, through which roles of his own, and whether one demands two factors."""

    permissions: frozenset[tuple[str, str]]
    role_names: tuple[str, ...]
    #: Whether a role of his, his own or his groups', demands a second factor at sign-in.
    second_factor: bool


def rights_of(session: Session, user_id: int) -> Rights:
    """The rights of a user, in one query."""
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
    # So does what a role demands, without even a name.
    demands = (
        select(literal(""), literal(""))
        .select_from(RoleRule)
        .join(Role, Role.id == RoleRule.role_id)
        .where(
            RoleRule.second_factor.is_(True),
            or_(
                Role.user.any(User.id == user_id),
                Role.groups.any(Group.users.any(User.id == user_id)),
            ),
        )
    )
    rows = session.execute(direct.union(through_group, names, demands)).all()
    return Rights(
        frozenset((permission, name) for permission, name in rows if permission),
        tuple(sorted(name for permission, name in rows if name and not permission)),
        any(not permission and not name for permission, name in rows),
    )


def load_actor(session: Session, user: User) -> Actor:
    """The actor behind a user row, for the command line and the demo."""
    return Actor(
        id=user.id, name=user.get_full_name(), permissions=permissions_of(session, user.id)
    )
