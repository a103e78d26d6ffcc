"""What somebody may have meant by what was typed: a number, a NIK, a phone number, a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from app.services.dispatching import clean_tracking_number
from app.sop.identity import normalise_phone
from app.sop.words import name_words

#: Longer than anything one searches for.
MOST_LETTERS: Final = 100
#: Words of a name that are looked for; who types more has pasted something else.
MOST_NAME_WORDS: Final = 5
#: Years back in which a running number alone is looked for, this one first.
YEARS_BACK: Final = 10

Reason = Literal[
    "number", "nik", "kk", "phone", "tracking", "ticket", "handle", "name", "similar_name"
]
#: In this order when several fit exactly.
REASONS: Final[tuple[Reason, ...]] = (
    "number", "nik", "kk", "phone", "tracking", "ticket", "handle", "name", "similar_name",
)  # fmt: skip
#: What only those with `see_personal` may search by.
PERSONAL: Final[frozenset[Reason]] = frozenset(
    {"nik", "kk", "phone", "handle", "name", "similar_name"}
)

_FULL_NUMBER: Final = re.compile(r"(?i)(?:pgd[-\s/]*)?(20\d\d)[-\s/]+(\d{1,6})")
_JOINED_NUMBER: Final = re.compile(r"(?i)pgd[-\s/]*(20\d\d)(\d{6})")
_YEAR: Final = re.compile(r"(?i)pgd[-\s/]*(20\d\d)[-\s/]*")
_PREFIX_ONLY: Final = re.compile(r"(?i)pgd[-\s/]*")
_SERIAL: Final = re.compile(r"(?i)(?:pgd[-\s/]*)?(\d{1,6})")
_DIGITS_AND_MARKS: Final = re.compile(r"\+?[\d\s().\-\u2010-\u2015/]+")


@dataclass(frozen=True)
class Asked:
    """What to look for: values that fit exactly, beginnings, and the words of a name."""

    words: str
    exact: Mapping[Reason, tuple[str, ...]] = field(default_factory=dict)
    begins: Mapping[Reason, str] = field(default_factory=dict)
    #: The running number of another year: likely, but less than this year's.
    other_years: tuple[str, ...] = ()
    name: tuple[str, ...] = ()

    @property
    def only_number(self) -> bool:
        """Whether it can be nothing but the number of a case: no personal data then."""
        return bool(self.exact.get("number") or self.begins.get("number")) and not self.name


def names_a_case(words: str) -> bool:
    """Whether it is the number of a case with its year: nothing else can be written so."""
    return bool(_FULL_NUMBER.fullmatch(words) or _JOINED_NUMBER.fullmatch(words))


def clean_words(text: str) -> str:
    """What was typed without control characters, blanks made one, cut to a length."""
    kept = "".join(c if c.isprintable() else " " for c in text[: 4 * MOST_LETTERS])
    return " ".join(kept.split())[:MOST_LETTERS].strip()


def understand(text: str, *, year: int, personal: bool) -> Asked:
    """Every meaning that what was typed can have, and no other.

    Args:
        text: as typed.
        year: the office's present year; a running number alone means this year's first.
        personal: False leaves out everything that a NIK, a name or a telephone could tell.
    """
    words = clean_words(text)
    exact: dict[Reason, tuple[str, ...]] = {}
    begins: dict[Reason, str] = {}
    if not words:
        return Asked("")
    other_years = _number(words, year, exact, begins)
    digits = re.sub(r"\D", "", words) if _DIGITS_AND_MARKS.fullmatch(words) else ""
    if digits and personal:
        # Sealed in the database and found by a digest: there is nothing that begins like them.
        if len(digits) == 16:
            exact["nik"] = exact["kk"] = (digits,)
        if 9 <= len(digits) <= 15:
            exact["phone"] = _unique(normalise_phone(words), words, digits)
    _parcel(words, exact, begins)
    if len(words) >= 3 and re.search(r"\d", words):
        exact["ticket"] = _spellings(words)
    if personal and len(words) >= 3 and re.search(r"[\d@._]", words):
        phone = (normalise_phone(words),) if digits else ()
        bare = words.removeprefix("@")
        exact["handle"] = _unique(*_spellings(words), *_spellings(bare), f"@{bare}", *phone)
    name: tuple[str, ...] = ()
    if personal and not re.search(r"[\d@_]", words):
        name = tuple(dict.fromkeys(name_words(words)))[:MOST_NAME_WORDS]
    return Asked(words, exact, begins, other_years, name)


def next_after(start: str) -> str | None:
    """The first text behind all that begin with `start` (digits, then capitals); None: no end.

    A range of texts uses a plain index on both databases and under every collation, where
    LIKE and odd last letters do not.
    """
    for at in range(len(start) - 1, -1, -1):
        letter = start[at]
        if letter == "9":
            return start[:at] + "A"
        if letter not in "Zz":
            return start[:at] + chr(ord(letter) + 1)
    return None


def _number(
    words: str, year: int, exact: dict[Reason, tuple[str, ...]], begins: dict[Reason, str]
) -> tuple[str, ...]:
    """The number of a case in its spellings; answers the same running number of other years."""
    if match := _FULL_NUMBER.fullmatch(words) or _JOINED_NUMBER.fullmatch(words):
        exact["number"] = (_case_number(match[1], match[2]),)
        if 3 <= len(match[2]) < 6:  # PGD-2026-0001: the last digits are not typed yet
            begins["number"] = f"PGD-{match[1]}-{match[2]}"
        return ()
    if match := _YEAR.fullmatch(words):
        begins["number"] = f"PGD-{match[1]}-"
        return ()
    if _PREFIX_ONLY.fullmatch(words):
        begins["number"] = "PGD-"
        return ()
    match = _SERIAL.fullmatch(words)
    if match and int(match[1]):
        exact["number"] = (_case_number(str(year), match[1]),)
        years = range(year - 1, year - YEARS_BACK - 1, -1)
        return tuple(_case_number(str(other), match[1]) for other in years)
    return ()


def _parcel(words: str, exact: dict[Reason, tuple[str, ...]], begins: dict[Reason, str]) -> None:
    tracking = clean_tracking_number(words)
    if not re.fullmatch(r"[A-Z0-9]+", tracking) or not re.search(r"\d", tracking):
        return
    if 6 <= len(tracking) <= 40:
        exact["tracking"] = (tracking,)
    # What is whole already, a case's number or the sixteen digits of a person or a family, is no
    # beginning of a parcel's: PostgreSQL would plan that range anew at each search, which takes
    # longer than all the rest.
    whole = _is_whole_number(words) or (tracking.isdecimal() and len(tracking) == 16)
    if 5 <= len(tracking) < 40 and not whole:
        begins["tracking"] = tracking


def _is_whole_number(words: str) -> bool:
    match = _FULL_NUMBER.fullmatch(words) or _JOINED_NUMBER.fullmatch(words)
    return match is not None and len(match[2]) >= 6


def _case_number(year: str, serial: str) -> str:
    return f"PGD-{year}-{int(serial):06d}"


def _spellings(words: str) -> tuple[str, ...]:
    return _unique(words, words.lower(), words.upper())


def _unique(*values: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
