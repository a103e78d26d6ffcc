"""A backup that is not whole, or was changed by somebody, restores nothing."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest
from flask import Flask
from sqlalchemy import func, select

from app.models import Complaint
from tests.support.commands import run
from tests.support.panel import engine_of


def _forged(path: Path, keys: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Rewrite a backup as somebody would who knows its public key."""
    identity = pyrage.x25519.Identity.from_str(keys.read_text().splitlines()[1])
    plain = io.BytesIO(pyrage.decrypt(path.read_bytes(), [identity]))
    with tarfile.open(fileobj=plain) as tar:
        members = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]
    change(members)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    path.write_bytes(pyrage.encrypt(out.getvalue(), [identity.to_public()]))


def _first(members: dict[str, bytes], start: str) -> str:
    return next(name for name in members if name.startswith(start))


def _changed(members: dict[str, bytes]) -> None:
    members[_first(members, "database/complaint/")] += b"[]\n"


def _dropped(members: dict[str, bytes]) -> None:
    del members[_first(members, "files/")]


def _cut(members: dict[str, bytes]) -> None:
    del members["manifest.json"]


def _climbing(members: dict[str, bytes]) -> None:
    members["instance/../../evil"] = b"x"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("byte", id="one byte of the file changed"),
        pytest.param("end", id="the end is missing"),
        pytest.param("key", id="another office's key"),
        pytest.param(_changed, id="a row was added"),
        pytest.param(_dropped, id="a file was left out"),
        pytest.param(_cut, id="the list of sums is missing"),
        pytest.param(_climbing, id="a file that climbs out of its folder"),
    ],
)
def test_a_backup_that_is_not_whole_restores_nothing(
    damage: Any,
    backup: Path,
    keys: Path,
    other_app: Callable[[str], Flask],
    tmp_path: Path,
) -> None:
    data = bytearray(backup.read_bytes())
    if damage == "byte":
        data[len(data) // 2] ^= 1
        backup.write_bytes(bytes(data))
    elif damage == "end":
        backup.write_bytes(bytes(data[:-100]))
    elif damage == "key":
        keys = tmp_path / "other.key"
        keys.write_text(str(pyrage.x25519.Identity.generate()))
    else:
        _forged(backup, keys, damage)
    new = other_app("sqlite")
    result = run(new, "restore", str(backup), "--key", str(keys))
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(new.extensions["store"].keys())
    assert not list(tmp_path.glob("**/evil"))
    with engine_of(new).connect() as connection:
        tables = engine_of(new).dialect.get_table_names(connection)
        if "complaint" in tables:
            assert connection.scalar(select(func.count(Complaint.id))) == 0
