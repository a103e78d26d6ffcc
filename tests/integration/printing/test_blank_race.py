"""Two officers and one card: one print is counted, the other paper stands in line; never both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import BlankEntry, BlankWait, PrintRun
from tests.support.blanks import card_case, leave, ledger_sum, stock_of
from tests.support.cases import CaseMaker
from tests.support.visitor import Answer, Visitor, at_once

pytestmark = pytest.mark.both
CARDS, CASES = 3, 10


def test_of_ten_papers_three_get_the_three_cards(
    make_case: CaseMaker, session: Session, app: Flask, live_server: str
) -> None:
    cases = [card_case(make_case) for _ in range(CASES)]
    leave(session, CARDS)
    officers = [Visitor(app, live_server, f"operator{'2' * (n % 2)}") for n in range(CASES)]

    def press(number: int) -> Callable[[], Answer]:
        path = f"/complaints/action/confirm_printed/{cases[number].id}"
        return lambda: officers[number].post(path, {}, Accept="application/json")

    answers = at_once([press(number) for number in range(CASES)])
    assert Counter(answer.status for answer in answers) == {303: CARDS, 422: CASES - CARDS}
    session.rollback()
    session.expire_all()
    stock = stock_of(session)
    assert (stock.balance, ledger_sum(session, stock)) == (0, 0)
    assert Counter(case.step_key for case in cases) == {
        "dispatch": CARDS,
        "printing": CASES - CARDS,
    }
    assert len(session.scalars(select(PrintRun)).all()) == CARDS
    used = session.scalars(select(BlankEntry.run_id).where(BlankEntry.kind == "used")).all()
    assert len(set(used)) == CARDS
    waits = session.scalars(select(BlankWait).where(BlankWait.ended_at.is_(None))).all()
    assert {wait.complaint_id for wait in waits} == {
        case.id for case in cases if case.step_key == "printing"
    }


def test_batches_that_cross_each_other_do_not_lock_up(
    make_case: CaseMaker, session: Session, app: Flask, live_server: str
) -> None:
    """Papers on both kinds of cards, confirmed in batches in opposite orders and one by one."""
    cases = [
        make_case("printing", category="KIA") if n % 2 else card_case(make_case) for n in range(8)
    ]
    leave(session, 8)
    one, two, three = (
        Visitor(app, live_server, key) for key in ("operator", "operator2", "operator")
    )
    ids = [str(case.id) for case in cases]

    def batch(officer: Visitor, rows: list[str]) -> Callable[[], Answer]:
        data = {"action": "confirm_printed", "rowid": rows}
        return lambda: officer.post("/complaints/batch", data)

    answers = at_once(
        [
            batch(one, ids),
            batch(two, ids[::-1]),
            lambda: three.post(f"/complaints/action/confirm_printed/{ids[-1]}", {}),
            lambda: three.post(f"/complaints/action/confirm_printed/{ids[0]}", {}),
        ]
    )
    assert {answer.status for answer in answers} <= {200, 303}
    session.rollback()
    session.expire_all()
    assert {case.step_key for case in cases} == {"dispatch"}
    assert len(session.scalars(select(PrintRun)).all()) == len(cases)
