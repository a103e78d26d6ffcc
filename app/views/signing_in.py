"""Signing in and out: the password, then the code where there is a second factor."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.views import AuthDBView as FabAuthDBView
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_user, logout_user
from wtforms import PasswordField, StringField
from wtforms.validators import DataRequired, Length, Optional

from app.extensions import db
from app.navigation import safe_path
from app.services.password_rules import MOST
from app.sign_in import end_sessions, record_sign_in
from app.sign_in_tries import HALF, Attempt, attempt, finish, half_signed_in
from app.views import formbase  # noqa: F401  its import gives every form our messages


class LoginForm(DynamicForm):  # type: ignore[misc]
    """User name and password; the code may come along, or is asked for on the next page."""

    username = StringField(_l("User name"), validators=[DataRequired(), Length(max=128)])
    password = PasswordField(_l("Password"), validators=[DataRequired(), Length(max=MOST)])
    code = StringField(_l("Code"), validators=[Optional(), Length(max=32)])


class CodeForm(DynamicForm):  # type: ignore[misc]
    """The code of the app, or a recovery code."""

    code = StringField(_l("Code"), validators=[DataRequired(), Length(max=32)])


class AuthDBView(FabAuthDBView):  # type: ignore[misc]
    """Sign-in and sign-out; whatever `next` says, a person stays on this host."""

    title = _l("Sign in")
    login_template = "appbuilder/general/security/login_db.html"

    @expose("/login/", methods=["GET", "POST"])
    def login(self) -> ResponseReturnValue:
        target = safe_path(request.args.get("next")) or url_for("IndexView.index")
        if current_user.is_authenticated:
            return redirect(target)
        form = LoginForm()
        if not form.validate_on_submit():
            return self._page(form)
        done = attempt(
            self.appbuilder.sm, form.username.data, form.password.data, form.code.data or ""
        )
        if done.user is not None:
            return _enter(done.user, target)
        if done.code_wanted:
            return redirect(url_for(".code", next=target), 303)
        form.form_errors.append(_refusal(done))
        return self._page(form), 401

    @expose("/login/code/", methods=["GET", "POST"])
    def code(self) -> ResponseReturnValue:
        """The code after the password, within five minutes of it."""
        target = safe_path(request.args.get("next")) or url_for("IndexView.index")
        if current_user.is_authenticated:
            return redirect(target)
        user = half_signed_in()
        if user is None:
            session.pop(HALF, None)
            return redirect(url_for(".login", next=target), 303)
        form = CodeForm()
        if not form.validate_on_submit():
            return self._code_page(form, target)
        done = finish(user, form.code.data)
        if done.user is not None:
            return _enter(done.user, target)
        if HALF not in session:
            flash(_("Too many wrong codes. Wait a quarter of an hour and begin again."), "danger")
            return redirect(url_for(".login", next=target), 303)
        form.code.data = ""
        form.code.errors = [_("This code is not right, or it was used already.")]
        return self._code_page(form, target), 401

    @expose("/logout/", methods=["POST"])
    def logout(self) -> ResponseReturnValue:
        sign_out()
        return redirect(url_for(".login"), 303)

    def _page(self, form: Any) -> str:
        return render_template(
            self.login_template,
            title=self.title,
            form=form,
            over=g.get("over", ""),
            codes=self.appbuilder.sm.asks_for_codes,
            appbuilder=self.appbuilder,
        )

    def _code_page(self, form: Any, target: str) -> str:
        return render_template(
            "aduan/login_code.html",
            title=_("Code"),
            form=form,
            back_url=url_for(".login", next=target),
            appbuilder=self.appbuilder,
        )


def sign_out() -> None:
    """End every session of who asks."""
    if current_user.is_authenticated:
        end_sessions(current_user.id)
        record_sign_in("signed_out", current_user)
        db.session.commit()
        logout_user()
        session.clear()
        flash(_("You are signed out."), "success")


def _enter(user: Any, target: str) -> ResponseReturnValue:
    login_user(user, remember=False)
    return redirect(target, 303)


def _refusal(done: Attempt) -> str:
    """One answer for an unknown name, a wrong password, a deactivated and a waiting account."""
    if done.run_out:
        return str(_("This password was given out for a few days only. Ask for a new one."))
    return str(
        _("User name or password is not right, or there were too many tries in a short time.")
    )
