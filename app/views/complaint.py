"""Complaints: the list, the page, registering, and the SOP's transitions as actions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache, lru_cache
from typing import Any, ClassVar

from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from sqlalchemy.orm import Query

from app.access import current_actor
from app.catalogues import language_of_now
from app.extensions import db
from app.formats import days_left, local, local_datetime, short_date
from app.models import Category, Complaint, SopStep, User
from app.services.search import case_condition, listed_cases
from app.services.signing import SIGN
from app.services.visibility import visible_cases
from app.sop.definition import Sop
from app.sop.identity import mask
from app.views.base import OfficeModelView
from app.views.case_actions import ActionsMixin, transition_actions
from app.views.cells import Cells, cell_text, nowrap, with_below
from app.views.export import EXPORT_ROWS, csv_response
from app.views.interface import OfficeInterface
from app.views.labels import kecamatan_choices, labels_of
from app.views.list_state import read_state
from app.views.office import request_time
from app.views.registration import RegistrationMixin
from app.views.revealing import RevealMixin
from app.views.searching import PrivateSearchMixin
from app.views.work import WorkMixin


def _row_columns(query: Query[Any]) -> Query[Any]:
    """What the list shows of a case; the names of steps and categories are remembered."""
    return query.outerjoin(User, User.id == Complaint.assignee_id).with_entities(
        Complaint.id,
        Complaint.number,
        Complaint.applicant_name,
        Complaint.category_id,
        Complaint.step_key,
        Complaint.received_at,
        Complaint.class_due,
        Complaint.closed_at,
        User.first_name,
        User.last_name,
    )


@lru_cache(maxsize=5000)
def _due(day: date, today: date | None, language: str) -> Markup:
    """The day a case is due, with the days left while it is open; the language is of the words."""
    if today is None:
        return escape(short_date(day))
    return nowrap(short_date(day), days_left(day, today))


class ComplaintView(
    ActionsMixin, WorkMixin, RegistrationMixin, RevealMixin, PrivateSearchMixin, OfficeModelView
):
    """List, show and register complaints; the SOP's transitions are its actions."""

    datamodel = OfficeInterface(
        Complaint, row_rule=visible_cases, eager=("channel", "category", "step", "assignee")
    )
    class_permission_name = "Complaint"
    # Signing asks again who it is, wherever it is done: here, in a batch, in the work form.
    asks_again = frozenset({SIGN})
    route_base = "/complaints"
    list_title = _l("Complaints")
    show_title = _l("Complaint")
    add_title = _l("Register a complaint")
    edit_title = _l("Correct the complaint")
    label_columns: ClassVar[dict[str, Any]] = {
        "number": _l("Number"),
        "received_at": _l("Received"),
        "applicant_name": _l("Applicant"),
        "category": _l("Category"),
        "channel": _l("Channel"),
        "step": _l("Step"),
        "assignee": _l("Handled by"),
        "class_due": _l("Due"),
        "kecamatan": _l("Kecamatan"),
    }
    list_columns: ClassVar[list[str]] = [
        "number", "applicant_name", "category", "step", "received_at", "class_due",
    ]  # fmt: skip
    export_columns: ClassVar[list[str]] = [
        "number", "applicant_name", "category", "channel", "step", "assignee", "received_at",
        "class_due",
    ]  # fmt: skip
    show_columns: ClassVar[list[str]] = ["number"]
    # Never the step: it moves by actions alone. Registering and correcting have forms of their own.
    add_columns: ClassVar[list[str]] = ["text"]
    edit_columns: ClassVar[list[str]] = ["text"]
    search_columns: ClassVar[list[str]] = ["number", "step", "category", "channel", "kecamatan"]
    order_columns: ClassVar[list[str]] = ["number", "received_at"]
    base_order = ("received_at", "desc")
    text_columns = ("number",)
    text_label = _l("Number, name, NIK, phone or tracking number")
    filter_columns = ("step", "category", "channel", "kecamatan")
    choices: ClassVar[dict[str, Any]] = {"kecamatan": kecamatan_choices}
    empty_title = _l("No complaint yet")
    empty_text = _l("Complaints appear here as soon as one is registered.")

    def text_condition(self, model: Any, text: str) -> Any:
        """A number, NIK, KK, phone or tracking number exactly, else part of a name."""
        return case_condition(
            db.session(), text, personal=current_actor().can("see_personal"), now=request_time()
        )

    def searched(self, text: str) -> Any:
        """The same for what is numbers or a name, not perhaps both."""
        personal = current_actor().can("see_personal")
        return listed_cases(db.session(), text, personal=personal, now=request_time())

    row_shape = staticmethod(_row_columns)

    def cells(self) -> Cells:
        """Names only for those who may see personal data; due dates with the days left."""
        categories, steps = labels_of(Category), labels_of(SopStep)
        whole = current_actor().can("see_personal")
        today, tongue = local(request_time()).date(), language_of_now()
        # Cases of one page share days, categories and steps: each is written once.
        day = cache(lambda value: nowrap(short_date(value)))
        category = cache(lambda key: cell_text(categories.get(key, "")))
        step = cache(lambda key, holder: with_below(steps.get(key, ""), holder))

        def line(item: Any) -> list[Markup]:
            holder = f"{item.first_name} {item.last_name}" if item.first_name is not None else ""
            name = item.applicant_name if whole else _masked(item.applicant_name)
            return [
                nowrap(item.number),
                cell_text(name),
                category(item.category_id),
                step(item.step_key, holder),
                day(local(item.received_at).date()),
                _due(item.class_due, None if item.closed_at is not None else today, tongue),
            ]

        return line

    @expose("/export", methods=["GET"])
    @has_access
    def export(self) -> ResponseReturnValue:
        """The list as it is filtered now, as CSV."""
        state = read_state(self)
        state.page, state.page_size = 0, EXPORT_ROWS
        _count, items = self.query_page(state)
        header = [str(self.label_columns[name]) for name in self.export_columns]
        return csv_response(_("complaints") + ".csv", header, self._export_rows(items))

    def _export_rows(self, items: list[Complaint]) -> Iterator[list[str]]:
        for item in items:
            yield [
                item.number,
                shown_name(item),
                str(item.category),
                str(item.channel),
                str(item.step),
                item.assignee.get_full_name() if item.assignee else "",
                local_datetime(item.received_at),
                item.class_due.isoformat(),
            ]


def shown_name(item: Any) -> str:
    """The applicant's name for those who may see it, else its first letters."""
    if current_actor().can("see_personal"):
        return item.applicant_name
    return _masked(item.applicant_name)


def _masked(name: str) -> str:
    return mask(name, first=1, last=0)


def make_complaint_view(sop: Sop) -> type[ComplaintView]:
    """The view with one action for each transition of the SOP file."""
    return type("ComplaintView", (ComplaintView,), transition_actions(sop))
