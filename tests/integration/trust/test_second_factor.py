"""The second factor: set up, asked for, used once, stopped after five; by line of the checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.models import RecoveryCode, Role, SecondFactor, User
from app.services.sign_in import second_factor as codes
from app.stepup import ANSWER, PROVED
from tests.support.panel import PASSWORD, csrf, post
from tests.support.signing_in import sign_in
from tests.support.visitor import at_once

START = datetime(2026, 11, 23, 2, 0, 10, tzinfo=UTC)
Clock = Callable[[datetime], None]


def set_up(session: Session, key: str, now: datetime = START) -> tuple[pyotp.TOTP, list[str]]:
    """An officer's telephone, and his recovery codes."""
    user = session.scalars(select(User).where(User.username == key)).one()
    secret = codes.begin(session, user.id, now)
    earlier = now - timedelta(minutes=10)
    recovery = codes.confirm(session, user.id, pyotp.TOTP(secret).at(earlier), earlier)
    assert recovery is not None
    session.commit()
    return pyotp.TOTP(secret), recovery


def with_code(client: FlaskClient, code: str, key: str = "kepala") -> int:
    """Password, then code on the page after it; the status of the second answer."""
    first = sign_in(client, key)
    assert (first.status_code, "/login/code/" in first.location) == (303, True)
    return post(client, first.location, {"code": code}).status_code


# --- setting it up -------------------------------------------------------------------------------


@pytest.mark.both
def test_asvs_b7_it_is_set_up_with_a_picture_and_counts_from_the_first_code(
    app: Flask, session: Session, clock: Clock
) -> None:
    clock(START)
    client = app.test_client()
    sign_in(client, "kepala")
    assert "<svg" not in client.get("/second-factor/").text.split('id="none"')[1].split("</form>")[
        0
    ].replace("<svg class", "")
    assert post(client, "/second-factor/begin").status_code == 303
    page = client.get("/second-factor/").text
    assert "factor-picture" in page
    secret = re.search(r'factor-key">([A-Z2-7 ]+)<', page)
    assert secret is not None
    app_of_phone = pyotp.TOTP(secret[1].replace(" ", ""))
    # Until then the password alone lets in.
    assert sign_in(app.test_client(), "kepala").location == "/"
    for bad in ("", "000000", "12345", "abcdef"):
        if bad != app_of_phone.at(START):
            assert post(client, "/second-factor/confirm", {"code": bad}).status_code == 422
    done = post(client, "/second-factor/confirm", {"code": app_of_phone.at(START)})
    assert done.status_code == 200
    shown = re.findall(r'<li class="mono">((?:[a-z0-9]{4}-?){4})</li>', done.text)
    assert len(set(shown)) == 10
    later = client.get("/second-factor/").text
    assert not any(code in later for code in shown)
    assert secret[1] not in later
    # A code was used by the setting up: the next one is the first that signs in.
    clock(START + timedelta(seconds=60))
    other = app.test_client()
    assert with_code(other, app_of_phone.at(START + timedelta(seconds=60))) == 303
    assert other.get("/queue/").status_code == 200


def test_asvs_b7_nothing_of_it_stands_in_clear(session: Session) -> None:
    phone, recovery = set_up(session, "kepala")
    row = session.execute(text("SELECT secret FROM second_factor")).scalar_one()
    assert phone.secret not in row
    assert row.startswith("$a1$")
    owner = session.scalars(select(SecondFactor)).one()
    assert owner.secret == f"{owner.user_id}:{phone.secret}"
    kept = set(session.scalars(select(RecoveryCode.code_hash)))
    assert len(kept) == 10
    assert not {code.replace("-", "") for code in recovery} & kept


def test_asvs_b7_the_secret_of_another_user_is_none(
    app: Flask, session: Session, clock: Clock, user: Any
) -> None:
    clock(START)
    phone, _recovery = set_up(session, "petugas")
    set_up(session, "kepala")
    rows = {row.user_id: row for row in session.scalars(select(SecondFactor))}
    rows[user("kepala").id].secret = rows[user("petugas").id].secret
    session.commit()
    assert with_code(app.test_client(), phone.at(START)) == 401


# --- 6.3.3: asked for ----------------------------------------------------------------------------


def test_asvs_6_3_3_the_password_alone_opens_nothing(
    app: Flask, session: Session, clock: Clock
) -> None:
    clock(START)
    phone, _recovery = set_up(session, "kepala")
    client = app.test_client()
    first = sign_in(client, "kepala")
    for url in ("/queue/", "/sessions/", "/second-factor/", "/users/userinfo/"):
        assert "/login/" in client.get(url).location
    assert post(client, first.location, {"code": "000001"}).status_code == 401
    assert "/login/" in client.get("/queue/").location
    right = post(client, first.location, {"code": phone.at(START)})
    assert right.status_code == 303
    assert client.get("/queue/").status_code == 200


