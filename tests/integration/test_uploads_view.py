"""Staged uploads over HTTP: taken in with words, shown safely, to their uploader alone."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from app.models import StagedUpload
from tests.support import hostile as bad
from tests.support import samples


@pytest.fixture
def send(csrf):
    """Upload one file as the page's script does."""

    def post(client, name="kk.jpg", data=None, field="file"):
        return client.post(
            "/uploads/",
            data={field: (io.BytesIO(samples.jpeg() if data is None else data), name)},
            headers={"X-CSRFToken": csrf(client), "Accept": "application/json"},
        )

    return post


def count(session):
    session.rollback()
    return session.scalar(select(func.count()).select_from(StagedUpload))


@pytest.mark.both
@pytest.mark.parametrize(
    ("name", "make", "media_type", "picture"),
    [
        pytest.param("kk.jpg", samples.jpeg, "image/jpeg", True, id="a JPEG"),
        pytest.param("kk.png", samples.png, "image/png", True, id="a PNG"),
        pytest.param("Surat Ibu é.pdf", samples.pdf, "application/pdf", False, id="a PDF"),
    ],
)
def test_a_good_file_is_taken_in_and_can_be_looked_at(
    session, login, send, name, make, media_type, picture
):
    client = login("petugas")
    answer = send(client, name, make())
    assert answer.status_code == 201
    told = answer.json
    assert (told["name"], told["type"]) == (name, media_type)
    assert bool(told["thumb_url"]) is picture
    assert told["delete_url"] == f"{told['url']}/delete"
    shown = client.get(told["url"])
    assert shown.status_code == 200
    assert shown.mimetype == media_type
    assert len(shown.data) == told["size"]
    headers = shown.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Disposition"].startswith("inline; filename*=UTF-8''")
    assert headers["Content-Disposition"].isascii()
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert ("sandbox" in policy) is picture


#: Some of the samples are over the limits of their own test only.
HOSTILE = [
    one for one in bad.HOSTILE if one.code != "file_too_large" and "over the cap" not in one.label
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda one: one.label)
def test_a_bad_file_is_refused_in_words(session, login, send, hostile):
    answer = send(login("petugas"), hostile.name, hostile.data)
    assert answer.status_code == 422
    assert answer.json["message"]
    assert answer.json["error"] == answer.json["message"]
    assert count(session) == 0


def test_a_file_over_the_limit_is_refused_with_the_limit(session, login, send):
    answer = send(login("petugas"), data=b"\xff\xd8\xff" + bytes(10 * 1024 * 1024))
    assert answer.status_code == 422
    assert "10 MB" in answer.json["message"]
    assert count(session) == 0


def test_a_request_over_the_limit_is_413_in_words(session, login, send):
    answer = send(login("petugas"), data=bytes(43 * 1024 * 1024))
    assert answer.status_code == 413
    assert answer.json["message"]
    assert count(session) == 0


@pytest.mark.parametrize("field", ["other", "files"])
def test_no_file_is_said_so(login, send, field):
    answer = send(login("petugas"), field=field)
    assert answer.status_code == 422
    assert answer.json["message"]


def test_a_pile_of_uploads_is_refused_in_words(session, login, send, user):
    officer = user("petugas").id
    for number in range(300):
        session.add(
            StagedUpload(
                token=f"token{number}", user_id=officer, uploaded_at=datetime.now(UTC),
                storage_key=f"{number:032x}", original_name="a.jpg", media_type="image/jpeg",
                size=1, sha256="0" * 64,
            )
        )  # fmt: skip
    answer = send(login("petugas"))
    assert answer.status_code == 422
    assert answer.json["message"]


# --- another's upload is not there ----------------------------------------------------------------


def test_nobody_else_sees_or_drops_an_upload(session, login, post, send):
    token = send(login("petugas")).json["token"]
    other = login("petugas2")
    assert other.get(f"/uploads/{token}").status_code == 404
    assert post(other, f"/uploads/{token}/delete").status_code == 404
    assert count(session) == 1


@pytest.mark.parametrize("token", ["x", "a" * 44, "..%2f..%2fsecret_key", "%00", "🙂"])
def test_a_made_up_token_is_not_there(login, post, token):
    client = login("petugas")
    assert client.get(f"/uploads/{token}").status_code == 404
    assert post(client, f"/uploads/{token}/delete").status_code == 404


@pytest.mark.pooled
@pytest.mark.both
def test_taking_an_upload_back_removes_row_and_file(session, login, post, send, store):
    client = login("petugas")
    token = send(client).json["token"]
    assert len(list(store.items())) == 1
    assert post(client, f"/uploads/{token}/delete").status_code == 204
    assert count(session) == 0
    assert list(store.items()) == []
    assert post(client, f"/uploads/{token}/delete").status_code == 404


def test_a_file_lost_from_the_store_is_not_there(session, login, send, store):
    client = login("petugas")
    token = send(client).json["token"]
    store.delete(session.scalars(select(StagedUpload.storage_key)).one())
    assert client.get(f"/uploads/{token}").status_code == 404


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"),
    [("petugas", 201), ("operator", 201), ("kepala", 201), ("kabid", 403), ("admin", 403)],
)
def test_only_who_may_upload_does(login, send, who, status):
    assert send(login(who)).status_code == status


def test_nobody_uploads_without_signing_in(session, client, send):
    assert send(client).status_code == 302
    assert count(session) == 0


def test_an_upload_without_a_token_is_refused(session, login):
    answer = login("petugas").post(
        "/uploads/", data={"file": (io.BytesIO(samples.jpeg()), "kk.jpg")}
    )
    assert answer.status_code == 400
    assert count(session) == 0
