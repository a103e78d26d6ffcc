"""One fair queue: what I began, then what the law makes urgent, then what has stood longest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.actor import CASE_VIEW, Actor
from app.services.pausing import end_pause, pause_step
from app.services.queue import (
    PAGE_SIZE,
    Queue,
    batch_moves,
    load_queue,
    my_steps,
    my_waiting_steps,
)
from app.services.transitions import Office, start_work
from tests.support.cases import CaseMaker

ActorOf = Callable[[str], Actor]
#: Monday 09:00 in the office.
NOW = datetime(2026, 8, 3, 2, 0, tzinfo=UTC)
TODAY = date(2026, 8, 3)


def before(**ago: float) -> datetime:
    return NOW - timedelta(**ago)


def numbers(queue: Queue) -> list[str]:
    return [entry.case.number for entry in queue.entries]


@pytest.fixture
def load(session: Session, office: Office, actor: ActorOf) -> Callable[..., Queue]:
    def load(key: str, step: str = "", **more: Any) -> Queue:
        return load_queue(session, office, actor(key), now=NOW, step_key=step, **more)

    return load


@pytest.fixture
def cases(make_case: CaseMaker) -> list[Complaint]:
    """Three at the SIAK check, the second entered last; none begun, none urgent."""
    made = [
        make_case("siak_check", at=before(hours=hours), files=False, checked=False)
        for hours in (5, 2, 3)
    ]
    for case in made:
        case.class_due = case.decision_due = TODAY + timedelta(days=30)
    make_case.session.commit()
    return made


# --- whose step it is ---


@pytest.mark.parametrize(
    ("key", "steps", "waiting"),
    [
        pytest.param("petugas", ["intake", "dispatch"], ["returned"], id="complaints officer"),
        pytest.param("operator", ["siak_check", "printing"], [], id="operator"),
        pytest.param("subkoordinator", ["certification"], [], id="reopening is not waiting work"),
        pytest.param("kepala", ["signing"], [], id="head of the office"),
        pytest.param("admin", [], [], id="running the system is not handling cases"),
    ],
)
def test_the_steps_are_those_of_the_transitions_held(
    office: Office, actor: ActorOf, key: str, steps: list[str], waiting: list[str]
) -> None:
    who = actor(key)
    assert [step.key for step in my_steps(office.sop, who)] == steps
    assert [step.key for step in my_waiting_steps(office.sop, who)] == waiting


def test_a_single_transition_opens_its_step(office: Office) -> None:
    who = Actor(id=1, name="", permissions=frozenset({("send", CASE_VIEW)}))
    assert [step.key for step in my_steps(office.sop, who)] == ["dispatch"]


def test_batch_buttons_are_the_batch_transitions_held(office: Office, actor: ActorOf) -> None:
    certification = office.sop.step("certification")
    assert [move.key for move in batch_moves(certification, actor("subkoordinator"))] == [
        "submit_certification",
        "submit_ktp_print",
    ]
    assert batch_moves(certification, actor("kepala")) == ()


# --- the order ---


@pytest.mark.both
def test_the_longest_there_comes_first(cases: list[Complaint], load: Any) -> None:
    first, second, third = cases
    assert numbers(load("operator")) == [first.number, third.number, second.number]


@pytest.mark.both
@pytest.mark.parametrize("column", ["class_due", "decision_due"])
@pytest.mark.parametrize(
    ("days", "urgent"),
    [
        pytest.param(-1, True, id="past its date"),
        pytest.param(3, True, id="due in three days"),
        pytest.param(4, False, id="due in four days"),
    ],
)
def test_what_the_law_makes_urgent_overtakes(
    cases: list[Complaint], load: Any, session: Session, column: str, days: int, urgent: bool
) -> None:
    first, second, third = cases
    setattr(second, column, TODAY + timedelta(days=days))
    session.commit()
    rest = [first.number, third.number]
    assert numbers(load("operator")) == (
        [second.number, *rest] if urgent else [*rest, second.number]
    )


@pytest.mark.both
def test_what_i_began_comes_before_everything(
    cases: list[Complaint], load: Any, session: Session, office: Office, actor: ActorOf
) -> None:
    first, second, third = cases
    third.class_due = TODAY
    start_work(session, office.sop, second, actor("operator"), now=before(minutes=10))
    session.commit()
    assert numbers(load("operator")) == [second.number, third.number, first.number]
    assert numbers(load("operator2")) == [third.number, first.number, second.number]
    mine, colleagues = load("operator").entries[0], load("operator2").entries[-1]
    assert (mine.mine, mine.started, mine.holder) == (True, True, "Agus Prasetyo")
    assert (colleagues.mine, colleagues.holder) == (False, "Agus Prasetyo")


def test_a_tab_shows_one_step_and_a_made_up_one_shows_all(
    cases: list[Complaint], make_case: CaseMaker, load: Any
) -> None:
    printing = make_case("printing", at=before(hours=4))
    assert numbers(load("operator", "printing")) == [printing.number]
    assert load("operator", "siak_check").total == len(cases)
    for nonsense in ("", "signing", "nothing", "done"):
        assert load("operator", nonsense).total == len(cases) + 1
        assert load("operator", nonsense).step is None


def test_an_officer_of_one_step_sees_it_at_once(make_case: CaseMaker, load: Any) -> None:
    make_case("signing", at=before(hours=4))
    queue = load("kepala")
    assert queue.step is not None
    assert queue.step.key == "signing"
    assert queue.total == 1


def test_who_waits_for_the_applicant_stands_apart(make_case: CaseMaker, load: Any) -> None:
    older = make_case("returned", at=before(days=9))
    newer = make_case("returned", at=before(days=3))
    queue = load("petugas", "returned")
    assert numbers(queue) == [older.number, newer.number]
    assert queue.entries[0].clocks is None
    assert load("petugas").total == 0
    assert queue.count(queue.waiting) == 2


def test_a_long_queue_comes_in_pages(
    cases: list[Complaint], load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PAGE_SIZE == 50
    monkeypatch.setattr("app.services.queue.PAGE_SIZE", 2)
    pages = [load("operator", page=page) for page in (0, 1)]
    assert [len(page.entries) for page in pages] == [2, 1]
    assert pages[0].pages == 2
    assert not set(numbers(pages[0])) & set(numbers(pages[1]))
    assert numbers(load("operator", page=99)) == numbers(pages[1]), "past the end is the last page"
    assert numbers(load("operator", page=-5)) == numbers(pages[0])


# --- who may know of it ---


def test_oversight_content_is_counted_but_not_shown(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    make_case("siak_check", category="PUNGLI", at=before(hours=4), files=False, checked=False)
    seeing = actor("operator")
    blind = Actor(
        id=seeing.id,
        name=seeing.name,
        permissions=seeing.permissions - {("see_confidential", CASE_VIEW)},
    )
    assert load_queue(session, office, seeing, now=NOW).total == 1
    queue = load_queue(session, office, blind, now=NOW)
    assert (queue.total, queue.entries) == (0, [])
    assert (queue.counts["siak_check"].here, queue.counts["siak_check"].visible) == (1, 0)


# --- the clocks ---


@pytest.mark.both
def test_both_clocks_run_until_now(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf, load: Any
) -> None:
    case = make_case("siak_check", at=before(minutes=60), files=False, checked=False)
    entered = make_case.now(case) - timedelta(minutes=3)
    start_work(session, office.sop, case, actor("operator"), now=before(minutes=20))
    session.commit()
    entry = load("operator").entries[0]
    assert entry.clocks is not None
    assert entry.clocks.work == 20 * 60
    assert entry.clocks.wait == (before(minutes=20) - entered).total_seconds()
    assert entry.standard == 15


@pytest.mark.both
def test_a_stopped_step_says_so_and_counts_nothing(
    cases: list[Complaint],
    make_case: CaseMaker,
    session: Session,
    office: Office,
    actor: ActorOf,
    load: Any,
) -> None:
    who = actor("operator")
    moving = load("operator").entries[0].clocks.wait
    pause = pause_step(
        session,
        office.sop,
        "siak_check",
        who,
        "siak_down",
        now=before(minutes=30),
        note="sejak pagi",
    )
    session.commit()
    queue = load("operator")
    assert queue.entries[0].standing
    assert queue.entries[0].clocks.wait == moving - 30 * 60
    stopped = queue.pauses["siak_check"]
    assert (stopped.reason, stopped.note, stopped.by_name) == (
        "siak_down",
        "sejak pagi",
        "Agus Prasetyo",
    )
    end_pause(session, pause, who, now=before(minutes=10))
    session.commit()
    queue = load("operator")
    assert not queue.entries[0].standing
    assert not queue.pauses
    assert queue.entries[0].clocks.wait == moving - 20 * 60


def test_what_left_today_is_counted_by_the_offices_day(make_case: CaseMaker, load: Any) -> None:
    make_case("siak_check", at=datetime(2026, 8, 2, 16, 50, tzinfo=UTC))  # 23:50: before midnight
    make_case("siak_check", at=datetime(2026, 8, 2, 17, 10, tzinfo=UTC))  # 00:10
    counts = load("operator").counts
    assert counts["intake"].left_today == 2, "the first was passed on after midnight as well"
    assert counts["siak_check"].left_today == 0


# --- the cost ---


@pytest.mark.both
def test_the_statements_do_not_grow_with_the_rows(
    cases: list[Complaint], make_case: CaseMaker, load: Any, sql_count: Any, session: Session
) -> None:
    session.expire_all()
    load("operator")

    def statements() -> int:
        session.commit()
        session.expunge_all()
        with sql_count() as seen:
            load("operator")
        return len([sql for sql in seen if "ab_" not in sql.split("FROM")[-1].split()[0]])

    few = statements()
    for _ in range(4):
        make_case("siak_check", at=before(hours=6), files=False, checked=False)
    assert statements() == few <= 5


def test_no_row_is_looked_for_without_an_index(session: Session) -> None:
    plan = session.execute(
        text(
            "EXPLAIN QUERY PLAN SELECT step_run.id FROM step_run"
            " JOIN complaint ON complaint.id = step_run.complaint_id"
            " WHERE step_run.finished_at IS NULL AND step_run.step_key IN ('siak_check', 'printing')"
            " ORDER BY step_run.entered_at LIMIT 50"
        )
    )
    steps = " ".join(row[3] for row in plan)
    assert "SEARCH step_run USING" in steps
    assert "SCAN" not in steps
