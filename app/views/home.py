"""Home: everybody lands where his work is."""

from __future__ import annotations

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import IndexView as FabIndexView
from flask_appbuilder import expose
from flask_login import current_user

from app.access import current_permissions

#: The first of these that an officer may open is his home (design, "Screens").
HOMES = (
    ("can_list", "Queue", "QueueView.list"),
    ("can_show", "Admin", "AdminHomeView.show"),
    ("can_chart", "StepChart", "LivingSopView.show"),
    ("can_show", "SopSheet", "SopSheetView.show"),
)


class IndexView(FabIndexView):  # type: ignore[misc]
    """`/`: the queue, the chart or the administration; the sign-in page for nobody."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        if not current_user.is_authenticated:
            return redirect(url_for("AuthDBView.login"))
        for permission, view, endpoint in HOMES:
            if (permission, view) in current_permissions():
                return redirect(url_for(endpoint))
        return redirect(url_for("UserDBModelView.userinfo"))
