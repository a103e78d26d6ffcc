"""A full disk: nothing is lost or half done, it is said, and work goes on when there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Account, Complaint, Courier, Document, StagedUpload, User
from app.services.audit import broken_rows
from app.services.verifying import verify
from tests.support import panel, samples
from tests.support.absent import absent
from tests.support.panel import engine_of
from tests.support.webforms import forms_of


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of a few megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = f"no small disk can be mounted here: {done.stderr.strip()}"
        absent(reason)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def sign_in(app: Flask, client: FlaskClient, key: str) -> None:
    """Give a client the cookie of a test officer."""
    with Session(engine_of(app)) as looked:
        found = looked.scalars(select(User).where(User.username == key)).one()
        values = panel.cookie_values(app, found, looked.get(Account, found.id))
    with client.session_transaction() as kept:
        kept.update(values)


def fill(path: Path) -> None:
    """Take the last byte of a disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        with pytest.raises(OSError, match="No space left"):
            write_without_end(handle)
    finally:
        os.close(handle)


def write_without_end(handle: int) -> None:
    while True:
        os.write(handle, b"x" * 4096)


def test_a_full_disk_is_told_loses_nothing_and_goes_on_when_there_is_room(
    small_disk: Path, make_app: Callable[..., Flask]
) -> None:
    store = small_disk / "files"
    app = make_app(STORE_URL=str(store))
    client = app.test_client()
    sign_in(app, client, "petugas")
    filler = small_disk / "filler"

    def upload() -> Any:
        return panel.post(
            client,
            "/uploads/",
            {"file": (BytesIO(samples.png()), "foto.png")},
            headers={"Accept": "application/json"},
            content_type="multipart/form-data",
        )

    assert upload().status_code == 201
    fill(filler)
    answer = upload()
    assert answer.status_code == 422
    assert "Berkas tidak dapat disimpan" in answer.json["message"]
    filler.unlink()
    assert upload().status_code == 201
    with Session(engine_of(app)) as looked:
        assert looked.scalar(select(func.count()).select_from(StagedUpload)) == 2
        assert list(verify(looked, app.extensions["store"])) == []


def test_a_database_without_room_is_told_and_goes_on_when_there_is_room(
    small_disk: Path, sqlite_template: Path, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    url = panel.copy_sqlite(sqlite_template, small_disk / "office.sqlite")
    app = make_app(url=url)
    client = app.test_client()
    sign_in(app, client, "admin")
    courier = {"code": "baru", "name": "Kurir Baru", "position": "7", "active": "y"}
    assert client.get("/reference/couriers/list/").status_code == 200
    filler = small_disk / "filler"
    fill(filler)
    refused = panel.post(client, "/reference/couriers/add", {**courier, "name": "x" * 60})
    assert refused.status_code == 503
    assert "Isian Anda tetap ada" in refused.text
    filler.unlink()
    assert panel.post(client, "/reference/couriers/add", courier).status_code == 303
    with Session(engine_of(app)) as looked:
        found = looked.scalars(select(Courier.name).where(Courier.code == "baru")).all()
        assert found == ["Kurir Baru"]
        assert list(verify(looked, app.extensions["store"])) == []
    engine_of(app).dispose()


def test_a_case_is_registered_whole_or_not_at_all(
    small_disk: Path, sqlite_template: Path, make_app: Callable[..., Flask]
) -> None:
    """Database and files on one full disk: the form is kept, no number is used up, no file left."""
    url = panel.copy_sqlite(sqlite_template, small_disk / "office.sqlite")
    app = make_app(url=url, STORE_URL=str(small_disk / "files"))
    client = app.test_client()
    sign_in(app, client, "petugas")

    def register() -> Any:
        page = client.get("/complaints/add").text
        form = next(one for one in forms_of("/complaints/add", page) if one.has("applicant_name"))
        channel, category = (
            next(
                value
                for one in form.fields
                if one.name == name
                for value in one.options or [one.value]
                if value
            )
            for name in ("channel", "category")
        )
        typed = {
            "channel": channel, "category": category, "applicant_name": "Budi <Contoh>",
            "text": "Nama di KK salah tulis.", "phone": "081200000017", "then": "save",
        }  # fmt: skip
        data = {**dict(form.sent()), **typed}
        data.pop("csrf_token")
        files = [(BytesIO(samples.jpeg()), "ktp.jpg"), (BytesIO(samples.pdf()), "kk.pdf")]
        return panel.post(client, "/complaints/add", {**data, "files": files})

    first = register()
    assert first.status_code == 303, first.text[-3000:]
    filler = small_disk / "filler"
    fill(filler)
    refused = register()
    assert refused.status_code in (422, 503)
    assert "Budi &lt;Contoh&gt;" in refused.text
    filler.unlink()
    assert register().status_code == 303
    with Session(engine_of(app)) as looked:
        numbers = looked.scalars(select(Complaint.number).order_by(Complaint.id)).all()
        assert [number[-6:] for number in numbers] == ["000001", "000002"]
        assert looked.scalar(select(func.count()).select_from(Document)) == 4
        assert list(verify(looked, app.extensions["store"])) == []
        assert list(broken_rows(looked)) == []
    engine_of(app).dispose()
