"""The benchmarks run, and the panel keeps their limits on a small office: no stopwatch here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app import datakeys
from app.models import CaseEvent, Complaint, Document, Model, StepRun
from app.services.numbers import next_number
from app.sop.definition import load_sop
from benchmarks.__main__ import main, office, time_office
from benchmarks.cases import COLUMNS, COURSE, ENDS, STANDARD
from benchmarks.floor_charts import draw
from benchmarks.load import Loaded
from benchmarks.operations import measure, operations_for
from benchmarks.plans import BIG, _reads, full_scans
from benchmarks.report import BEGIN, END, MOST_BYTES, Run, table, write, write_versus
from benchmarks.versus import Measured, Pair, growth, misses
from benchmarks.versus import table as versus_table
from config import SEED_DATA

CASES = 600
BACKENDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="module", params=BACKENDS)
def loaded(request: pytest.FixtureRequest) -> Iterator[Loaded]:
    if request.param == "postgres":
        request.getfixturevalue("postgres")  # says why when there is none
    before = datakeys.ring().path
    with office(request.param, CASES) as made:
        yield made
    datakeys.use(before)


@pytest.fixture(scope="module")
def run(loaded: Loaded) -> Run:
    return time_office(loaded, repeats=2)


def test_the_rows_keep_the_panels_invariants(loaded: Loaded) -> None:
    with Session(loaded.engine) as session:
        held = Counter(session.scalars(select(Complaint.step_key)))
        assert sum(held.values()) == CASES
        assert set(held) <= set(ENDS)
        assert {"done", "signing", "siak_check"} <= set(held)
        open_runs = Counter(
            session.scalars(select(StepRun.complaint_id).where(StepRun.finished_at.is_(None)))
        )
        clocked = set(session.scalars(select(Complaint.id).where(Complaint.step_key.in_(STANDARD))))
        assert set(open_runs) == clocked
        assert set(open_runs.values()) == {1}
        for run in session.scalars(select(StepRun).where(StepRun.finished_at.is_not(None))):
            assert run.entered_at <= run.started_at <= run.finished_at
        last = session.execute(
            select(CaseEvent.complaint_id, func.max(CaseEvent.id)).group_by(CaseEvent.complaint_id)
        ).all()
        assert len(last) == CASES
        numbers = session.scalars(select(Complaint.number).order_by(Complaint.id)).all()
        assert len(set(numbers)) == CASES
        newest = session.scalars(select(Complaint).order_by(Complaint.id.desc()).limit(1)).one()
        assert next_number(session, "PGD", newest.registered_at) > newest.number
        session.rollback()


def test_the_rows_refer_to_rows_that_are_there() -> None:
    with office("sqlite", 300) as made, made.engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


def test_the_same_number_gives_the_same_office() -> None:
    columns = (Complaint.number, Complaint.applicant_name, Complaint.step_key, Complaint.nik)
    seen = []
    for _time in range(2):
        with office("sqlite", 300) as made, Session(made.engine) as session:
            rows = session.execute(select(*columns).order_by(Complaint.id)).all()
            seen.append((rows, session.scalar(select(func.count(Document.id)))))
    assert seen[0] == seen[1]


def test_every_page_keeps_the_limits(run: Run) -> None:
    assert run.misses == []
    assert len(run.timed) == len({item.operation.name for item in run.timed}) >= 20
    for item in run.timed:
        assert item.size <= MOST_BYTES, item.operation.name
        assert len(set(item.statements)) == 1, f"{item.operation.name}: {item.statements}"


def test_no_statement_lacks_an_index(run: Run) -> None:
    assert run.scans == []


def test_a_transition_really_moves_a_case(loaded: Loaded) -> None:
    wanted = [item for item in operations_for(loaded) if item.name == "one transition"]
    moved = select(func.count(CaseEvent.id)).where(CaseEvent.transition == "submit_certification")
    with Session(loaded.engine) as session:
        before = session.scalar(moved)
        session.rollback()  # a look that stays open would hold SQLite's write lock
        list(measure(loaded, wanted, 1))
        session.rollback()
        assert session.scalar(moved) == (before or 0) + 3


def test_a_missing_index_is_found(loaded: Loaded) -> None:
    with loaded.engine.connect() as connection:
        slow = "SELECT count(*) FROM complaint WHERE text = 'x'"
        quick = "SELECT count(*) FROM complaint WHERE number = 'x'"
        none = () if loaded.backend == "sqlite" else None
        assert [table for table, _how in _reads(connection, slow, none)] == ["complaint"]
        assert list(_reads(connection, quick, none)) == []


def test_the_table_is_written_between_its_marks(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write([run], page)
    content = page.read_text(encoding="utf-8")
    assert content.startswith("before\n")
    assert content.endswith("after\n")
    assert "old" not in content
    assert table(run) in content
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="no <!--"):
        write([run], page)


def test_the_command_runs_and_answers_with_its_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cases", "120", "--repeats", "1", "--only", "search"]) == 0
    assert "search part of a name" in capsys.readouterr().out


def test_the_rows_follow_the_offices_sop() -> None:
    sop = load_sop(SEED_DATA / "sop.toml")
    assert {step.key for step in sop.steps} == set(ENDS)
    assert {step.key: step.standard_minutes for step in sop.clock_steps} == STANDARD
    for step, move, _work, _wait in COURSE:
        sop.move(step, move)
    assert set(COLUMNS) == set(BIG) <= set(Model.metadata.tables)


def test_nothing_timed_has_no_plans(loaded: Loaded) -> None:
    assert full_scans(loaded.engine, []) == []


def test_the_floor_of_a_trend_takes_days_away_from_the_month_they_are_of() -> None:
    cells = [
        (1, "", "", '{"n":5}', 1, "2026-11-01"),
        (1, "", "", '{"n":2}', -1, "2026-11-30"),
        (1, "", "", '{"n":4}', 1, date(2026, 12, 1)),
    ]
    (rows,) = draw("weeks month", [cells])
    assert [row[:2] for row in rows] == [["2026-11-01", 3], ["2026-12-01", 4]]


def test_every_operation_is_asked_beside_its_floor(capsys: pytest.CaptureFixture[str]) -> None:
    """Over HTTP, with the same rows on both sides; how long it takes is not the test's business."""
    assert main(["--floor", "--cases", "600", "--repeats", "1", "--processes", "1"]) == 0
    printed = capsys.readouterr().out
    for name in ("list, first page", "list, page 12", "one case", "one transition", "SOP Hidup"):
        assert f"| {name}" in printed
    with pytest.raises(ValueError, match="no <!-- floor: begin"):
        write_versus("x", SEED_DATA / "office.toml")


