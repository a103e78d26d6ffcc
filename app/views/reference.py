"""Papers, channels and couriers: what an administrator of the office keeps up to date."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_appbuilder.forms import DynamicForm
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from app.models import Channel, Courier
from app.views.base import OfficeModelView
from app.views.formpages import EVERY_CHANGE
from app.views.interface import OfficeInterface
from app.views.validators import (
    Matches,
    Unused,
    number_field,
    pattern,
    text_field,
    tick_field,
    web_address,
)

#: Where an entry stands in lists; small numbers come first.
POSITION_HINT = _l("Small numbers come first in lists.")
ACTIVE_HINT = _l("Switch off instead of deleting: old cases keep it, new ones are not offered it.")


def code_field(model: Any) -> Any:
    """The short name by which the program knows an entry; it never changes afterwards."""
    return text_field(
        _l("Code"),
        40,
        hint=_l("A short name of letters, digits and _. It cannot be changed later."),
        checks=[Matches(r"\w+", _l("Only letters, digits and _.")), Unused(model, "code")],
        **{"class": "input-mid"},
    )


def active_badge(active: bool) -> Markup:
    """Whether an entry is offered to new cases."""
    tone, text = ("ok", _("In use")) if active else ("neutral", _("Not in use"))
    return Markup('<span class="badge badge-{}">{}</span>').format(tone, text)


class ReferenceView(OfficeModelView):
    """What the screens of reference data share: no deleting, a badge, names in one column."""

    asks_again = EVERY_CHANGE
    base_order = ("position", "asc")
    page_size = 50
    search_columns: ClassVar[list[str]] = ["active"]
    filter_columns: ClassVar[tuple[str, ...]] = ("active",)
    text_label = _l("Search by name or code")
    label_columns: ClassVar[dict[str, Any]] = {}
    empty_text = _l("Entries are offered in forms as soon as they are added.")

    def cell(self, item: Any, column: str) -> Any:
        """One name in the reader's language; on the page of an entry both."""
        if column == "label_id":
            return str(item.label)
        if column in ("name_id", "name_en"):
            return getattr(item, column.replace("name", "label"))
        if column == "active":
            return active_badge(item.active)
        return super().cell(item, column)


class NamedForm(DynamicForm):  # type: ignore[misc]
    """Both names, the place in lists, and whether it is offered."""

    label_id = text_field(_l("Name in Indonesian"), 160)
    label_en = text_field(
        _l("Name in English"), 160, needed=False, hint=_l("Empty: the Indonesian name is shown.")
    )
    position = number_field(_l("Position"), 0, 9999, default=100, hint=POSITION_HINT)
    active = tick_field(_l("In use"), hint=ACTIVE_HINT, default=True)


NAMED_LABELS: dict[str, Any] = {
    "code": _l("Code"),
    "label_id": _l("Name"),
    "name_id": _l("Name in Indonesian"),
    "name_en": _l("Name in English"),
    "position": _l("Position"),
    "active": _l("In use"),
}


# --- channels ---


class ChannelEditForm(NamedForm):
    """A way by which complaints reach the office."""

    in_person = tick_field(
        _l("The applicant is present"),
        hint=_l("At the counter: no account name, received now."),
    )
    handle_label_id = text_field(
        _l("What the sender's address is called, in Indonesian"),
        60,
        needed=False,
        hint=_l("For example: Nomor WhatsApp. It labels the field when registering."),
    )
    handle_label_en = text_field(
        _l("What the sender's address is called, in English"), 60, needed=False
    )


class ChannelAddForm(ChannelEditForm):
    """A new channel."""

    code = code_field(Channel)


class ChannelView(ReferenceView):
    """Channels."""

    datamodel = OfficeInterface(Channel)
    class_permission_name = "Channel"
    route_base = "/reference/channels"
    list_title = _l("Channels")
    show_title = _l("Channel")
    add_title = _l("Add a channel")
    edit_title = _l("Edit the channel")
    add_form, edit_form = ChannelAddForm, ChannelEditForm
    label_columns: ClassVar[dict[str, Any]] = {
        **NAMED_LABELS,
        "in_person": _l("Applicant is present"),
        "handle_label_id": _l("Sender's address, Indonesian"),
        "handle_label_en": _l("Sender's address, English"),
    }
    list_columns: ClassVar[list[str]] = [
        "label_id",
        "code",
        "handle_label_id",
        "in_person",
        "position",
        "active",
    ]
    order_columns: ClassVar[list[str]] = ["label_id", "code", "position"]
    show_columns: ClassVar[list[str]] = [
        "name_id",
        "name_en",
        "code",
        "in_person",
        "handle_label_id",
        "handle_label_en",
        "position",
        "active",
    ]
    text_columns = ("label_id", "label_en", "code")
    edit_columns: ClassVar[list[str]] = [
        "label_id",
        "label_en",
        "in_person",
        "handle_label_id",
        "handle_label_en",
        "position",
        "active",
    ]
    add_columns: ClassVar[list[str]] = ["code", *edit_columns]


# --- couriers ---


class CourierEditForm(DynamicForm):  # type: ignore[misc]
    """Who carries papers to applicants."""

    name = text_field(_l("Name"), 80)
    hint_regex = text_field(
        _l("Form of the tracking number"),
        200,
        needed=False,
        checks=[pattern],
        hint=_l("A regular expression. A number of another form gives a hint, never a refusal."),
        spellcheck="false",
        **{"class": "mono"},
    )
    tracking_page = text_field(
        _l("Tracking page"),
        300,
        needed=False,
        checks=[web_address],
        hint=_l("The courier's own page; the tracking number is offered to copy beside it."),
        inputmode="url",
    )
    position = number_field(_l("Position"), 0, 9999, default=100, hint=POSITION_HINT)
    active = tick_field(_l("In use"), hint=ACTIVE_HINT, default=True)


class CourierAddForm(CourierEditForm):
    """A new courier."""

    code = code_field(Courier)


class CourierView(ReferenceView):
    """Couriers."""

    datamodel = OfficeInterface(Courier)
    class_permission_name = "Courier"
    route_base = "/reference/couriers"
    list_title = _l("Couriers")
    show_title = _l("Courier")
    add_title = _l("Add a courier")
    edit_title = _l("Edit the courier")
    add_form, edit_form = CourierAddForm, CourierEditForm
    label_columns: ClassVar[dict[str, Any]] = {
        "code": _l("Code"),
        "name": _l("Name"),
        "hint_regex": _l("Form of the tracking number"),
        "tracking_page": _l("Tracking page"),
        "position": _l("Position"),
        "active": _l("In use"),
    }
    list_columns: ClassVar[list[str]] = ["name", "tracking_page", "position", "active"]
    order_columns: ClassVar[list[str]] = ["name", "position"]
    show_columns: ClassVar[list[str]] = [
        "name",
        "code",
        "hint_regex",
        "tracking_page",
        "position",
        "active",
    ]
    text_columns = ("name", "code")
    edit_columns: ClassVar[list[str]] = [
        "name",
        "hint_regex",
        "tracking_page",
        "position",
        "active",
    ]
    add_columns: ClassVar[list[str]] = ["code", *edit_columns]

    def cell(self, item: Courier, column: str) -> Any:
        """The page as a link that tells the courier nothing of us, the pattern as code."""
        if column == "tracking_page" and item.tracking_link:
            return Markup('<a href="{0}" rel="noopener noreferrer" target="_blank">{0}</a>').format(
                item.tracking_link
            )
        if column == "hint_regex" and item.hint_regex:
            return Markup("<code>{}</code>").format(item.hint_regex)
        return super().cell(item, column)
