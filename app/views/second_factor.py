"""One's own second factor: set up with the telephone, renewed, taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from app.extensions import db
from app.services.papers.codes import qr_svg
from app.services.sign_in import second_factor as codes
from app.sign_in import demanded, make_strong, record_sign_in
from app.sign_in_tries import confirm_second_factor
from app.stepup import fresh_sign_in


class SecondFactorView(BaseView):  # type: ignore[misc]
    """The authenticator app of who is signed in; of nobody else."""

    route_base = "/second-factor"
    class_permission_name = "SecondFactor"
    default_view = "show"

    @expose("/")
    @has_access
    def show(self) -> ResponseReturnValue:
        """What there is, and what can be done about it."""
        self._only_here()
        return self._page()

    @expose("/begin", methods=["POST"])
    @has_access
    @permission_name("show")
    @fresh_sign_in
    def begin(self) -> ResponseReturnValue:
        """A secret for the app; it counts from its first right code on."""
        self._only_here()
        try:
            codes.begin(db.session(), current_user.id, g.now)
        except LookupError:
            abort(409)
        db.session.commit()
        return redirect(url_for(".show"), 303)

    @expose("/confirm", methods=["POST"])
    @has_access
    @permission_name("show")
    @fresh_sign_in
    def confirm(self) -> ResponseReturnValue:
        """The first code; the recovery codes are shown now and never again."""
        self._only_here()
        shown = confirm_second_factor(current_user, request.form.get("code", "")[:64])
        if shown is None:
            return self._page(
                error=_(
                    "This code is not right. Look at the clock of your telephone, then type the"
                    " code that it shows now."
                )
            ), 422
        return self._page(recovery=shown)

    @expose("/recovery", methods=["POST"])
    @has_access
    @permission_name("show")
    @fresh_sign_in
    def recovery(self) -> ResponseReturnValue:
        """New recovery codes in place of the old ones."""
        self._only_here()
        if not codes.has_second_factor(db.session(), current_user.id):
            abort(409)
        shown = codes.renew_recovery_codes(db.session(), current_user.id)
        record_sign_in("recovery_codes_made", current_user)
        db.session.commit()
        return self._page(recovery=shown)

    @expose("/remove", methods=["POST"])
    @has_access
    @permission_name("show")
    @fresh_sign_in
    def remove(self) -> ResponseReturnValue:
        """Take it away, unless a role demands it."""
        self._only_here()
        if demanded():
            flash(
                _("Your role demands a second factor; set up another telephone instead."), "danger"
            )
            return redirect(url_for(".show"), 303)
        if codes.remove(db.session(), current_user.id):
            record_sign_in("second_factor_removed", current_user)
        db.session.commit()
        flash(
            _("The second factor was taken away. Your password alone lets you in now."), "success"
        )
        return redirect(url_for(".show"), 303)

    @expose("/replace", methods=["POST"])
    @has_access
    @permission_name("show")
    @fresh_sign_in
    def replace(self) -> ResponseReturnValue:
        """Another telephone: the old one stops counting, the new one is set up at once."""
        self._only_here()
        codes.remove(db.session(), current_user.id)
        codes.begin(db.session(), current_user.id, g.now)
        record_sign_in("second_factor_removed", current_user)
        db.session.commit()
        make_strong(strong=False)
        return redirect(url_for(".show"), 303)

    def _only_here(self) -> None:
        if not self.appbuilder.sm.asks_for_codes:
            abort(404)

    def _page(self, *, error: str = "", recovery: Sequence[str] = ()) -> str:
        own, user = db.session(), current_user
        there = codes.has_second_factor(own, user.id)
        secret = None if there else codes.waiting_secret(own, user.id)
        picture: Any = ""
        if secret:
            picture = Markup(qr_svg(codes.app_address(secret, user.username, "Aduan")))  # noqa: S704
        return render_template(
            "aduan/second_factor.html",
            title=_("Second factor"),
            there=there,
            demanded=demanded(),
            secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)) if secret else "",
            picture=picture,
            error=error,
            recovery=recovery,
            left=codes.recovery_codes_left(own, user.id) if there else 0,
            appbuilder=self.appbuilder,
        )
