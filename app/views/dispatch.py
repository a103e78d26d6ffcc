"""Dispatches: what was sent to whom, what became of it; made by the work form of step 6 alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from functools import cache
from typing import Any, ClassVar, Final

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Query
from wtforms import RadioField

from app.access import current_actor, current_permissions
from app.errors import error_sentence
from app.extensions import db
from app.formats import OFFICE_ZONE, local, local_date, local_datetime, number, short_date
from app.models import Complaint, Courier, Dispatch
from app.services.dispatching import clean_tracking_number, may_send, set_status
from app.services.facts import current_dispatch
from app.services.search import case_condition
from app.services.visibility import visible_through
from app.sop.errors import RefusedError
from app.sop.identity import mask
from app.views.base import OfficeModelView, RefusedForm
from app.views.case_parts import case_link, case_number_link, personal
from app.views.cells import Cells, cell_text
from app.views.export import EXPORT_ROWS, Cell, csv_response
from app.views.forms.fields import DayField, PlainString, at_most, printable
from app.views.interface import OfficeInterface
from app.views.labels import labels_of
from app.views.list_state import read_state
from app.views.office import request_time, the_sop
from app.views.searching import PrivateSearchMixin

STATUSES: Final[Mapping[str, tuple[Any, str]]] = {
    "sent": (_l("Under way"), "info"),
    "delivered": (_l("Delivered"), "ok"),
    "returned": (_l("Came back"), "late"),
}
#: The field that a refusal of the service is about.
_REFUSED_FIELD: Final[Mapping[str, str]] = {
    "dispatch_status_unknown": "status",
    "recipient_missing": "received_by",
    "return_reason_missing": "return_reason",
    "delivered_at_impossible": "delivered_on",
    "returned_at_impossible": "returned_on",
    "parcel_sent_again": "status",
}
#: Who usually takes a parcel in; anything else may be written.
RELATIONS: Final = (
    _l("the applicant"),
    _l("husband or wife"),
    _l("parent"),
    _l("child"),
    _l("brother or sister"),
    _l("other relative"),
    _l("neighbour"),
    _l("village or RT/RW official"),
    _l("security or reception"),
)
#: Why couriers bring a parcel back; anything else may be written.
RETURN_REASONS: Final = (
    _l("address not found"),
    _l("applicant not at home"),
    _l("applicant has moved"),
    _l("phone not answered"),
    _l("refused by the recipient"),
)
_NOON: Final = time(12)


class StatusForm(DynamicForm):  # type: ignore[misc]
    """What became of a parcel: the only thing of a dispatch that is ever written again."""

    status = RadioField(
        _l("What became of it"),
        choices=[(key, label) for key, (label, _tone) in STATUSES.items()],
        validate_choice=False,
    )
    delivered_on = DayField(
        _l("Delivered on"), description=_l("As the courier says; left empty: today.")
    )
    received_by = PlainString(_l("Received by"), validators=[printable, at_most(120)])
    relation = PlainString(
        _l("Relation to the applicant"),
        description=_l("For example: the applicant, wife, neighbour."),
        validators=[printable, at_most(60)],
        render_kw={"list": "relations", "autocomplete": "off"},
    )
    old_card = RadioField(
        _l("The old card"),
        description=_l("Whoever gets a new KTP-el or KIA hands the old one in."),
        choices=[
            ("none", _l("There was none to hand in")),
            ("taken", _l("Handed in")),
            ("left", _l("Not handed in")),
        ],
        default="none",
    )
    returned_on = DayField(
        _l("Came back on"), description=_l("When it was here again; left empty: today.")
    )
    return_reason = PlainString(
        _l("Why it came back"),
        description=_l("As the courier says, for example: address not found."),
        validators=[printable, at_most(200)],
        render_kw={"list": "return-reasons", "autocomplete": "off"},
    )


def _row_columns(query: Query[Any]) -> Query[Any]:
    """What the list shows of a parcel; the names of couriers are remembered."""
    return query.join(Complaint, Complaint.id == Dispatch.complaint_id).with_entities(
        Dispatch.id,
        Dispatch.tracking_number,
        Dispatch.complaint_id,
        Complaint.number,
        Dispatch.courier_id,
        Dispatch.recipient,
        Dispatch.sent_at,
        Dispatch.status,
        Dispatch.delivered_at,
    )


class DispatchView(PrivateSearchMixin, OfficeModelView):
    """List and show parcels, and say what became of them."""

    datamodel = OfficeInterface(
        Dispatch, row_rule=visible_through(Dispatch.complaint), eager=("complaint", "courier")
    )
    class_permission_name = "Dispatch"
    route_base = "/dispatches"
    exclude_route_methods: ClassVar[set[str]] = {
        "add", "delete", "download", "action", "action_post",
    }  # fmt: skip
    list_title = _l("Dispatches")
    show_title = _l("Dispatch")
    edit_title = _l("What became of the parcel")
    edit_row_message = _l("Saved.")
    show_template = "aduan/dispatch_show.html"
    edit_template = "aduan/dispatch_edit.html"
    version_column = "version"
    label_columns: ClassVar[dict[str, Any]] = {
        "tracking_number": _l("Tracking number"),
        "complaint": _l("Case"),
        "courier": _l("Courier"),
        "recipient": _l("Recipient"),
        "sent_at": _l("Sent"),
        "status": _l("Status"),
    }
    list_columns: ClassVar[list[str]] = [
        "tracking_number", "complaint", "courier", "recipient", "sent_at", "status",
    ]  # fmt: skip
    show_columns: ClassVar[list[str]] = ["tracking_number"]
    add_columns: ClassVar[list[str]] = ["status"]
    edit_columns: ClassVar[list[str]] = [
        "status", "delivered_on", "received_by", "relation", "old_card", "returned_on",
        "return_reason",
    ]  # fmt: skip
    edit_form = StatusForm
    search_columns: ClassVar[list[str]] = ["status", "courier"]
    order_columns: ClassVar[list[str]] = ["sent_at", "tracking_number"]
    base_order = ("sent_at", "desc")
    text_columns = ("tracking_number",)
    text_label = _l("Tracking number or case number")
    filter_columns = ("status", "courier")
    choices: ClassVar[Mapping[str, Sequence[tuple[str, Any]]]] = {
        "status": tuple((key, label) for key, (label, _tone) in STATUSES.items())
    }
    empty_title = _l("Nothing was sent yet")
    empty_text = _l("A parcel appears here when the last step of a case is done.")

    # --- looking ---

    def text_condition(self, model: Any, text: str) -> Any:
        """The beginning of a tracking number, or a case's number."""
        start = clean_tracking_number(text)
        fitting = select(Complaint.id).where(
            case_condition(db.session(), text, personal=False, now=request_time())
        )
        return (
            (Dispatch.tracking_number >= start) & (Dispatch.tracking_number < start + "\uffff")
        ) | Dispatch.complaint_id.in_(fitting)

    row_shape = staticmethod(_row_columns)

    def cells(self) -> Cells:
        """Recipients only for those who may see personal data; the status as a badge."""
        couriers, now = labels_of(Courier), request_time()
        whole = current_actor().can("see_personal")
        # Parcels of one page share couriers and statuses: each is written once.
        courier = cache(lambda key: cell_text(couriers.get(key, "")))
        status = cache(_status_cell)

        def line(item: Any) -> list[Markup]:
            # The day stays in one line; the time may stand below it.
            day, _blank, time = local_datetime(item.sent_at).rpartition(" ")
            return [
                cell_text(item.tracking_number),
                case_number_link(item.complaint_id, item.number),
                courier(item.courier_id),
                cell_text(item.recipient if whole else mask(item.recipient, first=1, last=0)),
                Markup(f'<span class="nowrap">{day}</span> {time}'),  # noqa: S704 - figures
                status(item.status, days_under_way(item, now)),
            ]

        return line

    def show_extra(self, item: Dispatch) -> dict[str, Any]:
        """Everything on the parcel, what became of it, and the proof."""
        label, tone = STATUSES[item.status]
        may_file = ("can_show", "Document") in current_permissions()
        may_desk = ("can_add", "DispatchDesk") in current_permissions()
        return {
            "again_url": self._again_url(item) if may_desk else None,
            "may_news": may_desk and self.may("can_edit") and item.status == "sent",
            "status": {"label": label, "tone": tone},
            "edit_url": self._own_url("edit", pk=item.id) if self.may("can_edit") else None,
            "list_url": self._own_url("list") if self.may("can_list") else None,
            "proof_pk": item.proof_id if may_file else None,
            "parcel": [
                (_("Case"), case_link(item.complaint)),
                (_("Recipient"), personal(item.recipient)),
                # In full on the label, and on the page of the case for who asks with a reason.
                (_("Address"), mask(item.address, first=3, last=0)),
                (_("Phone"), mask(item.phone, first=4, last=3)),
                (_("Service"), item.service),
                (_("Paid to the courier"), f"Rp {number(item.cost)}" if item.cost else None),
                *([(_("Sending no."), item.attempt)] if item.attempt > 1 else []),
                (_("Sent"), local_datetime(item.sent_at)),
                (_("Sent by"), item.sent_by.get_full_name() if item.sent_by else None),
            ],
            "outcome": _outcome(item),
        }

    def _again_url(self, item: Dispatch) -> str | None:
        """Where what came back is sent once more, while nobody has done so."""
        if item.status != "returned" or not may_send(the_sop(), current_actor()):
            return None
        latest = current_dispatch(db.session(), item.complaint)
        if latest is None or latest.id != item.id:
            return None
        return url_for("DispatchDeskView.desk", case=item.complaint.number)

    @expose("/export", methods=["GET"])
    @has_access
    def export(self) -> ResponseReturnValue:
        """The list as it is filtered now, as CSV."""
        state = read_state(self)
        state.page, state.page_size = 0, EXPORT_ROWS
        _count, items = self.query_page(state)
        header = [
            _("Case"), _("Courier"), _("Tracking number"), _("Recipient"), _("Sent"), _("Status"),
            _("Days under way"), _("Delivered on"), _("Received by"), _("Relation"),
            _("Old card"), _("Sending no."), _("Latest news"), _("Came back on"),
            _("Why it came back"),
        ]  # fmt: skip
        return csv_response(_("dispatches") + ".csv", header, list(_export_rows(items)))

    # --- the status ---

    def prefill_form(self, form: Any, pk: Any) -> None:
        """What is known already, a delivery as the day it was."""
        item = self.get_or_404(pk)
        form.delivered_on.data = local(item.delivered_at).date() if item.delivered_at else None
        form.returned_on.data = local(item.returned_at).date() if item.returned_at else None
        form.old_card.data = {True: "taken", False: "left", None: "none"}[item.old_card_taken]

    def _form_page(self, form: Any, *, new: bool = False, item: Any = None) -> str:
        form.relations, form.return_reasons = RELATIONS, RETURN_REASONS
        return super()._form_page(form, new=new, item=item)

    def save_changes(self, form: Any, item: Dispatch) -> None:
        """Write the status through the service; each refusal stands beside its field."""
        seen = request.form.get("seen_version", "")
        version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1
        now = request_time()
        if form.status.data == item.status == "sent":  # it would only write a line of history
            raise RefusedForm({"status": _("Choose whether it was delivered or came back.")})
        try:
            set_status(
                db.session(),
                item,
                form.status.data or "",
                current_actor(),
                now=now,
                expected_version=version,
                delivered_at=_moment(form.delivered_on.data, item.sent_at, now),
                received_by=form.received_by.data or "",
                relation=form.relation.data or "",
                old_card_taken={"taken": True, "left": False}.get(form.old_card.data or ""),
                returned_at=_moment(form.returned_on.data, item.sent_at, now),
                return_reason=form.return_reason.data or "",
            )
        except RefusedError as error:
            field = _REFUSED_FIELD.get(error.code, "")
            raise RefusedForm({field: error_sentence(error)}) from error


