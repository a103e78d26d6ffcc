"""A backup of a working office is whole, secret, and comes back as it was, on either database."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest
from flask import Flask
from flask_migrate import downgrade
from sqlalchemy import MetaData, create_engine, func, select, text
from sqlalchemy.orm import Session

from app.models import AuditEvent, CaseEvent, Complaint, Document, Model, NameWord
from app.services.audit import Head, broken_rows, record
from app.services.backup import make_backup
from app.services.statistics import check
from app.services.storage import open_store
from app.services.uploads import verify_store
from tests.support.cases import CaseMaker
from tests.support.commands import run
from tests.support.panel import engine_of

NIK = "3325011203900077"


def content(engine: Any) -> dict[str, list[Any]]:
    """Every row of every table, but for the stamp: it is of the database, not of the office."""
    with engine.connect() as connection:
        return {
            table.name: sorted(connection.execute(select(table)), key=lambda row: repr(tuple(row)))
            for table in Model.metadata.sorted_tables
            if table.name != "stamp"
        }


@pytest.mark.pooled
@pytest.mark.both
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_everything_comes_back_on_either_database(
    kind: str,
    app: Flask,
    session: Session,
    make_case: CaseMaker,
    keys: Path,
    other_app: Callable[[str], Flask],
    tmp_path: Path,
) -> None:
    make_case("done", nik=NIK)
    make_case("returned")
    papers = Path(app.instance_path) / "papers"
    papers.mkdir()
    (papers / "receipt.typ").write_text("the office's own")
    session.commit()
    target = tmp_path / "office.age"
    before = content(engine_of(app))
    made = run(app, "backup", str(target))
    assert made.exit_code == 0, made.output
    assert NIK.encode() not in target.read_bytes()
    assert "Whole" in run(app, "backup", str(target), "--key", str(keys)).output

    new = other_app(kind)
    restored = run(new, "restore", str(target), "--key", str(keys))
    assert restored.exit_code == 0, restored.output
    found = content(engine_of(new))
    # The audit log goes on behind the row that was the last one in the backup.
    added = [row for row in found["audit_event"] if row not in before["audit_event"]]
    assert [row.kind for row in added] == ["restored"]
    found["audit_event"].remove(added[0])
    assert found == before
    assert run(new, "audit", "verify").exit_code == 0
    assert (Path(new.instance_path) / "papers" / "receipt.typ").read_text() == "the office's own"
    with Session(engine_of(new)) as looked:
        report = verify_store(looked, new.extensions["store"])
        assert report.missing == report.changed == ()
        assert looked.scalar(select(func.count()).select_from(Document))
        assert list(check(looked)) == []
        # The office goes on where it stopped: new keys do not meet old ones, a search finds.
        again = Complaint(
            **{
                column.name: getattr(looked.scalars(select(Complaint).limit(1)).one(), column.name)
                for column in Complaint.__table__.columns
                if column.name not in ("id", "number")
            },
            number="PGD-2026-999999",
        )
        looked.add(again)
        looked.commit()
        if kind == "sqlite":
            found = text("SELECT count(*) FROM name_word_search WHERE padded MATCH 'moho'")
            words = select(func.count(NameWord.id)).where(NameWord.word.contains("moho"))
            assert looked.scalar(found) == looked.scalar(words) > 0


@pytest.mark.both
def test_a_backup_of_a_working_office_is_of_one_moment(
    app: Flask,
    session: Session,
    make_case: CaseMaker,
    keys: Path,
    other_app: Callable[[str], Flask],
    tmp_path: Path,
) -> None:
    """Cases move and files come while it is made: no event without its case, no row without file."""
    make_case("done")
    stop = threading.Event()
    made = 0
    failure: list[BaseException] = []

    def work() -> None:
        nonlocal made
        try:
            while not stop.is_set():
                make_case(("siak_check", "signing", "returned")[made % 3])
                made += 1
        except BaseException as error:
            failure.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    targets = [tmp_path / f"{number}.age" for number in range(3)]
    try:
        for target in targets:
            while worker.is_alive() and made < targets.index(target) + 1:
                stop.wait(0.05)
            assert run(app, "backup", str(target)).exit_code == 0
    finally:
        stop.set()
        worker.join(60)
    assert failure == []
    new = other_app("sqlite")
    assert run(new, "restore", str(targets[-1]), "--key", str(keys)).exit_code == 0
    with Session(engine_of(new)) as looked:
        report = verify_store(looked, new.extensions["store"])
        assert report.missing == report.changed == ()
        assert list(check(looked)) == []
        for case in looked.scalars(select(Complaint)):
            last = looked.scalars(
                select(CaseEvent)
                .where(CaseEvent.complaint_id == case.id, CaseEvent.kind == "moved")
                .order_by(CaseEvent.id.desc())
            ).first()
            assert (last.to_step if last else "intake") == case.step_key
            assert sum(run_.finished_at is None for run_ in case.runs) == (
                case.step_key not in ("returned", "done")
            )


@pytest.mark.parametrize("missing", ["key", "folder"])
def test_without_a_key_or_a_folder_nothing_is_written(
    missing: str, app: Flask, session: Session, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if missing == "folder":
        request.getfixturevalue("keys")
    else:
        app.instance_path = str(tmp_path)
    target = tmp_path / ("nowhere/office.age" if missing == "folder" else "office.age")
    result = run(app, "backup", str(target))
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert not target.exists()
    assert not list(tmp_path.glob("**/*.part"))


def test_the_key_is_never_written_over(app: Flask, keys: Path) -> None:
    before = keys.read_text()
    assert keys.stat().st_mode & 0o077 == 0
    assert run(app, "backup-key", str(keys)).exit_code == 1
    assert keys.read_text() == before


def test_an_office_is_never_written_over(app: Flask, backup: Path, keys: Path) -> None:
    before = content(engine_of(app))
    result = run(app, "restore", str(backup), "--key", str(keys))
    assert (result.exit_code, "empty" in result.stderr) == (1, True)
    assert content(engine_of(app)) == before


def test_an_interrupted_restore_can_be_done_again(
    backup: Path, keys: Path, other_app: Callable[[str], Flask], tmp_path: Path
) -> None:
    """Half the files are there already; a stranger's file under a key is refused."""
    new = other_app("sqlite")
    store = new.extensions["store"]
    identity = pyrage.x25519.Identity.from_str(keys.read_text().splitlines()[1])
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(backup.read_bytes(), [identity]))) as tar:
        files = {
            info.name.removeprefix("files/"): tar.extractfile(info).read()  # type: ignore[union-attr]
            for info in tar
            if info.name.startswith("files/")
        }
    first, second = list(files)[:2]
    store.put_stored(first, files[first])
    store.put(second, b"something else")
    assert run(new, "restore", str(backup), "--key", str(keys)).exit_code == 1
    store.delete(second)
    assert run(new, "restore", str(backup), "--key", str(keys)).exit_code == 0
    assert set(open_store(tmp_path / "restored files").keys()) == set(files)


