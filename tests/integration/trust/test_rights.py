"""Who manages users: gives nobody more than he has, changes nothing of his own, and is never the
last administrator to go.
"""

from __future__ import annotations

from threading import Thread

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import PermissionView, Role, User
from app.passwords import check_password
from app.services.administrators import count_administrators
from app.sop.errors import RefusedError
from tests.support.forms import largest_form
from tests.support.panel import engine_of

MANAGES = {
    "UserDBModelView": {"can_list", "can_show", "can_add", "can_edit", "resetpasswords"},
    "RoleModelView": {"can_list", "can_show", "can_add", "can_edit"},
    "ResetPasswordView": {"can_this_form_get", "can_this_form_post"},
}
NEW_PASSWORD = "sebuah kalimat lain lagi"


@pytest.fixture
def role(session):
    return lambda name: session.scalars(select(Role).where(Role.name == name)).one()


@pytest.fixture
def manager(session, role, user):
    """`petugas2` may also manage users and roles, without being an administrator."""
    wanted = {(name, view) for view, names in MANAGES.items() for name in names}
    rows = [row for row in session.scalars(select(PermissionView)).unique() if pair(row) in wanted]
    helper = Role(name="Pembantu Admin", permissions=rows)
    session.add(helper)
    person = user("petugas2")
    person.roles.append(helper)
    session.commit()
    return helper


def pair(row):
    return row.permission.name, row.view_menu.name


def roles_of(session, user, key):
    session.expire_all()
    return sorted(role.name for role in user(key).roles)


def edit(login, post, key, url, **changes):
    """Open the form as this officer, change some of it, send it."""
    client = login(key)
    form = {**largest_form(client.get(url).text), **changes}
    return post(client, url, {name: value for name, value in form.items() if value is not None})


def ids(*roles):
    return [str(role.id) for role in roles]


# --- a manager gives what he has -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["Admin TI", "Kepala Dinas", "Operator"])
def test_asvs_b21_a_manager_gives_no_role_that_can_more_than_he(
    login, post, session, user, role, manager, name
):
    """To another as little as to himself."""
    for key in ("petugas", "petugas2"):
        before = roles_of(session, user, key)
        given = ids(*user(key).roles, role(name))
        answer = edit(login, post, "petugas2", f"/users/edit/{user(key).id}", roles=given)
        assert answer.status_code == 422
        assert "field-errors" in answer.text
        assert roles_of(session, user, key) == before


def test_asvs_b21_a_manager_makes_no_new_user_with_more(login, post, session, role, manager):
    form = {
        "first_name": "Rudi", "last_name": "Contoh", "username": "rudi", "email": "rudi@contoh.id",
        "active": "y", "roles": ids(role("Admin TI")), "shown": "1",
        "password": NEW_PASSWORD, "conf_password": NEW_PASSWORD,
    }  # fmt: skip
    answer = post(login("petugas2"), "/users/add", form)
    assert answer.status_code == 422
    assert session.scalar(select(User).where(User.username == "rudi")) is None
    answer = post(login("petugas2"), "/users/add", {**form, "roles": ids(manager)})
    assert answer.status_code == 303, "what he has himself he may give"


@pytest.mark.parametrize("key", ["admin", "kepala", "operator"])
def test_asvs_b21_a_manager_changes_no_account_that_can_more(
    app, login, post, session, user, manager, key
):
    """Neither its name or address nor its password: with either he could sign in as him."""
    pk = user(key).id
    answer = edit(login, post, "petugas2", f"/users/edit/{pk}", email="mine@example.org")
    assert answer.status_code == 422
    answer = edit(login, post, "petugas2", f"/users/edit/{pk}", active=None)
    assert answer.status_code == 422
    form = {"password": NEW_PASSWORD, "conf_password": NEW_PASSWORD}
    answer = post(login("petugas2"), f"/resetpassword/form?pk={pk}", form)
    assert answer.status_code == 303
    assert "resetpassword" not in answer.location
    session.expire_all()
    assert (user(key).email, user(key).active) == (f"{key}@example.org", True)
    with app.app_context():
        assert not check_password(user(key).password, NEW_PASSWORD)


