"""New passwords, and how they are kept; the ids name the line of the checks they prove."""

from __future__ import annotations

import argon2
import pytest
from sqlalchemy import select
from werkzeug.security import generate_password_hash

from app.models import Role, User
from config import ConfigError, load_settings
from tests.support.panel import OFFICERS, PASSWORD
from tests.support.signing_in import NEW_PASSWORD, sign_in


def change(post, client, new, current=PASSWORD):
    form = {"current": current, "password": new, "conf_password": new}
    return post(client, "/resetmypassword/form", form)


def new_user(session, password):
    role = session.scalars(select(Role).where(Role.name == "Operator")).one()
    return {
        "first_name": "Rudi",
        "last_name": "Contoh",
        "username": "rudihartono",
        "email": "rudi@contoh.id",
        "active": "y",
        "roles": [str(role.id)],
        "password": password,
        "conf_password": password,
        "shown": "1",
    }


REFUSED = [
    pytest.param("tujuh7!", "sedikitnya 12 karakter", id="asvs 6.2.1 seven characters"),
    pytest.param("Sebelas11!!", "sedikitnya 12 karakter", id="asvs b1 eleven characters"),
    pytest.param("leavemealone", "paling dulu ditebak", id="asvs 6.2.4 one of the list"),
    pytest.param("Password2026!", "paling dulu ditebak", id="asvs b2 one of the list, dressed up"),
    pytest.param("pagi di batang", "batang", id="asvs b2 the office's own word"),
    pytest.param("123456789012", "deret tombol", id="asvs b2 a row of keys"),
]


@pytest.mark.parametrize(("password", "words"), REFUSED)
def test_a_weak_password_is_refused_beside_the_field(login, post, session, password, words):
    own = change(post, login("operator"), password)
    other = post(login("admin"), "/users/add", new_user(session, password))
    for answer in (own, other):
        assert answer.status_code == 422
        errors = answer.text.split('id="password-errors"')[1].split("</ul>")[0]
        assert words in errors
    assert session.query(User).filter_by(username="rudihartono").count() == 0
    assert sign_in(login("operator").application.test_client(), "operator").status_code == 303


@pytest.mark.parametrize(
    ("key", "password"),
    [
        pytest.param("operator", "kucing si Prasetyo lari", id="asvs b2 the last name"),
        pytest.param("operator", "operator sore hari", id="asvs b2 the user name"),
    ],
)
def test_a_password_with_ones_own_name_is_refused(login, post, key, password):
    answer = change(post, login(key), password)
    assert answer.status_code == 422
    assert "nama Anda" in answer.text.split('id="password-errors"')[1].split("</ul>")[0]


def test_asvs_b2_a_new_user_s_first_password_has_not_his_name(login, post, session):
    answer = post(login("admin"), "/users/add", new_user(session, "kalimat rudihartono baru"))
    assert answer.status_code == 422
    assert "rudihartono" in answer.text.split('id="password-errors"')[1].split("</ul>")[0]


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("hujan deras sore", id="asvs 6.2.5 small letters alone"),
        pytest.param("   dua  blank   di mana  ", id="asvs 6.2.8 blanks before, between, behind"),
        pytest.param("ꦲꦏ꧀ꦱꦫꦗꦮ ñandú é naïve", id="asvs 6.2.8 unicode"),
        pytest.param("panjang sekali kalimatnya " * 3, id="asvs 6.2.9 more than 64 characters"),
        pytest.param("ratusan hal " * 10 + "habis", id="asvs b1 125 characters"),
        pytest.param("tiga ratus huruf " * 18, id="asvs 6.2.8 306 characters"),
    ],
)
def test_a_long_password_is_taken_and_compared_exactly(app, login, post, password):
    assert change(post, login("operator"), password).status_code == 303
    wrong = [password[:-1], password + " ", password.upper(), password.strip(), password[:72]]
    for other in {text for text in wrong if text != password}:
        assert sign_in(app.test_client(), "operator", other).status_code == 401
    assert sign_in(app.test_client(), "operator", password).status_code == 303


