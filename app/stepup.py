"""Asking again who it is, before what only a person and never a forgotten screen may do.

    @expose("/thing", methods=["GET", "POST"])
    @has_access
    @fresh_sign_in
    def thing(self): ...

A screen of the hardened base names the routes that ask in `asks_again = {"add", "edit"}`; where no
decorator fits: `if (answer := require_fresh_sign_in()) is not None: return answer`.

Who signed in, or answered this question, within the last ten minutes goes on unasked. Otherwise a
page leads to the question and back; a form that was sent is shown the question in its place, with
all that was typed kept in the page, and goes through once it is answered. Scripts get 401 and
{"error": "confirm", "message": …, "url": …}.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar, cast

from flask import current_app, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from app.errors import wants_json
from app.extensions import db
from app.navigation import safe_path
from app.services.sign_in.second_factor import has_second_factor

View = TypeVar("View", bound=Callable[..., Any])

#: In the signed cookie: when who holds it last proved who he is. The cookie of another browser, or
#: an older copy of this one, says nothing newer.
PROVED: Final = "proved"
#: What the question's own form sends.
ANSWER: Final = "confirm_secret"
#: Of what was typed, never kept in a page.
_SECRET: Final = frozenset({"password", "conf_password", "current", "passphrase", ANSWER})
_LONGEST: Final = 1024


def note_proof(now: datetime) -> None:
    """Who holds this session has just proved who he is."""
    session[PROVED] = int(now.timestamp())
    g.pop("fresh", None)


def proved_at() -> datetime | None:
    """When who asks last proved who he is; None when it is not known."""
    value = session.get(PROVED)
    if not isinstance(value, int):
        return None
    now = _now()
    return datetime.fromtimestamp(value, now.tzinfo) if value <= now.timestamp() + 60 else None


def is_fresh() -> bool:
    """Whether who asks proved who he is a short while ago."""
    proved = proved_at()
    limit = timedelta(minutes=current_app.config["CONFIRM_MINUTES"])
    return proved is not None and _now() - proved < limit


def is_fresh_for(began: datetime, lasting: timedelta = timedelta(hours=1)) -> bool:
    """Whether it was fresh when a piece of work began that goes on in several requests."""
    if is_fresh():
        return True
    proved = proved_at()
    limit = timedelta(minutes=current_app.config["CONFIRM_MINUTES"])
    return proved is not None and began - proved < limit and _now() - began < lasting


def require_fresh_sign_in() -> ResponseReturnValue | None:
    """None for who proved lately who he is; else the answer that asks him.

    A form that brings the answer along is let through here when it is right.
    """
    if is_fresh():
        return None
    if wants_json():
        words = gettext("Confirm first that it is you.")
        return {"error": "confirm", "message": words, "url": confirm_url()}, 401
    if request.method != "POST":
        return redirect(confirm_url(request.full_path.rstrip("?")), 303)
    errors: list[str] = []
    if ANSWER in request.form:
        if answer_is_right(request.form[ANSWER][:_LONGEST]):
            return None
        errors.append(wrong_answer())
    if any(file for file in request.files.values()):
        flash(gettext("Choose the files again after this question."), "warning")
    return question_page(kept=list(_kept()), errors=errors), 401


def fresh_sign_in(view: View) -> View:
    """Let a view run only for who proved lately who he is; below `has_access`."""

    @functools.wraps(view)
    def asking(*args: Any, **kwargs: Any) -> Any:
        answer = require_fresh_sign_in()
        return view(*args, **kwargs) if answer is None else answer

    return cast(View, asking)


def fresh_where_asked(view: View) -> View:
    """As `fresh_sign_in`, on the screens that name this route in `asks_again`."""

    @functools.wraps(view)
    def asking(self: Any, *args: Any, **kwargs: Any) -> Any:
        asked = view.__name__ in self.asks_again
        answer = require_fresh_sign_in() if asked else None
        return view(self, *args, **kwargs) if answer is None else answer

    return cast(View, asking)


def confirm_url(back: str | None = None) -> str:
    """The question on a page of its own, which leads back to a path of ours."""
    return url_for("ConfirmView.index", next=safe_path(back) or None)


def answer_is_right(answer: str) -> bool:
    """Whether the answer proves who it is; notes it when it does."""
    manager = current_app.extensions["appbuilder"].sm
    if not manager.prove(current_user, answer):
        return False
    note_proof(_now())
    return True


def wrong_answer() -> str:
    """What is said to a wrong answer."""
    if _asks_code():
        return gettext("This code is not right, or it was used already.")
    return gettext("This is not your password.")


def _asks_code() -> bool:
    """Whether who asks answers with a code, having a second factor."""
    manager = current_app.extensions["appbuilder"].sm
    return bool(manager.asks_for_codes) and has_second_factor(db.session(), int(current_user.id))


def question_page(
    *, kept: Iterable[tuple[str, str]] = (), errors: Iterable[str] = (), back: str | None = None
) -> str:
    """The question; `kept` are the fields of the form in whose place it stands."""
    manager = current_app.extensions["appbuilder"].sm
    return render_template(
        "aduan/confirm.html",
        title=gettext("Confirm that it is you"),
        kept=kept,
        errors=list(errors),
        back_url=back,
        minutes=current_app.config["CONFIRM_MINUTES"],
        answer_name=ANSWER,
        code=_asks_code(),
        elsewhere=not (manager.local_passwords or manager.asks_for_codes),
    )


def _kept() -> Iterable[tuple[str, str]]:
    for name, value in request.form.items(multi=True):
        if name != "csrf_token" and name not in _SECRET:
            yield name, value


def _now() -> datetime:
    now: datetime = g.now
    return now
