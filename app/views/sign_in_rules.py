"""What the office demands at sign-in, and one user's sign-ins: screens of Admin TI."""

from __future__ import annotations

from flask import abort, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _

from app.access import current_actor
from app.extensions import db
from app.models import User
from app.services.rights import ensure_may_manage
from app.services.sign_in import second_factor as codes
from app.services.sign_in.devices import forget_devices
from app.services.sign_in.rules import role_lines, set_demands
from app.services.sign_in.sessions import sessions_of
from app.sign_in import end_sessions, record_sign_in
from app.sign_in_tries import forget_tries, waits_until
from app.stepup import fresh_sign_in
from app.views.interface import OfficeInterface
from app.views.sessions import session_words


class SignInRuleView(BaseView):  # type: ignore[misc]
    """Of which roles a second factor is demanded."""

    route_base = "/sign-in-rules"
    class_permission_name = "SignInRule"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> ResponseReturnValue:
        """The roles, and how many of their users have one already."""
        config = current_app.config
        return render_template(
            "aduan/sign_in_rules.html",
            title=_("Sign-in rules"),
            roles=role_lines(db.session()),
            idle=config["SESSION_IDLE_MINUTES"],
            hours=int(config["PERMANENT_SESSION_LIFETIME"].total_seconds() // 3600),
            confirm=config["CONFIRM_MINUTES"],
            codes=self.appbuilder.sm.asks_for_codes,
            local=self.appbuilder.sm.local_passwords,
            appbuilder=self.appbuilder,
        )

    @expose("/save", methods=["POST"])
    @has_access
    @permission_name("edit")
    @fresh_sign_in
    def save(self) -> ResponseReturnValue:
        """Whoever is signed in with such a role sets his up before he goes on."""
        chosen = {int(text) for text in request.form.getlist("role") if _is_number(text)}
        for name, wanted in set_demands(db.session(), chosen):
            record_sign_in(
                "second_factor_demanded", None, by_himself=False, role=name, demanded=wanted
            )
        db.session.commit()
        flash(_("Saved."), "success")
        return redirect(url_for(".list"), 303)


class UserSignInView(BaseView):  # type: ignore[misc]
    """The sign-ins of one user, and what helps him when he can't get in."""

    route_base = "/user-sign-ins"
    class_permission_name = "UserSignIn"
    default_view = "show"

    @expose("/<pk>")
    @has_access
    def show(self, pk: str) -> ResponseReturnValue:
        """Where he is signed in, what he signs in with, and whether he has to wait."""
        user = self._user(pk)
        return render_template(
            "aduan/user_sign_ins.html",
            title=_("Sign-ins of %(name)s", name=user.get_full_name()),
            user=user,
            **session_words(sessions_of(db.session(), user.id, g.now)),
            second_factor=codes.has_second_factor(db.session(), user.id),
            waits=waits_until(user),
            back_url=url_for("UserDBModelView.show", pk=user.id),
            appbuilder=self.appbuilder,
        )

    @expose("/<pk>/end", methods=["POST"])
    @has_access
    @permission_name("edit")
    def end(self, pk: str) -> ResponseReturnValue:
        """End every session of the user."""
        user = self._user(pk)
        end_sessions(user.id)
        record_sign_in("session_ended", user, by_himself=False)
        return self._done(user, _("All sessions have ended."))

    @expose("/<pk>/let-in", methods=["POST"])
    @has_access
    @permission_name("edit")
    @fresh_sign_in
    def let_in(self, pk: str) -> ResponseReturnValue:
        """Forget the wrong tries, so that he need not wait."""
        user = self._user(pk)
        forget_tries(user)
        record_sign_in("tries_forgotten", user, by_himself=False)
        return self._done(user, _("He may try again at once."))

    @expose("/<pk>/remove-factor", methods=["POST"])
    @has_access
    @permission_name("edit")
    @fresh_sign_in
    def remove_factor(self, pk: str) -> ResponseReturnValue:
        """The telephone is lost: the password alone lets in until another is set up."""
        user = self._user(pk)
        codes.remove(db.session(), user.id)
        forget_devices(db.session(), user.id)
        end_sessions(user.id)
        record_sign_in("second_factor_removed", user, by_himself=False)
        return self._done(user, _("The second factor was taken away, and all sessions have ended."))

    def _done(self, user: User, words: str) -> ResponseReturnValue:
        db.session.commit()
        flash(words, "success")
        return redirect(url_for(".show", pk=user.id), 303)

    def _user(self, pk: str) -> User:
        user = OfficeInterface(User).get(pk)
        if user is None:
            abort(404)
        ensure_may_manage(db.session(), current_actor(), user)
        return user


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
