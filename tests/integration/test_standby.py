"""Charts and reports read from a standby when there is one that is well; nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from app.extensions import db
from app.models import SopStep
from app.standby import REST_SECONDS, reading_engine, reading_session
from config import ConfigError, load_settings
from tests.support.postgres import Server

POSTGRES = "postgresql://office@127.0.0.1/office"


@pytest.fixture
def two(postgres: Server, postgres_template: str) -> Iterator[tuple[str, str]]:
    """Two databases that differ in one word, so that one sees which was read."""
    names = [postgres.create_database(template=postgres_template) for _ in range(2)]
    urls = [postgres.url(name) for name in names]
    engine = create_engine(urls[1])
    with engine.begin() as connection:
        connection.execute(text("UPDATE sop_step SET label_id = 'from the standby'"))
    engine.dispose()
    yield urls[0], urls[1]
    for name in names:
        postgres.drop_database(name)


def label(session: Any) -> str:
    return str(session.get(SopStep, "intake").label_id)


def test_numbers_are_read_there_and_all_else_here(
    two: tuple[str, str], make_app: Callable[..., Flask]
) -> None:
    app = make_app(url=two[0], DATABASE_READ_URL=two[1])
    with app.app_context():
        assert label(reading_session()) == "from the standby"
        assert reading_session() is reading_session()
        assert reading_engine().url.database != db.engine.url.database
        assert label(db.session()) != "from the standby"
        db.session.remove()
        db.engine.dispose()
        reading_engine().dispose()


def test_without_one_there_is_one_database(
    two: tuple[str, str], make_app: Callable[..., Flask]
) -> None:
    app = make_app(url=two[0])
    with app.app_context():
        assert reading_session() is db.session()
        assert reading_engine() is db.engine
        db.session.remove()
        db.engine.dispose()


def test_one_that_is_away_rests_and_the_primary_answers(
    two: tuple[str, str], make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"
    app = make_app(url=two[0], DATABASE_READ_URL=gone)
    standby = app.extensions["standby"]
    asked: list[float] = []
    connect = standby.engine.connect
    monkeypatch.setattr(
        standby.engine, "connect", lambda *args: asked.append(1.0) or connect(*args)
    )
    with app.app_context():
        assert reading_session() is db.session()
        assert reading_engine() is db.engine
        assert len(asked) == 1, "one that did not answer is not asked at every chart"
        standby.rests_until -= REST_SECONDS + 1
        assert reading_session() is db.session()
        assert len(asked) == 2
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"DATABASE_READ_URL": POSTGRES}, id="SQLite has no standby"),
        pytest.param(
            {"DATABASE_URL": POSTGRES, "DATABASE_READ_URL": "sqlite:///x"},
            id="SQLite is no standby",
        ),
    ],
)
def test_only_postgresql_has_a_standby(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="DATABASE_READ_URL"):
        load_settings({"SECRET_KEY": "x" * 40, **environ})
