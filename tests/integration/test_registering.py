"""Registering through the service: numbers, who may, and what a category brings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import NumberSeries, RequirementCheck
from app.services.actor import Actor
from app.services.complaints import Registration, register_complaint
from app.services.transitions import Office
from app.sop.errors import NotAllowedError, RefusedError
from tests.support.cases import CaseMaker
from tests.support.moments import MONDAY, after, office_day

ActorOf = Callable[[str], Actor]


@pytest.mark.both
def test_numbers_run_without_gaps_even_after_a_registration_failed(
    make_case: CaseMaker, session: Session
) -> None:
    first = make_case(files=False)
    make_case.register(by="petugas")
    session.rollback()
    second = make_case(files=False)
    year = office_day(first.registered_at).year
    assert [first.number, second.number] == [f"PGD-{year}-000001", f"PGD-{year}-000002"]


def test_the_year_of_a_number_turns_in_the_office_s_zone(
    make_case: CaseMaker, session: Session
) -> None:
    late = make_case(at=datetime(2025, 12, 31, 16, 59, tzinfo=UTC), files=False)
    early = make_case(at=datetime(2025, 12, 31, 17, 0, tzinfo=UTC), files=False)
    assert (late.number, early.number) == ("PGD-2025-000001", "PGD-2026-000001")
    assert {row.year: row.last for row in session.scalars(select(NumberSeries))} == {
        2025: 1,
        2026: 1,
    }


def test_a_complaint_is_not_received_in_the_future(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    data = make_case.data(received_at=after(seconds=1))
    session.commit()
    with pytest.raises(RefusedError) as caught:
        register_complaint(
            session, office, Registration(data, MONDAY), actor("petugas"), now=MONDAY
        )
    assert caught.value.code == "received_in_future"


@pytest.mark.parametrize("officer", ["operator", "subkoordinator", "kepala", "kabid", "admin"])
def test_only_the_complaints_officer_registers(
    make_case: CaseMaker, office: Office, session: Session, actor: ActorOf, officer: str
) -> None:
    registration = Registration(make_case.data(received_at=MONDAY), MONDAY)
    with pytest.raises(NotAllowedError):
        register_complaint(session, office, registration, actor(officer), now=MONDAY)


def test_a_category_brings_its_list_and_its_confidence(
    make_case: CaseMaker, session: Session
) -> None:
    levy = make_case(category="PUNGLI", checked=False, files=False)
    assert levy.confidential
    codes = {
        item.kind.code
        for item in session.scalars(
            select(RequirementCheck).where(RequirementCheck.complaint_id == levy.id)
        )
    }
    assert codes == {"kronologi", "bukti_pendukung"}
