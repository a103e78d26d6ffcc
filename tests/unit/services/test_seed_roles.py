"""Roles: what the file gives at first, what an administrator takes away, what a release adds."""

import dataclasses
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, func, select
from sqlalchemy.orm import Session

from app.models import Model, Permission, PermissionView, Role, SeedRun, ViewMenu
from app.services.seeding import RoleSpec, SeedError, load_roles, role_of, sync_roles
from app.sop.definition import Sop, load_sop

SEEDS = Path(__file__).parents[3] / "seed_data"
NOW = datetime(2026, 7, 6, 1, tzinfo=UTC)

SMALL = """\
[views]
menu = ["Queue"]
Complaint = ["can_list", "can_show"]
Own = ["can_get"]

[everyone]
Own = ["can_get"]

[operator]
label = { id = "Operator", en = "Operator" }
menu = ["Queue"]
Complaint = ["can_list"]

[clerk]
label = { id = "Petugas", en = "Clerk" }
Complaint = ["can_list", "can_show"]
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    engine = create_engine(f"sqlite:///{tmp_path / 'office.db'}")
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    Model.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture(scope="module")
def sop() -> Sop:
    return load_sop(SEEDS / "sop.toml")


@pytest.fixture(scope="module")
def roles() -> tuple[RoleSpec, ...]:
    return load_roles(SEEDS / "roles.toml")


def role(session: Session, name: str) -> Role:
    return session.scalars(select(Role).where(Role.name == name)).one()


def held(session: Session, name: str) -> set[tuple[str, str]]:
    return {(row.permission.name, row.view_menu.name) for row in role(session, name).permissions}


def take(session: Session, name: str, permission: str) -> None:
    """What an administrator does in FAB's role screen."""
    found = role(session, name)
    found.permissions = [row for row in found.permissions if row.permission.name != permission]
    session.commit()


def with_step(sop: Sop, actor: str) -> Sop:
    """The SOP with a seventh step, whose one transition is `archive`."""
    last = sop.steps[0]
    move = dataclasses.replace(last.transitions[0], key="archive", source="archiving", actor=actor)
    step = dataclasses.replace(last, key="archiving", actor=actor, transitions=(move,))
    return dataclasses.replace(sop, steps=(*sop.steps, step))


# --- the file ---


def test_the_six_roles_of_the_design(roles):
    assert [(spec.key, spec.label.id) for spec in roles] == [
        ("petugas_pengaduan", "Petugas Pengaduan"),
        ("operator", "Operator"),
        ("sub_koordinator", "Sub Koordinator"),
        ("kepala_dinas", "Kepala Dinas"),
        ("kepala_bidang", "Kepala Bidang"),
        ("admin_ti", "Admin TI"),
    ]


@pytest.mark.parametrize(
    ("key", "views"),
    [
        pytest.param("admin_ti", ["Complaint", "Document", "Dispatch", "Upload", "Queue"],
                     id="who runs the system handles no case"),
        pytest.param("kepala_bidang", ["Complaint", "Document", "Dispatch", "Upload", "Queue"],
                     id="who reads the charts sees no case"),
        pytest.param("operator", ["RoleModelView", "Admin", "Category", "ResetPasswordView"],
                     id="who handles cases runs no system"),
    ],
)  # fmt: skip
def test_a_role_is_denied(roles, key, views):
    spec = next(spec for spec in roles if spec.key == key)
    assert not [pair for pair in spec.pairs if pair[1] in views]


def test_only_who_runs_the_system_sets_another_password(roles):
    able = {
        spec.key for spec in roles for _, view in spec.permissions if view == "ResetPasswordView"
    }
    assert able == {"admin_ti"}


def test_everyone_reaches_the_own_profile_and_password(roles):
    for spec in roles:
        assert ("can_userinfo", "UserDBModelView") in spec.permissions
        assert ("can_this_form_post", "ResetMyPasswordView") in spec.permissions


def test_no_transition_is_listed_by_hand(roles, sop):
    moves = {move.permission for move in sop.transitions}
    assert not [pair for spec in roles for pair in spec.pairs if pair[0] in moves]


def test_labels_agree_with_the_lanes_of_the_sop(roles, sop):
    words = {spec.key: spec.label for spec in roles}
    for lane in sop.lanes:
        if lane.key in words:
            assert words[lane.key].id.lower() == lane.label.id.lower()
            assert words[lane.key].en == lane.label.en