@pytest.mark.both
@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        pytest.param(-60, 401, id="asvs b7 two steps behind"),
        pytest.param(-30, 303, id="asvs b7 one step behind"),
        pytest.param(0, 303, id="asvs b7 on time"),
        pytest.param(30, 303, id="asvs b7 one step ahead"),
        pytest.param(60, 401, id="asvs b7 two steps ahead"),
    ],
)
def test_the_telephone_may_be_one_step_off(
    app: Flask, session: Session, clock: Clock, seconds: int, status: int
) -> None:
    clock(START)
    phone, _recovery = set_up(session, "kepala")
    code = phone.at(START + timedelta(seconds=seconds))
    assert with_code(app.test_client(), code) == status


def test_asvs_b7_one_code_is_used_once(app: Flask, session: Session, clock: Clock) -> None:
    clock(START)
    phone, _recovery = set_up(session, "kepala")
    code, before = phone.at(START), phone.at(START - timedelta(seconds=30))
    assert with_code(app.test_client(), code) == 303
    for used in (code, before):
        assert with_code(app.test_client(), used) == 401
    clock(START + timedelta(seconds=30))
    assert with_code(app.test_client(), phone.at(START + timedelta(seconds=30))) == 303


@pytest.mark.both
def test_asvs_b7_of_two_with_the_same_code_at_once_one_is_right(
    app: Flask, session: Session, clock: Clock
) -> None:
    clock(START)
    phone, _recovery = set_up(session, "kepala")
    clients = []
    for _number in range(4):
        client = FlaskClient(app, app.response_class)
        form = {"username": "kepala", "password": PASSWORD, "csrf_token": csrf(client)}
        assert client.post("/login/", data=form).status_code == 303
        clients.append(client)

    def send(client: FlaskClient) -> int:
        form = {"code": phone.at(START), "csrf_token": csrf(client)}
        return client.post("/login/code/", data=form).status_code

    statuses = at_once([lambda client=client: send(client) for client in clients])  # type: ignore[misc]
    assert sorted(statuses) == [303, 401, 401, 401]


def test_asvs_b7_five_wrong_codes_stop(app: Flask, session: Session, clock: Clock) -> None:
    clock(START)
    phone, recovery = set_up(session, "kepala")
    client = app.test_client()
    where = sign_in(client, "kepala").location
    statuses = [post(client, where, {"code": f"00000{n}"}).status_code for n in range(5)]
    assert statuses == [401, 401, 401, 401, 303]
    # It begins again with the password, and neither code nor recovery code is taken meanwhile.
    assert with_code(app.test_client(), phone.at(START)) == 303
    assert "/login/" in app.test_client().get("/queue/").location
    assert with_code(client, recovery[0]) == 303
    assert "/login/" in client.get("/queue/").location
    clock(START + timedelta(minutes=16))
    assert with_code(client, phone.at(START + timedelta(minutes=16))) == 303
    assert client.get("/queue/").status_code == 200


def test_asvs_b7_a_recovery_code_works_once(app: Flask, session: Session, clock: Clock) -> None:
    clock(START)
    _phone, recovery = set_up(session, "kepala")
    client = app.test_client()
    assert with_code(client, recovery[3].upper().replace("-", " ")) == 303
    assert client.get("/queue/").status_code == 200
    assert "9 kode pemulihan" in client.get("/second-factor/").text
    assert with_code(app.test_client(), recovery[3]) == 401
    assert with_code(app.test_client(), recovery[4]) == 303
    # New ones put the old ones out of use.
    shown = post(client, "/second-factor/recovery").text
    fresh = re.findall(r'<li class="mono">([a-z0-9-]+)</li>', shown)
    assert with_code(app.test_client(), recovery[5]) == 401
    assert with_code(app.test_client(), fresh[0]) == 303


@pytest.mark.parametrize("half", [None, "x", {}, {"user": 1}, {"user": 1, "at": 0, "stamp": ""}])
def test_asvs_6_3_3_half_a_sign_in_that_is_made_up_is_none(app: Flask, half: Any) -> None:
    client = app.test_client()
    with client.session_transaction() as kept:
        kept["half"] = half
    assert client.get("/login/code/").location.startswith("/login/")
    assert post(client, "/login/code/", {"code": "000000"}).location.startswith("/login/")


def test_asvs_6_3_3_the_code_follows_within_five_minutes(
    app: Flask, session: Session, clock: Clock
) -> None:
    clock(START)
    phone, _recovery = set_up(session, "kepala")
    client = app.test_client()
    where = sign_in(client, "kepala").location
    late = START + timedelta(minutes=6)
    clock(late)
    assert post(client, where, {"code": phone.at(late)}).location.startswith("/login/?next")
    assert "/login/" in client.get("/queue/").location


