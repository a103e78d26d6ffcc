"""`flask verify` finds each thing that must never be, and nothing in an office that is well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, NumberSeries, StatCell, StepRun
from app.services.storage import Store
from app.services.verifying import verify
from tests.support.cases import PATHS, CaseMaker

Tamper = Callable[[Session, Store, Complaint], None]


@pytest.mark.both
def test_an_office_that_is_well_has_no_fault(
    app: Flask, session: Session, make_case: CaseMaker, store: Store
) -> None:
    for step in PATHS:
        make_case(step)
    again = make_case("returned")
    make_case.move(again, "resubmit")
    session.commit()
    assert list(verify(session, store)) == []
    session.commit()
    result = app.test_cli_runner().invoke(args=["verify"])
    assert (result.exit_code, result.output) == (0, "Nothing is lost and nothing half done.\n")


def _second_clock(session: Session, store: Store, case: Complaint) -> None:
    session.execute(update(Complaint).where(Complaint.id == case.id).values(step_key="done"))


def _no_clock(session: Session, store: Store, case: Complaint) -> None:
    session.execute(
        delete(StepRun).where(StepRun.complaint_id == case.id, StepRun.finished_at.is_(None))
    )


def _foreign_clock(session: Session, store: Store, case: Complaint) -> None:
    session.execute(
        update(StepRun)
        .where(StepRun.complaint_id == case.id, StepRun.finished_at.is_(None))
        .values(step_key="intake")
    )


def _held_unbegun(session: Session, store: Store, case: Complaint) -> None:
    session.execute(
        update(Complaint).where(Complaint.id == case.id).values(assignee_id=case.registered_by_id)
    )
    session.execute(
        update(StepRun)
        .where(StepRun.complaint_id == case.id, StepRun.finished_at.is_(None))
        .values(started_at=None)
    )


def _longer_there(session: Session, store: Store, case: Complaint) -> None:
    since = case.step_since - timedelta(hours=1)
    session.execute(update(Complaint).where(Complaint.id == case.id).values(step_since=since))


def _open_end(session: Session, store: Store, case: Complaint) -> None:
    session.execute(
        update(Complaint).where(Complaint.id == case.id).values(closed_at=case.received_at)
    )


def _half_run(session: Session, store: Store, case: Complaint) -> None:
    session.execute(
        update(StepRun)
        .where(StepRun.complaint_id == case.id, StepRun.step_key == "intake")
        .values(work_seconds=None)
    )


def _backwards(session: Session, store: Store, case: Complaint) -> None:
    run = next(run for run in case.runs if run.finished_at is not None)
    session.execute(
        update(StepRun)
        .where(StepRun.id == run.id)
        .values(started_at=run.entered_at - timedelta(minutes=1))
    )


def _lost_move(session: Session, store: Store, case: Complaint) -> None:
    last = [event for event in case.events if event.kind == "moved"][-1]
    session.execute(delete(CaseEvent).where(CaseEvent.id == last.id))


def _changed_move(session: Session, store: Store, case: Complaint) -> None:
    last = [event for event in case.events if event.kind == "moved"][-1]
    session.execute(update(CaseEvent).where(CaseEvent.id == last.id).values(from_step="printing"))


def _gap(session: Session, store: Store, case: Complaint) -> None:
    session.execute(update(NumberSeries).values(last=NumberSeries.last + 1))


def _cells(session: Session, store: Store, case: Complaint) -> None:
    session.execute(delete(StatCell).where(StatCell.series == "arrival"))


def _lost_file(session: Session, store: Store, case: Complaint) -> None:
    store.delete(case.documents[0].storage_key)


def _other_file(session: Session, store: Store, case: Complaint) -> None:
    key = case.documents[0].storage_key
    store.delete(key)
    store.put(key, b"another paper")


def _other_year(session: Session, store: Store, case: Complaint) -> None:
    session.execute(
        update(StepRun)
        .where(StepRun.complaint_id == case.id, StepRun.step_key == "intake")
        .values(case_year=StepRun.case_year - 1)
    )


@pytest.mark.both
@pytest.mark.parametrize(
    ("tamper", "rule"),
    [
        pytest.param(_second_clock, "clock", id="a case at its end whose clock runs"),
        pytest.param(_no_clock, "clock", id="a step without its clock"),
        pytest.param(_foreign_clock, "clock", id="the clock of another step"),
        pytest.param(_held_unbegun, "holder", id="a case that is held and not begun"),
        pytest.param(_longer_there, "holder", id="a case that is longer there than its clock"),
        pytest.param(_open_end, "end", id="an end date before the end"),
        pytest.param(_half_run, "run", id="a closed run without its clock"),
        pytest.param(_backwards, "run", id="a start before the entry"),
        pytest.param(_other_year, "year", id="a run under another year than its case"),
        pytest.param(_lost_move, "walk", id="a move that the history lost"),
        pytest.param(_changed_move, "walk", id="a move from where the case never was"),
        pytest.param(_gap, "number", id="a number that no case has"),
        pytest.param(_cells, "statistics", id="numbers that do not count every case"),
        pytest.param(_lost_file, "file", id="a file that is gone"),
        pytest.param(_other_file, "file", id="a file that was changed"),
    ],
)
def test_each_fault_is_found(
    tamper: Tamper, rule: str, app: Flask, session: Session, make_case: CaseMaker, store: Store
) -> None:
    case = make_case("certification")
    assert list(verify(session, store)) == []
    tamper(session, store, case)
    session.commit()
    found = list(verify(session, store))
    session.commit()
    assert rule in {fault.rule for fault in found}
    assert case.applicant_name not in str(found)
    result = app.test_cli_runner().invoke(args=["verify"])
    assert result.exit_code == 1
    assert f"{rule}: " in result.stderr
