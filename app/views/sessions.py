"""My sessions: where I am signed in, and the way to end what is not me any more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import abort, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from app.extensions import db
from app.models import Account, SignInSession
from app.navigation import safe_back
from app.services.sign_in.devices import device_parts
from app.services.sign_in.second_factor import has_second_factor
from app.services.sign_in.sessions import SignedIn, end_all, end_session, sessions_of
from app.sign_in import keep_awake, limits, record_sign_in


class SessionView(BaseView):  # type: ignore[misc]
    """One's own sign-ins; nobody sees another's here."""

    route_base = "/sessions"
    class_permission_name = "MySession"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> ResponseReturnValue:
        """Where I am signed in, and where I was."""
        rows = sessions_of(db.session(), current_user.id, g.now)
        return render_template(
            "aduan/sessions.html",
            title=_("My sessions"),
            **session_words(rows),
            mine=g.sign_in.id,
            codes=self.appbuilder.sm.asks_for_codes,
            second_factor=has_second_factor(db.session(), current_user.id),
            end_url=lambda row: url_for(".end", pk=row.id),
            appbuilder=self.appbuilder,
        )

    @expose("/end/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("list")
    def end(self, pk: int) -> ResponseReturnValue:
        """End another session of mine; the one that asks is ended by signing out."""
        if pk == g.sign_in.id or not end_session(db.session(), current_user.id, pk, g.now):
            abort(404)
        _seen(pk)
        record_sign_in("session_ended", current_user)
        db.session.commit()
        flash(_("That session has ended."), "success")
        return redirect(url_for(".list"), 303)

    @expose("/end-others", methods=["POST"])
    @has_access
    @permission_name("list")
    def end_others(self) -> ResponseReturnValue:
        """End every session of mine but this one."""
        count = end_all(db.session(), current_user.id, g.now, but=g.sign_in.id)
        record_sign_in("session_ended", current_user, others=count)
        db.session.commit()
        flash(
            ngettext(
                "%(num)d other session has ended.", "%(num)d other sessions have ended.", count
            ),
            "success",
        )
        return redirect(url_for(".list"), 303)

    @expose("/seen/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("list")
    def seen(self, pk: int) -> ResponseReturnValue:
        """The sign-in from a new device was me; the device itself cannot say so."""
        if pk == g.sign_in.id:
            abort(404)
        _seen(pk)
        db.session.commit()
        return redirect(safe_back(), 303)

    # --- what the page's script asks ---

    @expose("/state")
    def state(self) -> ResponseReturnValue:
        """How long the session lasts, without lengthening it; a fresh token for forms left open."""
        return _state()

    @expose("/stay", methods=["POST"])
    def stay(self) -> ResponseReturnValue:
        """I am still here."""
        if current_user.is_authenticated:
            keep_awake()
        return _state()

    @expose("/back")
    def back(self) -> ResponseReturnValue:
        """Signed in again in another window, for the sake of a form that is still open."""
        return render_template(
            "aduan/session_back.html", title=_("Signed in again"), appbuilder=self.appbuilder
        )


def session_words(rows: Iterable[SignInSession]) -> dict[str, Any]:
    """The sign-ins that go on, those that are over, and how devices are called."""
    going_on, over = [], []
    for row in rows:
        state = SignedIn(row.id, row.started_at, row.last_seen_at, row.ended_at, row.second_factor)
        (over if state.over(limits(), g.now) else going_on).append(row)
    return {"going_on": going_on, "over": over[:10], "device_words": device_words}


def device_words(agent: str) -> str:
    """A device as people call it."""
    browser, system = device_parts(agent)
    if browser and system:
        return str(_("%(browser)s on %(system)s", browser=browser, system=system))
    return browser or system or str(_("Unknown device"))


def _seen(pk: int) -> None:
    account = db.session.get(Account, current_user.id)
    if account is not None and account.unseen_session_id == pk:
        account.unseen_session_id = None


def _state() -> ResponseReturnValue:
    if not current_user.is_authenticated:
        return {"left": 0}, 401
    left = g.sign_in.left(limits(), g.now)
    return {
        "left": max(0, int(left.total_seconds())),
        "last": g.sign_in.ends_for_good(limits(), g.now),
        "who": current_user.id,
        "token": generate_csrf(),
    }


__all__ = ["SessionView", "device_words", "session_words"]
