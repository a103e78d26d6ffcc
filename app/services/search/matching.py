"""How a name fits the typed words, and which of its letters to mark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.services.search.vocabulary import (
    ALIKE,
    BEGINS,
    EXACT,
    WITHIN,
    likeness_of,
    sure_level,
)
from app.sop.words import name_words

_SHOWN: Final = re.compile(r"[^\W_]+(?:['`´\u2018\u2019\u02bb\u02bc][^\W_]+)*")


@dataclass(frozen=True)
class Piece:
    """Some letters, and whether they are those that fit."""

    text: str
    marked: bool = False


@dataclass(frozen=True)
class Fit:
    """How well a name fits: by its worst typed word."""

    level: int
    alike: float
    #: Whether every word of the name was typed in full.
    whole: bool
    name: str
    marks: tuple[tuple[int, int], ...]

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The name with the letters that fit marked; made for what is shown alone."""
        return _pieces(self.name, list(self.marks))


def mark_all(text: str) -> tuple[Piece, ...]:
    """All of a text marked."""
    return (Piece(text, marked=True),)


def mark_start(text: str, letters: int) -> tuple[Piece, ...]:
    """The beginning of a text marked."""
    rest = (Piece(text[letters:]),) if text[letters:] else ()
    return (Piece(text[:letters], marked=True), *rest)


def fit_name(typed: Sequence[str], name: str) -> Fit | None:
    """How a name fits, None when one of the typed words does not; marks its best words."""
    shown = [(match.start(), match.end(), name_words(match[0])) for match in _SHOWN.finditer(name)]
    spans = [(start, end, words[0]) for start, end, words in shown if len(words) == 1]
    marks: list[tuple[int, int]] = []
    levels: list[int] = []
    likeness = 1.0
    for part in typed:
        best: tuple[int, float, int, int, str] | None = None
        for start, end, word in spans:
            level = sure_level(part, word)
            if level is not None and (best is None or level < best[0]):
                best = (level, -1.0, start, end, word)
        for start, end, word in spans if best is None else ():
            alike = likeness_of(part, word)
            if alike is not None and (best is None or -alike < best[1]):
                best = (ALIKE, -alike, start, end, word)
        if best is None:
            return None
        level, alike, start, end, word = best
        levels.append(level)
        likeness = min(likeness, -alike)
        marks.append(_mark(part, level, start, end, word))
    worst = max(levels)
    whole = worst == EXACT and {word for _s, _e, word in spans} == set(typed)
    return Fit(worst, round(likeness, 4), whole, name, tuple(marks))


def _mark(part: str, level: int, start: int, end: int, word: str) -> tuple[int, int]:
    """The letters to mark; all of a word whose letters are not counted alike (Nur'aini, José)."""
    if level in (BEGINS, WITHIN) and end - start == len(word):
        at = start + word.index(part)
        return at, at + len(part)
    return start, end


def _pieces(name: str, marks: list[tuple[int, int]]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    at = 0
    for start, end in sorted(marks):
        if end <= at:
            continue
        start = max(start, at)
        if start > at:
            pieces.append(Piece(name[at:start]))
        pieces.append(Piece(name[start:end], marked=True))
        at = end
    if at < len(name):
        pieces.append(Piece(name[at:]))
    return tuple(pieces)