def test_beside_the_middle_stands_what_other_work_disturbs_least() -> None:
    pair = Pair("p", "petugas", [], [], goal=2.0)
    found = Measured(pair, [3.0, 2.0, 90.0, 80.0], [1.0, 9.0, 2.0, 10.0])
    assert found.quick_ratio == 1.5
    printed = versus_table({("db", 10, 1): [found]})
    assert "| p | 2× | **7.5×** (41.5 / 5.5 ms), 1.5× |" in printed


def test_the_goals_are_judged_by_the_middle_call() -> None:
    pair = Pair("p", "petugas", [], [], goal=2.0)
    found = {
        ("db", 10, 1): [Measured(pair, [3.0, 4.0, 90.0], [2.0, 2.0, 1.0])],
        ("db", 1000, 1): [Measured(pair, [7.0], [2.0])],
    }
    assert [line for line in misses(found) if "1,000" in line] == ["db, 1,000 cases, 1: p 3.5×"]
    assert len(misses(found)) == 1


def test_growth_is_judged_by_the_panel_asked_alone() -> None:
    pair, write = Pair("p", "petugas", [], []), Pair("w", "petugas", [], [], moves=[1])
    small = [Measured(pair, [9.0], [2.0], [4.0, 4.0, 4.0, 90.0]), Measured(write, [4.0], [2.0])]
    large = [Measured(pair, [9.0], [2.0], [7.0]), Measured(write, [5.0], [2.0])]
    (grown,) = growth({("db", 10, 1): small, ("db", 1000, 1): large})
    assert "p 1.75×, w 1.25×" in grown
    assert grown.endswith("Over 1.5×: p.")
