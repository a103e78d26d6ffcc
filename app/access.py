"""Who asks, and what he may do at this request."""

from __future__ import annotations

import hmac

from flask import current_app, g
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Account, Permission, PermissionView, Role, User, ViewMenu
from app.reader import AccountFacts, Reader
from app.remembered import kept, remembered
from app.services.actor import Actor, Rights, rights_of

STAMP = "stamp"


def current_permissions() -> frozenset[tuple[str, str]]:
    """The (permission, view) pairs of who asks.

    They are remembered under the stamp that this request has read, so a right that is taken away
    is gone at the next request, in every process.
    """
    cached: frozenset[tuple[str, str]] | None = g.get("permissions")
    if cached is None:
        if current_user.is_authenticated:
            user_id = int(current_user.id)
            found = remembered(("rights", user_id), lambda session: _rights(session, user_id))
            cached, g.role_names, g.second_factor_demanded = found
        else:
            cached = frozenset(
                (row[0], row[1])
                for row in db.session.execute(
                    select(Permission.name, ViewMenu.name)
                    .select_from(Role)
                    .join(Role.permissions)
                    .join(Permission, PermissionView.permission_id == Permission.id)
                    .join(ViewMenu, PermissionView.view_menu_id == ViewMenu.id)
                    .where(Role.name == current_app.config["AUTH_ROLE_PUBLIC"])
                )
            )
        g.permissions = cached
    return cached


def role_names() -> tuple[str, ...]:
    """The roles that were given to who asks himself, as his menu names them."""
    current_permissions()
    names: tuple[str, ...] = g.get("role_names", ())
    return names


def second_factor_demanded() -> bool:
    """Whether a role of who asks demands a second factor of him."""
    current_permissions()
    return bool(g.get("second_factor_demanded", False))


def _rights(session: Session, user_id: int) -> Rights:
    """What a user may do, and the names of his roles; equal permissions are one object."""
    found = rights_of(session, user_id)
    permissions = found.permissions
    return found._replace(permissions=kept(("rights", permissions), lambda: permissions))


def current_actor() -> Actor:
    """Who acts in this request, for the services."""
    permissions = current_permissions()
    actor: Actor | None = g.get("actor")
    if actor is None or actor.permissions is not permissions:
        signed_in = current_user.is_authenticated
        actor = g.actor = Actor(
            id=current_user.id if signed_in else None,
            name=current_user.get_full_name() if signed_in else "",
            permissions=permissions,
        )
    return actor


def session_stamp(user: User | Reader, account: Account | AccountFacts | None) -> str:
    """What a cookie must carry to be valid: changes with the password and the session version."""
    version = account.session_version if account else 1
    text = f"{user.id}:{version}:{user.password or ''}"
    key = current_app.secret_key
    secret = key.encode() if isinstance(key, str) else key or b""
    return hmac.digest(secret, text.encode(), "sha256").hex()[:32]


def account_of(user_id: int) -> Account:
    """The account row of a user, made when there is none yet."""
    account = db.session.get(Account, user_id)
    if account is None:
        account = Account(user_id=user_id, session_version=1, must_change_password=False)
        db.session.add(account)
        db.session.flush()
    return account
