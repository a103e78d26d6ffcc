"""Passwords kept by a directory: the views are wired, the rules of our own passwords are gone.

No directory is started here: what FAB and python-ldap say to it is theirs.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Role, User
from config import ConfigError, load_settings
from tests.integration.test_access_matrix import client_of
from tests.support.panel import post
from tests.support.signing_in import sign_in


@pytest.fixture
def directory(make_app: Callable[..., Flask], session: Session) -> Flask:
    return make_app(
        AUTH_TYPE=2, AUTH_LDAP_SERVER="ldap://127.0.0.1:1", AUTH_USER_REGISTRATION=False
    )


def test_a_local_password_opens_nothing(directory: Flask) -> None:
    answer = sign_in(directory.test_client(), "operator")
    assert answer.status_code == 401
    assert "Nama pengguna atau kata sandi tidak benar" in answer.text


def test_there_is_no_page_that_sets_a_password(directory: Flask, session: Session) -> None:
    rules = {rule.rule for rule in directory.url_map.iter_rules()}
    assert not {rule for rule in rules if "password" in rule}
    admin = client_of(directory, "admin")
    pk = session.scalars(select(User.id).where(User.username == "operator")).one()
    for url in ("/users/userinfo/", f"/users/show/{pk}", "/users/add", "/sessions/"):
        page = admin.get(url)
        assert page.status_code == 200
        assert 'type="password"' not in page.text
        assert "resetpassword" not in page.text
    assert "direktori pemerintah" in admin.get("/sign-in-rules/").text


def test_a_user_is_added_without_a_password(directory: Flask, session: Session) -> None:
    role = session.scalars(select(Role.id).where(Role.name == "Operator")).one()
    form = {
        "first_name": "Rudi",
        "last_name": "Contoh",
        "username": "rudi",
        "email": "rudi@contoh.id",
        "active": "y",
        "roles": [str(role)],
        "shown": "1",
    }
    assert post(client_of(directory, "admin"), "/users/add", form).status_code == 303
    session.commit()
    user = session.scalars(select(User).where(User.username == "rudi")).one()
    assert user.password == ""
    rudi = client_of(directory, "rudi")
    assert rudi.get("/queue/").status_code == 200
    # Roles, sessions and signing out are ours as before.
    assert rudi.get("/users/list/").status_code == 403
    assert post(rudi, "/logout/").status_code == 303
    assert "/login/" in rudi.get("/queue/").location


def test_the_second_factor_and_the_counters_stay(directory: Flask) -> None:
    client = client_of(directory, "kepala")
    assert client.get("/second-factor/").status_code == 200
    assert "/login/code/" in {rule.rule for rule in directory.url_map.iter_rules()}


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        pytest.param({"AUTH_TYPE": "saml"}, "one of db, ldap, oauth", id="another way"),
        pytest.param(
            {"AUTH_TYPE": "ldap"}, "AUTH_TYPE=ldap needs", id="ldap without its library or server"
        ),
        pytest.param(
            {"AUTH_TYPE": "oauth"},
            "AUTH_TYPE=oauth needs|AUTH_OAUTH_FILE",
            id="oauth without its library or file",
        ),
    ],
)
def test_what_is_missing_is_said_at_the_start(environment: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_settings({"SECRET_KEY": "x", **environment})


def test_passwords_are_kept_here_unless_said_otherwise() -> None:
    assert load_settings({"SECRET_KEY": "x"})["AUTH_TYPE"] == 1
