"""What may be typed into a field: text that prints, within bounds; and fields that say so.

One place for every form of the reference screens. Both databases must be able to keep a value
(PostgreSQL refuses a null byte), and a PDF must be able to print it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from flask_appbuilder.fieldwidgets import BS3TextAreaFieldWidget, BS3TextFieldWidget
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField, TimeField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import (
    Length,
    Optional,
    StopValidation,
    ValidationError,
)
from wtforms.widgets import DateInput, NumberInput, TimeInput

from app.extensions import db

#: Days outside these years are slips of the hand.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
_LINE_ENDS = frozenset("\n\r\t")
#: Control and format characters, surrogates, private use, line separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FIRST_PICTURE, _FIRST_EMOJI = 0x2190, 0x1F000


def tidy(text: Any) -> Any:
    """A typed text without blanks at its ends; nothing typed is the empty text."""
    return text.strip() if isinstance(text, str) else ""


def unprintable(text: str, *, lines: bool = False) -> str:
    """The first character of a text that has no place in a record; "" when all of them have.

    Letters of every script, digits, punctuation and signs such as ° or № are fine; control
    characters, invisible ones and pictures are not. `lines` allows line ends and tabs.
    """
    for letter in text:
        if lines and letter in _LINE_ENDS:
            continue
        kind = unicodedata.category(letter)
        picture = (kind == "So" and ord(letter) >= _FIRST_PICTURE) or ord(letter) >= _FIRST_EMOJI
        if kind in _HIDDEN or (picture and not kind.startswith("L")) or letter == "\ufe0f":
            return letter
    return ""


class Needed:
    """Something was given: a text that is not blank, a number, a day; 0 counts."""

    field_flags = {"required": True}

    def __call__(self, form: Any, field: Any) -> None:
        if field.data is None or field.data == "":
            # Why it could not be read has been said already, if that is the reason.
            raise StopValidation("" if field.errors else _("Please fill this in."))


class Printable:
    """The text has no control characters and no pictures."""

    def __init__(self, *, lines: bool = False) -> None:
        self.lines = lines

    def __call__(self, form: Any, field: Any) -> None:
        found = unprintable(field.data or "", lines=self.lines)
        if not found:
            return
        # Nothing after this may look at the text: a query with a null byte fails on PostgreSQL.
        if unicodedata.category(found) in _HIDDEN:
            raise StopValidation(_("Control characters are not possible here."))
        raise StopValidation(_("Pictures such as %(sign)s are not possible here.", sign=found))


class Matches:
    """The text has a given form; the first message about a field is enough."""

    def __init__(self, pattern: str, message: Any) -> None:
        self.pattern = re.compile(pattern, re.ASCII)
        self.message = message

    def __call__(self, form: Any, field: Any) -> None:
        if field.data and not field.errors and not self.pattern.fullmatch(field.data):
            raise ValidationError(str(self.message))


class Unused:
    """No other record has this value in a column that tells records apart."""

    def __init__(self, model: Any, column: str, message: Any = None) -> None:
        self.model, self.column, self.message = model, column, message

    def __call__(self, form: Any, field: Any) -> None:
        if field.data in (None, "") or field.errors:
            return
        key = self.model.__mapper__.primary_key[0]
        column = getattr(self.model, self.column)
        found = db.session.execute(select(key).where(column == field.data)).scalar_one_or_none()
        if found is not None and found != getattr(form, "_id", None):
            raise ValidationError(str(self.message or _("Already exists.")))


def web_address(form: Any, field: Any) -> None:
    """An http(s) address of another site, without blanks, user name or password."""
    if not field.data or field.errors:
        return
    try:
        parts = urlsplit(field.data)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    else:
        fits = fits and "@" not in parts.netloc and not re.search(r"[\s\\<>\"]", field.data)
    if not fits:
        raise ValidationError(_("Write a whole web address that begins with http:// or https://."))


def mail_address(form: Any, field: Any) -> None:
    """One email address, by its form only."""
    if not field.data or field.errors:
        return
    if not re.fullmatch(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}", field.data):
        raise ValidationError(_("This is not an email address."))


def pattern(form: Any, field: Any) -> None:
    """A regular expression that compiles and cannot run away on a long text."""
    if not field.data or field.errors:
        return
    try:
        re.compile(field.data)
    except (re.error, OverflowError, RecursionError) as error:
        # Python's own words for it are English: only where it is wrong can be told.
        place = getattr(error, "pos", None)
        if place is None:
            raise ValidationError(_("This is not a regular expression.")) from None
        text = _("This is not a regular expression; look at character %(place)d.", place=place + 1)
        raise ValidationError(text) from None
    if repeats_within_repeats(field.data):
        raise ValidationError(
            _("A repeated group may not repeat inside: this could run for hours.")
        )


def repeats_within_repeats(text: str) -> bool:
    """Whether a group that repeats something is itself repeated, like `(a+)+`.

    Such a pattern takes exponential time on a text that does not match.
    """
    plain = re.sub(r"\[\^?\]?(?:\\.|[^\]\\])*\]", "x", re.sub(r"\\.", "x", text))
    open_groups: list[bool] = [False]
    closed = False
    for place, sign in enumerate(plain):
        was_closed, closed = closed, False
        if sign == "(":
            open_groups.append(False)
        elif sign == ")" and len(open_groups) > 1:
            inner = open_groups.pop()
            open_groups[-1] = open_groups[-1] or inner
            closed = inner
        elif sign in "*+{" or (sign == "?" and plain[place - 1 : place] not in ("(", "")):
            if was_closed and sign != "?":
                return True
            open_groups[-1] = open_groups[-1] or sign != "?"
    return False


# --- fields ---


def text_field(
    label: Any,
    most: int,
    *,
    needed: bool = True,
    hint: Any = "",
    checks: Sequence[Callable[[Any, Any], None]] = (),
    **attributes: Any,
) -> StringField:
    """One line of printable text of at most `most` characters, stored without blanks around it."""
    return StringField(
        label,
        description=hint,
        filters=[tidy],
        validators=[
            Needed() if needed else Optional(),
            Length(max=most, message=_l("At most %(max)d characters.")),
            Printable(),
            *checks,
        ],
        widget=BS3TextFieldWidget(),
        render_kw={"autocomplete": "off", "maxlength": most, **attributes},
    )


def long_text_field(label: Any, most: int, *, needed: bool = False, hint: Any = "") -> StringField:
    """Several lines of printable text."""
    return StringField(
        label,
        description=hint,
        filters=[tidy, _unix_lines],
        validators=[
            Needed() if needed else Optional(),
            Length(max=most, message=_l("At most %(max)d characters.")),
            Printable(lines=True),
        ],
        widget=BS3TextAreaFieldWidget(),
        render_kw={"rows": 4},
    )


def _unix_lines(text: Any) -> Any:
    return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else text


def tick_field(label: Any, *, hint: Any = "", default: bool = False) -> BooleanField:
    """Yes or no."""
    return BooleanField(label, description=hint, default=default)


class WholeNumberField(IntegerField):  # type: ignore[misc]
    """A whole number between two bounds."""

    widget = NumberInput()

    def __init__(self, label: Any = None, *, low: int, high: int, **kwargs: Any) -> None:
        self.low, self.high = low, high
        kwargs["render_kw"] = {
            "min": low,
            "max": high,
            "class": "input-short",
            "inputmode": "numeric",
            **kwargs.get("render_kw", {}),
        }
        super().__init__(label, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        text = valuelist[0].strip()
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            self.data = None
            raise ValueError(_("Write a whole number in digits."))
        self.data = int(text)

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if validation_stopped or self.data is None or self.errors:
            return
        if not self.low <= self.data <= self.high:
            text = _("Between %(low)d and %(high)d, please.", low=self.low, high=self.high)
            raise ValidationError(text)


def number_field(
    label: Any, low: int, high: int, *, hint: Any = "", default: int | None = None
) -> WholeNumberField:
    """A whole number that has to be given."""
    return WholeNumberField(
        label,
        low=low,
        high=high,
        description=hint,
        default=default,
        validators=[Needed()],
    )


class DayField(DateField):  # type: ignore[misc]
    """A day as the browser's own date field sends it."""

    widget = DateInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            day = date.fromisoformat(valuelist[0].strip())
        except ValueError:
            self.data = None
            raise ValueError(_("This is not a date.")) from None
        if not FIRST_DAY <= day <= LAST_DAY:
            self.data = None
            raise ValueError(_("A date between the years 2000 and 2100, please."))
        self.data = day


