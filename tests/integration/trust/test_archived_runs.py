"""A year of step records in an archive: when it may go, and that what is left says the same as before."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from app.models import (
    ArchivedPause,
    ArchivedRun,
    ArchivedYear,
    AuditEvent,
    CaseEvent,
    Complaint,
    Pause,
    StatCell,
    StepRun,
)
from app.services.archive import archived_years, detach_runs
from app.services.casefile import CaseFile
from app.services.chart_cases import Question, load_page
from app.services.charts import pause_losses
from app.services.conformance import conformance
from app.services.eventlog import traces
from app.services.partitions import PartitionError, make_ahead, partitions
from app.services.pausing import pause_run
from app.services.retention import erase
from app.services.statistics import Scope, check, read, rebuild
from app.services.transitions import apply_transition, open_run
from app.services.verifying import verify
from app.sop.errors import RefusedError
from tests.integration.trust.test_audit_partitions import Archive
from tests.integration.trust.test_audit_proof import second_role  # noqa: F401
from tests.support.cases import CaseMaker
from tests.support.commands import run

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("backend", ["postgres"], indirect=True),
]
NOW = datetime.now(UTC)
OLD, LATER = NOW.year - 3, NOW.year - 2
PART = f"step_run_{OLD}"
NOTE = "Server SIAK mati, pemohon bernama Contoh menunggu."
PERIOD = Scope(date(OLD, 1, 1), date(OLD, 12, 31))


def day(year: int) -> datetime:
    return datetime(year, 3, 4, 3, tzinfo=UTC)


@pytest.fixture
def old(session: Session, make_case: CaseMaker, actor: Callable[[str], Any]) -> Complaint:
    """Four ended cases of an old year, one of them with a pause, one of the year after, one of now."""
    case = make_case("siak_check", at=day(OLD))
    at = make_case.now(case)
    pause_run(
        session, make_case.office.sop, open_run(session, case), actor("operator"),
        "siak_down", now=at, note=NOTE,
    )  # fmt: skip
    make_case.set_next(case, at + timedelta(hours=2))
    for key in ("siak_match", "submit_certification", "sign", "confirm_printed", "send"):
        make_case.record_facts(case, key)
        make_case.move(case, key)
    for step in ("done", "resolved", "withdrawn"):
        make_case(step, at=day(OLD))
    make_case("done", at=day(LATER))
    make_case("certification")
    make_ahead(session)
    session.commit()
    return case


def cells(session: Session) -> dict[Any, Any]:
    rows = session.scalars(select(StatCell).execution_options(populate_existing=True))
    return {
        (row.series, row.dim, row.value, row.grain, row.start, row.item): row.counts for row in rows
    }


def take_out(session: Session, name: str = PART, now: datetime = NOW) -> tuple[Any, Archive]:
    archive = Archive()
    done = detach_runs(session, name, now, archive, "2023.age")
    session.commit()
    return done, archive


# --- when it may not go ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("ab_user", "no partition", id="another table"),
        pytest.param("step_run_default", "goes on", id="the default one"),
        pytest.param(f"step_run_{NOW.year}", "goes on", id="this year"),
        pytest.param(f"step_run_{LATER}", f"{PART} is older", id="not the oldest"),
    ],
)
def test_what_is_not_taken_out(session: Session, old: Complaint, name: str, why: str) -> None:
    with pytest.raises(PartitionError, match=why):
        take_out(session, name)


def test_an_empty_year_is_not_taken_out(session: Session, old: Complaint) -> None:
    session.execute(text("DELETE FROM pause"))
    session.execute(text(f"DELETE FROM {PART}"))
    with pytest.raises(PartitionError, match="empty"):
        take_out(session)


@pytest.mark.parametrize("step", ["signing", "returned"])
def test_a_year_with_a_case_that_goes_on_stays(
    session: Session, old: Complaint, make_case: CaseMaker, step: str
) -> None:
    case = make_case(step, at=day(OLD))
    with pytest.raises(PartitionError, match=f"{case.number} has not ended"):
        take_out(session)


def test_a_year_whose_last_case_ended_lately_stays(session: Session, old: Complaint) -> None:
    session.execute(
        update(Complaint)
        .where(Complaint.id == old.id)
        .values(closed_at=NOW - timedelta(days=364, hours=23))
    )
    with pytest.raises(PartitionError, match="opened again"):
        take_out(session)


def _lost_run(session: Session, case: Complaint) -> None:
    run = session.scalars(
        select(StepRun.id).where(StepRun.complaint_id == case.id, StepRun.step_key == "signing")
    ).one()
    session.execute(delete(StepRun).where(StepRun.id == run))


def _half_run(session: Session, case: Complaint) -> None:
    session.execute(
        update(StepRun)
        .where(StepRun.complaint_id == case.id, StepRun.step_key == "signing")
        .values(work_seconds=None)
    )


def _lost_move(session: Session, case: Complaint) -> None:
    session.execute(
        delete(CaseEvent).where(CaseEvent.complaint_id == case.id, CaseEvent.transition == "sign")
    )


@pytest.mark.parametrize("tamper", [_lost_run, _half_run, _lost_move])
def test_a_year_that_was_tampered_with_stays(
    session: Session, old: Complaint, tamper: Callable[[Session, Complaint], None]
) -> None:
    tamper(session, old)
    with pytest.raises(PartitionError, match="no whole walks"):
        take_out(session)


def test_the_panels_role_takes_nothing_out(
    session: Session,
    old: Complaint,
    second_role: Engine,  # noqa: F811
) -> None:
    with Session(second_role) as mine, pytest.raises(ProgrammingError, match=r"denied|owner"):
        detach_runs(mine, PART, NOW, Archive(), "x")
    assert PART in [part.name for part in partitions(session, "step_run")]


# --- what is left ---------------------------------------------------------------------------------


def test_the_numbers_are_what_they_were(session: Session, old: Complaint, office: Any) -> None:
    def numbers() -> list[Any]:
        two = Scope(
            PERIOD.first, PERIOD.last, channel_id=old.channel_id, category_id=old.category_id
        )
        part = Scope(date(OLD, 3, 2), date(OLD, 3, 5), category_id=old.category_id)
        return [
            cells(session),
            *(read(session, "run", scope) for scope in (PERIOD, two, part)),
            pause_losses(session, office.sop, office.calendar, PERIOD, now=NOW),
        ]

    before = numbers()
    assert before[1]["siak_check"]["n"] == 3
    assert before[2]["siak_check"]["n"] == 2
    assert before[4][0].case_pauses == 1
    take_out(session)
    assert numbers() == before
    rebuild(session)
    session.commit()
    assert numbers() == before
    assert list(check(session)) == []
    assert list(verify(session)) == []


def test_the_file_holds_every_run_and_no_words(session: Session, old: Complaint) -> None:
    runs = session.execute(
        select(StepRun.id, StepRun.work_seconds, Complaint.number)
        .join(Complaint, Complaint.id == StepRun.complaint_id)
        .where(StepRun.case_year == OLD)
        .order_by(StepRun.id)
    ).all()
    done, archive = take_out(session)
    rows = [json.loads(line) for line in archive.lines]
    found = [row for row in rows if row["row"] == "run"]
    assert [(row["id"], row["work_seconds"], row["number"]) for row in found] == [
        tuple(row) for row in runs
    ]
    assert {"entered_at", "started_at", "finished_at", "transition", "wait_seconds"} < set(found[0])
    (pause,) = [row for row in rows if row["row"] == "pause"]
    assert pause["step_run_id"] in {row["id"] for row in found}
    assert NOTE.encode() not in b"".join(archive.lines)
    assert not {"reason"} & set(found[0])
    assert (done.runs, done.pauses) == (len(runs), 1)
    assert done.sha256 == hashlib.sha256(b"".join(archive.lines)).hexdigest()
    told = session.scalars(select(AuditEvent).where(AuditEvent.kind == "runs_archived")).one()
    assert told.subject == f"year:{OLD}"
    assert json.loads(told.detail)["sha256"] == done.sha256
    assert PART not in [part.name for part in partitions(session, "step_run")]
    assert archived_years(session) == (OLD,)
    assert make_ahead(session) == 0
    assert session.scalars(select(Pause.id)).all() == []


def test_the_next_year_goes_next(session: Session, old: Complaint) -> None:
    take_out(session)
    take_out(session, f"step_run_{LATER}")
    assert archived_years(session) == (OLD, LATER)
    assert list(verify(session)) == []


def lane_of(page: str) -> str:
    """The strip of the SOP's steps, which says how far a case has come."""
    found = re.search(r"case-lane.*?</section>", page, re.DOTALL)
    assert found is not None
    return found[0]


