"""Invariant 7: what may not be seen is not seen in a list, on a page, through an action, a
download, an export or a check while typing; a right that is taken away is gone at once.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import Complaint, Document, Role
from tests.integration.access_matrix import routes
from tests.integration.test_access_matrix import client_of
from tests.support.looking import changes, dump
from tests.support.panel import OFFICERS, csrf, engine_of, post
from tests.support.world import APPLICANT, World

#: Where a case, one of its files or its parcel stands behind an address of its own.
OF_A_CASE = [
    "GET /complaints/show/{case}",
    "GET /complaints/work/{case}",
    "POST /complaints/work/{case}",
    "POST /complaints/start/{case}",
    "POST /complaints/pause/{case}",
    "POST /complaints/resume/{case}",
    "POST /complaints/action/siak_match/{case}",
    "POST /complaints/action/siak_mismatch/{case}",
    "GET /documents/show/{document}",
    "GET /documents/file/{public_id}",
    "GET /documents/file/{public_id}?download=1",
    "GET /documents/attach/{case}",
    "POST /documents/attach/{case}",
    "GET /dispatches/show/{dispatch}",
]
LISTS = [
    "/complaints/list/",
    "/complaints/list/?psize_ComplaintView=100",
    "/complaints/list/?q=PGD",
    "/complaints/list/?q=Kartini",
    "/complaints/list/?q=3325014107900007",
    "/complaints/export",
    "/documents/list/",
    "/documents/list/?q=PGD",
    "/dispatches/list/",
    "/queue/",
]


@pytest.fixture
def take_away(world_app: Flask) -> Callable[..., None]:
    """`take_away("Operator", "see_personal", "Complaint")`: an edit in the role screen."""

    def change(role_name: str, *pairs: tuple[str, str]) -> None:
        with Session(engine_of(world_app)) as session:
            role = session.scalars(select(Role).where(Role.name == role_name)).one()
            kept = [
                row
                for row in role.permissions
                if (row.permission.name, row.view_menu.name) not in pairs
            ]
            assert len(kept) == len(role.permissions) - len(pairs)
            role.permissions = kept
            session.commit()

    return change


@pytest.fixture
def places(world_app: Flask, world: World) -> dict[str, str]:
    """The world's places with every case confidential."""
    with Session(engine_of(world_app)) as session:
        session.execute(update(Complaint).values(confidential=True))
        session.commit()
    return {**world.places, "case": world.places["siak_check siak_match"]}


def words(client: FlaskClient, url: str) -> str:
    """What an answer says, without the search that was asked for: a page may repeat that."""
    answer = client.get(url)
    text = answer.text if answer.mimetype.startswith("text/") else ""
    asked = url.partition("q=")[2]
    return text.replace(asked, "") if asked else text


def ask(client: FlaskClient, line: str, places: dict[str, str]) -> int:
    method, _, url = line.format(**places).partition(" ")
    answer = client.get(url) if method == "GET" else post(client, url)
    return answer.status_code


@pytest.mark.parametrize("line", OF_A_CASE)
def test_a_confidential_case_is_not_there(
    world_app: Flask,
    places: dict[str, str],
    take_away: Callable[..., None],
    line: str,
) -> None:
    client = client_of(world_app, "operator")
    if line.startswith("GET"):
        assert ask(client, line, places) == 200  # for who may see it
    take_away("Operator", ("see_confidential", "Complaint"))
    before = dump(engine_of(world_app))
    assert ask(client, line, places) == 404
    assert changes(before, dump(engine_of(world_app))) == []


def test_a_confidential_case_is_in_no_list(
    world_app: Flask, places: dict[str, str], take_away: Callable[..., None]
) -> None:
    client = client_of(world_app, "operator")
    number = "PGD-"
    seen = [url for url in LISTS if number in words(client, url)]
    assert "/complaints/list/" in seen
    assert "/documents/list/" in seen
    assert "/queue/" in seen
    take_away("Operator", ("see_confidential", "Complaint"))
    for url in LISTS:
        text = words(client, url)
        shown = [value for value in (*APPLICANT.values(), number) if value in text]
        assert shown == [], url


def test_a_confidential_case_is_in_no_batch(
    world_app: Flask, places: dict[str, str], take_away: Callable[..., None]
) -> None:
    client = client_of(world_app, "operator")
    take_away("Operator", ("see_confidential", "Complaint"))
    before = dump(engine_of(world_app))
    pk = places["printing confirm_printed"]
    listed = post(client, "/complaints/action_post", {"action": "confirm_printed", "rowid": pk})
    assert listed.status_code == 303
    batch = post(
        client,
        "/complaints/batch",
        {"action": "confirm_printed", "rowid": pk, f"version_{pk}": "9"},
    )
    assert "PGD-" not in batch.text
    after = dump(engine_of(world_app))
    assert [line for line in changes(before, after) if "used_form_key" not in line] == []


def test_a_confidential_case_is_no_duplicate(
    world_app: Flask, places: dict[str, str], take_away: Callable[..., None]
) -> None:
    """The warning while registering must not tell of a case that may not be known of."""
    client = client_of(world_app, "petugas")
    asked = {"nik": APPLICANT["nik"]}

    def duplicates() -> list[object]:
        token = csrf(client)
        answer = client.post("/complaints/identity", json=asked, headers={"X-CSRFToken": token})
        assert answer.status_code == 200
        return answer.json["duplicates"]

    assert duplicates()
    take_away("Petugas Pengaduan", ("see_confidential", "Complaint"))
    assert duplicates() == []


# --- personal data -------------------------------------------------------------------------------


