"""What always holds of a case, whatever way it goes: the design's invariants and its rounds."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, SopStep, StepRun
from app.services.actor import Actor
from app.services.complaints import CheckInput, save_checks
from app.services.facts import case_facts, current_checks, current_outputs
from app.services.guarding import DirectMoveError
from app.services.transitions import Office, open_run
from app.sop.errors import RefusedError
from app.sop.guards import problems_of
from tests.support.cases import CaseMaker
from tests.support.moments import MONDAY

ActorOf = Callable[[str], Actor]


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
            facts = case_facts(make_case.session, case, signatory_in_office=True)
            if not problems_of(move.guards, facts):
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
