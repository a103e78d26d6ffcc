"""The office's texts for applicants: edited with a live preview, refused with an unknown placeholder."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_appbuilder.forms import DynamicForm
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from wtforms.validators import ValidationError

from app.errors import error_sentence
from app.extensions import db
from app.models import MessageText
from app.services.messages.texts import (
    MEANINGS,
    PLACEHOLDERS,
    SAMPLES,
    fill,
    text_problems,
)
from app.views.base import OfficeModelView
from app.views.formpages import EVERY_CHANGE
from app.views.interface import OfficeInterface
from app.views.messages import OCCASIONS, WAYS
from app.views.reference import active_badge
from app.views.validators import long_text_field, text_field, tick_field

LONGEST = 2000


class MessageTextForm(DynamicForm):  # type: ignore[misc]
    """The words of one occasion and way; which those are never changes."""

    subject = text_field(_l("Subject"), 150, needed=False)
    body = long_text_field(
        _l("Text"),
        LONGEST,
        needed=True,
        hint=_l("A line with a placeholder that has nothing to say in a case is left out."),
    )
    active = tick_field(
        _l("In use"), hint=_l("Switched off, nothing is sent this way at this occasion.")
    )

    def _row(self) -> MessageText:
        return db.session.get_one(MessageText, getattr(self, "_id", None))

    def validate(self, extra_validators: Any = None) -> bool:
        """An e-mail has a subject; nothing else has."""
        email = self._row().way == "email"
        if not email:
            self.subject.data = ""
        valid = bool(super().validate(extra_validators))
        if email and not self.subject.data and not self.subject.errors:
            # A blank field ends its own checks, so this one stands outside of them.
            self.subject.errors = [_("An e-mail needs a subject.")]
            valid = False
        return valid

    def validate_subject(self, field: Any) -> None:
        """Every placeholder is one that is known at this occasion."""
        if not field.errors:
            _check(self._row(), field)

    def validate_body(self, field: Any) -> None:
        """Every placeholder is one that is known at this occasion."""
        if not field.errors:
            _check(self._row(), field)


def _check(row: MessageText, field: Any) -> None:
    if problems := text_problems(row.occasion, field.data or ""):
        raise ValidationError(" ".join(error_sentence(problem) for problem in problems))


class MessageTextView(OfficeModelView):
    """Message texts: one for each occasion and way, neither added nor removed."""

    datamodel = OfficeInterface(MessageText)
    asks_again = EVERY_CHANGE
    class_permission_name = "MessageText"
    route_base = "/reference/message-texts"
    exclude_route_methods: ClassVar[set[str]] = {"add", "delete", "download"}
    list_title = _l("Message texts")
    show_title = _l("Message text")
    edit_title = _l("Edit the message text")
    edit_form = MessageTextForm
    edit_template = "aduan/message_text_edit.html"
    label_columns: ClassVar[dict[str, Any]] = {
        "occasion": _l("Occasion"),
        "way": _l("Way"),
        "subject": _l("Subject"),
        "body": _l("Text"),
        "preview": _l("As the applicant reads it"),
        "active": _l("In use"),
    }
    list_columns: ClassVar[list[str]] = ["occasion", "way", "body", "active"]
    show_columns: ClassVar[list[str]] = ["occasion", "way", "subject", "body", "preview", "active"]
    add_columns: ClassVar[list[str]] = ["body"]
    edit_columns: ClassVar[list[str]] = ["subject", "body", "active"]
    search_columns: ClassVar[list[str]] = ["occasion", "way"]
    order_columns: ClassVar[list[str]] = ["id"]
    base_order = ("id", "asc")
    page_size = 50
    empty_title = _l("No message texts yet")
    empty_text = _l("They come with the reference data of a release: run it again.")

    def item_title(self, item: MessageText) -> str:
        """The row has no name of its own."""
        return f"{OCCASIONS[item.occasion]} · {WAYS[item.way][0]}"

    def cell(self, item: MessageText, column: str) -> Any:
        """Occasion and way in words, texts with their lines."""
        if column == "occasion":
            return str(OCCASIONS[item.occasion])
        if column == "way":
            return str(WAYS[item.way][0])
        if column == "body":
            return Markup('<span class="message-body">{}</span>').format(item.body)
        if column == "preview":
            return Markup('<span class="message-body">{}</span>').format(fill(item.body, SAMPLES))
        if column == "active":
            return active_badge(item.active)
        return super().cell(item, column)

    def _form_page(self, form: Any, *, new: bool = False, item: Any = None) -> str:
        form.preview = {
            "title": self.item_title(item),
            "email": item.way == "email",
            "placeholders": [
                {"name": name, "meaning": _(MEANINGS[name])} for name in PLACEHOLDERS[item.occasion]
            ],
            "samples": {name: SAMPLES[name] for name in PLACEHOLDERS[item.occasion]},
            "subject": fill(form.subject.data or "", SAMPLES),
            "body": fill(form.body.data or "", SAMPLES),
        }
        return super()._form_page(form, new=new, item=item)
