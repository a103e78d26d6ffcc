"""Which new passwords are refused: short ones and those that are guessed first, nothing else.

No composition rule: a password is a sentence of at least twelve characters with whatever is in it
(ASVS 6.2.1-6.2.5, 6.2.9-6.2.12). What is guessed first stands in a file of the release; nothing is
asked of another machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from app.sop.text import N_

LEAST: Final = 12
MOST: Final = 512
#: Shorter words of a name are parts of too many others.
_NAME: Final = 4
#: A password of so few different characters is a pattern.
_DIFFERENT: Final = 5
#: What stays of a password when the runs of keys are taken out has to be longer than this.
_REST: Final = 3

MESSAGES: Final = {
    "password_short": N_(
        "Use at least %(least)s characters; a short sentence is easy to remember."
    ),
    "password_long": N_("Use at most %(most)s characters."),
    "password_common": N_(
        "This password is among the first that are guessed. Use a sentence of your own."
    ),
    "password_pattern": N_(
        "This password is a row of keys or a repetition. Use a sentence of your own."
    ),
    "password_name": N_("Do not use your own name in the password: %(word)s."),
    "password_office": N_("Do not use a word of the office in the password: %(word)s."),
}
#: Words of every office's name; what is left of it is the office's own.
_EVERY_OFFICE: Final = frozenset(
    [
        "badan",
        "bagian",
        "bidang",
        "catatan",
        "dan",
        "daerah",
        "dinas",
        "kabupaten",
        "kependudukan",
        "kota",
        "pemerintah",
        "pencatatan",
        "provinsi",
        "republik",
        "indonesia",
        "sipil",
    ]
)
#: Words by which every such office is known.
_OFFICE: Final = frozenset({"dukcapil", "aduanonline"})
_ROWS: Final = (
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "q1w2e3r4t5y6u7i8o9p0",
    "qweasdzxc",
    "qazwsxedcrfvtgb",
)
#: Letters that people write as something else.
_PLAIN: Final = str.maketrans("4310$5@7!8", "aeiossatib")


def password_problem(
    password: str,
    common: frozenset[str],
    *,
    own: Iterable[str] = (),
    office: Iterable[str] = (),
) -> tuple[str, dict[str, str]] | None:
    """Why a password cannot be taken, as a code of `MESSAGES` and its parameters; None when it can.

    Args:
        common: what is guessed first (`load_common`).
        own: names, user name and address of whose password it is.
        office: names of the office.
    """
    if len(password) < LEAST:
        return "password_short", {"least": str(LEAST)}
    if len(password) > MOST:
        return "password_long", {"most": str(MOST)}
    plain = password.casefold()
    if _is_pattern(plain):
        return "password_pattern", {}
    if any(_is_common(form, common) for form in {plain, plain.translate(_PLAIN)}):
        return "password_common", {}
    squeezed = re.sub(r"[\W_]+", "", plain)
    for word in words_of(own):
        if word in plain or word in squeezed:
            return "password_name", {"word": word}
    for word in office_words(office):
        if word in plain or word in squeezed:
            return "password_office", {"word": word}
    return None


def words_of(names: Iterable[str]) -> list[str]:
    """The words of a person's names that are long enough to be told from others."""
    found = [
        word
        for name in names
        for word in re.split(r"[\W\d_]+", name.casefold().partition("@")[0])
        if len(word) >= _NAME
    ]
    return list(dict.fromkeys(found))


def office_words(names: Iterable[str]) -> list[str]:
    """The words by which this office is known, and no other."""
    found = [word for word in words_of(names) if word not in _EVERY_OFFICE]
    return list(dict.fromkeys([*found, *sorted(_OFFICE)]))


@lru_cache(maxsize=4)
def load_common(path: Path) -> frozenset[str]:
    """The passwords that are guessed first, one a line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(line.casefold() for line in lines if line and not line.startswith("#"))


def _is_common(text: str, common: frozenset[str]) -> bool:
    """In the list: as it is, without what was put before and after it, or said several times."""
    if text in common or re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text) in common:
        return True
    words = set(re.findall(r"[^\W\d_]+", text))
    if len(words) == 1 and words <= common:
        return True
    unit = _unit(re.sub(r"[\W_]+", "", text))
    return unit in common


def _is_pattern(text: str) -> bool:
    """Few different characters, a short piece repeated, or rows of keys with little besides."""
    if len(set(text)) < _DIFFERENT or len(_unit(text)) < _DIFFERENT:
        return True
    whole = rest = re.sub(r"[\W_]+", "", text)
    for row in _ROWS:
        for keys in (row + row, (row + row)[::-1]):
            rest = _without_runs(rest, keys)
    return rest != whole and len(rest) <= _REST


def _without_runs(text: str, keys: str) -> str:
    """A text without its pieces of four or more neighbouring keys."""
    kept, start = "", 0
    while start < len(text):
        end = start + 1
        while end < len(text) and text[start : end + 1] in keys:
            end += 1
        if end - start >= 4:
            start = end
        else:
            kept += text[start]
            start += 1
    return kept


def _unit(text: str) -> str:
    """The shortest piece that a text is a repetition of; the text itself when it is none."""
    found = (text + text).find(text, 1) if text else 0
    return text[:found] if found else text
