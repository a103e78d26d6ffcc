"""A list's search for a name: looked for along the list or from its words on, whichever ends sooner."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, bindparam, false
from sqlalchemy.orm import Query, Session, aliased

from app.models import CaseWord, Complaint
from app.services.calendar import OFFICE_ZONE
from app.services.search.asked import understand
from app.services.search.condition import (
    DENSE,
    Numbers,
    along,
    cases_of,
    from_the_first,
    has_one,
    numbers_of,
    word_groups,
)

#: The lines of a page, for which a name is looked for along the list.
PAGE: Final = 25


class Names(NamedTuple):
    """A search for nothing but a name: its condition is the same for every name of this shape.

    Each typed word stands for a group of words; the rarest group is the first.
    """

    #: Whether each group is of several words; none at all where a typed word stands for nothing.
    several: tuple[bool, ...]
    #: Whether it is looked for along the list.
    along: bool
    values: Mapping[str, Any]

    @property
    def key(self) -> tuple[Any, ...]:
        """What a statement with this search depends on besides the values."""
        return ("names", self.several, self.along)

    def condition(self) -> ColumnElement[bool]:
        """What the rows of a list are chosen by, in whatever order they stand."""
        return _condition(len(self.several), self.along)

    def keys(self, query: Query[Any]) -> Query[Any]:
        """The keys of a query over cases cut to them, for counting up to a bound.

        No order matters there: where rows are looked for along the list, they are counted from the
        words on, and from these alone where nothing is asked of the cases.
        """
        if not self.along:
            return query.filter(self.condition()).with_entities(Complaint.id)
        first = aliased(CaseWord)
        named: Query[Any] = query.session.query(first.complaint_id)
        if query.whereclause is not None:
            named = query.join(first, first.complaint_id == Complaint.id)
            named = named.with_entities(Complaint.id)
        named = named.filter(first.word.in_(_group(0)))
        others = range(1, len(self.several))
        named = named.filter(*(has_one(first.complaint_id, _group(other)) for other in others))
        return named.distinct() if self.several[0] else named


def listed_cases(
    session: Session, words: str, *, personal: bool, now: datetime
) -> Numbers | Names | None:
    """What was typed, for a list of cases: numbers or a name; None where it can be both.

    It says what `case_condition` says, of statements that are made once for all of a shape.
    """
    asked = understand(words, year=now.astimezone(OFFICE_ZONE).year, personal=personal)
    numbers = numbers_of(asked)
    if not asked.name or numbers is not None:
        return None if asked.name else numbers
    groups, size = word_groups(session, asked.name)
    if not groups:
        return Names((), False, {})
    rarest = cases_of(groups[0])
    # A name of c among n cases fills a page after p * n / c of the list, or c are found and sorted.
    # Two names may never meet: they are looked for so only where there are too many to sort.
    walks = rarest > DENSE or (len(groups) == 1 and rarest**2 > PAGE * size)
    values = {f"group_{place}": [one.word for one in group] for place, group in enumerate(groups)}
    return Names(tuple(len(group) > 1 for group in groups), walks, values)


@lru_cache(maxsize=20)
def _condition(groups: int, walks: bool) -> ColumnElement[bool]:
    if not groups:
        return false()
    binds = [_group(place) for place in range(groups)]
    return along(binds) if walks else from_the_first(binds)


def _group(place: int) -> Any:
    return bindparam(f"group_{place}", expanding=True)
