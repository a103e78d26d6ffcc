"""What each transition refuses, as tables: a wrong step, a wrong role, no reason, a missing fact,
an old version. After every refusal the case is exactly as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, DocumentKind, PrintRun, StepRun
from app.services.actor import Actor
from app.services.casework import OutputInput, SiakResult, name_outputs, record_siak
from app.services.facts import current_outputs
from app.services.prints import record_print
from app.services.transitions import Office, apply_transition
from app.sop.errors import (
    GuardFailedError,
    NotAllowedError,
    NotFoundError,
    ReasonRequiredError,
    UnknownTransitionError,
    WrongStepError,
)
from tests.support.cases import CaseMaker
from tests.support.panel import ACTOR_OF, OFFICERS

ActorOf = Callable[[str], Actor]

#: step, transition, the officer it belongs to, where it leads, whether the SOP wants a reason.
MOVES = [
    ("intake", "verify_file", "petugas", "siak_check", False),
    ("intake", "request_completion", "petugas", "returned", False),
    ("siak_check", "siak_match", "operator", "certification", False),
    ("siak_check", "siak_mismatch", "operator", "returned", True),
    ("siak_check", "resolve_without_document", "operator", "resolved", False),
    ("certification", "submit_certification", "subkoordinator", "signing", False),
    ("certification", "submit_ktp_print", "subkoordinator", "signing", False),
    ("certification", "send_back_to_check", "subkoordinator", "siak_check", True),
    ("signing", "sign", "kepala", "printing", False),
    ("signing", "refuse_signature", "kepala", "certification", True),
    ("printing", "confirm_printed", "operator", "dispatch", False),
    ("dispatch", "send", "petugas", "done", False),
    ("returned", "resubmit", "petugas", "intake", False),
    ("returned", "withdraw", "petugas", "withdrawn", True),
    ("done", "reopen", "subkoordinator", "intake", True),
    ("resolved", "reopen", "subkoordinator", "intake", True),
]
STEPS = list(dict.fromkeys([*(move[0] for move in MOVES), "withdrawn"]))
IDS = [f"{move[0]} {move[1]}" for move in MOVES]
every_move = pytest.mark.parametrize(("step", "key", "officer", "target", "reason"), MOVES, ids=IDS)


def test_the_table_names_every_transition_of_the_sop(office: Office) -> None:
    assert [
        (move.source, move.key, ACTOR_OF[move.actor], move.target, move.reason)
        for move in office.sop.transitions
    ] == MOVES
    assert set(STEPS) == {step.key for step in office.sop.steps}


def ready(make_case: CaseMaker, step: str, key: str) -> Complaint:
    """A case of which nothing is missing for the transition."""
    allowed = {"resolve_without_document": "NIK_TIDAK_AKTIF"}
    case = make_case(step, category=allowed.get(key))
    make_case.record_facts(case, key)
    make_case.session.commit()
    return case


def state_of(session: Session, case: Complaint) -> tuple[Any, ...]:
    """Everything of a case that a transition writes."""
    session.rollback()
    runs = select(StepRun).where(StepRun.complaint_id == case.id).order_by(StepRun.id)
    events = select(CaseEvent.id).where(CaseEvent.complaint_id == case.id)
    return (
        case.step_key,
        case.version,
        case.round,
        case.assignee_id,
        case.closed_at,
        [(run.id, run.finished_at, run.work_seconds) for run in session.scalars(runs)],
        session.scalars(events.order_by(CaseEvent.id)).all(),
        session.scalars(select(PrintRun.id)).all(),
    )


@pytest.fixture
def refused(
    session: Session, office: Office, actor: ActorOf, make_case: CaseMaker
) -> Callable[..., Any]:
    """Try a transition that must be refused; nothing of the case may have changed."""

    def attempt(
        case: Complaint, key: str, officer: str, error: type[Exception], **more: Any
    ) -> Any:
        session.commit()
        before, now = state_of(session, case), make_case.now(case)
        with pytest.raises(error) as caught:
            apply_transition(session, office, case, key, actor(officer), now=now, **more)
        assert type(caught.value) is error
        assert state_of(session, case) == before
        return caught.value

    return attempt


@pytest.mark.both
@every_move
def test_with_everything_there_the_case_moves(
    make_case: CaseMaker,
    session: Session,
    step: str,
    key: str,
    officer: str,
    target: str,
    reason: bool,
) -> None:
    case = ready(make_case, step, key)
    version = case.version
    make_case.move(case, key, officer, "Karena uji" if reason else "")
    session.commit()
    assert (case.step_key, case.version) == (target, version + 1)
    event = case.events[-1]
    assert (event.transition, event.from_step, event.to_step) == (key, step, target)
    assert event.by_name == OFFICERS[officer].name
    assert event.reason == ("Karena uji" if reason else "")


@pytest.mark.parametrize("step", STEPS)
def test_only_the_transitions_of_its_step_move_a_case(
    make_case: CaseMaker, refused: Callable[..., Any], step: str
) -> None:
    case = make_case(step)
    here = {key for source, key, *_ in MOVES if source == step}
    for _, key, officer, _, _ in MOVES:
        if key not in here:
            refused(case, key, officer, WrongStepError, reason="Karena uji")


@every_move
def test_only_its_own_role_makes_a_transition(
    make_case: CaseMaker,
    refused: Callable[..., Any],
    step: str,
    key: str,
    officer: str,
    target: str,
    reason: bool,
) -> None:
    case = ready(make_case, step, key)
    for other in OFFICERS.values():
        if other.role != OFFICERS[officer].role:
            # Who may not even know of a confidential case is told less; this one is not.
            refused(case, key, other.key, NotAllowedError, reason="Karena uji")


@pytest.mark.parametrize(
    "reason",
    [
        pytest.param("", id="no reason"),
        pytest.param("  \t\n ", id="a blank reason is no reason"),
    ],
)
@pytest.mark.parametrize(
    ("step", "key", "officer"),
    [pytest.param(*move[:3], id=name) for move, name in zip(MOVES, IDS, strict=True) if move[4]],
)
def test_a_reason_is_given_where_the_sop_wants_one(
    make_case: CaseMaker,
    refused: Callable[..., Any],
    step: str,
    key: str,
    officer: str,
    reason: str,
) -> None:
    case = ready(make_case, step, key)
    refused(case, key, officer, ReasonRequiredError, reason=reason)


@pytest.mark.both
@every_move
def test_an_old_version_moves_nothing_and_names_who_was_first(
    make_case: CaseMaker,
    session: Session,
    refused: Callable[..., Any],
    step: str,
    key: str,
    officer: str,
    target: str,
    reason: bool,
) -> None:
    case = ready(make_case, step, key)
    error = refused(
        case, key, officer, WrongStepError, reason="Karena uji", expected_version=case.version - 1
    )
    moved = [event for event in case.events if event.kind == "moved"]
    if moved:
        assert (error.code, error.params["who"]) == ("moved_by_other", moved[-1].by_name)
        assert error.params["at"] == moved[-1].at


def test_a_transition_the_sop_does_not_have(
    make_case: CaseMaker, refused: Callable[..., Any]
) -> None:
    refused(make_case(), "jump_to_done", "petugas", UnknownTransitionError)


def test_a_confidential_case_is_not_there_for_who_may_not_see_it(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    case = make_case("siak_check", hide_identity=True)
    make_case.record_facts(case, "siak_match")
    whole = actor("operator")
    blind = Actor(whole.id, whole.name, whole.permissions - {("see_confidential", "Complaint")})
    with pytest.raises(NotFoundError):
        apply_transition(session, office, case, "siak_match", blind, now=make_case.now(case))


# --- a missing fact each -------------------------------------------------------------------------


def siak(result: SiakResult) -> Callable[[CaseMaker, Complaint], None]:
    def arrange(make_case: CaseMaker, case: Complaint) -> None:
        actor = make_case.actor("operator")
        now = make_case.now(case)
        record_siak(make_case.session, make_case.office, case, result, actor, now=now)

    return arrange


def paper(**states: str) -> Callable[[CaseMaker, Complaint], None]:
    return lambda make_case, case: make_case.check(case, **states)


def fact(**values: Any) -> Callable[[CaseMaker, Complaint], None]:
    def arrange(make_case: CaseMaker, case: Complaint) -> None:
        for name, value in values.items():
            setattr(case, name, value)

    return arrange


def outputs(*codes: str) -> Callable[[CaseMaker, Complaint], None]:
    def arrange(make_case: CaseMaker, case: Complaint) -> None:
        wanted = [OutputInput(make_case.id_of(DocumentKind, code)) for code in codes]
        actor = make_case.actor("subkoordinator")
        now = make_case.now(case)
        name_outputs(make_case.session, make_case.office, case, wanted, actor, now=now)

    return arrange


def one_paper_signed(make_case: CaseMaker, case: Complaint) -> None:
    outputs("kk_baru", "biodata_penduduk", "ktp_el")(make_case, case)
    first = current_outputs(make_case.session, case)[0]
    document = make_case.attach(case, "signed", "kepala", output_id=first.id)
    document.signature_state = "trusted"


def draft_attached(make_case: CaseMaker, case: Complaint) -> None:
    for output in current_outputs(make_case.session, case):
        make_case.attach(case, "draft", "kepala", output_id=output.id)


def last_print_spoiled(make_case: CaseMaker, case: Complaint) -> None:
    actor, session = make_case.actor("operator"), make_case.session
    first = current_outputs(session, case)[0]
    for result, again in (("good", ""), ("spoiled", "Diminta ulang")):
        record_print(
            session,
            case,
            first,
            result,
            actor,
            now=make_case.now(case),
            reason="Tinta habis",
            reprint_reason=again,
        )


def nothing(make_case: CaseMaker, case: Complaint) -> None:
    """Leave the case as it came into its step."""


GUARDED = [
    ("intake", "verify_file", paper(kk_asli="missing"), ["requirement_missing"]),
    ("intake", "verify_file", paper(ktp_asli="unreadable"), ["requirement_unreadable"]),
    ("intake", "verify_file", paper(ktp_asli="unchecked"), ["requirement_unchecked"]),
    (
        "intake",
        "verify_file",
        paper(kk_asli="missing", ktp_asli="unreadable"),
        ["requirement_missing", "requirement_unreadable"],
    ),
    ("intake", "verify_file", fact(address=" "), ["contact_missing"]),
    ("intake", "verify_file", fact(phone="", email=" "), ["phone_or_email_missing"]),
    ("intake", "request_completion", nothing, ["no_item_failed"]),
    ("siak_check", "siak_match", nothing, ["siak_not_recorded"]),
    (
        "siak_check",
        "siak_match",
        siak(SiakResult("mismatch", differences=("Nama",))),
        ["siak_is_mismatch", "draft_reference_missing"],
    ),
    (
        "siak_check",
        "siak_match",
        siak(SiakResult("match", draft_reference="  ")),
        ["draft_reference_missing"],
    ),
    ("siak_check", "siak_mismatch", nothing, ["siak_not_recorded"]),
    (
        "siak_check",
        "siak_mismatch",
        siak(SiakResult("match", draft_reference="D-1")),
        ["siak_is_match"],
    ),
    (
        "siak_check",
        "siak_mismatch",
        siak(SiakResult("mismatch", differences=(" ",))),
        ["differences_missing"],
    ),
    (
        "siak_check",
        "resolve_without_document",
        fact(answer="Sudah aktif."),
        ["category_needs_document"],
    ),
    (
        "siak_check",
        "resolve_without_document",
        nothing,
        ["category_needs_document", "answer_missing"],
    ),
    ("certification", "submit_certification", nothing, ["outputs_unnamed"]),
    ("certification", "submit_ktp_print", outputs("ktp_el"), ["has_ktp_already"]),
    ("signing", "sign", nothing, ["output_unsigned"]),
    ("signing", "sign", one_paper_signed, ["output_unsigned"]),
    ("signing", "sign", draft_attached, ["output_unsigned"]),
    ("signing", "sign", outputs(), ["outputs_unnamed"]),
    ("printing", "confirm_printed", last_print_spoiled, ["output_unprinted"]),
    ("dispatch", "send", nothing, ["dispatch_missing"]),
]


@pytest.mark.parametrize(
    ("step", "key", "arrange", "codes"),
    [
        pytest.param(*row, id=f"{row[1]}: {', '.join(row[3])} ({n})")
        for n, row in enumerate(GUARDED)
    ],
)
def test_a_missing_fact_is_named(
    make_case: CaseMaker,
    office: Office,
    refused: Callable[..., Any],
    step: str,
    key: str,
    arrange: Callable[[CaseMaker, Complaint], None],
    codes: list[str],
) -> None:
    case = make_case(step)
    arrange(make_case, case)
    officer = ACTOR_OF[office.sop.move(step, key).actor]
    error = refused(case, key, officer, GuardFailedError, reason="Karena uji")
    assert [problem.code for problem in error.problems] == codes


def test_every_guarded_transition_has_a_row(office: Office) -> None:
    guarded = {(move.source, move.key) for move in office.sop.transitions if move.guards}
    assert guarded == {(step, key) for step, key, *_ in GUARDED}


def test_a_siak_check_of_an_earlier_round_counts_no_more(
    make_case: CaseMaker, refused: Callable[..., Any]
) -> None:
    case = make_case(path=["verify_file", "siak_mismatch", "resubmit"])
    make_case.move(case, "verify_file")
    error = refused(case, "siak_mismatch", "operator", GuardFailedError, reason="Karena uji")
    assert [problem.code for problem in error.problems] == ["siak_not_recorded"]


def test_a_dispatch_of_an_earlier_round_counts_no_more(
    make_case: CaseMaker, refused: Callable[..., Any]
) -> None:
    case = make_case("done")
    make_case.move(case, "reopen")
    for key in ("verify_file", "siak_match", "submit_certification", "sign", "confirm_printed"):
        make_case.record_facts(case, key)
        make_case.move(case, key)
    error = refused(case, "send", "petugas", GuardFailedError)
    assert [problem.code for problem in error.problems] == ["dispatch_missing"]
