"""A store, and tables on each kind of database, without an application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

from app.services.storage import Store, open_store
from tests.support.postgres import Server, postgres_or_skip
from tests.support.uploads import fill


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "files")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_or_skip() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'aduan.sqlite'}"
        fill(url)
    else:
        server: Server = request.getfixturevalue("server")
        name = server.create_database(template=server.template("uploads", fill))
        url = server.url(name)
    engine = create_engine(url)
    if request.param == "sqlite":
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    yield engine
    engine.dispose()
    if request.param == "postgres":
        server.drop_database(name)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session
