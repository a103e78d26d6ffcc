"""The SOP as the office's own sheet, with the number of cases now in each step."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _

from app.access import current_permissions
from app.extensions import db
from app.services.sheet import load_sheet
from app.views.office import request_time, the_sop


class SopSheetView(BaseView):  # type: ignore[misc]
    """The sheet: read by everybody, changed in the SOP file and on the reference screens."""

    route_base = "/sop"
    class_permission_name = "SopSheet"
    default_view = "show"

    @expose("/")
    @has_access
    def show(self) -> ResponseReturnValue:
        sop, held = the_sop(), current_permissions()
        sheet = load_sheet(db.session(), sop, now=request_time())
        edit_url = None
        if sheet.office is not None and ("can_edit", "Office") in held:
            edit_url = url_for("OfficeView.edit", pk=sheet.office.id)
        return render_template(
            "aduan/sop_sheet.html",
            title=_("SOP sheet"),
            sop=sop,
            sheet=sheet,
            edit_url=edit_url,
            minutes_url=url_for("SopStepView.list") if ("can_list", "SopStep") in held else None,
            appbuilder=self.appbuilder,
        )
