"""A list's search: the same cases whichever way they are found, chosen along the list or counted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.models import CaseWord, Complaint
from app.services.search import case_condition, listed, listed_cases, rebuild
from app.services.search.listed import Names
from tests.support.cases import CaseMaker
from tests.support.panel import Statements
from tests.unit.services.search.conftest import NOW

pytestmark = pytest.mark.both
NAMES = ("Siti Aminah", "Siti Nugroho", "Budi Nugroho", "Bambang Nugraha", "Yuni", "Yuniarti Siti")


@pytest.fixture
def named(make_case: CaseMaker, session: Session) -> None:
    """Sixty cases of six names, every tenth confidential."""
    case = make_case("intake", checked=False, files=False)
    table = Complaint.__table__
    row = dict(session.execute(select(table).where(table.c.id == case.id)).mappings().one())
    rows = [
        {
            **row,
            "id": case.id + number,
            "number": f"PGD-2024-{number:06d}",
            "applicant_name": NAMES[number % len(NAMES)],
            "received_at": NOW - timedelta(hours=number),
            "confidential": number % 10 == 0,
        }
        for number in range(1, 61)
    ]
    session.execute(insert(table), rows)  # type: ignore[arg-type]
    rebuild(session)
    session.commit()


def look(session: Session, words: str) -> Names:
    found = listed_cases(session, words, personal=True, now=NOW)
    assert isinstance(found, Names)
    return found


def rows_of(session: Session, fits: Any, values: Any = None) -> list[int]:
    statement = select(Complaint.id).where(fits).order_by(Complaint.id)
    return list(session.scalars(statement, values or {}))


def counted(session: Session, found: Names, *rules: Any) -> int:
    keys = found.keys(session.query(Complaint).filter(*rules))
    statement = select(func.count()).select_from(keys.limit(1001).subquery())
    return session.scalar(statement, dict(found.values)) or 0


@pytest.mark.parametrize("along", [False, True], ids=["found and sorted", "along the list"])
@pytest.mark.parametrize(
    "words",
    ["nugroho", "nug", "groho", "siti", "siti nug", "yuni", "yuni bambang", "sitti", "nobody"],
)
def test_every_way_finds_and_counts_the_same(
    session: Session, named: None, monkeypatch: pytest.MonkeyPatch, words: str, along: bool
) -> None:
    expected = rows_of(session, case_condition(session, words, personal=True, now=NOW))
    # From how many cases on a name is looked for along the list.
    monkeypatch.setattr(listed, "DENSE", 0 if along else 10**9)
    monkeypatch.setattr(listed, "PAGE", 10**9)
    found = look(session, words)
    assert found.along is (along and words != "nobody")
    assert rows_of(session, found.condition(), found.values) == expected
    assert bool(expected) is (words not in ("yuni bambang", "nobody"))
    assert counted(session, found) == len(expected)
    seen = Complaint.confidential.is_(False)
    assert counted(session, found, seen) == len(
        rows_of(session, found.condition() & seen, found.values)
    )


def test_a_frequent_name_is_looked_for_along_the_list_and_a_rare_one_is_not(
    session: Session, named: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of 25 of ten in some sixty is not worth walking for; a page of one is."""
    assert not look(session, "aminah").along
    monkeypatch.setattr(listed, "PAGE", 1)
    assert look(session, "aminah").along
    # Two names may never meet, so the walk may find no end.
    assert not look(session, "aminah siti").along


def test_a_word_that_others_hold_stands_for_no_like_one(
    session: Session,
    named: None,
    sql_count: Callable[[], AbstractContextManager[Statements]],
) -> None:
    """What is alike is asked for in need only, by a statement of its own."""
    look(session, "nobodyatall")  # PostgreSQL says once whether it knows what is alike
    with sql_count() as statements:
        found = look(session, "nugroho")
    assert len(statements) == 1
    assert found.values == {"group_0": ["nugroho"]}
    with sql_count() as statements:
        look(session, "nugrohoo")
    assert len(statements) == 2


def test_a_name_is_counted_from_its_words_alone_unless_something_is_asked_of_the_cases(
    session: Session, named: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed, "DENSE", 0)
    found = look(session, "siti")
    alone = str(found.keys(session.query(Complaint)))
    assert CaseWord.__tablename__ in alone
    assert " complaint " not in alone.replace("\n", " ")
    assert " complaint " in str(
        found.keys(session.query(Complaint).filter(Complaint.step_key == "intake"))
    ).replace("\n", " ")


def test_without_the_right_no_name_is_looked_for(session: Session, named: None) -> None:
    assert listed_cases(session, "nugroho", personal=False, now=NOW) is None
    assert rows_of(session, case_condition(session, "nugroho", personal=False, now=NOW)) == []


def test_the_statement_is_the_same_for_all_names_of_a_shape(session: Session, named: None) -> None:
    """What stands in it must not be the name: a kept statement would find another's cases."""
    one, other = look(session, "siti"), look(session, "budi")
    assert one.key == other.key != look(session, "siti budi").key
    assert one.condition() is other.condition()
    assert "siti" not in str(one.condition().compile(compile_kwargs={"literal_binds": False}))
    assert rows_of(session, one.condition(), one.values) != rows_of(
        session, other.condition(), other.values
    )
