"""The database changes hands: requests recover by themselves, and nothing happens twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, make_url, select
from sqlalchemy.orm import Session

from app import extensions
from app.models import Account, CaseEvent, Complaint, User
from app.services.actor import load_actor
from app.services.calendar import load_calendar
from app.services.transitions import Office
from tests.support import panel
from tests.support.cases import CaseMaker
from tests.support.forms import PageForm
from tests.support.panel import engine_of
from tests.support.postgres import Server
from tests.support.replicas import Pair, Wire, own_pair
from tools.databases import database_uri


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with own_pair() as made:
        yield made


def case_in(app: Flask, step: str) -> int:
    """A case of this application's own database, worked up to a step."""
    extensions.may_write.set(True)
    with Session(engine_of(app)) as session:
        office = Office(app.extensions["sop"], load_calendar(session))

        def actor(key: str) -> Any:
            found = session.scalars(select(User).where(User.username == key)).one()
            return load_actor(session, found)

        make = CaseMaker(session, office, app.extensions["store"], actor)
        case = make(step)
        make.record_facts(case, "submit_certification")
        session.commit()
        return int(case.id)


def client_of(app: Flask, key: str) -> Any:
    with Session(engine_of(app)) as session:
        user = session.scalars(select(User).where(User.username == key)).one()
        values = panel.cookie_values(app, user, session.get(Account, user.id))
    client = app.test_client()
    with client.session_transaction() as kept:
        kept.update(values)
    return client


def moves(app: Flask, pk: int) -> int:
    with Session(engine_of(app)) as session:
        counted = select(func.count(CaseEvent.id)).where(
            CaseEvent.complaint_id == pk, CaseEvent.kind == "moved"
        )
        return session.scalar(counted) or 0


def step(app: Flask, pk: int) -> str:
    with Session(engine_of(app)) as session:
        return session.get_one(Complaint, pk).step_key


# --- from one server to another ------------------------------------------------------------------


def test_after_a_failover_requests_recover_by_themselves(
    pair: Pair, shared_folder: Path, make_app: Callable[..., Flask]
) -> None:
    url = database_uri(pair.url("office"), shared_folder)
    pair.primary.server.create_database("office")
    panel.make_template(shared_folder, url)
    app = make_app(url=url)
    first, second = case_in(app, "certification"), case_in(app, "certification")
    client = client_of(app, "subkoordinator")
    assert panel.post(client, f"/complaints/action/submit_certification/{first}").status_code == 303
    with engine_of(app).connect() as held:
        assert held.exec_driver_sql("SELECT 1").scalar() == 1

        # The primary is made a reader: whoever is connected to it finds out while writing.
        pair.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        pair.execute("SELECT pg_reload_conf()")
        answer = refused(client, second)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert "Tidak ada yang disimpan" in answer.text

    pair.kill_primary()
    assert client.get("/queue/").status_code == 503, "an honest page while nobody takes writes"
    pair.promote()

    # The same process, the same form: nobody restarted anything.
    before = moves(app, second)
    answer = panel.post(client, f"/complaints/action/submit_certification/{second}")
    assert answer.status_code == 303
    assert moves(app, second) == before + 1
    assert step(app, first) == step(app, second) == "signing", "what was acknowledged is here"
    assert client.get(f"/complaints/show/{first}").status_code == 200
    with engine_of(app).connect() as connection:
        assert connection.connection.dbapi_connection.info.port == pair.standby_port


def refused(client: Any, pk: int) -> Any:
    """The transition, until the server has heard that it only reads."""
    for _try in range(50):
        answer = panel.post(client, f"/complaints/action/submit_certification/{pk}")
        if answer.status_code == 503:
            return answer
        time.sleep(0.1)
    raise AssertionError("it was never refused")


# --- a commit whose answer was lost ---------------------------------------------------------------


@pytest.fixture
def wire(postgres: Server) -> Iterator[Wire]:
    made = Wire(postgres.port)
    yield made
    made.close()


def test_a_transition_whose_acknowledgement_was_lost_is_made_once(
    postgres: Server, postgres_template: str, wire: Wire, make_app: Callable[..., Flask]
) -> None:
    name = postgres.create_database(template=postgres_template)
    direct = make_url(postgres.url(name))
    app = make_app(url=direct.set(port=wire.port).render_as_string(hide_password=False))
    pk = case_in(app, "signing")
    client = client_of(app, "kepala")
    page = client.get(f"/complaints/work/{pk}")
    form = PageForm(page.text, "work-form")
    sent = form.sent(transition="refuse_signature", reason="Nama belum sesuai")
    sent.pop("csrf_token")
    before = moves(app, pk)

    wire.lose_next_commit = True
    answer = panel.post(client, f"/complaints/work/{pk}", sent)
    assert answer.status_code == 503
    assert not wire.lose_next_commit, "the commit went over the line"
    assert "Tidak ada yang disimpan" not in answer.text, "nobody knows that"
    assert "mungkin sudah tersimpan" in answer.text

    # Sent again from that very page.
    fields = PageForm(answer.text, "error-page-again").fields
    again = client.post(f"/complaints/work/{pk}", data=fields)
    assert again.status_code in (303, 409, 422)
    assert moves(app, pk) == before + 1
    assert step(app, pk) == "certification"
    postgres.drop_database(name)


def test_a_button_pressed_again_after_a_lost_answer_moves_nothing_further(
    postgres: Server, postgres_template: str, wire: Wire, make_app: Callable[..., Flask]
) -> None:
    name = postgres.create_database(template=postgres_template)
    direct = make_url(postgres.url(name))
    app = make_app(url=direct.set(port=wire.port).render_as_string(hide_password=False))
    pk = case_in(app, "certification")
    client = client_of(app, "subkoordinator")
    before = moves(app, pk)
    wire.lose_next_commit = True
    action = f"/complaints/action/submit_certification/{pk}"
    assert panel.post(client, action).status_code == 503
    assert panel.post(client, action).status_code in (303, 409)
    assert moves(app, pk) == before + 1
    assert step(app, pk) == "signing"
    postgres.drop_database(name)


# --- the address ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "hosts", "ports"),
    [
        pytest.param("a:5432,b:5433", "a,b", "5432,5433", id="each with its port"),
        pytest.param("a,b:5433", "a,b", "5432,5433", id="the usual port left out"),
        pytest.param("10.0.0.1,10.0.0.2,c", "10.0.0.1,10.0.0.2,c", "5432,5432,5432", id="three"),
    ],
)
def test_hosts_are_written_as_libpq_has_them(given: str, hosts: str, ports: str) -> None:
    url = make_url(
        database_uri(f"postgresql://u:p@{given}/o?target_session_attrs=read-write", Path())
    )
    _words, found = url.get_dialect()().create_connect_args(url)
    assert (found["host"], found["port"]) == (hosts, ports)
    assert found["target_session_attrs"] == "read-write"
    assert (found["user"], found["password"], found["dbname"]) == ("u", "p", "o")
