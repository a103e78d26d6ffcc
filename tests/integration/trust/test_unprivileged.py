"""ASVS b63: the process needs no root, and writes in its data folder alone.

It runs as a user without any right, on a file system that is read-only but for that folder, and
does everything that the roles can look at, and one of each kind of work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.models import StagedUpload
from app.services.storage import open_store
from app.services.verifying import verify
from tests.conftest import new_app
from tests.integration.access_matrix import LETTERS, routes
from tests.support import panel, samples, signed, testkeys
from tests.support.confined import Confined
from tests.support.panel import engine_of
from tests.support.visitor import Visitor
from tests.support.world import World


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, world: World) -> Path:
    folder = tmp_path_factory.mktemp("data")
    world.copied(folder)
    return folder


@pytest.fixture(scope="module")
def office(data: Path, shared_folder: Path) -> Flask:
    """Looks at the same office from outside."""
    url = f"sqlite:///{data / 'aduan.sqlite'}"
    return new_app(shared_folder, panel.settings_for(shared_folder, url))


@pytest.fixture(scope="module")
def server(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Confined]:
    log = tmp_path_factory.mktemp("log") / "server.log"
    environment = {
        "INSTANCE_PATH": str(data),
        "DATABASE_URL": f"sqlite:///{data / 'aduan.sqlite'}",
        "STORE_URL": str(data / "files"),
        "SECRET_KEY": panel.SECRET,
        "AUDIT_KEY": panel.AUDIT_KEY,
        "DATA_KEYS": str(testkeys.keys_file()),
        "DEMO": "0",
        "PASSWORD_COST": "8,1,1",
        "SIGNATURE_TRUST": str(signed.trust_folder()),
        "SIGNATURE_CERTS": str(signed.certificates_folder()),
    }
    confined = Confined(environment, log, data)
    confined.start()
    yield confined
    confined.kill()


def test_asvs_b63_it_has_no_right_and_may_write_nowhere_else(server: Confined, data: Path) -> None:
    rights = server.rights()
    assert [int(rights[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [0] * 4
    assert server.user() == 1000
    assert server.writable() == {str(data.resolve())}


def test_asvs_b63_every_page_of_every_role_is_there(
    server: Confined, office: Flask, world: World
) -> None:
    wrong = []
    for letter, key in LETTERS.items():
        if not key:
            continue
        visitor = Visitor(office, server.url, key)
        for (method, _rule), answered in routes().items():
            if method == "GET" and letter in answered:
                line = answered[letter]
                answer = visitor.get(line.url(world.places))
                if answer.status != line.status:
                    wrong.append(f"{key} {line.rule}: {answer.status}")
    assert wrong == []


def test_asvs_b63_and_the_work_is_done(
    server: Confined, office: Flask, world: World, data: Path
) -> None:
    petugas = Visitor(office, server.url, "petugas")
    # A file comes in: spooled, read by a process of its own, stored.
    sent = petugas.upload("/uploads/", "berkas.pdf", samples.pdf())
    assert sent.status == 201, sent
    large = petugas.upload("/uploads/", "foto.png", samples.png(1600, 1200))
    assert large.status == 201, large
    # A case moves.
    case = world.places["certification submit_certification"]
    moved = Visitor(office, server.url, "subkoordinator").post(
        f"/complaints/action/submit_certification/{case}", {}
    )
    assert moved.status == 303
    with Session(engine_of(office)) as session:
        assert session.query(StagedUpload).count() == 2
        assert list(verify(session, open_store(str(data / "files")))) == []
    said = server.log.read_text(encoding="utf-8")
    assert re.findall(r"Traceback|Read-only file system|Permission denied|Errno \d+", said) == []
