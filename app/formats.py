"""Dates, times and numbers as people write them in Indonesia; pages show Asia/Jakarta."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask_babel import gettext, ngettext

from app.catalogues import language_of_now

OFFICE_ZONE = ZoneInfo("Asia/Jakarta")
_SIGNS = str.maketrans(",.", ".,")


def local(value: datetime) -> datetime:
    """The office's wall clock."""
    return value.astimezone(OFFICE_ZONE)


def local_datetime(value: datetime | None) -> str:
    """`23 Nov 2026 14.05` (Indonesian) or `23 Nov 2026, 14:05` (English)."""
    if value is None:
        return ""
    here, language = local(value), language_of_now()
    day = _day(here.date(), "d MMM y", language)
    if language == "en":
        return f"{day}, {here.hour:02}:{here.minute:02}"
    return f"{day} {here.hour:02}.{here.minute:02}"


@lru_cache(maxsize=4096)
def _day(day: date, pattern: str, language: str) -> str:
    """A day as a language writes it; the same days come again on every page."""
    return str(format_date(day, pattern, locale=language))


def local_time(value: datetime | None) -> str:
    """`14.05` in Indonesian, `14:05` in English."""
    if value is None:
        return ""
    return f"{local(value):%H:%M}" if language_of_now() == "en" else f"{local(value):%H.%M}"


def local_date(value: date | datetime | None) -> str:
    """`23 November 2026`."""
    if value is None:
        return ""
    day = local(value).date() if isinstance(value, datetime) else value
    return _day(day, "d MMMM y", language_of_now())


def short_date(value: date | datetime | None) -> str:
    """`23 Nov 2026`."""
    if value is None:
        return ""
    day = local(value).date() if isinstance(value, datetime) else value
    return _day(day, "d MMM y", language_of_now())


def duration(seconds: int | float | None) -> str:
    """Office time as the SOP counts it: `< 1 menit`, `12 menit`, `3 jam 5 menit`."""
    if seconds is None:
        return "–"
    minutes = int(seconds) // 60
    if minutes < 1:
        return gettext("< 1 min") if seconds > 0 else gettext("0 min")
    if minutes < 60:
        return gettext("%(minutes)s min", minutes=minutes)
    hours, rest = divmod(minutes, 60)
    if rest and hours < 24:
        return gettext("%(hours)s h %(minutes)s min", hours=hours, minutes=rest)
    return gettext("%(hours)s h", hours=number(hours))


def minutes(seconds: float | None, digits: int = 1) -> str:
    """Seconds as minutes with the language's decimal sign: `12,5`."""
    if seconds is None:
        return "–"
    return decimal(seconds / 60, digits)


def decimal(value: float, digits: int = 1) -> str:
    """A number with the decimal sign of the language."""
    text = f"{value:,.{digits}f}"
    # Below a thousand a whole number is written alike everywhere.
    if text.isdigit() or language_of_now() == "en":
        return text
    return text.translate(_SIGNS)


def number(value: int | None) -> str:
    """A whole number with the thousands sign of the language."""
    if type(value) is int and 0 <= value < 1000:  # written alike everywhere
        return str(value)
    return "–" if value is None else decimal(value, 0)


def percent(share: float | None) -> str:
    """A share of one as `87%`."""
    return "–" if share is None else f"{decimal(share * 100, 0)}%"


def file_size(size: int) -> str:
    """A size people read: `312 kB`, `2,4 MB`."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))} kB"
    return f"{decimal(size / 1_000_000, 1)} MB"


def days_left(day: date, today: date) -> str:
    """`3 hari lagi`, `hari ini`, `terlambat 2 hari`."""
    left = (day - today).days
    if left == 0:
        return gettext("today")
    if left > 0:
        return ngettext("%(num)d day left", "%(num)d days left", left)
    return ngettext("%(num)d day late", "%(num)d days late", -left)


def value(item: Any) -> str:
    """A value of a record as text: yes/no, dates, lists, and a dash for nothing."""
    if item is None or item == "" or item == []:
        return "–"
    if isinstance(item, bool):
        return gettext("Yes") if item else gettext("No")
    if isinstance(item, datetime):
        return local_datetime(item)
    if isinstance(item, date):
        return local_date(item)
    if isinstance(item, list | tuple | set):
        return ", ".join(str(part) for part in item)
    return str(item)


FILTERS = {
    "local_datetime": local_datetime,
    "local_time": local_time,
    "local_date": local_date,
    "short_date": short_date,
    "duration": duration,
    "minutes": minutes,
    "decimal": decimal,
    "number": number,
    "percent": percent,
    "file_size": file_size,
    "days_left": days_left,
    "shown": value,
}