@pytest.mark.parametrize("key", OFFICERS)
def test_asvs_6_2_2_every_role_changes_its_own_password(app, login, post, key):
    assert change(post, login(key), NEW_PASSWORD).status_code == 303
    assert sign_in(app.test_client(), key).status_code == 401
    assert sign_in(app.test_client(), key, NEW_PASSWORD).status_code == 303


@pytest.mark.parametrize("current", ["", "not it", PASSWORD.upper(), f"{PASSWORD} "])
def test_asvs_6_2_3_only_with_the_present_password(app, login, post, current):
    assert change(post, login("operator"), NEW_PASSWORD, current).status_code == 422
    assert sign_in(app.test_client(), "operator").status_code == 303


def test_asvs_b1_fields_let_managers_and_pasting_work(login, client):
    page = login("operator").get("/resetmypassword/form").text
    assert page.count('autocomplete="new-password"') == 2
    assert 'autocomplete="current-password"' in page
    assert 'autocomplete="current-password"' in client.get("/login/").text
    assert "onpaste" not in page


# --- how they are kept ---------------------------------------------------------------------------


def stored(session, key):
    session.expire_all()
    return session.scalars(select(User.password).where(User.username == key)).one()


def test_asvs_11_4_2_a_password_is_kept_by_argon2id(login, post, session):
    change(post, login("operator"), NEW_PASSWORD)
    parameters = argon2.extract_parameters(stored(session, "operator"))
    assert parameters.type is argon2.Type.ID
    assert parameters.salt_len >= 16


def test_asvs_11_4_2_the_cost_is_what_owasp_asks_for():
    memory, passes, lanes = load_settings({"SECRET_KEY": "x"})["PASSWORD_COST"]
    assert (memory >= 19456, passes >= 2, lanes >= 1) == (True, True, True)


@pytest.mark.parametrize("cost", ["8,1,1", "19456,1,1", "1000,100,1"])
def test_asvs_11_4_2_production_refuses_a_cheap_one(cost):
    environment = {"SECRET_KEY": "x", "ADUAN_ENV": "production", "PASSWORD_COST": cost}
    with pytest.raises(ConfigError, match="too cheap"):
        load_settings(environment)


@pytest.mark.parametrize("cost", ["", "x", "1,2", "1,2,3,4", "-8,1,1", "8,0,1", "4,1,1", "8,1,0"])
def test_a_cost_that_is_none_is_refused(cost):
    if cost:
        with pytest.raises(ConfigError, match="PASSWORD_COST"):
            load_settings({"SECRET_KEY": "x", "PASSWORD_COST": cost})
    else:
        assert load_settings({"PASSWORD_COST": cost, "SECRET_KEY": "x"})["PASSWORD_COST"]


@pytest.mark.parametrize("method", ["scrypt:1024:8:1", "pbkdf2:sha256:1000"])
def test_asvs_11_4_2_a_hash_of_an_earlier_release_counts_once_more(app, session, method):
    user = session.scalars(select(User).where(User.username == "operator")).one()
    user.password = old = generate_password_hash(PASSWORD, method=method)
    assert sign_in(app.test_client(), "operator", "not it").status_code == 401
    assert stored(session, "operator") == old
    client = app.test_client()
    assert sign_in(client, "operator").status_code == 303
    assert stored(session, "operator").startswith("$argon2id$")
    assert client.get("/queue/").status_code == 200
    assert sign_in(app.test_client(), "operator").status_code == 303


def test_a_hash_of_another_cost_is_renewed(make_app, session):
    dearer = make_app(PASSWORD_COST=(16, 2, 1))
    before = stored(session, "operator")
    session.commit()
    assert sign_in(dearer.test_client(), "operator").status_code == 303
    after = argon2.extract_parameters(stored(session, "operator"))
    assert (after.memory_cost, after.time_cost) == (16, 2)
    assert stored(session, "operator") != before
