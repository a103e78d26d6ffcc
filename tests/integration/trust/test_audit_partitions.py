"""The audit log by years on PostgreSQL: made ahead, proved across them, and taken out by the oldest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from app.cli.data import expire_until
from app.models import AuditEvent
from app.services.audit import Head, broken_rows, current_head, record
from app.services.audit.partitions import PartitionError, detach
from app.services.partitions import BY_YEARS, make_ahead, partitions
from tests.integration.trust.test_audit_proof import second_role  # noqa: F401
from tests.support.commands import run

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("backend", ["postgres"], indirect=True),
]


@dataclass(frozen=True)
class Log:
    """The log of this office: its partitions are named from the year in which it was made."""

    year: int

    @property
    def first(self) -> str:
        return f"audit_event_until_{self.year}"

    @property
    def later(self) -> datetime:
        return datetime(self.year + 2, 3, 1, tzinfo=UTC)

    @property
    def turned(self) -> int:
        """1 when the year has ended since: an office of a test is a copy of one made earlier."""
        return datetime.now(UTC).year - self.year

    def part(self, years: int) -> str:
        return f"audit_event_{self.year + years}"


@pytest.fixture
def log(session: Session) -> Log:
    found = Log(int(names(session)[0].removeprefix("audit_event_until_")))
    session.rollback()
    return found


def told(session: Session, year: int, rows: int = 3) -> None:
    for number in range(rows):
        at = datetime(year, 5, 1 + number, tzinfo=UTC)
        record(session, "signed_in", actor_id=number, at=at)
        session.commit()


def names(session: Session, table: str = "audit_event") -> list[str]:
    return [part.name for part in partitions(session, table)]


def rows_in(session: Session, table: str) -> int:
    return session.scalar(text(f"SELECT count(*) FROM {table}"))


def test_the_release_step_has_made_the_years_ahead(session: Session, log: Log) -> None:
    assert names(session) == [log.first, log.part(1), log.part(2), "audit_event_default"]
    assert make_ahead(session, 2) == log.turned * len(BY_YEARS)
    assert make_ahead(session, 4) == 2 * len(BY_YEARS)
    assert make_ahead(session, 4) == 0


def test_a_row_lies_in_its_year_and_the_chain_goes_over_all(session: Session, log: Log) -> None:
    for year in (log.year, log.year + 1, log.year + 2):
        told(session, year)
    assert rows_in(session, log.part(1)) == 3
    assert rows_in(session, log.part(2)) == 3
    assert list(broken_rows(session)) == []


def test_a_row_without_a_partition_is_kept_and_moved_when_its_year_is_made(
    session: Session,
    log: Log,
) -> None:
    told(session, log.year + 3)
    assert rows_in(session, "audit_event_default") == 3
    assert make_ahead(session, 3) == (1 + log.turned) * len(BY_YEARS)
    session.commit()
    assert rows_in(session, "audit_event_default") == 0
    assert rows_in(session, log.part(3)) == 3
    assert list(broken_rows(session)) == []


@pytest.mark.parametrize("statement", [
    "UPDATE {} SET kind = 'signed_out'", "DELETE FROM {}", "TRUNCATE {}",
])  # fmt: skip
@pytest.mark.parametrize("table", ["audit_event", "audit_event_until_{0}", "audit_event_{1}"])
def test_no_way_round_the_triggers(session: Session, log: Log, statement: str, table: str) -> None:
    told(session, log.year)
    told(session, log.year + 1)
    table = table.format(log.year, log.year + 1)
    with pytest.raises(ProgrammingError, match="never changed"):
        session.execute(text(statement.format(table)))
    session.rollback()


def test_the_last_row_is_found_by_the_index_of_each_part(session: Session, log: Log) -> None:
    told(session, log.year)
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = "\n".join(
        session.scalars(text("EXPLAIN SELECT id, mac FROM audit_event ORDER BY id DESC LIMIT 1"))
    )
    assert "Merge Append" in plan
    assert "Sort" not in plan.replace("Sort Key", "")
    assert "Backward" in plan


# --- taking years out -----------------------------------------------------------------------------


class Archive:
    """Where the lines go in a test."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def __call__(self, lines: Any) -> None:
        self.lines = list(lines)


@pytest.mark.parametrize(
    ("name", "early", "why"),
    [
        pytest.param("ab_user", False, "no partition", id="another table"),
        pytest.param("audit_event_default", False, "goes on", id="the default one"),
        pytest.param("audit_event_until_{0}", True, "goes on", id="this year"),
        pytest.param("audit_event_{1}", False, "is older", id="not the oldest"),
    ],
)
def test_what_is_not_taken_out(
    session: Session, log: Log, name: str, early: bool, why: str
) -> None:
    told(session, log.year)
    told(session, log.year + 1)
    now = datetime(log.year, 12, 31, tzinfo=UTC) if early else log.later
    with pytest.raises(PartitionError, match=why):
        detach(session, name.format(log.year, log.year + 1), now, Archive(), "x")
    session.rollback()


