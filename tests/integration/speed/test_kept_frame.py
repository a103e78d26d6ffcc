"""The frame around a page is drawn once for the same reader and screen; nothing of one request is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import Account, Office, SignInSession, User
from tests.support.cases import CaseMaker

LIST = "/complaints/list/"
TOKEN = re.compile(r'(?:name="csrf_token" value|csrf-token" content)="([^"]+)"')
NONCE = re.compile(r'nonce="([^"]+)"')


def kept_frames(app: Flask) -> str:
    """All frames that the process keeps."""
    return repr(app.extensions["memory"].get("frames", {}))


def test_each_answer_has_its_own_nonce_and_each_session_its_token(
    app: Flask, login: Callable[[str], FlaskClient]
) -> None:
    clients = [login("petugas"), login("petugas")]
    nonces: list[str] = []
    tokens: list[set[str]] = []
    for client in (*clients, clients[0]):
        answer = client.get(LIST)
        found = set(NONCE.findall(answer.text))
        assert len(found) == 1
        assert f"'nonce-{min(found)}'" in answer.headers["Content-Security-Policy"]
        nonces += found
        tokens.append(set(TOKEN.findall(answer.text)))
    assert len(set(nonces)) == 3
    assert all(len(found) == 1 for found in tokens)
    # A token is a session's secret, then the time it was signed at.
    secrets = [{token.partition(".")[0] for token in found} for found in tokens]
    assert secrets[0] == secrets[2] != secrets[1]
    kept = kept_frames(app)
    assert "data-theme" in kept
    for own in (*nonces, *secrets[0], *secrets[1]):
        assert own not in kept


def test_what_happened_is_said_once_and_escaped(
    app: Flask, login: Callable[[str], FlaskClient]
) -> None:
    client = login("petugas")
    client.get(LIST)
    with client.session_transaction() as session:
        session["_flashes"] = [("success", "Disimpan <b>& selesai")]
    assert "Disimpan &lt;b&gt;&amp; selesai" in client.get(LIST).text
    assert "Disimpan" not in client.get(LIST).text
    assert "Disimpan" not in kept_frames(app)


def test_case_and_title_are_not_kept(
    app: Flask, login: Callable[[str], FlaskClient], make_case: CaseMaker, session: Session
) -> None:
    case = make_case("intake", applicant_name="Zulaikha <i>Prameswari")
    session.commit()
    client = login("petugas")
    for _time in range(2):
        page = client.get(f"/complaints/show/{case.id}").text
        assert f"<title>{case.number} · Aduan</title>" in page
        assert "Zulaikha &lt;i&gt;Prameswari" in page
    kept = kept_frames(app)
    assert case.number not in kept
    assert "Prameswari" not in kept


def test_nobody_sees_the_frame_of_another(
    login: Callable[[str], FlaskClient], user: Callable[[str], User]
) -> None:
    names = {name: user(name).get_full_name() for name in ("petugas", "kepala")}
    pages = {name: login(name).get(LIST).text for name in names}
    assert names["petugas"] in pages["petugas"]
    assert names["kepala"] not in pages["petugas"]
    assert names["kepala"] in pages["kepala"]
    assert "/complaints/add" not in pages["kepala"]
    # The same officer, on another screen: another place of the menu is marked.
    client = login("petugas")
    marked = re.compile(r'href="([^"]+)" aria-current="page"')
    assert marked.findall(client.get(LIST).text) == [LIST]
    assert marked.findall(client.get("/documents/list/").text) == ["/documents/list/"]


@pytest.mark.parametrize("theme", ["dark", "light", "'\"><script>"])
def test_a_theme_counts_at_once_and_only_a_known_one(
    login: Callable[[str], FlaskClient], theme: str
) -> None:
    client = login("petugas")
    assert 'data-theme="auto"' in client.get(LIST).text
    client.set_cookie("theme", theme)
    page = client.get(LIST).text
    assert f'data-theme="{theme if theme.isalpha() else "auto"}"' in page


def test_another_language_and_name_of_the_office_count_at_once(
    login: Callable[[str], FlaskClient], post: Callable[..., Any], session: Session
) -> None:
    client = login("petugas")
    assert '<html lang="id"' in client.get(LIST).text
    post(client, "/lang/en", {})
    assert '<html lang="en"' in client.get(LIST).text
    session.query(Office).update({"name": "Dinas <Baru>"})
    session.commit()
    assert "Dinas &lt;Baru&gt;" in client.get(LIST).text


def test_news_of_a_new_device_is_told_to_the_session_that_it_is_for(
    app: Flask, login: Callable[[str], FlaskClient], user: Callable[[str], User], session: Session
) -> None:
    words = "dari perangkat baru"
    here, there = login("petugas"), login("petugas")
    assert all(words not in client.get(LIST).text for client in (here, there))
    mine = select(SignInSession.id).where(SignInSession.user_id == user("petugas").id)
    latest = session.scalars(mine.order_by(SignInSession.id.desc())).first()
    session.execute(
        update(Account)
        .where(Account.user_id == user("petugas").id)
        .values(unseen_session_id=latest)
    )
    session.commit()
    assert words in here.get(LIST).text
    assert words not in there.get(LIST).text
    assert words not in kept_frames(app)
