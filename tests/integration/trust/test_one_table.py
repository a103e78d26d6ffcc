"""On SQLite nothing lies by years: the commands say so, and there is nothing in an archive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from app.models import StepRun
from app.services.archive import (
    archived_years,
    count_archived,
    require_not_archived,
    touches_archive,
)
from app.services.numbers import year_of
from app.services.partitions import make_ahead
from tests.support.cases import CaseMaker
from tests.support.commands import run
from tests.support.panel import engine_of


@pytest.mark.parametrize(
    "command", [("list",), ("ahead",), ("detach", "step_run_2021"), ("detach", "audit_event_2021")]
)
def test_the_command_is_for_postgresql(
    app: Flask, tmp_path: Path, command: tuple[str, ...]
) -> None:
    target = tmp_path / "old.age"
    rest = [str(target)] if command[0] == "detach" else []
    refused = run(app, "partitions", *command, *rest)
    assert refused.exit_code == 1
    assert "only PostgreSQL has partitions" in refused.output
    assert not target.exists()


def test_there_is_no_archive_and_asking_is_cheap(
    session: Session, make_case: CaseMaker, sql_count: Callable[[], Any]
) -> None:
    case, now = make_case("done"), datetime.now(UTC)
    assert case.number
    with sql_count() as sent:
        assert archived_years(session) == ()
        require_not_archived(session, case)
        assert not touches_archive(session, now, now)
        assert count_archived(session) == 0
        assert make_ahead(session) == 0
    # A backup of PostgreSQL may have brought years in an archive: asked by one look each.
    assert len(sent) == 4
    assert all("FROM archived_year" in statement for statement in sent)


def test_a_run_without_a_year_gets_that_of_its_case(
    app: Flask, session: Session, make_case: CaseMaker
) -> None:
    case = make_case("returned")
    session.execute(  # as the release before writes it
        text(
            "INSERT INTO step_run (complaint_id, step_key, round, entered_at, reason, batch_size)"
            " VALUES (:case, 'siak_check', 1, '2026-01-01 00:00:00.000000', '', 1)"
        ),
        {"case": case.id},
    )
    session.commit()
    assert {row.case_year for row in session.query(StepRun).filter_by(complaint_id=case.id)} == {
        year_of(case.number)
    }
    names = {index["name"]: index for index in inspect(engine_of(app)).get_indexes("step_run")}
    assert names["uq_step_run_open"]["column_names"] == ["complaint_id"]
    assert len(names) == 5
