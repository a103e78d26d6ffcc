"""How the papers write dates, numbers and known words: always Indonesian, whoever prints them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from app.services.calendar import OFFICE_ZONE

_DAYS: Final = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_MONTHS: Final = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September",
    "Oktober", "November", "Desember",
)  # fmt: skip
_UNITS: Final = (
    "", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh",
    "sebelas",
)  # fmt: skip
_TITLE: Final = ("Kabupaten", "Kota", "Provinsi")

#: State of a paper on the completeness list.
STATES: Final[Mapping[str, str]] = {
    "present": "ada",
    "unreadable": "tidak terbaca",
    "missing": "belum ada",
    "unchecked": "belum diperiksa",
}
#: Data that differed at the SIAK check, by the word that is stored.
DATA: Final[Mapping[str, str]] = {
    "nama": "Nama",
    "nik": "NIK",
    "nomor_kk": "Nomor KK",
    "tempat_lahir": "Tempat lahir",
    "tanggal_lahir": "Tanggal lahir",
    "jenis_kelamin": "Jenis kelamin",
    "alamat": "Alamat",
    "nama_ayah": "Nama ayah",
    "nama_ibu": "Nama ibu",
    "status_kawin": "Status perkawinan",
    "agama": "Agama",
    "pekerjaan": "Pekerjaan",
    "golongan_darah": "Golongan darah",
}
CAPACITIES: Final[Mapping[str, str]] = {"definitif": "", "plt": "Plt. ", "plh": "Plh. "}
SEXES: Final[Mapping[str, str]] = {"L": "Laki-laki", "P": "Perempuan"}


def day(value: date | datetime) -> str:
    """`23 November 2026`, a moment as the office's day."""
    found = value.astimezone(OFFICE_ZONE).date() if isinstance(value, datetime) else value
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def long_day(value: date | datetime) -> str:
    """`Senin, 23 November 2026`."""
    found = value.astimezone(OFFICE_ZONE).date() if isinstance(value, datetime) else value
    return f"{_DAYS[found.weekday()]}, {day(found)}"


def clock(value: datetime) -> str:
    """`14.05 WIB`."""
    return f"{value.astimezone(OFFICE_ZONE):%H.%M} WIB"


def moment(value: datetime) -> str:
    """`23 November 2026 pukul 14.05 WIB`."""
    return f"{day(value)} pukul {clock(value)}"


def in_words(number: int) -> str:
    """A whole number below a million in words: `seratus dua puluh satu`."""
    if number == 0:
        return "nol"
    return " ".join(_spelled(number).split())


def _spelled(number: int) -> str:
    if number < 12:
        return _UNITS[number]
    if number < 20:
        return f"{_UNITS[number - 10]} belas"
    for unit, name, one in (
        (10, "puluh", None),
        (100, "ratus", "seratus"),
        (1000, "ribu", "seribu"),
    ):
        if number < unit * (10 if unit < 1000 else 1000):
            many, rest = divmod(number, unit)
            head = one if many == 1 and one else f"{_spelled(many)} {name}"
            return f"{head} {_spelled(rest)}"
    raise ValueError("a number below a million")


def place_of(government: str) -> str:
    """Where the office stands, from the name of its government: `Batang`.

    `Pemerintah Kabupaten Batang` signs its papers "Batang, 23 November 2026".
    """
    words = government.removeprefix("Pemerintah").split()
    while words and words[0] in _TITLE:
        words = words[1:]
    return " ".join(words)


def breakable(text: str, longest: int = 28) -> str:
    """A text whose endless words may be broken: a line of paper has an end."""
    return " ".join(
        word if len(word) <= longest else "\u200b".join(_pieces(word, longest))
        for word in text.split(" ")
    )


def _pieces(word: str, size: int) -> list[str]:
    return [word[at : at + size] for at in range(0, len(word), size)]


def shortened(text: str, longest: int) -> str:
    """A long text up to a word's end, with an ellipsis when something was left out."""
    words = " ".join(text.split())
    if len(words) <= longest:
        return words
    return words[:longest].rsplit(" ", 1)[0].rstrip(",.;:") + " …"
