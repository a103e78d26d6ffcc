"""Nothing lost: the server killed, the database restarted, locked, read-only, the disk full."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app import extensions
from app.models import Complaint, Courier, StagedUpload
from app.services.audit import broken_rows, record
from app.services.verifying import verify
from tests.support import panel, samples
from tests.support.cases import CaseMaker
from tests.support.faults import OwnPostgres, own_postgres, wait_for
from tests.support.forms import PageForm
from tests.support.panel import engine_of
from tests.support.postgres import PostgresMissingError
from tests.support.serving import served
from tests.support.visitor import Visitor

# --- away, and back ------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite gives up on a lock after a second."""
    monkeypatch.setattr(extensions, "SQLITE_WAIT_SECONDS", 1)


def test_a_locked_database_is_told_and_what_was_typed_is_sent_again(
    impatient: None,
    app: Flask,
    session: Session,
    login: Callable[[str], FlaskClient],
    post: Callable[..., Any],
) -> None:
    client = login("admin")
    courier = {"code": "baru", "name": "Kurir <Baru>", "position": "7", "active": "y"}
    client.get("/reference/couriers/list/")
    session.rollback()
    engine_of(app).dispose()
    with engine_of(app).connect() as other:
        other.exec_driver_sql("ROLLBACK")
        other.exec_driver_sql("BEGIN IMMEDIATE")
        answer = post(client, "/reference/couriers/add", courier)
        other.exec_driver_sql("ROLLBACK")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    page = answer.get_data(as_text=True)
    assert '<html lang="id"' in page
    assert "Isian Anda tetap ada di halaman ini" in page
    assert 'name="name" value="Kurir &lt;Baru&gt;"' in page
    # Sent again as the page would send it.
    again = client.post("/reference/couriers/add", data=PageForm(page, "error-page-again").fields)
    assert again.status_code == 303
    session.rollback()
    found = session.scalars(select(Courier).where(Courier.code == "baru")).one()
    assert found.name == "Kurir <Baru>"


def test_a_password_is_never_kept_in_that_page(
    impatient: None, app: Flask, session: Session, client: FlaskClient, post: Callable[..., Any]
) -> None:
    session.rollback()
    engine_of(app).dispose()
    with engine_of(app).connect() as other:
        other.exec_driver_sql("ROLLBACK")
        other.exec_driver_sql("BEGIN IMMEDIATE")
        answer = post(client, "/login/", {"username": "kepala", "password": panel.PASSWORD})
        other.exec_driver_sql("ROLLBACK")
    assert answer.status_code == 503
    assert panel.PASSWORD not in answer.get_data(as_text=True)


@pytest.mark.both
def test_a_database_that_only_reads_is_told_and_pages_go_on(
    app: Flask,
    session: Session,
    make_case: CaseMaker,
    login: Callable[[str], FlaskClient],
    post: Callable[..., Any],
) -> None:
    case = make_case("certification")
    make_case.record_facts(case, "submit_certification")
    key = case.id
    session.commit()
    client, engine = login("subkoordinator"), engine_of(app)
    assert client.get(f"/complaints/show/{key}").status_code == 200
    session.rollback()
    engine.dispose()

    def read_only(_dialect: Any, _record: Any, _args: Any, options: dict[str, Any]) -> Any:
        if engine.dialect.name == "sqlite":
            path = f"file:{engine.url.database}?mode=ro"
            return sqlite3.connect(path, uri=True, check_same_thread=False)
        options["options"] = f"{options.get('options', '')} -c default_transaction_read_only=on"
        return None

    event.listen(engine, "do_connect", read_only)
    try:
        assert client.get(f"/complaints/show/{key}").status_code == 200
        assert client.get("/queue/").status_code == 200
        answer = post(client, f"/complaints/action/submit_certification/{key}")
        assert answer.status_code == 503
        script = post(
            client, f"/complaints/action/submit_certification/{key}",
            headers={"Accept": "application/json"},
        )  # fmt: skip
        assert script.status_code == 503
        assert script.json["error"] == "database"
    finally:
        event.remove(engine, "do_connect", read_only)
        engine.dispose()
    answer = post(client, f"/complaints/action/submit_certification/{key}")
    assert answer.status_code == 303
    session.expire_all()
    assert session.get_one(Complaint, key).step_key == "signing"


