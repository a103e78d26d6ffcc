"""Signing in: slowed down, the same answer for everybody, a second factor; by line of the checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import SignInThrottle, User
from app.release import create_first_admin
from tests.support.panel import PASSWORD, csrf, post
from tests.support.sign_ins import MOMENT, START, given, wrong
from tests.support.signing_in import NEW_PASSWORD, sign_in
from tests.support.visitor import at_once

Clock = Callable[[datetime], None]


# --- 6.3.1: slowed down --------------------------------------------------------------------------


@pytest.mark.both
def test_asvs_6_3_1_sixty_wrong_passwords_are_slowed_down(
    app: Flask, session: Session, clock: Clock
) -> None:
    """A minute of guessing is worth a handful of guesses, and the right one is not taken then."""
    clock(START)
    assert set(wrong(app, times=60)) == {401}
    assert sign_in(app.test_client(), "kepala").status_code == 401
    clock(START + timedelta(seconds=50))
    assert sign_in(app.test_client(), "kepala").status_code == 303


def test_asvs_6_3_1_each_wait_is_twice_the_one_before(
    app: Flask, session: Session, clock: Clock
) -> None:
    clock(START)
    wrong(app, times=5)
    moment, waits = START, []
    for _number in range(7):
        start, step = moment, timedelta(seconds=31)
        while True:
            moment += step
            clock(moment)
            before = session.scalar(select(func.sum(SignInThrottle.failures)))
            session.commit()
            wrong(app, address=f"10.0.{len(waits)}.{(moment - start).seconds // 31 % 250}")
            counted = session.scalar(select(func.max(SignInThrottle.failures)))
            session.commit()
            assert before is not None
            if counted == 6 + len(waits):
                break
            assert moment - start < timedelta(minutes=20)
        waits.append(int((moment - start).total_seconds()))
    expected = [30, 60, 120, 240, 480, 900, 900]
    assert [least <= found < least + 31 for least, found in zip(expected, waits, strict=True)] == [
        True
    ] * 7


@pytest.mark.both
def test_asvs_b4_ten_wrong_tries_from_many_addresses_slow_down_and_the_owner_gets_in(
    app: Flask, session: Session, clock: Clock
) -> None:
    clock(START)
    own = app.test_client()
    assert sign_in(own, "kepala").status_code == 303
    post(own, "/logout/")
    for n in range(10):
        wrong(app, address=f"203.0.113.{n}")
    # A stranger with the right password waits, from whatever address.
    stranger = sign_in(app.test_client(), "kepala", environ_base={"REMOTE_ADDR": "198.51.100.7"})
    assert stranger.status_code == 401
    # The browser of the owner does not, even from the same address as the strangers.
    assert sign_in(own, "kepala", environ_base={"REMOTE_ADDR": "203.0.113.1"}).status_code == 303


def test_asvs_b4_a_strange_browser_does_not_become_known_by_asking(
    app: Flask, session: Session
) -> None:
    for value in ("", "x", "y" * 4000):
        client = app.test_client()
        client.set_cookie("aduan-device", value)
        for _number in range(6):
            sign_in(client, "kepala", "not it")
        assert sign_in(client, "kepala").status_code == 401


def test_asvs_b4_a_device_of_one_officer_is_a_stranger_to_another(
    app: Flask, session: Session
) -> None:
    client = app.test_client()
    assert sign_in(client, "petugas").status_code == 303
    post(client, "/logout/")
    wrong(app, "kepala", 6)
    assert sign_in(client, "kepala").status_code == 401
    assert sign_in(client, "petugas").status_code == 303


def test_asvs_b4_wrong_tries_from_the_owner_s_browser_are_slowed_down_too(
    app: Flask, session: Session
) -> None:
    client = app.test_client()
    assert sign_in(client, "kepala").status_code == 303
    post(client, "/logout/")
    for _number in range(10):
        sign_in(client, "kepala", "not it")
    assert sign_in(client, "kepala").status_code == 401
    # And nobody else's.
    assert sign_in(app.test_client(), "kepala").status_code == 303


@pytest.mark.both
def test_asvs_b5_many_accounts_from_one_address_are_limited(
    app: Flask, session: Session, clock: Clock
) -> None:
    clock(START)
    known = app.test_client()
    assert sign_in(known, "operator", environ_base={"REMOTE_ADDR": "10.9.9.9"}).status_code == 303
    post(known, "/logout/")
    for n in range(30):
        wrong(app, f"nama{n}", address="10.9.9.9")
    here = {"environ_base": {"REMOTE_ADDR": "10.9.9.9"}}
    assert sign_in(app.test_client(), "petugas", **here).status_code == 401
    assert sign_in(app.test_client(), "petugas").status_code == 303
    # The office behind that address goes on working from its own browsers.
    assert sign_in(known, "operator", **here).status_code == 303


def test_asvs_b5_signing_in_oneself_does_not_clear_an_address(app: Flask, session: Session) -> None:
    here = {"environ_base": {"REMOTE_ADDR": "10.9.9.9"}}
    for n in range(29):
        wrong(app, f"nama{n}", address="10.9.9.9")
    assert sign_in(app.test_client(), "petugas", **here).status_code == 303
    wrong(app, "nama30", address="10.9.9.9")
    assert sign_in(app.test_client(), "petugas2", **here).status_code == 401


def test_asvs_b5_no_name_that_was_typed_stands_in_the_database(
    app: Flask, session: Session
) -> None:
    """People type their password where the name goes."""
    wrong(app, "kata sandi saya sendiri")
    rows = session.execute(select(SignInThrottle.key)).scalars().all()
    assert len(rows) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in rows)


@pytest.mark.both
def test_asvs_6_3_1_tries_at_once_are_all_counted(app: Flask, session: Session) -> None:
    session.commit()

    def one() -> int:
        client = FlaskClient(app, app.response_class)
        form = {"username": "kepala", "password": "not it", "csrf_token": csrf(client)}
        return client.post("/login/", data=form).status_code

    assert set(at_once([one] * 8)) == {401}
    # The account had to wait from the fifth on; the address, which may try more, counted them all.
    failures = session.scalars(select(SignInThrottle.failures)).all()
    assert sorted(failures) == [5, 8]


def test_asvs_6_3_4_there_is_no_other_way_in(app: Flask) -> None:
    ways = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and re.search("login|oauth|auth", rule.rule)
    ]
    assert sorted(ways) == ["/login/", "/login/code/"]


def test_asvs_6_3_2_b9_no_account_of_the_release_has_a_known_password(
    app: Flask, session: Session
) -> None:
    """The first administrator's password is random, shown once, and must be changed."""
    with app.app_context():
        from app.extensions import db

        names = set(db.session.scalars(select(User.username)))
        db.session.execute(
            User.__table__.update().values(username=User.username + "-old", email=User.email + "x")
        )
        db.session.commit()
        first = create_first_admin()
    assert "admin" in names
    assert len(first) >= 16
    for guess in ("admin", "password", "aduan", PASSWORD):
        assert sign_in(app.test_client(), "admin", guess).status_code == 401
    client = app.test_client()
    client.set_cookie("aduan-device", "x")
    assert sign_in(client, "admin", first).status_code == 303
    assert client.get("/users/list/").location.endswith("/resetmypassword/form")