def test_a_manager_changes_an_account_that_can_no_more_than_he(login, post, session, user, manager):
    answer = edit(login, post, "petugas2", f"/users/edit/{user('petugas').id}", first_name="Sita")
    assert answer.status_code == 303
    session.expire_all()
    assert user("petugas").first_name == "Sita"


def test_asvs_b21_a_manager_widens_no_role(login, post, session, role, manager):
    """Not his own, not another's; nor does he take away from a role above him."""
    sign = next(row for row in role("Kepala Dinas").permissions if pair(row)[0] == "sign")
    for name in ("Pembantu Admin", "Kepala Bidang"):
        before = ids(*role(name).permissions)
        for sent in ([*before, str(sign.id)], before[1:] if name == "Kepala Bidang" else before):
            if sent == before:
                continue
            answer = edit(login, post, "petugas2", f"/roles/edit/{role(name).id}", permissions=sent)
            assert answer.status_code == 422, (name, len(sent))
        session.expire_all()
        assert sorted(ids(*role(name).permissions)) == sorted(before)
    made = post(
        login("petugas2"),
        "/roles/add",
        {"name": "Baru", "permissions": [str(sign.id)], "shown": "1"},
    )
    assert made.status_code == 422
    assert session.scalar(select(Role).where(Role.name == "Baru")) is None


# --- an administrator gives anything, but not to himself -----------------------------------------


def test_an_administrator_appoints_the_head(login, post, session, user, role):
    """He holds no right on cases, and gives those of the head to another all the same."""
    pk = user("subkoordinator").id
    roles = ids(role("Kepala Dinas"))
    assert edit(login, post, "admin", f"/users/edit/{pk}", roles=roles).status_code == 303
    assert roles_of(session, user, "subkoordinator") == ["Kepala Dinas"]


def test_asvs_b21_an_administrator_gives_himself_nothing(login, post, session, user, role):
    pk = user("admin").id
    roles = ids(role("Admin TI"), role("Kepala Dinas"))
    assert edit(login, post, "admin", f"/users/edit/{pk}", roles=roles).status_code == 422
    assert roles_of(session, user, "admin") == ["Admin TI"]
    own = role("Admin TI")
    sign = next(row for row in role("Kepala Dinas").permissions if pair(row)[0] == "sign")
    wider = [*ids(*own.permissions), str(sign.id)]
    answer = edit(login, post, "admin", f"/roles/edit/{own.id}", permissions=wider)
    assert answer.status_code == 422
    session.expire_all()
    assert sign not in role("Admin TI").permissions
    narrower = ids(*(row for row in own.permissions if pair(row) != ("can_list", "Courier")))
    answer = edit(login, post, "admin", f"/roles/edit/{own.id}", permissions=narrower)
    assert answer.status_code == 303, "of his own he may take away"


# --- the last administrator ----------------------------------------------------------------------


@pytest.fixture
def deputy(session, role, user):
    """A second administrator: `kabid`."""
    user("kabid").roles = [role("Admin TI")]
    session.commit()


def test_asvs_b22_the_last_administrator_is_not_switched_off_by_a_page(
    login, post, session, user, role, deputy
):
    """Through his role either: what makes it an administrator's stays in it."""
    pk = user("admin").id
    gone = edit(login, post, "kabid", f"/users/edit/{pk}", active=None)
    assert gone.status_code == 303, "there are two"
    session.expire_all()
    assert user("admin").active is False
    own = role("Admin TI")
    less = ids(*(row for row in own.permissions if pair(row)[0] != "grant_any"))
    refused = edit(login, post, "kabid", f"/roles/edit/{own.id}", permissions=less)
    assert refused.status_code == 422
    session.expire_all()
    assert len(role("Admin TI").permissions) == len(own.permissions)
    assert count_administrators(session) == 1


