"""Dispatches: made by step 6 alone; what becomes of a parcel is written by one at a time."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.formats import local
from app.models import CaseEvent, Courier, Dispatch, Role
from app.views.dispatch import days_under_way

LIST = "/dispatches/list/"


@pytest.fixture
def parcel(session: Session, make_case: Any) -> Dispatch:
    case = make_case("done")
    return session.scalars(select(Dispatch).where(Dispatch.complaint_id == case.id)).one()


def edit_url(parcel: Dispatch) -> str:
    return f"/dispatches/edit/{parcel.id}"


def take_away(session: Session, role: str, permission: str, view: str) -> None:
    """What an administrator does in the role screen."""
    found = session.scalars(select(Role).where(Role.name == role)).one()
    found.permissions = [
        item
        for item in found.permissions
        if (item.permission.name, item.view_menu.name) != (permission, view)
    ]
    session.commit()


# --- looking -------------------------------------------------------------------------------------


@pytest.mark.both
def test_the_list_is_searched_and_filtered(
    login: Any, session: Session, make_case: Any, parcel: Dispatch
) -> None:
    other_case = make_case("done")
    other = session.scalars(select(Dispatch).where(Dispatch.complaint_id == other_case.id)).one()
    other.status, other.return_reason = "returned", "Alamat tidak ditemukan"
    session.commit()
    officer = login("petugas")

    def shown(**query: str) -> set[str]:
        page = officer.get(LIST, query_string=query)
        assert page.status_code == 200
        return set(re.findall(r">(PGD-\d{4}-\d{6})</a>", page.text))

    first, second = parcel.complaint.number, other_case.number
    assert shown() == {first, second}
    assert shown(q=first) == {first}
    assert shown(q=parcel.tracking_number.lower()) == {first}
    assert shown(q=f"{other.tracking_number[:4]} {other.tracking_number[4:]}") == {second}
    assert shown(q="ZZZ") == set()
    assert shown(_flt_0_status="returned") == {second}
    assert shown(_flt_0_courier=str(parcel.courier_id)) == {first, second}
    for bad in ("\x00", "x" * 10_000, "😀", "-1", "99999999999999"):
        for name in (
            "q",
            "_flt_0_status",
            "_flt_0_courier",
            "_oc_DispatchView",
            "psize_DispatchView",
        ):
            shown(**{name: bad})


def test_list_page_and_form_take_at_most_ten_statements(
    login: Any, sql_count: Any, parcel: Dispatch
) -> None:
    officer = login("petugas")
    urls = (
        LIST,
        LIST + "?q=P0&_flt_0_status=sent",
        f"/dispatches/show/{parcel.id}",
        edit_url(parcel),
    )
    for url in urls:
        with sql_count() as statements:
            assert officer.get(url).status_code == 200
        assert len(statements) <= 10, (url, statements)


def test_the_page_offers_number_courier_and_proof(login: Any, parcel: Dispatch) -> None:
    page = login("petugas").get(f"/dispatches/show/{parcel.id}").text
    assert f'data-copy="{parcel.tracking_number}"' in page
    assert f'href="{parcel.courier.tracking_page}"' in page
    assert f'href="/documents/show/{parcel.proof_id}"' in page
    assert parcel.recipient in page
    assert edit_url(parcel) in page


@pytest.mark.both
def test_without_the_right_to_see_personal_data_there_is_none(
    login: Any, session: Session, parcel: Dispatch
) -> None:
    parcel.status, parcel.received_by = "delivered", "Sri Wahyuni"
    parcel.delivered_at = parcel.sent_at
    session.commit()
    take_away(session, "Petugas Pengaduan", "see_personal", "Complaint")
    officer = login("petugas")
    for url in (LIST, f"/dispatches/show/{parcel.id}", "/dispatches/export"):
        text = officer.get(url).text
        for secret in (parcel.recipient, parcel.address, parcel.phone, "Sri Wahyuni"):
            assert secret not in text, (url, secret)
        assert "P•••" in text


def test_a_confidential_case_hides_its_parcel(
    login: Any, post: Any, session: Session, make_case: Any
) -> None:
    case = make_case("done", hide_identity=True)
    parcel = session.scalars(select(Dispatch).where(Dispatch.complaint_id == case.id)).one()
    take_away(session, "Petugas Pengaduan", "see_confidential", "Complaint")
    officer = login("petugas")
    assert case.number not in officer.get(LIST).text
    assert case.number not in officer.get("/dispatches/export").text
    assert officer.get(f"/dispatches/show/{parcel.id}").status_code == 404
    assert post(officer, edit_url(parcel), {"status": "returned"}).status_code == 404


@pytest.mark.parametrize(
    ("who", "listed", "edited", "exported"),
    [
        ("petugas", 200, 200, 200),
        ("operator", 200, 403, 403),
        ("subkoordinator", 200, 403, 403),
        ("kepala", 403, 403, 403),
        ("kabid", 403, 403, 403),
        ("admin", 403, 403, 403),
    ],
)
def test_each_role_does_its_part(
    login: Any, parcel: Dispatch, who: str, listed: int, edited: int, exported: int
) -> None:
    client = login(who)
    assert client.get(LIST).status_code == listed
    assert client.get(f"/dispatches/show/{parcel.id}").status_code == listed
    assert client.get(edit_url(parcel)).status_code == edited
    assert client.get("/dispatches/export").status_code == exported


@pytest.mark.parametrize("verb", ["add", "delete/1", "download/x", "action/x/1"])
def test_a_parcel_is_made_by_the_work_form_alone(login: Any, post: Any, verb: str) -> None:
    petugas = login("petugas")
    assert petugas.get(f"/dispatches/{verb}").status_code == 404
    assert post(petugas, f"/dispatches/{verb}").status_code == 404


# --- the status ----------------------------------------------------------------------------------


def form(parcel: Dispatch, **values: str) -> dict[str, str]:
    return {"shown": "1", "seen_version": str(parcel.version), **values}


@pytest.mark.both
def test_delivered_to_whom_and_when(
    login: Any, post: Any, session: Session, parcel: Dispatch
) -> None:
    day = local(parcel.sent_at).date() + timedelta(days=1)
    wanted = form(
        parcel, status="delivered", delivered_on=day.isoformat(), received_by="Sri Wahyuni",
        relation="istri", old_card="taken", return_reason="typed by mistake",
    )  # fmt: skip
    answer = post(login("petugas"), edit_url(parcel), wanted)
    assert answer.status_code == 303
    session.expire_all()
    assert (parcel.status, parcel.received_by, parcel.relation) == (
        "delivered",
        "Sri Wahyuni",
        "istri",
    )
    assert parcel.old_card_taken is True
    assert parcel.return_reason == ""
    assert parcel.delivered_at is not None
    assert local(parcel.delivered_at).date() == day
    assert parcel.version == 2
    event = session.scalars(select(CaseEvent).order_by(CaseEvent.id.desc())).first()
    assert event is not None
    assert event.kind == "parcel_delivered"


def test_returned_says_why(login: Any, post: Any, session: Session, parcel: Dispatch) -> None:
    wanted = form(parcel, status="returned", return_reason="Alamat tidak ditemukan")
    assert post(login("petugas"), edit_url(parcel), wanted).status_code == 303
    session.expire_all()
    assert (parcel.status, parcel.return_reason) == ("returned", "Alamat tidak ditemukan")
    assert parcel.delivered_at is None


REFUSALS = [
    ({"status": "delivered"}, "received_by"),
    ({"status": "delivered", "received_by": "  "}, "received_by"),
    ({"status": "returned"}, "return_reason"),
    ({"status": "lost"}, "status"),
    ({}, "status"),
    ({"status": "delivered", "received_by": "Sri", "delivered_on": "1999-01-01"}, "delivered_on"),
    ({"status": "delivered", "received_by": "Sri", "delivered_on": "2099-01-01"}, "delivered_on"),
    ({"status": "delivered", "received_by": "Sri", "delivered_on": "kemarin"}, "delivered_on"),
    ({"status": "delivered", "received_by": "S" * 10_000}, "received_by"),
    ({"status": "delivered", "received_by": "Sri", "relation": "x" * 61}, "relation"),
    ({"status": "delivered", "received_by": "Sri\x00"}, "received_by"),
    ({"status": "returned", "return_reason": "x" * 201}, "return_reason"),
    ({"status": "returned", "return_reason": "x", "returned_on": "1999-01-01"}, "returned_on"),
    ({"status": "returned", "return_reason": "x", "returned_on": "2099-01-01"}, "returned_on"),
    ({"status": "delivered", "received_by": "Sri", "old_card": "lost"}, "old_card"),
]


@pytest.mark.both
def test_a_refusal_stands_beside_its_field_and_keeps_what_was_typed(
    login: Any, post: Any, session: Session, parcel: Dispatch
) -> None:
    petugas = login("petugas")
    for values, field in REFUSALS:
        answer = post(petugas, edit_url(parcel), form(parcel, **values))
        assert answer.status_code == 422, values
        assert f'id="{field}-errors"' in answer.text, values
        if values.get("received_by") == "Sri":
            assert 'value="Sri"' in answer.text
    session.expire_all()
    assert (parcel.status, parcel.version) == ("sent", 1)


def test_an_emoji_is_a_name_like_any_other(
    login: Any, post: Any, session: Session, parcel: Dispatch
) -> None:
    wanted = form(parcel, status="delivered", received_by="Sri 😀")
    assert post(login("petugas"), edit_url(parcel), wanted).status_code == 303
    session.expire_all()
    assert parcel.received_by == "Sri 😀"


@pytest.mark.both
def test_of_two_editors_the_second_is_told(
    login: Any, post: Any, session: Session, parcel: Dispatch
) -> None:
    seen = form(parcel, status="delivered", received_by="Sri")
    assert post(login("petugas"), edit_url(parcel), seen).status_code == 303
    late = {**seen, "received_by": "Joko"}
    answer = post(login("petugas2"), edit_url(parcel), late)
    assert answer.status_code == 422
    assert 'value="Joko"' in answer.text
    for version in ("", "abc", "99999999999999999999", "-1"):
        answer = post(login("petugas2"), edit_url(parcel), {**late, "seen_version": version})
        assert answer.status_code == 422
    session.expire_all()
    assert parcel.received_by == "Sri"


def test_delivered_on_the_day_of_sending_is_possible(
    login: Any, post: Any, session: Session, parcel: Dispatch
) -> None:
    parcel.sent_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    session.commit()
    today = local(parcel.sent_at).date().isoformat()
    wanted = form(parcel, status="delivered", received_by="Sri", delivered_on=today)
    assert post(login("petugas"), edit_url(parcel), wanted).status_code == 303


# --- days, export --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "delivered", "days"),
    [
        pytest.param("sent", None, 3, id="under way until today"),
        pytest.param("delivered", datetime(2026, 6, 2, 1, 0, tzinfo=UTC), 1, id="until delivered"),
        pytest.param("returned", None, None, id="came back: no number"),
    ],
)
def test_days_are_days_of_the_office(
    status: str, delivered: datetime | None, days: int | None
) -> None:
    sent = datetime(2026, 5, 31, 18, 0, tzinfo=UTC)  # 1 June in Jakarta
    parcel = Dispatch(status=status, sent_at=sent, delivered_at=delivered)
    assert days_under_way(parcel, datetime(2026, 6, 3, 17, 30, tzinfo=UTC)) == days


def test_the_export_is_the_list_as_filtered_without_formulas(
    login: Any, session: Session, make_case: Any, parcel: Dispatch
) -> None:
    parcel.status, parcel.return_reason = "returned", "=1+1"
    session.commit()
    make_case("done")
    answer = login("petugas").get("/dispatches/export?_flt_0_status=returned")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == 2
    assert rows[1][0] == parcel.complaint.number
    assert rows[1][-1] == "'=1+1"


def test_a_courier_without_a_page_has_no_link(
    login: Any, session: Session, parcel: Dispatch
) -> None:
    page_of = session.get_one(Courier, parcel.courier_id)
    page_of.tracking_page = ""
    session.commit()
    page = login("petugas").get(f"/dispatches/show/{parcel.id}").text
    assert 'rel="noopener noreferrer"' not in page
    assert f'data-copy="{parcel.tracking_number}"' in page


@pytest.mark.browser
def test_only_what_belongs_to_the_status_is_asked(page: Any, parcel: Dispatch) -> None:
    window = page("petugas", width=390, height=844)
    window.goto(edit_url(parcel))
    received = window.locator("#received_by")
    assert not received.is_visible()
    window.locator("label.choice", has=window.locator("[value=delivered]")).click()
    assert received.is_visible()
    assert not window.locator("#return_reason").is_visible()
    received.fill("Sri Wahyuni")
    window.locator(".form-buttons button.btn-primary").click()
    window.wait_for_url(f"**/dispatches/show/{parcel.id}")
