"""Administration: where Admin TI begins; what there is, what is missing, and the way to each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.access import current_permissions
from app.extensions import db
from app.formats import local, local_date
from app.services.administration import Gap, find_gaps, load_overview
from app.views.breaches import breach_warnings
from app.views.office import request_time, the_sop, the_store

#: (endpoint, view of its permission, title, what for, icon); shown to whoever may list it.
LINKS: tuple[tuple[str, str, Any, Any, str], ...] = (
    ("UserDBModelView", "UserDBModelView", _l("Users"), _l("Who may sign in"), "users"),
    ("RoleModelView", "RoleModelView", _l("Roles"), _l("Who may do what"), "key-round"),
    (
        "SopStepView",
        "SopStep",
        _l("Standard minutes"),
        _l("How long each step may take"),
        "timer",
    ),
    (
        "CategoryView",
        "Category",
        _l("Categories"),
        _l("What a complaint is about, and its papers"),
        "tag",
    ),
    (
        "DocumentKindView",
        "DocumentKind",
        _l("Document kinds"),
        _l("Papers brought and issued"),
        "file-text",
    ),
    (
        "ChannelView",
        "Channel",
        _l("Channels"),
        _l("How complaints reach us"),
        "message-circle",
    ),
    ("CourierView", "Courier", _l("Couriers"), _l("Who carries the papers"), "truck"),
    ("RegionView", "Region", _l("Kecamatan and desa"), _l("Where applicants live"), "map"),
    ("HolidayView", "Holiday", _l("Holidays"), _l("When no clock runs"), "calendar-days"),
    (
        "WorkingHoursView",
        "WorkingHours",
        _l("Working hours"),
        _l("When the clocks run"),
        "clock",
    ),
    (
        "SignatoryView",
        "Signatory",
        _l("Signatories"),
        _l("Who signs for the office, and since when"),
        "signature",
    ),
    (
        "MessageTextView",
        "MessageText",
        _l("Message texts"),
        _l("What applicants are told"),
        "mail",
    ),
    (
        "BlankStockView",
        "BlankStock",
        _l("Blank stock"),
        _l("Cards to print on, and how many are left"),
        "id-card",
    ),
    ("AuditView", "Audit", _l("Audit log"), _l("Who did what, when and from where"), "history"),
    ("OfficeView", "Office", _l("Office"), _l("Name, address, head of the sheet"), "building-2"),
)


def _year_link() -> str:
    return url_for("HolidayView.add")


#: A gap's sentence, and the permission and place where it is closed.
GAPS: dict[str, tuple[Any, tuple[str, str], Callable[[], str]]] = {
    "step_without_officer": (
        _l("Nobody may act in the step “%(step)s”: cases will stop there."),
        ("can_list", "UserDBModelView"),
        lambda: url_for("UserDBModelView.list"),
    ),
    "no_working_hours": (
        _l("There are no working hours: the clocks use a default week."),
        ("can_add", "WorkingHours"),
        lambda: url_for("WorkingHoursView.add"),
    ),
    "no_holidays": (
        _l("There is no holiday in %(year)s: clocks and due dates will be wrong."),
        ("can_add", "Holiday"),
        _year_link,
    ),
    "holidays_expected": (
        _l("%(count)s holidays of %(year)s are only expected: check them against the decree."),
        ("can_list", "Holiday"),
        lambda: url_for("HolidayView.list", _flt_0_certainty="perkiraan"),
    ),
    "no_signatory": (
        _l("Nobody is entered as a signatory for today: nothing can be signed."),
        ("can_add", "Signatory"),
        lambda: url_for("SignatoryView.add"),
    ),
    "same_person": (
        _l("By exception one officer may check and sign the same case until %(day)s: %(reason)s"),
        ("can_edit", "Office"),
        lambda: url_for("OfficeView.list"),
    ),
    "no_channel": (
        _l("No channel is in use: nothing can be registered."),
        ("can_list", "Channel"),
        lambda: url_for("ChannelView.list"),
    ),
    "no_category": (
        _l("No category is in use: nothing can be registered."),
        ("can_list", "Category"),
        lambda: url_for("CategoryView.list"),
    ),
    "no_courier": (
        _l("No courier is in use: nothing can be sent."),
        ("can_list", "Courier"),
        lambda: url_for("CourierView.list"),
    ),
    "no_document_kind": (
        _l("No document kind is in use: no paper can be asked for or issued."),
        ("can_list", "DocumentKind"),
        lambda: url_for("DocumentKindView.list"),
    ),
}


class AdminHomeView(BaseView):  # type: ignore[misc]
    """The administrator's landing page."""

    route_base = "/administration"
    class_permission_name = "Admin"
    default_view = "show"

    @expose("/")
    @has_access
    def show(self) -> ResponseReturnValue:
        session, held = db.session(), current_permissions()
        overview = load_overview(session)
        gaps = find_gaps(session, the_sop(), today=local(request_time()).date())
        return render_template(
            "aduan/admin_home.html",
            title=_("Administration"),
            overview=overview,
            breaches=breach_warnings(),
            gaps=[_gap(gap, held) for gap in gaps],
            links=[
                {"url": url_for(f"{view}.list"), "title": title, "text": text, "icon": icon}
                for view, permission, title, text, icon in LINKS
                if ("can_list", permission) in held
            ],
            users_url=url_for("UserDBModelView.list")
            if ("can_list", "UserDBModelView") in held
            else None,
            roles_url=url_for("RoleModelView.list")
            if ("can_list", "RoleModelView") in held
            else None,
            facts=_facts(overview),
            appbuilder=self.appbuilder,
        )


def _gap(gap: Gap, held: frozenset[tuple[str, str]]) -> dict[str, Any]:
    sentence, permission, url = GAPS[gap.code]
    params = {
        name: local_date(value) if isinstance(value, date) else str(value)
        for name, value in gap.params.items()
    }
    return {"text": str(sentence) % params, "url": url() if permission in held else None}


def _facts(overview: Any) -> list[tuple[str, Any]]:
    """What a helper on the telephone asks for first."""
    from alembic.runtime.migration import MigrationContext

    connection = db.session().connection()
    version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(
        connection.dialect.name, connection.dialect.name
    )
    folder = the_store().folder
    return [
        (_("Database"), f"{name} {version}".strip()),
        (_("Schema"), MigrationContext.configure(connection).get_current_revision()),
        (_("SOP file"), overview.sop_sha256[:12]),
        (_("Last brought in line"), overview.synced_at),
        (_("Files are kept in"), str(folder) if folder else _("an object store")),
    ]
