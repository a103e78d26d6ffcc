"""Numbers are masked; who needs them in full says why, and the log keeps it."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.models import AuditEvent, Message, Signatory
from app.views.revealing import MINUTES, OPEN
from tests.support.documents import take_away
from tests.support.panel import post
from tests.support.personal import PERSON, SECRETS

NUMBERS = [PERSON["nik"], PERSON["kk_number"], PERSON["phone"], PERSON["email"], PERSON["address"]]


@pytest.fixture
def case(make_case, session):
    """A case that waits for its SIAK check."""
    made = make_case("siak_check", applicant_name="Sri Pemohon", **PERSON)
    session.commit()
    return made


def revealed(session):
    session.rollback()
    rows = session.scalars(select(AuditEvent).where(AuditEvent.kind == "personal_data_revealed"))
    return [(row.actor_id, row.subject, json.loads(row.detail)) for row in rows]


def shown(client, case, page="show"):
    answer = client.get(f"/complaints/{page}/{case.id}")
    assert answer.status_code == 200
    return [number for number in NUMBERS if number in answer.text]


def test_asvs_b49_the_page_of_a_case_masks_every_number(login, case):
    page = login("petugas").get(f"/complaints/show/{case.id}").text
    assert [number for number in SECRETS if number in page] == []
    assert "33••••••••••7777" in page
    assert "Sri Pemohon" in page


@pytest.mark.parametrize(
    ("key", "url"),
    [
        pytest.param("petugas", "/complaints/list/", id="complaints"),
        pytest.param("petugas", "/documents/list/", id="documents"),
        pytest.param("petugas", "/dispatches/list/", id="parcels"),
        pytest.param("petugas", "/dispatches/show/1", id="a parcel"),
        pytest.param("petugas", "/messages/list/", id="messages"),
        pytest.param("petugas", "/queue/", id="queue"),
        pytest.param("kepala", "/signing/", id="signing"),
    ],
)
def test_asvs_b49_no_list_shows_a_number(login, make_case, session, key, url):
    make_case("done", **PERSON)
    make_case("signing", **PERSON)
    make_case("intake", **PERSON)
    session.commit()
    answer = login(key).get(url)
    assert answer.status_code == 200
    assert [secret for secret in SECRETS if secret in answer.text] == []


def test_asvs_b49_with_a_reason_the_numbers_are_shown_and_logged(login, case, session, user):
    client = login("petugas")
    answer = post(client, f"/complaints/reveal/{case.id}", {"reason": "mencocokkan KTP di loket"})
    assert (answer.status_code, answer.location) == (303, f"/complaints/show/{case.id}#applicant")
    assert shown(client, case) == NUMBERS
    [(actor_id, subject, detail)] = revealed(session)
    assert (actor_id, subject) == (user("petugas").id, f"complaint:{case.number}")
    assert detail["reason"] == "mencocokkan KTP di loket"
    assert not any(secret in str(detail) for secret in SECRETS)


@pytest.mark.parametrize("reason", ["", "   ", "...", "ok", None])
def test_asvs_b49_without_a_reason_nothing_is_shown(login, case, session, reason):
    client = login("petugas")
    data = {} if reason is None else {"reason": reason}
    assert post(client, f"/complaints/reveal/{case.id}", data).status_code == 303
    assert shown(client, case) == []
    assert revealed(session) == []


def test_asvs_b49_it_needs_its_own_permission(login, case, session):
    take_away(session, "Petugas Pengaduan", "can_reveal", "Complaint")
    client = login("petugas")
    page = client.get(f"/complaints/show/{case.id}").text
    assert "/complaints/reveal/" not in page
    answer = post(client, f"/complaints/reveal/{case.id}", {"reason": "mencocokkan KTP"})
    assert answer.status_code == 403
    assert shown(client, case) == []
    assert revealed(session) == []


def test_asvs_b49_another_case_and_another_officer_see_nothing(login, case, make_case, session):
    other = make_case("siak_check", **PERSON)
    session.commit()
    client = login("petugas")
    post(client, f"/complaints/reveal/{case.id}", {"reason": "mencocokkan KTP"})
    assert shown(client, other) == []
    assert shown(login("petugas2"), case) == []


def test_asvs_b49_after_some_minutes_they_are_masked_again(login, case):
    client = login("petugas")
    post(client, f"/complaints/reveal/{case.id}", {"reason": "mencocokkan KTP"})
    with client.session_transaction() as kept:
        long_ago = datetime.now(UTC) - timedelta(minutes=1)
        assert kept[OPEN][str(case.id)] <= datetime.now(UTC).timestamp() + 60 * MINUTES
        kept[OPEN] = {str(case.id): int(long_ago.timestamp())}
    assert shown(client, case) == []


@pytest.mark.parametrize("kept", [None, "x", [1], {"1": "x"}, {"1": None}, {"a": 99999999999}])
def test_a_broken_mark_in_the_session_opens_nothing(login, case, kept):
    client = login("petugas")
    with client.session_transaction() as values:
        values[OPEN] = kept
    assert shown(client, case) == []


def test_a_case_that_is_not_his_to_know_of_is_not_there(login, case, session):
    case.confidential = True
    take_away(session, "Petugas Pengaduan", "see_confidential", "Complaint")
    session.commit()
    answer = post(login("petugas"), f"/complaints/reveal/{case.id}", {"reason": "ingin tahu saja"})
    assert answer.status_code == 404
    assert revealed(session) == []


def test_asvs_b49_the_siak_form_shows_what_it_compares_and_logs_the_step(
    login, case, session, user
):
    client = login("operator")
    post(client, f"/complaints/start/{case.id}")
    assert PERSON["nik"] in client.get(f"/complaints/work/{case.id}").text
    assert revealed(session) == [
        (
            user("operator").id,
            f"complaint:{case.number}",
            {"field": "nik kk_number phone email address", "reason": "step siak_check"},
        )
    ]
    assert shown(client, case) == []  # the page of the case stays masked


def test_asvs_b49_other_steps_ask_for_a_reason(login, make_case, session):
    intake = make_case("intake", **PERSON)
    session.commit()
    client = login("petugas")
    post(client, f"/complaints/start/{intake.id}")
    assert shown(client, intake, "work") == []
    data = {"reason": "mencocokkan KTP asli", "from": "work"}
    answer = post(client, f"/complaints/reveal/{intake.id}", data)
    assert answer.location == f"/complaints/work/{intake.id}#applicant"
    assert shown(client, intake, "work") == NUMBERS
    assert len(revealed(session)) == 1


@pytest.mark.both
@pytest.mark.parametrize(
    ("key", "step", "url", "seen", "told"),
    [
        pytest.param(
            "petugas", "siak_check", "/complaints/edit/{case.id}", NUMBERS, "form correction",
            id="the correction form",
        ),
        pytest.param(
            "petugas", "dispatch", "/complaints/work/{case.id}", [PERSON["phone"]],
            "form step dispatch", id="the form of the step that sends",
        ),
        pytest.param(
            "petugas", "dispatch", "/desk/?case={case.number}", [PERSON["phone"]], "form desk",
            id="the dispatch desk",
        ),
    ],
)  # fmt: skip
def test_asvs_b49_a_form_that_opens_with_the_numbers_is_told(
    login, make_case, session, user, key, step, url, seen, told
):
    case = make_case(step, applicant_name="Sri Pemohon", **PERSON)
    session.commit()
    client = login(key)
    answer = client.get(url.format(case=case))
    assert answer.status_code == 200
    assert [number for number in NUMBERS if number in answer.text and number in seen] == seen
    [(actor_id, subject, detail)] = revealed(session)
    assert (actor_id, subject) == (user(key).id, f"complaint:{case.number}")
    assert detail["reason"] == told
    assert detail["field"]


def test_asvs_b49_a_form_without_the_numbers_tells_nothing(login, make_case, session):
    case = make_case("dispatch", **PERSON)
    session.commit()
    take_away(session, "Petugas Pengaduan", "see_personal", "Complaint")
    client = login("petugas")
    assert client.get(f"/complaints/edit/{case.id}").status_code == 403
    answer = client.get(f"/desk/?case={case.number}")
    assert [number for number in NUMBERS if number in answer.text] == []
    assert revealed(session) == []


def test_asvs_b49_the_nik_of_an_official_is_told_as_well(login, session, user):
    row = session.scalars(select(Signatory)).first()
    row.nik = PERSON["nik"]
    session.commit()
    answer = login("admin").get(f"/reference/signatories/edit/{row.id}")
    assert PERSON["nik"] in answer.text
    assert revealed(session) == [
        (user("admin").id, f"signatory:{row.id}", {"field": "nik", "reason": "form signatory"})
    ]


def test_asvs_b50_nothing_personal_in_urls_titles_cookies_or_logs(login, case, caplog, app):
    caplog.set_level(logging.DEBUG)
    client = login("petugas")
    answers = [
        post(client, f"/complaints/reveal/{case.id}", {"reason": "mencocokkan KTP di loket"}),
        client.get(f"/complaints/show/{case.id}"),
        post(client, "/complaints/search", {"q": PERSON["nik"]}),
        post(client, "/search/", {"q": PERSON["phone"]}),
    ]
    for answer in answers:
        assert "no-store" in answer.headers["Cache-Control"]
        places = str(answer.headers) + answer.text.partition("<title>")[2].partition("</title>")[0]
        assert [secret for secret in SECRETS if secret in places] == []
    with client.session_transaction() as kept:
        assert [secret for secret in SECRETS if secret in json.dumps(dict(kept), default=str)] == []
    assert [secret for secret in SECRETS if secret in caplog.text] == []


def test_asvs_b50_an_error_page_and_its_log_say_nothing_personal(
    login, case, caplog, app, session, monkeypatch
):
    """A value that another hand changed: a number for the administrator, no value."""
    from sqlalchemy import column, table, update

    url = f"/complaints/show/{case.id}"
    raw = table("complaint", column("phone"))
    session.execute(update(raw).values(phone="$a1$7e57ab1e$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
    session.commit()
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr(app, "testing", False)
    answer = login("petugas").get(url)
    assert answer.status_code == 500
    for secret in SECRETS:
        assert secret not in answer.text
        assert secret not in caplog.text


def test_asvs_b50_whatsapp_is_opened_from_an_address_without_the_number(login, case, session, user):
    message = session.scalars(select(Message).where(Message.way == "whatsapp")).first()
    client = login("petugas")
    url = f"/messages/whatsapp/{message.id}"
    page = client.get(f"/complaints/show/{case.id}").text
    assert url in page
    assert "wa.me" not in page
    answer = client.get(url)
    assert answer.location.startswith("https://wa.me/6281266667777?text=")
    assert [detail for _who, _what, detail in revealed(session)] == [
        {"field": "phone", "reason": "whatsapp receipt"}
    ]
    message.state = "sent"
    session.commit()
    assert client.get(url).status_code == 303
    assert client.get("/messages/whatsapp/999999").status_code == 404
