"""The work form in a browser."""

from __future__ import annotations

import pytest

from app.models import Complaint
from tests.support import samples


@pytest.mark.browser
def test_a_parcel_is_sent_from_a_phone(make_case, page, session, tmp_path):
    pk = make_case("dispatch").id
    photo = tmp_path / "resi.jpg"
    photo.write_bytes(samples.jpeg())
    phone = page("petugas", width=390, height=844)
    phone.goto(f"/complaints/work/{pk}")
    phone.select_option("#courier", label="SiCepat")
    phone.fill("#tracking_number", "ABC-1")
    phone.wait_for_selector("#tracking_number-findings .finding-warning")
    phone.fill("#tracking_number", "0012 3456 7890")
    phone.wait_for_selector("#tracking_number-findings .finding-warning", state="detached")
    phone.set_input_files("#proof", photo)
    phone.wait_for_selector('input[name="proof_token"][value]:not([value=""])', state="attached")
    phone.click('button[name="transition"][value="send"]')
    phone.wait_for_url(f"**/complaints/show/{pk}")
    session.expire_all()
    case = session.get_one(Complaint, pk)
    assert case.step_key == "done"
    assert case.dispatches[0].tracking_number == "001234567890"


@pytest.mark.browser
def test_a_return_is_confirmed_and_what_belongs_to_the_answer_is_shown(make_case, page, session):
    pk = make_case("siak_check").id
    desk = page("operator")
    desk.goto(f"/complaints/work/{pk}")
    assert not desk.is_visible("#draft_reference")
    desk.check('input[name="result"][value="mismatch"]')
    assert desk.is_visible("#differences")
    assert not desk.is_visible("#draft_reference")
    desk.check('input[name="differences"][value="nama"]')
    desk.fill("#reason", "beda satu huruf")
    desk.click('button[value="siak_mismatch"]')
    desk.click("#confirm-dialog [data-dialog-ok]")
    desk.wait_for_url(f"**/complaints/show/{pk}")
    session.expire_all()
    assert session.get_one(Complaint, pk).step_key == "returned"
