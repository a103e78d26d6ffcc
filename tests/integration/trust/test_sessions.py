"""Sessions: how they begin, end and run out; the ids name the line of the checks they prove."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Role, User
from config import ConfigError, load_settings
from tests.support.forms import largest_form
from tests.support.panel import PASSWORD, csrf, post
from tests.support.sign_ins import MOMENT, START, browser, is_in, rows, thief
from tests.support.signing_in import NEW_PASSWORD, cookie_of, sign_in

Login = Callable[[str], FlaskClient]

# --- 7.2: how they begin -------------------------------------------------------------------------


@pytest.mark.both
def test_asvs_7_2_4_b11_signing_in_makes_a_new_session(app: Flask, session: Session) -> None:
    client = app.test_client()
    client.get("/login/")
    planted = {"sid": "planted", "stamp": "planted", "note": "planted"}
    with client.session_transaction() as kept:
        kept.update(planted)
    before = thief(app, client)
    assert sign_in(client, "operator").status_code == 303
    assert is_in(client)
    after = cookie_of(client)
    assert not {after.get(name) for name in planted} & {"planted"}
    assert "note" not in after
    assert not is_in(before)
    first = after["sid"]
    assert post(client, "/logout/").status_code == 303
    sign_in(client, "operator")
    assert cookie_of(client)["sid"] != first
    assert all(row.token_hash not in (first, after["sid"]) for row in rows(session))


@pytest.mark.parametrize("sid", ["", "x", None, 7, ["x"], "x" * 5000, "\x00"], ids=repr)
def test_asvs_7_2_1_a_cookie_without_its_secret_is_nobody(login: Login, sid: Any) -> None:
    client = login("operator")
    with client.session_transaction() as kept:
        kept["sid"] = sid
    assert not is_in(client)


def test_asvs_7_2_1_the_secret_of_another_person_is_none(login: Login) -> None:
    mine, other = login("operator"), login("operator2")
    with other.session_transaction() as kept:
        foreign = kept["sid"]
    with mine.session_transaction() as kept:
        kept["sid"] = foreign
    assert not is_in(mine)


@pytest.mark.parametrize("https", [True, False])
def test_asvs_b15_the_cookies_of_a_session(
    make_app: Callable[..., Flask], session: Session, https: bool
) -> None:
    settings = {
        "HTTPS": https,
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_NAME": "__Host-aduan" if https else "aduan",
    }
    wanted = {"SESSION_COOKIE_SECURE", "SESSION_COOKIE_NAME"}
    loaded = load_settings({"SECRET_KEY": "x", "HTTPS": "1" if https else "0"})
    assert {name: loaded[name] for name in wanted} == {name: settings[name] for name in wanted}
    client = make_app(**settings).test_client()
    base = "https://localhost" if https else "http://localhost"
    token = csrf_over(client, base)
    answer = client.post(
        "/login/",
        base_url=base,
        headers={"Referer": f"{base}/login/"},
        data={"username": "operator", "password": PASSWORD, "csrf_token": token},
    )
    assert answer.status_code == 303
    set_cookies = answer.headers.getlist("Set-Cookie")
    assert len(set_cookies) == 2
    for line in set_cookies:
        parts = [part.strip() for part in line.split(";")]
        assert parts[0].startswith("__Host-" if https else "aduan")
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(parts)
        assert ("Secure" in parts) == https
        assert not any(part.startswith("Domain") for part in parts)


def csrf_over(client: FlaskClient, base: str) -> str:
    page = client.get("/login/", base_url=base).text
    return page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]


# --- 7.3: running out ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "inside"),
    [
        pytest.param(29, True, id="asvs 7.3.1 twenty-nine idle minutes"),
        pytest.param(30, False, id="asvs 7.3.1 thirty idle minutes"),
        pytest.param(600, False, id="asvs 7.3.1 a night"),
    ],
)
def test_idleness_ends_it_on_the_server(
    app: Flask, session: Session, clock: Callable[[datetime], None], minutes: int, inside: bool
) -> None:
    clock(START)
    client = browser(app)
    stolen = thief(app, client)
    clock(START + timedelta(minutes=minutes) + MOMENT)
    assert is_in(stolen) == inside
    assert is_in(client) == inside


def test_asvs_7_3_1_work_keeps_it_going_and_looking_at_the_clock_does_not(
    app: Flask, session: Session, clock: Callable[[datetime], None]
) -> None:
    clock(START)
    client = browser(app)
    for minutes in (20, 40, 60, 80):
        clock(START + timedelta(minutes=minutes))
        assert is_in(client)
    for minutes in (90, 100, 109):
        clock(START + timedelta(minutes=minutes))
        assert client.get("/sessions/state").status_code == 200
    clock(START + timedelta(minutes=110) + MOMENT)
    assert client.get("/sessions/state").status_code == 401
    assert not is_in(client)


@pytest.mark.parametrize(
    ("after", "inside"),
    [
        pytest.param(timedelta(hours=11, minutes=59), True, id="asvs 7.3.2 shortly before twelve"),
        pytest.param(timedelta(hours=12), False, id="asvs 7.3.2 twelve hours"),
    ],
)
def test_a_day_s_work_ends_it_however_busy(
    app: Flask,
    session: Session,
    clock: Callable[[datetime], None],
    after: timedelta,
    inside: bool,
) -> None:
    clock(START)
    client = browser(app)
    moment = timedelta(0)
    while (moment := moment + timedelta(minutes=25)) < after:
        clock(START + moment)
        assert is_in(client)
    clock(START + after + MOMENT)
    assert is_in(client) == inside


def test_asvs_b13_both_limits_are_settings() -> None:
    settings = load_settings(
        {"SECRET_KEY": "x", "SESSION_HOURS": "4", "SESSION_IDLE_MINUTES": "10"}
    )
    assert settings["PERMANENT_SESSION_LIFETIME"] == timedelta(hours=4)
    assert settings["SESSION_IDLE_MINUTES"] == 10
    for name, value in (
        ("SESSION_HOURS", "0"),
        ("SESSION_IDLE_MINUTES", "1"),
        ("SESSION_IDLE_MINUTES", "x"),
    ):
        with pytest.raises(ConfigError, match=name):
            load_settings({"SECRET_KEY": "x", name: value})


def test_asvs_b13_other_limits_hold(
    make_app: Callable[..., Flask], session: Session, clock: Callable[[datetime], None]
) -> None:
    app = make_app(SESSION_IDLE_MINUTES=10, PERMANENT_SESSION_LIFETIME=timedelta(minutes=25))
    clock(START)
    client, idle = browser(app), browser(app, "petugas")
    for minutes, inside in ((9, True), (18, True), (24, True), (25, False)):
        clock(START + timedelta(minutes=minutes) + MOMENT)
        assert is_in(client) == inside
    assert not is_in(idle)


def test_asvs_b13_the_page_is_told_how_long_it_lasts(
    app: Flask, session: Session, clock: Callable[[datetime], None]
) -> None:
    clock(START)
    client = browser(app)
    page = client.get("/sessions/").text
    assert re.search(r'<body[^>]* data-left="(1800|179\d)" data-idle="1800" data-who="\d+"', page)
    clock(START + timedelta(minutes=12))
    state = client.get("/sessions/state").json
    assert state is not None
    assert 1070 <= state["left"] <= 1080
    assert state["last"] is False
    stay = post(client, "/sessions/stay").json
    assert stay is not None
    assert stay["left"] >= 1790
    assert client.get("/sessions/state").json["left"] >= 1790  # type: ignore[index]


def test_asvs_b13_the_sign_in_page_says_why(
    app: Flask, session: Session, clock: Callable[[datetime], None]
) -> None:
    clock(START)
    client = browser(app)
    clock(START + timedelta(minutes=31))
    page = client.get("/queue/", follow_redirects=True)
    assert page.request.path == "/login/"
    assert "cukup lama tidak ada kegiatan" in page.text


def test_asvs_b13_a_form_left_open_goes_through_after_signing_in_again(
    app: Flask, session: Session, clock: Callable[[datetime], None]
) -> None:
    """What the page's script does: a token of the new sign-in for the form that is still there."""
    clock(START)
    client = browser(app)
    clock(START + timedelta(minutes=40))
    late = client.post("/userinfoeditview/form", data={"csrf_token": csrf(client)})
    assert "/login/" in late.location
    assert client.get("/sessions/state").status_code == 401
    assert sign_in(client, "operator").status_code == 303
    state = client.get("/sessions/state").json
    assert state is not None
    form = {"first_name": "Agung", "last_name": "Prasetyo", "csrf_token": state["token"]}
    assert client.post("/userinfoeditview/form", data=form).status_code == 303
    session.expire_all()
    assert (
        session.scalars(select(User).where(User.username == "operator")).one().first_name == "Agung"
    )