def test_years_between_whose_rows_others_stand_are_not_taken_out(
    session: Session, log: Log
) -> None:
    told(session, log.year)
    told(session, log.year + 1)
    told(session, log.year)  # the clock was set back
    with pytest.raises(PartitionError, match="set back"):
        detach(session, log.first, log.later, Archive(), "x")
    session.rollback()


def test_what_remains_is_proved_behind_the_archive(session: Session, log: Log) -> None:
    told(session, log.year)
    old = current_head(session)
    told(session, log.year + 1)
    archive = Archive()
    done = detach(session, log.first, log.later, archive, "2026.age")
    session.commit()
    assert (done.last, done.mac) == (old.number, old.mac)
    assert done.first == 1
    assert [json.loads(line)["id"] for line in archive.lines] == list(range(1, old.number + 1))
    assert done.sha256 == hashlib.sha256(b"".join(archive.lines)).hexdigest()
    assert log.first not in names(session)
    assert session.scalar(select(func.min(AuditEvent.id))) == old.number + 1
    assert list(broken_rows(session, [old, current_head(session)])) == []
    forged = Head(old.number, "0" * 64)
    assert [where for where, _what in broken_rows(session, [forged])] == [str(old.number)]


def test_rows_that_are_merely_removed_are_no_archive(session: Session, log: Log) -> None:
    told(session, log.year)
    told(session, log.year + 1)
    last = session.scalar(text(f"SELECT max(id) FROM {log.first}"))
    session.execute(text(f"ALTER TABLE audit_event DETACH PARTITION {log.first}"))
    session.commit()
    found = list(broken_rows(session))
    assert found[0] == (f"1 to {last}", "removed")
    # Nor does it help to write the row that tells of an archive: nobody else can seal it.
    number = session.scalar(select(func.max(AuditEvent.id))) + 1
    detail = json.dumps({"last": last, "mac": "0" * 64})
    session.execute(
        text("INSERT INTO audit_event VALUES (:id, now(), 'audit_archived', NULL, :subject,"
             " :detail, '', '', :mac)"),
        {"id": number, "subject": f"audit:{last}", "detail": detail, "mac": "0" * 64},
    )  # fmt: skip
    session.commit()
    broken = [where for where, _what in broken_rows(session)]
    assert str(last + 1) in broken
    assert str(number) in broken


def test_the_commands(
    app: Flask, session: Session, log: Log, tmp_path: Path, clock: Callable[[datetime], None]
) -> None:
    told(session, log.year)
    told(session, log.year + 1)
    listed = run(app, "partitions", "list").output.splitlines()
    assert [line.split()[0] for line in listed] == names(session, "step_run") + names(session)
    session.rollback()
    assert run(app, "partitions", "ahead", "--years", "3").output == (
        f"partitions made: {(1 + log.turned) * len(BY_YEARS)}\n"
    )
    target = tmp_path / "old.age"
    clock(datetime(log.year, 12, 31, tzinfo=UTC))
    early = run(app, "partitions", "detach", log.first, str(target))
    assert early.exit_code == 1
    assert "goes on" in early.output
    identity = pyrage.x25519.Identity.generate()
    app.config["BACKUP_KEYS"] = [str(identity.to_public())]
    session.rollback()
    clock(log.later)
    done = run(app, "partitions", "detach", log.first, str(target))
    assert done.exit_code == 0, done.output
    lines = pyrage.decrypt(target.read_bytes(), [identity])
    assert hashlib.sha256(lines).hexdigest() in done.output
    assert run(app, "partitions", "detach", log.first, str(target)).exit_code == 1
    assert run(app, "audit", "verify").exit_code == 0


# --- two roles ------------------------------------------------------------------------------------


def test_the_panels_role_makes_years_and_reads_no_part_by_itself(
    second_role: Engine,  # noqa: F811
    log: Log,
) -> None:
    with second_role.connect() as connection:
        made = connection.scalar(text("SELECT make_year_partitions('audit_event', 4)"))
        assert made == 2 + log.turned
        connection.commit()
    for table in (log.first, log.part(1), log.part(4)):
        for statement in ("SELECT 1 FROM {}", "DELETE FROM {}", "UPDATE {} SET kind = 'x'"):
            with (
                second_role.connect() as connection,
                pytest.raises(ProgrammingError, match="denied"),
            ):
                connection.exec_driver_sql(statement.format(table))
    with second_role.connect() as connection, pytest.raises(ProgrammingError):
        connection.exec_driver_sql(f"ALTER TABLE audit_event DETACH PARTITION {log.first}")
    with Session(second_role) as session:
        record(session, "signed_in", actor_id=1, at=datetime(log.year + 4, 1, 2, tzinfo=UTC))
        session.commit()
        assert list(broken_rows(session)) == []


class Twice:
    """An event that is waited for twice and then set."""

    def __init__(self) -> None:
        self.waits = 0

    def wait(self, _seconds: float) -> bool:
        self.waits += 1
        return self.waits > 1


def test_the_worker_makes_a_year_that_lacks(app: Flask, session: Session, log: Log) -> None:
    lacking = log.part(2)
    session.execute(text(f"DROP TABLE {lacking}"))
    session.commit()
    expire_until(app, Twice())
    assert lacking in names(session)