def test_everyone_is_added_without_doubles(tmp_path):
    (tmp_path / "roles.toml").write_text(SMALL, encoding="utf-8")
    operator, clerk = load_roles(tmp_path / "roles.toml")
    assert operator.permissions == (("can_list", "Complaint"), ("can_get", "Own"))
    assert (operator.menus, clerk.menus) == (("Queue",), ())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param('menu = ["Queue"]\nComplaint = ["can_list"]', 'Complaints = ["can_list"]',
                     "line 11: operator: [views] declares no Complaints; did you mean Complaint?",
                     id="an unknown view"),
        pytest.param('Complaint = ["can_list"]', 'Complaint = ["can_lst"]',
                     "line 12: operator: Complaint has no can_lst; did you mean can_list?",
                     id="an unknown permission"),
        pytest.param('menu = ["Queue"]\nComplaint = ["can_list"]', 'menu = ["Queu"]',
                     "line 11: operator: menu has no Queu", id="an unknown menu"),
        pytest.param('Complaint = ["can_list"]', 'Complaint = "can_list"',
                     "line 12: operator: Complaint must be a list of texts", id="not a list"),
        pytest.param('Complaint = ["can_list"]', 'Complaint = ["can_list", 7]',
                     "line 12: operator: Complaint holds 7, which is not a text", id="a number"),
        pytest.param('Complaint = ["can_list"]', 'Complaint = ["can_list", "can_list"]',
                     "line 12: operator: Complaint names can_list twice", id="a double"),
        pytest.param(', en = "Operator" }', " }",
                     "line 10: operator: the label's en is missing", id="one language only"),
        pytest.param('label = { id = "Petugas", en = "Clerk" }\n', "",
                     "line 14: clerk: the label in both languages is missing", id="no label"),
        pytest.param('id = "Petugas"', 'id = "Operator"',
                     "line 15: clerk and operator are both Operator", id="two roles of one name"),
        pytest.param('id = "Operator"', 'id = "Admin"',
                     "line 10: operator: the name Admin belongs to the system", id="FAB's own role"),
        pytest.param("[clerk]", "[Clerk]",
                     "line 14: 'Clerk' is not a key of small letters, digits and _", id="a bad key"),
        pytest.param('"can_list", "can_show"]', '"can_list", "can_show", "can_edit"]',
                     "line 3: Complaint: no role holds can_edit", id="nobody holds it"),
        pytest.param("[views]", "[screens]",
                     "roles.toml: the table [views] is missing", id="nothing is declared"),
        pytest.param("[views]", "owner = 1\n[views]",
                     "line 1: owner stands outside every table", id="a stray key"),
        pytest.param("[views]", "[views", "line 1: ", id="not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tmp_path, old, new, expected):
    assert old in SMALL
    path = tmp_path / "roles.toml"
    path.write_text(SMALL.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SeedError) as refused:
        load_roles(path)
    found = [str(mistake) for mistake in refused.value.mistakes]
    assert [text for text in found if text.removeprefix("roles.toml, ").startswith(expected)], found


def test_all_mistakes_come_at_once(tmp_path):
    path = tmp_path / "roles.toml"
    path.write_text(
        SMALL.replace('"can_list"]', '"can_lst", 3]').replace('en = "Clerk"', 'xx = ""'),
        encoding="utf-8",
    )
    with pytest.raises(SeedError) as refused:
        load_roles(path)
    assert len(refused.value.mistakes) >= 4
    assert str(refused.value).count("\n") == len(refused.value.mistakes) - 1


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(SeedError, match=r"roles\.toml: the file is missing"):
        load_roles(tmp_path / "roles.toml")


# --- the first seeding ---


def test_a_new_office_gets_every_role_with_its_lines_and_its_lane(session, roles, sop):
    counts = sync_roles(session, roles, sop, now=NOW)
    assert (counts["roles"], counts["absent"]) == (6, 0)
    for spec in roles:
        moves = {(m.permission, "Complaint") for m in sop.transitions if m.actor == spec.key}
        assert held(session, spec.label.id) == set(spec.pairs) | moves


def test_the_lane_decides_who_may_move_a_case(session, roles, sop):
    sync_roles(session, roles, sop, now=NOW)
    assert ("siak_match", "Complaint") in held(session, "Operator")
    assert ("siak_match", "Complaint") not in held(session, "Petugas Pengaduan")
    assert ("sign", "Complaint") in held(session, "Kepala Dinas")


def test_a_role_the_office_made_before_is_taken_over(session, roles, sop):
    session.add(Role(name="Operator"))
    session.flush()
    assert sync_roles(session, roles, sop, now=NOW)["roles"] == 5
    assert ("siak_match", "Complaint") in held(session, "Operator")


def test_a_second_sync_changes_nothing(session, roles, sop):
    sync_roles(session, roles, sop, now=NOW)
    session.commit()
    assert not any(sync_roles(session, roles, sop, now=NOW).values())


# --- later ---


@pytest.mark.parametrize("permission", ["siak_match", "see_confidential", "menu_access"])
def test_what_an_administrator_took_away_stays_away(session, roles, sop, permission):
    sync_roles(session, roles, sop, now=NOW)
    take(session, "Operator", permission)
    sync_roles(session, roles, sop, now=NOW)
    assert permission not in {name for name, _ in held(session, "Operator")}


def test_what_an_administrator_gave_stays_given(session, roles, sop):
    sync_roles(session, roles, sop, now=NOW)
    given = next(
        p for p in role(session, "Kepala Dinas").permissions if p.permission.name == "sign"
    )
    operator = role(session, "Operator")
    operator.permissions.append(given)
    session.commit()
    sync_roles(session, roles, sop, now=NOW)
    assert ("sign", "Complaint") in held(session, "Operator")


def test_a_seventh_step_is_given_to_its_actor_alone(session, roles, sop):
    sync_roles(session, roles, sop, now=NOW)
    take(session, "Operator", "siak_match")
    counts = sync_roles(session, roles, with_step(sop, "operator"), now=NOW)
    assert (counts["permissions"], counts["granted"]) == (1, 1)
    assert ("archive", "Complaint") in held(session, "Operator")
    assert ("siak_match", "Complaint") not in held(session, "Operator")
    assert ("archive", "Complaint") not in held(session, "Petugas Pengaduan")


def test_a_new_permission_is_given_even_where_fab_made_its_row_first(session, roles, sop):
    sync_roles(session, roles, sop, now=NOW)
    newer = dataclasses.replace(roles[1], permissions=(*roles[1].permissions, ("can_new", "Queue")))
    queue = session.scalars(select(ViewMenu).where(ViewMenu.name == "Queue")).one()
    new = Permission(name="can_new")
    session.add(new)
    session.flush()
    session.add(PermissionView(permission_id=new.id, view_menu_id=queue.id))
    session.flush()

    sync_roles(session, (roles[0], newer, *roles[2:]), sop, now=NOW)

    assert ("can_new", "Queue") in held(session, "Operator")


def test_a_seventh_role_is_made_by_a_later_sync(session, roles, sop):
    sync_roles(session, roles[:-1], sop, now=NOW)
    counts = sync_roles(session, roles, sop, now=NOW)
    assert counts["roles"] == 1
    assert held(session, "Admin TI") == set(roles[-1].pairs)


def test_a_renamed_role_is_followed(session, roles, sop):
    sync_roles(session, roles, sop, now=NOW)
    role(session, "Sub Koordinator").name = "Ketua Tim Kerja"
    session.commit()
    counts = sync_roles(session, roles, with_step(sop, "sub_koordinator"), now=NOW)
    assert (counts["roles"], counts["absent"]) == (0, 0)
    assert ("archive", "Complaint") in held(session, "Ketua Tim Kerja")
    assert role_of(session, roles[2]).name == "Ketua Tim Kerja"


def test_a_deleted_role_stays_deleted(session, roles, sop):
    sync_roles(session, roles, sop, now=NOW)
    session.delete(role(session, "Kepala Bidang"))
    session.commit()
    assert sync_roles(session, roles, sop, now=NOW)["absent"] == 1
    assert role_of(session, roles[4]) is None


def test_an_actor_without_a_role_is_refused_before_anything_is_written(session, roles, sop):
    with pytest.raises(SeedError, match="transition archive: no role is called operatr"):
        sync_roles(session, roles, with_step(sop, "operatr"), now=NOW)
    written = [session.scalar(select(func.count()).select_from(m)) for m in (Role, SeedRun)]
    assert written == [0, 0]


def test_the_file_declares_what_it_hands_out(roles):
    declared = tomllib.loads((SEEDS / "roles.toml").read_text(encoding="utf-8"))["views"]
    assert {menu for spec in roles for menu in spec.menus} == set(declared.pop("menu"))
    assert {view for spec in roles for _, view in spec.permissions} == set(declared)