def test_the_case_is_told_without_its_clocks_and_not_opened_again(
    session: Session, old: Complaint, login: Callable[[str], FlaskClient], office: Any,
    actor: Callable[[str], Any],
) -> None:  # fmt: skip
    address = f"/complaints/show/{old.id}"
    client = login("subkoordinator")
    before = client.get(address).text
    assert "reopen" in before
    assert "ada di arsip" not in before
    take_out(session)
    page = client.get(address)
    assert page.status_code == 200
    assert "ada di arsip" in page.text
    assert "reopen" not in page.text
    assert lane_of(page.text) == lane_of(before)
    with pytest.raises(RefusedError) as refused:
        apply_transition(
            session, office, old, "reopen", actor("subkoordinator"), now=NOW, reason="salah tutup"
        )
    assert refused.value.code == "case_archived"
    session.rollback()
    late = session.scalars(select(Complaint).where(Complaint.number.like(f"%-{LATER}-%"))).one()
    apply_transition(
        session, office, late, "reopen", actor("subkoordinator"), now=NOW, reason="salah tutup"
    )
    assert late.step_key == "intake"


def test_a_case_from_a_register_is_not_taken_for_an_archived_one(
    session: Session, old: Complaint
) -> None:
    kept = CaseFile(complaint=old, checks=[], siak_checks=[])
    kept.events = [CaseEvent(kind="imported")]
    assert not kept.archived
    kept.events.append(CaseEvent(kind="moved"))
    assert kept.archived


