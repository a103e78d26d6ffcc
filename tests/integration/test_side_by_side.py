"""Old and new release side by side: a release's migrations only add, and the one before still writes.

The recorded writes of the release before are played on a database that has been upgraded under it.
What a migration takes away it takes away one release after the code has stopped using it, and says
so: `contract = "0.2"` in its module, the release that stopped.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, func, inspect, select, text
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Complaint, StepRun
from app.release import prepare
from app.services.numbers import year_of
from app.services.statistics import check
from app.services.verifying import verify
from tests.support import recorded
from tests.support.panel import AUDIT_KEY, engine_of

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ROOT / "app" / "migrations" / "versions"
KIND = {"sqlite": "sqlite", "postgres": "postgresql"}


def migrate(app: Flask, revision: str) -> None:
    with app.app_context():
        db.session.remove()
        upgrade(directory=str(app.extensions["migrate"].directory), revision=revision)
        db.engine.dispose()


@pytest.mark.both
def test_the_release_before_writes_on_the_new_schema(
    make_app: Callable[..., Flask], empty_database_url: str, backend: str
) -> None:
    tape = recorded.load(KIND[backend])
    app = make_app(url=empty_database_url)
    migrate(app, tape["revision"])
    engine = create_engine(empty_database_url)
    assert recorded.play(engine, tape["filled"]) > 100
    migrate(app, "head")
    # The old processes go on: nobody has restarted them yet.
    assert recorded.play(engine, tape["worked"]) > 100
    with Session(engine.execution_options(audit_key=bytes.fromhex(AUDIT_KEY))) as session:
        assert session.scalar(select(func.count(Complaint.id))) == len(recorded.PLACES)
        assert session.scalar(select(func.count(StepRun.id))) > len(recorded.PLACES)
        lie = select(Complaint.number, StepRun.case_year).join(StepRun.complaint)
        years = {(year_of(number), year) for number, year in session.execute(lie)}
        assert years == {(year, year) for year, _same in years if year > 2000}
        if backend == "postgres":  # each where its year is, whoever wrote it
            assert session.scalar(text("SELECT count(*) FROM step_run_default")) == 0
        faults = [fault for fault in verify(session, None) if fault.rule != "file"]
        assert faults == []
        assert list(check(session)) == []
    engine.dispose()
    # And the new one takes over what they wrote.
    prepare(app)
    with app.app_context():
        assert db.session.scalar(select(func.count(Complaint.id))) == len(recorded.PLACES)
        db.session.remove()
    engine_of(app).dispose()


def test_both_recordings_are_of_one_release() -> None:
    found = {kind: recorded.load(kind)["revision"] for kind in KIND.values()}
    assert len(set(found.values())) == 1
    assert (VERSIONS / next(VERSIONS.glob(f"{found['sqlite']}_*.py")).name).exists()


def test_the_recording_writes_to_what_officers_write_to() -> None:
    worked = " ".join(
        statement for statement, _values, _many in recorded.load("postgresql")["worked"]
    )
    for table in (
        "complaint", "step_run", "case_event", "requirement_check", "document", "case_output",
        "siak_check", "dispatch", "audit_event", "stat_cell", "number_series", "staged_upload",
    ):  # fmt: skip
        assert re.search(rf"(INSERT INTO|UPDATE) {table}\b", worked), table


# --- migrations only add --------------------------------------------------------------------------

TAKES = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|NOT\s+NULL\s+)?(?!TRIGGER|INDEX|FUNCTION|CONSTRAINT)\w+"
    r"|\bRENAME\s+COLUMN\b|\bALTER\s+TABLE\s+\w+\s+RENAME\s+TO\b|\bSET\s+NOT\s+NULL\b",
    re.IGNORECASE,
)
TAKING_CALLS = {"drop_table", "drop_column", "rename_table"}


def taken_away(source: str) -> list[str]:
    """What `upgrade()` of a migration, and whatever it calls, takes away from running processes."""
    tree = ast.parse(source)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    found: list[str] = []
    seen: set[str] = set()

    def look(name: str) -> None:
        if name in seen or name not in functions:
            return
        seen.add(name)
        for node in ast.walk(functions[name]):
            if isinstance(node, ast.Call):
                found.extend(_of_call(node))
                if isinstance(node.func, ast.Name):
                    look(node.func.id)
            if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                continue
            if not _copied(node.value, source):
                found.extend(match[0] for match in TAKES.finditer(node.value))

    look("upgrade")
    # A table that is made again under its old name in the same step is never missed.
    return [taken for taken in found if not _made_again(taken, source)]


def _made_again(taken: str, source: str) -> bool:
    renamed = re.fullmatch(r"ALTER\s+TABLE\s+(\w+)\s+RENAME\s+TO", taken, re.IGNORECASE)
    return bool(renamed and re.search(rf"CREATE TABLE {renamed[1]}\b", source))


def _copied(statement: str, source: str) -> bool:
    """Whether what goes is what was left of a table that was made again, its rows written over."""
    if not (dropped := re.fullmatch(r"DROP TABLE (\w+)", statement)):
        return False
    renamed = re.search(rf"ALTER TABLE (\w+) RENAME TO {dropped[1]}\b", source)
    return bool(
        renamed
        and re.search(rf"CREATE TABLE {renamed[1]}\b", source)
        and re.search(rf"INSERT INTO {renamed[1]}\b[^;]*FROM {dropped[1]}\b", source)
    )


def _of_call(node: ast.Call) -> Iterator[str]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    words = {word.arg: ast.unparse(word.value) for word in node.keywords if word.arg}
    if called in TAKING_CALLS:
        yield ast.unparse(node)
    if called == "alter_column" and (
        words.get("nullable") == "False" or "new_column_name" in words or "type_" in words
    ):
        yield ast.unparse(node)
    if called == "add_column":
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and ast.unparse(part.func).endswith("Column"):
                given = {word.arg: ast.unparse(word.value) for word in part.keywords if word.arg}
                if given.get("nullable") == "False" and "server_default" not in given:
                    yield ast.unparse(node)


def marked(source: str) -> bool:
    """Whether the module says which release stopped using what it takes away."""
    return bool(re.search(r'^contract = "\d+\.\d+(\.\d+)?"$', source, re.MULTILINE))


@pytest.mark.parametrize(
    "line",
    [
        'op.drop_column("complaint", "told_at")',
        'op.drop_table("pause")',
        'op.rename_table("pause", "stop")',
        'op.alter_column("complaint", "text", nullable=False)',
        'op.alter_column("complaint", "text", new_column_name="words")',
        'op.add_column("complaint", sa.Column("x", sa.Integer(), nullable=False))',
        'op.execute("ALTER TABLE complaint DROP COLUMN told_at")',
        'op.execute("ALTER TABLE complaint RENAME TO grievance")',
        'op.execute("DROP TABLE pause_plain")',
        'op.execute("ALTER TABLE x RENAME TO y"); op.execute("CREATE TABLE x (a int)");'
        ' op.execute("DROP TABLE y")',
        'op.execute("ALTER TABLE complaint ALTER COLUMN x SET NOT NULL")',
        "helper()",
    ],
)
def test_what_takes_away_is_seen(line: str) -> None:
    helper = 'def helper():\n    op.drop_table("pause")\n'
    assert taken_away(f"def upgrade():\n    {line}\n{helper}")


@pytest.mark.parametrize(
    "line",
    [
        'op.add_column("complaint", sa.Column("x", sa.Integer(), nullable=False, server_default="0"))',
        'op.add_column("complaint", sa.Column("x", sa.Integer(), nullable=True))',
        'op.create_table("x", sa.Column("a", sa.Integer(), nullable=False))',
        'op.drop_index("ix_x")',
        'op.execute("ALTER TABLE x RENAME TO y"); op.execute("CREATE TABLE x (a int)")',
        'op.execute("ALTER TABLE x RENAME TO y"); op.execute("CREATE TABLE x (a int)");'
        ' op.execute("INSERT INTO x SELECT a FROM y"); op.execute("DROP TABLE y")',
        'op.execute("DROP TRIGGER x ON y")',
    ],
)
def test_what_adds_is_not(line: str) -> None:
    assert taken_away(f"def upgrade():\n    {line}\n") == []


def test_no_migration_since_the_release_before_takes_away() -> None:
    since = recorded.load("sqlite")["revision"]
    newer = sorted(path for path in VERSIONS.glob("0*.py") if path.name[:4] > since)
    found = {
        path.name: taken
        for path in newer
        if (taken := taken_away(path.read_text(encoding="utf-8")))
        and not marked(path.read_text(encoding="utf-8"))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param('contract = "0.2"\n', True, id="a release"),
        pytest.param("contract = True\n", False, id="no release"),
        pytest.param("# contract\n", False, id="a word"),
    ],
)
def test_a_mark_names_the_release_that_stopped(source: str, expected: bool) -> None:
    assert marked(source) is expected


@pytest.mark.both
def test_no_new_column_wants_a_value_that_the_release_before_does_not_give(
    make_app: Callable[..., Flask], database_url: str, backend: str
) -> None:
    """The schema as it stands, whatever its migrations look like."""
    engine = create_engine(database_url)
    given: dict[str, set[str]] = {}
    for statement, _values, _many in recorded.load(KIND[backend])["worked"]:
        if inserted := re.match(r'INSERT INTO "?(\w+)"? \(([^)]*)\)', statement):
            columns = {word.strip().strip('"') for word in inserted[2].split(",")}
            given[inserted[1]] = given.get(inserted[1], columns) & columns
    assert len(given) > 10
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
        wanting = {
            f"{table}.{column['name']}"
            for table, columns in given.items()
            for column in inspect(connection).get_columns(table)
            if not column["nullable"] and column["default"] is None
            and column.get("autoincrement") is not True
            and column["name"] not in columns and column["name"] != "id"
        }  # fmt: skip
    engine.dispose()
    assert wanting == set()
