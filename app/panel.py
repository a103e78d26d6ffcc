"""FAB's AppBuilder with only the parts this panel uses."""

from __future__ import annotations

from pathlib import Path

import flask_appbuilder
from flask import Blueprint, abort, current_app, redirect, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import AppBuilder, BaseView, expose
from flask_babel import refresh

from app.navigation import safe_back


class LocaleView(BaseView):  # type: ignore[misc]
    """The language of this session."""

    route_base = "/lang"
    default_view = "index"

    @expose("/<string:locale>", methods=["POST"])
    def index(self, locale: str) -> ResponseReturnValue:
        if locale not in self.appbuilder.languages:
            abort(404)
        session["locale"] = locale
        refresh()
        return redirect(safe_back(), 303)


class OfficeAppBuilder(AppBuilder):  # type: ignore[misc]
    """No OpenAPI pages, no menu API, no `/back`: what has no use here has no URL."""

    def _add_global_static(self) -> None:
        """FAB's templates, which ours stand on, without its stylesheets and scripts."""
        folder = Path(flask_appbuilder.__file__).parent / "templates"
        bp = Blueprint("appbuilder", __name__, template_folder=str(folder))
        current_app.register_blueprint(bp)

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)
        self.bm.locale_view = self.add_view_no_menu(LocaleView())
        self.sm.register_views()
