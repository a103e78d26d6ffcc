"""The two clocks of a step: when waiting ends, when work begins, and whose work it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.models import Complaint, StepRun
from app.services.actor import Actor
from app.services.complaints import Registration, register_complaint
from app.services.transitions import Handling, Office, apply_transition, open_run, start_work
from app.sop.errors import NotAllowedError, WrongStepError
from tests.support.cases import CaseMaker
from tests.support.moments import MONDAY, after

ActorOf = Callable[[str], Actor]


def seconds(run: StepRun) -> tuple[int | None, int | None]:
    return run.wait_seconds, run.work_seconds


def at_siak(make_case: CaseMaker, arrived: datetime) -> Complaint:
    """A case that came to the SIAK check at a moment."""
    case = make_case(at=arrived - timedelta(hours=1))
    make_case.set_next(case, arrived)
    make_case.move(case, "verify_file")
    make_case.record_facts(case, "siak_match")
    make_case.session.commit()
    assert case.step_since == arrived
    return case


@pytest.mark.both
def test_wait_ends_when_work_starts_and_both_freeze_at_the_end(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    case, operator = at_siak(make_case, MONDAY), actor("operator")
    start_work(session, office.sop, case, operator, now=after(minutes=30))
    assert case.assignee_id == operator.id
    apply_transition(session, office, case, "siak_match", operator, now=after(minutes=52))
    session.commit()
    run = case.runs[1]
    assert seconds(run) == (30 * 60, 22 * 60)
    assert (run.started_by_id, run.finished_by_id) == (operator.id, operator.id)
    assert case.assignee_id is None


@pytest.mark.parametrize(
    ("arrived", "started", "finished", "wait", "work"),
    [
        pytest.param(
            after(hours=3, minutes=30), after(hours=5), after(hours=5, minutes=10), 1800, 600,
            id="lunch is no waiting",
        ),
        pytest.param(
            after(hours=7, minutes=30), after(days=1), after(days=1, minutes=5), 3600, 300,
            id="a night is no waiting",
        ),
        pytest.param(
            after(days=4, hours=8), after(days=7), after(days=7, minutes=5), 3600, 300,
            id="a weekend is no waiting",
        ),
        pytest.param(
            after(hours=11), after(hours=11, minutes=20), after(hours=11, minutes=50), 1200, 1800,
            id="overtime of one evening counts",
        ),
    ],
)  # fmt: skip
def test_minutes_are_office_minutes(
    make_case: CaseMaker,
    session: Session,
    office: Office,
    actor: ActorOf,
    arrived: datetime,
    started: datetime,
    finished: datetime,
    wait: int,
    work: int,
) -> None:
    case = at_siak(make_case, arrived)
    start_work(session, office.sop, case, actor("operator"), now=started)
    apply_transition(session, office, case, "siak_match", actor("operator"), now=finished)
    assert seconds(case.runs[1]) == (wait, work)


def test_starting_twice_changes_nothing(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    case, operator = at_siak(make_case, MONDAY), actor("operator")
    start_work(session, office.sop, case, operator, now=after(minutes=5))
    session.commit()
    version = case.version
    start_work(session, office.sop, case, operator, now=after(minutes=9))
    session.commit()
    assert (case.version, case.runs[1].started_at) == (version, after(minutes=5))


def test_a_colleague_s_case_is_taken_over_only_on_purpose(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    case = at_siak(make_case, MONDAY)
    start_work(session, office.sop, case, actor("operator"), now=after(minutes=5))
    session.commit()
    with pytest.raises(WrongStepError) as caught:
        start_work(session, office.sop, case, actor("operator2"), now=after(minutes=6))
    assert (caught.value.code, caught.value.params["who"]) == ("held_by_other", "Agus Prasetyo")
    assert caught.value.params["at"] == after(minutes=5)
    session.rollback()
    start_work(session, office.sop, case, actor("operator2"), now=after(minutes=7), take_over=True)
    session.commit()
    assert case.assignee_id == actor("operator2").id
    assert case.runs[1].started_at == after(minutes=5)


def test_nobody_starts_a_step_that_is_not_his(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    case = at_siak(make_case, MONDAY)
    for other in ("petugas", "subkoordinator", "kepala", "kabid", "admin"):
        with pytest.raises(NotAllowedError):
            start_work(session, office.sop, case, actor(other), now=after(minutes=5))


def test_work_without_starting_runs_from_the_opened_page(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    case = at_siak(make_case, MONDAY)
    apply_transition(
        session,
        office,
        case,
        "siak_match",
        actor("operator"),
        now=after(minutes=20),
        handling=Handling(opened_at=after(minutes=16)),
    )
    assert seconds(case.runs[1]) == (16 * 60, 4 * 60)


def test_registering_runs_from_the_opened_form(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    data = make_case.data(received_at=MONDAY - timedelta(days=3))
    registration = Registration(data, opened_at=MONDAY)
    case = register_complaint(session, office, registration, actor("petugas"), now=after(minutes=4))
    run = open_run(session, case)
    assert run is not None
    assert (run.entered_at, run.started_at) == (MONDAY, MONDAY)
    assert case.assignee_id == actor("petugas").id
