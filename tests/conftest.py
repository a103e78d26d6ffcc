"""The fixtures every test may use; what they are made of lies in `tests/support`.

    def test_something(client_of, make_case):         # SQLite
    @pytest.mark.both                                  # SQLite and PostgreSQL
    def test_something_else(session, make_case): ...

The test client commits the test's own `session` before each request. Threads and browsers do not:
call `session.commit()` before they are to see something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import create_app, datakeys
from app.extensions import may_write
from app.models import Account, User
from app.services.actor import Actor, load_actor
from app.services.calendar import load_calendar
from app.services.storage import Store
from app.services.transitions import Office
from app.sop.text import language
from tests.support import panel
from tests.support.browser import browser_or_skip, watch
from tests.support.cases import CaseMaker
from tests.support.chart_pages import worked_cases
from tests.support.panel import OfficeClient, Statements
from tests.support.pgbouncer import Pooler, pooler_or_skip
from tests.support.postgres import Server, postgres_or_skip
from tests.support.serving import served
from tests.support.testkeys import keys_file
from tools.i18n import compile_catalogues

BUILD = Path(__file__).resolve().parent.parent / "build"
BACKENDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
POOLED = pytest.param("pooled", marks=pytest.mark.postgres)


# A busy machine is no counterexample: how long an example takes is judged by no property.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    datakeys.use(keys_file())  # what needs no application needs them all the same
    config.addinivalue_line("markers", "both: runs on SQLite and on PostgreSQL")
    config.addinivalue_line("markers", "pooled: beside `both`, through a PgBouncer as well")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both"):
        pooled = [POOLED] if metafunc.definition.get_closest_marker("pooled") else []
        metafunc.parametrize("backend", [*BACKENDS, *pooled], indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash.setdefault(REPORTS, {})[report.when] = report
    return report


REPORTS = pytest.StashKey[dict[str, Any]]()


@pytest.fixture(autouse=True)
def indonesian_reader() -> None:
    """A request of an earlier test may have been an English reader's; outside requests it stays."""
    language.set("id")
    may_write.set(True)


# --- databases -----------------------------------------------------------------------------------


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """`sqlite`, or also `postgres` under the mark `both`, and `pooled` under that mark."""
    return getattr(request, "param", "sqlite")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The instance folder of all apps of this process: the bundled assets are made once."""
    compile_catalogues()
    folder = tmp_path_factory.mktemp("instance")
    (folder / "templates").mkdir()
    return folder


@pytest.fixture(scope="session")
def sqlite_template(shared_folder: Path) -> Path:
    path = shared_folder / "template.sqlite"
    panel.make_template(shared_folder, f"sqlite:///{path.as_posix()}")
    assert not path.with_name(path.name + "-wal").exists()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The PostgreSQL server of this test run."""
    with postgres_or_skip() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Server, shared_folder: Path) -> str:
    build = partial(panel.make_template, shared_folder)
    return postgres.template(panel.template_name(), build)


@pytest.fixture(scope="session")
def pooler(postgres: Server) -> Iterator[Pooler]:
    """A PgBouncer in transaction mode before that server."""
    with pooler_or_skip(postgres) as running:
        yield running


def _server_of(request: pytest.FixtureRequest, backend: str) -> tuple[Server, Pooler | Server]:
    """The server that makes databases, and what the panel reaches them by."""
    server: Server = request.getfixturevalue("postgres")
    return server, request.getfixturevalue("pooler") if backend == "pooled" else server


