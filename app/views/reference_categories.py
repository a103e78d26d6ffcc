"""Categories of complaints: what they ask for, what they end with, and how fast the law is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from flask import request
from flask_appbuilder.fields import QuerySelectMultipleField
from flask_appbuilder.fieldwidgets import Select2ManyWidget
from flask_appbuilder.forms import DynamicForm
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms.validators import ValidationError

from app.extensions import db
from app.models import Category, DocumentKind
from app.services.complaints import CLASS_WORKING_DAYS
from app.services.reference import set_papers
from app.views.interface import OfficeInterface
from app.views.reference import NAMED_LABELS, NamedForm, ReferenceView, code_field
from app.views.validators import choice_field, long_text_field, tick_field

#: Permenpan-RB 62/2018 as practised; the days themselves stand in the service.
LEGAL_CLASSES: tuple[tuple[str, Any], ...] = (
    ("information", _l("Request for information")),
    ("complaint", _l("Complaint without oversight content")),
    ("oversight", _l("Complaint with oversight content")),
)


def _kinds(use: str) -> Callable[[], list[DocumentKind]]:
    def query() -> list[DocumentKind]:
        statement = select(DocumentKind).where(getattr(DocumentKind, use).is_(True))
        return list(db.session.scalars(statement.order_by(DocumentKind.position)))

    return query


def _kind_label(kind: DocumentKind) -> str:
    return str(kind) if kind.active else _("%(name)s (not in use)", name=kind)


class PapersField(QuerySelectMultipleField):  # type: ignore[misc]
    """Several kinds of papers; the service writes them, not WTForms."""

    def populate_obj(self, obj: Any, name: str) -> None:
        """The category has rows of its own for these."""

    def pre_validate(self, form: Any) -> None:
        _read = self.data  # FAB notices a made-up key only when the data is read
        try:
            super().pre_validate(form)
        except ValidationError:
            raise ValidationError(_("Choose from the list.")) from None


def _papers_field(label: Any, use: str, hint: Any) -> PapersField:
    return PapersField(
        label,
        description=hint,
        query_func=_kinds(use),
        get_pk_func=lambda kind: kind.id,
        get_label=_kind_label,
        widget=Select2ManyWidget(),
    )


class CategoryEditForm(NamedForm):
    """What complaints of a category are about and what they need."""

    legal_class = choice_field(
        _l("Legal class"),
        LEGAL_CLASSES,
        default="complaint",
        width="input-long",
        hint=_l("Decides the legal due date. Oversight content is seen by few."),
    )
    required_kinds = _papers_field(
        _l("Needed papers"),
        "is_requirement",
        _l("A case cannot go on before each of them is there."),
    )
    supporting_kinds = _papers_field(
        _l("Supporting papers"), "is_requirement", _l("Welcome, but a case goes on without them.")
    )
    output_kinds = _papers_field(
        _l("Usual results"), "is_output", _l("Proposed when the papers of a case are named.")
    )
    allows_answer = tick_field(
        _l("May be resolved without a document"),
        hint=_l("The operator answers the applicant and the case ends there."),
    )
    resolution_hint = long_text_field(
        _l("How it is usually solved"), 1000, hint=_l("Shown to the officer who works on it.")
    )

    def validate_supporting_kinds(self, field: Any) -> None:
        """A paper is needed or welcome, not both."""
        needed = {kind.id for kind in self.required_kinds.data or ()}
        twice = [str(kind) for kind in field.data or () if kind.id in needed]
        if twice:
            raise ValidationError(
                _("Already among the needed papers: %(names)s", names=", ".join(twice))
            )


class CategoryAddForm(CategoryEditForm):
    """A new category."""

    code = code_field(Category)


class CategoryView(ReferenceView):
    """Categories."""

    datamodel = OfficeInterface(Category, eager_many=("requirements", "outputs"))
    class_permission_name = "Category"
    route_base = "/reference/categories"
    list_title = _l("Categories")
    show_title = _l("Category")
    add_title = _l("Add a category")
    edit_title = _l("Edit the category")
    add_form, edit_form = CategoryAddForm, CategoryEditForm
    label_columns: ClassVar[dict[str, Any]] = {
        **NAMED_LABELS,
        "legal_class": _l("Legal class"),
        "allows_answer": _l("Without a document"),
        "required_kinds": _l("Needed papers"),
        "supporting_kinds": _l("Supporting papers"),
        "output_kinds": _l("Usual results"),
        "resolution_hint": _l("How it is usually solved"),
        "paper_count": _l("Papers"),
        "requirements": _l("Papers"),
        "outputs": _l("Usual results"),
    }
    list_columns: ClassVar[list[str]] = [
        "label_id",
        "legal_class",
        "paper_count",
        "allows_answer",
        "position",
        "active",
    ]
    order_columns: ClassVar[list[str]] = ["label_id", "position"]
    show_fieldsets: ClassVar[list[Any]] = [
        (_l("Name"), {"fields": ["name_id", "name_en", "code", "position", "active"]}),
        (_l("Papers"), {"fields": ["required_kinds", "supporting_kinds", "output_kinds"]}),
        (_l("Handling"), {"fields": ["legal_class", "allows_answer", "resolution_hint"]}),
    ]
    show_columns: ClassVar[list[str]] = [
        "name_id",
        "name_en",
        "code",
        "position",
        "active",
        "required_kinds",
        "supporting_kinds",
        "output_kinds",
        "legal_class",
        "allows_answer",
        "resolution_hint",
    ]
    search_columns: ClassVar[list[str]] = ["legal_class", "active"]
    filter_columns = ("legal_class", "active")
    choices: ClassVar[dict[str, Any]] = {"legal_class": LEGAL_CLASSES}
    text_columns = ("label_id", "label_en", "code")
    edit_fieldsets: ClassVar[list[Any]] = [
        (_l("Name"), {"fields": ["label_id", "label_en"]}),
        (_l("Papers"), {"fields": ["required_kinds", "supporting_kinds", "output_kinds"]}),
        (_l("Handling"), {"fields": ["legal_class", "allows_answer", "resolution_hint"]}),
        (_l("In lists"), {"fields": ["position", "active"]}),
    ]
    add_fieldsets: ClassVar[list[Any]] = [
        (_l("Name"), {"fields": ["label_id", "label_en", "code"]}),
        *edit_fieldsets[1:],
    ]
    edit_columns: ClassVar[list[str]] = [
        "label_id",
        "label_en",
        "required_kinds",
        "supporting_kinds",
        "output_kinds",
        "legal_class",
        "allows_answer",
        "resolution_hint",
        "position",
        "active",
    ]
    add_columns: ClassVar[list[str]] = ["code", *edit_columns]

    def _show_widget(self, item: Any, fieldsets: Any = None, actions: Any = None) -> Any:
        return super()._show_widget(item, fieldsets or self.show_fieldsets, actions)

    def cell(self, item: Category, column: str) -> Any:
        """The papers by name, the class with the days it gives."""
        if column == "legal_class":
            return legal_class_text(item.legal_class)
        if column == "paper_count":
            needed = sum(row.required for row in item.requirements)
            more = len(item.requirements) - needed
            if not more:
                return _("%(needed)d needed", needed=needed)
            return _("%(needed)d needed, %(more)d more", needed=needed, more=more)
        if column in ("required_kinds", "supporting_kinds"):
            wanted = column == "required_kinds"
            return "\n".join(str(row.kind) for row in item.requirements if row.required is wanted)
        if column == "output_kinds":
            return "\n".join(str(row.kind) for row in item.outputs)
        return super().cell(item, column)

    def prefill_form(self, form: DynamicForm, pk: Any) -> None:
        """The papers that the category has now."""
        item = self.get_or_404(pk)
        form.required_kinds.data = [row.kind for row in item.requirements if row.required]
        form.supporting_kinds.data = [row.kind for row in item.requirements if not row.required]
        form.output_kinds.data = [row.kind for row in item.outputs]

    def save_new(self, form: DynamicForm, item: Category) -> None:
        super().save_new(form, item)
        self._save_papers(form, item)

    def save_changes(self, form: DynamicForm, item: Category) -> None:
        super().save_changes(form, item)
        self._save_papers(form, item)

    def _save_papers(self, form: DynamicForm, item: Category) -> None:
        """What the form showed is written; a list that was not sent at all stays as it is."""
        now = {
            "required_kinds": [row.kind for row in item.requirements if row.required],
            "supporting_kinds": [row.kind for row in item.requirements if not row.required],
            "output_kinds": [row.kind for row in item.outputs],
        }
        sent = {
            name: form[name].data if name in request.form or "shown" in request.form else kinds
            for name, kinds in now.items()
        }
        set_papers(
            db.session(),
            item,
            required=sent["required_kinds"],
            supporting=sent["supporting_kinds"],
            outputs=sent["output_kinds"],
        )


def legal_class_text(legal_class: str) -> str:
    """A legal class with the working days it gives."""
    name = dict(LEGAL_CLASSES).get(legal_class, legal_class)
    days = CLASS_WORKING_DAYS.get(legal_class, 0)
    return _("%(name)s (%(days)d working days)", name=name, days=days)
