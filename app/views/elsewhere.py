"""Signing in with what another system keeps: a directory (LDAP) or another sign-in (OAuth).

The rules for passwords, and the pages that set them, are not there then; roles, sessions and what is
asked before signing are. The classes bear the names of those whose place they take, since
addresses and permissions are made of them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.views import AuthOAuthView as FabAuthOAuthView
from flask_babel import lazy_gettext as _l

from app.access import account_of
from app.views import signing_in
from app.views.accounts import UserDBModelView as LocalUsers


def _without(columns: list[str]) -> list[str]:
    return [name for name in columns if name not in ("password", "conf_password")]


class UserDBModelView(LocalUsers):
    """The officers; who they are is entered here, their passwords are not."""

    add_columns: ClassVar[list[str]] = _without(LocalUsers.add_columns)
    add_form_extra_fields: ClassVar[dict[str, Any]] = {
        name: field
        for name, field in LocalUsers.add_form_extra_fields.items()
        if name not in ("password", "conf_password")
    }

    def pre_add(self, item: Any) -> None:
        item.password = ""
        super().pre_update(item)
        item.created_on = item.changed_on

    def save_new(self, form: Any, item: Any) -> None:
        """Nobody has a first password to change."""
        super().save_new(form, item)
        account_of(item.id).must_change_password = False

    def may(self, permission: str) -> bool:
        """There is no password to set."""
        return permission not in ("resetpasswords", "resetmypassword") and super().may(permission)


class AuthDBView(FabAuthOAuthView):  # type: ignore[misc]
    """Sign-in at another system; the session begins when it sends the person back."""

    title = _l("Sign in")
    login_template = "aduan/login_oauth.html"

    @expose("/logout/", methods=["POST"])
    def logout(self) -> ResponseReturnValue:
        """As with passwords of our own: every session of the person ends."""
        signing_in.sign_out()
        return redirect(url_for(".login"), 303)


AuthElsewhereView = AuthDBView
UserElsewhereView = UserDBModelView
