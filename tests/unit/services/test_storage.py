"""The store: random keys, written once and durably; files go only when the commit has come."""

from __future__ import annotations

import os
import re
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from app.services.storage import (
    KEY,
    MissingFileError,
    Store,
    StoreError,
    delete_after_commit,
    new_key,
    open_store,
)

#: The key's line and the header of age, whose length is chance: it holds a stanza of random
#: length that means nothing ("grease"). Its last line carries its own check.
HEADER = re.compile(
    rb"aduan-file-1 [0-9a-f]{8}\nage-encryption\.org/v1\n-> X25519 .+?\n--- [A-Za-z0-9+/]{43}\n",
    re.DOTALL,
)


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return open_store(tmp_path / "files" if request.param == "disk" else "memory://")


@pytest.fixture
def session() -> Session:
    return Session(create_engine("sqlite://"))


def put(store: Store, data: bytes = b"isi") -> str:
    key = new_key()
    store.put(key, data)
    return key


def test_what_was_put_comes_back_and_goes(store: Store) -> None:
    key = put(store, b"\x00\xff" * 50_000)
    assert store.exists(key)
    assert store.get(key) == b"\x00\xff" * 50_000
    assert list(store.keys()) == [key]
    item = next(store.items())
    # Sealed: the key's line, the age header, 16 bytes of nonce and 16 for each piece of 64 KiB.
    stored = store.stored(key)
    assert item.size == len(stored)
    assert len(stored) - len(HEADER.match(stored)[0]) == 16 + 100_000 + 2 * 16
    assert b"\x00\xff" * 50 not in stored
    assert item.modified.tzinfo is not None
    store.delete(key)
    assert not store.exists(key)
    assert list(store.keys()) == []


def test_a_key_is_written_once(store: Store) -> None:
    key = put(store, b"erste")
    with pytest.raises(StoreError):
        store.put(key, b"zweite")
    assert store.get(key) == b"erste"


def test_of_many_writers_of_one_key_one_wins(store: Store) -> None:
    key = new_key()

    def write(number: int) -> int | None:
        try:
            store.put(key, b"%d" % number)
        except StoreError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [n for n in pool.map(write, range(24)) if n is not None]
    assert len(winners) == 1
    assert store.get(key) == b"%d" % winners[0]


def test_a_missing_file_is_an_error_to_read_and_none_to_delete(store: Store) -> None:
    with pytest.raises(MissingFileError):
        store.get(new_key())
    store.delete(new_key())


