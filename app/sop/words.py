"""Names as words that can be compared: small letters without accents, marks and blanks."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: A word of a name that is longer is cut: the column has so much room, and nobody types more.
LONGEST_WORD: Final = 40
#: A name has no more words than this; what comes behind is not looked for.
MOST_WORDS: Final = 12

_INSIDE: Final = re.compile(r"['`´\u2018\u2019\u02bb\u02bc]")  # Nur'aini is one word
_LETTERS: Final = re.compile(r"[^\W_]+")


def plain(text: str) -> str:
    """Small letters without accents; `Ç` and `c` are the same to who searches."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in spread if not unicodedata.combining(letter))


def name_words(name: str) -> list[str]:
    """The words of a name as they are kept and compared, in their order.

    A dot, dash or comma parts words (`M.Ridwan` has two), an apostrophe does not.
    """
    found = _LETTERS.findall(plain(_INSIDE.sub("", name)))
    return [word[:LONGEST_WORD] for word in found[:MOST_WORDS]]


def trigrams(word: str) -> frozenset[str]:
    """Every three letters in a row of a word with two blanks before and one behind it.

    The same as PostgreSQL's pg_trgm makes of one word.
    """
    padded = f"  {word} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def similarity(one: str, other: str) -> float:
    """How alike two words are, 0 to 1: the trigrams they share of all they have."""
    mine, theirs = trigrams(one), trigrams(other)
    return len(mine & theirs) / len(mine | theirs)