@pytest.mark.both
def test_asvs_b4_the_owner_gets_in_with_password_and_code_while_strangers_guess(
    app: Flask, session: Session, clock: Clock
) -> None:
    clock(START)
    phone, _recovery = set_up(session, "kepala")
    for n in range(10):
        where = {"REMOTE_ADDR": f"203.0.113.{n}"}
        sign_in(app.test_client(), "kepala", f"not it {n}", environ_base=where)
    form = {"username": "kepala", "code": phone.at(START)}
    assert sign_in(app.test_client(), "kepala").status_code == 401
    assert post(app.test_client(), "/login/", {**form, "password": "not it"}).status_code == 401
    wrong = {**form, "password": PASSWORD, "code": "000001"}
    assert post(app.test_client(), "/login/", wrong).status_code == 401
    client = app.test_client()
    assert post(client, "/login/", {**form, "password": PASSWORD}).status_code == 303
    assert client.get("/queue/").status_code == 200


# --- b8: demanded, and asked again ---------------------------------------------------------------


def demand(app: Flask, login: Any, session: Session, *names: str) -> None:
    ids = session.scalars(select(Role.id).where(Role.name.in_(names))).all()
    answer = post(login("admin"), "/sign-in-rules/save", {"role": [str(pk) for pk in ids]})
    assert answer.status_code == 303


def test_asvs_6_3_3_b8_a_role_can_be_told_to_have_one(
    app: Flask, session: Session, login: Any, clock: Clock
) -> None:
    clock(START)
    head, officer = app.test_client(), app.test_client()
    sign_in(head, "kepala")
    sign_in(officer, "petugas")
    assert head.get("/queue/").status_code == 200
    demand(app, login, session, "Kepala Dinas")
    # At the next page, in a session that goes on; and nobody else.
    assert head.get("/queue/").location == "/second-factor/"
    assert post(head, "/signing/start").location == "/second-factor/"
    assert officer.get("/queue/").status_code == 200
    assert head.get("/second-factor/").status_code == 200
    post(head, "/second-factor/begin")
    secret = re.search(r'factor-key">([A-Z2-7 ]+)<', head.get("/second-factor/").text)
    assert secret is not None
    phone = pyotp.TOTP(secret[1].replace(" ", ""))
    assert post(head, "/second-factor/confirm", {"code": phone.at(START)}).status_code == 200
    assert head.get("/queue/").status_code == 200
    # It cannot be taken away while it is demanded.
    assert post(head, "/second-factor/remove").status_code == 303
    assert session.scalars(select(SecondFactor)).one().confirmed_at
    demand(app, login, session)
    assert post(head, "/second-factor/remove").status_code == 303
    session.expire_all()
    assert session.scalars(select(SecondFactor)).all() == []


def test_asvs_b8_a_session_without_code_shows_one_when_it_is_demanded(
    app: Flask, session: Session, login: Any, clock: Clock
) -> None:
    clock(START)
    weak = login("kepala")
    phone, _recovery = set_up(session, "kepala")
    demand(app, login, session, "Kepala Dinas")
    asked = weak.get("/queue/")
    assert asked.location.startswith("/confirm/")
    assert post(weak, asked.location, {ANSWER: phone.at(START)}).status_code == 303
    assert weak.get("/queue/").status_code == 200


def test_asvs_b8_with_a_second_factor_the_question_is_a_code(
    app: Flask, session: Session, login: Any, clock: Clock
) -> None:
    clock(START)
    phone, _recovery = set_up(session, "admin")
    admin = login("admin")
    with admin.session_transaction() as kept:
        kept[PROVED] = int(START.timestamp()) - 700
    where = admin.get("/roles/add").location
    assert "autentikator" in admin.get(where).text
    assert post(admin, where, {ANSWER: PASSWORD}).status_code == 401
    assert post(admin, where, {ANSWER: phone.at(START)}).status_code == 303
    assert admin.get("/roles/add").status_code == 200


def test_asvs_b8_five_wrong_codes_at_the_question_sign_out(
    app: Flask, session: Session, login: Any, clock: Clock
) -> None:
    clock(START)
    set_up(session, "admin")
    admin = login("admin")
    with admin.session_transaction() as kept:
        kept[PROVED] = 0
    for n in range(5):
        assert post(admin, "/confirm/", {ANSWER: f"00000{n}"}).status_code == 401
    assert "/login/" in admin.get("/users/list/").location


def test_an_administrator_takes_a_lost_telephone_away(
    app: Flask, session: Session, login: Any, user: Any, clock: Clock
) -> None:
    clock(START)
    set_up(session, "kepala")
    admin, pk = login("admin"), user("kepala").id
    assert post(admin, f"/user-sign-ins/{pk}/remove-factor").status_code == 303
    client = app.test_client()
    assert sign_in(client, "kepala").location == "/"
    assert client.get("/queue/").status_code == 200
