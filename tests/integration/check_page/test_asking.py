"""The public check page: what it tells, what it never tells, and how guessing is held up."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint, Document
from app.views.check import TRIES_OF_ADDRESS, TRIES_OF_NUMBER
from tests.support.looking import changes, dump, page_faults
from tests.support.panel import engine_of
from tests.support.panel import post as posted
from tests.support.world import APPLICANT


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
def ask(client: FlaskClient) -> Callable[[str, str], Any]:
    """`ask(number, pin)`: the form, sent by somebody who is not signed in."""
    return lambda number, pin: posted(client, "/check/", {"number": number, "pin": pin})


def wrong_pin(case: Complaint) -> str:
    return f"{(int(case.check_pin) + 1) % 1_000_000:06d}"


# --- a number and its PIN ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("intake", "We have received your complaint"),
        ("siak_check", "population data"),
        ("signing", "electronic signature"),
        ("returned", "Something is missing"),
        ("resolved", "no new document was needed"),
        ("withdrawn", "was withdrawn"),
    ],
)
def test_the_step_is_told_in_the_applicants_words(
    client: FlaskClient, ask: Any, make_case: Any, step: str, said: str
) -> None:
    case = make_case(step, **APPLICANT)
    posted(client, "/lang/en")
    answer = ask(case.number, case.check_pin)
    assert answer.status_code == 200
    assert said in words(answer.text)
    assert case.number in answer.text
    assert page_faults(answer.text) == []


def test_nothing_personal_is_on_it(ask: Any, make_case: Any) -> None:
    case = make_case("dispatch", **APPLICANT)
    page = ask(case.number, case.check_pin).text
    assert [value for value in APPLICANT.values() if value in page] == []
    assert "Rahmawati" not in page, "nor who works on it"


def test_a_confidential_case_answers_as_any_other(
    ask: Any, make_case: Any, session: Session
) -> None:
    case = make_case("intake", hide_identity=True, **APPLICANT)
    assert case.confidential
    page = ask(case.number, case.check_pin)
    assert page.status_code == 200
    assert [value for value in APPLICANT.values() if value in page.text] == []


@pytest.mark.parametrize("spelt", ["{lower}", " {number} ", "{blanks}", "{short}"])
def test_a_number_may_be_typed_as_people_do(ask: Any, make_case: Any, spelt: str) -> None:
    case = make_case("intake")
    year, count = case.number.split("-")[1:]
    number = spelt.format(
        lower=case.number.lower(),
        number=case.number,
        blanks=case.number.replace("-", " "),
        short=f"PGD-{year}-{int(count)}",
    )
    assert ask(number, f" {case.check_pin} ").status_code == 200


@pytest.mark.both
def test_a_wrong_number_and_a_wrong_pin_cannot_be_told_apart(
    ask: Any, make_case: Any, sql_count: Any
) -> None:
    case = make_case("signing")
    ask("PGD-2019-000002", "000000")  # the name of the office is at hand from now on
    seen = {}
    for name, number, pin in (
        ("pin", case.number, wrong_pin(case)),
        ("number", "PGD-2019-000001", case.check_pin),
        ("nonsense", "; DROP TABLE", "'"),
    ):
        with sql_count() as statements:
            answer = ask(number, pin)
        page = re.sub(r'(value|placeholder|content|nonce)="[^"]*"', "", answer.text)
        seen[name] = (answer.status_code, page, list(statements))
    assert seen["pin"][0] == 422
    assert seen["pin"] == seen["number"] == seen["nonsense"]
    assert case.number not in seen["number"][1]


@pytest.mark.parametrize("pin", ["", "   ", "------", "-", "12345", "1234567", "\0", "٣٢١٤٥٦"])
def test_what_is_no_pin_opens_nothing(ask: Any, make_case: Any, session: Session, pin: str) -> None:
    case = make_case("intake")
    assert ask(case.number, pin).status_code == 422


@pytest.mark.both
def test_what_no_keyboard_types_is_a_wrong_number_too(ask: Any, make_case: Any) -> None:
    """PostgreSQL takes no null byte; its refusal would be an answer of its own."""
    case = make_case("intake")
    wrong = ask("PGD-2020-999999", case.check_pin)
    for number in ("PGD\x00-1", "\x00", "PGD-2020-\x0099"):
        answer = ask(number, "12\x003456")
        assert answer.status_code == wrong.status_code == 422


@pytest.mark.parametrize("pin", ["", " ", "------"])
def test_a_case_without_a_pin_is_opened_by_none(
    ask: Any, make_case: Any, session: Session, pin: str
) -> None:
    case = make_case("intake")
    session.execute(update(Complaint).where(Complaint.id == case.id).values(check_pin=""))
    session.commit()
    assert ask(case.number, pin).status_code == 422


def test_asking_writes_nothing(app: Flask, ask: Any, make_case: Any, client: FlaskClient) -> None:
    case = make_case("signing")
    code = case.outputs[0].check_code
    before = dump(engine_of(app))
    ask(case.number, case.check_pin)
    ask(case.number, wrong_pin(case))
    client.get("/check/")
    client.get(f"/check/{code}")
    assert changes(before, dump(engine_of(app))) == []


def test_the_form_asks_for_its_token(client: FlaskClient, make_case: Any) -> None:
    case = make_case("intake")
    data = {"number": case.number, "pin": case.check_pin}
    assert client.post("/check/", data=data).status_code == 400


# --- guessing ------------------------------------------------------------------------------------


@pytest.fixture
def limited(make_app: Callable[..., Flask], session: Session) -> Flask:
    return make_app(RATELIMIT_ENABLED=True)


def send(app: Flask, number: str, pin: str, address: str) -> int:
    where = {"REMOTE_ADDR": address}
    data = {"number": number, "pin": pin}
    return posted(app.test_client(), "/check/", data, environ_base=where).status_code


@pytest.mark.parametrize("there_is_one", [True, False], ids=["a case", "no such case"])
def test_one_number_is_tried_a_few_times_only(
    limited: Flask, make_case: Any, there_is_one: bool
) -> None:
    """Also from ever new addresses, also with the right PIN at last, also when there is no case."""
    case = make_case("intake")
    number = case.number if there_is_one else "PGD-2019-000007"
    most = min(item.amount for item in TRIES_OF_NUMBER)
    tries = [send(limited, number, wrong_pin(case), f"10.0.0.{n}") for n in range(1, most + 1)]
    assert set(tries) == {422}
    assert send(limited, number, case.check_pin, "10.0.1.1") == 429
    other = make_case("intake")
    assert send(limited, other.number, other.check_pin, "10.0.1.1") == 200


def test_one_address_tries_a_few_numbers_only(limited: Flask, make_case: Any) -> None:
    case = make_case("intake")
    most = min(item.amount for item in TRIES_OF_ADDRESS)
    for n in range(most):
        assert send(limited, f"PGD-2019-{n:06d}", "000000", "10.0.0.9") == 422
    assert send(limited, case.number, case.check_pin, "10.0.0.9") == 429
    assert send(limited, case.number, case.check_pin, "10.0.0.10") == 200


def test_a_household_of_ipv6_is_one_address(limited: Flask, make_case: Any) -> None:
    most = min(item.amount for item in TRIES_OF_ADDRESS)
    for n in range(most):
        assert send(limited, f"PGD-2019-{n:06d}", "000000", f"2001:db8:1:1::{n:x}") == 422
    assert send(limited, "PGD-2019-000900", "000000", "2001:db8:1:1:ffff::1") == 429
    assert send(limited, "PGD-2019-000900", "000000", "2001:db8:1:2::1") == 422


# --- a paper's code ------------------------------------------------------------------------------


def paper_of(session: Session, case: Complaint) -> CaseOutput:
    session.rollback()
    return next(
        output
        for output in session.scalars(
            select(CaseOutput).where(CaseOutput.complaint_id == case.id).order_by(CaseOutput.id)
        )
        if output.kind.needs_signature
    )


def look(client: FlaskClient, output: CaseOutput) -> str:
    posted(client, "/lang/en")
    answer = client.get(f"/check/{output.check_code}")
    assert answer.status_code == 200
    assert page_faults(answer.text) == []
    return words(answer.text)


def test_a_signed_paper_is_ours(client: FlaskClient, make_case: Any, session: Session) -> None:
    case = make_case("printing", **APPLICANT)
    page = look(client, paper_of(session, case))
    assert "This paper is one of ours" in page
    assert "Signed on" in page
    assert case.number in page
    assert [value for value in APPLICANT.values() if value in page] == []


def test_a_paper_that_is_not_signed_is_not_issued(
    client: FlaskClient, make_case: Any, session: Session
) -> None:
    page = look(client, paper_of(session, make_case("signing")))
    assert "This paper is not issued yet" in page
    assert "one of ours" not in page


def test_a_changed_file_is_no_signed_paper(
    client: FlaskClient, make_case: Any, session: Session
) -> None:
    output = paper_of(session, make_case("printing"))
    signed = (Document.output_id == output.id) & (Document.stage == "signed")
    session.execute(update(Document).where(signed).values(signature_state="changed"))
    assert "one of ours" not in look(client, output)


def test_a_paper_taken_off_the_case_is_withdrawn(
    client: FlaskClient, make_case: Any, session: Session
) -> None:
    output = paper_of(session, make_case("printing"))
    output.dropped_at = datetime.now(UTC)
    page = look(client, output)
    assert "This paper was withdrawn" in page
    assert "one of ours" not in page


def test_a_paper_made_anew_replaces_the_old_one(
    client: FlaskClient, make_case: Any, session: Session
) -> None:
    case = make_case("done")
    old = paper_of(session, case)
    make_case.move(case, "reopen")
    session.commit()
    assert "one of ours" in look(client, old), "reopened, but nothing new is named yet"
    for key in ("verify_file", "siak_match"):
        make_case.record_facts(case, key)
        make_case.move(case, key)
    make_case.record_facts(case, "submit_certification")
    session.commit()
    page = look(client, old)
    assert "This paper was replaced" in page
    assert "one of ours" not in page


def test_a_file_signed_again_says_since_when_older_prints_do_not_count(
    client: FlaskClient, make_case: Any, session: Session
) -> None:
    output = paper_of(session, make_case("printing"))
    assert "signed anew" not in look(client, output)
    signed = (Document.output_id == output.id) & (Document.stage == "signed")
    session.execute(
        update(Document)
        .where(signed)
        .values(revision=2, uploaded_at=datetime(2026, 7, 3, 2, tzinfo=UTC))
    )
    assert "signed anew on 3 July 2026" in look(client, output)


@pytest.mark.parametrize(
    "code", ["made-up-code-of-22-let", "x", "a" * 500, "%00%00", "..%2f..%2fetc"]
)
def test_a_code_of_nobody_is_no_paper_of_ours(client: FlaskClient, code: str) -> None:
    answer = client.get(f"/check/{code}")
    assert answer.status_code == 404
    assert "one of ours" not in answer.text


def test_a_code_is_asked_for_a_few_times_only(limited: Flask) -> None:
    client = limited.test_client()
    answers = [client.get("/check/made-up-code-of-22-let").status_code for _ in range(40)]
    assert answers[0] == 404
    assert answers[-1] == 429


def test_the_page_is_small_and_needs_no_script(client: FlaskClient) -> None:
    page = client.get("/check/?number=PGD-2026-000012").text
    assert 'value="PGD-2026-000012"' in page
    assert "app.js" not in page
    assert "app.css" not in page
    assert len(page) < 12_000


def test_a_number_in_the_address_is_shown_as_text(client: FlaskClient) -> None:
    page = client.get('/check/?number="><b>x</b>').text
    assert "<b>x" not in page


def test_it_is_answered_within_a_day_of_signing(
    client: FlaskClient, make_case: Any, session: Session
) -> None:
    """The date is the office's, not that of UTC."""
    output = paper_of(session, make_case("printing"))
    late = datetime(2026, 7, 3, 20, tzinfo=UTC)  # 03.00 on the 4th in the office
    signed = (Document.output_id == output.id) & (Document.stage == "signed")
    session.execute(update(Document).where(signed).values(uploaded_at=late + timedelta(0)))
    for found in session.scalars(select(Document).where(signed)):
        for signature in found.signatures:
            signature.signed_at = late
    session.commit()
    assert "4 July 2026" in look(client, output)
