"""A case is opened again while its year is taken out: one of the two is told, whoever was first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from app.models import Complaint, StepRun
from app.services.archive import archived_years, detach_runs
from app.services.partitions import PartitionError
from app.services.transitions import Office, apply_transition
from app.services.verifying import verify
from app.sop.errors import RefusedError
from tests.integration.trust.test_archived_runs import NOW, OLD, PART, Archive, old  # noqa: F401
from tests.support.panel import AUDIT_KEY

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("backend", ["postgres"], indirect=True),
]


@pytest.fixture
def other(database_url: str) -> Any:
    """Connections of another process."""
    engine = create_engine(database_url).execution_options(audit_key=bytes.fromhex(AUDIT_KEY))
    yield engine
    engine.dispose()


def open_again(session: Session, office: Office, case: int, by: Any) -> None:
    found = session.get_one(Complaint, case)
    apply_transition(session, office, found, "reopen", by, now=NOW, reason="salah tutup")


def test_who_opens_a_case_first_keeps_its_year(
    session: Session,
    other: Engine,
    old: Complaint,  # noqa: F811
    office: Office,
    actor: Callable[[str], Any],
) -> None:
    case, number, by = old.id, old.number, actor("subkoordinator")
    session.rollback()
    with Session(other) as officer, Session(other) as owner, ThreadPoolExecutor(1) as pool:
        open_again(officer, office, case, by)
        taking = pool.submit(detach_runs, owner, PART, NOW, Archive(), "x")
        officer.commit()
        with pytest.raises(PartitionError, match=f"{number} has not ended"):
            taking.result(30)
        owner.rollback()
    assert archived_years(session) == ()
    assert list(verify(session)) == []


def test_who_comes_while_the_file_is_written_is_told(
    session: Session,
    other: Engine,
    old: Complaint,  # noqa: F811
    office: Office,
    actor: Callable[[str], Any],
) -> None:
    case, by = old.id, actor("subkoordinator")
    session.rollback()
    codes = []

    def write(lines: Any) -> None:
        list(lines)
        with Session(other) as officer, pytest.raises(RefusedError) as refused:
            open_again(officer, office, case, by)
        codes.append(refused.value.code)

    with Session(other) as owner:
        detach_runs(owner, PART, NOW, write, "x")
        owner.commit()
    with Session(other) as officer, pytest.raises(RefusedError) as refused:
        open_again(officer, office, case, by)
    assert [*codes, refused.value.code] == ["archive_goes_on", "case_archived"]
    assert archived_years(session) == (OLD,)
    assert list(verify(session)) == []


def test_people_at_work_are_not_stopped_for_it(
    session: Session,
    other: Engine,
    old: Complaint,  # noqa: F811
) -> None:
    """Somebody reads cases, then their runs, while the part is dropped: who drops it waits."""
    session.rollback()
    reader, reading = other.connect(), threading.Event()

    def write(lines: Any) -> None:
        list(lines)
        reader.execute(select(Complaint.id)).all()
        reading.set()

    with Session(other) as owner, ThreadPoolExecutor(1) as pool:
        taking = pool.submit(detach_runs, owner, PART, NOW, write, "x")
        assert reading.wait(30)
        assert len(reader.execute(select(StepRun.id)).all()) > 0
        reader.close()
        taking.result(30)
        owner.commit()
    assert archived_years(session) == (OLD,)