def test_personal_data_are_shown_to_who_may_see_them_only(
    world_app: Flask, world: World, take_away: Callable[..., None]
) -> None:
    """NIK, KK, name, contact: masked everywhere for an officer without the permission."""
    take_away("Operator", ("see_personal", "Complaint"))
    client = client_of(world_app, "operator")
    urls = [answered["O"].url(world.places) for key, answered in routes().items()
            if key[0] == "GET" and "O" in answered]  # fmt: skip
    urls += [f"/complaints/show/{pk}" for name, pk in world.places.items() if " " in name]
    urls += [
        f"/complaints/work/{pk}"
        for name, pk in world.places.items()
        if name.startswith(("siak_check ", "printing "))
    ]
    urls += [f"/complaints/list/?q={APPLICANT[name]}" for name in ("nik", "phone")]
    personal = [value for name, value in APPLICANT.items() if name != "text"]
    found = []
    for url in urls:
        text = words(client, url)
        found += [f"{url} shows {value}" for value in personal if value in text]
    assert found == []


def test_without_the_permission_nobody_searches_by_personal_data(
    world_app: Flask, world: World, take_away: Callable[..., None]
) -> None:
    """A search that finds would tell as much as the page."""
    client = client_of(world_app, "operator")
    url = f"/complaints/list/?q={APPLICANT['nik']}"
    assert "PGD-" in client.get(url).text
    take_away("Operator", ("see_personal", "Complaint"))
    assert "PGD-" not in client.get(url).text


# --- a right that is taken away ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        (("can_list", "Complaint"), "GET /complaints/list/"),
        (("can_show", "Complaint"), "GET /complaints/show/{case}"),
        (("can_work", "Complaint"), "POST /complaints/start/{case}"),
        (("siak_match", "Complaint"), "POST /complaints/action/siak_match/{case}"),
        (("can_download", "Document"), "GET /documents/file/{public_id}"),
        (("can_list", "Queue"), "GET /queue/"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_an_edit_of_a_role_counts_at_the_next_request(
    world_app: Flask,
    places: dict[str, str],
    take_away: Callable[..., None],
    pair: tuple[str, str],
    line: str,
) -> None:
    client = client_of(world_app, "operator")
    if line.startswith("GET"):
        assert ask(client, line, places) == 200
    take_away("Operator", pair)
    assert ask(client, line, places) == 403


def test_a_role_screen_s_edit_counts_at_the_next_request(world_app: Flask, world: World) -> None:
    """Through the panel's own role screen, on another officer's open session."""
    operator, admin = client_of(world_app, "operator"), client_of(world_app, "admin")
    assert operator.get("/queue/").status_code == 200
    with Session(engine_of(world_app)) as session:
        role = session.scalars(select(Role).where(Role.name == "Operator")).one()
        kept = [str(p.id) for p in role.permissions if p.view_menu.name != "Queue"]
        pk = role.id
    form = {"name": "Operator", "permissions": kept, "shown": "1"}
    assert post(admin, f"/roles/edit/{pk}", form).status_code == 303
    assert operator.get("/queue/").status_code == 403


def test_a_transition_given_to_another_role_works_there(world_app: Flask, world: World) -> None:
    """The sheet's lane of step 6 is not legible: an office may let the Operator send, too."""
    operator = client_of(world_app, "operator")
    pk = world.places["dispatch send"]
    assert operator.get(f"/complaints/work/{pk}").status_code == 403
    with Session(engine_of(world_app)) as session:
        roles = {role.name: role for role in session.scalars(select(Role))}
        petugas, role = roles["Petugas Pengaduan"], roles["Operator"]
        role.permissions += [p for p in petugas.permissions if p.permission.name == "send"]
        session.commit()
    page = operator.get(f"/complaints/work/{pk}")
    assert page.status_code == 200
    assert 'value="send"' in page.text


# --- parts of a page -----------------------------------------------------------------------------


def test_a_case_page_shows_no_more_files_than_their_list(
    world_app: Flask, world: World, take_away: Callable[..., None]
) -> None:
    operator = client_of(world_app, "operator")
    pk = world.places["siak_check siak_match"]
    with Session(engine_of(world_app)) as session:
        names = session.scalars(
            select(Document.original_name).where(Document.complaint_id == int(pk))
        ).all()
    urls = [f"/complaints/show/{pk}", f"/complaints/work/{pk}"]
    assert names
    for url in urls:
        assert all(name in operator.get(url).text for name in names)
    take_away("Operator", ("can_list", "Document"), ("can_show", "Document"))
    for url in urls:
        assert not any(name in operator.get(url).text for name in names), url


def test_without_the_download_permission_no_file_is_linked(
    world_app: Flask, world: World, take_away: Callable[..., None]
) -> None:
    operator = client_of(world_app, "operator")
    take_away("Operator", ("can_download", "Document"))
    pk = world.places["siak_check siak_match"]
    for url in (
        f"/complaints/show/{pk}",
        f"/complaints/work/{pk}",
        "/documents/list/",
        f"/documents/show/{world.places['document']}",
    ):
        answer = operator.get(url)
        assert answer.status_code == 200
        assert "/documents/file/" not in answer.text, url


def test_a_case_page_shows_no_parcel_to_who_may_not_open_it(world_app: Flask, world: World) -> None:
    """Kepala Dinas holds nothing on dispatches."""
    pk = world.places["done reopen"]
    number = "P00000000"
    assert number in client_of(world_app, "petugas").get(f"/complaints/show/{pk}").text
    assert number not in client_of(world_app, "kepala").get(f"/complaints/show/{pk}").text


def test_every_officer_is_in_a_role_of_the_file() -> None:
    assert {officer.role for officer in OFFICERS.values()} == {
        "Petugas Pengaduan",
        "Operator",
        "Sub Koordinator",
        "Kepala Dinas",
        "Kepala Bidang",
        "Admin TI",
    }
