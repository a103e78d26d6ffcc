"""What goes wrong with stock Flask-AppBuilder: records, forms, tables, lists, roles and files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Complaint, Document, Model, Role, User
from tests.integration.test_access_matrix import client_of
from tests.support import samples
from tests.support.cases import CaseMaker
from tests.support.forms import largest_form
from tests.support.looking import changes, dump
from tests.support.panel import engine_of, post
from tests.support.world import World

# --- 1: actions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "data", "status"),
    [
        pytest.param("/complaints/action/siak_match/99999", {}, 404, id="no such case"),
        pytest.param("/complaints/action/siak_match/abc", {}, 404, id="no key at all"),
        pytest.param("/complaints/action/nothing/1", {}, 404, id="no such action"),
        pytest.param("/complaints/action/show/1", {}, 404, id="a method is no action"),
        pytest.param("/complaints/action_post", {"action": "nothing"}, 404, id="none in the list"),
        pytest.param("/complaints/action_post", {"action": ""}, 404, id="no name in the list"),
        pytest.param(
            "/complaints/action_post", {"action": "confirm_printed"}, 303, id="nothing ticked"
        ),
        pytest.param(
            "/complaints/action_post",
            {"action": "confirm_printed", "rowid": ["abc", "", "-1", "9" * 30]},
            303,
            id="nothing that is a key",
        ),
        pytest.param(
            "/complaints/action_post",
            {"action": "confirm_printed", "rowid": [str(n) for n in range(1, 102)]},
            400,
            id="more rows than a page has",
        ),
    ],
)
def test_trap_01_an_action_on_what_is_not_there(
    world_app: Flask, url: str, data: dict[str, Any], status: int
) -> None:
    client = client_of(world_app, "operator")
    before = dump(engine_of(world_app))
    assert post(client, url, data).status_code == status
    assert changes(before, dump(engine_of(world_app))) == []


# --- 5, 6: a refused edit ------------------------------------------------------------------------

#: An edit of each screen: what is tampered with, and what makes the form be refused.
REFUSED_EDITS = [
    ("admin", "/reference/couriers/edit/1", {"name": "Tampered", "hint_regex": "("}),
    ("admin", "/reference/couriers/edit/1", {"hint_regex": "Tampered", "name": ""}),
    ("admin", "/reference/channels/edit/1", {"label_en": "Tampered", "label_id": ""}),
    ("admin", "/reference/document_kinds/edit/1", {"label_en": "Tampered", "label_id": ""}),
    ("admin", "/reference/categories/edit/1", {"label_en": "Tampered", "label_id": ""}),
    ("admin", "/reference/holidays/edit/{holiday}", {"name": "Tampered", "day": "31-02-2026"}),
    ("admin", "/reference/office/edit/{office}", {"name": ""}),
    ("admin", "/reference/regions/edit/33.25.01", {"name": ""}),
    ("admin", "/reference/standard_minutes/edit/intake", {"standard_minutes": "0"}),
    ("admin", "/users/edit/{user}", {"first_name": "Tampered", "username": "kepala"}),
    ("admin", "/users/edit/{user}", {"first_name": "Tampered", "email": "kepala@example.org"}),
    ("admin", "/roles/edit/{role}", {"name": "Admin TI"}),
    ("petugas", "/dispatches/edit/{dispatch}", {"received_by": "X", "status": "returned"}),
    ("petugas", "/complaints/edit/{case}", {"applicant_name": "Tampered", "category": "0"}),
]


@pytest.mark.parametrize(
    ("key", "url", "changed"),
    [pytest.param(*row, id=f"{row[1]} {' '.join(row[2])}") for row in REFUSED_EDITS],
)
def test_trap_06_a_refused_edit_saves_nothing_even_later(
    world_app: Flask, world: World, key: str, url: str, changed: dict[str, str]
) -> None:
    client, url = client_of(world_app, key), url.format(**world.places)
    page = client.get(url)
    assert page.status_code == 200
    form = largest_form(page.text)
    for name in changed:
        assert name in form, f"{url} has no field {name}: {sorted(form)}"
    before = dump(engine_of(world_app))
    answer = post(client, url, {**form, **changed})
    assert answer.status_code == 422
    for value in changed.values():
        assert not value or value in unescape(answer.text)  # what was typed is still there
    # Whatever commits next must not take the refused change along.
    assert post(client, "/lang/en").status_code == 303
    assert client.get(url).status_code == 200
    assert changes(before, dump(engine_of(world_app))) == []


def test_trap_05_a_refused_form_destroys_no_file(
    world_app: Flask, world: World, tmp_path: Any
) -> None:
    """Files beside a lying one are kept, and those of the case are never touched."""
    client, pk = client_of(world_app, "petugas"), world.places["case"]
    folder = tmp_path / "world" / "files"
    before = {path for path in folder.rglob("*") if path.is_file()}
    files = [
        (io.BytesIO(samples.jpeg()), "baik.jpg"),
        (io.BytesIO(samples.HTML), "bukan.jpg"),
    ]
    answer = post(
        client,
        f"/documents/attach/{pk}",
        {"files": files, "stage": "requirement"},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 422
    assert "baik.jpg" in answer.text
    after = {path for path in folder.rglob("*") if path.is_file()}
    assert before <= after
    with Session(engine_of(world_app)) as session:
        names = session.scalars(select(Document.original_name)).all()
    assert not {"baik.jpg", "bukan.jpg"} & set(names)


# --- 7: whole tables in a page -------------------------------------------------------------------


@pytest.fixture
def many(app: Flask, make_case: CaseMaker, session: Session) -> Flask:
    """Two thousand complaints, three hundred officers and a region with many villages."""
    case = make_case("siak_check")
    session.commit()
    row = {column.name: getattr(case, column.key) for column in Complaint.__table__.columns}
    row.pop("id")
    rows = [{**row, "number": f"PGD-2020-{n:06d}"} for n in range(1, 2001)]
    session.execute(insert(Complaint.__table__), rows)
    naive = datetime.now(UTC).replace(tzinfo=None)
    people = [
        {
            "username": f"p{n}",
            "first_name": "P",
            "last_name": str(n),
            "email": f"p{n}@example.org",
            "active": True,
            "created_on": naive,
            "changed_on": naive,
        }
        for n in range(300)
    ]
    session.execute(insert(User.__table__), people)
    session.commit()
    return app


@pytest.mark.parametrize(
    ("key", "url", "most"),
    [
        ("petugas", "/complaints/list/", 10),
        ("petugas", "/complaints/list/?psize_ComplaintView=100&page_ComplaintView=15", 10),
        ("petugas", "/complaints/list/?q=Pemohon", 10),
        ("petugas", "/complaints/show/1", 10),
        ("petugas", "/complaints/add", 14),
        ("petugas", "/complaints/edit/1", 14),
        ("operator", "/complaints/work/1", 20),
        ("petugas", "/documents/list/", 10),
        ("petugas", "/documents/attach/1", 14),
        ("petugas", "/dispatches/list/", 10),
        ("operator", "/queue/", 20),
        ("admin", "/users/list/", 10),
        ("admin", "/users/show/2", 10),
        ("admin", "/users/edit/2", 10),
        ("admin", "/roles/list/", 10),
        ("admin", "/reference/regions/list/", 10),
        ("kabid", "/charts/steps/", 20),
        ("kabid", "/sop/", 20),
    ],
)
def test_trap_07_a_page_grows_with_no_table(
    many: Flask,
    login: Callable[[str], FlaskClient],
    sql_count: Callable[[], Any],
    key: str,
    url: str,
    most: int,
) -> None:
    client = login(key)
    with sql_count() as statements:
        answer = client.get(url)
    assert answer.status_code == 200
    assert len(answer.data) < 150_000
    assert len(statements) <= most, "\n".join(statements)
    assert answer.text.count("<option") < 450


# --- 8, 9: tables and roles ----------------------------------------------------------------------


def test_trap_08_fab_s_tables_and_ours_are_one_metadata() -> None:
    assert db.metadata is Model.metadata
    assert {"ab_user", "complaint"} <= set(db.metadata.tables)


def test_trap_09_no_role_is_a_pattern_in_the_settings(world_app: Flask) -> None:
    assert not world_app.config.get("FAB_ROLES")
    assert not world_app.extensions["appbuilder"].sm.builtin_roles.get("Operator")


@pytest.mark.parametrize("name", ["Admin", "Public"])
def test_trap_16_fab_s_own_roles_open_nothing(world_app: Flask, world: World, name: str) -> None:
    with Session(engine_of(world_app)) as session:
        kabid = session.scalars(select(User).where(User.username == "kabid")).one()
        kabid.roles = [session.scalars(select(Role).where(Role.name == name)).one()]
        session.commit()
    client = client_of(world_app, "kabid")
    for url in ("/users/list/", "/complaints/list/", "/charts/steps/", "/roles/list/"):
        assert client.get(url).status_code == 403


def test_trap_16_nobody_promotes_himself(world_app: Flask, world: World) -> None:
    client, engine = client_of(world_app, "petugas2"), engine_of(world_app)
    with Session(engine) as session:
        admin = str(session.scalars(select(Role.id).where(Role.name == "Admin TI")).one())
    form = {"first_name": "Dewi", "last_name": "L", "roles": [admin], "active": "1", "id": "1"}
    assert post(client, "/userinfoeditview/form", form).status_code == 303
    assert post(client, f"/users/edit/{world.places['user']}", form).status_code == 403
    with Session(engine) as session:
        user = session.scalars(select(User).where(User.username == "petugas2")).one()
        assert [role.name for role in user.roles] == ["Petugas Pengaduan"]


# --- 11: files by name ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "/documents/download/{storage_key}",
        "/complaints/download/{storage_key}",
        "/documents/file/{storage_key}",
        "/documents/file/..%2f..%2faduan.sqlite",
        "/documents/file/%00",
        "/uploads/{storage_key}",
        "/static/appbuilder/..%2f..%2f..%2f..%2fconfig.py",
        "/assets/../secret_key",
        "/assets/..%2ftemplate.sqlite",
        "/files/{storage_key}",
        "/static/{storage_key}",
    ],
)
def test_trap_11_no_file_is_served_by_its_name(world_app: Flask, url: str) -> None:
    with Session(engine_of(world_app)) as session:
        key = session.scalars(select(Document.storage_key).limit(1)).one()
    client = client_of(world_app, "petugas")
    assert client.get(url.format(storage_key=key)).status_code == 404


# --- 15: pages and orders ------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["20000", "101", "99999999999999999999"])
def test_trap_15_a_page_has_a_largest_size(
    many: Flask, login: Callable[[str], FlaskClient], size: str
) -> None:
    answer = login("petugas").get(f"/complaints/list/?psize_ComplaintView={size}")
    assert answer.status_code == 200
    assert len(set(re.findall(r"/complaints/show/(\d+)", answer.text))) <= 100


@pytest.mark.parametrize(
    "query",
    [
        "_oc_UserDBModelView=password&_od_UserDBModelView=asc",
        "_oc_UserDBModelView=nothing&_od_UserDBModelView=desc",
        "_oc_UserDBModelView=username&_od_UserDBModelView=sideways",
        "_oc_UserDBModelView=__class__",
        "_flt_0_password=pbkdf2",
        "_flt_2_password=pbkdf2",
        "_flt_0_email=x",
    ],
)
def test_trap_15_only_offered_columns_order_and_filter(
    many: Flask,
    login: Callable[[str], FlaskClient],
    sql_count: Callable[[], Any],
    query: str,
) -> None:
    client = login("admin")
    usual = rows_of(client.get("/users/list/").text)
    with sql_count() as statements:
        answer = client.get(f"/users/list/?{query}")
    assert answer.status_code == 200
    assert rows_of(answer.text) == usual
    listing = [sql for sql in statements if "LIMIT" in sql and "ab_user" in sql]
    assert not any("password" in sql.partition("WHERE")[2] for sql in listing)


def rows_of(page: str) -> list[str]:
    return re.findall(r"/users/show/(\d+)", page)
