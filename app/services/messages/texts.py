"""The office's words with placeholders: which there are, what is wrong with a text, filling it in.

A placeholder is a word in braces, `{nomor}`. A line with a placeholder that has nothing to say in
a case is left out whole, so that a text may speak of a reason or an address that is not always
there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from app.sop.errors import RefusedError
from app.sop.text import N_

#: When the applicant is told something; `receipt` at registering, the others by the SOP file.
OCCASIONS: Final = ("receipt", "returned", "finished", "answered")
WAYS: Final = ("email", "whatsapp")

_ALWAYS: Final = ("nama", "nomor", "tanggal", "jenis", "kantor", "telepon", "pin", "alamat_cek")
#: What may stand in braces, by occasion.
PLACEHOLDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "receipt": _ALWAYS,
    "returned": (*_ALWAYS, "kekurangan", "alasan", "batas"),
    "finished": (*_ALWAYS, "kurir", "resi", "halaman_kurir"),
    "answered": (*_ALWAYS, "jawaban"),
}
#: What a placeholder stands for, in words.
MEANINGS: Final[Mapping[str, str]] = {
    "nama": N_("name of the applicant"),
    "nomor": N_("number of the case"),
    "tanggal": N_("day of receipt"),
    "jenis": N_("what the complaint is about"),
    "kantor": N_("name of the office"),
    "telepon": N_("telephone of the office"),
    "pin": N_("PIN of the receipt"),
    "alamat_cek": N_("address of the public check page"),
    "kekurangan": N_("list of what is missing or differs"),
    "alasan": N_("reason the officer wrote"),
    "batas": N_("last day to answer"),
    "kurir": N_("courier"),
    "resi": N_("tracking number"),
    "halaman_kurir": N_("page of the courier"),
    "jawaban": N_("the answer"),
}
#: What the preview shows in their places.
SAMPLES: Final[Mapping[str, str]] = {
    "nama": "Sri Wahyuni",
    "nomor": "PGD-2026-000123",
    "tanggal": "23 November 2026",
    "jenis": "Perbedaan data",
    "kantor": "Dinas Kependudukan dan Pencatatan Sipil",
    "telepon": "(0285) 000000",
    "pin": "481205",
    "alamat_cek": "https://aduan.example.go.id/check/",
    "kekurangan": "1. Foto KK asli: belum ada\n2. Akta kelahiran: tidak terbaca",
    "alasan": "Nama ibu berbeda dengan akta kelahiran",
    "batas": "23 Desember 2026",
    "kurir": "Pos Indonesia",
    "resi": "P2611230001234",
    "halaman_kurir": "https://www.posindonesia.co.id/id/tracking",
    "jawaban": "NIK sudah aktif kembali dan dapat dipakai.",
}
MESSAGES: Final[Mapping[str, str]] = {
    "placeholder_unknown": N_("There is no placeholder {%(name)s}."),
    "placeholder_misspelt": N_("There is no placeholder {%(name)s}; did you mean {%(known)s}?"),
    "placeholder_elsewhere": N_("{%(name)s} is not known at this occasion."),
    "brace_alone": N_(
        "A brace stands alone near “%(near)s”: a placeholder is written {nomor}, without blanks."
    ),
}
_BRACED: Final = re.compile(r"\{([^{}\s]{1,40})\}")


def text_problems(occasion: str, text: str) -> list[RefusedError]:
    """Everything that is wrong with a text: unknown placeholders, and braces that are none."""
    known = PLACEHOLDERS[occasion]
    found: list[RefusedError] = []
    for name in dict.fromkeys(_BRACED.findall(text)):
        if name in known:
            continue
        if name in MEANINGS:
            found.append(RefusedError("placeholder_elsewhere", name=name))
            continue
        if close := get_close_matches(name.lower(), known, n=1):
            found.append(RefusedError("placeholder_misspelt", name=name, known=close[0]))
        else:
            found.append(RefusedError("placeholder_unknown", name=name))
    rest = _BRACED.sub("", text)
    if place := re.search(r"[{}]", rest):
        near = rest[max(0, place.start() - 12) : place.start() + 12].strip()
        found.append(RefusedError("brace_alone", near=near))
    return found


def fill(text: str, values: Mapping[str, str]) -> str:
    """A text with its placeholders filled; a line with one that says nothing is left out.

    What is filled in is never read for placeholders again: an applicant named `{pin}` stays that.
    """
    lines: list[str] = []
    for line in text.splitlines():
        names = _BRACED.findall(line)
        if any(not values.get(name, "").strip() for name in names):
            continue
        lines.append(_BRACED.sub(lambda found: values[found[1]].strip(), line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def seed_problem(values: Mapping[str, Any]) -> str:
    """What is wrong with a text of the seed file, as one line for its reader."""
    occasion = values.get("occasion", "")
    if occasion not in PLACEHOLDERS:
        return ""  # said already: not one of the choices
    texts: Sequence[str] = (values.get("subject", ""), values.get("body", ""))
    problems = [problem for text in texts for problem in text_problems(occasion, text)]
    if problems:
        return "; ".join(f"{p.code} {' '.join(map(str, p.params.values()))}" for p in problems)
    if (values.get("way") == "email") != bool(values.get("subject")):
        return "an e-mail has a subject, a WhatsApp message has none"
    return ""
