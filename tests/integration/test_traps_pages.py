"""What goes wrong with stock Flask-AppBuilder: personal data, double and failed saves, lost servers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.models import Courier, Region
from tests.integration.test_access_matrix import client_of
from tests.support.forms import largest_form
from tests.support.panel import engine_of, post
from tests.support.signing_in import cookie_of, sign_in
from tests.support.world import APPLICANT, World

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
