"""Which words of names were meant: the very one, longer ones, those that hold it, like ones.

Both databases answer with the same words in the same order: they only bring the candidates by a
trigram index each, and what counts is compared here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, case, func, literal, select, text, union_all
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from app.models import NameWord
from app.sop.words import similarity, trigrams

#: How a word of a name fits what was typed, the best first.
EXACT, BEGINS, WITHIN, ALIKE = range(4)
#: Words a part of one stands for at most, the most frequent ones.
MOST_WORDS: Final = 24
#: Like words, for what may be misspelt.
MOST_ALIKE: Final = 8
#: Words less alike than this are others; PostgreSQL's own bound for `%` is 0.3.
ALIKE_FROM: Final = 0.32
SHORTEST_PART: Final = 3
SHORTEST_ALIKE: Final = 4
_LAST: Final = "\U0010ffff"
#: Databases that were seen to have pg_trgm; what was once there stays.
_KNOWS_TRIGRAMS: Final[set[URL]] = set()


@dataclass(frozen=True)
class Word:
    """A word that names hold, how it fits, and in about how many cases it stands."""

    word: str
    level: int
    cases: int
    alike: float = 1.0


def sure_level(typed: str, word: str) -> int | None:
    """How one word holds what was typed, None when it does not."""
    if word == typed:
        return EXACT
    if word.startswith(typed):
        return BEGINS
    return WITHIN if len(typed) >= SHORTEST_PART and typed in word else None


def likeness_of(typed: str, word: str) -> float | None:
    """How like two words are, None when they are others."""
    if len(typed) < SHORTEST_ALIKE:
        return None
    alike = similarity(typed, word)
    return alike if alike >= ALIKE_FROM else None


def beginning_with(
    session: Session, typed: Sequence[str], most: int = MOST_WORDS
) -> list[list[Word]]:
    """For each typed word, itself and the most frequent ones that begin with it."""
    return _words(session, typed, _beginning(typed, most))


def holding(session: Session, typed: Sequence[str], most: int = MOST_WORDS) -> list[list[Word]]:
    """For each typed word, the most frequent ones that hold it within and those alike."""
    return _words(session, typed, _holding(session, typed, most))


def meant_words(session: Session, typed: Sequence[str], most: int) -> list[list[Word]]:
    """For each typed word all that it can stand for, by one statement."""
    return _words(session, typed, _beginning(typed, most) + _holding(session, typed, most))


def _beginning(typed: Sequence[str], most: int) -> list[Any]:
    parts: list[Any] = []
    for at, start in enumerate(typed):
        columns: tuple[Any, ...] = (literal(at).label("typed"), NameWord.word, NameWord.cases)
        parts.append(select(*columns).where(NameWord.word == start))
        longer = select(*columns).where(NameWord.word > start, NameWord.word < start + _LAST)
        longer = longer.order_by(NameWord.cases.desc(), NameWord.word).limit(most)
        parts.append(select(longer.subquery()))
    return parts


def _holding(session: Session, typed: Sequence[str], most: int) -> list[Any]:
    sqlite = session.get_bind().dialect.name == "sqlite"
    parts: list[Any] = []
    for at, part in enumerate(typed):
        columns: tuple[Any, ...] = (literal(at).label("typed"), NameWord.word, NameWord.cases)
        order = (NameWord.cases.desc(), NameWord.word)
        if len(part) >= SHORTEST_PART:
            held = select(*columns).where(_holds(part, sqlite), ~NameWord.word.startswith(part))
            parts.append(select(held.order_by(*order).limit(most).subquery()))
        if len(part) >= SHORTEST_ALIKE:
            alike = _alike(part, columns, sqlite, trigram=sqlite or _has_trigrams(session))
            parts.append(select(alike.subquery()))
    return parts


def _cut(words: list[Word]) -> list[Word]:
    """Of the like words only the likest: the databases bring some more, each its own."""
    alike = [word for word in words if word.level == ALIKE]
    return [word for word in words if word.level < ALIKE] + alike[:MOST_ALIKE]


def _holds(part: str, sqlite: bool) -> Any:
    if not sqlite:
        return NameWord.word.contains(part)
    rows = text("SELECT rowid FROM name_word_search WHERE padded MATCH :held")
    return NameWord.id.in_(rows.bindparams(bindparam("held", f'"{part}"', unique=True)))


def _alike(part: str, columns: tuple[Any, ...], sqlite: bool, *, trigram: bool) -> Any:
    """Candidates for like words, more than are wanted."""
    if trigram and not sqlite:
        likeness = func.similarity(NameWord.word, part)
        like = select(*columns).where(NameWord.word.op("%")(part))
        return like.order_by(likeness.desc(), NameWord.cases.desc(), NameWord.word).limit(64)
    grams = sorted(trigrams(part))
    # Two words that are alike enough share at least so many of the trigrams of the typed one.
    least = max(1, -(-len(grams) * 32 // 100))
    if not sqlite:  # a server without the extension: word by word
        padded = func.concat("  ", NameWord.word, " ")
        shared: Any = sum(case((padded.contains(gram), 1), else_=0) for gram in grams)
        like = select(*columns).where(shared >= least)
        return like.order_by(shared.desc(), NameWord.id).limit(256)
    rows = text("SELECT rowid AS id FROM name_word_search WHERE padded MATCH :gram")
    hits = union_all(
        *(
            rows.bindparams(bindparam("gram", f'"{gram}"', unique=True)).columns(NameWord.id)
            for gram in grams
        )
    ).subquery()
    key = hits.c.id
    counted = select(key).group_by(key).having(func.count() >= least)
    counted = counted.order_by(func.count().desc(), key).limit(256)
    return select(*columns).where(NameWord.id.in_(counted))


def _has_trigrams(session: Session) -> bool:
    """Whether this PostgreSQL knows what is alike (pg_trgm); once known, it is not asked again."""
    url = session.get_bind().engine.url
    if url not in _KNOWS_TRIGRAMS:
        found = session.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'"))
        if not found:
            return False
        _KNOWS_TRIGRAMS.add(url)
    return True


def _words(session: Session, typed: Sequence[str], parts: list[Any]) -> list[list[Word]]:
    if not parts:
        return [[] for _ in typed]
    found: list[dict[str, Word]] = [{} for _ in typed]
    for at, word, cases in session.execute(union_all(*parts)):
        level = sure_level(typed[at], word)
        if level is not None:
            found[at][word] = Word(word, level, cases)
        elif alike := likeness_of(typed[at], word):
            found[at][word] = Word(word, ALIKE, cases, alike)
    return [
        _cut(
            sorted(
                words.values(), key=lambda word: (word.level, -word.alike, -word.cases, word.word)
            )
        )
        for words in found
    ]
