"""Asking again who it is: before users, roles and signatures, when it was asked too long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from app.models import AuditEvent, Role, User
from app.stepup import ANSWER, PROVED
from tests.support.forms import PageForm
from tests.support.looking import changes, dump
from tests.support.panel import PASSWORD, csrf, engine_of, post

ASKING = [
    ("admin", "/users/add"),
    ("admin", "/users/edit/{operator}"),
    ("admin", "/roles/add"),
    ("admin", "/roles/edit/1"),
    ("admin", "/resetpassword/form?pk={operator}"),
]


def grow_stale(client, minutes: int = 11):
    """Who sits there proved long ago who he is."""
    with client.session_transaction() as kept:
        kept[PROVED] = int((datetime.now(UTC) - timedelta(minutes=minutes)).timestamp())
    return client


SIGNING = [
    ("/signing/start", {"case": "{case}", "version_{case}": "1"}),
    ("/signing/bring/{case}", {}),
    ("/complaints/action/sign/{case}", {}),
    ("/complaints/batch", {"action": "sign", "rowid": "{case}"}),
    ("/complaints/work/{case}", {"transition": "sign", "step": "signing", "shown": "1"}),
]


@pytest.mark.parametrize(("url", "form"), SIGNING, ids=[url for url, _ in SIGNING])
def test_asvs_b8_signing_asks_who_it_is_wherever_it_is_done(
    app, session, login, make_case, url, form
):
    case = make_case("signing")
    session.commit()
    filled = {name.format(case=case.id): value.format(case=case.id) for name, value in form.items()}
    head = grow_stale(login("kepala"))
    before = dump(engine_of(app))
    asked = post(head, url.format(case=case.id), filled)
    assert asked.status_code == 401
    assert changes(before, dump(engine_of(app))) == []
    kept = PageForm(asked.text, "confirm-form").fields
    assert {name: kept[name] for name in filled} == {name: [text] for name, text in filled.items()}
    # Other work of the head is not asked about.
    assert head.get(f"/complaints/show/{case.id}").status_code == 200
    assert 'id="passphrase"' not in head.get("/signing/").text
    assert post(head, "/confirm/", {ANSWER: PASSWORD}).status_code == 303
    assert "/confirm/" not in head.get("/signing/").text
    assert post(head, url.format(case=case.id), filled).status_code != 401


def new_role(**changes):
    return {"name": "Arsiparis", "permissions": ["1"], "shown": "1", **changes}


@pytest.mark.parametrize(("key", "url"), ASKING, ids=[url for _, url in ASKING])
def test_asvs_b8_a_page_of_administration_asks_who_it_is_and_leads_back(login, user, key, url):
    url = url.format(operator=user("operator").id)
    client = login(key)
    assert client.get(url).status_code == 200
    answer = grow_stale(client).get(url)
    assert answer.status_code == 303
    question = urlsplit(answer.location)
    assert question.path == "/confirm/"
    assert parse_qs(question.query)["next"] == [url]
    page = client.get(answer.location)
    assert page.status_code == 200
    assert 'type="password"' in page.text
    wrong = post(client, answer.location, {ANSWER: "not it"})
    assert wrong.status_code == 401
    assert client.get(url).status_code == 303
    right = post(client, answer.location, {ANSWER: PASSWORD})
    assert (right.status_code, right.location) == (303, url)
    assert client.get(url).status_code == 200


def test_asvs_b8_a_form_sent_late_is_kept_and_goes_through_with_the_answer(app, login, session):
    admin = grow_stale(login("admin"))
    before = dump(engine_of(app))
    asked = post(admin, "/roles/add", new_role())
    assert asked.status_code == 401
    assert changes(before, dump(engine_of(app))) == []
    kept = PageForm(asked.text, "confirm-form").fields
    assert kept["name"] == ["Arsiparis"]
    assert kept["permissions"] == ["1"]
    kept[ANSWER] = "not it"
    again = post(admin, "/roles/add", kept)
    assert again.status_code == 401
    assert PageForm(again.text, "confirm-form").fields["name"] == ["Arsiparis"]
    # That it was tried is counted and logged; nothing of the form is done.
    touched = {line.partition(":")[0] for line in changes(before, dump(engine_of(app)))}
    assert touched == {"sign_in_throttle"}
    last = session.scalars(select(AuditEvent.kind).order_by(AuditEvent.id.desc())).first()
    assert last == "confirm_failed"
    kept[ANSWER] = PASSWORD
    assert post(admin, "/roles/add", kept).status_code == 303
    assert session.scalars(select(Role).where(Role.name == "Arsiparis")).one()
    # Once answered, the next form is not asked about.
    assert post(admin, "/roles/add", new_role(name="Arsiparis 2")).status_code == 303


def test_asvs_b8_no_password_that_was_typed_stands_in_the_question(login):
    admin = grow_stale(login("admin"))
    typed = {
        "username": "rudi",
        "password": "rahasia sekali ya",
        "conf_password": "rahasia sekali ya",
    }
    asked = post(admin, "/users/add", typed)
    assert asked.status_code == 401
    assert "rudi" in asked.text
    assert "rahasia" not in asked.text


def test_asvs_b8_a_script_is_told_where_to_ask(login):
    admin = grow_stale(login("admin"))
    asked = post(admin, "/roles/add", new_role(), headers={"Accept": "application/json"})
    assert asked.status_code == 401
    assert asked.json["error"] == "confirm"
    assert asked.json["url"].startswith("/confirm/")


@pytest.mark.parametrize(
    "proved", [None, "now", -1, 2**31 - 1, True, 1.5], ids=lambda value: repr(value)
)
def test_asvs_b8_what_is_no_time_proves_nothing(login, proved):
    admin = login("admin")
    with admin.session_transaction() as kept:
        kept[PROVED] = proved
    assert admin.get("/roles/add").status_code == 303


def test_asvs_b8_who_may_not_is_refused_without_being_asked(login):
    assert grow_stale(login("operator")).get("/roles/add").status_code == 403


def test_asvs_b8_the_question_leads_to_this_host_only(login):
    admin = login("admin")
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        answer = admin.post(
            "/confirm/",
            query_string={"next": target},
            data={ANSWER: PASSWORD, "csrf_token": csrf(admin)},
        )
        assert answer.status_code == 303
        assert answer.location == "/"


def test_asvs_b8_a_stranger_is_led_to_the_sign_in_page(client):
    answer = client.get("/confirm/?next=/roles/add")
    assert answer.status_code == 303
    assert answer.location.startswith("/login/?next=")


def test_asvs_b8_signing_in_is_the_first_answer(client, session):
    post(client, "/login/", {"username": "admin", "password": PASSWORD})
    assert client.get("/roles/add").status_code == 200
    assert session.scalars(select(User).where(User.username == "admin")).one().active
