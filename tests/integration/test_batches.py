"""One action on several cases: each stands or falls alone, and the time is shared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.actor import Actor
from app.services.batch import MAX_BATCH, apply_batch
from app.services.transitions import Office, start_work
from app.sop.errors import NotAllowedError, RefusedError
from tests.support.cases import CaseMaker

ActorOf = Callable[[str], Actor]
MONDAY = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


def ready_to_sign(make_case: CaseMaker, signed: bool = True) -> Complaint:
    """A case that came to the signature before Monday 08:00."""
    case = make_case("signing", at=MONDAY - timedelta(days=3))
    if signed:
        make_case.record_facts(case, "sign")
    make_case.session.commit()
    return case


@pytest.fixture
def sign(session: Session, office: Office, actor: ActorOf) -> Callable[..., tuple[list, dict]]:
    """Sign several cases at once, Monday 08:00 to 08:10; what went through, and why not."""

    def run(*cases: Complaint, opened: float = 0, now: float = 10, **versions: int) -> tuple:
        seen: dict[int, int | None] = {case.id: case.version for case in cases}
        seen |= {int(name.removeprefix("case_")): version for name, version in versions.items()}
        result = apply_batch(
            session,
            office,
            seen,
            "sign",
            actor("kepala"),
            now=after(now),
            opened_at=after(opened),
        )
        session.commit()
        return result.done, {number: error.code for number, error in result.refused}

    return run


@pytest.mark.both
def test_a_mixed_batch_does_what_it_can_and_says_why_not(
    make_case: CaseMaker, session: Session, sign: Callable[..., tuple[list, dict]]
) -> None:
    good, unsigned = ready_to_sign(make_case), ready_to_sign(make_case, signed=False)
    elsewhere, stale = make_case("printing"), ready_to_sign(make_case)
    also_good = ready_to_sign(make_case)
    done, refused = sign(
        good, unsigned, elsewhere, also_good, **{f"case_{stale.id}": stale.version - 1}
    )
    assert done == [good.number, also_good.number]
    assert refused == {
        unsigned.number: "guard_failed",
        elsewhere.number: "moved_by_other",
        stale.number: "moved_by_other",
    }
    assert [case.step_key for case in (good, unsigned, elsewhere, stale, also_good)] == [
        "printing",
        "signing",
        "printing",
        "signing",
        "printing",
    ]
    assert unsigned.runs[-1].finished_at is None


@pytest.mark.both
def test_a_batch_shares_its_time_among_its_cases(
    make_case: CaseMaker, sign: Callable[..., tuple[list, dict]]
) -> None:
    cases = [ready_to_sign(make_case) for _ in range(3)]
    sign(*cases, now=100 / 60)
    runs = [next(run for run in case.runs if run.step_key == "signing") for case in cases]
    assert sorted(run.work_seconds for run in runs) == [33, 33, 34]
    assert {run.batch_size for run in runs} == {3}


def test_work_done_before_the_batch_is_added(
    make_case: CaseMaker,
    session: Session,
    office: Office,
    actor: ActorOf,
    sign: Callable[..., tuple[list, dict]],
) -> None:
    begun, other = ready_to_sign(make_case), ready_to_sign(make_case)
    start_work(session, office.sop, begun, actor("kepala"), now=after(0))
    session.commit()
    sign(begun, other, opened=5, now=9)
    works = [next(r for r in case.runs if r.step_key == "signing") for case in (begun, other)]
    assert [run.work_seconds for run in works] == [5 * 60 + 2 * 60, 2 * 60]


def test_cases_one_may_not_know_of_are_not_among_them(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    hidden = make_case("signing", hide_identity=True)
    make_case.record_facts(hidden, "sign")
    session.commit()
    whole = actor("kepala")
    blind = Actor(whole.id, whole.name, whole.permissions - {("see_confidential", "Complaint")})
    result = apply_batch(
        session,
        office,
        {hidden.id: hidden.version, 99999: 1},
        "sign",
        blind,
        now=after(1),
        opened_at=after(0),
    )
    assert (result.done, result.refused) == ([], [])
    assert hidden.step_key == "signing"


@pytest.mark.parametrize("officer", ["petugas", "operator", "subkoordinator", "kabid", "admin"])
def test_a_batch_asks_for_the_transition_s_permission(
    session: Session, office: Office, actor: ActorOf, officer: str
) -> None:
    with pytest.raises(NotAllowedError):
        apply_batch(session, office, {1: 1}, "sign", actor(officer), now=MONDAY, opened_at=MONDAY)


@pytest.mark.parametrize(
    ("key", "officer", "many", "code"),
    [
        pytest.param("siak_match", "operator", 1, "not_a_batch_action", id="needs its form"),
        pytest.param("sign", "kepala", MAX_BATCH + 1, "batch_too_large", id="too many at once"),
    ],
)
def test_what_no_batch_does(
    session: Session, office: Office, actor: ActorOf, key: str, officer: str, many: int, code: str
) -> None:
    versions: dict[int, int | None] = dict.fromkeys(range(1, many + 1), 1)
    with pytest.raises(RefusedError) as caught:
        apply_batch(session, office, versions, key, actor(officer), now=MONDAY, opened_at=MONDAY)
    assert caught.value.code == code
