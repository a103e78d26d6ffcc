"""What processes remember is never wrong: a change counts at the next request, in each of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from app.models import Account, Category, Office, Role, User, WorkingHours
from app.models.stamp import STAMPED, Stamp
from app.remembered import kept, remembered
from tests.support import panel

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def signed_in(app: Flask, session: Session, key: str) -> FlaskClient:
    """A client of one application; the cookie is good for every application of the office."""
    user = session.scalars(select(User).where(User.username == key)).one()
    client = app.test_client()
    with client.session_transaction() as kept_values:
        kept_values.update(panel.cookie_values(app, user, session.get(Account, user.id)))
    return client


@pytest.fixture
def two(make_app: Callable[..., Flask], session: Session) -> tuple[FlaskClient, FlaskClient]:
    """The same officer at two processes of one office."""
    first, second = make_app(), make_app()
    return signed_in(first, session, "petugas"), signed_in(second, session, "petugas")


def menu(client: FlaskClient, url: str = "/queue/") -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.text[answer.text.index('<nav id="nav"') : answer.text.index("</nav>")]


@pytest.mark.both
def test_a_right_taken_away_is_gone_at_the_next_request_in_every_process(
    two: tuple[FlaskClient, FlaskClient], session: Session
) -> None:
    for client in two:
        assert "/dispatches/list/" in menu(client)
        assert client.get("/dispatches/list/").status_code == 200
    role = session.scalars(select(Role).where(Role.name == "Petugas Pengaduan")).one()
    role.permissions = [
        row for row in role.permissions if row.view_menu.name not in ("Dispatch", "Dispatches")
    ]
    session.commit()
    for client in two:
        assert client.get("/dispatches/list/").status_code in (302, 303, 403)
        assert "/dispatches/list/" not in menu(client)


@pytest.mark.both
def test_a_role_taken_from_a_person_is_gone_from_rights_menu_and_name_plate(
    two: tuple[FlaskClient, FlaskClient], session: Session
) -> None:
    for client in two:
        assert "Petugas Pengaduan" in client.get("/queue/").text
    user = session.scalars(select(User).where(User.username == "petugas")).one()
    user.roles = list(session.scalars(select(Role).where(Role.name == "Admin TI")))
    session.commit()
    for client in two:
        assert client.get("/complaints/list/").status_code in (302, 303, 403)
        page = client.get("/users/list/")
        assert page.status_code == 200
        assert "Petugas Pengaduan" not in page.text.split("</header>")[0]
        assert "Admin TI" in page.text.split("</header>")[0]


@pytest.mark.both
def test_a_change_by_hand_in_the_database_counts_as_well(
    two: tuple[FlaskClient, FlaskClient], session: Session
) -> None:
    for client in two:
        assert client.get("/dispatches/list/").status_code == 200
    session.execute(text("DELETE FROM ab_permission_view_role"))
    session.commit()
    for client in two:
        assert client.get("/dispatches/list/").status_code in (302, 303, 403)


@pytest.mark.both
def test_names_and_choices_follow_what_the_office_writes(
    two: tuple[FlaskClient, FlaskClient], session: Session
) -> None:
    for client in two:
        assert "Kategori Baru" not in client.get("/complaints/list/").text
    session.scalars(select(Category).limit(1)).one().label_id = "Kategori Baru"
    session.scalars(select(Office)).one().name = "Kantor Baru"
    session.commit()
    for client in two:
        page = client.get("/complaints/list/").text
        assert "Kategori Baru" in page
        assert "Kantor Baru" in page


@pytest.mark.both
def test_what_is_taken_back_is_not_remembered(app: Flask, session: Session) -> None:
    def count(own: Session) -> int:
        return len(own.scalars(select(WorkingHours)).all())

    from app.extensions import db

    with app.app_context():
        before = remembered("hours", count)
        db.session.add(
            WorkingHours(weekday=6, opens=time(8), closes=time(9), valid_from=None, valid_to=None)
        )
        db.session.flush()
        assert remembered("hours", count) == before + 1
        db.session.rollback()
        assert remembered("hours", count) == before
    with app.app_context():
        assert remembered("hours", count) == before


@pytest.mark.both
def test_every_stamped_table_renews_the_stamp(app: Flask, session: Session) -> None:
    """Also after a migration that makes a table anew, which loses the triggers of SQLite."""
    for name in STAMPED:
        before = session.scalars(select(Stamp.value)).one()
        session.execute(text(f"DELETE FROM {name} WHERE 1 = 0"))
        table = panel_table(name)
        row = session.execute(select(table).limit(1)).mappings().first()
        if row is None:  # nothing there yet: a statement of PostgreSQL counts without a row
            session.execute(insert(table).values(**minimal(name)))
        else:
            column = next(iter(table.primary_key.columns))
            session.execute(
                table.update().where(column == row[column.name]).values({column.name: column})
            )
        assert session.scalars(select(Stamp.value)).one() != before, name
    session.rollback()


def panel_table(name: str) -> Any:
    return Role.metadata.tables[name]


def minimal(name: str) -> dict[str, Any]:
    """A row of the tables that are empty in a new office."""
    return {
        "ab_group": {"id": 1, "name": "Loket", "label": "", "description": ""},
        "ab_group_role": {"id": 1, "group_id": 1, "role_id": 1},
        "role_rule": {"role_id": 1, "second_factor": True},
        "ab_user_group": {"id": 1, "group_id": 1, "user_id": 1},
        "merged_office": {"name": "sebelah", "label": "Kantor sebelah", "public_key": "00"},
    }[name]


def test_an_insert_and_a_delete_renew_it_as_well(session: Session) -> None:
    seen = {session.scalars(select(Stamp.value)).one()}
    session.execute(insert(WorkingHours).values(weekday=6, opens=time(8), closes=time(9)))
    seen.add(session.scalars(select(Stamp.value)).one())
    session.execute(delete(WorkingHours).where(WorkingHours.weekday == 6))
    seen.add(session.scalars(select(Stamp.value)).one())
    assert len(seen) == 3


def test_language_and_theme_of_one_reader_never_reach_another(
    two: tuple[FlaskClient, FlaskClient], csrf: Callable[[FlaskClient], str]
) -> None:
    first, _second = two
    other = first.application.test_client()
    with first.session_transaction() as values, other.session_transaction() as theirs:
        theirs.update(values)
    assert 'lang="id" data-theme="auto"' in first.get("/queue/").text
    other.post("/lang/en", data={"csrf_token": csrf(other)})
    other.set_cookie("theme", "dark")
    english = other.get("/queue/").text
    assert 'lang="en" data-theme="dark"' in english
    assert 'data-theme-value="dark" aria-pressed="true"' in english
    assert "Sign out" in english
    again = first.get("/queue/").text
    assert 'data-theme-value="auto" aria-pressed="true"' in again
    assert "Sign out" not in again


def test_every_form_of_the_frame_carries_the_reader_s_own_token(
    app: Flask, login: Callable[[str], FlaskClient]
) -> None:
    pages = [login(key).get("/queue/").text for key in ("petugas", "petugas2", "petugas")]
    tokens = [set(TOKEN.findall(page.split("</header>")[0])) for page in pages]
    assert all(len(found) == 1 for found in tokens)
    assert tokens[0].isdisjoint(tokens[1])
    assert all(found == {panel_token(page)} for found, page in zip(tokens, pages, strict=True))
    assert "csrf-" not in re.sub(r'name="csrf-token"', "", pages[0]).split("</header>")[0]


def panel_token(page: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_the_name_plate_is_of_who_asks(login: Callable[[str], FlaskClient]) -> None:
    for key, name in (("petugas", "Siti Rahmawati"), ("petugas2", "Dewi Lestari")) * 2:
        top = login(key).get("/queue/").text.split("</header>")[0]
        assert name in top
        assert ("Siti" in top) == (key == "petugas")


def test_the_menu_marks_the_page_that_is_open(login: Callable[[str], FlaskClient]) -> None:
    client = login("petugas")
    for url in ("/queue/", "/complaints/list/", "/queue/", "/dispatches/list/"):
        marked = re.findall(r'href="([^"]+)" aria-current="page"', menu(client, url))
        assert marked == [url]


def test_two_offices_in_one_process_share_nothing(
    make_app: Callable[..., Flask], session: Session, database_url: str, tmp_path: Any
) -> None:
    from pathlib import Path

    copied = panel.copy_sqlite(
        Path(database_url.removeprefix("sqlite:///")), tmp_path / "other.sqlite"
    )
    one, other = make_app(), make_app(url=copied)
    with Session(panel.engine_of(other)) as theirs:
        theirs.scalars(select(Office)).one().name = "Kantor Sebelah"
        theirs.commit()
    assert "Kantor Sebelah" in signed_in(other, session, "petugas").get("/queue/").text
    assert "Kantor Sebelah" not in signed_in(one, session, "petugas").get("/queue/").text


def test_memory_has_an_end(app: Flask) -> None:
    with app.app_context():
        for number in range(5000):
            assert kept(("filler", number), lambda: number) == number  # noqa: B023
        assert len(app.extensions["memory"]["kept"]) <= 2000