def days_under_way(item: Any, now: datetime) -> int | None:
    """Whole calendar days between sending and delivery, or today; None for what came back."""
    if item.status == "returned":
        return None
    end = item.delivered_at if item.status == "delivered" and item.delivered_at else now
    return max(0, (local(end).date() - local(item.sent_at).date()).days)


def _moment(day: date | None, sent_at: datetime, now: datetime) -> datetime | None:
    """A day of delivery as a moment: noon, but not before the sending and not in the future.

    A day outside of that stays where it is, so that the service refuses it.
    """
    if day is None:
        return None
    noon = datetime.combine(day, _NOON, OFFICE_ZONE)
    if day == local(sent_at).date():
        noon = max(noon, sent_at)
    return min(noon, now) if day == local(now).date() else noon


def _outcome(item: Dispatch) -> list[tuple[str, Any]]:
    if item.status == "delivered":
        return [
            (_("Delivered on"), local_date(item.delivered_at)),
            (_("Received by"), personal(item.received_by)),
            (_("Relation to the applicant"), item.relation),
            (_("The old card"), _old_card(item)),
        ]
    if item.status == "returned":
        return [
            (_("Came back on"), local_date(item.returned_at) if item.returned_at else None),
            (_("Why it came back"), item.return_reason),
        ]
    days = days_under_way(item, request_time()) or 0
    found: list[tuple[str, Any]] = [
        (_("Days under way"), ngettext("%(num)d day", "%(num)d days", days))
    ]
    if item.news_at is not None:
        found.append((_("Latest news"), f"{item.news} ({local_date(item.news_at)})"))
    return found


def _old_card(item: Dispatch) -> str:
    if item.old_card_taken is None:
        return str(_("There was none to hand in"))
    return str(_("Handed in") if item.old_card_taken else _("Not handed in"))


def _status_cell(status: str, days: int | None) -> Markup:
    label, tone = STATUSES[status]
    words = "" if days is None else ngettext("%(num)d day", "%(num)d days", days)
    # All are words of ours.
    below = f"<br><span class='muted small'>{words}</span>" if words else ""
    return Markup(f'<span class="badge badge-{tone}">{escape(label)}</span>{below}')  # noqa: S704


def _export_rows(items: Sequence[Dispatch]) -> Iterator[list[Cell]]:
    for item in items:
        yield [
            item.complaint.number,
            item.courier.name,
            item.tracking_number,
            personal(item.recipient),
            item.sent_at,
            str(STATUSES[item.status][0]),
            days_under_way(item, request_time()),
            short_date(item.delivered_at),
            personal(item.received_by),
            item.relation,
            _old_card(item) if item.status == "delivered" else "",
            item.attempt,
            item.news,
            short_date(item.returned_at),
            item.return_reason,
        ]
