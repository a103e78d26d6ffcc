"""What always holds of a case, whatever way it goes: the design's invariants, rounds, clocks."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, NumberSeries, RequirementCheck, SopStep, StepRun
from app.services.actor import Actor
from app.services.complaints import CheckInput, Registration, register_complaint, save_checks
from app.services.facts import case_facts, current_checks, current_outputs
from app.services.guarding import DirectMoveError
from app.services.transitions import Handling, Office, apply_transition, open_run, start_work
from app.sop.errors import NotAllowedError, RefusedError, WrongStepError
from app.sop.guards import problems_of
from tests.support.cases import CaseMaker

ActorOf = Callable[[str], Actor]

#: A Monday morning without a holiday, 08:00 in the office.
MONDAY = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)


def after(**span: float) -> datetime:
    return MONDAY + timedelta(**span)


# --- any walk ------------------------------------------------------------------------------------


def assert_invariants(session: Session, office: Office, case: Complaint) -> None:
    """The design's invariants 1, 2 and 4, read from the tables."""
    step = office.sop.step(case.step_key)
    runs = session.scalars(
        select(StepRun).where(StepRun.complaint_id == case.id).order_by(StepRun.id)
    ).all()
    still_open = [run for run in runs if run.finished_at is None]
    assert len(still_open) == (1 if step.clock else 0)
    for run in still_open:
        assert (run.step_key, run.round) == (case.step_key, case.round)
        assert (run.wait_seconds, run.work_seconds, run.transition) == (None, None, None)
    for run in runs:
        if run.finished_at is not None:
            assert run.entered_at <= run.started_at <= run.finished_at
            assert run.wait_seconds >= 0
            assert run.work_seconds >= 0
            office.sop.move(run.step_key, run.transition)
    assert (case.closed_at is not None) == (step.kind == "end")
    moves = session.scalars(
        select(CaseEvent)
        .where(CaseEvent.complaint_id == case.id, CaseEvent.kind == "moved")
        .order_by(CaseEvent.id)
    ).all()
    here, version = office.sop.entry, 0
    for event in moves:
        assert event.from_step == here
        here = office.sop.move(here, event.transition).target
        assert event.to_step == here
        assert event.version > version
        version = event.version
    assert here == case.step_key
    left = [run.transition for run in runs if run.transition]
    assert left == [m.transition for m in moves if office.sop.step(m.from_step).clock]


def random_walk(
    make_case: CaseMaker, office: Office, case: Complaint, chance: random.Random, length: int
) -> int:
    """Make `length` moves that the SOP allows, and check the case after each; how many rounds."""
    for _ in range(length):
        options = list(office.sop.step(case.step_key).transitions)
        chance.shuffle(options)
        for move in options:
            make_case.record_facts(case, move.key)
            if not problems_of(move.guards, case_facts(make_case.session, case)):
                break
        else:
            break
        make_case.move(case, move.key)
        make_case.session.commit()
        assert_invariants(make_case.session, office, case)
    return case.round


@pytest.mark.both
@pytest.mark.parametrize("seed", range(4))
def test_any_walk_keeps_the_invariants(
    make_case: CaseMaker, session: Session, office: Office, seed: int
) -> None:
    case = make_case("certification", category="DATA_GANDA")
    random_walk(make_case, office, case, random.Random(seed), 16)


# --- nothing moves a case but the SOP ------------------------------------------------------------


def change_step(session: Session, case: Complaint) -> None:
    case.step_key = "done"


def change_since(session: Session, case: Complaint) -> None:
    case.step_since = MONDAY


def change_version(session: Session, case: Complaint) -> None:
    case.version += 1


def remove_case(session: Session, case: Complaint) -> None:
    session.delete(case)


def edit_closed_run(session: Session, case: Complaint) -> None:
    case.runs[0].work_seconds = 1


def reopen_closed_run(session: Session, case: Complaint) -> None:
    case.runs[0].finished_at = None


def move_finish_of_closed_run(session: Session, case: Complaint) -> None:
    case.runs[0].finished_at = MONDAY


def remove_open_run(session: Session, case: Complaint) -> None:
    session.delete(case.runs[-1])


def edit_history(session: Session, case: Complaint) -> None:
    case.events[0].by_name = "Orang lain"


def remove_history(session: Session, case: Complaint) -> None:
    session.delete(case.events[-1])


@pytest.mark.parametrize(
    "tamper",
    [
        change_step,
        change_since,
        change_version,
        remove_case,
        edit_closed_run,
        reopen_closed_run,
        move_finish_of_closed_run,
        remove_open_run,
        edit_history,
        remove_history,
    ],
    ids=lambda tamper: tamper.__name__,
)
def test_no_other_code_moves_a_case_or_rewrites_its_past(
    make_case: CaseMaker, session: Session, tamper: Callable[[Session, Complaint], None]
) -> None:
    case = make_case("siak_check")
    tamper(session, case)
    with pytest.raises(DirectMoveError):
        session.commit()
    session.rollback()
    assert (case.step_key, len(case.runs), len(case.events)) == ("siak_check", 2, 2)


def test_a_closed_run_keeps_its_standard(
    make_case: CaseMaker, session: Session, office: Office
) -> None:
    """A standard that is changed afterwards counts for runs that begin afterwards."""
    case = make_case()
    session.get_one(SopStep, "intake").standard_minutes = 99
    session.get_one(SopStep, "siak_check").standard_minutes = 77
    session.commit()
    make_case.move(case, "verify_file")
    session.commit()
    assert [run.standard_minutes for run in case.runs] == [10, 77]


# --- rounds --------------------------------------------------------------------------------------