@pytest.mark.both
def test_the_time_of_the_last_request_is_written_once_a_minute_after_the_answer(
    app: Flask, session: Session, clock: Callable[[datetime], None], sql_count: Any
) -> None:
    clock(START)
    client = browser(app)
    assert is_in(client)
    for seconds, writes in ((30, 0), (61, 1), (90, 0), (122, 1)):
        clock(START + timedelta(seconds=seconds))
        with sql_count() as statements:
            assert is_in(client)
        touched = [text for text in statements if text.startswith("UPDATE sign_in_session")]
        assert len(touched) == writes
        # The last statement of the request: whoever asked has his answer by then.
        assert not touched or statements[-1] == touched[0]
    assert rows(session)[-1].last_seen_at >= START + timedelta(seconds=122)


# --- 7.4: ending them ----------------------------------------------------------------------------


def log_out(client: FlaskClient, admin: FlaskClient, user: User, session: Session) -> None:
    assert post(client, "/logout/").status_code == 303


def change_password(client: FlaskClient, admin: FlaskClient, user: User, session: Session) -> None:
    form = {"current": PASSWORD, "password": NEW_PASSWORD, "conf_password": NEW_PASSWORD}
    assert post(client, "/resetmypassword/form", form).status_code == 303


def edit(admin: FlaskClient, user: User, **changes: Any) -> None:
    form = {**largest_form(admin.get(f"/users/edit/{user.id}").text), **changes}
    fields = {name: value for name, value in form.items() if value is not None}
    assert post(admin, f"/users/edit/{user.id}", fields).status_code == 303


