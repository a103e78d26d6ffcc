"""Papers, channels and couriers: what an administrator of the office keeps up to date."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_appbuilder.forms import DynamicForm
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from wtforms.validators import ValidationError

from app.extensions import db
from app.models import Channel, Courier, DocumentKind
from app.services.reference import categories_asking_for, categories_ending_with
from app.views.base import OfficeModelView, RefusedForm
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


class _NamedForm(DynamicForm):  # type: ignore[misc]
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


# --- kinds of papers ---


class DocumentKindEditForm(_NamedForm):
    """A kind of paper: what the applicant brings, or what the office issues."""

    form_number = text_field(
        _l("Form number"),
        20,
        needed=False,
        hint=_l("As in Permendagri 109/2019, for example F-1.02."),
        **{"class": "input-short"},
    )
    is_requirement = tick_field(_l("Applicants bring it"))
    is_output = tick_field(_l("The office issues it"))
    needs_signature = tick_field(
        _l("Signed electronically"),
        hint=_l("A case cannot leave the signing step before the signed file is attached."),
    )

    def validate_is_output(self, field: Any) -> None:
        """A paper that is neither brought nor issued has no place."""
        if not (field.data or self.is_requirement.data):
            raise ValidationError(_("Say whether applicants bring it or the office issues it."))

    def validate_needs_signature(self, field: Any) -> None:
        """The head signs what the office issues."""
        if field.data and not self.is_output.data:
            raise ValidationError(_("Only papers that the office issues are signed."))


class DocumentKindAddForm(DocumentKindEditForm):
    """A new kind of paper."""

    code = code_field(DocumentKind)


class DocumentKindView(ReferenceView):
    """Kinds of papers."""

    datamodel = OfficeInterface(DocumentKind)
    class_permission_name = "DocumentKind"
    route_base = "/reference/document_kinds"
    list_title = _l("Document kinds")
    show_title = _l("Document kind")
    add_title = _l("Add a document kind")
    edit_title = _l("Edit the document kind")
    add_form, edit_form = DocumentKindAddForm, DocumentKindEditForm
    label_columns: ClassVar[dict[str, Any]] = {
        **NAMED_LABELS,
        "form_number": _l("Form number"),
        "use": _l("Use"),
        "is_requirement": _l("Brought by applicants"),
        "is_output": _l("Issued by the office"),
        "needs_signature": _l("Signed electronically"),
    }
    list_columns: ClassVar[list[str]] = ["label_id", "form_number", "use", "position", "active"]
    order_columns: ClassVar[list[str]] = ["label_id", "form_number", "position"]
    show_columns: ClassVar[list[str]] = [
        "name_id",
        "name_en",
        "code",
        "form_number",
        "is_requirement",
        "is_output",
        "needs_signature",
        "position",
        "active",
    ]
    search_columns: ClassVar[list[str]] = ["is_requirement", "is_output", "active"]
    filter_columns = ("is_requirement", "is_output", "active")
    text_columns = ("label_id", "label_en", "code", "form_number")
    edit_fieldsets: ClassVar[list[Any]] = [
        (_l("Name"), {"fields": ["label_id", "label_en", "form_number"]}),
        (_l("Use"), {"fields": ["is_requirement", "is_output", "needs_signature"]}),
        (_l("In lists"), {"fields": ["position", "active"]}),
    ]
    add_fieldsets: ClassVar[list[Any]] = [
        (_l("Name"), {"fields": ["label_id", "label_en", "code", "form_number"]}),
        *edit_fieldsets[1:],
    ]
    edit_columns: ClassVar[list[str]] = [
        "label_id",
        "label_en",
        "form_number",
        "is_requirement",
        "is_output",
        "needs_signature",
        "position",
        "active",
    ]
    add_columns: ClassVar[list[str]] = ["code", *edit_columns]

    def cell(self, item: DocumentKind, column: str) -> Any:
        """What it is for, in badges."""
        if column != "use":
            return super().cell(item, column)
        uses = (
            (item.is_requirement, "neutral", _("brought")),
            (item.is_output, "accent", _("issued")),
            (item.needs_signature, "info", _("signed")),
        )
        return Markup(" ").join(
            Markup('<span class="badge badge-{}">{}</span>').format(tone, text)
            for held, tone, text in uses
            if held
        )

    def pre_update(self, item: DocumentKind) -> None:
        """A paper that categories name keeps the use they name it for."""
        session = db.session()
        uses = (
            ("is_requirement", categories_asking_for),
            ("is_output", categories_ending_with),
        )
        for column, named_by in uses:
            if getattr(item, column):
                continue
            found = named_by(session, item.id)
            if found:
                names = ", ".join(str(category) for category in found[:3])
                raise RefusedForm({column: _("Categories still name it: %(names)s", names=names)})


# --- channels ---


class ChannelEditForm(_NamedForm):
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
        if column == "tracking_page" and item.tracking_page:
            return Markup('<a href="{0}" rel="noopener noreferrer" target="_blank">{0}</a>').format(
                item.tracking_page
            )
        if column == "hint_regex" and item.hint_regex:
            return Markup("<code>{}</code>").format(item.hint_regex)
        return super().cell(item, column)