def test_log_and_lists_say_what_they_lack(
    session: Session, old: Complaint, office: Any, actor: Callable[[str], Any],
    login: Callable[[str], FlaskClient],
) -> None:  # fmt: skip
    head = actor("kepala")
    before = conformance(session, office.sop, office.calendar, PERIOD, head)
    assert before.archived == 0
    take_out(session)
    after = conformance(session, office.sop, office.calendar, PERIOD, head)
    assert after.archived == 4
    assert (after.looked_at, after.conforming, after.moves) == (4, before.conforming, before.moves)
    events = [
        event for trace in traces(session, office.sop, PERIOD, head) for event in trace.events
    ]
    assert {event.work_seconds for event in events} == {None}
    page = load_page(session, Question("run"), PERIOD, head, today=NOW.date())
    assert (page.archived, page.rows) == (True, ())
    assert page.total > 0
    now = Scope(NOW.date() - timedelta(days=9), NOW.date())
    assert not load_page(session, Question("run"), now, head, today=NOW.date()).archived
    assert not load_page(session, Question("ended"), PERIOD, head, today=NOW.date()).archived
    span = f"from={PERIOD.first}&to={PERIOD.last}"
    client = login("kepala")
    assert "ada di arsip" in client.get(f"/process/?period=custom&{span}").text
    assert "ada di arsip" in client.get(f"/charts/cases/?of=run&period=custom&{span}").text


def test_retention_takes_the_note_of_an_archived_pause(
    session: Session, old: Complaint, store: Any
) -> None:
    take_out(session)
    assert session.scalars(select(ArchivedPause.note)).one() == NOTE
    assert erase(session, store, old, NOW, why="retention")
    session.commit()
    assert session.scalars(select(ArchivedPause.note)).one() == ""
    rebuild(session)
    assert list(verify(session)) == []


# --- what verify finds afterwards -----------------------------------------------------------------


def _lost_number(session: Session, case: Complaint) -> None:
    session.execute(delete(ArchivedRun).where(ArchivedRun.complaint_id == case.id))


def _a_run_again(session: Session, case: Complaint) -> None:
    session.add(
        StepRun(complaint_id=case.id, case_year=OLD, step_key="intake", entered_at=day(OLD))
    )


def _another_file(session: Session, case: Complaint) -> None:
    session.execute(update(ArchivedYear).values(sha256="0" * 64))


@pytest.mark.parametrize("tamper", [_lost_number, _a_run_again, _another_file, _lost_move])
def test_what_is_done_to_an_archived_year_is_found(
    session: Session, old: Complaint, tamper: Callable[[Session, Complaint], None]
) -> None:
    take_out(session)
    assert list(verify(session)) == []
    tamper(session, old)
    session.commit()
    assert "archive" in {fault.rule for fault in verify(session)}


# --- the command ----------------------------------------------------------------------------------


def test_the_command(app: Flask, session: Session, old: Complaint, tmp_path: Path) -> None:
    target = tmp_path / "old.age"
    without = run(app, "partitions", "detach", PART, str(target))
    assert (without.exit_code, target.exists()) == (1, False)
    assert "no key" in without.output
    identity = pyrage.x25519.Identity.generate()
    app.config["BACKUP_KEYS"] = [str(identity.to_public())]
    early = run(app, "partitions", "detach", f"step_run_{LATER}", str(target))
    assert (early.exit_code, target.exists()) == (1, False)
    assert "is older" in early.output
    done = run(app, "partitions", "detach", PART, str(target))
    assert done.exit_code == 0, done.output
    lines = pyrage.decrypt(target.read_bytes(), [identity])
    assert hashlib.sha256(lines).hexdigest() in done.output
    listed = run(app, "partitions", "list").output
    assert f"{PART} " in listed
    assert "old.age" in listed
    assert run(app, "partitions", "detach", f"step_run_{LATER}", str(target)).exit_code == 1
    assert run(app, "verify", "--no-files").exit_code == 0
    assert run(app, "stats", "check").exit_code == 0


def test_the_command_takes_nothing_from_an_office_with_a_fault(
    app: Flask, session: Session, old: Complaint, tmp_path: Path
) -> None:
    app.config["BACKUP_KEYS"] = [str(pyrage.x25519.Identity.generate().to_public())]
    session.execute(delete(StatCell).where(StatCell.series == "arrival"))
    session.commit()
    refused = run(app, "partitions", "detach", PART, str(tmp_path / "old.age"))
    assert refused.exit_code == 1
    assert "statistics: " in refused.output
    assert archived_years(session) == ()