def day_field(label: Any, *, needed: bool = True, hint: Any = "") -> DayField:
    """A day between the years 2000 and 2100."""
    return DayField(
        label,
        description=hint,
        validators=[Needed() if needed else Optional()],
        render_kw={
            "class": "input-short",
            "min": FIRST_DAY.isoformat(),
            "max": LAST_DAY.isoformat(),
        },
    )


class ClockField(TimeField):  # type: ignore[misc]
    """A time of day, to the minute."""

    widget = TimeInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata([text.strip()[:5] for text in valuelist])
        except ValueError:
            self.data = None
            if valuelist and valuelist[0].strip():
                raise ValueError(_("This is not a time of day such as 07:30.")) from None


def clock_field(label: Any, *, needed: bool = True, hint: Any = "") -> ClockField:
    """A time of day such as 07:30."""
    return ClockField(
        label,
        description=hint,
        validators=[Needed() if needed else Optional()],
        render_kw={"class": "input-short"},
    )


class ChoiceField(SelectField):  # type: ignore[misc]
    """One of a few; `data-searchable` comes by itself when there are many."""

    def pre_validate(self, form: Any) -> None:
        try:
            super().pre_validate(form)
        except ValidationError:
            raise ValidationError(_("Choose one of the list.")) from None

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            self.data = None
            raise ValueError(_("Choose one of the list.")) from None


def choice_field(
    label: Any,
    choices: Sequence[tuple[Any, Any]] | Callable[[], Sequence[tuple[Any, Any]]],
    *,
    hint: Any = "",
    default: Any = None,
    coerce: Callable[[Any], Any] = str,
    width: str = "input-mid",
) -> ChoiceField:
    """One of declared choices; a function is asked anew for every form."""

    def offered() -> list[SelectChoice]:
        pairs = choices() if callable(choices) else choices
        return [SelectChoice(value, text) for value, text in pairs]

    return ChoiceField(
        label,
        choices=offered,
        description=hint,
        default=default,
        coerce=coerce,
        render_kw={"class": width},
    )
