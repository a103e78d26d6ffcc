"""The log of messages: who sees what, and what may be decided about a message, once."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.models import Complaint, Message, Role
from app.services.actor import Actor
from app.services.messages.deciding import CHOICES, cancel, choices_of, confirm_sent, send_again
from app.sop.errors import NotAllowedError, NotFoundError, RefusedError
from tests.support.visitor import Visitor, at_once

MAIL = "sri@example.org"
PHONE = "081200000017"
STATES = ("queued", "claimed", "handing", "unclear", "sent", "failed", "offered", "cancelled")
DECISIONS = {
    "sent": lambda s, m, a: confirm_sent(s, m, a, datetime.now(UTC)),
    "again": lambda s, m, a: send_again(s, m, a, datetime.now(UTC)),
    "cancel": cancel,
}


@pytest.fixture
def told(tell_case: Any) -> Complaint:
    """A case whose applicant is told in both ways."""
    return tell_case("intake", email=MAIL, phone=PHONE)


def take_away(session: Any, role: str, permission: str, view: str) -> None:
    found = session.query(Role).filter_by(name=role).one()
    found.permissions = [
        item
        for item in found.permissions
        if (item.permission.name, item.view_menu.name) != (permission, view)
    ]
    session.commit()


# --- what may be decided ---


@pytest.mark.parametrize("way", ["email", "whatsapp"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("choice", DECISIONS)
def test_only_what_the_table_offers_is_accepted(
    told: Complaint, messages: Any, session: Any, actor: Any, way: str, state: str, choice: str
) -> None:
    message = messages(told, way=way)[0]
    message.state = state
    session.commit()
    officer = actor("petugas")
    if choice in CHOICES.get((way, state), ()):
        DECISIONS[choice](session, message, officer)
        session.commit()
        assert message.state in {"sent": ["sent"], "again": ["queued", "offered"],
                                 "cancel": ["cancelled"]}[choice]  # fmt: skip
        return
    with pytest.raises(RefusedError) as refused:
        DECISIONS[choice](session, message, officer)
    assert refused.value.code == "message_changed"
    session.rollback()
    assert messages(told, way=way)[0].state == state


@pytest.mark.parametrize("choice", DECISIONS)
def test_nobody_decides_without_the_permission(
    told: Complaint, messages: Any, session: Any, actor: Any, choice: str
) -> None:
    message = messages(told, way="whatsapp")[0]
    with pytest.raises(NotAllowedError):
        DECISIONS[choice](session, message, actor("subkoordinator"))


@pytest.mark.parametrize("choice", DECISIONS)
def test_nobody_decides_about_a_case_he_may_not_know_of(
    told: Complaint, messages: Any, session: Any, choice: str
) -> None:
    told.confidential = True
    session.commit()
    outsider = Actor(None, "x", frozenset({("can_edit", "Message")}))
    with pytest.raises(NotFoundError):
        DECISIONS[choice](session, messages(told)[0], outsider)


def test_again_goes_to_the_address_that_the_case_has_now(
    told: Complaint, messages: Any, session: Any, actor: Any
) -> None:
    message = messages(told, way="email")[0]
    message.state, message.error, message.attempts = "failed", "mail_refused", 3
    told.email = "betul@example.org"
    session.commit()
    send_again(session, message, actor("petugas"), datetime.now(UTC))
    session.commit()
    assert (message.recipient, message.state) == ("betul@example.org", "queued")
    assert (message.attempts, message.error) == (0, "")
    message.state, told.email = "failed", ""
    session.commit()
    with pytest.raises(RefusedError) as refused:
        send_again(session, message, actor("petugas"), datetime.now(UTC))
    assert refused.value.code == "message_no_address"


@pytest.mark.both
def test_of_two_officers_one_confirms(
    app: Any, told: Complaint, messages: Any, session: Any, live_server: str
) -> None:
    message = messages(told, way="whatsapp")[0]
    path = f"/messages/sent/{message.id}"
    session.commit()
    officers = [Visitor(app, live_server, key) for key in ("petugas", "petugas2")]
    answers = at_once([lambda one=one: one.post(path, {"form_key": "x"}) for one in officers])
    assert [answer.status for answer in answers] == [303, 303]
    (message,) = messages(told, way="whatsapp")
    assert message.state == "sent"
    assert message.sent_by is not None


# --- pages ---


def test_the_case_page_offers_whatsapp_and_takes_the_confirmation(
    told: Complaint, messages: Any, login: Any, post: Any
) -> None:
    officer = login("petugas")
    page = officer.get(f"/complaints/show/{told.id}").text
    (link,) = re.findall(r'href="([^"]+)" target="_blank" rel="noopener noreferrer">', page)
    message = messages(told, way="whatsapp")[0]
    assert link == f"/messages/whatsapp/{message.id}"  # the number stands on no page of ours
    parts = urlsplit(officer.get(link).location)
    assert parts.netloc == "wa.me"
    assert parts.path == "/6281200000017"
    assert parse_qs(parts.query) == {"text": [message.body]}
    key = re.search(
        rf'action="/messages/sent/{message.id}".*?name="form_key" value="([^"]+)"', page, re.DOTALL
    )
    assert key is not None
    data = {"form_key": key[1]}
    assert post(officer, f"/messages/sent/{message.id}", data).status_code == 303
    message = messages(told, way="whatsapp")[0]
    assert (message.state, message.sent_by.username) == ("sent", "petugas")
    # A double click has no second effect and is no mistake.
    again = post(officer, f"/messages/sent/{message.id}", data, follow_redirects=True)
    assert "alert-danger" not in again.text
    page = officer.get(f"/complaints/show/{told.id}").text
    assert "wa.me" not in page


def test_a_case_without_messages_has_no_card(make_case: Any, login: Any) -> None:
    case = make_case("intake", phone="", email="")
    assert 'id="messages"' not in login("petugas").get(f"/complaints/show/{case.id}").text


def test_addresses_and_texts_are_for_who_may_see_them(
    told: Complaint, messages: Any, session: Any, login: Any
) -> None:
    first = messages(told, way="email")[0].id
    urls = ("/messages/list/", f"/messages/show/{first}", f"/complaints/show/{told.id}")
    take_away(session, "Petugas Pengaduan", "see_personal", "Complaint")
    for url in urls:
        page = login("petugas").get(url)
        assert page.status_code == 200
        for secret in (MAIL, PHONE, "6281200000017", told.check_pin, told.applicant_name):
            assert secret not in page.text, (url, secret)
    assert told.number not in login("petugas").get(f"/messages/list/?q={MAIL}").text


def test_the_address_is_not_told_by_the_mail_server_s_refusal_either(
    told: Complaint, messages: Any, session: Any, login: Any
) -> None:
    message = messages(told, way="email")[0]
    message.state, message.error = "failed", "mail_refused"
    message.error_params = {"said": f"550 5.1.1 <{MAIL}>: unknown"}
    session.commit()
    urls = ("/messages/list/", f"/messages/show/{message.id}", f"/complaints/show/{told.id}")
    for url in (*urls, None, *urls):
        if url is None:
            take_away(session, "Petugas Pengaduan", "see_personal", "Complaint")
            continue
        page = login("petugas").get(url).text
        assert MAIL not in page
        assert "550 5.1.1" in page


def test_the_list_is_searched_and_filtered(
    told: Complaint, tell_case: Any, messages: Any, session: Any, login: Any
) -> None:
    other = tell_case("intake", email="lain@example.org", phone="")
    failed = messages(other)[0]
    failed.state, failed.error = "failed", "mail_refused"
    failed.error_params = {"said": "550 <b>no</b>"}
    session.commit()
    officer = login("petugas")

    def numbers(**query: str) -> set[str]:
        page = officer.get("/messages/list/", query_string=query)
        assert page.status_code == 200
        return set(re.findall(r">(PGD-\d{4}-\d{6})</a>", page.text))

    assert numbers() == {told.number, other.number}
    assert numbers(q=other.number) == {other.number}
    assert numbers(q="LAIN@example.org") == {other.number}
    assert numbers(_flt_0_state="failed") == {other.number}
    assert numbers(_flt_0_way="whatsapp") == {told.number}
    assert numbers(_flt_0_occasion="finished") == set()
    for bad in ("\x00", "x" * 5000, "😀", "-1"):
        for name in ("q", "_flt_0_state", "_flt_0_way", "_oc_MessageView"):
            numbers(**{name: bad})
    page = officer.get("/messages/list/").text
    assert "550 &lt;b&gt;no&lt;/b&gt;" in page
    assert "/messages/edit" not in page


def test_a_message_of_a_confidential_case_is_not_there_for_others(
    told: Complaint, messages: Any, session: Any, login: Any, post: Any
) -> None:
    first = messages(told)[0].id
    told.confidential = True
    session.commit()
    take_away(session, "Petugas Pengaduan", "see_confidential", "Complaint")
    officer = login("petugas")
    assert told.number not in officer.get("/messages/list/").text
    assert officer.get(f"/messages/show/{first}").status_code == 404
    for choice in ("sent", "again", "cancel"):
        assert post(officer, f"/messages/{choice}/{first}").status_code == 404


def test_pages_take_at_most_ten_statements(
    told: Complaint, messages: Any, login: Any, sql_count: Any
) -> None:
    officer = login("petugas")
    urls = (
        "/messages/list/",
        f"/messages/show/{messages(told)[0].id}",
        f"/complaints/show/{told.id}",
    )
    for url in urls:
        with sql_count() as statements:
            assert officer.get(url).status_code == 200
        assert len(statements) <= 10, (url, statements)


def test_every_state_has_its_words() -> None:
    from app.services.messages import texts
    from app.views.messages import OCCASIONS, WAYS
    from app.views.messages import STATES as WORDS

    assert set(WORDS) == set(STATES)
    assert set(OCCASIONS) == set(texts.OCCASIONS)
    assert set(WAYS) == set(texts.WAYS)
    assert {state for _way, state in CHOICES} <= set(STATES)
    assert choices_of(Message(way="email", state="sent")) == ()


@pytest.mark.browser
def test_on_a_phone_a_message_is_sent_and_confirmed(
    page: Any, told: Complaint, messages: Any
) -> None:
    from tests.support.browser import axe_violations, overflow

    window = page("petugas", width=390, height=844)
    window.goto(f"/complaints/show/{told.id}")
    card = window.locator("#messages")
    card.locator("summary").first.click()
    assert told.number in card.inner_text()
    assert axe_violations(window) == []
    assert overflow(window) == []
    form = card.locator("form[action*='/messages/sent/']")
    form.locator("button").click()
    window.wait_for_selector("#messages .badge-ok")
    assert messages(told, way="whatsapp")[0].state == "sent"
    window.goto("/messages/list/")
    assert axe_violations(window) == []
    assert overflow(window) == []
