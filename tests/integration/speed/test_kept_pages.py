"""Kept pages hold nothing of one request, and a case read by columns says what its objects say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.extensions import db
from app.gaps import Gapped, new_gap
from app.models import Complaint, User
from app.reader import Reader
from app.services.actor import Actor
from app.services.caserows import load_case_records
from app.views.labels import rows_of
from tests.support.cases import CaseMaker

LIST = "/complaints/list/"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
#: What differs between two answers to the same request.
OWN = re.compile(
    r'(?:content|value|nonce|data-left)="[^"]*"|form_key[^>]*>|<link rel="stylesheet"[^>]*>|\s+'
)


def kept_lists(app: Flask) -> str:
    """All text of the list pages that the process keeps."""
    return repr(app.extensions["memory"].get("lists", {}))


def test_a_kept_list_holds_neither_rows_nor_words_nor_tokens(
    app: Flask,
    login: Callable[[str], FlaskClient],
    make_case: CaseMaker,
    post: Callable[..., Any],
    session: Session,
) -> None:
    case = make_case("intake", applicant_name="Zulaikha Prameswari")
    session.commit()
    client = login("petugas")
    for words in ("prameswari", case.number):
        found = post(client, "/complaints/search", {"q": words})
        page = client.get(found.location).text
        assert f'value="{words}"' in page
        assert "Zulaikha Prameswari" in page
        token = TOKEN.search(page)
        assert token is not None
        kept = kept_lists(app)
        assert "toolbar" in kept
        for secret in ("prameswari", "Prameswari", case.number, token[1], found.location):
            assert secret not in kept


def test_words_that_are_markup_are_escaped_where_they_are_filled_in(
    login: Callable[[str], FlaskClient], post: Callable[..., Any]
) -> None:
    client = login("petugas")
    for words in ('"><script>alert(1)</script>', "'&<b>"):
        found = post(client, "/complaints/search", {"q": words})
        for _time in range(2):  # drawn, then kept
            page = client.get(found.location).text
            assert "<script>alert" not in page
            assert "'&<b>" not in page
            assert "&lt;" in page


def test_each_session_has_its_own_token_in_the_page_that_both_share(
    login: Callable[[str], FlaskClient], make_case: CaseMaker, session: Session
) -> None:
    make_case("intake")
    session.commit()
    clients = [login("petugas"), login("petugas")]
    pages = [client.get(LIST).text for client in clients]
    tokens = [set(TOKEN.findall(page)) for page in pages]
    assert all(len(found) == 1 for found in tokens)
    assert tokens[0] != tokens[1]
    for client, found in zip(clients, tokens, strict=True):
        data = {"csrf_token": found.pop(), "q": ""}
        assert client.post("/complaints/search", data=data).status_code == 303


def test_a_kept_list_offers_nothing_that_its_next_reader_may_not_do(
    login: Callable[[str], FlaskClient], make_case: CaseMaker, session: Session
) -> None:
    make_case("intake")
    session.commit()
    mine = login("petugas").get(LIST).text
    assert "/complaints/add" in mine
    other = login("kepala").get(LIST).text
    assert "/complaints/add" not in other[other.index('<main id="main"') :]
    assert "row-edit" not in other


def test_only_gaps_are_filled() -> None:
    one, two = new_gap("one"), new_gap("two")
    drawn = Gapped.cut(f"a{one}b{two}c{one}", (one, two))
    assert drawn.filled({one: "1", two: "{}%s"}) == "a1b{}%sc1"
    assert new_gap("one") != one


@pytest.mark.both
@pytest.mark.parametrize("step", ["intake", "returned", "signing", "dispatch", "done"])
def test_a_case_by_columns_looks_as_by_its_objects(
    app: Flask,
    login: Callable[[str], FlaskClient],
    make_case: CaseMaker,
    session: Session,
    step: str,
) -> None:
    case = make_case(step)
    session.commit()
    client = login("petugas")
    client.get("/queue/")
    app.extensions["memory"].clear()  # as in a new process, which reads objects first
    pages = [OWN.sub("", client.get(f"/complaints/show/{case.id}").text) for _time in range(2)]
    assert case.number in pages[0]
    assert pages[0] == pages[1]


@pytest.mark.both
def test_a_record_never_reads_what_was_not_read(
    app: Flask, make_case: CaseMaker, actor: Callable[[str], Actor], session: Session
) -> None:
    case = make_case("signing")
    session.commit()
    with app.test_request_context():
        file = load_case_records(
            db.session(), actor("petugas"), case.id, now=datetime.now(UTC), shelf=rows_of
        )
        assert file is not None
        assert file.complaint.applicant_name == case.applicant_name
        with pytest.raises(LookupError, match=r"runs was not read"):
            file.complaint.runs  # noqa: B018
        with pytest.raises(AttributeError):
            file.complaint.nothing_of_the_kind  # noqa: B018


@pytest.mark.both
def test_a_case_by_columns_keeps_to_the_row_rule(
    app: Flask, make_case: CaseMaker, actor: Callable[[str], Actor], session: Session
) -> None:
    case = make_case("intake")
    session.execute(update(Complaint).where(Complaint.id == case.id).values(confidential=True))
    session.commit()
    may = actor("petugas")
    hidden = ("see_confidential", "Complaint")
    for who, there in ((may, hidden in may.permissions), (Actor(99, "X", frozenset()), False)):
        with app.test_request_context():
            file = load_case_records(
                db.session(), who, case.id, now=datetime.now(UTC), shelf=rows_of
            )
            assert (file is not None) is there


def test_a_reader_is_his_columns_and_reads_the_rest_when_asked(
    app: Flask, user: Callable[[str], User]
) -> None:
    row = user("petugas")
    reader = Reader(
        row.id, row.first_name, row.last_name, row.username, row.password, bool(row.active)
    )
    assert reader.get_full_name() == row.get_full_name()
    assert reader.get_id() == row.get_id()
    with app.test_request_context():
        assert reader.email == row.email
        with pytest.raises(AttributeError):
            reader.nothing_of_the_kind  # noqa: B018
