"""Which words of names were meant: the very one, longer ones, those that hold it, like ones.

Both databases answer with the same words in the same order: they only bring the candidates by a
trigram index each, and what counts is compared here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    String,
    bindparam,
    case,
    column,
    func,
    literal_column,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from app.models import Complaint, NameWord
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
#: The trigrams of the words on SQLite.
_PADDED: Final = table("name_word_search", column("rowid"), column("padded"))
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


def beginning_with(session: Session, typed: Sequence[str]) -> list[list[Word]]:
    """For each typed word, itself and the most frequent ones that begin with it."""
    return _words(session, typed, (_BEGINNING,), MOST_WORDS)


def holding(session: Session, typed: Sequence[str]) -> list[list[Word]]:
    """For each typed word, the most frequent ones that hold it within."""
    return _words(session, typed, (_HOLDING,), MOST_WORDS)


def like(session: Session, typed: Sequence[str]) -> list[list[Word]]:
    """For each typed word those that are alike, the likest first."""
    return _words(session, typed, (_LIKE,), MOST_WORDS)


def meant_words(session: Session, typed: Sequence[str], most: int) -> tuple[list[list[Word]], int]:
    """For each typed word all that hold it, and about how many cases there are of all names.

    A word that no other holds stands for those alike. One statement, or two: what is alike costs
    more than all the rest, and is asked in need only.
    """
    found, cases = _words_and_cases(session, typed, (_BEGINNING, _HOLDING), most)
    unheld = [at for at, words in enumerate(found) if not words]
    if unheld:
        likes = like(session, [typed[at] for at in unheld])
        for at, words in zip(unheld, likes, strict=True):
            found[at] = words
    return found, cases


# The ways to look for words, each a part of one statement.
_BEGINNING, _HOLDING, _LIKE = "beginning", "holding", "like"


@dataclass(frozen=True)
class _Shape:
    """What a statement depends on besides its values; composing it costs more than asking."""

    #: For each typed word the ways that it is long enough for, and the number of its trigrams.
    typed: tuple[tuple[tuple[str, ...], int], ...]
    most: int
    sqlite: bool
    #: Whether the database knows what is alike by an index.
    trigram: bool


def _ways(part: str, ways: tuple[str, ...]) -> tuple[str, ...]:
    least = {_BEGINNING: 1, _HOLDING: SHORTEST_PART, _LIKE: SHORTEST_ALIKE}
    return tuple(way for way in ways if len(part) >= least[way])


@lru_cache(maxsize=200)
def _statement(shape: _Shape) -> Any:
    parts: list[Any] = []
    for at, (ways, grams) in enumerate(shape.typed):
        columns: tuple[Any, ...] = (
            literal_column(str(at)).label("typed"),
            NameWord.word,
            NameWord.cases,
        )
        frequent = (NameWord.cases.desc(), NameWord.word)
        part = _bind("part", at)
        if _BEGINNING in ways:
            parts.append(select(*columns).where(NameWord.word == part))
            longer = select(*columns).where(NameWord.word > part, NameWord.word < _bind("end", at))
            parts.append(select(longer.order_by(*frequent).limit(_written(shape.most)).subquery()))
        if _HOLDING in ways:
            begins = NameWord.word.like(_bind("begins", at))
            held = select(*columns).where(_holds(at, shape.sqlite), ~begins)
            parts.append(select(held.order_by(*frequent).limit(_written(shape.most)).subquery()))
        if _LIKE in ways:
            parts.append(select(_alike(columns, at, grams, shape).subquery()))
    # The last case's key is about as many as there are; a count would read them all.
    size = func.coalesce(select(func.max(Complaint.id)).scalar_subquery(), 0)
    return union_all(*parts, select(literal_column("-1"), literal_column("''"), size))


def _written(number: int) -> Any:
    """A bound as it stands in a statement; as a value PostgreSQL would plan for a tenth of the table."""
    return literal_column(str(number))


def _bind(name: str, *places: int) -> Any:
    return bindparam("_".join((name, *map(str, places))), type_=String)


def _values(at: int, part: str, sqlite: bool) -> dict[str, str]:
    """Everything that the parts of one typed word may ask for."""
    values = {
        f"part_{at}": part,
        f"end_{at}": part + _LAST,
        f"begins_{at}": f"{part}%",
        f"held_{at}": f'"{part}"' if sqlite else f"%{part}%",
    }
    for n, gram in enumerate(sorted(trigrams(part))):
        values[f"gram_{at}_{n}"] = f'"{gram}"' if sqlite else f"%{gram}%"
    return values


def _cut(words: list[Word]) -> list[Word]:
    """Of the like words only the likest: the databases bring some more, each its own."""
    alike = [word for word in words if word.level == ALIKE]
    return [word for word in words if word.level < ALIKE] + alike[:MOST_ALIKE]


def _holds(at: int, sqlite: bool) -> Any:
    if not sqlite:
        return NameWord.word.like(_bind("held", at))
    return NameWord.id.in_(_matching(_bind("held", at)))


def _matching(words: Any) -> Any:
    """The words that FTS5 finds."""
    return select(_PADDED.c.rowid).where(_PADDED.c.padded.op("MATCH")(words))


def _alike(columns: tuple[Any, ...], at: int, grams: int, shape: _Shape) -> Any:
    """Candidates for like words, more than are wanted."""
    if shape.trigram and not shape.sqlite:
        part = _bind("part", at)
        likeness = func.similarity(NameWord.word, part)
        found = select(*columns).where(NameWord.word.op("%")(part))
        return found.order_by(likeness.desc(), NameWord.cases.desc(), NameWord.word).limit(
            _written(64)
        )
    # Two words that are alike enough share at least so many of the trigrams of the typed one.
    least = max(1, -(-grams * 32 // 100))
    if not shape.sqlite:  # a server without the extension: word by word
        padded = func.concat("  ", NameWord.word, " ")
        holds = [padded.like(_bind("gram", at, n)) for n in range(grams)]
        shared: Any = sum(case((one, 1), else_=0) for one in holds)
        found = select(*columns).where(shared >= least)
        return found.order_by(shared.desc(), NameWord.id).limit(_written(256))
    hits = union_all(*(_matching(_bind("gram", at, n)) for n in range(grams))).subquery()
    key = hits.c.rowid
    counted = select(key).group_by(key).having(func.count() >= least)
    counted = counted.order_by(func.count().desc(), key).limit(_written(256))
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


def _words(
    session: Session, typed: Sequence[str], ways: tuple[str, ...], most: int
) -> list[list[Word]]:
    return _words_and_cases(session, typed, ways, most)[0]


def _words_and_cases(
    session: Session, typed: Sequence[str], ways: tuple[str, ...], most: int
) -> tuple[list[list[Word]], int]:
    shapes = tuple((_ways(part, ways), len(trigrams(part))) for part in typed)
    if not any(asked for asked, _grams in shapes):
        return [[] for _ in typed], 0
    sqlite = session.get_bind().dialect.name == "sqlite"
    trigram = sqlite or _LIKE not in ways or _has_trigrams(session)
    values: dict[str, str] = {}
    for at, part in enumerate(typed):
        values |= _values(at, part, sqlite)
    statement = _statement(_Shape(shapes, most, sqlite, trigram))
    found: list[dict[str, Word]] = [{} for _ in typed]
    size = 0
    for at, word, cases in session.execute(statement, values):
        if at < 0:
            size = cases
            continue
        level = sure_level(typed[at], word)
        if level is not None:
            found[at][word] = Word(word, level, cases)
        elif alike := likeness_of(typed[at], word):
            found[at][word] = Word(word, ALIKE, cases, alike)

    def rank(word: Word) -> tuple[object, ...]:
        return word.level, -word.alike, -word.cases, word.word

    return [_cut(sorted(words.values(), key=rank)) for words in found], size
