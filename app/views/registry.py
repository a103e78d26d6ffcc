"""The menu: which screen stands where, under the names of `seed_data/roles.toml`."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.sop.definition import Sop
from app.views.admin_home import AdminHomeView
from app.views.audit import AuditView
from app.views.blanks import BlankStockView
from app.views.breaches import BreachView
from app.views.chart_cases import ChartCaseView
from app.views.charts import MORE, StepChartView
from app.views.check import CheckView
from app.views.complaint import make_complaint_view
from app.views.confirm import ConfirmView
from app.views.desk import DispatchDeskView
from app.views.dispatch import DispatchView
from app.views.document import DocumentView
from app.views.importing import ImportView
from app.views.living_sop import LivingSopView
from app.views.message_texts import MessageTextView
from app.views.messages import MessageView
from app.views.papers import PaperView
from app.views.person_data import PersonDataView
from app.views.printing import PrintingView
from app.views.process_log import ProcessLogView
from app.views.queue import QueueView
from app.views.reference import ChannelView, CourierView
from app.views.reference_categories import CategoryView
from app.views.reference_kinds import DocumentKindView
from app.views.reference_places import OfficeView, RegionView
from app.views.reference_time import HolidayView, SopStepView, WorkingHoursView
from app.views.reports import ReportView
from app.views.searching import SearchView
from app.views.second_factor import SecondFactorView
from app.views.sessions import SessionView
from app.views.sign_in_rules import SignInRuleView, UserSignInView
from app.views.signatories import SignatoryView
from app.views.signing import SigningView
from app.views.sop_sheet import SopSheetView
from app.views.uploads import UploadView

#: The order of the menu's first level, whatever the order of registration.
ORDER = (
    "Queue",
    "Signing",
    "Register",
    "Import",
    "Complaints",
    "Dispatch desk",
    "Printing",
    "Blank stock",
    "Documents",
    "Dispatches",
    "Messages",
    "SOP",
    "Charts",
    "Reports",
    "Personal data",
    "Reference",
    "Administration",
)


def register(appbuilder: Any, sop: Sop) -> None:
    """Register every screen; menu names must be those of `seed_data/roles.toml`."""
    appbuilder.add_view(
        make_complaint_view(sop), "Complaints", label=_l("Complaints"), icon="clipboard-list"
    )
    appbuilder.add_link(
        "Register", href="ComplaintView.add", label=_l("Register a complaint"), icon="file-plus"
    )
    appbuilder.add_view(DocumentView, "Documents", label=_l("Documents"), icon="files")
    appbuilder.add_view(
        DispatchDeskView, "Dispatch desk", label=_l("Dispatch desk"), icon="scan-line"
    )
    appbuilder.add_view(PrintingView, "Printing", label=_l("Printing"), icon="printer")
    appbuilder.add_view(BlankStockView, "Blank stock", label=_l("Blank stock"), icon="id-card")
    appbuilder.add_view(DispatchView, "Dispatches", label=_l("Dispatches"), icon="truck")
    appbuilder.add_view(MessageView, "Messages", label=_l("Messages"), icon="mail")
    charts = {
        "category": "Charts",
        "category_label": _l("Charts"),
        "category_icon": "chart-line",
    }
    appbuilder.add_view(
        LivingSopView,
        "Living SOP",
        label=_l("Living SOP"),
        icon="workflow",
        **charts,
    )
    appbuilder.add_view(
        StepChartView,
        "Step durations",
        label=_l("Step durations"),
        icon="chart-column",
        **charts,
    )
    for chart in MORE:
        appbuilder.add_view_no_menu(chart)
    appbuilder.add_view(
        ProcessLogView,
        "Process",
        label=_l("Process conformance"),
        icon="check-check",
        category="Charts",
    )
    appbuilder.add_view(QueueView, "Queue", label=_l("Queue"), icon="inbox")
    appbuilder.add_view(SigningView, "Signing", label=_l("Signing"), icon="signature")
    appbuilder.add_view(ReportView, "Reports", label=_l("Reports"), icon="book-open")
    appbuilder.add_view(SopSheetView, "SOP", label=_l("SOP sheet"), icon="workflow")
    appbuilder.add_view(
        AdminHomeView,
        "Overview",
        label=_l("Overview"),
        icon="layout-grid",
        category="Administration",
        category_label=_l("Administration"),
        category_icon="shield",
    )
    _register_reference(appbuilder)
    appbuilder.add_view_no_menu(UploadView)
    appbuilder.add_view_no_menu(PaperView)
    appbuilder.add_view_no_menu(CheckView)
    appbuilder.add_view_no_menu(ConfirmView)
    appbuilder.add_view_no_menu(SessionView)
    appbuilder.add_view_no_menu(SecondFactorView)
    appbuilder.add_view_no_menu(UserSignInView)
    appbuilder.add_view(
        SignInRuleView,
        "Sign-in rules",
        label=_l("Sign-in rules"),
        icon="shield-check",
        category="Administration",
    )
    appbuilder.add_view(
        AuditView,
        "Audit log",
        label=_l("Audit log"),
        icon="history",
        category="Administration",
    )
    appbuilder.add_view(
        BreachView,
        "Breaches",
        label=_l("Breach register"),
        icon="triangle-alert",
        category="Personal data",
        category_label=_l("Personal data"),
        category_icon="shield",
    )
    appbuilder.add_view(
        PersonDataView,
        "One person",
        label=_l("One person's data"),
        icon="id-card",
        category="Personal data",
    )
    appbuilder.add_view_no_menu(SearchView)
    appbuilder.add_view_no_menu(ChartCaseView)
    appbuilder.add_view(ImportView, "Import", label=_l("Import a register"), icon="upload")
    appbuilder.menu.menu.sort(key=_place)
    for group in appbuilder.menu.menu:
        group.childs.sort(key=lambda child: child.name != "Overview")


def _register_reference(appbuilder: Any) -> None:
    """What the office changes itself, in one group of the menu."""
    shared = {
        "category": "Reference",
        "category_label": _l("Reference"),
        "category_icon": "tags",
    }
    for view, name, label, icon in (
        (DocumentKindView, "Document kinds", _l("Document kinds"), "file-text"),
        (CategoryView, "Categories", _l("Categories"), "tag"),
        (ChannelView, "Channels", _l("Channels"), "message-circle"),
        (CourierView, "Couriers", _l("Couriers"), "truck"),
        (MessageTextView, "Message texts", _l("Message texts"), "message-circle"),
        (RegionView, "Regions", _l("Kecamatan and desa"), "map"),
        (HolidayView, "Holidays", _l("Holidays"), "calendar-days"),
        (WorkingHoursView, "Working hours", _l("Working hours"), "clock"),
        (OfficeView, "Office", _l("Office"), "building-2"),
        (SignatoryView, "Signatories", _l("Signatories"), "signature"),
        (SopStepView, "Standard minutes", _l("Standard minutes"), "timer"),
    ):
        appbuilder.add_view(view, name, label=label, icon=icon, **shared)


def _place(item: Any) -> int:
    return ORDER.index(item.name) if item.name in ORDER else len(ORDER)
