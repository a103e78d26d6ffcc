"""The newest cases that have some words in their names, by the index of the words.

Every branch reads it in its order and stops after a few rows, so that a name which a hundred
thousand cases share costs no more than a rare one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Integer,
    String,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from app.models import CaseWord, Complaint
from app.services.actor import Actor
from app.services.search.vocabulary import Word
from app.services.visibility import visible_cases

#: Rows that one branch reads at most; among them the open ones come first.
BRANCH: Final = 40
#: The same, written into a statement: a value costs more to hand over than to plan.
ROWS: Final[Any] = literal_column(str(BRANCH))
#: A word of more cases is read by itself, newest first; rarer ones are read together and sorted.
FREQUENT: Final = 100
MOST_FREQUENT: Final = 6
#: Of two frequent words of one name, so many cases of the rarer are looked at.
DEEPEST: Final = 10_000


class _Named(NamedTuple):
    """What the statement for the cases of some words depends on besides the words."""

    #: Of each frequent word, whether it is looked at to a depth only.
    frequent: tuple[bool, ...]
    rare: bool
    #: How many typed words there are besides.
    others: int


def newest_of(session: Session, allowed: list[list[Word]], actor: Actor) -> Sequence[Any]:
    """The newest cases of the rarest typed word that have one of each other typed word, too."""
    at = min(range(len(allowed)), key=lambda one: sum(word.cases for word in allowed[one]))
    others = [[word.word for word in group] for n, group in enumerate(allowed) if n != at]
    frequent = [word for word in allowed[at] if word.cases > FREQUENT]
    rare = [word for word in allowed[at] if word.cases <= FREQUENT]
    if not others:  # each of them has more cases than are wanted
        frequent = frequent[:MOST_FREQUENT]
    deep = max(DEEPEST // max(len(frequent), 1), 1000)
    values: dict[str, Any] = {f"other_{n}": group for n, group in enumerate(others)}
    values |= {f"word_{n}": word.word for n, word in enumerate(frequent)}
    cut = tuple(bool(others) and word.cases > deep for word in frequent)
    if any(cut):
        values["deep"] = deep
    if rare:
        values["rare"] = [word.word for word in rare]
        # Never reached: the hints only grow.
        values["most"] = sum(word.cases for word in rare) + BRANCH
    statement = _of_words(_Named(cut, bool(rare), len(others)), actor)
    return session.execute(statement, values).all()


@lru_cache(maxsize=500)
def _of_words(named: _Named, actor: Actor) -> Any:
    """The statement for some words, for the cases this actor may see; composed once."""
    visible = visible_cases(actor)
    parts: list[Any] = []
    newest: Any
    for number, cut in enumerate(named.frequent):
        word = bindparam(f"word_{number}", type_=String)
        fits = CaseWord.word == word
        if cut:
            fits &= CaseWord.complaint_id > _floor(word)
        newest = CaseWord.complaint_id
        among = _among(CaseWord, newest, named.others, visible)
        parts.append(among.where(fits).order_by(newest.desc()))
    if named.rare:
        # By themselves, with a limit: else PostgreSQL takes them for more than they are and walks
        # back through all cases to look for the words there.
        rare = CaseWord.word.in_(bindparam("rare", expanding=True))
        most = bindparam("most", type_=Integer, literal_execute=True)
        few = select(CaseWord.complaint_id).where(rare).limit(most).subquery()
        # An order that no index has: these are sorted, not looked for along all cases.
        newest = few.c.complaint_id + 0
        among = _among(few, few.c.complaint_id, named.others, visible)
        parts.append(among.order_by(newest.desc()))
    return union_all(*(select(part.limit(ROWS).subquery()) for part in parts))


def _floor(word: Any) -> Any:
    """The case behind the newest so many of a word."""
    older = select(CaseWord.complaint_id).where(CaseWord.word == word)
    deep = bindparam("deep", type_=Integer, literal_execute=True)
    older = older.order_by(CaseWord.complaint_id.desc()).limit(literal_column("1")).offset(deep)
    return func.coalesce(older.correlate(None).scalar_subquery(), 0)


def _among(source: Any, key: Any, others: int, visible: Any) -> Any:
    """Cases among some that have one of each group of other words, too."""
    statement = (
        select(Complaint.id, Complaint.applicant_name, Complaint.received_at, Complaint.closed_at)
        .select_from(source)
        .join(Complaint, Complaint.id == key)
        .where(visible)
    )
    for number in range(others):
        other = CaseWord.__table__.alias(f"other{number}")
        group: Any = bindparam(f"other_{number}", expanding=True)
        statement = statement.where(
            exists().where(other.c.complaint_id == key, other.c.word.in_(group))
        )
    return statement