@pytest.mark.parametrize(
    "key",
    [
        "",
        "ab",
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\Windows\\x",
        "ab/" + "c" * 32,
        "ab/ab" + "0" * 31,
        "ab/ab" + "0" * 30 + "\n",
        "AB/AB" + "0" * 30,
        "ab\\ab" + "0" * 30,
        "ab/ab" + "0" * 28 + "\0\0",
    ],
)
@pytest.mark.parametrize("action", ["get", "delete", "exists", "put"])
def test_a_key_that_is_not_ours_is_refused(store: Store, action: str, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        getattr(store, action)(*((key, b"x") if action == "put" else (key,)))


def test_keys_are_random_and_fit_their_pattern() -> None:
    keys = {new_key() for _ in range(200)}
    assert len(keys) == 200
    assert all(KEY.fullmatch(key) for key in keys)


def test_foreign_files_in_the_folder_are_passed_over(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    key = put(store)
    (tmp_path / "README.txt").write_text("x", encoding="utf-8")
    (tmp_path / key[:2] / "sisa.tmp").write_text("x", encoding="utf-8")
    assert list(store.keys()) == [key]


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such modes on Windows")
def test_the_folder_is_private(tmp_path: Path) -> None:
    open_store(tmp_path / "a" / "files")
    assert stat.S_IMODE((tmp_path / "a" / "files").stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be synced on Windows")
def test_a_put_has_reached_the_disk_when_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    if Path("/proc/self/fd").exists():
        monkeypatch.setattr(os, "fsync", fsync)
        key = put(open_store(tmp_path))
        assert synced == [str(tmp_path / key), str((tmp_path / key).parent), str(tmp_path)]


def test_a_put_that_did_not_reach_the_disk_fails_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(handle: int) -> None:
        raise OSError(28, "No space left on device")

    store = open_store(tmp_path)
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StoreError, match="No space left"):
        put(store)
    assert list(store.keys()) == []


def test_a_store_opens_by_path_and_by_url(tmp_path: Path) -> None:
    key = put(open_store(tmp_path / "a b"))
    for place in (str(tmp_path / "a b"), (tmp_path / "a b").as_uri()):
        assert open_store(place).exists(key)
    bucket = open_store("s3://ember/awalan", aws_region="id", aws_endpoint="http://127.0.0.1:1")
    assert bucket.folder is None


@pytest.mark.parametrize("place", ["http://example.com/x", "ftp://example.com", "quatsch://"])
def test_another_kind_of_place_is_one_clear_line(place: str) -> None:
    with pytest.raises(StoreError, match="no file store"):
        open_store(place)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "ada").write_text("eine Datei", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be used"):
        open_store(tmp_path / "ada" / "files")


# --- deleting after the commit -----------------------------------------------------------------


def test_files_go_after_the_commit_and_not_before(store: Store, session: Session) -> None:
    key = put(store)
    delete_after_commit(session, store, [key])
    session.execute(text("SELECT 1"))
    session.flush()
    assert store.exists(key)
    session.commit()
    assert not store.exists(key)


def test_a_rollback_keeps_the_files_for_good(store: Store, session: Session) -> None:
    key = put(store)
    delete_after_commit(session, store, [key])
    session.rollback()
    session.execute(text("SELECT 1"))
    session.commit()
    assert store.exists(key)


def test_a_session_closed_without_a_commit_keeps_the_files(store: Store, session: Session) -> None:
    key = put(store)
    delete_after_commit(session, store, [key])
    session.close()
    session.execute(text("SELECT 1"))
    session.commit()
    assert store.exists(key)


@pytest.mark.parametrize("outcome", ["released", "rolled back", "outer rolled back"])
def test_a_savepoint_decides_about_its_own_files(
    store: Store, session: Session, outcome: str
) -> None:
    before, inside = put(store), put(store)
    delete_after_commit(session, store, [before])
    savepoint = session.begin_nested()
    delete_after_commit(session, store, [inside])
    if outcome == "rolled back":
        savepoint.rollback()
    else:
        savepoint.commit()
    assert store.exists(before)
    assert store.exists(inside)
    if outcome == "outer rolled back":
        session.rollback()
    else:
        session.commit()
    assert store.exists(before) == (outcome == "outer rolled back")
    assert store.exists(inside) == (outcome != "released")


def test_a_savepoint_within_a_savepoint_goes_with_the_outer_one(
    store: Store, session: Session
) -> None:
    key = put(store)
    outer = session.begin_nested()
    session.begin_nested()
    delete_after_commit(session, store, [key])
    outer.rollback()
    session.commit()
    assert store.exists(key)


def test_a_scoped_session_works_the_same(store: Store) -> None:
    scoped = scoped_session(sessionmaker(create_engine("sqlite://")))
    key, kept = put(store), put(store)
    delete_after_commit(scoped, store, [key])  # type: ignore[arg-type]
    scoped.commit()
    assert not store.exists(key)
    delete_after_commit(scoped, store, [kept])  # type: ignore[arg-type]
    scoped.remove()
    scoped.execute(text("SELECT 1"))
    scoped.commit()
    assert store.exists(kept)


def test_a_file_that_cannot_be_deleted_does_not_undo_the_commit(
    store: Store,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = put(store), put(store)
    real = store.delete

    def delete(key: str) -> None:
        if key == first:
            raise StoreError("away")
        real(key)

    monkeypatch.setattr(store, "delete", delete)
    delete_after_commit(session, store, [first, second])
    session.commit()
    assert store.exists(first)
    assert not store.exists(second)
    assert "orphan" in caplog.text
