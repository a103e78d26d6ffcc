"""Proving the audit log by its seals, and who may change it in the database (asvs 53)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import AuditEvent
from app.services.audit import Head, broken_rows, current_head, record
from app.services.audit.chain import seal
from app.services.audit.grants import grant_statements
from app.services.verifying import verify
from tests.support import panel
from tests.support.cases import CaseMaker
from tests.support.postgres import Server


@pytest.fixture
def rows(session: Session) -> list[AuditEvent]:
    """Five rows of the log."""
    for number in range(5):
        record(session, "signed_in", actor_id=number, detail={"turn": number})
        session.commit()
    return list(session.scalars(select(AuditEvent).order_by(AuditEvent.id)))


def by_another_hand(app: Flask, *statements: str) -> None:
    """What somebody does who owns the database: he can take the guards away."""
    with panel.engine_of(app).begin() as connection:
        if connection.dialect.name == "sqlite":
            for name in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS audit_event_no_{name}")
        else:
            connection.exec_driver_sql("ALTER TABLE audit_event DISABLE TRIGGER USER")
        for statement in statements:
            connection.exec_driver_sql(statement)


def found(session: Session, *heads: Head) -> list[tuple[str, str]]:
    session.expire_all()
    return list(broken_rows(session, heads))


CHANGED = "changed, moved or added by another hand"


@pytest.mark.both
@pytest.mark.parametrize(("statements", "expected"), [
    pytest.param([], [], id="asvs 53: what nobody touched is whole"),
    pytest.param(["UPDATE audit_event SET actor_id = 7 WHERE id = {3}"], [("{3}", CHANGED)],
                 id="asvs 53: a changed row is found"),
    pytest.param(["UPDATE audit_event SET at = '2020-01-01 00:00:00' WHERE id = {2}"],
                 [("{2}", CHANGED)], id="asvs 53: a moment that was put back is found"),
    pytest.param(["DELETE FROM audit_event WHERE id = {3}"], [("{3}", "removed")],
                 id="asvs 53: a removed row is found"),
    pytest.param(["DELETE FROM audit_event WHERE id IN ({2}, {3})"], [("{2} to {3}", "removed")],
                 id="asvs 53: two removed rows are found"),
    pytest.param(["DELETE FROM audit_event WHERE id = {3}",
                  "UPDATE audit_event SET id = id - 1 WHERE id = {4}",
                  "UPDATE audit_event SET id = id - 1 WHERE id = {5}"],
                 [("{3}", CHANGED), ("{4}", CHANGED)],
                 id="asvs 53: a gap that was closed by new numbers is found"),
    pytest.param(["UPDATE audit_event SET id = 900 WHERE id = {2}",
                  "UPDATE audit_event SET id = {2} WHERE id = {3}",
                  "UPDATE audit_event SET id = {3} WHERE id = 900"],
                 [("{2}", CHANGED), ("{3}", CHANGED), ("{4}", CHANGED)],
                 id="asvs 53: two rows that changed places are found"),
    pytest.param(["INSERT INTO audit_event SELECT id + 1, at, kind, actor_id, subject, detail,"
                  " address, request_id, mac FROM audit_event WHERE id = {5}"],
                 [("{6}", CHANGED)], id="asvs 53: a row that was slipped in behind is found"),
])  # fmt: skip
def test_a_hand_in_the_database_is_found(
    app: Flask,
    session: Session,
    rows: list[AuditEvent],
    statements: list[str],
    expected: list[tuple[str, str]],
) -> None:
    first = rows[-5].id
    names = {str(place): first + place - 1 for place in range(1, 7)}

    def filled(words: str) -> str:
        for place, number in names.items():
            words = words.replace("{" + place + "}", str(number))
        return words

    session.rollback()
    by_another_hand(app, *map(filled, statements))
    assert found(session) == [(filled(where), what) for where, what in expected]


@pytest.mark.both
def test_asvs_53_cut_off_rows_are_found_by_a_head_that_was_kept(
    app: Flask, session: Session, rows: list[AuditEvent]
) -> None:
    head = current_head(session)
    session.rollback()
    by_another_hand(app, f"DELETE FROM audit_event WHERE id > {head.number - 2}")
    assert found(session) == []
    kept = Head.read(str(head))
    assert found(session, kept) == [
        (str(head.number), f"was there once; the log ends at {head.number - 2}")
    ]
    faults = [fault for fault in verify(session, None, [kept]) if fault.rule == "audit"]
    assert [fault.where for fault in faults] == [str(head.number)]


def test_asvs_53_a_log_that_was_written_again_with_the_key_differs_from_its_kept_head(
    app: Flask, session: Session, rows: list[AuditEvent]
) -> None:
    head = current_head(session)
    last, before = rows[-1], rows[-2]
    values = {column.name: getattr(last, column.name) for column in last.__table__.columns}
    again = seal(bytes.fromhex(panel.AUDIT_KEY), before.mac, {**values, "kind": "signed_out"})
    statement = f"UPDATE audit_event SET kind = 'signed_out', mac = '{again}' WHERE id = {last.id}"
    session.rollback()
    by_another_hand(app, statement)
    assert found(session) == []
    assert [where for where, _what in found(session, head)] == [str(head.number)]


@pytest.mark.parametrize("text_", ["", "5", "5:abc", "x:" + "0" * 64, "5:" + "g" * 64])
def test_what_is_no_head_is_refused(text_: str) -> None:
    with pytest.raises(ValueError, match="no head of the audit log"):
        Head.read(text_)


@pytest.mark.both
def test_the_command_keeps_the_head_it_proved_and_misses_what_is_cut_off_later(
    app: Flask, session: Session, rows: list[AuditEvent], tmp_path: Path
) -> None:
    session.rollback()
    runner = app.test_cli_runner()
    done = runner.invoke(args=["audit", "verify"])
    assert done.exit_code == 0, done.output
    head = runner.invoke(args=["audit", "head"]).output.strip()
    assert head in done.output
    assert (tmp_path / "audit_head").stat().st_mode & 0o777 == 0o600
    by_another_hand(app, "DELETE FROM audit_event WHERE id = (SELECT max(id) FROM audit_event)")
    done = runner.invoke(args=["audit", "verify"])
    assert done.exit_code == 1
    assert "was there once" in done.output
    assert runner.invoke(args=["verify", "--no-files"]).exit_code == 1
    assert runner.invoke(args=["audit", "verify", "--head", "5"]).exit_code == 2


# --- two roles of PostgreSQL ---------------------------------------------------------------------

POSTGRES = pytest.mark.parametrize(
    "backend", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@pytest.mark.parametrize(("owner", "name"), [
    pytest.param("same", "same", id="one role for both is refused"),
    pytest.param("a; DROP TABLE x", "b", id="a name that is a statement is refused"),
    pytest.param("owner", "Panel", id="a name that needs quoting is refused"),
])  # fmt: skip
def test_grants_refuse(owner: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"plain name|two roles"):
        grant_statements(owner, name, database="aduan")


@pytest.fixture
def second_role(app: Flask, session: Session, postgres: Server, tmp_path: Path) -> Any:
    """An engine that signs in as a role which `flask audit grants --apply` has given its rights."""
    owner, name = "audit_owner", "audit_panel"
    session.rollback()
    for _twice in range(2):
        done = app.test_cli_runner().invoke(
            args=["audit", "grants", "--owner", owner, "--app", name, "--apply"]
        )
        assert done.exit_code == 0, done.output
    postgres.execute(f"ALTER ROLE {name} PASSWORD 'only for this test'")
    url = panel.engine_of(app).url.set(username=name, password="only for this test")
    options = app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    engine = create_engine(url, **options)
    yield engine
    engine.dispose()
    session.rollback()
    panel.engine_of(app).dispose()
    database = str(url.database)
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    )
    for role in (name, owner):
        postgres.execute(f"REASSIGN OWNED BY {role} TO aduan", database)
        postgres.execute(f"DROP OWNED BY {role}", database)
        postgres.execute(f"DROP ROLE {role}")


@POSTGRES
@pytest.mark.parametrize("statement", [
    pytest.param("UPDATE audit_event SET kind = 'signed_out'", id="asvs 53: no UPDATE"),
    pytest.param("DELETE FROM audit_event", id="asvs 53: no DELETE"),
    pytest.param("TRUNCATE audit_event", id="asvs 53: no TRUNCATE"),
    pytest.param("ALTER TABLE audit_event DISABLE TRIGGER USER", id="asvs 53: no way past triggers"),
    pytest.param("DROP TABLE audit_event", id="asvs 53: no DROP"),
    pytest.param("UPDATE case_event SET to_step = 'done'", id="a move is not rewritten"),
    pytest.param("DELETE FROM case_event", id="a move is not removed"),
    pytest.param("CREATE TABLE mine (id integer)", id="no table of its own"),
    pytest.param("UPDATE alembic_version SET version_num = '0001'", id="no other schema revision"),
])  # fmt: skip
def test_the_panel_s_role_may_not(second_role: Engine, statement: str) -> None:
    with second_role.connect() as connection, pytest.raises(ProgrammingError) as refused:
        connection.exec_driver_sql(statement)
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


@POSTGRES
def test_the_panel_works_as_its_role(
    make_app: Callable[..., Flask], make_case: CaseMaker, second_role: Engine
) -> None:
    case = make_case("certification")
    make_case.session.commit()
    with Session(second_role) as session:
        record(session, "signed_in", actor_id=1)
        session.commit()
        assert list(broken_rows(session)) == []
        assert session.scalar(text("SELECT count(*) FROM case_event")) > 0
    url = second_role.url.render_as_string(hide_password=False)
    app = make_app(url=url)
    client = app.test_client()
    page = client.get("/login/")
    assert page.status_code == 200
    with app.app_context():
        assert make_url(str(db.engine.url)).username == "audit_panel"
        done = app.test_cli_runner().invoke(args=["case", "--help"])
    assert done.exit_code == 0
    assert case.number