def test_a_missing_file_of_a_case_is_said_and_no_backup_is_left(
    app: Flask, session: Session, make_case: CaseMaker, keys: Path, tmp_path: Path
) -> None:
    make_case("siak_check")
    store = app.extensions["store"]
    store.delete(next(iter(store.keys())))
    result = run(app, "backup", str(tmp_path / "office.age"))
    assert result.exit_code == 1
    assert "missing in the store" in result.stderr
    assert not [*tmp_path.glob("*.age*"), *tmp_path.glob(".*.part")]


def test_older_rows_are_upgraded_after_they_are_back(
    app: Flask,
    session: Session,
    make_case: CaseMaker,
    keys: Path,
    tmp_path: Path,
    other_app: Callable[[str], Flask],
    make_app: Callable[..., Flask],
) -> None:
    """A backup remembers its schema: it is restored into that one, then upgraded."""
    make_case("done")
    session.commit()
    wanted = {row.number: row.told_at for row in session.scalars(select(Complaint))}
    session.commit()
    with app.app_context():
        downgrade(directory=str(app.extensions["migrate"].directory), revision="0011")
    engine_of(app).dispose()
    older = MetaData()
    engine = create_engine(engine_of(app).url)
    older.reflect(engine, only=lambda name, _: not name.startswith(("complaint_search", "alembic")))
    target = tmp_path / "older.age"
    public = (Path(app.instance_path) / "backup.pub").read_text()
    with engine.connect() as connection:
        make_backup(
            connection, older, app.extensions["store"], target, [public], now=datetime.now(UTC)
        )
    engine.dispose()
    new = other_app("sqlite")
    result = run(new, "restore", str(target), "--key", str(keys))
    assert result.exit_code == 0, result.output
    with Session(engine_of(new)) as looked:
        assert {row.number: row.told_at for row in looked.scalars(select(Complaint))} == wanted


def test_the_key_of_the_audit_log_comes_along_unless_the_environment_gives_it(
    session: Session, keys: Path, tmp_path: Path, make_app: Callable[..., Flask], app: Flask
) -> None:
    def place(name: str, key: bytes, url: str) -> Flask:
        options = {
            **app.config["SQLALCHEMY_ENGINE_OPTIONS"],
            "execution_options": {"audit_key": key},
        }
        made = make_app(
            url=url,
            STORE_URL=str(tmp_path / f"{name} files"),
            AUDIT_HEAD=tmp_path / f"{name} head",
            AUDIT_KEY_GIVEN=False,
            SQLALCHEMY_ENGINE_OPTIONS=options,
        )
        made.instance_path = str(tmp_path / name)
        Path(made.instance_path).mkdir()
        (Path(made.instance_path) / "audit_key").write_text(key.hex())
        return made

    url = engine_of(app).url.render_as_string(hide_password=False)
    old = place("old", b"o" * 32, url)
    (Path(old.instance_path) / "backup.pub").write_text(
        (Path(app.instance_path) / "backup.pub").read_text()
    )
    with Session(engine_of(old)) as writing:
        record(writing, "signed_in", actor_id=1)
        writing.commit()
    target = tmp_path / "office.age"
    assert run(old, "backup", str(target)).exit_code == 0
    new = place("new", b"n" * 32, f"sqlite:///{(tmp_path / 'new.sqlite').as_posix()}")
    done = run(new, "restore", str(target), "--key", str(keys))
    assert done.exit_code == 0, done.output
    assert "aduan:" not in done.output
    assert (Path(new.instance_path) / "audit_key").read_text() == (b"o" * 32).hex()
    with Session(engine_of(new)) as looked:
        assert list(broken_rows(looked, [Head.read((tmp_path / "new head").read_text())])) == []
        assert looked.scalars(select(AuditEvent.kind).order_by(AuditEvent.id)).all() == [
            "signed_in",
            "restored",
        ]
