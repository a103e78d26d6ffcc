"""Who may do what at the desk, what it shows to whom, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.support.forms import PageForm
from tests.support.parcels import DESK, parcel_of, parcels, take_away

# --- who -----------------------------------------------------------------------------------------


def test_without_the_transition_the_desk_shows_but_does_not_send(
    window: Any, session: Session, make_case: Any, upload: Any, pos: int
) -> None:
    case = make_case("dispatch")
    petugas = window()
    form = petugas.open(case)
    take_away(session, "Petugas Pengaduan", "send", "Complaint")
    assert PageForm(petugas.client.get(f"{DESK}?case={case.number}").text, "desk").fields == {}
    sent = {"courier": pos, "tracking_number": "P1", "proof_token": upload()}
    assert petugas.send(case, form, **sent).status_code == 403
    assert parcels(session) == 0


@pytest.mark.both
def test_without_the_right_to_see_personal_data_there_is_none_and_the_parcel_goes_all_the_same(
    window: Any, session: Session, make_case: Any, upload: Any, pos: int
) -> None:
    case = make_case("dispatch", applicant_name="Kartini Pemohonwati", phone="+6281298765432")
    sent_before = parcel_of(session, make_case("done", applicant_name="Sukarno Contohnya"))
    set_day = datetime.now(UTC)
    sent_before.sent_at = set_day
    session.commit()
    take_away(session, "Petugas Pengaduan", "see_personal", "Complaint")
    petugas = window()
    pages = [petugas.client.get(url).text for url in (DESK, f"{DESK}?case={case.number}")]
    sent = {"courier": pos, "tracking_number": "P1", "proof_token": upload()}
    form = petugas.open(case)
    refused = petugas.send(case, form, courier="", tracking_number="P1")
    for text in (*pages, refused.text):
        for secret in ("Kartini", "Sukarno", case.phone, case.address):
            assert secret not in text, secret
    assert petugas.send(case, form, **sent, recipient="Orang lain").location == DESK
    assert parcel_of(session, case).recipient == "Kartini Pemohonwati"


def test_a_confidential_case_is_not_at_the_desk(
    window: Any, session: Session, make_case: Any, upload: Any, pos: int
) -> None:
    case = make_case("dispatch", hide_identity=True)
    petugas = window()
    form = petugas.open(case)
    take_away(session, "Petugas Pengaduan", "see_confidential", "Complaint")
    page = petugas.client.get(f"{DESK}?case={case.number}")
    assert page.text.count(case.number) == page.text.count(f"{case.number}") <= 2, "only the typed"
    assert case.applicant_name not in page.text
    assert case.number not in petugas.client.get(DESK).text
    sent = {"courier": pos, "tracking_number": "P1", "proof_token": upload()}
    assert petugas.send(case, form, **sent).status_code == 404


def test_the_camera_s_program_may_run_on_the_desk_alone(login: Any, make_case: Any) -> None:
    case = make_case("dispatch")
    petugas = login("petugas")
    for url, may in (
        (DESK, True),
        (f"{DESK}?case={case.number}", True),
        ("/queue/", False),
        (f"/complaints/work/{case.id}", False),
        ("/dispatches/list/", False),
    ):
        policy = petugas.get(url).headers["Content-Security-Policy"]
        assert ("'wasm-unsafe-eval'" in policy) == may, url
        assert "'unsafe-eval'" not in policy


def test_the_desk_takes_few_statements(
    login: Any, sql_count: Any, session: Session, make_case: Any
) -> None:
    case = make_case("dispatch")
    for _ in range(3):
        make_case("dispatch")
        parcel_of(session, make_case("done")).sent_at = datetime.now(UTC)
    session.commit()
    petugas = login("petugas")
    for url in (DESK, f"{DESK}?case={case.number}", "/desk/returned", "/desk/quiet"):
        with sql_count() as statements:
            assert petugas.get(url).status_code == 200
        assert len(statements) <= 12, (url, len(statements), statements)


@pytest.mark.both
@pytest.mark.parametrize("text", ["\x00", "x" * 10_000, "😀", "-1", "<b>", "%25", "' OR 1=1"])
def test_whatever_is_typed_is_answered(login: Any, post: Any, text: str) -> None:
    petugas = login("petugas")
    answer = petugas.get(DESK, query_string={"case": text})
    assert answer.status_code == 200
    assert "<b>" not in answer.text or text != "<b>"
    for name in ("value", "courier"):
        checked = post(petugas, "/desk/check", {"value": "P1", "courier": "1", name: text})
        assert checked.status_code == 200
    assert post(petugas, "/desk/send/999999").status_code == 404
    assert post(petugas, "/desk/news/999999").status_code == 404