def deactivate(client: FlaskClient, admin: FlaskClient, user: User, session: Session) -> None:
    edit(admin, user, active=None)


def lose_a_role(client: FlaskClient, admin: FlaskClient, user: User, session: Session) -> None:
    other = session.scalars(select(Role.id).where(Role.name == "Kepala Bidang")).one()
    edit(admin, user, roles=[str(other)])


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(log_out, id="asvs 7.4.1 b12 signing out"),
        pytest.param(change_password, id="asvs 7.4.3 b12 another password"),
        pytest.param(deactivate, id="asvs 7.4.2 b12 deactivation"),
        pytest.param(lose_a_role, id="asvs b12 fewer rights"),
    ],
)
def test_all_sessions_end_at_once_with(
    app: Flask, session: Session, login: Login, user: Callable[[str], User], event: Any
) -> None:
    client, elsewhere = browser(app), browser(app)
    stolen = thief(app, client)
    assert is_in(stolen)
    event(client, login("admin"), user("operator"), session)
    assert not is_in(stolen)
    assert not is_in(elsewhere)
    assert all(row.ended_at for row in rows(session)[:2])
    # Nobody else was touched.
    assert is_in(login("petugas"))


def test_asvs_7_4_4_every_page_has_the_way_out(login: Login) -> None:
    for key in ("petugas", "kepala", "admin"):
        client = login(key)
        for url in ("/sessions/", "/users/userinfo/", "/sop/"):
            page = client.get(url).text
            form = page.split('action="/logout/"')[1].split("</form>")[0]
            assert 'name="csrf_token"' in form


def test_asvs_b16_signing_out_is_a_post_with_a_token(app: Flask, session: Session) -> None:
    client = browser(app)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").status_code == 400
    assert is_in(client)
    assert post(client, "/logout/").status_code == 303
    assert not is_in(client)
    assert "sid" not in cookie_of(client)
