"""The roll-up after anything officers do equals the one counted again from all rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models import Category, Channel, Complaint, Dispatch, Region, StatCell, StepRun
from app.services.actor import Actor
from app.services.batch import apply_batch
from app.services.casework import SiakResult
from app.services.complaints import ComplaintData, edit_complaint
from app.services.dispatching import set_status
from app.services.pausing import end_pause, pause_run
from app.services.statistics import Scope, check, read, rebuild
from app.services.statistics.facts import SIAK_DATA
from app.services.transitions import Office, open_run, start_work
from app.sop.errors import SopError
from app.views.forms.work_siak import DATA
from tests.support.cases import CaseMaker

ALWAYS: dict[str, Any] = {"first": date(2020, 1, 1), "last": date(2030, 1, 1)}


def everything(session: Session, series: str) -> dict[str, dict[str, int]]:
    """The numbers of a series for all time."""
    return read(session, series, Scope(**ALWAYS))


def all_cells(session: Session) -> dict[Any, dict[str, int]]:
    """Every cell without the zeros that a correction leaves."""
    found = {}
    for cell in session.scalars(select(StatCell).execution_options(populate_existing=True)):
        counts = {name: number for name, number in cell.counts.items() if number}
        if counts:
            key = (cell.series, cell.dim, cell.value, cell.grain, cell.start, cell.item)
            found[key] = counts
    return found


def test_the_form_of_the_siak_check_and_the_numbers_know_the_same_words() -> None:
    assert {key for key, _label in DATA} == SIAK_DATA


@pytest.mark.both
def test_a_case_counts_in_each_step_it_finished(session: Session, make_case: CaseMaker) -> None:
    make_case("done")
    runs = everything(session, "run")
    assert {step: counts["n"] for step, counts in runs.items()} == dict.fromkeys(
        ("intake", "siak_check", "certification", "signing", "printing", "dispatch"), 1
    )
    assert runs["siak_check"]["judged"] == runs["siak_check"]["s15"] == 1
    assert everything(session, "ended") == {"done": {"n": 1, "r1": 1}}
    assert everything(session, "due") == {
        item: {"n": 1, "met": 1} for item in ("completeness", "decision", "class")
    }
    assert sum(counts["n"] for counts in everything(session, "parcel").values()) == 1
    assert everything(session, "arrival")[""]["n"] == 1
    assert list(check(session)) == []


@pytest.mark.both
def test_nothing_is_counted_when_the_transaction_is_rolled_back(
    session: Session, make_case: CaseMaker
) -> None:
    case = make_case("siak_check")
    before = all_cells(session)
    make_case.record_facts(case, "siak_match")
    make_case.move(case, "siak_match")
    session.rollback()
    session.commit()
    assert all_cells(session) == before


@pytest.mark.both
def test_a_refused_case_of_a_batch_is_not_counted(
    session: Session, make_case: CaseMaker, office: Office, actor: Callable[[str], Actor]
) -> None:
    """Its savepoint is rolled back, and so is what it would have added."""
    good, bad = make_case("certification"), make_case("certification")
    make_case.record_facts(good, "submit_certification")
    session.commit()
    now = datetime.now(UTC)
    result = apply_batch(
        session,
        office,
        {case.id: case.version for case in (good, bad)},
        "submit_certification",
        actor("subkoordinator"),
        now=now,
        opened_at=now - timedelta(minutes=4),
    )
    session.commit()
    assert (result.done, len(result.refused)) == ([good.number], 1)
    assert everything(session, "run")["certification"]["n"] == 1
    assert list(check(session)) == []


@pytest.mark.both
def test_a_return_counts_what_failed_and_what_differs_without_free_words(
    session: Session, make_case: CaseMaker, office: Office
) -> None:
    returned = make_case("returned")
    case = make_case("siak_check")
    make_case._siak(case, SiakResult("mismatch", differences=("nama", "Nama ibu saya Fulanah")))
    make_case.move(case, "siak_mismatch")
    session.commit()
    found = everything(session, "return")
    assert found["siak_mismatch"] == {"n": 1, "dnama": 1, "dother": 1}
    failed = {key for key in found["request_completion"] if key.startswith("i")}
    assert len(failed) == 1
    assert failed.pop().endswith(":unreadable")
    assert returned.told_at is not None
    assert "Fulanah" not in str(all_cells(session))
    assert list(check(session)) == []


@pytest.mark.both
def test_a_reopened_case_is_no_end_any_more_and_its_dates_are_open(
    session: Session, make_case: CaseMaker
) -> None:
    case = make_case("done")
    make_case.move(case, "reopen")
    session.commit()
    assert everything(session, "ended") == {}
    due = everything(session, "due")
    assert due["completeness"] == {"n": 1, "met": 1}
    assert due["decision"] == due["class"] == {"n": 1}
    assert list(check(session)) == []


@pytest.mark.both
def test_a_corrected_case_takes_its_past_along(
    session: Session, make_case: CaseMaker, office: Office, actor: Callable[[str], Actor]
) -> None:
    case = make_case("certification")
    channel = session.scalars(select(Channel.id).where(Channel.id != case.channel_id)).first()
    old = Scope(**ALWAYS, channel_id=case.channel_id)
    new = Scope(**ALWAYS, channel_id=channel)
    assert read(session, "run", old)["intake"]["n"] == 1
    data = _data_of(case, channel_id=channel, received_at=case.received_at - timedelta(days=40))
    edit_complaint(
        session, office, case, data, actor("petugas"), now=datetime.now(UTC),
        expected_version=case.version,
    )  # fmt: skip
    session.commit()
    assert read(session, "run", old) == read(session, "arrival", old) == {}
    assert {step: c["n"] for step, c in read(session, "run", new).items()} == {
        "intake": 1,
        "siak_check": 1,
    }
    assert list(check(session)) == []


def _data_of(case: Complaint, **changes: Any) -> ComplaintData:
    values = {name: getattr(case, name) for name in ComplaintData.__dataclass_fields__}
    return ComplaintData(**{**values, **changes})


@pytest.mark.both
def test_a_parcel_that_comes_back_after_all_was_not_delivered(
    session: Session, make_case: CaseMaker, actor: Callable[[str], Actor]
) -> None:
    case = make_case("done")
    parcel = session.scalars(select(Dispatch).where(Dispatch.complaint_id == case.id)).one()
    now = datetime.now(UTC)
    set_status(
        session, parcel, "delivered", actor("petugas"), now=now, expected_version=1,
        received_by="Pemohon",
    )  # fmt: skip
    session.commit()
    (item,) = everything(session, "delivery")
    assert everything(session, "delivery")[item]["n"] == 1
    set_status(
        session, parcel, "returned", actor("petugas"), now=now, expected_version=2,
        return_reason="Alamat tidak ditemukan",
    )  # fmt: skip
    session.commit()
    assert everything(session, "delivery") == {}
    assert everything(session, "parcel")[item] == {"n": 1, "returned": 1}
    assert list(check(session)) == []


@pytest.mark.both
@pytest.mark.parametrize("seed", range(3))
def test_after_a_random_walk_the_kept_numbers_equal_the_counted_ones(
    seed: int,
    session: Session,
    make_case: CaseMaker,
    office: Office,
    actor: Callable[[str], Actor],
) -> None:
    """Transitions, pauses, returns, corrections, reopenings, refusals, in any order."""
    random = Random(seed)
    channels = session.scalars(select(Channel.id)).all()
    categories = session.scalars(select(Category.code)).all()
    places = session.scalars(select(Region.code).where(Region.kind == "kecamatan")).all()
    begin = make_case.start
    cases = []
    for _ in range(6):
        at = begin - timedelta(hours=random.randrange(24 * 70))
        cases.append(
            make_case(
                "intake", at=at, files=False, category=random.choice(categories),
                channel_id=random.choice(channels),
                kecamatan_code=random.choice([None, *places[:3]]),
            )
        )  # fmt: skip
    done = 0
    for _ in range(90):
        case = random.choice(cases)
        try:
            done += _one_thing(random, session, make_case, office, actor, case, channels)
            (session.commit if random.random() < 0.9 else session.rollback)()
        except SopError:
            session.rollback()
    session.commit()
    assert done > 30
    assert list(check(session)) == []
    kept = all_cells(session)
    rebuild(session)
    session.commit()
    assert all_cells(session) == kept


def _one_thing(
    random: Random,
    session: Session,
    make_case: CaseMaker,
    office: Office,
    actor: Callable[[str], Actor],
    case: Complaint,
    channels: Any,
) -> int:
    """One thing that an officer may do to a case now; 1 when it is a move."""
    session.refresh(case)
    make_case.set_next(case, make_case.now(case) + timedelta(minutes=random.randrange(600)))
    run = open_run(session, case)
    what = random.random()
    if what < 0.1 and office.sop.step(case.step_key).kind != "end":
        data = _data_of(case, channel_id=random.choice(channels))
        edit_complaint(
            session, office, case, data, actor("petugas"), now=make_case.now(case),
            expected_version=case.version,
        )  # fmt: skip
        return 0
    if what < 0.2 and run is not None:
        lane = {"petugas_pengaduan": "petugas", "operator": "operator"}.get(
            office.sop.step(case.step_key).actor
        )
        if lane:
            pause = pause_run(
                session, office.sop, run, actor(lane), "siak_down", now=make_case.now(case)
            )
            if random.random() < 0.7:
                end_pause(session, pause, actor(lane), now=make_case.now(case))
        return 0
    if what < 0.3 and run is not None and office.sop.step(case.step_key).actor == "operator":
        start_work(session, office.sop, case, actor("operator"), now=make_case.now(case))
        return 0
    move = random.choice(office.sop.step(case.step_key).transitions or [None])
    if move is None:
        return 0
    make_case.record_facts(case, move.key)
    make_case.move(case, move.key)
    return 1


@pytest.mark.both
def test_a_cell_that_was_changed_is_found(session: Session, make_case: CaseMaker) -> None:
    make_case("siak_check")
    cell = session.scalars(
        select(StatCell).where(
            StatCell.series == "run", StatCell.grain == "day", StatCell.dim == ""
        )
    ).one()
    cell.counts = {**cell.counts, "n": 7}
    session.commit()
    (day, month, week) = sorted(check(session), key=lambda found: found.key.grain)
    assert (day.kept["n"], day.counted["n"]) == (7, 1)
    # The week and the month are compared with the days that they are made of.
    assert (week.kept["n"], week.counted["n"]) == (month.kept["n"], month.counted["n"]) == (1, 7)
    session.execute(delete(StatCell).where(StatCell.series == "run"))
    session.commit()
    assert {found.key.series for found in check(session)} == {"run"}
    rebuild(session)
    session.commit()
    assert list(check(session)) == []


def test_runs_of_the_rows_are_what_is_counted(session: Session, make_case: CaseMaker) -> None:
    """The fixture's own proof that something was counted at all."""
    make_case("done")
    finished = session.scalars(select(StepRun).where(StepRun.finished_at.is_not(None))).all()
    assert sum(c["n"] for c in everything(session, "run").values()) == len(finished) == 6
