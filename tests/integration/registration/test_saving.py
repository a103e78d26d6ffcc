"""Saving a registration: once, with its time, its ticks and files, and passed on if complete."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import select

from app.models import Complaint, Document, DocumentKind, StagedUpload, StepRun
from tests.support import panel, samples
from tests.support.registration import (
    ADD,
    NIK,
    WIB,
    beside,
    count,
    form_key,
    staged,
    the_case,
    value_of,
)  # fmt: skip


@pytest.mark.both
def test_a_registration_is_saved_with_its_ticks_and_files(session, login, sent, filled, ids):
    client = login("petugas")
    opened = form_key(client.get(ADD).text)
    kk = ids(DocumentKind, "kk_asli")
    token = staged(client, "kk.jpg", samples.jpeg())
    values = filled(form_key=opened, **{"upload_token[]": token, "upload_kind[]": kk})
    values[f"check_{kk}"], values[f"check_note_{kk}"] = "unreadable", "buram"
    answer = sent(values, client=client)
    case = the_case(session)
    assert answer.status_code == 303
    assert answer.location.endswith(f"/complaints/show/{case.id}")
    assert (case.step_key, case.registered_by.username) == ("intake", "petugas")
    states = {check.kind.code: (check.state, check.note) for check in case.checks}
    assert states["kk_asli"] == ("unreadable", "buram")
    assert states["ktp_asli"] == ("present", "")
    (document,) = case.documents
    assert (document.kind.code, document.stage, document.original_name) == (
        "kk_asli", "requirement", "kk.jpg",
    )  # fmt: skip
    assert count(session, StagedUpload) == 0
    assert case.number in client.get("/users/userinfo/").text  # said after the commit


def test_the_work_clock_runs_since_the_empty_form_was_opened(session, clock, login, sent, filled):
    opened = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    clock(opened)
    client = login("petugas")
    key = form_key(client.get(ADD).text)
    clock(opened + timedelta(minutes=7))
    values = filled(form_key=key, received_at="2026-11-23T08:00")
    assert sent(values, client=client).status_code == 303
    (run,) = session.scalars(select(StepRun)).all()
    assert abs(run.started_at - opened) < timedelta(seconds=5)
    assert the_case(session).received_at == datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def test_at_the_counter_the_time_of_receipt_is_now(session, sent, filled):
    last_month = f"{datetime.now(WIB) - timedelta(days=30):%Y-%m-%dT%H:%M}"
    answer = sent(filled(channel_code="tatap_muka", received_at=last_month))
    assert answer.status_code == 303, answer.text
    case = the_case(session)
    assert datetime.now(UTC) - case.received_at < timedelta(minutes=1)


def test_a_message_without_a_time_was_received_now(session, sent, filled):
    assert sent(filled(received_at="")).status_code == 303
    assert datetime.now(UTC) - the_case(session).received_at < timedelta(minutes=1)


@pytest.mark.both
def test_sent_twice_is_one_case(session, login, sent, filled):
    client = login("petugas")
    values = filled(form_key=form_key(client.get(ADD).text))
    first = sent(values, client=client, files=[("kk.jpg", samples.jpeg())])
    again = sent(values, client=client, files=[("kk.jpg", samples.jpeg())])
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.location == again.location
    assert count(session) == 1
    assert count(session, Document) == 1
    assert count(session, StagedUpload) == 0


@pytest.mark.pooled
@pytest.mark.both
def test_sent_six_times_at_once_is_one_case(session, login, filled):
    client = login("petugas")
    token = staged(client, "kk.jpg", samples.jpeg())
    values = filled(form_key=form_key(client.get(ADD).text), **{"upload_token[]": token})
    values.add("csrf_token", panel.csrf(client))
    cookie = client.get_cookie("aduan")
    session.commit()

    def press(_number):
        other = client.application.test_client()
        other.set_cookie("aduan", cookie.value)
        return other.post(ADD, data=values)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(press, range(6)))
    assert [answer.status_code for answer in answers] == [303] * 6
    assert len({answer.location for answer in answers}) == 1
    assert count(session) == 1
    assert count(session, Document) == 1


def test_warnings_do_not_block_and_are_told(session, login, sent, filled):
    client = login("petugas")
    sent(filled(), client=client)
    answer = sent(filled(applicant_name="Siti", nik=NIK, sex="L"), client=client)
    assert answer.status_code == 303
    page = unescape(client.get(ADD).text)
    first = session.scalars(select(Complaint.number).order_by(Complaint.id)).first()
    assert "sex" in page.lower() or "kelamin" in page.lower()
    assert page.count("notice-warn") >= 3  # one word, the sex, and the other case
    assert first in page


# --- saving and passing on -----------------------------------------------------------------------


@pytest.mark.both
def test_a_complete_file_is_saved_and_passed_on_at_once(session, login, sent, filled):
    answer = sent(filled(), then="forward")
    assert answer.status_code == 303, answer.text
    case = the_case(session)
    assert case.step_key == "siak_check"
    assert [event.transition for event in case.events if event.transition] == ["verify_file"]


@pytest.mark.parametrize(
    ("changes", "anchor"),
    [
        pytest.param({"papers": "unreadable"}, "check-{kk}", id="an unreadable paper"),
        pytest.param({"papers": "missing"}, "check-{kk}", id="a missing paper"),
        pytest.param({"papers": None}, "check-{kk}", id="a paper nobody looked at"),
        pytest.param({"address": ""}, "address", id="no address"),
        pytest.param({"phone": ""}, "phone", id="neither phone nor email"),
    ],
)
def test_an_incomplete_file_is_not_passed_on_and_not_lost(
    session, login, sent, filled, ids, changes, anchor
):
    client = login("petugas")
    kk = ids(DocumentKind, "kk_asli")
    token = staged(client, "kk.pdf", samples.pdf())
    values = filled(**{"upload_token[]": token, "upload_kind[]": kk, **changes})
    answer = sent(values, client=client, then="forward")
    assert answer.status_code == 422
    assert beside(answer.text, anchor.format(kk=kk))
    assert count(session) == 0
    assert count(session, StagedUpload) == 1
    assert token in answer.text
    assert "kk.pdf" in answer.text
    assert re.search(rf'<option value="{kk}" selected', answer.text)
    assert value_of(answer.text, "text") == values["text"]
    # The same page, mended, goes through: the key was not spent by the refusal.
    mended = filled(
        form_key=form_key(answer.text), **{"upload_token[]": token, "upload_kind[]": kk}
    )
    assert sent(mended, client=client, then="forward").status_code == 303
    assert the_case(session).step_key == "siak_check"


def test_a_ticked_state_that_does_not_exist_is_refused(session, sent, filled, ids):
    kk = ids(DocumentKind, "kk_asli")
    answer = sent(filled(**{f"check_{kk}": "<b>maybe"}))
    assert answer.status_code == 422
    assert beside(answer.text, f"check-{kk}")
    assert count(session) == 0


@pytest.mark.parametrize("note", ["n" * 10_000, "buram\0"])
def test_a_bad_note_is_refused_beside_its_paper(session, sent, filled, ids, note):
    kk = ids(DocumentKind, "kk_asli")
    answer = sent(filled(**{f"check_{kk}": "unreadable", f"check_note_{kk}": note}))
    assert answer.status_code == 422
    assert beside(answer.text, f"check-{kk}")
    assert value_of(answer.text, f"check_note_{kk}") == note.replace("\0", "")
    assert count(session) == 0


def test_ticks_of_another_category_are_left_out(session, sent, filled, ids):
    letter = ids(DocumentKind, "surat_kematian")
    answer = sent(filled(**{f"check_{letter}": "present", "check_999999": "present"}))
    assert answer.status_code == 303
    assert "surat_kematian" not in {check.kind.code for check in the_case(session).checks}
