"""Standing still: one case, or every case of a step with one click."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.models import Complaint, StepRun
from app.services.actor import Actor
from app.services.clocks import Clocks, open_clocks
from app.services.pausing import (
    end_pause,
    open_pause,
    open_step_pause,
    pause_run,
    pause_step,
)
from app.services.transitions import Office, open_run, start_work
from app.sop.errors import NotAllowedError, RefusedError
from tests.support.cases import CaseMaker

ActorOf = Callable[[str], Actor]
MONDAY = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


@pytest.fixture
def case(make_case: CaseMaker) -> Complaint:
    """At the SIAK check since Monday 08:00."""
    made = make_case(at=MONDAY - timedelta(minutes=20))
    make_case.set_next(made, MONDAY)
    make_case.move(made, "verify_file")
    make_case.record_facts(made, "siak_match")
    make_case.session.commit()
    return made


@pytest.fixture
def run(session: Session, case: Complaint) -> StepRun:
    found = open_run(session, case)
    assert found is not None
    return found


@pytest.mark.both
def test_a_pause_counts_neither_as_wait_nor_as_work(
    make_case: CaseMaker,
    session: Session,
    office: Office,
    actor: ActorOf,
    case: Complaint,
    run: StepRun,
) -> None:
    operator = actor("operator")
    waiting = pause_run(session, office.sop, run, operator, "siak_down", now=after(5))
    end_pause(session, waiting, operator, now=after(15))
    start_work(session, office.sop, case, operator, now=after(20))
    working = pause_run(session, office.sop, run, operator, "waiting_applicant", now=after(22))
    end_pause(session, working, operator, now=after(29))
    make_case.set_next(case, after(32))
    make_case.move(case, "siak_match")
    session.commit()
    assert (run.wait_seconds, run.work_seconds) == (10 * 60, 5 * 60)


@pytest.mark.both
def test_a_pause_of_a_step_covers_who_stands_in_it_and_who_arrives(
    make_case: CaseMaker,
    session: Session,
    office: Office,
    actor: ActorOf,
    case: Complaint,
    run: StepRun,
) -> None:
    operator = actor("operator")
    pause = pause_step(session, office.sop, "siak_check", operator, "siak_down", now=after(10))
    late = make_case(at=MONDAY - timedelta(minutes=20))
    make_case.set_next(late, after(20))
    make_case.move(late, "verify_file")
    session.commit()
    late_run = open_run(session, late)
    assert late_run is not None

    clocks = open_clocks(session, office.calendar, [run, late_run], after(30))
    assert clocks == {run.id: (Clocks(600, 0), True), late_run.id: (Clocks(0, 0), True)}
    end_pause(session, pause, operator, now=after(40))
    session.commit()
    clocks = open_clocks(session, office.calendar, [run, late_run], after(45))
    assert clocks == {run.id: (Clocks(900, 0), False), late_run.id: (Clocks(300, 0), False)}


def test_a_case_that_moves_on_stands_still_no_longer(
    make_case: CaseMaker,
    session: Session,
    office: Office,
    actor: ActorOf,
    case: Complaint,
    run: StepRun,
) -> None:
    operator = actor("operator")
    start_work(session, office.sop, case, operator, now=after(0))
    pause = pause_run(session, office.sop, run, operator, "siak_down", now=after(5))
    make_case.set_next(case, after(30))
    make_case.move(case, "siak_match")
    session.commit()
    assert (pause.to_at, pause.ended_by_id) == (after(30), operator.id)
    assert run.work_seconds == 5 * 60


def test_ending_a_pause_twice_changes_nothing(
    session: Session, office: Office, actor: ActorOf, run: StepRun
) -> None:
    operator = actor("operator")
    pause = pause_run(session, office.sop, run, operator, "other", now=after(5))
    end_pause(session, pause, operator, now=after(10))
    end_pause(session, pause, actor("operator2"), now=after(20))
    assert (pause.to_at, pause.ended_by_id) == (after(10), operator.id)
    assert open_pause(session, run) is None


def test_what_a_pause_refuses(
    session: Session, office: Office, actor: ActorOf, run: StepRun
) -> None:
    sop, operator = office.sop, actor("operator")

    def code_of(attempt: Callable[[], object]) -> str:
        with pytest.raises(RefusedError) as caught:
            attempt()
        return caught.value.code

    now = after(1)
    assert code_of(lambda: pause_run(session, sop, run, operator, "tea", now=now)) == (
        "pause_reason_unknown"
    )
    assert code_of(lambda: pause_step(session, sop, "siak_check", operator, "tea", now=now)) == (
        "pause_reason_unknown"
    )
    pause_run(session, sop, run, operator, "other", now=now)
    assert code_of(lambda: pause_run(session, sop, run, operator, "other", now=now)) == (
        "paused_already"
    )
    pause_step(session, sop, "siak_check", operator, "siak_down", now=now)
    assert code_of(
        lambda: pause_step(session, sop, "siak_check", operator, "siak_down", now=now)
    ) == ("paused_already")
    petugas = actor("petugas")
    assert code_of(lambda: pause_step(session, sop, "returned", petugas, "other", now=now)) == (
        "pause_without_clock"
    )


def test_a_closed_run_is_not_paused(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf, case: Complaint
) -> None:
    with pytest.raises(RefusedError) as caught:
        pause_run(session, office.sop, case.runs[0], actor("petugas"), "other", now=after(1))
    assert caught.value.code == "pause_of_closed_run"


@pytest.mark.parametrize("officer", ["kepala", "kabid", "admin"])
def test_who_may_not_pause(
    session: Session, office: Office, actor: ActorOf, run: StepRun, officer: str
) -> None:
    with pytest.raises(NotAllowedError):
        pause_run(session, office.sop, run, actor(officer), "other", now=after(1))


def test_nobody_stops_a_case_that_is_not_his(
    session: Session, office: Office, actor: ActorOf, run: StepRun
) -> None:
    for other in ("petugas", "subkoordinator"):
        with pytest.raises(NotAllowedError):
            pause_run(session, office.sop, run, actor(other), "other", now=after(1))


def test_nobody_stops_a_step_that_is_not_his(
    session: Session, office: Office, actor: ActorOf
) -> None:
    with pytest.raises(NotAllowedError):
        pause_step(session, office.sop, "siak_check", actor("petugas"), "other", now=after(1))
    assert open_step_pause(session, "siak_check") is None
