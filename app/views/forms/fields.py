"""Fields that keep what was typed and refuse it in the office's words, not in a library's."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, SelectField, StringField, TextAreaField
from wtforms.validators import StopValidation
from wtforms.widgets import DateInput, DateTimeLocalInput

from app.formats import OFFICE_ZONE, number

Validator = Callable[[Any, Any], None]

_DAY_FORMATS: Final = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y")
_TIME_FORMATS: Final = ("%H:%M", "%H.%M", "%H:%M:%S")
#: Longer than any date or time in the formats above.
_LONGEST_DATE: Final = 40


class PlainString(StringField):  # type: ignore[misc]
    """One line of text: line breaks and blanks in a row count as one blank."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = " ".join((valuelist[0] if valuelist else "").split())


class PlainText(TextAreaField):  # type: ignore[misc]
    """Several lines of text, with the line breaks of every system made one kind."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        text = valuelist[0] if valuelist else ""
        self.data = text.replace("\r\n", "\n").replace("\r", "\n").strip()


class OneOf(SelectField):  # type: ignore[misc]
    """A choice from rows of the database: its value is a key, checked by the form itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, choices=[], coerce=str, validate_choice=False, **kwargs)

    def process_data(self, value: Any) -> None:
        self.data = "" if value is None else str(value)

    def iter_choices(self) -> Any:
        """The template writes the options; the rows they come from are the screen's."""
        return iter(())


class DayField(Field):  # type: ignore[misc]
    """A date; what cannot be one is kept and refused."""

    widget = DateInput()

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = None
        text = (valuelist[0] if valuelist else "").strip()
        if not text:
            return
        found = _first(text, _DAY_FORMATS)
        if found is None:
            raise ValueError(_("This is not a date."))
        self.data = found.date()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])[:_LONGEST_DATE]
        return self.data.isoformat() if isinstance(self.data, date) else ""


class LocalTimeField(Field):  # type: ignore[misc]
    """A moment on the office's wall clock (Asia/Jakarta), as an aware datetime."""

    widget = DateTimeLocalInput()

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = None
        text = (valuelist[0] if valuelist else "").strip().replace("T", " ")
        if not text:
            return
        found = _first(text, [f"{day} {time}" for day in _DAY_FORMATS for time in _TIME_FORMATS])
        if found is None:
            raise ValueError(_("This is not a date and time."))
        self.data = found

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])[:_LONGEST_DATE]
        return wall_clock(self.data) if isinstance(self.data, datetime) else ""


def wall_clock(moment: datetime) -> str:
    """A moment as an `<input type="datetime-local">` wants it."""
    return f"{moment.astimezone(OFFICE_ZONE):%Y-%m-%dT%H:%M}"


def _first(text: str, formats: Sequence[str]) -> datetime | None:
    if len(text) > _LONGEST_DATE:
        return None
    for pattern in formats:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=OFFICE_ZONE)
        except ValueError:
            continue
    return None


# --- validators ---------------------------------------------------------------------------------


class Needed:
    """Something has to be there; the browser is told as well."""

    field_flags: Final = {"required": True}

    def __init__(self, message: Any) -> None:
        self.message = message

    def __call__(self, form: Any, field: Any) -> None:
        if not field.data:
            if field.errors:  # something was typed, but it is no date: said already
                raise StopValidation()
            raise StopValidation(str(self.message))


def without_controls(text: str, allowed: str = "") -> str:
    """The text without control characters, null bytes among them: nobody means to type those."""
    return "".join(
        sign for sign in text if sign in allowed or unicodedata.category(sign) not in ("Cc", "Cs")
    )


def length_message(text: str, most: int) -> str | None:
    """What to say of a text of more than `most` characters, None when it fits."""
    if len(text) <= most:
        return None
    return _(
        "At most %(most)s characters; this has %(count)s.",
        most=number(most),
        count=number(len(text)),
    )


def controls_message() -> str:
    """What to say when control characters were taken out of a text."""
    return _("Characters that cannot be shown were taken out. Look at it once more.")


def printable(form: Any, field: Any) -> None:
    """Take control characters out, and have the officer look at what is left."""
    text = field.data or ""
    field.data = without_controls(text, "\n\t" if isinstance(field, TextAreaField) else "")
    if field.data != text:
        raise StopValidation(controls_message())


def at_most(most: int) -> Validator:
    """A text of so many characters; a longer one is kept in the form and refused."""

    def check(form: Any, field: Any) -> None:
        if message := length_message(field.data or "", most):
            raise StopValidation(message)

    return check


NEEDED_TEXT: Final = _l("Please fill this in.")
NEEDED_CHOICE: Final = _l("Please choose.")
NO_SUCH_CHOICE: Final = _l("This choice is no longer there. Choose again.")
