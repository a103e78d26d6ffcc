"""Our FAB SecurityManager: permissions asked once a request, sessions that really end."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Any

from flask import g, session
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_babel import lazy_gettext as _l
from sqlalchemy import case, or_, select, true

from app.access import STAMP, account_of, current_permissions, session_stamp
from app.extensions import db
from app.models import Account, Stamp, User
from app.passwords import check_password, hash_password, needs_renewal
from app.stepup import note_proof


class OfficeSecurityManager(SecurityManager):
    """FAB's manager without its JSON login, its statistics and its permission editors.

    `create_app` gives it our own account views; FAB reads them as class attributes.
    """

    userstatschartview = None

    def register_views(self) -> None:
        """Only the security views this panel uses; everything else has no URL at all."""
        self.appbuilder.add_view_no_menu(self.userinfoeditview())
        self.auth_view = self.authdbview()
        self.appbuilder.add_view_no_menu(self.resetpasswordview())
        self.appbuilder.add_view_no_menu(self.resetmypasswordview())
        self.appbuilder.add_view_no_menu(self.auth_view)
        if self.is_auth_limited:
            self.limiter.limit(self.auth_rate_limit, methods=["POST"])(self.auth_view.blueprint)
        self.user_view = self.appbuilder.add_view(
            self.userdbmodelview,
            "Users",
            label=_l("Users"),
            icon="users",
            category="Administration",
            category_label=_l("Administration"),
            category_icon="shield",
        )
        self.appbuilder.add_view(
            self.rolemodelview,
            "Roles",
            label=_l("Roles"),
            icon="key-round",
            category="Administration",
        )

    # --- permissions ---

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Whether who asks holds the permission; answers from the request's one query."""
        return (permission_name, view_name) in current_permissions()

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        """Nothing but the sign-in page is public, and it asks for no permission."""
        return False

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        """The menu entries who asks may see."""
        return {view for permission, view in current_permissions() if permission == "menu_access"}

    def add_permissions_view(self, base_permissions: list[str], view_menu: str) -> None:
        """Permissions are rows made by `flask sop sync`; a starting worker writes nothing."""

    def add_permissions_menu(self, view_menu_name: str) -> None:
        """As for views: no writes at start-up."""

    # --- signing in ---

    def auth_user_db(self, username: str, password: str) -> User | None:
        """The user of a name (or e-mail address) and a password; None for everybody else.

        The password is compared in every case, so that no name answers sooner than another.
        """
        found = db.session.scalars(
            select(User)
            .where(or_(User.username == username, User.email == username))
            .order_by(case((User.username == username, 0), else_=1))
        ).first()
        right = check_password(found.password if found else None, password)
        if found is None or not found.is_active:
            return None
        if right and needs_renewal(found.password):
            found.password = hash_password(password)
        self.update_user_auth_stat(found, right)
        return found if right else None

    # --- sessions ---

    def load_user(self, pk: Any) -> User | None:
        """The user of a cookie, unless it is stale: signed out, password changed, deactivated."""
        if not str(pk).isascii() or not str(pk).isdigit():
            return None
        # With the stamp of what is remembered: the first statement of the request brings both.
        row = db.session.execute(
            select(User, Account, Stamp.value)
            .outerjoin(Account, Account.user_id == User.id)
            .outerjoin(Stamp, true())
            .where(User.id == int(pk))
        ).first()
        if row is not None:
            g.stamp = row[2] or ""
        if row is None or not row[0].is_active:
            return None
        user: User = row[0]
        stamp = session.get(STAMP, "")
        if not hmac.compare_digest(str(stamp), session_stamp(user, row[1])):
            return None
        g.account = row[1]
        return user

    def on_user_login(self, user: User) -> None:
        """A fresh session of this person: nothing of the anonymous one stays but the language."""
        locale = session.get("locale")
        session.clear()
        if locale:
            session["locale"] = locale
        session.permanent = True
        session[STAMP] = session_stamp(user, db.session.get(Account, user.id))
        note_proof(g.now)

    def prove(self, user: User, answer: str) -> bool:
        """Whether an answer proves that who asks is this user: his password."""
        return check_password(user.password, answer)

    def end_sessions(self, user_id: int) -> None:
        """Make every cookie of a user worthless; the caller commits."""
        account_of(user_id).session_version += 1
        db.session.flush()

    def reset_password(self, userid: int, password: str) -> None:
        """Set a password; every session that knew the old one ends."""
        user = db.session.get_one(User, userid)
        user.password = hash_password(password)
        user.changed_on = datetime.now(UTC).replace(tzinfo=None)
        account = account_of(userid)
        account.password_changed_at = datetime.now(UTC)
        account.session_version += 1
        db.session.commit()
