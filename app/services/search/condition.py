"""The condition of a list's search box: the same cases that the one box finds, all of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, false, select, union
from sqlalchemy.orm import Session

from app.models import CaseWord, Complaint, Dispatch
from app.services.calendar import OFFICE_ZONE
from app.services.search.asked import Asked, understand
from app.services.search.finding import COLUMNS, between, fitting
from app.services.search.vocabulary import ALIKE, Word, meant_words

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
    found = _identifiers(asked)
    if asked.name:
        name = _named(session, asked.name)
        if name is not None and not found:
            return name
        if name is not None:
            found.append(select(Complaint.id).where(name))
    if not found:
        return false()
    # Each way is asked by itself: of several under one OR, PostgreSQL would use no index at all.
    return Complaint.id.in_(union(*found) if len(found) > 1 else found[0])


def _identifiers(asked: Asked) -> list[Select[Any]]:
    found: list[Select[Any]] = []
    for reason, values in asked.exact.items():
        more = asked.other_years if reason == "number" else ()
        if reason == "tracking":
            found.append(select(Dispatch.complaint_id).where(fitting(reason, values)))
        else:
            found.append(select(Complaint.id).where(fitting(reason, (*values, *more))))
    for reason, start in asked.begins.items():
        if reason == "tracking":
            fits = between(Dispatch.tracking_number, start)
            found.append(select(Dispatch.complaint_id).where(fits))
        else:
            found.append(select(Complaint.id).where(between(COLUMNS[reason], start)))
    return found


def _named(session: Session, typed: tuple[str, ...]) -> ColumnElement[bool] | None:
    """Each typed word in the name: itself, as a beginning or a part; like ones only without."""
    groups: list[list[Word]] = [
        [word for word in words if word.level < ALIKE] or words
        for words in meant_words(session, typed, MOST_WORDS)
    ]
    if not all(groups):
        return None
    groups.sort(key=lambda group: sum(word.cases for word in group))
    if sum(word.cases for word in groups[0]) > DENSE:
        return and_(*(_has(Complaint.id, group) for group in groups))
    # From the rarest word on; the others are asked of its cases alone.
    first = CaseWord.__table__.alias("first_word")
    cases = select(first.c.complaint_id).where(first.c.word.in_([one.word for one in groups[0]]))
    for group in groups[1:]:
        cases = cases.where(_has(first.c.complaint_id, group))
    return Complaint.id.in_(cases)


def _has(case: Any, group: list[Word]) -> ColumnElement[bool]:
    names = [word.word for word in group]
    return exists().where(CaseWord.complaint_id == case, CaseWord.word.in_(names))
