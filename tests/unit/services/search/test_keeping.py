"""The words of names in races: two who bring the same new word, and a rebuild while one registers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier, Event

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from app.models import CaseWord, Complaint, NameWord
from app.services.search import rebuild
from app.sop.words import name_words
from tests.support.cases import CaseMaker
from tests.support.panel import engine_of

pytestmark = pytest.mark.both
Copy = Callable[[str, str], Complaint]


@pytest.fixture
def engine(app: Flask) -> Engine:
    return engine_of(app)


@pytest.fixture
def another(make_case: CaseMaker, session: Session) -> Copy:
    """`another(number, name)`: a complaint like one that is there, not added to any session."""
    case = make_case("intake", checked=False, files=False)
    facts = {
        column.name: getattr(case, column.name)
        for column in Complaint.__table__.columns
        if column.name not in ("id", "number", "applicant_name")
    }
    session.commit()
    return lambda number, name: Complaint(number=number, applicant_name=name, **facts)


def faults(session: Session) -> list[str]:
    """Every difference between the words that are kept and those of the names."""
    wanted = {
        (word, case.id)
        for case in session.scalars(select(Complaint))
        for word in name_words(case.applicant_name)
    }
    pairs = {(row.word, row.complaint_id) for row in session.scalars(select(CaseWord))}
    words = {row.word: row.cases for row in session.scalars(select(NameWord))}
    found = [f"pair {pair}" for pair in pairs ^ wanted]
    # The number is a hint that may be too high, never too low.
    for word in {word for word, _case in wanted}:
        cases = sum(1 for pair in wanted if pair[0] == word)
        if words.get(word, 0) < cases:
            found.append(f"{word}: {words.get(word)} instead of {cases}")
    return found


def test_the_same_new_words_at_once(engine: Engine, another: Copy, session: Session) -> None:
    cases = [another(f"PGD-2026-9{n:05d}", f"Xaverius Qodir {n}") for n in range(6)]
    ready = Barrier(len(cases))

    def register(case: Complaint) -> None:
        ready.wait()
        with Session(engine) as own:
            own.add(case)
            own.commit()

    with ThreadPoolExecutor(len(cases)) as pool:
        list(pool.map(lambda case: copy_context().run(register, case), cases))
    assert len(session.scalars(select(CaseWord).where(CaseWord.word == "xaverius")).all()) == 6
    assert session.scalar(select(NameWord.cases).where(NameWord.word == "qodir")) == 6
    assert faults(session) == []


def test_a_rebuild_waits_for_who_registers(engine: Engine, another: Copy, session: Session) -> None:
    written, done = Event(), Event()

    def register() -> None:
        with Session(engine) as own:
            own.add(another("PGD-2026-900001", "Xaverius Qodir"))
            own.flush()
            written.set()
            done.wait(1)
            own.commit()

    def make_anew() -> None:
        written.wait(5)
        with Session(engine) as own:
            rebuild(own)
            own.commit()
        done.set()

    with ThreadPoolExecutor(2) as pool:
        for job in [pool.submit(copy_context().run, work) for work in (register, make_anew)]:
            job.result()
    assert faults(session) == []


def test_a_rebuild_finds_what_was_written_behind_its_back(
    engine: Engine, another: Copy, session: Session
) -> None:
    session.add(another("PGD-2026-900001", "Xaverius Qodir"))
    session.commit()
    session.query(CaseWord).delete()
    session.query(NameWord).delete()
    session.commit()
    assert faults(session)
    rebuild(session)
    session.commit()
    assert faults(session) == []
