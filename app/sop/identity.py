"""Checks of NIK, KK, phone numbers and names: an error blocks, a warning only tells.

A NIK is 16 digits: province 2, kabupaten 2, kecamatan 2, birth date DDMMYY (women add
40 to the day), serial 4 from 0001. It has no check digit and never changes, even when
the birth date is corrected; so what differs from the applicant's data only warns.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

from app.sop.text import N_

Level = Literal["error", "warning"]

#: finding code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "nik_not_16_digits": N_("A NIK has 16 digits; this one has %(count)s characters."),
    "nik_day_impossible": N_("Digits 7 and 8 are %(day)s; they must be 01 to 31 or 41 to 71."),
    "nik_date_impossible": N_("The birth date in the NIK (%(date)s) does not exist."),
    "nik_serial_zero": N_("The last four digits of a NIK are never 0000."),
    "nik_region_unknown": N_("The region in the NIK (%(region)s) is not in the list."),
    "nik_region_differs": N_("The region in the NIK (%(region)s) is not that of the address."),
    "nik_birth_date_differs": N_("The birth date in the NIK (%(date)s) is not the one given."),
    "nik_sex_differs": N_("The sex in the NIK is not the one given."),
    "kk_not_16_digits": N_("A KK number has 16 digits; this one has %(count)s characters."),
    "kk_date_impossible": N_("The date in the KK number (%(date)s) does not exist."),
    "kk_serial_zero": N_("The last four digits of a KK number are usually not 0000."),
    "kk_region_unknown": N_("The region in the KK number (%(region)s) is not in the list."),
    "kk_region_differs": N_("The region in the KK number (%(region)s) is not that of the address."),
    "phone_impossible": N_("This is not a possible phone number."),
    "phone_foreign": N_("This is not an Indonesian phone number."),
    "name_one_word": N_("New documents need a name of at least two words."),
    "name_too_long": N_("New documents allow at most 60 letters; this name has %(count)s."),
}

_SIXTEEN: Final = re.compile(r"[0-9]{16}")
_PHONE_MARKS: Final = re.compile(r"[\s().\-\u2010-\u2015/\u200b-\u200e\u202a-\u202e]+")
_PHONE: Final = re.compile(r"08[1-9][0-9]{7,10}|0[2-79][0-9]{7,10}")  # mobile | area code
_FOREIGN: Final = re.compile(r"\+(?!62)[1-9][0-9]{7,14}")
_MALE: Final = frozenset({"l", "m", "male", "laki-laki"})
_FEMALE: Final = frozenset({"p", "f", "female", "perempuan"})


@dataclass(frozen=True)
class Finding:
    """One thing seen in a number or name: an error blocks, a warning only tells."""

    level: Level
    code: str
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """English, for logs and tests; pages translate the code."""
        return MESSAGES[self.code] % self.params


def check_nik(
    nik: str,
    *,
    birth_date: date | None = None,
    sex: str | None = None,
    region_code: str | None = None,
    known_regions: Collection[str] = frozenset(),
) -> list[Finding]:
    """What is impossible (errors) or unlikely (warnings) about a NIK.

    Args:
        nik: as typed; blanks around it do not matter.
        birth_date: the applicant's, when known.
        sex: the applicant's, when known: L or P, male or female.
        region_code: of the address, with or without dots, kecamatan or desa.
        known_regions: codes of all known kecamatan; empty when there is no list.
    """
    nik = nik.strip()
    if not _SIXTEEN.fullmatch(nik):
        return [Finding("error", "nik_not_16_digits", {"count": len(nik)})]
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    woman = day > 40
    born = day - 40 if woman else day
    written = f"{born:02}-{month:02}-{year:02}"
    findings = []
    if not 1 <= born <= 31:
        findings.append(Finding("error", "nik_day_impossible", {"day": nik[6:8]}))
        if not 1 <= month <= 12:
            findings.append(Finding("error", "nik_date_impossible", {"date": written}))
    elif not _date_exists(born, month, year):
        findings.append(Finding("error", "nik_date_impossible", {"date": written}))
    if nik[12:] == "0000":
        findings.append(Finding("error", "nik_serial_zero"))
    findings += _region("nik", nik[:6], region_code, known_regions)
    if birth_date is not None and written != f"{birth_date:%d-%m-%y}":
        findings.append(Finding("warning", "nik_birth_date_differs", {"date": written}))
    stated = (sex or "").strip().lower()
    if stated in (_MALE if woman else _FEMALE):
        findings.append(Finding("warning", "nik_sex_differs"))
    return findings


def check_kk(
    kk: str, *, region_code: str | None = None, known_regions: Collection[str] = frozenset()
) -> list[Finding]:
    """What is wrong with a KK number: only its 16 digits are certain, the rest warns."""
    kk = kk.strip()
    if not _SIXTEEN.fullmatch(kk):
        return [Finding("error", "kk_not_16_digits", {"count": len(kk)})]
    findings = []
    if not _date_exists(int(kk[6:8]), int(kk[8:10]), int(kk[10:12])):
        written = f"{kk[6:8]}-{kk[8:10]}-{kk[10:12]}"
        findings.append(Finding("warning", "kk_date_impossible", {"date": written}))
    if kk[12:] == "0000":
        findings.append(Finding("warning", "kk_serial_zero"))
    return findings + _region("kk", kk[:6], region_code, known_regions)


def normalise_phone(phone: str) -> str:
    """A phone number the way people here write it: 08… without marks.

    +62, 62, 0062 and a forgotten 0 become the leading 0; other countries keep their
    plus. Text that is no phone number comes back without its marks; `check_phone` says so.
    """
    digits = _PHONE_MARKS.sub("", phone)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    for prefix in ("+62", "62"):
        if digits.startswith(prefix):
            return "0" + digits.removeprefix(prefix).removeprefix("0")
    if re.fullmatch(r"8[1-9][0-9]{7,10}", digits):
        return "0" + digits
    return digits


def check_phone(phone: str) -> list[Finding]:
    """An impossible phone number is an error, a foreign one a warning, none is fine."""
    number = normalise_phone(phone)
    if not number and not phone.strip():
        return []
    if _PHONE.fullmatch(number):
        return []
    if _FOREIGN.fullmatch(number):
        return [Finding("warning", "phone_foreign")]
    return [Finding("error", "phone_impossible")]


def check_name(name: str) -> list[Finding]:
    """Names of new documents have two words and at most 60 letters; older ones stay valid.

    Only ever warns. Blanks between words count as letters, as on the form.
    """
    words = name.split()
    findings = []
    if len(words) == 1:
        findings.append(Finding("warning", "name_one_word"))
    length = len(" ".join(words))
    if length > 60:
        findings.append(Finding("warning", "name_too_long", {"count": length}))
    return findings


def mask(value: str, *, first: int = 4, last: int = 4) -> str:
    """A number for lists: the first and last characters, dots between; short ones dots only."""
    hidden = len(value) - first - last
    if hidden <= 0:
        return "•" * len(value)
    return value[:first] + "•" * hidden + value[len(value) - last :]


def _date_exists(day: int, month: int, year: int) -> bool:
    """Whether a date with a two-digit year exists in either century."""
    for century in (1900, 2000):
        try:
            date(century + year, month, day)
        except ValueError:
            continue
        return True
    return False


def _region(
    what: str, region: str, address: str | None, known_regions: Collection[str]
) -> list[Finding]:
    """Compare the first six digits with the known kecamatan and with the address."""
    findings = []
    if known_regions and region not in {_kecamatan(code) for code in known_regions}:
        findings.append(Finding("warning", f"{what}_region_unknown", {"region": region}))
    if address and region != _kecamatan(address):
        findings.append(Finding("warning", f"{what}_region_differs", {"region": region}))
    return findings


def _kecamatan(code: str) -> str:
    return code.replace(".", "")[:6]
