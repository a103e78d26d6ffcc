"""A key of backups, a place to restore into, and a backup of an office."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.support.cases import CaseMaker
from tests.support.commands import run


@pytest.fixture
def keys(tmp_path: Path, app: Flask) -> Path:
    """A key made by the command; its public half lies beside the panel."""
    folder = tmp_path / "instance"
    folder.mkdir()
    app.instance_path = str(folder)
    key = tmp_path / "backup.key"
    assert run(app, "backup-key", str(key)).exit_code == 0
    return key


@pytest.fixture(autouse=True)
def its_own_folder(app: Flask) -> Iterator[None]:
    before = app.instance_path
    yield
    app.instance_path = before


@pytest.fixture
def other_app(
    request: pytest.FixtureRequest, tmp_path: Path, make_app: Callable[..., Flask]
) -> Callable[[str], Flask]:
    """`other_app("postgres")`: a panel over an empty database and an empty store."""
    made: list[str] = []

    def make(kind: str) -> Flask:
        if kind == "sqlite":
            url = f"sqlite:///{(tmp_path / 'restored.sqlite').as_posix()}"
        else:
            server = request.getfixturevalue("postgres")
            made.append(server.create_database())
            url = server.url(made[-1])
        new = make_app(url=url, STORE_URL=str(tmp_path / "restored files"))
        new.instance_path = str(tmp_path / "restored instance")
        Path(new.instance_path).mkdir()
        return new

    return make


@pytest.fixture
def backup(app: Flask, session: Session, make_case: CaseMaker, keys: Path, tmp_path: Path) -> Path:
    make_case("siak_check")
    target = tmp_path / "office.age"
    assert run(app, "backup", str(target)).exit_code == 0
    return target
