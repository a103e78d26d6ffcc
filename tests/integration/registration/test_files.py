"""The files of a registration: what is taken, refused and kept for the next attempt."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.models import StagedUpload
from tests.support import samples
from tests.support.registration import beside, count, form_key, staged, the_case


def test_without_scripts_files_come_with_the_form(session, sent, filled):
    files = [("kk.jpg", samples.jpeg()), ("ktp.pdf", samples.pdf())]
    assert sent(filled(), files=files).status_code == 303
    assert [d.original_name for d in the_case(session).documents] == ["kk.jpg", "ktp.pdf"]


def test_files_of_a_refused_form_are_there_again(session, login, sent, filled):
    client = login("petugas")
    answer = sent(filled(applicant_name=""), client=client, files=[("kk.jpg", samples.jpeg())])
    assert answer.status_code == 422
    token = session.scalars(select(StagedUpload.token)).one()
    assert token in answer.text
    values = filled(form_key=form_key(answer.text), **{"upload_token[]": token})
    assert sent(values, client=client).status_code == 303
    assert len(the_case(session).documents) == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("kk.pdf", samples.EXE, id="a program that says PDF"),
        pytest.param("kk.html", samples.HTML, id="a web page"),
        pytest.param("kk.jpg", b"", id="an empty file"),
        pytest.param("kk.jpg", b"\xff\xd8\xff" + bytes(10 * 1024 * 1024), id="too large a file"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_the_good_one_kept(session, sent, filled, name, data):
    answer = sent(filled(), files=[(name, data), ("ktp.png", samples.png())])
    assert answer.status_code == 422
    assert name in beside(answer.text, "files")
    assert "ktp.png" in answer.text
    assert count(session) == 0
    assert count(session, StagedUpload) == 1


def test_an_upload_of_somebody_else_is_not_taken(session, login, sent, filled):
    token = staged(login("petugas2"), "kk.jpg", samples.jpeg())
    answer = sent(filled(**{"upload_token[]": token}))
    assert answer.status_code == 422
    assert beside(answer.text, "files")
    assert token not in answer.text
    assert count(session) == 0


@pytest.mark.parametrize("token", ["x", "../../etc/passwd", "\0", "t" * 10_000, "🙂"])
def test_a_made_up_token_is_refused(session, sent, filled, token):
    answer = sent(filled(**{"upload_token[]": token}))
    assert answer.status_code == 422
    assert beside(answer.text, "files")


def test_a_file_cannot_be_said_to_be_what_the_office_does_not_know(session, login, sent, filled):
    client = login("petugas")
    token = staged(client, "kk.jpg", samples.jpeg())
    values = filled(**{"upload_token[]": token, "upload_kind[]": "999999"})
    answer = sent(values, client=client)
    assert answer.status_code == 422
    assert beside(answer.text, "files")
    assert token in answer.text


def test_more_files_than_a_case_holds_are_refused_and_kept(session, login, sent, filled, user):
    client = login("petugas")
    officer = user("petugas").id
    for number in range(41):
        session.add(
            StagedUpload(
                token=f"token{number}", user_id=officer, uploaded_at=datetime.now(UTC),
                storage_key=f"{number:032x}", original_name="a.jpg", media_type="image/jpeg",
                size=1, sha256="0" * 64,
            )
        )  # fmt: skip
    values = filled()
    for number in range(41):
        values.add("upload_token[]", f"token{number}")
    answer = sent(values, client=client)
    assert answer.status_code == 422
    assert beside(answer.text, "files")
    assert count(session) == 0
    assert count(session, StagedUpload) == 41
