"""Accounts: first passwords, one's own password, users and roles that Admin TI manages."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.models import Account, PermissionView, Role, User
from app.passwords import check_password

GOOD = "kalimat yang cukup panjang"


def errors_of(answer):
    """The messages beside the fields."""
    found = re.findall(r'class="field-errors"[^>]*>(.*?)</ul>', answer.text, re.DOTALL)
    return [re.sub(r"<[^>]+>|\s+", " ", text).strip() for text in found]


def new_user(session, **changes):
    role = session.scalars(select(Role).where(Role.name == "Operator")).one()
    return {
        "first_name": "Rudi",
        "last_name": "Contoh",
        "username": "rudi",
        "email": "rudi@contoh.id",
        "active": "y",
        "roles": [str(role.id)],
        "password": GOOD,
        "conf_password": GOOD,
        "shown": "1",
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        pytest.param({"first_name": ""}, 1, id="a name is needed"),
        pytest.param({"username": "a b"}, 1, id="a user name has no blanks"),
        pytest.param({"username": "x" * 10_000}, 1, id="a user name has an end"),
        pytest.param({"email": "rudi"}, 1, id="an address has an @"),
        pytest.param({"roles": []}, 1, id="a user has a role"),
        pytest.param({"password": "pendek", "conf_password": "pendek"}, 1, id="twelve characters"),
        pytest.param({"conf_password": "lain sama sekali"}, 1, id="both passwords are the same"),
        pytest.param({"first_name": "Ru\x00di"}, 1, id="no null byte in a name"),
        pytest.param({"username": "petugas"}, 1, id="a user name is there once"),
    ],
)
def test_a_bad_user_is_refused_beside_the_field(login, post, session, changes, count):
    before = session.query(User).count()
    answer = post(login("admin"), "/users/add", new_user(session, **changes))
    assert answer.status_code == 422
    assert len(errors_of(answer)) == count
    assert all(errors_of(answer)), "a message has words"
    assert session.query(User).count() == before
    assert "Contoh" in answer.text, "what was typed is still there"


def test_a_new_user_must_change_his_first_password(login, post, session, client):
    answer = post(login("admin"), "/users/add", new_user(session))
    assert answer.status_code == 303
    assert session.scalars(select(User).where(User.username == "rudi")).one().roles
    signed_in = post(client, "/login/", {"username": "rudi", "password": GOOD})
    assert signed_in.status_code == 303
    assert client.get("/queue/").location.endswith("/resetmypassword/form")
    other = "sebuah kalimat lain lagi"
    changed = post(
        client,
        "/resetmypassword/form",
        {"current": GOOD, "password": other, "conf_password": other},
    )
    assert changed.status_code == 303
    assert client.get("/queue/").status_code == 200


def test_only_who_knows_the_present_password_sets_a_new_one(app, login, post, session, user):
    answer = post(
        login("operator"),
        "/resetmypassword/form",
        {"current": "bukan ini", "password": GOOD, "conf_password": GOOD},
    )
    assert answer.status_code == 422
    assert errors_of(answer)
    session.expire_all()
    with app.app_context():
        assert not check_password(user("operator").password, GOOD)


def test_a_reset_ends_the_sessions_and_must_be_changed(login, post, session, user):
    operator = login("operator")
    assert operator.get("/queue/").status_code == 200
    answer = post(
        login("admin"),
        f"/resetpassword/form?pk={user('operator').id}",
    )
    # The page that shows the password for one use.
    assert answer.status_code == 200
    assert operator.get("/queue/").status_code == 302
    account = session.get(Account, user("operator").id, populate_existing=True)
    assert account.must_change_password


def test_a_deactivated_officer_is_out_at_the_next_request(login, post, session, user):
    operator, key = login("operator"), user("operator").id
    page = login("admin").get(f"/users/edit/{key}")
    assert page.status_code == 200
    roles = [str(role.id) for role in user("operator").roles]
    values = {
        "first_name": "Agus",
        "last_name": "Prasetyo",
        "username": "operator",
        "email": user("operator").email,
        "roles": roles,
        "shown": "1",
    }
    assert post(login("admin"), f"/users/edit/{key}", values).status_code == 303
    session.expire_all()
    assert user("operator").active is False
    assert operator.get("/queue/").status_code == 302


def test_a_role_is_edited_in_plain_words_and_takes_effect_at_once(login, post, session):
    officer, admin = login("operator"), login("admin")
    assert officer.get("/complaints/list/").status_code == 200
    role = session.scalars(select(Role).where(Role.name == "Operator")).one()
    page = admin.get(f"/roles/edit/{role.id}")
    assert "can_list" not in page.text
    kept = [
        str(row.id)
        for row in role.permissions
        if (row.permission.name, row.view_menu.name) != ("can_list", "Complaint")
    ]
    values = {"name": "Operator", "permissions": kept, "shown": "1"}
    assert post(admin, f"/roles/edit/{role.id}", values).status_code == 303
    assert officer.get("/complaints/list/").status_code == 403
    offered = session.query(PermissionView).count()
    assert page.text.count("<option") >= offered
