"""The question who it is, on a page of its own (`app.stepup`)."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_login import current_user

from app.navigation import safe_path
from app.stepup import ANSWER, answer_is_right, question_page, wrong_answer


class ConfirmView(BaseView):  # type: ignore[misc]
    """For everybody who is signed in: it asks for no right, it asks who it is."""

    route_base = "/confirm"
    default_view = "index"

    @expose("/", methods=["GET", "POST"])
    def index(self) -> ResponseReturnValue:
        """The question; its right answer leads back to where one was."""
        target = safe_path(request.args.get("next")) or url_for("IndexView.index")
        if not current_user.is_authenticated:
            return redirect(url_for("AuthDBView.login", next=target), 303)
        if request.method == "GET":
            return question_page(back=target)
        if answer_is_right(request.form.get(ANSWER, "")[:1024]):
            return redirect(target, 303)
        return question_page(errors=[wrong_answer()], back=target), 401