@pytest.fixture
def database_url(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> Iterator[str]:
    """A fresh office: schema, SOP, roles, reference data and the officers, no case."""
    if backend == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        yield panel.copy_sqlite(template, tmp_path / "aduan.sqlite")
        return
    server, reached = _server_of(request, backend)
    name = server.create_database(template=request.getfixturevalue("postgres_template"))
    yield reached.url(name)
    server.drop_database(name)


@pytest.fixture
def empty_database_url(
    request: pytest.FixtureRequest, backend: str, tmp_path: Path
) -> Iterator[str]:
    """A database without any table."""
    if backend == "sqlite":
        yield f"sqlite:///{(tmp_path / 'empty.sqlite').as_posix()}"
        return
    server, reached = _server_of(request, backend)
    name = server.create_database()
    yield reached.url(name)
    server.drop_database(name)


# --- the application -----------------------------------------------------------------------------


@pytest.fixture
def make_app(
    shared_folder: Path, database_url: str, tmp_path: Path
) -> Iterator[Callable[..., Flask]]:
    """`make_app(SETTING=value)`: an application over this test's database and files."""
    made: list[Flask] = []

    def make(**settings: Any) -> Flask:
        url = settings.pop("url", database_url)
        settings.setdefault("STORE_URL", str(tmp_path / "files"))
        settings.setdefault("AUDIT_HEAD", tmp_path / "audit_head")
        app = new_app(shared_folder, panel.settings_for(shared_folder, url, **settings))
        made.append(app)
        return app

    yield make
    for app in made:
        panel.engine_of(app).dispose()


@pytest.fixture(scope="session")
def shared_app() -> list[tuple[Flask, dict[str, Any]]]:
    """The application of this process once it is built, and its settings as they were then."""
    return []


@pytest.fixture
def app(
    shared_app: list[tuple[Flask, dict[str, Any]]],
    shared_folder: Path,
    database_url: str,
    tmp_path: Path,
) -> Iterator[Flask]:
    """The panel over this test's own database and files; a test with other settings: `make_app`."""
    settings = panel.settings_for(
        shared_folder,
        database_url,
        STORE_URL=str(tmp_path / "files"),
        AUDIT_HEAD=tmp_path / "audit_head",
    )
    if not shared_app:
        built = new_app(shared_folder, settings)
        # Flask and its extensions add their own defaults.
        shared_app.append((built, {**built.config}))
    app, first = shared_app[0]
    panel.open_again(app, {**first, **settings})
    yield app
    panel.engine_of(app).dispose()


def new_app(folder: Path, settings: dict[str, Any]) -> Flask:
    """An application as the tests want it."""
    app = create_app(settings)
    app.test_client_class = OfficeClient
    # The templates are compiled once for all of them.
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(folder / "templates"))
    app.extensions["before_test_request"] = []
    return app


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The test's own look at the database; the test client commits it before each request.

    On SQLite its transactions take the write lock only when they write: what a test merely looks
    at must not stop the server that it tests.
    """
    mark = may_write.set(False)
    with Session(panel.engine_of(app)) as opened:
        app.extensions["before_test_request"].append(opened.commit)
        yield opened
    may_write.reset(mark)


@pytest.fixture
def store(app: Flask) -> Store:
    return app.extensions["store"]


@pytest.fixture
def office(app: Flask, session: Session) -> Office:
    return Office(app.extensions["sop"], load_calendar(session))


@pytest.fixture
def user(session: Session) -> Callable[[str], User]:
    """`user("operator")`: the row of a test officer."""
    return lambda key: session.scalars(select(User).where(User.username == key)).one()


@pytest.fixture
def actor(session: Session, user: Callable[[str], User]) -> Callable[[str], Actor]:
    """`actor("operator")`: who acts in a service, with the permissions of this moment."""
    return lambda key: load_actor(session, user(key))


@pytest.fixture
def make_case(
    session: Session, office: Office, store: Store, actor: Callable[[str], Actor]
) -> CaseMaker:
    """`make_case("signing")`: a complaint worked up to a step by the officers themselves."""
    return CaseMaker(session, office, store, actor)


@pytest.fixture
def worked(session: Session, make_case: CaseMaker) -> list[Any]:
    """Three cases for charts, one of them by Instagram; what they took in step 1: `chart_pages`."""
    return worked_cases(session, make_case)


# --- requests ------------------------------------------------------------------------------------


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Nobody in particular."""
    return app.test_client()


@pytest.fixture
def login(
    app: Flask, session: Session, user: Callable[[str], User]
) -> Callable[[str], FlaskClient]:
    """`login("kepala")`: a client that is signed in as a test officer."""

    def sign_in(key: str) -> FlaskClient:
        found = user(key)
        values = panel.cookie_values(app, found, session.get(Account, found.id))
        signed_in = app.test_client()
        with signed_in.session_transaction() as kept:
            kept.update(values)
        return signed_in

    return sign_in


@pytest.fixture
def csrf() -> Callable[[FlaskClient], str]:
    """`csrf(client)`: a token for a form of that client."""
    return panel.csrf


@pytest.fixture
def post() -> Callable[..., Any]:
    """`post(client, url, data)`: a form with its token."""
    return panel.post


@pytest.fixture
def sql_count(app: Flask) -> Callable[[], AbstractContextManager[Statements]]:
    """`with sql_count() as statements: …; assert len(statements) <= 10`."""
    return partial(panel.counted_statements, panel.engine_of(app))


@pytest.fixture
def clock() -> Iterator[Callable[[datetime], None]]:
    """`clock(moment)`: from now on it is that moment, and time goes on from there."""
    with time_machine.travel(datetime.now().astimezone()) as traveller:
        yield traveller.move_to


# --- the browser ---------------------------------------------------------------------------------


@pytest.fixture
def live_server(app: Flask) -> Iterator[str]:
    """The address of this test's application behind its real server."""
    with served(app) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with browser_or_skip() as started:
        yield started


@pytest.fixture
def page(
    request: pytest.FixtureRequest,
    browser: Any,
    app: Flask,
    session: Session,
    user: Callable[[str], User],
    live_server: str,
) -> Iterator[Callable[..., Any]]:
    """`page("kepala", width=390, height=844)`: a browser window of an officer, None of nobody.

    Paths are relative to the panel. `page.watched` collects what goes wrong in it (console
    errors, foreign requests, failed answers), and the test fails at its end when there is any.
    """
    opened: list[Any] = []

    def open_page(
        key: str | None = None, *, width: int = 1366, height: int = 768, **more: Any
    ) -> Any:
        size = {"width": width, "height": height}
        more = {"locale": "id-ID", "timezone_id": "Asia/Jakarta", **more}
        context = browser.new_context(base_url=live_server, viewport=size, **more)
        context.set_default_timeout(10_000)
        if key is not None:
            context.add_cookies([_cookie(app, session, user(key), live_server)])
        session.commit()
        made = context.new_page()
        made.watched = watch(made)
        opened.append(made)
        return made

    yield open_page
    report = request.node.stash.get(REPORTS, {}).get("call")
    failed = report is None or report.failed
    problems = [problem for made in opened for problem in made.watched.problems]
    if failed or problems:
        BUILD.mkdir(exist_ok=True)
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", request.node.name)[:80]
        for number, made in enumerate(opened):
            if not made.is_closed():
                made.screenshot(path=BUILD / f"{name}-{number}.png", full_page=True)
    for made in opened:
        made.context.close()
    assert not problems, "\n".join(problems)


def _cookie(app: Flask, session: Session, user: User, url: str) -> dict[str, str]:
    signer = app.session_interface.get_signing_serializer(app)
    values = panel.cookie_values(app, user, session.get(Account, user.id))
    name = app.config["SESSION_COOKIE_NAME"]
    return {"name": name, "value": signer.dumps(values), "url": url}
