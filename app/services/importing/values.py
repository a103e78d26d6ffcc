"""Reading single cells of a register: dates, numbers that are texts, and texts that are too long."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from app.services.calendar import OFFICE_ZONE
from app.sop.errors import SopError
from app.sop.text import N_

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "cell_needed": N_("This cell must be filled in."),
    "cell_too_long": N_("At most %(most)s letters; this has %(count)s."),
    "cell_unprintable": N_("This holds control characters. Type it again."),
    "cell_error": N_("This cell shows a mistake of a formula."),
    "cell_no_date": N_("This is not a date. Write it as 31/12/2026."),
    "cell_no_time": N_("This is not a time. Write it as 13:45."),
    "digits_lost": N_(
        "The spreadsheet took this for a number and lost its last digits. Make the cell a text and"
        " type all 16 digits again."
    ),
}

_MONTHS: Final[Mapping[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            ("januari", "jan", "january"),
            ("februari", "feb", "pebruari", "february"),
            ("maret", "mar", "march"),
            ("april", "apr"),
            ("mei", "may"),
            ("juni", "jun", "june"),
            ("juli", "jul", "july"),
            ("agustus", "agt", "ags", "agu", "aug", "august"),
            ("september", "sep", "sept"),
            ("oktober", "okt", "oct", "october"),
            ("november", "nov", "nopember", "nop"),
            ("desember", "des", "dec", "december"),
        ),
        1,
    )
    for name in names
}
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[-/. ](\d{1,2}|[A-Za-z]+)\.?[-/. ](\d{4}|\d{2})")
_YEAR_FIRST: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_TIME: Final = re.compile(
    r"(?:pukul|jam)?\s*(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?\s*(?:wib)?", re.IGNORECASE
)
_ERROR: Final = re.compile(r"#(REF|DIV/0|VALUE|NAME|N/A|NUM|NULL|SPILL|CALC)[!?]?", re.IGNORECASE)
_SCIENTIFIC: Final = re.compile(r"\d([.,]\d+)?E\+?\d+", re.IGNORECASE)
#: What people put between the digits of a long number.
_MARKS: Final = re.compile(r"[\s.'’`\-\u200b-\u200f\u202a-\u202e\ufeff]+")
#: Excel keeps fifteen digits of a number.
_EXACT: Final = 10**15
_BLANK: Final = frozenset({"", "-", "–", "—", "n/a"})


class CellError(SopError):
    """One cell cannot be taken over; the code says why."""


def text_of(value: Any, *, most: int, lines: bool = False) -> str:
    """A cell as text; blanks in a row count as one unless it has `lines`.

    Raises:
        CellError: `cell_too_long`, `cell_unprintable`, `cell_error`.
    """
    text = unicodedata.normalize("NFC", _plain(value)).replace("_x000D_", "")
    if _ERROR.fullmatch(text.strip()):
        raise CellError("cell_error")
    if lines:
        text = "\n".join(" ".join(line.split(" ")).strip() for line in text.splitlines()).strip()
    else:
        text = " ".join(text.split())
    if any(
        unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn")
        for letter in text
        if letter != "\n"
    ):
        raise CellError("cell_unprintable")
    if any("\u202a" <= letter <= "\u202e" or "\u2066" <= letter <= "\u2069" for letter in text):
        raise CellError("cell_unprintable")
    if len(text) > most:
        raise CellError("cell_too_long", most=most, count=len(text))
    return "" if text.casefold() in _BLANK else text


def _plain(value: Any) -> str:
    """A value as a person would have typed it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    if isinstance(value, datetime):
        return f"{value:%d-%m-%Y}" if value.time() == time() else f"{value:%d-%m-%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d-%m-%Y}"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return str(value)


def digits_of(value: Any) -> str:
    """A NIK or KK number: digits without marks; anything else stays for the check to refuse.

    Raises:
        CellError: `digits_lost`, because a spreadsheet keeps fifteen digits of a number.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _EXACT:
        raise CellError("digits_lost")
    text = text_of(value, most=60)
    if _SCIENTIFIC.fullmatch(text):
        raise CellError("digits_lost")
    return _MARKS.sub("", text)


def moment_of(day: Any, clock: Any = None) -> datetime | None:
    """A date, and the time beside it or in the same cell, on the office's clock; None for blank.

    A date without a time counts from the beginning of the day.

    Raises:
        CellError: `cell_no_date`, `cell_no_time`.
    """
    if isinstance(day, datetime):
        found, rest = day.date(), day.time()
    elif isinstance(day, date):
        found, rest = day, time()
    else:
        text = text_of(day, most=60)
        if not text:
            return None
        parsed = _written_day(text)
        if parsed is None:
            raise CellError("cell_no_date")
        found, after = parsed
        rest = time_of(after) or time()
    at = time_of(clock) or rest
    if not 1990 <= found.year <= 2100:
        raise CellError("cell_no_date")
    return datetime.combine(found, at.replace(microsecond=0), OFFICE_ZONE)


def time_of(value: Any) -> time | None:
    """A time of day, None for blank.

    Raises:
        CellError: `cell_no_time`.
    """
    if isinstance(value, datetime):
        return value.time()
    if isinstance(value, time):
        return value
    if isinstance(value, timedelta):
        value = value.total_seconds() / 86_400
    if isinstance(value, float) and 0 <= value < 1:  # an unformatted cell of Excel
        minutes, seconds = divmod(round(value * 86_400) % 86_400, 60)
        return time(minutes // 60, minutes % 60, seconds)
    if isinstance(value, float):  # 8.15, typed as Indonesians write times
        value = f"{value:.2f}"
    text = text_of(value, most=60)
    if not text:
        return None
    match = _TIME.fullmatch(text)
    try:
        return time(int(match[1]), int(match[2]), int(match[3] or 0)) if match else _no_time()
    except ValueError:
        return _no_time()


def _no_time() -> time:
    raise CellError("cell_no_time")


def _written_day(text: str) -> tuple[date, str] | None:
    """The date at the beginning of a text, day first as here, and what stands after it."""
    match = _YEAR_FIRST.match(text)
    if match is not None:
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    else:
        match = _DAY_FIRST.match(re.sub(r"^[A-Za-z']+,\s*", "", text))
        if match is None:
            return None
        text = re.sub(r"^[A-Za-z']+,\s*", "", text)
        day, year = int(match[1]), int(match[3])
        year += 2000 if year < 100 else 0
        month = int(match[2]) if match[2].isdigit() else _MONTHS.get(match[2].casefold(), 0)
    after = text[match.end() :]
    if after and after[0].isdigit():
        return None
    try:
        return date(year, month, day), after.strip(" ,;-T")
    except ValueError:
        return None
