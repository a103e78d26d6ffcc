"""What goes wrong with stock Flask-AppBuilder: signing in, cookies, hosts and languages."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Role
from app.sop.definition import load_sop
from app.sop.errors import SopMistakes
from config import SEED_DATA
from tests.integration.test_access_matrix import client_of
from tests.support.forms import largest_form
from tests.support.looking import changes, dump
from tests.support.panel import PASSWORD, csrf, engine_of, post
from tests.support.signing_in import NEW_PASSWORD, sign_in
from tests.support.world import World

# --- 3: tokens -----------------------------------------------------------------------------------


def test_trap_03_a_token_of_another_session_is_none(world_app: Flask, world: World) -> None:
    client, other = client_of(world_app, "petugas"), client_of(world_app, "petugas2")
    foreign = csrf(other)
    with client.session_transaction() as kept:
        kept["csrf_token"] = secrets.token_hex(20)
    url = f"/complaints/start/{world.places['case']}"
    before = dump(engine_of(world_app))
    for data in ({"csrf_token": foreign}, {"csrf_token": "x"}, {"csrf_token": ""}):
        assert client.post(url, data=data).status_code == 400
    assert client.post(url, headers={"X-CSRFToken": foreign}).status_code == 400
    assert changes(before, dump(engine_of(world_app))) == []
    assert client.post(url, headers={"X-CSRFToken": csrf(client)}).status_code == 303


# --- 4: the way round the rate limit -------------------------------------------------------------


def test_trap_04_there_is_one_way_in_and_it_is_limited(make_app: Callable[..., Flask]) -> None:
    app = make_app(RATELIMIT_ENABLED=True, AUTH_RATE_LIMIT="3 per minute")
    client = app.test_client()
    answers = [sign_in(client, "petugas", "not it").status_code for _ in range(3)]
    assert answers == [401, 401, 401]
    late = sign_in(client, "petugas")
    assert late.status_code == 429
    assert "Traceback" not in late.text
    # Neither another browser nor a claimed address helps, and looking at the page is free.
    assert sign_in(app.test_client(), "petugas").status_code == 429
    claimed = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"}
    assert sign_in(client, "petugas", headers=claimed).status_code == 429
    assert client.get("/login/").status_code == 200
    body = {"username": "petugas", "password": PASSWORD, "provider": "db"}
    assert client.post("/api/v1/security/login", json=body).status_code in (400, 404)


def test_trap_04_the_limit_is_on_by_default(app: Flask) -> None:
    from config import load_settings

    settings = load_settings({"SECRET_KEY": "x"})
    assert settings["RATELIMIT_ENABLED"]
    assert settings["AUTH_RATE_LIMITED"]
    assert not any(rule.rule.startswith("/api/") for rule in app.url_map.iter_rules())


# --- 10: old cookies -----------------------------------------------------------------------------


def log_out(client: FlaskClient, app: Flask, pk: str) -> None:
    assert post(client, "/logout/").status_code == 303


def change_password(client: FlaskClient, app: Flask, pk: str) -> None:
    form = {"current": PASSWORD, "password": NEW_PASSWORD, "conf_password": NEW_PASSWORD}
    assert post(client, "/resetmypassword/form", form).status_code == 303


def be_given_a_password(client: FlaskClient, app: Flask, pk: str) -> None:
    answer = post(client_of(app, "admin"), f"/resetpassword/form?pk={pk}")
    # The page that shows the password for one use.
    assert answer.status_code == 200


def be_deactivated(client: FlaskClient, app: Flask, pk: str) -> None:
    admin = client_of(app, "admin")
    form = largest_form(admin.get(f"/users/edit/{pk}").text)
    form.pop("active", None)
    assert post(admin, f"/users/edit/{pk}", form).status_code == 303


def lose_a_role(client: FlaskClient, app: Flask, pk: str) -> None:
    admin = client_of(app, "admin")
    form = largest_form(admin.get(f"/users/edit/{pk}").text)
    with Session(engine_of(app)) as session:
        form["roles"] = [str(session.scalars(select(Role.id).where(Role.name == "Operator")).one())]
    assert post(admin, f"/users/edit/{pk}", form).status_code == 303


@pytest.mark.parametrize(
    "event",
    [log_out, change_password, be_given_a_password, be_deactivated, lose_a_role],
    ids=lambda event: event.__name__,
)
def test_trap_10_an_old_cookie_is_worthless_after(
    world_app: Flask, world: World, event: Callable[[FlaskClient, Flask, str], None]
) -> None:
    client, elsewhere = client_of(world_app, "petugas2"), client_of(world_app, "petugas2")
    for one in (client, elsewhere):
        assert one.get("/users/userinfo/").status_code == 200
    stolen = client.get_cookie("aduan")
    assert stolen is not None
    event(client, world_app, world.places["user"])
    thief = world_app.test_client()
    thief.set_cookie("aduan", stolen.value)
    for one in (thief, elsewhere):
        answer = one.get("/users/userinfo/")
        assert (answer.status_code, "/login/" in (answer.location or "")) == (302, True)


def test_trap_10_who_changes_his_password_stays_signed_in(world_app: Flask, world: World) -> None:
    client = client_of(world_app, "petugas2")
    change_password(client, world_app, "")
    assert client.get("/users/userinfo/").status_code == 200
    assert sign_in(world_app.test_client(), "petugas2").status_code == 401
    assert sign_in(world_app.test_client(), "petugas2", NEW_PASSWORD).status_code == 303


def test_trap_10_a_made_up_cookie_is_nobody(app: Flask, session: Session) -> None:
    """Neither an unsigned one, nor a signed one without the stamp of the user."""
    for value in ("x", "e30.x.y", ""):
        client = app.test_client()
        client.set_cookie("aduan", value)
        assert client.get("/queue/").status_code == 302
    for user_id in ("1", "999", "abc", "٣", ""):
        client = app.test_client()
        with client.session_transaction() as kept:
            kept.update({"_user_id": user_id, "_fresh": True, "stamp": "0" * 32})
        assert client.get("/queue/").status_code == 302


# --- 13: leading elsewhere -----------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "http://localhost@evil.example/",
    "http://localhost.evil.example/",
    "/%09/evil.example",
    "\t//evil.example",
    "http:///evil.example",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_trap_13_signing_in_leads_to_this_host_only(app: Flask, target: str) -> None:
    client = app.test_client()
    answer = client.post(
        "/login/",
        query_string={"next": target},
        data={"username": "petugas", "password": PASSWORD, "csrf_token": csrf(client)},
    )
    assert answer.status_code == 303
    assert stays_here(answer.location)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_trap_13_a_language_switch_leads_back_to_this_host_only(app: Flask, target: str) -> None:
    answer = post(app.test_client(), "/lang/en", headers={"Referer": target})
    assert answer.status_code == 303
    assert stays_here(answer.location)


def stays_here(location: str) -> bool:
    return bool(re.match(r"/(?![/\\\t%])|/%09/|https?://localhost(:\d+)?/", location))


def test_trap_13_the_host_of_a_request_is_not_believed(app: Flask) -> None:
    client = app.test_client()
    answer = client.post(
        "/login/?next=http://evil.example/x",
        data={"username": "petugas", "password": PASSWORD, "csrf_token": csrf(client)},
        headers={"Host": "evil.example"},
    )
    assert answer.location is None or answer.location.startswith("/")


def test_trap_13_an_office_can_name_its_hosts(make_app: Callable[..., Flask]) -> None:
    client = make_app(TRUSTED_HOSTS=["panel.example"]).test_client()
    assert client.get("/login/", headers={"Host": "panel.example"}).status_code == 200
    for host in ("evil.example", "panel.example.evil.example", "localhost"):
        assert client.get("/login/", headers={"Host": host}).status_code == 400


# --- 14, 17, 18: names ---------------------------------------------------------------------------


def test_trap_14_a_transition_s_key_never_holds_can(tmp_path: Any) -> None:
    path = tmp_path / "sop.toml"
    words = (SEED_DATA / "sop.toml").read_text(encoding="utf-8")
    path.write_text(words.replace('key = "sign"', 'key = "scan_x"'), encoding="utf-8")
    with pytest.raises(SopMistakes, match="can_"):
        load_sop(path)


def test_trap_17_the_security_api_is_off(app: Flask) -> None:
    assert not app.config["FAB_ADD_SECURITY_API"]
    names = set(app.blueprints)
    assert not {"RoleApi", "UserApi", "PermissionApi", "SecurityApi", "OpenApi", "MenuApi"} & names


@pytest.mark.parametrize("locale", ["xx", "", "../en", "en_US_POSIX_x", 7, None])
def test_trap_18_an_unknown_language_in_the_cookie_is_ours(app: Flask, locale: Any) -> None:
    client = app.test_client()
    with client.session_transaction() as kept:
        kept["locale"] = locale
    answer = client.get("/login/")
    assert answer.status_code == 200
    assert '<html lang="id"' in answer.text


@pytest.mark.parametrize("locale", ["xx", "..", "EN", "%00"])
def test_trap_18_an_unknown_language_is_not_there(app: Flask, locale: str) -> None:
    assert post(app.test_client(), f"/lang/{locale}").status_code == 404
