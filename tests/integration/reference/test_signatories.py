"""Signatories: capacity, decree and days are checked together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Signatory
from app.services.signatories import title_of

URL = "/reference/signatories"


@pytest.fixture
def form(user: Callable[[str], Any]) -> dict[str, str]:
    """A good acting head: the sub-coordinator, for three days in March."""
    return {
        "user_id": str(user("subkoordinator").id),
        "name": "Bambang Sutrisno, S.E.",
        "nip": "198001012005011001",
        "nik": "3325010101809901",
        "rank": "Pembina, IV/a",
        "position": "Kepala Dinas Kependudukan dan Pencatatan Sipil",
        "capacity": "plh",
        "decree_number": "821/0099/2026",
        "decree_date": "2026-03-01",
        "valid_from": "2026-03-02",
        "valid_to": "2026-03-04",
        "certificate": "bambang.p12",
    }


def count(session: Session) -> int:
    session.commit()
    return session.scalar(select(func.count()).select_from(Signatory)) or 0


@pytest.mark.both
def test_an_acting_head_is_entered_with_his_decree(
    login: Any, post: Any, session: Session, form: dict[str, str]
) -> None:
    answer = post(login("admin"), f"{URL}/add", form)
    assert answer.status_code == 303
    session.commit()
    row = session.scalars(select(Signatory).order_by(Signatory.id.desc())).first()
    assert row is not None
    assert (row.valid_from, row.valid_to) == (date(2026, 3, 2), date(2026, 3, 4))
    assert title_of(row) == "Plh. Kepala Dinas Kependudukan dan Pencatatan Sipil"
    page = login("admin").get(f"{URL}/list/").text
    assert "Plh. Kepala Dinas" in page
    assert form["nik"] not in login("admin").get(f"{URL}/show/{row.id}").text


REFUSED = [
    ("an acting head without a decree", {"decree_number": ""}, "decree_number"),
    ("a decree without its date", {"decree_date": ""}, "decree_date"),
    ("an acting head without an end", {"valid_to": ""}, "valid_to"),
    ("the end before the beginning", {"valid_to": "2026-03-01"}, "valid_to"),
    ("no first day", {"valid_from": ""}, "valid_from"),
    ("a NIK of 15 digits", {"nik": "332501010180990"}, "nik"),
    ("a NIK with letters", {"nik": "33250101018099O1"}, "nik"),
    ("a NIP of 17 digits", {"nip": "19800101200501100"}, "nip"),
    ("a capacity nobody knows", {"capacity": "raja"}, "capacity"),
    ("a user nobody knows", {"user_id": "99999"}, "user_id"),
    ("no name", {"name": "  "}, "name"),
    ("no position", {"position": ""}, "position"),
    ("Plh. written into the position", {"position": "Plh. Kepala Dinas"}, "position"),
    ("a certificate in a folder", {"certificate": "../kunci.p12"}, "certificate"),
    ("a certificate that is none", {"certificate": "kunci.pem"}, "certificate"),
]


@pytest.mark.parametrize(
    ("changes", "field"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_what_does_not_fit_is_refused_beside_its_field(
    login: Any,
    post: Any,
    session: Session,
    form: dict[str, str],
    changes: dict[str, str],
    field: str,
) -> None:
    before = count(session)
    answer = post(login("admin"), f"{URL}/add", {**form, **changes})
    assert answer.status_code == 422
    assert f'id="{field}-errors"' in answer.text
    assert count(session) == before


def test_a_definitive_head_needs_no_decree_and_no_end(
    login: Any, post: Any, session: Session, form: dict[str, str]
) -> None:
    bare = {"capacity": "definitif", "decree_number": "", "decree_date": "", "valid_to": ""}
    assert post(login("admin"), f"{URL}/add", {**form, **bare}).status_code == 303


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        pytest.param("2026-03-04", "2026-03-09", 422, id="the last day is shared"),
        pytest.param("2026-02-20", "2026-03-02", 422, id="the first day is shared"),
        pytest.param("2026-03-03", "2026-03-03", 422, id="within"),
        pytest.param("2026-01-01", "2026-12-31", 422, id="around"),
        pytest.param("2026-03-05", "2026-03-09", 303, id="the day after"),
        pytest.param("2026-02-20", "2026-03-01", 303, id="until the day before"),
    ],
)
def test_one_user_signs_in_one_capacity_a_day(
    login: Any,
    post: Any,
    form: dict[str, str],
    first: str,
    last: str,
    status: int,
) -> None:
    client = login("admin")
    assert post(client, f"{URL}/add", form).status_code == 303
    second = {**form, "capacity": "plt", "valid_from": first, "valid_to": last}
    assert post(client, f"{URL}/add", second).status_code == status


def test_an_entry_does_not_overlap_with_itself(
    login: Any, post: Any, session: Session, form: dict[str, str]
) -> None:
    client = login("admin")
    post(client, f"{URL}/add", form)
    pk = session.scalars(select(func.max(Signatory.id))).one()
    answer = post(client, f"{URL}/edit/{pk}", {**form, "valid_to": "2026-03-06"})
    assert answer.status_code == 303
    session.commit()
    assert session.get_one(Signatory, pk).valid_to == date(2026, 3, 6)


def test_an_entry_ends_and_is_never_deleted(login: Any, post: Any, session: Session) -> None:
    pk = session.scalars(select(func.max(Signatory.id))).one()
    assert post(login("admin"), f"{URL}/delete/{pk}", {}).status_code == 404
    assert count(session) == 1
