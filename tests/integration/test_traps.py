"""What goes wrong in a stock Flask-AppBuilder panel, number by number, against this panel.

The numbers are those of the project's list of traps. Who may open what is asked in
`test_access_matrix.py`, the row rule in `test_row_rule.py`, hostile files in the upload tests.
"""

from __future__ import annotations

import io
import logging
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Complaint, Courier, Document, Model, Region, Role, User
from app.sop.definition import load_sop
from app.sop.errors import SopMistakes
from config import SEED_DATA
from tests.integration.test_access_matrix import client_of
from tests.support import samples
from tests.support.cases import CaseMaker
from tests.support.forms import PageForm
from tests.support.looking import changes, dump
from tests.support.panel import PASSWORD, csrf, engine_of, post
from tests.support.world import APPLICANT, World

NEW_PASSWORD = "kalimat sandi yang baru sekali"


def sign_in(client: FlaskClient, key: str, password: str = PASSWORD, **more: Any) -> Any:
    return post(client, "/login/", {"username": key, "password": password}, **more)


def cookie_of(client: FlaskClient) -> dict[str, Any]:
    """What stands readable in the session cookie."""
    app = client.application
    cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    loaded: dict[str, Any] = signer.loads(cookie.value)
    return loaded


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


def largest_form(page: str) -> dict[str, list[str]]:
    """The fields of a page's own form, beside the small ones of the frame."""
    names = set(re.findall(r'<form[^>]* (?:id|class)="([^"\s]+)', page))
    forms = [PageForm(page, name).sent() for name in names]
    fields = max(forms, key=len)
    fields.pop("csrf_token", None)
    return fields


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


# --- 10: old cookies -----------------------------------------------------------------------------


def log_out(client: FlaskClient, app: Flask, pk: str) -> None:
    assert post(client, "/logout/").status_code == 303


def change_password(client: FlaskClient, app: Flask, pk: str) -> None:
    form = {"current": PASSWORD, "password": NEW_PASSWORD, "conf_password": NEW_PASSWORD}
    assert post(client, "/resetmypassword/form", form).status_code == 303


def be_given_a_password(client: FlaskClient, app: Flask, pk: str) -> None:
    form = {"password": NEW_PASSWORD, "conf_password": NEW_PASSWORD}
    answer = post(client_of(app, "admin"), f"/resetpassword/form?pk={pk}", form)
    assert answer.status_code == 303


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


# --- 21: personal data ---------------------------------------------------------------------------


def test_trap_21_what_was_searched_for_is_not_in_the_cookie(world_app: Flask) -> None:
    client = client_of(world_app, "petugas")
    for url in (
        f"/complaints/list/?q={APPLICANT['nik']}",
        f"/complaints/list/?_flt_0_number={APPLICANT['nik']}",
        f"/users/list/?q={APPLICANT['nik']}",
    ):
        client.get(url)
    post(client, "/complaints/add", {"nik": APPLICANT["nik"], "applicant_name": "Kartini"})
    kept = cookie_of(client)
    assert "page_history" not in kept
    assert APPLICANT["nik"] not in str(kept)
    assert "Kartini" not in str(kept)
    assert len(str(kept)) < 1500


def test_trap_21_a_failed_statement_says_nothing_of_its_values(
    world_app: Flask, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    """A database error in the middle of a request: a page with a reference, a log without data."""
    from app.services import complaints

    def broken(session: Session, *rest: Any, **more: Any) -> None:
        session.execute(
            text("INSERT INTO complaint (applicant_name) VALUES (:name)"),
            {"name": APPLICANT["applicant_name"]},
        )

    monkeypatch.setattr("app.views.registration.edit_complaint", broken)
    assert complaints.edit_complaint is not broken
    client = client_of(world_app, "petugas")
    url = f"/complaints/edit/{world.places['case']}"
    form = largest_form(client.get(url).text)
    with caplog.at_level(logging.DEBUG):
        answer = post(client, url, form)
    assert answer.status_code in (422, 500)
    assert "INSERT" not in answer.text
    assert APPLICANT["applicant_name"] not in caplog.text
    assert world_app.config["SQLALCHEMY_ENGINE_OPTIONS"]["hide_parameters"]


# --- 22: a form sent twice -----------------------------------------------------------------------


def new_courier(client: FlaskClient) -> dict[str, Any]:
    page = client.get("/reference/couriers/add").text
    return {**largest_form(page), "code": "kurir_baru", "name": "Kurir Baru", "position": "90"}


def test_trap_22_a_form_sent_twice_makes_one_row(world_app: Flask) -> None:
    client = client_of(world_app, "admin")
    form = {**new_courier(client), "name": "Kurir Sekali"}
    first, second = (post(client, "/reference/couriers/add", form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert second.location == first.location
    with Session(engine_of(world_app)) as session:
        made = session.scalars(select(Courier).where(Courier.name == "Kurir Sekali")).all()
    assert len(made) == 1
    # A form that was opened anew is another one: only its own rules can refuse it.
    third = post(client, "/reference/couriers/add", {**new_courier(client), "code": "lain"})
    assert third.status_code == 303


def test_trap_22_a_failed_save_says_so_and_keeps_what_was_typed(world_app: Flask) -> None:
    client = client_of(world_app, "admin")
    form = {**new_courier(client), "name": "Kurir Ganda", "hint_regex": "(("}
    answer = post(client, "/reference/couriers/add", form)
    assert answer.status_code == 422
    assert 'value="Kurir Ganda"' in answer.text
    assert "field-errors" in answer.text
    with Session(engine_of(world_app)) as session:
        assert not session.scalars(select(Courier).where(Courier.name == "Kurir Ganda")).all()


def test_trap_22_a_partial_form_wipes_nothing(world_app: Flask) -> None:
    """What was not sent keeps its value: scripts and old pages send parts."""
    client, engine = client_of(world_app, "admin"), engine_of(world_app)
    with Session(engine) as session:
        row = session.get_one(Region, "33.25.01.2001")
        before = (row.kind, row.parent_code, row.postal_code)
    answer = post(client, "/reference/regions/edit/33.25.01.2001", {"name": "Silurah Baru"})
    assert answer.status_code == 303
    with Session(engine) as session:
        row = session.get_one(Region, "33.25.01.2001")
        assert (row.name, (row.kind, row.parent_code, row.postal_code)) == ("Silurah Baru", before)


# --- 24: a database that was away ----------------------------------------------------------------


def test_trap_24_a_restarted_server_is_not_noticed(
    postgres: Any, postgres_template: str, make_app: Callable[..., Flask]
) -> None:
    name = postgres.create_database(template=postgres_template)
    app = make_app(url=postgres.url(name))
    client = app.test_client()
    assert sign_in(client, "petugas").status_code == 303
    assert client.get("/queue/").status_code == 200
    postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    assert client.get("/queue/").status_code == 200
    engine_of(app).dispose()
    postgres.drop_database(name)


def test_trap_24_a_database_that_is_gone_is_a_calm_page(
    postgres: Any, postgres_template: str, make_app: Callable[..., Flask]
) -> None:
    name = postgres.create_database(template=postgres_template)
    app = make_app(url=postgres.url(name))
    client = app.test_client()
    assert sign_in(client, "petugas").status_code == 303
    postgres.drop_database(name)
    for url in ("/queue/", "/login/", "/"):
        answer = client.get(url)
        assert answer.status_code == 503
        assert "Traceback" not in answer.text
        assert name not in answer.text
