"""What the dispatch desk asks after: parcels that came back, parcels without news."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import abort, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _

from app.access import current_actor, current_permissions
from app.extensions import db
from app.formats import local
from app.models import Dispatch
from app.services.desk import desk_counts, quiet_days, quiet_parcels, returned_parcels
from app.services.dispatching import may_send, note_news
from app.services.visibility import visible_cases
from app.views.case_parts import personal
from app.views.office import request_time, the_sop

LONGEST_NEWS = 200


class DeskLists:
    """The two lists of the desk, and the frame of its pages."""

    appbuilder: Any

    @expose("/returned", methods=["GET"])
    @has_access
    @permission_name("list")
    def returned(self) -> ResponseReturnValue:
        """Parcels that came back and were not sent again."""
        parcels = returned_parcels(db.session(), current_actor())
        return self._list("returned", parcels=parcels)

    @expose("/quiet", methods=["GET"])
    @has_access
    @permission_name("list")
    def quiet(self) -> ResponseReturnValue:
        """Parcels under way without news for as long as the office waits."""
        days = quiet_days(db.session())
        today = local(request_time()).date()
        parcels = quiet_parcels(db.session(), current_actor(), today, days)
        return self._list("quiet", parcels=parcels)

    @expose("/news/<pk>", methods=["POST"])
    @has_access
    @permission_name("add")
    def news(self, pk: str) -> ResponseReturnValue:
        """Keep what the courier's page says; the parcel is not quiet any more."""
        parcel = _parcel_or_404(pk)
        words = "".join(c for c in request.form.get("news", "") if c.isprintable())
        note_news(
            db.session(),
            parcel,
            words[:LONGEST_NEWS],
            current_actor(),
            now=request_time(),
            expected_version=posted_number("seen_version"),
        )
        db.session.commit()
        flash(_("Noted for %(number)s.", number=parcel.tracking_number), "success")
        if request.form.get("from") == "parcel":
            return redirect(url_for("DispatchView.show", pk=parcel.id), 303)
        return redirect(url_for("DispatchDeskView.quiet"), 303)

    def _list(self, tab: str, *, parcels: Sequence[Dispatch]) -> str:
        return self._render(
            "aduan/desk_parcels.html",
            tab=tab,
            parcels=parcels,
            may_edit=("can_edit", "Dispatch") in current_permissions(),
            may_news=("can_add", "DispatchDesk") in current_permissions(),
            may_send=may_send(the_sop(), current_actor()),
            longest_news=LONGEST_NEWS,
        )

    def _render(self, template: str, *, tab: str = "", **context: Any) -> str:
        """A page of the desk; the camera's reader is a program of ours, on these pages alone."""
        g.csp_scripts = "'wasm-unsafe-eval'"
        today = local(request_time()).date()
        if tab:
            context |= _tabs(tab, today)
        context.setdefault("title", _("Dispatch desk"))
        return render_template(
            template,
            tab=tab,
            days_since=lambda at: (today - local(at).date()).days,
            personal=personal,
            appbuilder=self.appbuilder,
            **context,
        )


def _tabs(active: str, today: date) -> dict[str, Any]:
    """The desk and what is asked after, with how many there are of each."""
    session = db.session()
    days = quiet_days(session)
    came_back, quiet = desk_counts(session, current_actor(), today, days)
    tabs = [
        ("desk", _("Send"), url_for("DispatchDeskView.desk"), None),
        ("returned", _("Came back"), url_for("DispatchDeskView.returned"), came_back),
        ("quiet", _("No news"), url_for("DispatchDeskView.quiet"), quiet),
    ]
    return {
        "days": days,
        "tabs": [
            {"label": label, "url": url, "active": key == active, "count": count}
            for key, label, url, count in tabs
        ],
    }


def paper_url(name: str, **values: Any) -> str | None:
    """Where a paper of the office is printed, None for those who may not print."""
    endpoint = f"PaperView.{name}"
    if ("can_print", "Paper") not in current_permissions():
        return None
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def _parcel_or_404(pk: str) -> Dispatch:
    if not (pk.isascii() and pk.isdigit() and len(pk) < 10):
        abort(404)
    found = (Dispatch.id == int(pk)) & visible_cases(current_actor())
    parcel = db.session.query(Dispatch).join(Dispatch.complaint).filter(found).one_or_none()
    if parcel is None:
        abort(404)
    return parcel


def posted_number(name: str) -> int:
    """A whole number of the posted form, -1 when it is none."""
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