TAKEN = {
    "switched off": lambda s, u: setattr(u, "active", False),
    "without roles": lambda s, u: setattr(u, "roles", []),
    "deleted": lambda s, u: s.delete(u),
    "his role deleted": lambda s, u: s.delete(u.roles[0]),
    "his role emptied": lambda s, u: setattr(u.roles[0], "permissions", []),
    "one permission deleted": lambda s, u: s.delete(
        next(row for row in u.roles[0].permissions if pair(row)[0] == "grant_any")
    ),
}


@pytest.mark.both
@pytest.mark.parametrize("way", TAKEN)
def test_asvs_b22_no_code_leaves_the_panel_without_an_administrator(session, user, way):
    """A command, an import, a batch: whatever goes through a session."""
    admin = user("admin")
    TAKEN[way](session, admin)
    with pytest.raises(RefusedError, match="last_administrator"):
        session.commit()
    session.rollback()
    assert count_administrators(session) == 1
    assert user("admin").active


@pytest.mark.both
def test_asvs_b22_a_flush_and_a_savepoint_hide_nothing(session, user):
    admin = user("admin")
    admin.active = False
    session.flush()
    with pytest.raises(RefusedError), session.begin_nested():
        admin.first_name = "Lain"
    session.rollback()
    user("admin").active = False
    session.flush()
    user("admin").active = True
    session.commit()
    assert count_administrators(session) == 1


@pytest.mark.both
def test_asvs_b22_of_two_who_switch_each_other_off_one_stays(app, session, user, deputy):
    """At the same moment, each in a transaction of his own."""
    engine, refused = engine_of(app), []
    pks = [user(key).id for key in ("admin", "kabid")]
    session.commit()

    def switch_off(pk: int) -> None:
        with Session(engine) as own:
            try:
                own.get_one(User, pk).active = False
                own.commit()
            except RefusedError as error:
                refused.append(error.code)

    threads = [Thread(target=switch_off, args=(pk,)) for pk in pks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert refused == ["last_administrator"]
    assert count_administrators(session) == 1


def test_an_office_that_never_had_an_administrator_is_not_held_up(session, user, role):
    """A database of an earlier release before its sync, or one that is being filled."""
    engine = session.get_bind()
    with engine.connect() as connection:
        connection.exec_driver_sql("UPDATE ab_user SET active = 0")
        connection.commit()
    session.expire_all()
    user("kepala").active = True
    user("operator").roles = [role("Kepala Bidang")]
    session.commit()
    assert count_administrators(session) == 0


# --- settings ------------------------------------------------------------------------------------

SETTINGS = [
    "/reference/categories/add",
    "/reference/categories/edit/1",
    "/reference/channels/add",
    "/reference/couriers/edit/1",
    "/reference/document_kinds/add",
    "/reference/regions/add",
    "/reference/holidays/add",
    "/reference/working_hours/add",
    "/reference/office/edit/1",
    "/reference/signatories/add",
    "/reference/standard_minutes/edit/intake",
    "/reference/message-texts/edit/1",
    "/blank-stock/add",
]


@pytest.mark.parametrize("url", SETTINGS)
def test_asvs_7_5_1_a_setting_asks_again_who_it_is(login, url):
    from tests.integration.trust.test_step_up import grow_stale

    client = login("admin")
    assert client.get(url).status_code == 200
    answer = grow_stale(client).get(url)
    assert answer.status_code == 303
    assert answer.location.startswith("/confirm/")


def test_asvs_7_5_1_new_standards_are_not_published_unasked(login, post):
    from tests.integration.trust.test_step_up import grow_stale

    answer = post(grow_stale(login("admin")), "/sop/hidup/publish", {"standard_intake": "12"})
    assert answer.status_code == 401
