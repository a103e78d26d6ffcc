"""Numbers are checked, and other cases of the same NIK named, while the officer types."""

from __future__ import annotations

import pytest

from tests.support.registration import NIK, the_case


def ask(client, csrf, **values):
    return client.post("/complaints/identity", json=values, headers={"X-CSRFToken": csrf(client)})


@pytest.mark.parametrize(
    ("values", "field", "levels"),
    [
        pytest.param({"nik": "123"}, "nik", ["error"], id="too short a NIK"),
        pytest.param({"nik": NIK, "sex": "L"}, "nik", ["warning"], id="another sex"),
        pytest.param({"nik": NIK, "birth_date": "1990-02-05"}, "nik", [], id="all agrees"),
        pytest.param({"nik": "9999994502909901"}, "nik", ["warning"], id="an unknown region"),
        pytest.param({"kk_number": "12"}, "kk_number", ["error"], id="too short a KK number"),
        pytest.param({"phone": "12"}, "phone", ["error"], id="no phone number"),
        pytest.param({"email": "x"}, "email", ["error"], id="no email address"),
        pytest.param({"applicant_name": "Siti"}, "applicant_name", ["warning"], id="one word"),
        pytest.param({"nik": ["a"], "phone": {"b": 1}}, "nik", [], id="values that are no text"),
        pytest.param({"nik": "\0", "id": "\0"}, "nik", ["error"], id="a null byte"),
    ],
)
def test_numbers_are_checked_while_typing(login, csrf, values, field, levels):
    answer = ask(login("petugas"), csrf, **values)
    assert answer.status_code == 200
    assert [one["level"] for one in answer.json[field]] == levels
    assert answer.json["duplicates"] == []


def test_an_open_case_of_the_same_nik_is_named(session, login, csrf, sent, filled):
    sent(filled())
    case = the_case(session)
    client = login("petugas")
    (other,) = ask(client, csrf, nik=NIK).json["duplicates"]
    assert other["number"] == case.number
    assert other["url"] == f"/complaints/show/{case.id}"
    assert ask(client, csrf, nik=NIK, id=str(case.id)).json["duplicates"] == []


@pytest.mark.parametrize("body", ["", "[]", "null", '"x"', "{", "\0"])
def test_a_malformed_question_is_refused_in_words(login, csrf, body):
    client = login("petugas")
    answer = client.post(
        "/complaints/identity",
        data=body,
        content_type="application/json",
        headers={"X-CSRFToken": csrf(client)},
    )
    assert answer.status_code == 422
    assert answer.json["message"]


def test_a_question_is_never_asked_by_url(login):
    assert login("petugas").get(f"/complaints/identity?nik={NIK}").status_code == 405


def test_too_long_a_question_is_not_read(login, csrf):
    assert ask(login("petugas"), csrf, nik="1" * 20_000).status_code == 413
