"""Fields of the work forms: text that keeps what was there, ticks, money, and files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, RadioField, SelectField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget, TextInput

from app.models import StagedUpload
from app.services.filecheck import ACCEPT
from app.services.uploads import Stage
from app.views.forms.fields import (
    NO_SUCH_CHOICE,
    PlainString,
    PlainText,
    Validator,
    at_most,
    printable,
)

ALL_FILES: Final = ACCEPT
PDF: Final = "application/pdf"
LONGEST_REASON: Final = 2_000
#: More than a courier ever costs; larger is a slip of the hand.
MOST_RUPIAH: Final = 10_000_000


class Line(PlainString):
    """One line of text; a posting that leaves it out changes nothing."""

    def __init__(
        self, label: Any, most: int, *, checks: Sequence[Validator] = (), **kwargs: Any
    ) -> None:
        look = {"maxlength": most, "autocomplete": "off", **kwargs.pop("render_kw", {})}
        every = [printable, at_most(most), *checks]
        super().__init__(label, validators=every, render_kw=look, **kwargs)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        if valuelist:
            super().process_formdata(valuelist)


class Paragraph(PlainText):
    """Several lines of text; a posting that leaves it out changes nothing."""

    def __init__(self, label: Any, most: int, *, rows: int = 3, **kwargs: Any) -> None:
        checks = [printable, at_most(most)]
        super().__init__(label, validators=checks, render_kw={"rows": rows}, **kwargs)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        if valuelist:
            super().process_formdata(valuelist)


class _Listed:
    """A choice that is not on the list is refused in our words."""

    def pre_validate(self, form: Any) -> None:
        try:
            super().pre_validate(form)  # type: ignore[misc]
        except ValidationError:
            raise ValidationError(str(NO_SUCH_CHOICE)) from None

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        try:
            super().process_formdata(valuelist)  # type: ignore[misc]
        except ValueError:
            raise ValueError(str(NO_SUCH_CHOICE)) from None


def _offered(choices: Sequence[tuple[str, Any]]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in choices]


class OneRadio(_Listed, RadioField):  # type: ignore[misc]
    """One of a few, or none of them yet."""

    def __init__(self, label: Any, choices: Sequence[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(label, choices=_offered(choices), validators=[Optional()], **kwargs)


class OneRow(_Listed, SelectField):  # type: ignore[misc]
    """A row of a table by its id, or none yet."""

    def __init__(self, label: Any, rows: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        choices = [("", _l("Choose…")), *((str(key), words) for key, words in rows)]
        super().__init__(label, choices=_offered(choices), validators=[Optional()], **kwargs)

    def process_data(self, value: Any) -> None:
        self.data = "" if value is None else str(value)

    @property
    def row_id(self) -> int | None:
        """The chosen id."""
        return int(self.data) if self.data else None


class Ticks(_Listed, SelectMultipleField):  # type: ignore[misc]
    """Any number of a few."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: Any, choices: Sequence[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(label, choices=_offered(choices), **kwargs)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        super().process_formdata(list(dict.fromkeys(valuelist)))


class Rupiah(Field):  # type: ignore[misc]
    """Whole rupiah as people write them: `12000`, `12.000`, `Rp 12.000,00`."""

    widget = TextInput()  # a number box refuses the dots people write

    def __init__(self, label: Any, **kwargs: Any) -> None:
        look = {"inputmode": "numeric", "autocomplete": "off", "class": "input-short"}
        super().__init__(label, render_kw=look, **kwargs)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        if not valuelist:
            return
        self.data = None
        text = re.sub(r"(?i)^rp\.?|\s|,(00|-)$", "", valuelist[0].strip())
        if not text:
            return
        if not re.fullmatch(r"[0-9]{1,9}|[0-9]{1,3}([.,][0-9]{3}){1,2}", text):
            raise ValueError(_("Write the amount in whole rupiah, such as 12000."))
        amount = int(re.sub(r"[.,]", "", text))
        if amount > MOST_RUPIAH:
            raise ValueError(_("This amount is too large."))
        self.data = amount

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])[:40]
        return "" if self.data is None else str(self.data)


class FilesField(Field):  # type: ignore[misc]
    """Files for one place of a case; they were staged before, the form carries their tokens."""

    def __init__(
        self,
        label: Any,
        *,
        stage: Stage,
        kind_id: int | None = None,
        output_id: int | None = None,
        multiple: bool = True,
        accept: str = ALL_FILES,
        need: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, **kwargs)
        self.stage, self.kind_id, self.output_id = stage, kind_id, output_id
        self.multiple, self.accept, self.need = multiple, accept, need
        self.tokens: list[str] = []
        #: The officer's own uploads behind the tokens; found by the form.
        self.uploads: list[StagedUpload] = []

    @property
    def token_name(self) -> str:
        """The name under which the form carries the tokens."""
        return f"{self.name}_token"

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Take the tokens; a file itself never travels through this field."""
        self.process_errors: list[str] = []
        self.data = self.raw_data = None
        found = formdata.getlist(self.token_name) if formdata else []
        self.tokens = list(dict.fromkeys(token for token in found if token))

    def widget(self, field: Field, **kwargs: Any) -> str:
        """The template draws it (`parts.files`)."""
        return ""