# --- 6.3.8: the same answer ----------------------------------------------------------------------


def refused(app: Flask, key: str, password: str = "not it") -> tuple[int, str, set[str]]:
    answer = sign_in(app.test_client(), key, password)
    page = re.sub(r'value="[^"]*"|content="[^"]*"|nonce="[^"]*"|aria-\w+="[^"]*"', "", answer.text)
    return answer.status_code, page, set(answer.headers.keys())


@pytest.mark.both
def test_asvs_6_3_8_b6_nobody_learns_whether_a_name_is_known(
    app: Flask, session: Session, sql_count: Any
) -> None:
    session.scalars(select(User).where(User.username == "operator2")).one().active = False
    session.commit()
    wrong(app, "petugas2", 6)
    tries = {
        "unknown": ("nobody", "not it"),
        "wrong": ("operator", "not it"),
        "deactivated, right password": ("operator2", PASSWORD),
        "waiting, right password": ("petugas2", PASSWORD),
        "waiting, wrong password": ("petugas2", "not it"),
    }
    answers = {name: refused(app, *typed) for name, typed in tries.items()}
    assert {status for status, _page, _headers in answers.values()} == {401}
    assert len({page for _status, page, _headers in answers.values()}) == 1
    assert len({frozenset(headers) for _status, _page, headers in answers.values()}) == 1


def test_asvs_6_3_8_a_password_is_compared_for_every_name(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes the time is done once in each case, known name or not, waiting or not."""
    import argon2

    done: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: Any, stored: str, password: str) -> bool:
        done.append(password)
        return verify(self, stored, password)

    wrong(app, "petugas2", 6)
    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    for key in ("nobody", "operator", "petugas2"):
        done.clear()
        assert sign_in(app.test_client(), key, "not it").status_code == 401
        assert done == ["not it"], key


# --- 6.4.1, b10: given passwords -----------------------------------------------------------------


def test_asvs_6_4_1_b10_a_reset_gives_a_password_for_one_use(
    app: Flask, session: Session, login: Any, user: Any
) -> None:
    admin, pk = login("admin"), user("operator").id
    asked = admin.get(f"/resetpassword/form?pk={pk}").text
    assert PASSWORD not in asked
    assert user("operator").password not in asked
    first, second = given(admin, pk), given(admin, pk)
    assert first != second
    assert len(second) >= 16
    assert second not in admin.get(f"/resetpassword/form?pk={pk}").text
    for old in (PASSWORD, first):
        assert sign_in(app.test_client(), "operator", old).status_code == 401
    client = app.test_client()
    assert sign_in(client, "operator", second).status_code == 303
    for url in ("/queue/", "/sessions/", "/complaints/list/"):
        assert client.get(url).location.endswith("/resetmypassword/form")
    form = {"current": second, "password": NEW_PASSWORD, "conf_password": NEW_PASSWORD}
    assert post(client, "/resetmypassword/form", form).status_code == 303
    assert client.get("/queue/").status_code == 200
    assert sign_in(app.test_client(), "operator", second).status_code == 401


def test_asvs_b10_it_works_for_three_days(
    app: Flask, session: Session, clock: Clock, login: Any, user: Any
) -> None:
    clock(START)
    secret = given(login("admin"), user("operator").id)
    clock(START + timedelta(days=3) + MOMENT)
    assert sign_in(app.test_client(), "operator", secret).status_code == 401
    clock(START + timedelta(days=2, hours=23))
    assert sign_in(app.test_client(), "operator", secret).status_code == 303


def test_asvs_b10_only_after_a_fresh_proof_of_who_it_is(login: Any, user: Any) -> None:
    admin = login("admin")
    with admin.session_transaction() as kept:
        kept["proved"] = 0
    assert admin.get(f"/resetpassword/form?pk={user('operator').id}").status_code == 303
    assert post(admin, f"/resetpassword/form?pk={user('operator').id}").status_code == 401