def states(session: Session, case: Complaint) -> dict[str, tuple[str, bool]]:
    required = [item for item in current_checks(session, case) if item.required]
    return {item.kind.code: (item.state, item.reopened) for item in required}


def test_each_round_opens_only_what_failed(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    case = make_case()
    number = case.number
    # Both papers fail, then one of them again, then none.
    make_case.check(case, kk_asli="missing", ktp_asli="unreadable")
    make_case.move(case, "request_completion")
    make_case.move(case, "resubmit")
    opened = ("unchecked", True)
    assert states(session, case) == {"kk_asli": opened, "ktp_asli": opened}

    make_case.check(case, ktp_asli="missing")
    make_case.move(case, "request_completion")
    make_case.move(case, "resubmit")
    assert states(session, case) == {"kk_asli": ("present", False), "ktp_asli": opened}

    closed = next(item for item in current_checks(session, case) if item.kind.code == "kk_asli")
    session.commit()
    with pytest.raises(RefusedError) as caught:
        save_checks(
            session,
            office,
            case,
            [CheckInput(closed.kind_id, "missing")],
            actor("petugas"),
            now=make_case.now(case),
        )
    assert caught.value.code == "requirement_closed"
    session.rollback()

    make_case.check(case)
    make_case.move(case, "verify_file")
    assert (case.number, case.round, case.step_key) == (number, 3, "siak_check")


def test_a_mismatch_asks_again_for_named_papers(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    from app.services.casework import SiakResult, record_siak

    case = make_case("siak_check")
    kk = next(item for item in current_checks(session, case) if item.kind.code == "kk_asli")
    seen = SiakResult("mismatch", differences=("Nama",), ask_again=frozenset({kk.kind_id}))
    record_siak(session, office, case, seen, actor("operator"), now=make_case.now(case))
    make_case.move(case, "siak_mismatch")
    make_case.move(case, "resubmit")
    assert states(session, case) == {"kk_asli": ("unchecked", True), "ktp_asli": ("present", False)}


def test_a_round_is_repeated_any_number_of_times(make_case: CaseMaker, session: Session) -> None:
    case = make_case()
    for expected in range(2, 9):
        make_case.record_facts(case, "request_completion")
        make_case.move(case, "request_completion")
        make_case.move(case, "resubmit")
        assert case.round == expected
    assert len({run.id for run in case.runs if run.step_key == "intake"}) == 8


@pytest.mark.both
@pytest.mark.parametrize("end", ["done", "resolved"])
def test_a_finished_case_opens_again_and_names_its_papers_anew(
    make_case: CaseMaker, session: Session, office: Office, end: str
) -> None:
    case = make_case(end)
    assert case.closed_at is not None
    make_case.move(case, "reopen")
    session.commit()
    assert (case.step_key, case.round, case.closed_at, case.answer) == ("intake", 2, None, "")
    assert current_outputs(session, case) == []
    assert_invariants(session, office, case)
    make_case.move(case, "verify_file")
    make_case.record_facts(case, "siak_match")
    make_case.move(case, "siak_match")
    session.commit()
    assert_invariants(session, office, case)


def test_a_withdrawn_case_rests(make_case: CaseMaker, session: Session, office: Office) -> None:
    case = make_case("withdrawn")
    assert open_run(session, case) is None
    assert case.closed_at is not None
    assert office.sop.step("withdrawn").transitions == ()
    assert_invariants(session, office, case)


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.both
def test_numbers_run_without_gaps_even_after_a_registration_failed(
    make_case: CaseMaker, session: Session
) -> None:
    first = make_case(files=False)
    make_case.register(by="petugas")
    session.rollback()
    second = make_case(files=False)
    year = first.registered_at.astimezone(UTC).year
    assert [first.number, second.number] == [f"PGD-{year}-000001", f"PGD-{year}-000002"]


def test_the_year_of_a_number_turns_in_the_office_s_zone(
    make_case: CaseMaker, session: Session
) -> None:
    late = make_case(at=datetime(2025, 12, 31, 16, 59, tzinfo=UTC), files=False)
    early = make_case(at=datetime(2025, 12, 31, 17, 0, tzinfo=UTC), files=False)
    assert (late.number, early.number) == ("PGD-2025-000001", "PGD-2026-000001")
    assert {row.year: row.last for row in session.scalars(select(NumberSeries))} == {
        2025: 1,
        2026: 1,
    }


def test_a_complaint_is_not_received_in_the_future(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    data = make_case.data(received_at=after(seconds=1))
    session.commit()
    with pytest.raises(RefusedError) as caught:
        register_complaint(
            session, office, Registration(data, MONDAY), actor("petugas"), now=MONDAY
        )
    assert caught.value.code == "received_in_future"


@pytest.mark.parametrize("officer", ["operator", "subkoordinator", "kepala", "kabid", "admin"])
def test_only_the_complaints_officer_registers(
    make_case: CaseMaker, office: Office, session: Session, actor: ActorOf, officer: str
) -> None:
    registration = Registration(make_case.data(received_at=MONDAY), MONDAY)
    with pytest.raises(NotAllowedError):
        register_complaint(session, office, registration, actor(officer), now=MONDAY)


def test_a_category_brings_its_list_and_its_confidence(
    make_case: CaseMaker, session: Session
) -> None:
    levy = make_case(category="PUNGLI", checked=False, files=False)
    assert levy.confidential
    codes = {
        item.kind.code
        for item in session.scalars(
            select(RequirementCheck).where(RequirementCheck.complaint_id == levy.id)
        )
    }
    assert codes == {"kronologi", "bukti_pendukung"}


# --- the two clocks ------------------------------------------------------------------------------


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
