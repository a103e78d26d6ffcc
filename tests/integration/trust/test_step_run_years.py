"""The step records by the year of their case on PostgreSQL: whoever writes them, each lies in its part."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import create_engine, select, text, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from app.models import Complaint, StepRun
from app.services import casefile, caserows, pausing
from app.services.guarding import DirectMoveError, write_closed_run
from app.services.numbers import year_of
from app.services.partitions import AHEAD, make_ahead, partitions
from app.services.transitions import open_run
from app.services.verifying import verify
from tests.integration.trust.test_audit_proof import second_role  # noqa: F401
from tests.support.cases import CaseMaker
from tests.support.panel import engine_of

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("backend", ["postgres"], indirect=True),
]
YEAR = datetime.now(UTC).year
#: What the release before sends.
INSERT = text(
    "INSERT INTO step_run (complaint_id, step_key, round, entered_at, reason, batch_size)"
    " VALUES (:case, 'siak_check', 1, now(), '', 1) RETURNING id"
)
CLOSE = text(
    "UPDATE step_run SET started_at = now(), finished_at = now(), transition = 'siak_match',"
    " work_seconds = 1, wait_seconds = 1 WHERE id = :id AND finished_at IS NULL"
)
PARTS = text("SELECT tableoid::regclass::text FROM step_run WHERE complaint_id = :case ORDER BY id")


@pytest.fixture(autouse=True)
def of_this_year(make_case: CaseMaker) -> None:
    """Cases are made two days back, which in January is another year."""
    make_case.start = datetime(YEAR, 6, 15, 3, tzinfo=UTC)


def names(session: Session) -> list[str]:
    return [part.name for part in partitions(session, "step_run")]


def renamed(session: Session, case: Complaint, year: int) -> int:
    """Let a case, with all that it has, be one of another year, as its migration finds it."""
    session.execute(
        update(Complaint).where(Complaint.id == case.id).values(number=f"PGD-{year}-900001")
    )
    session.execute(update(StepRun).where(StepRun.complaint_id == case.id).values(case_year=year))
    session.commit()
    session.expire_all()
    return case.id


# --- who writes what ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "year"),
    [
        ("PGD-2026-000001", 2026), ("PGD-0999-1", 999), ("PGD-226-000001", 0), ("PGD2026", 0),
        ("PGD-20266-000001", 0), ("", 0), ("A-B-2026-000001", 0),
    ],
)  # fmt: skip
def test_the_database_reads_the_year_as_we_do(
    session: Session, make_case: CaseMaker, number: str, year: int
) -> None:
    case = make_case("returned")
    session.execute(update(Complaint).where(Complaint.id == case.id).values(number=number))
    run = session.scalar(INSERT, {"case": case.id})
    kept = session.scalar(text("SELECT case_year FROM step_run WHERE id = :id"), {"id": run})
    assert kept == year_of(number) == year
    session.rollback()


def test_the_release_step_has_made_the_years_ahead(session: Session) -> None:
    years = [f"step_run_{YEAR + ahead}" for ahead in range(AHEAD + 1)]
    assert names(session) == [*years, "step_run_default"]
    assert make_ahead(session, AHEAD) == 0


def test_the_runs_of_a_case_lie_in_its_year(session: Session, make_case: CaseMaker) -> None:
    case = make_case("done")
    found = session.scalars(PARTS, {"case": case.id}).all()
    assert found == [f"step_run_{year_of(case.number)}"] * 6


def test_a_run_without_a_year_goes_to_that_of_its_case(
    session: Session, make_case: CaseMaker
) -> None:
    case = make_case("returned")
    run = session.scalar(INSERT, {"case": case.id})
    session.commit()
    assert session.scalars(PARTS, {"case": case.id}).all()[-1] == f"step_run_{YEAR}"
    found = open_run(session, case)
    assert found is not None
    assert (found.id, found.case_year) == (run, YEAR)
    closed: Any = session.execute(CLOSE, {"id": run})
    assert closed.rowcount == 1
    session.commit()
    assert open_run(session, case) is None


def test_the_year_cannot_be_taken_away(session: Session, make_case: CaseMaker) -> None:
    case = make_case("done").id
    session.execute(update(StepRun).where(StepRun.complaint_id == case).values(case_year=0))
    assert set(session.scalars(PARTS, {"case": case})) == {f"step_run_{YEAR}"}


@pytest.mark.parametrize("first", ["the release before", "this one"])
def test_two_open_runs_are_refused_whoever_writes(
    session: Session, make_case: CaseMaker, first: str
) -> None:
    case = make_case("returned")
    ours = StepRun(
        complaint_id=case.id, case_year=YEAR, step_key="siak_check", entered_at=datetime.now(UTC)
    )
    writes = [
        lambda: session.execute(INSERT, {"case": case.id}),
        lambda: (session.add(ours), session.flush()),
    ]
    if first == "this one":
        writes.reverse()
    writes[0]()
    with pytest.raises(IntegrityError, match="complaint_id_case_year"):
        writes[1]()
    session.rollback()


def test_the_later_of_two_writers_waits_and_is_refused(
    session: Session, make_case: CaseMaker, database_url: str
) -> None:
    case = make_case("returned").id
    session.commit()
    engine = create_engine(database_url)
    with engine.connect() as early, engine.connect() as late, ThreadPoolExecutor(1) as pool:
        early.execute(INSERT, {"case": case})
        waits = pool.submit(late.execute, INSERT, {"case": case})
        early.commit()
        with pytest.raises(IntegrityError):
            waits.result(30)
        late.rollback()
    engine.dispose()
    assert session.scalars(PARTS, {"case": case}).all() == [f"step_run_{YEAR}"] * 2


def test_two_officers_close_one_run_and_the_second_is_told(
    session: Session, make_case: CaseMaker, database_url: str
) -> None:
    run = open_run(session, make_case("siak_check"))
    assert run is not None
    key = run.id
    session.commit()
    engine = create_engine(database_url)
    now = datetime.now(UTC)
    values = {
        "started_at": now, "started_by_id": None, "finished_at": now, "finished_by_id": None,
        "transition": "siak_match", "reason": "", "wait_seconds": 1, "work_seconds": 1,
        "batch_size": 1,
    }  # fmt: skip
    with Session(engine) as early, Session(engine) as late, ThreadPoolExecutor(1) as pool:
        write_closed_run(early, key, YEAR, values)
        second = pool.submit(write_closed_run, late, key, YEAR, values)
        early.commit()
        with pytest.raises(DirectMoveError):  # no error of the database: it found nothing to close
            second.result(30)
    engine.dispose()


# --- what refers to a run -------------------------------------------------------------------------


def stand_still(session: Session, run: int | None, year: int | None = None) -> Any:
    """The year under which a pause of a run is kept."""
    return session.scalar(
        text(
            "INSERT INTO pause (step_run_id, reason, note, from_at, case_year)"
            " VALUES (:run, 'other', '', now(), :year) RETURNING case_year"
        ),
        {"run": run, "year": year},
    )


def test_a_pause_is_of_a_run_that_is_there(session: Session, make_case: CaseMaker) -> None:
    run = open_run(session, make_case("siak_check"))
    assert run is not None
    with pytest.raises(IntegrityError), session.begin_nested():
        stand_still(session, run.id + 1000)
    # Whatever a writer says of the year, it is that of the run.
    assert stand_still(session, run.id, 1999) == YEAR
    session.execute(text("UPDATE pause SET case_year = NULL"))
    assert session.scalar(text("SELECT case_year FROM pause")) == YEAR
    with pytest.raises(IntegrityError, match="pause"):
        session.execute(text("DELETE FROM step_run WHERE id = :id"), {"id": run.id})
    session.rollback()


def test_a_pause_through_the_service_has_the_year(
    session: Session, make_case: CaseMaker, office: Any, actor: Callable[[str], Any]
) -> None:
    case = make_case("siak_check")
    run = open_run(session, case)
    assert run is not None
    pausing.pause_run(
        session, office.sop, run, actor("operator"), "siak_down", now=make_case.now(case)
    )
    assert session.scalar(text("SELECT case_year FROM pause")) == YEAR


# --- made ahead, and moved ------------------------------------------------------------------------


def test_a_year_that_lacked_gets_what_waited_for_it(session: Session, make_case: CaseMaker) -> None:
    case = make_case("siak_check")
    run = open_run(session, case)
    assert run is not None
    stand_still(session, run.id)
    session.execute(text("DELETE FROM pause"))
    renamed(session, case, YEAR + 3)
    stand_still(session, run.id)
    session.commit()
    assert session.scalars(PARTS, {"case": case.id}).all() == ["step_run_default"] * 2
    assert open_run(session, case) is not None
    assert make_ahead(session, 3) == 2
    session.commit()
    assert session.scalars(PARTS, {"case": case.id}).all() == [f"step_run_{YEAR + 3}"] * 2
    assert session.scalar(text("SELECT case_year FROM pause")) == YEAR + 3
    assert [fault for fault in verify(session) if fault.rule != "number"] == []
    with pytest.raises(IntegrityError, match="pause"):
        session.execute(text("DELETE FROM step_run WHERE id = :id"), {"id": run.id})
    session.rollback()
    with pytest.raises(IntegrityError), session.begin_nested():
        stand_still(session, run.id + 1000)
    session.execute(INSERT, {"case": make_case("returned").id})
    assert session.scalar(text("SELECT count(*) FROM step_run_default")) == 0


def test_a_year_gone_by_is_made_for_what_came_without_it(
    session: Session, make_case: CaseMaker
) -> None:
    case = make_case("done").id
    renamed(session, session.get_one(Complaint, case), YEAR - 2)
    assert set(session.scalars(PARTS, {"case": case})) == {"step_run_default"}
    assert make_ahead(session) == 1
    assert names(session)[:2] == [f"step_run_{YEAR - 2}", f"step_run_{YEAR}"]
    assert set(session.scalars(PARTS, {"case": case})) == {f"step_run_{YEAR - 2}"}
    assert make_ahead(session) == 0


def test_who_makes_years_gives_way_to_who_works(
    session: Session, make_case: CaseMaker, database_url: str
) -> None:
    case = make_case("siak_check")
    key, number = case.id, case.number
    session.commit()
    engine = create_engine(database_url)
    with engine.connect() as officer, Session(engine) as worker:
        officer.execute(update(Complaint).where(Complaint.id == key).values(version=99))
        assert make_ahead(worker, 4) == 2  # of the audit log, which nobody holds
        worker.commit()
        officer.execute(update(StepRun).where(StepRun.complaint_id == key).values(round=2))
        officer.commit()
        assert make_ahead(worker, 4) == 2
        worker.commit()
    engine.dispose()
    assert number
    assert names(session)[-2] == f"step_run_{YEAR + 4}"


def test_another_fault_is_not_taken_for_a_lock(session: Session) -> None:
    session.execute(text("DROP FUNCTION make_year_partitions(text, integer)"))
    with pytest.raises(ProgrammingError, match="make_year_partitions"):
        make_ahead(session)
    session.rollback()


def test_a_year_of_no_table_is_not_made(session: Session) -> None:
    for parent, years in (("ab_user", 1), ("pause", 1), ("step_run", 11), ("step_run", -1)):
        with pytest.raises((ProgrammingError, OperationalError)), session.begin_nested():
            session.execute(text("SELECT make_year_partitions(:p, :y)"), {"p": parent, "y": years})


def migrate(app: Flask, step: Callable[..., None], revision: str) -> None:
    with app.app_context():
        step(directory=str(app.extensions["migrate"].directory), revision=revision)
    engine_of(app).dispose()


def test_the_years_of_an_office_that_has_a_past(
    app: Flask, session: Session, make_case: CaseMaker
) -> None:
    case, run = make_case("siak_check"), None
    run = open_run(session, case)
    assert run is not None
    stand_still(session, run.id)
    keys = [renamed(session, make_case("done"), YEAR - 3), case.id, make_case("returned").id]
    highest = session.scalar(text("SELECT max(id) FROM step_run"))
    session.close()
    migrate(app, downgrade, "0025")
    with engine_of(app).connect() as connection:
        assert connection.scalar(
            text("SELECT relkind FROM pg_class WHERE relname = 'step_run'")
        ) == ("r")
    migrate(app, upgrade, "0026")
    assert names(session) == [
        *(f"step_run_{YEAR - 3 + number}" for number in range(5)), "step_run_default",
    ]  # fmt: skip
    lie = [set(session.scalars(PARTS, {"case": key})) for key in keys]
    assert lie == [{f"step_run_{YEAR - 3}"}, {f"step_run_{YEAR}"}, {f"step_run_{YEAR}"}]
    assert session.scalar(text("SELECT case_year FROM pause")) == YEAR
    assert session.scalar(INSERT, {"case": keys[2]}) == highest + 1
    session.rollback()
    migrate(app, upgrade, "head")


# --- reading --------------------------------------------------------------------------------------


def plan_of(session: Session, statement: Any, **values: Any) -> str:
    compiled = statement.compile(session.get_bind(), compile_kwargs={"render_postcompile": True})
    cursor = session.connection().connection.cursor()
    cursor.execute(f"EXPLAIN {compiled}", {**compiled.params, **values})
    return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("statement", "of_case"),
    [
        pytest.param(lambda: pausing._OPEN_RUN, "case", id="a transition"),
        pytest.param(caserows._runs_statement, "pk", id="the case page"),
        pytest.param(casefile._runs_statement, "pk", id="a form of a case"),
    ],
)
def test_one_case_is_asked_of_one_part(
    session: Session, statement: Callable[[], Any], of_case: str
) -> None:
    plan = plan_of(session, statement(), **{of_case: 1, "year": YEAR})
    assert f"step_run_{YEAR}" in plan
    assert f"step_run_{YEAR + 1}" not in plan
    assert "step_run_default" not in plan


def test_without_the_year_every_part_is_asked(session: Session) -> None:
    plan = plan_of(session, select(StepRun.id).where(StepRun.complaint_id == 1))
    assert all(name in plan for name in names(session))


# --- two roles ------------------------------------------------------------------------------------


def test_the_panels_role_reaches_no_part_and_writes_through_the_table(
    second_role: Engine,  # noqa: F811
    make_case: CaseMaker,
) -> None:
    case = make_case("returned").id
    make_case.session.commit()
    with second_role.connect() as connection:
        assert connection.scalar(text("SELECT make_year_partitions('step_run', 4)")) == 2
        connection.commit()
    for part in (f"step_run_{YEAR}", f"step_run_{YEAR + 4}", "step_run_default"):
        for statement in ("SELECT 1 FROM {}", "DELETE FROM {}", "DROP TABLE {}"):
            with second_role.connect() as connection, pytest.raises(ProgrammingError) as refused:
                connection.exec_driver_sql(statement.format(part))
            assert refused.value.orig.sqlstate == "42501"  # type: ignore[union-attr]
    with second_role.connect() as connection:
        run = connection.scalar(INSERT, {"case": case})
        assert connection.execute(CLOSE, {"id": run}).rowcount == 1
        connection.commit()
        assert connection.scalars(PARTS, {"case": case}).all() == [f"step_run_{YEAR}"] * 2
        with pytest.raises(ProgrammingError):
            connection.exec_driver_sql(f"ALTER TABLE step_run DETACH PARTITION step_run_{YEAR}")
