"""What a page asks of the database beside its statements, and what holds it to reading."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import timed
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import WRITES_BY_GET, cookies
from app.cookies import OfficeSessions
from app.extensions import begin_writing, db, may_write
from app.services.audit import Origin, origin
from app.views.elsewhere import AuthElsewhereView
from tests.support.cases import CaseMaker
from tests.support.panel import engine_of

LIST = "/complaints/list/"
PAGE = "/queue/"
RENAME = "UPDATE channel SET label_id = 'Diubah'"

Serve = Callable[[Callable[[], Any]], FlaskClient]
Answered = Callable[[FlaskClient, str], tuple[Any, list[str]]]


@pytest.fixture
def serve(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """A client for whom the page of the queue does something else."""

    def client(what: Callable[[], Any]) -> FlaskClient:
        monkeypatch.setitem(app.view_functions, "QueueView.list", what)
        return app.test_client()

    return client


# --- a request that reads ---


@pytest.mark.both
def test_the_database_refuses_what_a_reading_request_writes(serve: Serve, session: Session) -> None:
    refused: list[str] = []

    def page() -> str:
        with pytest.raises(DBAPIError) as told:
            db.session.execute(text(RENAME))
        refused.append(str(told.value.orig))
        db.session.rollback()
        return "tidak"

    assert serve(page).get(PAGE).text == "tidak"
    assert "read" in refused[0]
    assert "Diubah" not in session.scalars(text("SELECT label_id FROM channel"))


@pytest.mark.both
def test_the_same_connection_writes_in_the_request_after_it(serve: Serve, session: Session) -> None:
    def turns_out_to_write() -> str:
        db.session.execute(text("SELECT 1"))
        begin_writing()
        db.session.execute(text(RENAME))
        db.session.commit()
        return "ya"

    client = serve(turns_out_to_write)
    assert client.get(LIST).status_code == 302
    assert client.get(PAGE).text == "ya"
    assert set(session.scalars(text("SELECT label_id FROM channel"))) == {"Diubah"}


def test_who_comes_back_from_another_server_may_be_written_down() -> None:
    for endpoint in WRITES_BY_GET:
        view, _, method = endpoint.partition(".")
        assert view == AuthElsewhereView.__name__
        assert callable(getattr(AuthElsewhereView, method))


# --- how it ends ---


@pytest.fixture
def answered(app: Flask) -> Iterator[Answered]:
    """The answer to a GET that nobody has read or closed yet, and what the database was told."""
    told: list[str] = []

    def ended(_connection: Any) -> None:
        told.append("ended")

    def ask(client: FlaskClient, url: str) -> tuple[Any, list[str]]:
        told.clear()
        kept = client.get_cookie("aduan")
        environ = app.test_request_context(url).request.environ
        environ["HTTP_COOKIE"] = f"aduan={kept.value}" if kept else ""

        def start(status: str, *_rest: Any) -> None:
            told.append(status)

        return copy_context().run(app.wsgi_app, environ, start), told

    event.listen(engine_of(app), "rollback", ended)
    yield ask
    event.remove(engine_of(app), "rollback", ended)


@pytest.mark.both
def test_what_was_read_ends_after_the_answer_and_the_connection_comes_back(
    app: Flask,
    answered: Answered,
    login: Callable[[str], FlaskClient],
    make_case: CaseMaker,
    session: Session,
) -> None:
    make_case("intake")
    session.commit()
    pool: Any = engine_of(app).pool
    before = pool.checkedout()
    answer, told = answered(login("petugas"), LIST)
    assert b"PGD-" in b"".join(answer)
    assert told == ["200 OK"]
    assert pool.checkedout() == before + 1
    answer.close()
    assert told == ["200 OK", "ended"]
    assert pool.checkedout() == before


def test_a_large_answer_keeps_no_connection_for_as_long_as_it_takes(
    answered: Answered, serve: Serve
) -> None:
    def page() -> str:
        db.session.execute(text("SELECT 1"))
        return "x" * 600_000

    answer, told = answered(serve(page), PAGE)
    assert told == ["200 OK", "ended"]
    answer.close()


def test_what_may_write_ends_before_its_answer(answered: Answered, serve: Serve) -> None:
    def page() -> str:
        begin_writing()
        db.session.execute(text(RENAME))
        return "belum"

    _answer, told = answered(serve(page), PAGE)
    assert told == ["200 OK", "ended"]


@pytest.mark.both
def test_an_end_that_fails_fails_nobody(app: Flask, serve: Serve, session: Session) -> None:
    def page() -> str:
        driver: Any = db.session.connection().connection.dbapi_connection
        driver.close()
        return "selesai"

    client, pool = serve(page), engine_of(app).pool
    session.commit()
    assert client.get(PAGE).text == "selesai"
    assert pool.checkedout() == 0  # type: ignore[attr-defined]
    assert client.get("/login/").status_code == 200


# --- journeys to PostgreSQL ---


@pytest.mark.postgres
@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_a_page_that_is_read_often_is_planned_no_more(
    app: Flask, login: Callable[[str], FlaskClient], session: Session
) -> None:
    client = login("petugas")
    session.commit()
    for _ in range(4):
        assert client.get(LIST).status_code == 200
    with engine_of(app).connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        names = driver.execute("SELECT statement FROM pg_prepared_statements").fetchall()
    assert any("FROM ab_user LEFT OUTER JOIN account" in name for (name,) in names)
    assert any("FROM complaint" in name for (name,) in names)


@pytest.mark.postgres
@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
@pytest.mark.parametrize("number", ["0123456789abcdef", ""], ids=["a request", "a worker"])
def test_a_connection_that_died_in_the_pool_is_not_noticed(
    app: Flask, postgres: Any, number: str
) -> None:
    engine = engine_of(app)
    look = text("SELECT pg_backend_pid()")
    mark = origin.set(Origin(request_id=number))
    try:
        with engine.connect() as connection:
            first = connection.scalar(look)
        postgres.execute(f"SELECT pg_terminate_backend({first})")
        with engine.connect() as connection:
            assert connection.scalar(look) != first
    finally:
        origin.reset(mark)


@pytest.mark.postgres
@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_what_wrote_is_taken_back_even_after_a_reader(app: Flask, session: Session) -> None:
    """Only the end of a reading transaction is a COMMIT."""
    engine = engine_of(app)
    mark, lock = origin.set(Origin(request_id="0123456789abcdef")), may_write.set(False)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        may_write.set(True)
        with engine.connect() as connection:
            connection.execute(text(RENAME))
    finally:
        may_write.reset(lock)
        origin.reset(mark)
    assert "Diubah" not in session.scalars(text("SELECT label_id FROM channel"))


# --- the cookie ---


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of cookies, to be set."""
    clock = [time.time()]
    for module in (cookies.time, timed.time):
        monkeypatch.setattr(module, "time", lambda: clock[0])
    return clock


