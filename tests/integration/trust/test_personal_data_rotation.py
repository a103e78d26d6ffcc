"""Changing the keys: everything is sealed anew, a kill in the middle loses nothing."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

from app import datakeys
from app.datakeys import DataKey, Keyring, KeysError, ring, sealed_by
from app.models import Complaint, DataKeyUse, Dispatch
from app.models.base import utc_now
from app.services import rotating
from app.services.rotating import StillSealedError, rotate
from app.services.verifying import verify
from tests.support.personal import PERSON
from tests.support.programs import commands
from tests.support.testkeys import keys_file

OLD = "7e57ab1e"


@pytest.fixture
def keys(tmp_path):
    """A copy of the test's keys, which a rotation may change."""
    before = ring()
    path = tmp_path / "data_keys"
    shutil.copy2(keys_file(), path)
    yield datakeys.use(path)
    datakeys._ours[:] = [before]


@pytest.fixture
def office(session, make_case, keys):
    """Three cases of that person, with parcels, messages and files."""
    found = [make_case("done", **PERSON), *(make_case("intake", **PERSON) for _ in range(2))]
    session.commit()
    return found


def sealing_keys(session: Session) -> set[str]:
    raw = table("complaint", column("nik"), column("address"))
    return {sealed_by(value) for row in session.execute(select(raw)) for value in row}


def assert_whole(session: Session, store, cases) -> None:
    session.rollback()
    session.expire_all()
    assert {name: getattr(cases[0], name) for name in PERSON} == PERSON
    assert list(verify(session, store)) == []


@pytest.mark.both
def test_asvs_b48_everything_is_sealed_with_a_new_key_and_the_old_one_is_gone(
    session, store, office, keys
):
    parcel = session.scalars(select(Dispatch.address)).one()
    session.commit()
    done = rotate(session, store, utc_now(), session.commit, batch=2)
    assert (done.resumed, done.retired, keys.ids) == (False, (OLD,), (done.key_id,))
    assert done.rows >= 5
    assert done.files == len(list(store.keys())) > 3
    assert sealing_keys(session) == {done.key_id}
    assert {store.sealed_by(key) for key in list(store.keys())} == {done.key_id}
    assert session.scalars(select(DataKeyUse.key_id)).all() == [done.key_id]
    assert_whole(session, store, office)
    assert session.scalars(select(Dispatch.address)).one() == parcel
    found = keys.digests("nik", [PERSON["nik"]])
    assert len(session.scalars(select(Complaint).where(Complaint.nik_digest.in_(found))).all()) == 3
    with pytest.raises(KeysError):  # what an old copy of the table holds opens no more
        keys.open(Keyring(keys_file()).seal("x", "complaint.nik"), "complaint.nik")


@pytest.mark.both
@pytest.mark.parametrize(
    "until",
    [
        pytest.param("rows: 2", id="between two rows"),
        pytest.param("files: 2", id="between two files"),
    ],
)
def test_asvs_b48_a_kill_in_the_middle_loses_nothing_and_it_goes_on(
    session, store, office, keys, database_url, tmp_path, until
):
    settings = {
        "DATABASE_URL": database_url,
        "STORE_URL": str(store.folder),
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "DATA_KEYS": str(keys.path),
        "DEMO": "0",
    }
    session.commit()
    with commands(settings) as start:
        process = start("data", "rotate", "--batch", "1")
        for line in process.stdout:
            if line.startswith(until):
                break
        process.kill()
        process.wait(timeout=30)
    assert len(keys.ids) == 2
    half = {store.sealed_by(key) for key in list(store.keys())} | sealing_keys(session)
    assert half == set(keys.ids)
    assert_whole(session, store, office)
    # Both halves are found while there are two keys.
    found = keys.digests("phone", [PERSON["phone"]])
    assert (
        len(session.scalars(select(Complaint).where(Complaint.phone_digest.in_(found))).all()) == 3
    )
    session.commit()
    done = rotate(session, store, utc_now(), session.commit)
    assert (done.resumed, done.retired, len(keys.ids)) == (True, (OLD,), 1)
    assert sealing_keys(session) == {done.key_id}
    assert_whole(session, store, office)


def test_what_is_written_meanwhile_is_of_the_new_key(session, store, office, keys, make_case):
    """A server that runs looks at the file of keys whenever it seals."""
    server = Keyring(keys.path)
    assert sealed_by(server.seal("x", "complaint.nik")) == OLD
    key = DataKey.new()
    keys.add(key, first=True)
    assert sealed_by(server.seal("x", "complaint.nik")) == key.id
    assert server.open(keys.seal("y", "complaint.nik"), "complaint.nik") == "y"


def test_the_old_key_stays_while_somebody_seals_with_it(session, store, office, keys, monkeypatch):
    """A server with a stale copy of the file writes on: nothing that it wrote may become unreadable."""
    stale = Keyring(keys_file())
    raw = table("complaint", column("id"), column("nik"))
    real = rotating._files

    def and_meanwhile(*args):
        changed = real(*args)
        sealed = stale.seal(PERSON["nik"], "complaint.nik")
        session.execute(raw.update().where(raw.c.id == office[1].id).values(nik=sealed))
        return changed

    monkeypatch.setattr(rotating, "_files", and_meanwhile)
    with pytest.raises(StillSealedError, match="restart"):
        rotate(session, store, utc_now(), session.commit)
    assert OLD in keys.ids
    assert_whole(session, store, office)


def test_the_command_says_what_it_did(app, session, office, keys):
    session.commit()
    result = app.test_cli_runner().invoke(args=["data", "rotate"])
    assert result.exit_code == 0, result.output
    assert f"dropped: {OLD}" in result.output
    assert str(keys.path) in result.output
    for secret in PERSON.values():
        assert secret not in result.output
