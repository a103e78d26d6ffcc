"""Who may give whom which rights: nobody gives more than he has, and nobody changes his own.

Admin TI handles no case, yet must be able to appoint the head. So giving rights that one does not
hold is a permission of its own (`grant_any`), and even who has it gives nothing to himself: that
takes a second administrator.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy.orm import Session

from app.models import PermissionView, Role, User
from app.services.actor import Actor, permissions_of
from app.sop.errors import RefusedError
from app.sop.text import N_

#: Giving rights that one does not hold; what makes a manager of users an administrator.
GRANT_ANY: Final = ("grant_any", "RoleModelView")

MESSAGES: Final[dict[str, str]] = {
    "rights_of_oneself": N_(
        "Nobody changes his own roles or switches off his own account; another administrator does."
    ),
    "role_of_oneself": N_(
        "This role is yours: another administrator adds permissions to it. You may take some away."
    ),
    "rights_beyond_own": N_(
        "You may not give or take away %(what)s: it holds rights that you do not have yourself."
    ),
    "user_above": N_(
        "%(who)s has rights that you do not have; an administrator changes this account."
    ),
}

Pair = tuple[str, str]


def ensure_may_manage(session: Session, actor: Actor, user: User) -> None:
    """Go on only with an account whose rights the actor holds as well.

    Who may set somebody's password or e-mail address can sign in as him.

    Raises:
        RefusedError: the account can do more than the actor.
    """
    if user.id is None or actor.can(*GRANT_ANY):
        return
    if not permissions_of(session, user.id) <= actor.permissions:
        raise RefusedError("user_above", who=user.get_full_name())


def ensure_may_set_roles(
    actor: Actor, user_id: int | None, before: Iterable[Role], after: Iterable[Role]
) -> None:
    """Go on only with roles the actor may give or take away, never his own.

    Raises:
        RefusedError: they are his own, or hold more than he does.
    """
    changed = set(before) ^ set(after)
    if not changed:
        return
    if user_id is not None and user_id == actor.id:
        raise RefusedError("rights_of_oneself")
    for role in sorted(changed, key=lambda role: role.name):
        _ensure_held(actor, role.permissions, role.name)


def ensure_may_set_active(actor: Actor, user_id: int | None, *, active: bool) -> None:
    """Go on unless the actor would switch off himself.

    Raises:
        RefusedError: he would.
    """
    if user_id is not None and user_id == actor.id and not active:
        raise RefusedError("rights_of_oneself")


def ensure_may_set_permissions(
    actor: Actor,
    role_name: str,
    before: Iterable[PermissionView],
    after: Iterable[PermissionView],
    *,
    own: bool,
) -> None:
    """Go on only with permissions the actor may give or take; `own`: the role is one of his.

    Raises:
        RefusedError: he would give himself something, or the role holds more than he does.
    """
    old, new = set(before), set(after)
    if own and new - old:
        raise RefusedError("role_of_oneself")
    if old != new:
        _ensure_held(actor, old | new, role_name)


def _ensure_held(actor: Actor, rows: Iterable[PermissionView], what: str) -> None:
    if actor.can(*GRANT_ANY):
        return
    pairs = {(row.permission.name, row.view_menu.name) for row in rows}
    if not pairs <= actor.permissions:
        raise RefusedError("rights_beyond_own", what=what)


def holds_role(session: Session, user_id: int | None, role: Role) -> bool:
    """Whether a role is among those of a user, through a group as well."""
    if user_id is None or role.id is None:
        return False
    user = session.get(User, user_id)
    if user is None:
        return False
    return role in user.roles or any(role in group.roles for group in user.groups)
