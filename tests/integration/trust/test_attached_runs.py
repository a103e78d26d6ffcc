"""A year of step records back from its archive: what is refused, and that nothing of it has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyrage
import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text, update
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
    StepRun,
)
from app.services.archive import archived_years
from app.services.attaching import attach_runs
from app.services.partitions import PartitionError, partitions
from app.services.retention import erase
from app.services.statistics import check, rebuild
from app.services.storage import Store
from app.services.transitions import Office, apply_transition
from app.services.verifying import verify
from tests.integration.trust.test_archived_runs import (
    NOTE,
    NOW,
    OLD,
    PART,
    cells,
    day,
    old,  # noqa: F401
    take_out,
)
from tests.integration.trust.test_audit_proof import second_role  # noqa: F401
from tests.support.cases import CaseMaker
from tests.support.commands import run

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("backend", ["postgres"], indirect=True),
]
ROWS = (
    text("SELECT * FROM step_run ORDER BY id"),
    text("SELECT * FROM pause ORDER BY id"),
    text("SELECT tableoid::regclass::text, count(*) FROM step_run GROUP BY 1 ORDER BY 1"),
)


def tables(session: Session) -> list[Any]:
    return [[tuple(row) for row in session.execute(rows)] for rows in ROWS]


def reading(lines: Iterable[bytes]) -> Any:
    kept = list(lines)

    @contextmanager
    def read() -> Iterator[Iterable[bytes]]:
        yield iter(kept)

    return read


def bring_back(session: Session, lines: Iterable[bytes]) -> Any:
    done = attach_runs(session, reading(lines), NOW)
    session.commit()
    return done


@pytest.fixture
def lines(session: Session, old: Complaint) -> list[bytes]:  # noqa: F811
    """The lines of the archive into which the year has gone."""
    return take_out(session)[1].lines


# --- what is refused ------------------------------------------------------------------------------


def _changed(lines: list[bytes]) -> list[bytes]:
    first = json.loads(lines[0])
    first["work_seconds"] += 1
    return [json.dumps(first, ensure_ascii=False).encode() + b"\n", *lines[1:]]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_changed, id="a second more"),
        pytest.param(lambda lines: lines[:-1], id="a line less"),
        pytest.param(lambda lines: [*lines, lines[-1]], id="a line twice"),
        pytest.param(lambda lines: [lines[1], lines[0], *lines[2:]], id="another order"),
        pytest.param(lambda lines: [], id="nothing"),
        pytest.param(lambda lines: [b"no archive\n"], id="no archive"),
    ],
)
def test_other_lines_are_of_no_year_of_this_office(
    session: Session, lines: list[bytes], spoil: Callable[[list[bytes]], list[bytes]]
) -> None:
    before = tables(session)
    with pytest.raises(PartitionError, match="no year that is archived"):
        bring_back(session, spoil(lines))
    session.rollback()
    assert tables(session) == before
    assert archived_years(session) == (OLD,)


def test_the_file_of_another_office_is_refused(session: Session, lines: list[bytes]) -> None:
    session.execute(update(ArchivedYear).values(sha256="0" * 64))  # what this office took out
    with pytest.raises(PartitionError, match="no year that is archived"):
        bring_back(session, lines)


def test_a_year_that_is_here_does_not_come_again(session: Session, lines: list[bytes]) -> None:
    session.add(StepRun(complaint_id=1, case_year=OLD, step_key="intake", entered_at=NOW))
    session.flush()
    with pytest.raises(PartitionError, match="here already"):
        bring_back(session, lines)
    session.rollback()
    bring_back(session, lines)
    with pytest.raises(PartitionError, match="no year that is archived"):
        bring_back(session, lines)


def _lost_move(session: Session) -> None:
    one = select(func.min(CaseEvent.id)).where(CaseEvent.transition == "siak_match")
    session.execute(delete(CaseEvent).where(CaseEvent.id == one.scalar_subquery()))


def _other_move(session: Session) -> None:
    session.execute(
        update(CaseEvent)
        .where(CaseEvent.transition == "siak_match")
        .values(transition="siak_mismatch")
    )


def _lost_pause(session: Session) -> None:
    session.execute(delete(ArchivedPause))


@pytest.mark.parametrize("tamper", [_lost_move, _other_move, _lost_pause])
def test_a_year_whose_history_is_another_stays_away(
    session: Session, lines: list[bytes], tamper: Callable[[Session], None]
) -> None:
    tamper(session)
    with pytest.raises(PartitionError, match=r"are not|is not"):
        bring_back(session, lines)


def test_the_panels_role_brings_nothing_back(
    session: Session,
    lines: list[bytes],
    second_role: Engine,  # noqa: F811
) -> None:
    with Session(second_role) as mine, pytest.raises(ProgrammingError, match=r"denied|owner"):
        attach_runs(mine, reading(lines), NOW)
    assert archived_years(session) == (OLD,)


# --- what comes back ------------------------------------------------------------------------------


def test_everything_is_as_it_was(session: Session, old: Complaint) -> None:  # noqa: F811
    before, numbers = tables(session), cells(session)
    assert any("SIAK mati" in str(row) for row in before[1])
    lines = take_out(session)[1].lines
    assert tables(session) != before
    done = bring_back(session, lines)
    assert (done.year, done.runs, done.pauses) == (OLD, len(lines) - 1, 1)
    assert tables(session) == before
    assert cells(session) == numbers
    for model in (ArchivedYear, ArchivedRun, ArchivedPause):
        assert session.scalar(select(func.count()).select_from(model)) == 0
    assert list(verify(session)) == []
    assert list(check(session)) == []
    rebuild(session)
    session.commit()
    assert cells(session) == numbers
    told = session.scalars(select(AuditEvent).where(AuditEvent.kind == "runs_attached")).one()
    assert (told.subject, json.loads(told.detail)["runs"]) == (f"year:{OLD}", done.runs)


def test_its_cases_are_opened_again(
    session: Session, lines: list[bytes], office: Office, actor: Callable[[str], Any]
) -> None:
    bring_back(session, lines)
    case = session.scalars(select(Complaint).order_by(Complaint.id)).first()
    assert case is not None
    by = actor("subkoordinator")
    apply_transition(session, office, case, "reopen", by, now=NOW, reason="salah tutup")
    session.commit()
    assert case.step_key == "intake"
    assert list(verify(session)) == []


def test_it_goes_again_with_its_reasons(
    session: Session, old: Complaint, make_case: CaseMaker  # noqa: F811
) -> None:  # fmt: skip
    case = make_case("siak_check", at=day(OLD))
    for key in ("siak_mismatch", "withdraw"):
        make_case.record_facts(case, key)
        make_case.move(case, key)
    session.commit()
    reasons = session.scalars(select(StepRun.reason).order_by(StepRun.id)).all()
    assert any(reasons)
    for _time in range(2):
        bring_back(session, take_out(session)[1].lines)
        assert session.scalars(select(StepRun.reason).order_by(StepRun.id)).all() == reasons
        assert PART in [part.name for part in partitions(session, "step_run")]
    take_out(session)
    assert list(verify(session)) == []


def test_what_was_erased_meanwhile_stays_erased(
    session: Session, store: Store, lines: list[bytes]
) -> None:
    case = session.scalars(select(Complaint).order_by(Complaint.id)).first()
    assert case is not None
    assert session.scalars(select(ArchivedPause.note)).one() == NOTE
    assert erase(session, store, case, NOW, why="retention")
    session.commit()
    bring_back(session, lines)
    runs = select(StepRun.reason).where(StepRun.complaint_id == case.id)
    assert set(session.scalars(runs)) == {""}
    assert session.scalars(select(Pause.note)).one() == ""
    assert list(verify(session)) == []


# --- the command ----------------------------------------------------------------------------------


def test_the_command(app: Flask, session: Session, old: Complaint, tmp_path: Path) -> None:  # noqa: F811
    mine, other = (pyrage.x25519.Identity.generate() for _ in range(2))
    app.config["BACKUP_KEYS"] = [str(mine.to_public())]
    target, key, wrong, cut = (tmp_path / name for name in ("old.age", "key", "wrong", "cut.age"))
    key.write_text(f"{mine}\n")
    wrong.write_text(f"{other}\n")
    before = tables(session)
    session.rollback()
    assert run(app, "partitions", "detach", PART, str(target)).exit_code == 0
    cut.write_bytes(target.read_bytes()[:-20])
    for source, opened_by in ((target, wrong), (cut, key), (key, key)):
        refused = run(app, "partitions", "attach", str(source), "--key", str(opened_by))
        assert refused.exit_code == 1, source
        assert "is damaged, or the key is another one" in refused.output
    done = run(app, "partitions", "attach", str(target), "--key", str(key))
    assert done.exit_code == 0, done.output
    assert f"{PART}: " in done.output
    assert tables(session) == before
    session.rollback()
    again = run(app, "partitions", "attach", str(target), "--key", str(key))
    assert again.exit_code == 1
    assert "no year that is archived" in again.output
    assert run(app, "verify", "--no-files").exit_code == 0
    assert run(app, "stats", "check").exit_code == 0
