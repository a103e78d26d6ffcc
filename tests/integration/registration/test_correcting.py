"""Correcting a case: what is refused and kept, two editors at once, who may."""

from __future__ import annotations

import pytest

from app.models import Category
from tests.support.registration import NIK, REFUSALS, beside, edit_url, the_case, value_of


def test_a_correction_is_prefilled_and_saved(session, login, sent, filled, case):
    client = login("petugas")
    page = client.get(edit_url(case)).text
    assert value_of(page, "nik") == NIK
    assert value_of(page, "text") == case.text
    before = case.received_at
    values = filled(papers=None, version=str(case.version), shown="1", applicant_name="Budi Betul")
    values["received_at"] = value_of(page, "received_at")
    assert sent(values, client=client, url=edit_url(case)).status_code == 303
    session.expire_all()
    changed = the_case(session)
    assert changed.applicant_name == "Budi Betul"
    assert changed.received_at == before
    assert changed.version == 2
    assert len(changed.checks) == 8


def test_what_a_correction_leaves_out_stays(session, sent, case):
    answer = sent({"version": str(case.version), "address": "Jl. Baru"}, url=edit_url(case))
    assert answer.status_code == 303, answer.text
    session.expire_all()
    changed = the_case(session)
    assert (changed.address, changed.nik, changed.region_code) == (
        "Jl. Baru", NIK, "33.25.01.2001",
    )  # fmt: skip


@pytest.mark.parametrize(("changes", "field"), REFUSALS)
def test_a_bad_correction_is_refused_beside_its_field(session, sent, filled, case, changes, field):
    values = filled(papers=None, version=str(case.version), shown="1", **changes)
    answer = sent(values, url=edit_url(case))
    assert answer.status_code == 422
    assert beside(answer.text, field)
    session.expire_all()
    assert the_case(session).version == 1


def test_of_two_editors_the_later_is_told_and_loses_nothing(session, login, sent, filled, case):
    seen = str(case.version)
    mine = filled(papers=None, version=seen, shown="1", address="Jl. Saya", phone="081200000008")
    theirs = filled(papers=None, version=seen, shown="1", address="Jl. Mereka")
    assert sent(theirs, who="petugas2", url=edit_url(case)).status_code == 303
    client = login("petugas")
    answer = sent(mine, client=client, url=edit_url(case))
    assert answer.status_code == 409
    assert value_of(answer.text, "address") == "Jl. Saya"
    assert "Dewi Lestari" in answer.text
    assert "Jl. Mereka" in answer.text  # what is stored now
    session.expire_all()
    assert the_case(session).address == "Jl. Mereka"
    mine["version"] = value_of(answer.text, "version")
    assert sent(mine, client=client, url=edit_url(case)).status_code == 303
    session.expire_all()
    assert the_case(session).address == "Jl. Saya"


@pytest.mark.parametrize("version", ["", "-1", "x", "9" * 30, "\0", "²"])
def test_a_version_that_never_was_changes_nothing(session, sent, filled, case, version):
    values = filled(papers=None, version=version, shown="1", address="Jl. Lain")
    assert sent(values, url=edit_url(case)).status_code == 409
    session.expire_all()
    assert the_case(session).address == "Jl. Contoh No. 1"


@pytest.mark.parametrize("step", ["done", "resolved", "withdrawn"])
def test_a_finished_case_is_not_corrected(session, login, sent, filled, make_case, step):
    case = make_case(step)
    client = login("petugas")
    assert client.get(edit_url(case)).status_code == 303
    name = case.applicant_name
    values = filled(papers=None, version=str(case.version), shown="1")
    assert sent(values, client=client, url=edit_url(case)).status_code == 303
    session.expire_all()
    assert case.applicant_name == name


def test_a_category_switched_off_since_may_stay_but_not_be_chosen(session, sent, filled, case, ids):
    category = session.get_one(Category, case.category_id)
    category.active = False
    values = filled(papers=None, version="1", shown="1", address="Jl. Baru")
    assert sent(values, url=edit_url(case)).status_code == 303
    assert sent(filled()).status_code == 422


@pytest.mark.parametrize(
    ("who", "status"), [("petugas", 200), ("operator", 403), ("kabid", 403), ("admin", 403)]
)
def test_only_who_may_edit_corrects(login, case, who, status):
    assert login(who).get(edit_url(case)).status_code == status


@pytest.mark.parametrize("pk", ["0", "999999", "x", "9" * 30, "%00"])
def test_a_case_that_is_not_there_is_not_corrected(login, pk):
    assert login("petugas").get(f"/complaints/edit/{pk}").status_code == 404
