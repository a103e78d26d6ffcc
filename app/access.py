"""Who asks, and what he may do: read once a request, kept no longer."""

from __future__ import annotations

import hashlib
import hmac

from flask import current_app, g
from flask_login import current_user
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Permission, PermissionView, Role, User, ViewMenu
from app.services.actor import Actor, permissions_of

STAMP = "stamp"


def current_permissions() -> frozenset[tuple[str, str]]:
    """The (permission, view) pairs of who asks, loaded by one query and kept for this request.

    Nothing is kept longer, so a right that is taken away is gone at the next request.
    """
    cached: frozenset[tuple[str, str]] | None = g.get("permissions")
    if cached is None:
        if current_user.is_authenticated:
            cached = permissions_of(db.session(), current_user.id)
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


def current_actor() -> Actor:
    """Who acts in this request, for the services."""
    if not current_user.is_authenticated:
        return Actor(id=None, name="", permissions=current_permissions())
    return Actor(
        id=current_user.id, name=current_user.get_full_name(), permissions=current_permissions()
    )


def session_stamp(user: User, account: Account | None) -> str:
    """What a cookie must carry to be valid: changes with the password and the session version."""
    version = account.session_version if account else 1
    text = f"{user.id}:{version}:{user.password or ''}"
    key = current_app.secret_key
    secret = key.encode() if isinstance(key, str) else key or b""
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:32]


def account_of(user_id: int) -> Account:
    """The account row of a user, made when there is none yet."""
    account = db.session.get(Account, user_id)
    if account is None:
        account = Account(user_id=user_id, session_version=1, must_change_password=False)
        db.session.add(account)
        db.session.flush()
    return account
