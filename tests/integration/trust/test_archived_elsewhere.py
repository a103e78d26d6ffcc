"""An office that came to SQLite with years in an archive: they are known there as they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models import ArchivedRun, ArchivedYear, Complaint, StepRun
from app.services.audit import record
from app.services.statistics import Scope, read, rebuild
from app.services.transitions import Office, apply_transition
from app.services.verifying import verify
from app.sop.errors import RefusedError
from tests.support.cases import CaseMaker

NOW = datetime.now(UTC)
YEAR = NOW.year - 3


@pytest.fixture
def archived(session: Session, make_case: CaseMaker) -> Complaint:
    """A case as it comes with a backup that PostgreSQL made after its year was taken out."""
    case = make_case("done", at=datetime(YEAR, 3, 4, 3, tzinfo=UTC))
    runs = session.scalars(select(StepRun).where(StepRun.complaint_id == case.id)).all()
    session.add(
        ArchivedYear(
            year=YEAR, at=NOW, first_at=runs[0].entered_at, last_at=NOW, runs=len(runs), pauses=0,
            file="old.age", sha256="0" * 64,
        )
    )  # fmt: skip
    session.flush()
    names = [column.key for column in ArchivedRun.__table__.columns]
    session.add_all(ArchivedRun(**{name: getattr(run, name) for name in names}) for run in runs)
    session.flush()
    session.execute(delete(StepRun).where(StepRun.complaint_id == case.id))
    detail = {"sha256": "0" * 64}
    record(session, "runs_archived", actor_id=None, subject=f"year:{YEAR}", detail=detail, at=NOW)
    session.commit()
    return case


def test_it_is_not_opened_again(
    session: Session, archived: Complaint, office: Office, actor: Callable[[str], Any],
    login: Callable[[str], FlaskClient],
) -> None:  # fmt: skip
    page = login("subkoordinator").get(f"/complaints/show/{archived.id}").text
    assert "ada di arsip" in page
    assert "#reopen" not in page
    by = actor("subkoordinator")
    with pytest.raises(RefusedError) as refused:
        apply_transition(session, office, archived, "reopen", by, now=NOW, reason="salah tutup")
    assert refused.value.code == "case_archived"


def test_its_walk_is_not_missed_and_its_runs_still_count(
    session: Session, archived: Complaint
) -> None:
    rules = {"walk", "archive", "year", "statistics"}
    assert rules & {fault.rule for fault in verify(session)} == set()
    year = Scope(date(YEAR, 1, 1), date(YEAR, 12, 31))
    counted = read(session, "run", year)
    assert counted
    # Two sorts at once are answered from the rows.
    both = replace(year, channel_id=archived.channel_id, category_id=archived.category_id)
    names = ("n", "wait", "judged", "within")
    assert read(session, "run", both, only=names) == read(session, "run", year, only=names)
    rebuild(session)
    session.commit()
    assert read(session, "run", year) == counted
