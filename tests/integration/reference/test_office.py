"""The office and the standard minutes of its steps."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Office, SopStep
from tests.support.reference import edit, errors


def test_there_is_one_office(admin: FlaskClient, post: Any, session: Session) -> None:
    row = session.scalars(select(Office)).one()
    answer = admin.get("/reference/office/list/")
    assert (answer.status_code, answer.location) == (302, f"/reference/office/show/{row.id}")
    assert admin.get("/reference/office/add").status_code == 404
    assert post(admin, f"/reference/office/delete/{row.id}").status_code == 404


OFFICE = {
    "government": "Pemerintah Kabupaten Batang",
    "name": "Dinas",
    "region_code": "33.25",
    "quiet_days": "7",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("name", "", id="no name"),
        pytest.param("region_code", "Batang", id="no code"),
        pytest.param("email", "kantor", id="no address"),
        pytest.param("email", "a@b.id, c@d.id", id="two addresses"),
        pytest.param("quiet_days", "0", id="no day of patience"),
        pytest.param("quiet_days", "seven", id="days in words"),
        pytest.param("website", "ftp://kantor.example", id="another scheme"),
        pytest.param("phone", "call me", id="words"),
        pytest.param("sop_warning", "x" * 10_000, id="10,000 characters"),
        pytest.param("sop_legal_basis", "UU\x00 24/2013", id="null byte"),
        pytest.param("sop_revised", "2025-01-01", id="revised before it was made"),
    ],
)
def test_the_office_is_checked(
    admin: FlaskClient, post: Any, session: Session, field: str, value: str
) -> None:
    row = session.scalars(select(Office)).one()
    before = row.name
    data = {**OFFICE, "sop_created": "2026-01-01", field: value}
    answer = edit(post, admin, "office", row.id, data)
    assert answer.status_code == 422
    assert errors(answer.text, field)
    session.expire_all()
    assert row.name == before


def test_lists_of_the_sheet_keep_their_lines(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    row = session.scalars(select(Office)).one()
    data = {**OFFICE, "sop_legal_basis": "UU 24/2013\r\nPerpres 96/2018\n"}
    assert edit(post, admin, "office", row.id, data).status_code == 303
    session.expire_all()
    assert row.sop_legal_basis == "UU 24/2013\nPerpres 96/2018"


@pytest.mark.parametrize(
    ("minutes", "status"),
    [("1", 303), ("480", 303), ("0", 422), ("481", 422), ("-5", 422), ("2.5", 422), ("", 422)],
)
def test_standard_minutes_lie_between_one_and_a_day(
    admin: FlaskClient, post: Any, session: Session, minutes: str, status: int
) -> None:
    answer = edit(post, admin, "standard_minutes", "intake", {"standard_minutes": minutes})
    assert answer.status_code == status
    session.expire_all()
    now = session.get_one(SopStep, "intake").standard_minutes
    assert now == (int(minutes) if status == 303 else 10)


def test_only_the_minutes_of_a_step_are_the_offices(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    data = {"standard_minutes": "12", "label_id": "Lain", "position": "99", "actor": "operator"}
    assert edit(post, admin, "standard_minutes", "intake", data).status_code == 303
    session.expire_all()
    step = session.get_one(SopStep, "intake")
    assert (step.standard_minutes, step.position, step.actor) == (12, 1, "petugas_pengaduan")
    assert step.label_id != "Lain"


@pytest.mark.parametrize("key", ["returned", "done", "nothing", "%00"])
def test_a_step_without_a_clock_has_no_standard(admin: FlaskClient, key: str) -> None:
    for route in ("show", "edit"):
        assert admin.get(f"/reference/standard_minutes/{route}/{key}").status_code == 404
