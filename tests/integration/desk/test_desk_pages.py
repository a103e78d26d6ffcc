"""The desk's pages: one parcel in one transaction, refusals beside their field, ready for the next."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Dispatch, Office
from app.services.dispatching import set_status
from tests.support import samples
from tests.support.forms import PageForm
from tests.support.parcels import DESK, fresh, parcel_of, parcels, take_away

# --- sending -------------------------------------------------------------------------------------


@pytest.mark.both
def test_parcel_proof_and_move_are_one_thing(
    window: Any, session: Session, make_case: Any, upload: Any, pos: int
) -> None:
    case = make_case("dispatch")
    petugas = window()
    form = petugas.open(case)
    assert form.fields["recipient"] == [case.applicant_name]
    assert case.address in form.fields["address"][0]
    answer = petugas.send(
        case, form, courier=pos, tracking_number="p26 1123-0000001", proof_token=upload()
    )
    assert (answer.status_code, answer.location) == (303, DESK)
    case = fresh(session, case)
    parcel = parcel_of(session, case)
    assert case.step_key == "done"
    assert (parcel.tracking_number, parcel.attempt, parcel.courier_id) == ("P2611230000001", 1, pos)
    assert parcel.proof.stage == "proof"
    event = session.scalars(select(CaseEvent).order_by(CaseEvent.id.desc())).first()
    assert event is not None
    assert event.transition == "send"
    assert event.details["tracking_number"] == "P2611230000001"
    page = petugas.client.get(DESK).text
    assert "P2611230000001" in page, "among what was sent today"
    assert case.number in page

    # The same form once more (a reload, a double click) changes nothing.
    again = petugas.send(case, form, courier=pos, tracking_number="P1", proof_token=upload())
    assert (again.status_code, again.location) == (303, DESK)
    assert parcels(session) == 1

    # The courier of the last parcel is there already.
    assert petugas.open(make_case("dispatch")).fields["courier"] == [str(pos)]


REFUSALS = [
    pytest.param({"courier": ""}, "courier", 422, id="no courier"),
    pytest.param({"courier": "999999"}, "courier", 422, id="no such courier"),
    pytest.param({"tracking_number": " - "}, "tracking_number", 422, id="no number"),
    pytest.param({"tracking_number": "x" * 41}, "tracking_number", 422, id="too long"),
    pytest.param({"tracking_number": "PGD-2026-000001"}, "tracking_number", 422, id="the label"),
    pytest.param({"recipient": "  "}, "recipient", 422, id="nobody"),
    pytest.param({"address": ""}, "address", 422, id="nowhere"),
    pytest.param({"phone": "not a phone"}, "phone", 422, id="no phone"),
    pytest.param({"cost": "gratis"}, "cost", 422, id="no sum"),
    pytest.param({"proof_token": None}, "proof", 422, id="no proof"),
    pytest.param({"proof_token": "made-up"}, "proof", 422, id="no proof of his"),
]


@pytest.mark.parametrize(("changes", "field", "status"), REFUSALS)
def test_a_refusal_stands_beside_its_field_and_nothing_moves(
    window: Any, session: Session, make_case: Any, upload: Any, pos: int,
    changes: dict[str, Any], field: str, status: int,
) -> None:  # fmt: skip
    case = make_case("dispatch")
    petugas = window()
    good = {"courier": pos, "tracking_number": "P2611230000001", "proof_token": upload()}
    form = petugas.open(case)
    answer = petugas.send(case, form, **{**good, **changes})
    assert answer.status_code == status
    assert f'id="{field}-errors"' in answer.text
    assert fresh(session, case).step_key == "dispatch"
    assert parcels(session) == 0
    if "tracking_number" not in changes:
        assert 'value="P2611230000001"' in answer.text, "what was typed is kept"
    before = {name: form.fields.get(name) for name in changes}
    mended = petugas.send(case, PageForm(answer.text, "desk"), **{**before, **good})
    assert mended.status_code == 303, "the same form is sent again after it was mended"
    assert fresh(session, case).step_key == "done"


@pytest.mark.both
def test_a_doubled_number_is_refused_beside_its_field_and_names_the_case(
    window: Any, session: Session, make_case: Any, upload: Any, pos: int
) -> None:
    first = make_case("done", hide_identity=True)
    number = parcel_of(session, first).tracking_number
    case = make_case("dispatch")
    petugas = window()
    sent = {"courier": pos, "tracking_number": number, "proof_token": upload()}
    answer = petugas.send(case, petugas.open(case), **sent)
    assert answer.status_code == 422
    found = re.search(r'id="tracking_number-errors">(.*?)</ul>', answer.text, re.DOTALL)
    assert found is not None
    assert first.number in found[1]
    take_away(session, "Petugas Pengaduan", "see_confidential", "Complaint")
    hidden = petugas.send(case, petugas.open(case), **{**sent, "proof_token": upload()})
    assert hidden.status_code == 422
    assert number in hidden.text
    assert first.number not in hidden.text
    live = petugas._post(petugas.client, "/desk/check", {"value": number, "courier": str(pos)})
    assert [finding["level"] for finding in live.json["findings"]] == ["error"]
    assert first.number not in live.text
    assert parcels(session) == 1


def test_an_odd_number_is_warned_of_and_sent_all_the_same(
    window: Any, session: Session, make_case: Any, upload: Any, pos: int
) -> None:
    case = make_case("dispatch")
    petugas = window()
    odd = {"courier": pos, "tracking_number": "ANEH-1", "proof_token": upload()}
    live = petugas._post(petugas.client, "/desk/check", {"value": "ANEH1", "courier": str(pos)})
    assert [finding["level"] for finding in live.json["findings"]] == ["warning"]
    assert petugas.send(case, petugas.open(case), **odd).status_code == 303
    page = petugas.client.get(DESK).text
    assert "notice-warn" in page or "flash-warning" in page
    assert fresh(session, case).step_key == "done"


def test_of_two_officers_at_one_case_the_second_is_told(
    window: Any, session: Session, make_case: Any, upload: Any, pos: int
) -> None:
    case = make_case("dispatch")
    first, second = window(), window("petugas2")
    forms = first.open(case), second.open(case)
    sent = {"courier": pos, "tracking_number": "P2611230000001", "proof_token": upload()}
    assert first.send(case, forms[0], **sent).location == DESK
    late = {"courier": pos, "tracking_number": "P2", "proof_token": upload("petugas2")}
    answer = second.send(case, forms[1], **late)
    assert answer.status_code == 303
    assert answer.location == f"{DESK}?case={case.number}"
    assert "P2611230000001" in second.client.get(answer.location).text
    assert parcels(session) == 1


def test_a_case_that_was_changed_meanwhile_is_looked_at_again(
    window: Any, session: Session, make_case: Any, upload: Any, pos: int
) -> None:
    case = make_case("dispatch")
    petugas = window()
    form = petugas.open(case)
    sent = {"courier": pos, "tracking_number": "P2611230000001", "proof_token": upload()}
    answer = petugas.send(case, form, **{**sent, "version": int(form.fields["version"][0]) - 1})
    assert answer.status_code == 409
    assert parcels(session) == 0
    assert petugas.send(case, PageForm(answer.text, "desk"), **sent).location == DESK


def test_without_scripts_the_photo_travels_with_the_form(
    window: Any, session: Session, make_case: Any, pos: int
) -> None:
    import io

    case = make_case("dispatch")
    petugas = window()
    photo = (io.BytesIO(samples.jpeg()), "resi.jpg")
    data = petugas.open(case).sent(courier=pos, tracking_number="P2611230000001")
    data.pop("csrf_token", None)
    answer = petugas._post(petugas.client, f"/desk/send/{case.id}", {**data, "proof": photo})
    assert (answer.status_code, answer.location) == (303, DESK)
    assert parcel_of(session, fresh(session, case)).proof.original_name == "resi.jpg"


# --- once more -----------------------------------------------------------------------------------


@pytest.mark.both
def test_what_came_back_is_sent_once_more_from_the_desk(
    window: Any, session: Session, make_case: Any, upload: Any, actor: Any, pos: int
) -> None:
    case = make_case("done")
    parcel = parcel_of(session, case)
    petugas = window()
    assert petugas.client.get(f"/complaints/show/{case.id}").text.count("/desk/?case=") == 0
    set_status(
        session, parcel, "returned", actor("petugas"), now=datetime.now(UTC),
        expected_version=parcel.version, return_reason="Alamat tidak ditemukan",
    )  # fmt: skip
    session.commit()
    for url in (f"/complaints/show/{case.id}", f"/dispatches/show/{parcel.id}", "/desk/returned"):
        assert f"/desk/?case={case.number}" in petugas.client.get(url).text, url
    form = petugas.open(case)
    assert form.fields["recipient"] == [parcel.recipient]
    sent = {"courier": pos, "tracking_number": "P2611230000002", "address": "Jl. Baru 2, Batang"}
    assert petugas.send(case, form, **sent).status_code == 422, "without its own proof"
    answer = petugas.send(case, form, **sent, proof_token=upload())
    assert (answer.status_code, answer.location) == (303, DESK)
    case = fresh(session, case)
    assert (case.step_key, case.round, len(case.dispatches)) == ("done", 1, 2)
    again = parcel_of(session, case)
    assert (again.attempt, again.address) == (2, "Jl. Baru 2, Batang")
    page = petugas.client.get(f"/complaints/show/{case.id}").text
    assert page.index('id="dispatch-2"') < page.index('id="dispatch-1"'), "the latest first"
    assert f"/desk/?case={case.number}" not in page
    assert case.number not in petugas.client.get("/desk/returned").text
    refused = petugas._post(
        petugas.client, f"/dispatches/edit/{parcel.id}",
        {"shown": "1", "seen_version": str(parcel.version), "status": "delivered",
         "received_by": "Sri"},
    )  # fmt: skip
    assert refused.status_code == 422
    assert 'id="status-errors"' in refused.text


# --- what waits ----------------------------------------------------------------------------------


def test_a_quiet_parcel_is_listed_until_its_news_are_noted(
    window: Any, session: Session, make_case: Any
) -> None:
    case = make_case("done")
    parcel = parcel_of(session, case)
    parcel.sent_at = datetime.now(UTC) - timedelta(days=9)
    session.commit()
    petugas = window()
    page = petugas.client.get("/desk/quiet")
    assert case.number in page.text
    assert f'data-copy-first="{parcel.tracking_number}"' in page.text
    assert f'href="{parcel.courier.tracking_page}"' in page.text
    news = {"seen_version": str(parcel.version), "news": "Tiba di Kantor Pos Batang"}
    url = f"/desk/news/{parcel.id}"
    stale = petugas._post(petugas.client, url, {**news, "seen_version": "0"})
    assert stale.status_code == 303
    assert case.number in petugas.client.get("/desk/quiet").text, "the stale one changed nothing"
    assert petugas._post(petugas.client, url, news).location == "/desk/quiet"
    assert case.number not in petugas.client.get("/desk/quiet").text
    assert "Tiba di Kantor Pos Batang" in petugas.client.get(f"/complaints/show/{case.id}").text

    session.execute(select(Office)).scalar_one().quiet_days = 10
    parcel = session.get_one(Dispatch, parcel.id)
    parcel.news_at = parcel.sent_at
    session.commit()
    assert case.number not in petugas.client.get("/desk/quiet").text, "the office waits longer now"