def held(app: Flask, value: str) -> dict[str, Any]:
    """What a cookie opens to."""
    with app.test_request_context("/", headers={"Cookie": f"aduan={value}"}) as context:
        return dict(context.session)


def signed(app: Flask, data: dict[str, Any]) -> str:
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return str(signer.dumps(data))


def test_a_known_cookie_runs_out_all_the_same(app: Flask, now: list[float]) -> None:
    cookie = signed(app, {"_user_id": "1"})
    longest = app.permanent_session_lifetime.total_seconds()
    assert held(app, cookie) == held(app, cookie) == {"_user_id": "1"}
    now[0] += longest
    assert held(app, cookie) == {"_user_id": "1"}
    now[0] += 1
    assert held(app, cookie) == {}
    now[0] -= longest + 2
    assert held(app, cookie) == {}  # signed in the future: as itsdangerous sees it


@pytest.mark.parametrize("spoil", [
    lambda cookie: cookie[:-1] + ("A" if cookie[-1] != "A" else "B"),
    lambda cookie: "e" + cookie[1:] if cookie[0] != "e" else "f" + cookie[1:],
    lambda cookie: cookie + "A",
    lambda _cookie: "",
])  # fmt: skip
def test_a_cookie_that_is_like_a_known_one_is_none(app: Flask, spoil: Any) -> None:
    cookie = signed(app, {"_user_id": "1"})
    assert held(app, cookie) == {"_user_id": "1"}
    assert held(app, spoil(cookie)) == {}


def test_other_keys_make_a_known_cookie_worthless(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = signed(app, {"_user_id": "1"})
    assert held(app, cookie) == {"_user_id": "1"}
    monkeypatch.setitem(app.config, "SECRET_KEY", "another key, of another office")
    assert held(app, cookie) == {}


def test_one_request_does_not_change_what_the_next_one_finds(app: Flask) -> None:
    for data in ({"locale": "id"}, {"_flashes": [("info", "satu")]}):
        cookie = signed(app, data)
        for _ in range(2):
            with app.test_request_context("/", headers={"Cookie": f"aduan={cookie}"}) as context:
                assert dict(context.session) == data
                context.session["locale"] = "en"
                context.session.get("_flashes", []).append(("info", "dua"))


def test_known_cookies_are_not_kept_without_end(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cookies, "MOST", 3)
    sessions = OfficeSessions()
    monkeypatch.setattr(app, "session_interface", sessions)
    for number in range(10):
        assert held(app, signed(app, {"n": number})) == {"n": number}
        assert len(sessions._known) <= 3
