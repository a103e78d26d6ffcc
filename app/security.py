"""Our FAB SecurityManager: permissions asked once a request, sessions that really end."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import g, session
from flask_appbuilder.const import AUTH_DB, AUTH_LDAP, AUTH_OAUTH
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_babel import lazy_gettext as _l

from app.access import STAMP, account_of, current_permissions, session_stamp
from app.extensions import db
from app.models import User
from app.passwords import check_password, hash_password, needs_renewal
from app.reader import Reader
from app.services.sign_in.second_factor import has_second_factor
from app.sign_in import end_sessions, find_signed_in, is_going_on
from app.sign_in_tries import is_known_browser, password_is_right, prove, prove_by_code


class OfficeSecurityManager(SecurityManager):
    """FAB's manager without its JSON login, its statistics and its permission editors.

    `create_app` gives it our own account views; FAB reads them as class attributes.
    """

    userstatschartview = None
    #: The users whose passwords are kept elsewhere.
    userelsewhereview: Any = None

    def register_views(self) -> None:
        """Only the security views this panel uses; everything else has no URL at all."""
        self.appbuilder.add_view_no_menu(self.userinfoeditview())
        oauth = self.auth_type == AUTH_OAUTH
        self.auth_view = self.authoauthview() if oauth else self.authdbview()
        if self.local_passwords:
            self.appbuilder.add_view_no_menu(self.resetpasswordview())
            self.appbuilder.add_view_no_menu(self.resetmypasswordview())
        self.appbuilder.add_view_no_menu(self.auth_view)
        if self.is_auth_limited:
            self.limiter.limit(
                self.auth_rate_limit, methods=["POST"], exempt_when=is_known_browser
            )(self.auth_view.blueprint)
        self.user_view = self.appbuilder.add_view(
            self.userdbmodelview if self.local_passwords else self.userelsewhereview,
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

    @property
    def local_passwords(self) -> bool:
        """Whether passwords are kept here, and not by a directory or another office's sign-in."""
        return bool(self.auth_type == AUTH_DB)

    @property
    def asks_for_codes(self) -> bool:
        """Whether a second factor of ours is asked for: not after a sign-in made elsewhere."""
        return bool(self.auth_type in (AUTH_DB, AUTH_LDAP))

    def authenticate(
        self, found: User | None, name: str, password: str, *, waiting: bool
    ) -> User | None:
        """The user whose password it is; flushes. None for everybody else.

        Args:
            found: who signs in under the name.
            waiting: whether the account has to wait; a directory is not asked then.
        """
        if self.auth_type == AUTH_LDAP:
            return None if waiting else self.auth_user_ldap(name, password)
        right = password_is_right(found, password)
        if found is None:
            return None
        if not right:
            found.fail_login_count = (found.fail_login_count or 0) + 1
        elif needs_renewal(found.password):
            found.password = hash_password(password)
        db.session.flush()
        return found if right else None

    def prove(self, user: User, answer: str) -> bool:
        """Whether an answer proves that who asks is this user; commits."""
        if self.asks_for_codes and has_second_factor(db.session(), user.id):
            return prove(user, lambda: prove_by_code(user, answer))
        if self.auth_type == AUTH_LDAP:
            return prove(user, lambda: self.auth_user_ldap(user.username, answer) is not None)
        return self.local_passwords and prove(user, lambda: check_password(user.password, answer))

    def on_user_login(self, user: User) -> None:
        """A session begins when the sign-in is complete (`app.sign_in`), not with the password."""

    # --- sessions ---

    def load_user(self, pk: Any) -> User | Reader | None:
        """The user of a cookie, unless it is stale: ended, run out, password changed, deactivated."""
        if not str(pk).isascii() or not str(pk).isdigit():
            return None
        # With the stamp of what is remembered: the first statement of the request brings both.
        found = find_signed_in(int(pk))
        if found is not None:
            g.stamp = found.stamp
        if found is None or not found.user.is_active:
            return None
        stamp = session.get(STAMP, "")
        if not hmac.compare_digest(str(stamp), session_stamp(found.user, found.account)):
            return None
        if not is_going_on(found.sign_in):
            return None
        g.account = found.account
        g.unseen_session_id = found.account.unseen_session_id if found.account else None
        return found.user

    def end_sessions(self, user_id: int) -> None:
        """Make every cookie of a user worthless; the caller commits."""
        end_sessions(user_id)

    def reset_password(
        self, userid: int, password: str, *, expires: timedelta | None = None
    ) -> None:
        """Set a password; every session that knew the old one ends."""
        user = db.session.get_one(User, userid)
        user.password = hash_password(password)
        user.changed_on = datetime.now(UTC).replace(tzinfo=None)
        account = account_of(userid)
        account.password_changed_at = datetime.now(UTC)
        account.password_expires_at = datetime.now(UTC) + expires if expires else None
        end_sessions(userid)
        db.session.commit()
