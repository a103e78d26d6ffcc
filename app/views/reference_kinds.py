"""Kinds of papers: what applicants bring, what the office issues and on what it is printed."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import select
from wtforms.validators import ValidationError

from app.extensions import db
from app.models import BlankStock, DocumentKind
from app.services.reference import categories_asking_for, categories_ending_with
from app.views.base import RefusedForm
from app.views.interface import OfficeInterface
from app.views.reference import NAMED_LABELS, NamedForm, ReferenceView, code_field
from app.views.validators import choice_field, text_field, tick_field


def blank_choices() -> list[tuple[str, str]]:
    """Plain paper, or one of the blank cards of the office."""
    rows = db.session.scalars(select(BlankStock).order_by(BlankStock.position, BlankStock.id))
    return [("", _("No: plain paper")), *((str(row.id), str(row)) for row in rows)]


def optional_id(value: Any) -> int | None:
    """The id of a chosen row, None for none."""
    return int(value) if value not in (None, "", "None") else None


class DocumentKindEditForm(NamedForm):
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

    blank_id = choice_field(
        _l("Printed on a blank card"),
        blank_choices,
        coerce=optional_id,
        hint=_l("Each print takes one off the stock; without one the document waits in line."),
    )

    def validate_blank_id(self, field: Any) -> None:
        """The office prints what it issues."""
        if field.data and not self.is_output.data:
            raise ValidationError(_("Only papers that the office issues are printed on a card."))

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
        "blank": _l("Printed on a blank card"),
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
        "blank",
        "position",
        "active",
    ]
    search_columns: ClassVar[list[str]] = ["is_requirement", "is_output", "active"]
    filter_columns = ("is_requirement", "is_output", "active")
    text_columns = ("label_id", "label_en", "code", "form_number")
    edit_fieldsets: ClassVar[list[Any]] = [
        (_l("Name"), {"fields": ["label_id", "label_en", "form_number"]}),
        (
            _l("Use"),
            {"fields": ["is_requirement", "is_output", "needs_signature", "blank_id"]},
        ),
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
        "blank_id",
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