def test_a_database_that_is_away_is_told_in_the_reader_s_language(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    client = make_app(url=f"sqlite:///{tmp_path}/nowhere/x.sqlite").test_client()
    page = client.get("/login/")
    assert page.status_code == 503
    assert '<html lang="id"' in page.text
    assert "Basis data" in page.text
    assert page.headers["X-Request-Id"] in page.text
    with client.session_transaction() as kept:
        kept["locale"] = "en"
    page = client.get("/login/")
    assert "The database does not answer or is busy" in page.text
    assert "Content-Security-Policy" in page.headers


def test_a_clock_that_was_set_back_breaks_no_chain_and_loses_no_case(
    session: Session, make_case: CaseMaker, clock: Callable[[datetime], None]
) -> None:
    case = make_case("certification")
    record(session, "signed_in", actor_id=1)
    session.commit()
    clock(datetime.now(UTC) - timedelta(days=3))
    record(session, "signed_in", actor_id=1)
    make_case.record_facts(case, "submit_certification")
    make_case.move(case, "submit_certification")
    session.commit()
    assert list(broken_rows(session)) == []
    assert list(verify(session, make_case.store)) == []


# --- PostgreSQL restarted under load -------------------------------------------------------------


@pytest.fixture
def own() -> Iterator[OwnPostgres]:
    try:
        context = own_postgres()
        started = context.__enter__()
    except PostgresMissingError as error:
        pytest.fail(str(error), pytrace=False)
    yield started
    context.__exit__(None, None, None)


@pytest.mark.postgres
def test_postgres_restarted_under_load_is_told_and_used_again(
    own: OwnPostgres, shared_folder: Path, make_app: Callable[..., Flask]
) -> None:
    """Twice, while four officers look and two write: what they were told was kept is there."""
    name = own.server.template("office", partial(panel.make_template, shared_folder))
    app = make_app(url=own.server.url(name))
    seen: list[int] = []
    ledger = Ledger()
    stop = threading.Event()
    with served(app) as url:
        visitors = [Visitor(app, url, key) for key in ("admin", "petugas", "operator", "kabid")]

        def look(visitor: Visitor, path: str) -> None:
            while not stop.is_set():
                seen.append(visitor.get(path).status)

        paths = ("/reference/couriers/list/", "/complaints/list/", "/queue/", "/charts/steps/")
        threads = [threading.Thread(target=look, args=pair) for pair in zip(visitors, paths, strict=True)]  # fmt: skip
        for writes, key in ((ledger.add_couriers, "admin"), (ledger.upload, "petugas")):
            writer = Visitor(app, url, key)
            threads.append(threading.Thread(target=writes, args=(writer, stop)))
        for thread in threads:
            thread.start()
        everybody_works(seen, ledger)
        for _restart in range(2):
            own.stop()
            before = len(seen)
            wait_for(lambda before=before: seen[before:].count(503) >= 8)
            own.start()
            everybody_works(seen, ledger)
        stop.set()
        for thread in threads:
            thread.join()
        assert set(seen) == {200, 503}
        assert [visitor.get(path).status for visitor, path in zip(visitors, paths, strict=True)] == [200] * 4  # fmt: skip
    ledger.holds(app)
    engine_of(app).dispose()


def everybody_works(seen: list[int], ledger: Ledger) -> None:
    """From here on pages are answered and writings kept."""
    before, written = len(seen), ledger.kept()
    wait_for(lambda: seen[before:].count(200) >= 20 and ledger.kept() >= written + 6)


class Ledger:
    """What two officers were told was kept while the database went away and came back."""

    def __init__(self) -> None:
        self.couriers: list[str] = []
        self.tokens: list[str] = []
        self.told: set[int] = set()
        self.tries = 0

    def kept(self) -> int:
        return len(self.couriers) + len(self.tokens)

    def add_couriers(self, visitor: Visitor, stop: threading.Event) -> None:
        while not stop.is_set():
            self.tries += 1
            code = f"kurir_{self.tries}"
            form = {"code": code, "name": f"Kurir {self.tries}", "position": "7", "active": "y"}
            answer = visitor.post("/reference/couriers/add", form)
            self.told.add(answer.status)
            if answer.status == 303:
                self.couriers.append(code)

    def upload(self, visitor: Visitor, stop: threading.Event) -> None:
        picture = samples.png()
        while not stop.is_set():
            answer = visitor.upload("/uploads/", "foto.png", picture)
            self.told.add(answer.status)
            if answer.status == 201:
                self.tokens.append(answer.json["token"])
            if len(self.tokens) > 20:  # no heap of files that waits
                visitor.post(f"/uploads/{self.tokens.pop(0)}/delete", {})

    def holds(self, app: Flask) -> None:
        """Nothing that was acknowledged is missing, and nothing is half there."""
        assert self.told <= {201, 303, 503}, self.told
        with Session(engine_of(app)) as looked:
            there = set(looked.scalars(select(Courier.code)))
            assert set(self.couriers) <= there
            staged = {row.token: row for row in looked.scalars(select(StagedUpload))}
            store = app.extensions["store"]
            for token in self.tokens:
                assert store.get(staged[token].storage_key)
            assert list(verify(looked, store)) == []
            assert list(broken_rows(looked)) == []
