"""The cases behind a number: for every number there are exactly its cases, no more and no fewer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.services.actor import Actor
from app.services.chart_cases import Question, export_rows, load_page, read_question
from app.services.statistics import Scope
from tests.support.chart_office import FIRST, JUNE, LAST, built
from tests.support.made_cases import DAY, PLACES, filled, moment, offices, prepare
from tests.support.slow_cases import TODAY, questions

KABID = Actor(1, "B", frozenset({("can_list", "ChartCase")}))
HEAD = Actor(2, "K", frozenset({("see_confidential", "Complaint")}))


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with built(request.param, tmp_path_factory.mktemp("charts"), prepare) as made:
        yield made


def all_pages(
    session: Session, question: Question, actor: Actor, limit: int
) -> tuple[Any, list[Any]]:
    """The first page and the rows of all of them."""
    first = page = load_page(session, question, JUNE, actor, today=TODAY, limit=limit)
    rows = [*page.rows]
    while page.after:
        page = load_page(
            session, question, JUNE, actor, today=TODAY, limit=limit, after=page.after
        )  # fmt: skip
        assert 0 < len(page.rows) <= limit
        rows += page.rows
    return first, rows


#: Each example asks every so-many-th question, from another one on.
EVERY = 9
starts = st.integers(0, EVERY - 1)


@given(office=offices, limit=st.integers(1, 3), start=starts)
@settings(max_examples=18, deadline=None)
def test_every_number_has_exactly_its_cases(
    engine: Engine, office: list[dict[str, Any]], limit: int, start: int
) -> None:
    with filled(engine, office) as session:
        for question, hits in islice(questions(office), start, None, EVERY):
            page, rows = all_pages(session, question, KABID, limit)
            shown = sorted(number for number, confidential in hits if not confidential)
            assert page.total == len(hits), question
            assert page.hidden == len(hits) - len(shown), question
            assert sorted(row.complaint_id for row in rows) == shown, question
            page, rows = all_pages(session, question, HEAD, 50)
            assert (page.total, page.hidden) == (len(hits), 0), question
            assert sorted(row.complaint_id for row in rows) == sorted(n for n, _c in hits)
            exported = export_rows(session, question, JUNE, HEAD, today=TODAY, limit=1000)
            assert [*exported] == rows


@given(office=offices)
@settings(max_examples=8, deadline=None)
def test_runs_are_listed_slowest_first(engine: Engine, office: list[dict[str, Any]]) -> None:
    with filled(engine, office) as session:
        for by in ("", "wait"):
            _page, rows = all_pages(session, Question("run", by=by), HEAD, 2)
            took = [row.wait if by else row.work for row in rows]
            assert took == sorted(took, reverse=True)


@given(office=offices, channel=st.integers(1, 2), place=st.sampled_from(PLACES[1:]), start=starts)
@settings(max_examples=10, deadline=None)
def test_two_filters_at_once_cut_number_and_cases_alike(
    engine: Engine, office: list[dict[str, Any]], channel: int, place: str, start: int
) -> None:
    scope = Scope(FIRST, LAST, channel_id=channel, kecamatan_code=place)
    cut = [
        case if (case["channel_id"], case["kecamatan_code"]) == (channel, place)
        else {**case, "runs": [], "returns": [], "parcels": [], "received_at": moment(-60 * DAY),
              "closed_at": moment(-60 * DAY), "completeness_due": date(2026, 1, 1),
              "decision_due": date(2026, 1, 1), "class_due": date(2026, 1, 1)}
        for case in office
    ]  # fmt: skip
    with filled(engine, office) as session:
        for question, hits in islice(questions(cut), start, None, EVERY):
            page = load_page(session, question, scope, HEAD, today=TODAY)
            assert page.total == len(page.rows) == len(hits), question


HOSTILE = [
    "",
    "x",
    "-1",
    "1_x",
    "_",
    "9" * 400,
    "2026-13-01_1",
    "\x00_1",
    "1.5_1",
    "٣_1",
    "1_" + "9" * 30,
]


def test_a_mark_that_cannot_be_one_is_the_first_page(engine: Engine) -> None:
    with filled(engine, []) as session:
        for of in ("run", "arrival", "due"):
            for after in HOSTILE:
                page = load_page(session, Question(of), JUNE, KABID, today=TODAY, after=after)
                assert (page.total, page.rows, page.after) == (0, (), "")


@pytest.mark.parametrize(
    ("args", "question"),
    [
        pytest.param({}, Question("run"), id="nothing asked is every finished step"),
        pytest.param({"of": "x"}, Question("run"), id="an unknown series"),
        pytest.param({"of": "run", "over": "130"}, Question("run", over="130"), id="a bound"),
        pytest.param({"of": "run", "over": "121"}, Question("run"), id="no bound of a class"),
        pytest.param({"of": "run", "over": "0"}, Question("run"), id="no minute"),
        pytest.param({"of": "run", "over": "999"}, Question("run"), id="more than a day's work"),
        pytest.param({"of": "run", "hour": "3"}, Question("run"), id="a run has no hour"),
        pytest.param({"of": "arrival", "hour": "24"}, Question("arrival"), id="no such hour"),
        pytest.param({"of": "arrival", "weekday": "7"}, Question("arrival"), id="no such day"),
        pytest.param({"of": "open", "age": "9-3"}, Question("open"), id="an age turned round"),
        pytest.param({"of": "open", "age": "9-"}, Question("open"), id="half an age"),
        pytest.param({"of": "open", "age": "61"}, Question("open", age="61"), id="and more"),
        pytest.param({"of": "open", "state": "met"}, Question("open"), id="another's state"),
        pytest.param({"of": "run", "item": "x" * 41}, Question("run"), id="no key is so long"),
        pytest.param({"of": "run", "person": "2"}, Question("run"), id="who may not compare"),
        pytest.param({"of": "due", "lane": "x"}, Question("due"), id="no lane has a date"),
        pytest.param({"of": "run", "item": "a\x00"}, Question("run"), id="nor has it a nought"),
    ],
)
def test_what_an_address_cannot_mean_is_left_out(args: dict[str, str], question: Question) -> None:
    assert read_question(args) == question


@pytest.mark.parametrize(
    ("args", "question"),
    [
        pytest.param({"person": "2"}, Question("run", person=2), id="whose runs"),
        pytest.param({"person": "x"}, Question("run"), id="nobody"),
        pytest.param({"person": "2", "over": "p90"}, Question("run", person=2), id="not how slow"),
        pytest.param({"of": "open", "person": "2"}, Question("open"), id="open cases are nobody's"),
    ],
)
def test_a_person_is_asked_for_by_who_may(args: dict[str, str], question: Question) -> None:
    assert read_question(args, persons=True) == question
