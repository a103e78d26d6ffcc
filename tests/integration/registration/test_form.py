"""The registration form itself: who sees what of it, without scripts, within its limits."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.models import DocumentKind, Region
from tests.support import samples
from tests.support.registration import ADD, beside, count, edit_url, the_case

# --- without scripts -----------------------------------------------------------------------------


def test_the_papers_of_a_category_can_be_asked_for_without_scripts(session, sent, filled, ids):
    answer = sent(filled(category_code="KIA", papers=None, applicant_name=""), then="refresh")
    assert answer.status_code == 200
    assert f'name="check_{ids(DocumentKind, "akta_kelahiran")}"' in answer.text
    assert not beside(answer.text, "applicant_name")
    assert count(session) == 0


# --- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"),
    [("petugas", 200), ("operator", 403), ("kepala", 403), ("kabid", 403), ("admin", 403)],
)
def test_only_who_may_add_sees_the_form(login, who, status):
    assert login(who).get(ADD).status_code == status


def test_who_may_not_pass_on_sees_no_such_button_and_only_saves(
    session, login, sent, filled, without
):
    without("verify_file")
    assert 'value="forward"' not in login("petugas").get(ADD).text
    assert sent(filled(), then="forward").status_code == 303
    assert the_case(session).step_key == "intake"


def test_a_confidential_case_is_saved_by_who_may_not_see_it(session, login, sent, filled, without):
    without("see_confidential")
    client = login("petugas")
    values = filled(category_code="PUNGLI")
    answer = sent(values, client=client, then="forward")
    assert answer.status_code == 422
    assert count(session) == 0
    answer = sent(values, client=client)
    assert (answer.status_code, answer.location) == (303, "/complaints/list/")
    assert the_case(session).confidential


def test_who_may_not_upload_has_no_place_for_files(session, login, sent, filled, without):
    without("can_add", "Upload")
    assert "data-dropzone" not in login("petugas").get(ADD).text
    assert sent(filled(), files=[("kk.jpg", samples.jpeg())]).status_code == 303
    assert the_case(session).documents == []


def test_who_may_not_read_personal_data_does_not_correct_it(login, case, without):
    without("see_personal")
    assert login("petugas").get(edit_url(case)).status_code == 403


# --- its limits ----------------------------------------------------------------------------------


def test_a_form_beyond_every_limit_is_answered_in_words(session, sent, filled):
    answer = sent(filled(), files=[("kk.jpg", bytes(43 * 1024 * 1024))])
    assert answer.status_code == 413
    assert "<h1>" in answer.text
    assert count(session) == 0


def test_opening_the_form_takes_few_statements(login, sql_count):
    client = login("petugas")
    with sql_count() as statements:
        answer = client.get(ADD)
    assert answer.status_code == 200
    assert len(statements) <= 10, statements
    assert len(answer.data) < 150_000


def test_regions_in_the_form_are_those_of_the_table(session, login):
    page = login("petugas").get(ADD).text
    villages = session.scalar(
        select(func.count()).select_from(Region).where(Region.kind != "kecamatan")
    )
    assert page.count("data-parent=") == villages
