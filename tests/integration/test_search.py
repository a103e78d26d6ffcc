"""The search box and the lists: what one may ask, what is answered, and where the words never are."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models import CaseWord, Complaint, NameWord
from tests.support.cases import CaseMaker
from tests.support.panel import Statements, csrf, post

NIK = "3325014107900007"
Login = Callable[[str], FlaskClient]


@pytest.fixture
def case(make_case: CaseMaker) -> Complaint:
    return make_case(
        "intake", applicant_name="Kartini Pemohonwati", nik=NIK, checked=False, files=False
    )


def ask(client: FlaskClient, words: str) -> TestResponse:
    return post(client, "/search/find", {"q": words})


def place(answer: TestResponse) -> str:
    assert answer.status_code == 303
    return answer.headers["Location"]


# --- the box -------------------------------------------------------------------------------------


def test_the_box_stands_on_every_page_of_who_may_search(login: Login, case: Complaint) -> None:
    petugas = login("petugas")
    for url in ("/queue/", "/complaints/list/", f"/complaints/show/{case.id}", "/sop/"):
        page = petugas.get(url).text
        assert page.count('role="combobox"') == 1, url
    for other in ("kabid", "admin"):
        assert "data-find" not in login(other).get("/sop/").text


@pytest.mark.both
def test_an_answer_names_the_case_and_the_reason(login: Login, case: Complaint) -> None:
    answer = ask(login("petugas"), NIK)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert f'href="/complaints/show/{case.id}"' in answer.text
    assert "<mark>3325••••••••0007</mark>" in answer.text
    assert "Kartini Pemohonwati" in answer.text
    assert NIK not in answer.text
    assert "<mark>Kartini</mark> Pemohonwati" in ask(login("petugas"), "kartini").text


def test_an_answer_is_a_part_of_a_page_with_nothing_to_run(login: Login, case: Complaint) -> None:
    case.applicant_name = "<script>alert(1)</script> Kartini"
    text = ask(login("petugas"), "kartini").text
    assert "&lt;script&gt;" in text
    assert not re.search(r"<script|<html| on\w+=| style=", text)


@pytest.mark.parametrize("who", ["kabid", "admin"])
def test_who_may_not_list_complaints_is_refused(login: Login, who: str) -> None:
    assert ask(login(who), "kartini").status_code == 403


def test_a_stranger_is_led_to_the_sign_in(client: FlaskClient) -> None:
    answer = ask(client, "kartini")
    assert answer.status_code in (302, 303)
    assert "/login/" in answer.headers["Location"]


def test_without_a_token_nothing_is_answered(login: Login) -> None:
    assert login("petugas").post("/search/find", data={"q": "kartini"}).status_code == 400
    assert login("petugas").get("/search/find?q=kartini").status_code == 405


def test_too_much_is_refused(login: Login) -> None:
    assert ask(login("petugas"), "9" * 10_000).status_code == 413
    assert ask(login("petugas"), "9" * 1_000).status_code == 200


def test_too_many_are_refused_and_a_typing_officer_is_not(
    make_app: Callable[..., Flask], session: Session
) -> None:
    from tests.integration.test_access_matrix import client_of

    app = make_app(RATELIMIT_ENABLED=True)
    client = client_of(app, "petugas")
    token = csrf(client)

    def search() -> int:
        data = {"q": "kartini", "csrf_token": token}
        return client.post("/search/find", data=data).status_code

    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        # Six letters a second for a minute, as fast as the box asks.
        for _second in range(60):
            assert [search() for _ in range(6)] == [200] * 6
            clock.shift(timedelta(seconds=1))
        clock.shift(timedelta(minutes=5))
        answers = [search() for _ in range(160)]
        assert answers[:150] == [200] * 150
        assert set(answers[150:]) == {429}
        assert {client_of(app, "operator").get("/queue/").status_code} == {200}


def test_statements_of_an_answer(
    login: Login,
    case: Complaint,
    sql_count: Callable[[], AbstractContextManager[Statements]],
) -> None:
    petugas = login("petugas")
    ask(petugas, "warm")
    for words, most in ((NIK, 4), ("kartini", 7), (case.number, 4)):
        with sql_count() as statements:
            assert "find-hit" in ask(petugas, words).text
        assert len(statements) <= most, words


# --- the box without scripts ---------------------------------------------------------------------


def test_the_form_leads_to_the_list_and_a_number_to_its_case(login: Login, case: Complaint) -> None:
    petugas = login("petugas")
    assert place(post(petugas, "/search/", {"q": ""})) == "/complaints/list/"
    assert place(post(petugas, "/search/", {"q": case.number})) == f"/complaints/show/{case.id}"
    led = place(post(petugas, "/search/", {"q": "kartini"}))
    assert urlsplit(led).path == "/complaints/list/"
    assert case.number in petugas.get(led).text


# --- words never stand in an address -------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "who"),
    [
        ("/search/", "petugas"),
        ("/complaints/search", "petugas"),
        ("/documents/search", "operator"),
        ("/dispatches/search", "petugas"),
        ("/messages/search", "petugas"),
    ],
)
@pytest.mark.parametrize("words", [NIK, "3325014", "Kartini", "081298765432", "@kartini"])
def test_personal_words_are_in_no_address_log_or_cookie(
    login: Login, case: Complaint, caplog: pytest.LogCaptureFixture, url: str, who: str, words: str
) -> None:
    client = login(who)
    with caplog.at_level(logging.DEBUG):
        answer = post(client, url, {"q": words})
        led = place(answer)
        page = client.get(led)
    assert page.status_code == 200
    assert words not in led
    assert words not in caplog.text
    cookies = " ".join(answer.headers.getlist("Set-Cookie") + page.headers.getlist("Set-Cookie"))
    assert words not in cookies
    with client.session_transaction() as kept:
        assert words not in str(dict(kept))
    # Nor in any link of the page: paging, order, export.
    links = re.findall(r'(?:href|action)="([^"]*)"', page.text)
    assert not [link for link in links if words in link]
    assert f'value="{words}"' in page.text


def test_a_list_that_somebody_addressed_by_hand_links_sealed(login: Login, case: Complaint) -> None:
    page = login("petugas").get(f"/complaints/list/?q={NIK}").text
    assert case.number in page
    links = re.findall(r'(?:href|action)="([^"]*)"', page)
    assert [link for link in links if "q=~" in link or "q=%7E" in link]
    assert not [link for link in links if NIK in link]


def test_a_number_stays_readable(login: Login, case: Complaint) -> None:
    led = place(post(login("petugas"), "/complaints/search", {"q": case.number}))
    assert parse_qs(urlsplit(led).query) == {"q": [case.number]}


def test_filters_and_order_come_along(login: Login, case: Complaint) -> None:
    form = {
        "q": "kartini",
        "_flt_0_step": "intake",
        "_oc_ComplaintView": "number",
        "_od_ComplaintView": "desc",
        "psize_ComplaintView": "10",
        "_flt_0_channel": "",
        "strange": "1",
        "_flt_0_category": "x" * 500,
    }
    client = login("petugas")
    led = place(post(client, "/complaints/search", form))
    asked = parse_qs(urlsplit(led).query)
    assert set(asked) == {
        "q", "_flt_0_step", "_oc_ComplaintView", "_od_ComplaintView", "psize_ComplaintView",
    }  # fmt: skip
    assert case.number in client.get(led).text


def test_sealed_words_are_for_the_one_who_searched_and_for_hours(
    login: Login, case: Complaint
) -> None:
    led = place(post(login("petugas"), "/complaints/search", {"q": NIK}))
    assert case.number in login("petugas").get(led).text
    other = login("operator").get(led)
    assert other.status_code == 200
    assert case.number not in other.text
    assert "tidak dapat dibaca lagi" in other.text
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=13)):
        assert case.number not in login("petugas").get(led).text


@pytest.mark.parametrize(
    "tampered",
    ["~", "~~", "~abc", "~" + "A" * 60, "~" + "A" * 5000, "~é", "~%00", "~=", "~AAAA===="],
)
def test_what_is_not_sealed_by_us_shows_nothing(
    login: Login, case: Complaint, tampered: str
) -> None:
    answer = login("petugas").get("/complaints/list/", query_string={"q": tampered})
    assert answer.status_code == 200
    assert case.number not in answer.text


# --- the list finds what the box finds -----------------------------------------------------------


@pytest.mark.pooled
@pytest.mark.both
def test_the_list_shows_the_cases_of_the_box(
    login: Login, case: Complaint, make_case: CaseMaker
) -> None:
    other = make_case(
        "intake", applicant_name="Nur'aini Kartika", phone="081298765432",
        external_ticket="LAPOR-77", checked=False, files=False,
    )  # fmt: skip
    client = login("petugas")
    for words, expected in {
        "kart": {case, other},
        "kartini": {case},
        "kartiniii": {case, other},
        "ohonwa": {case},
        "nuraini": {other},
        "kartika nur": {other},
        "+62 812-9876-5432": {other},
        "lapor-77": {other},
        case.nik: {case},
        case.nik[:8]: set(),
        case.number[4:]: {case},
        "nobody": set(),
    }.items():
        led = place(post(client, "/complaints/search", {"q": words}))
        page = client.get(led).text
        shown = set(re.findall(r"PGD-\d{4}-\d{6}", page.partition("<table")[2]))
        assert shown == {one.number for one in expected}, words
        box = set(re.findall(r"PGD-\d{4}-\d{6}", ask(client, words).text))
        assert box >= shown, words


@pytest.mark.both
def test_words_are_made_anew_from_the_names(
    app: Flask, login: Login, case: Complaint, session: Session
) -> None:
    session.execute(delete(CaseWord))
    session.execute(delete(NameWord))
    session.commit()
    client = login("petugas")
    assert case.number not in ask(client, "kartini").text
    done = app.test_cli_runner().invoke(args=["search", "rebuild"])
    assert done.output == "words of names: 2\n"
    assert case.number in ask(client, "kartini").text
