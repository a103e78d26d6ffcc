"""The condition of a list's search box: the same cases that the one box finds, all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, select, union
from sqlalchemy.orm import Query, Session

from app.models import CaseWord, Complaint, Dispatch
from app.services.calendar import OFFICE_ZONE
from app.services.search.asked import Asked, Reason, next_after, understand
from app.services.search.finding import COLUMNS, fits_one, sought_of
from app.services.search.vocabulary import Word, meant_words

#: Reason, way ("is", "begins") and number of values of each way to find a case.
Shape = tuple[tuple[Reason, str, int], ...]
#: Words that a typed part may stand for in a list.
MOST_WORDS: Final = 500
#: A name of more cases is looked for along the order of the list, where it soon turns up.
DENSE: Final = 40_000


def case_condition(
    session: Session, words: str, *, personal: bool, now: datetime
) -> ColumnElement[bool]:
    """The condition that a case fits what was typed; every way to find it has an index behind it.

    Personal data (name, NIK, KK, phone) is looked into only with the right to see it, else the
    search box would answer what the page hides.
    """
    asked = understand(words, year=now.astimezone(OFFICE_ZONE).year, personal=personal)
    shape, values = _identifiers(asked)
    found = [one.params(**values) for one in _ways(shape)]
    if asked.name:
        groups, _size = word_groups(session, asked.name)
        if groups:
            dense = cases_of(groups[0]) > DENSE
            words_of = [[one.word for one in group] for group in groups]
            name = along(words_of) if dense else from_the_first(words_of)
            if not found:
                return name
            found.append(select(Complaint.id).where(name))
    if not found:
        return false()
    # Each way is asked by itself: of several under one OR, PostgreSQL would use no index at all.
    return Complaint.id.in_(union(*found) if len(found) > 1 else found[0])


class Numbers(NamedTuple):
    """A search for nothing but numbers: its condition has a name for each of its values."""

    shape: Shape
    values: Mapping[str, Any]

    @property
    def key(self) -> tuple[Any, ...]:
        """What a statement with this search depends on besides the values."""
        return ("numbers", self.shape)

    def condition(self) -> ColumnElement[bool]:
        """The condition, the same for every search of this shape."""
        found = _ways(self.shape)
        return Complaint.id.in_(union(*found) if len(found) > 1 else found[0])

    def keys(self, query: Query[Any]) -> Query[Any]:
        """The keys of a query over cases cut to them, for counting."""
        return query.filter(self.condition()).with_entities(Complaint.id)


def numbers_of(asked: Asked) -> Numbers | None:
    """The numbers that were typed; none where there are none."""
    shape, values = _identifiers(asked)
    return Numbers(shape, values) if shape else None


def _identifiers(asked: Asked) -> tuple[Shape, dict[str, Any]]:
    """The ways to find a case by a number: what each looks into, and for which values."""
    shape: list[tuple[Reason, str, int]] = []
    values: dict[str, Any] = {}
    for reason, texts in asked.exact.items():
        more = asked.other_years if reason == "number" else ()
        sought = sought_of(reason, (*texts, *more))
        shape.append((reason, "is", len(sought)))
        values |= {f"{reason}_is_{place}": value for place, value in enumerate(sought)}
    for reason, start in asked.begins.items():
        ends = [start] if (end := next_after(start)) is None else [start, end]
        shape.append((reason, "begins", len(ends)))
        values |= {f"{reason}_begins_{place}": value for place, value in enumerate(ends)}
    return tuple(shape), values


@lru_cache(maxsize=100)
def _ways(shape: Shape) -> tuple[Select[Any], ...]:
    # Composed once: it costs as much as asking.
    found: list[Select[Any]] = []
    for reason, way, count in shape:
        parcel = reason == "tracking"
        column: Any = Dispatch.tracking_number if parcel else COLUMNS[reason]
        names = [f"{reason}_{way}_{place}" for place in range(count)]
        binds = [bindparam(name, type_=column.type) for name in names]
        if way == "begins":
            fits = and_(column >= binds[0], *(column < end for end in binds[1:]))
        else:
            fits = fits_one(column, binds)
        found.append(select(Dispatch.complaint_id if parcel else Complaint.id).where(fits))
    return tuple(found)


def word_groups(session: Session, typed: tuple[str, ...]) -> tuple[list[list[Word]], int]:
    """The words that each typed one stands for, the rarest first, and about how many cases there are.

    No words where one of them stands for nothing.
    """
    groups, size = meant_words(session, typed, MOST_WORDS)
    return (sorted(groups, key=cases_of) if all(groups) else []), size


def cases_of(group: Sequence[Word]) -> int:
    """In about how many cases one of these words stands."""
    return sum(word.cases for word in group)


def along(groups: Sequence[Any]) -> ColumnElement[bool]:
    """A word of each group in the name of the case at hand; a group is words, or a name for them."""
    return and_(*(has_one(Complaint.id, group) for group in groups))


def from_the_first(groups: Sequence[Any]) -> ColumnElement[bool]:
    """The same from the first group on; the others are asked of its cases alone."""
    first = CaseWord.__table__.alias("first_word")
    cases = select(first.c.complaint_id).where(first.c.word.in_(groups[0]))
    for group in groups[1:]:
        cases = cases.where(has_one(first.c.complaint_id, group))
    return Complaint.id.in_(cases)


def has_one(case: Any, group: Any) -> ColumnElement[bool]:
    """Whether a case has one word of a group in its name."""
    return exists().where(CaseWord.complaint_id == case, CaseWord.word.in_(group))
