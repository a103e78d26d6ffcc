"""Personal data at rest: nothing of it in clear in the database, its log, the store or a backup."""

from __future__ import annotations

import json
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import column, select, table, text, update
from sqlalchemy.orm import Session

from app import datakeys
from app.datakeys import DataKey, Keyring, KeysError, ring
from app.models import Complaint, Dispatch, Message, Model, SeedRun, Signatory
from app.models.sealed import Sealed
from app.release import NotReadyError, prepare, require_ready
from app.services.sealing import SEALED_ROWS, faults, reseal, sealed_tables
from app.services.storage import DamagedFileError
from app.services.verifying import verify
from tests.support import samples
from tests.support.documents import attach_file
from tests.support.panel import engine_of
from tests.support.personal import PERSON, SECRETS, assert_nothing_in_clear, stored_bytes

#: What an office says of itself, what officers are and from where they sign in is no secret of an
#: applicant.
OPEN_TABLES = {"office", "ab_user", "ab_register_user", "sign_in_session", "audit_event"}
PERSONAL_NAMES = {"nik", "kk_number", "phone", "email", "address", "handle", "recipient"}
#: The name of who gets a parcel: names are searched by their words and stay readable (ADR 0029).
NAMES = {"dispatch.recipient"}


@pytest.fixture
def sent(make_case, session) -> Complaint:
    """A finished case of that person: parcel, messages, files."""
    case = make_case("done", **PERSON)
    session.commit()
    return case


@pytest.fixture
def own_keys(tmp_path: Path):
    """`own_keys()`: another ring for this process, and the test's own back afterwards."""
    before = ring()
    yield lambda name="data_keys": datakeys.use(tmp_path / name)
    datakeys._ours[:] = [before]


# --- at rest -------------------------------------------------------------------------------------


def test_asvs_b47_the_database_file_and_its_log_hold_nothing_in_clear(app, session, sent, tmp_path):
    session.execute(update(Complaint).values(text="x"))
    session.commit()
    path = Path(str(engine_of(app).url.database))
    files = [path, path.with_name(path.name + "-wal")]
    assert_nothing_in_clear(b"".join(file.read_bytes() for file in files if file.exists()))
    session.expire_all()
    assert {name: getattr(sent, name) for name in PERSON} == PERSON


def test_asvs_b47_a_server_s_tables_hold_nothing_in_clear(make_app, request, session):
    """On PostgreSQL: what its own dump shows."""
    server = request.getfixturevalue("postgres")
    name = server.create_database(template=request.getfixturevalue("postgres_template"))

    with Session(engine_of(make_app(url=server.url(name)))) as there:
        case = Complaint(
            number="PGD-2026-000001", channel_id=1, category_id=1, text="x", applicant_name="P",
            received_at=utc(), registered_at=utc(), step_key="intake", step_since=utc(),
            completeness_due=utc().date(), decision_due=utc().date(), class_due=utc().date(),
            **PERSON,
        )  # fmt: skip
        there.add(case)
        there.commit()
        dumped = there.scalars(text("SELECT to_jsonb(c)::text FROM complaint c")).all()
        there.connection().engine.dispose()
    server.drop_database(name)
    assert len(dumped) == 1
    assert "PGD-2026-000001" in dumped[0]
    for secret in SECRETS:
        assert secret not in dumped[0]


def utc() -> datetime:
    return datetime.now(UTC)


def test_asvs_b47_the_store_holds_no_attachment_in_clear(session, store, sent, user):
    data = samples.pdf(2)
    document = attach_file(session, store, sent, user("petugas"), "kk.pdf", data)
    found = stored_bytes(store.folder)
    assert data[200:400] not in found
    assert b"%PDF" not in found
    assert b"\xff\xd8\xff" not in found[:3]
    assert store.get(document.storage_key)[:4] == b"%PDF"


def test_asvs_b47_a_backup_holds_nothing_in_clear(app, session, sent, tmp_path):
    folder, before = tmp_path / "instance", app.instance_path
    folder.mkdir()
    app.instance_path = str(folder)
    try:
        runner = app.test_cli_runner()
        key = tmp_path / "backup.key"
        assert runner.invoke(args=["backup-key", str(key)]).exit_code == 0
        target = tmp_path / "office.age"
        assert runner.invoke(args=["backup", str(target)]).exit_code == 0
    finally:
        app.instance_path = before
    found = target.read_bytes()
    assert_nothing_in_clear(found)
    assert ring().current.column.hex().encode() not in found


def test_asvs_b47_no_column_keeps_personal_data_in_clear():
    clear = [
        f"{found.name}.{column.name}"
        for found in Model.metadata.sorted_tables
        if found.name not in OPEN_TABLES
        for column in found.columns
        if column.name in PERSONAL_NAMES and not isinstance(column.type, Sealed)
    ]
    assert set(clear) == NAMES
    assert {found.name for found in sealed_tables()} == {
        "complaint", "dispatch", "message", "second_factor", "signatory",
    }  # fmt: skip
    places = [place for found in sealed_tables() for place in found.sealed.values()]
    assert len(places) == len(set(places))


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("nik_digest", PERSON["nik"]),
        ("kk_digest", PERSON["kk_number"]),
        ("phone_digest", "+62 812-6666-7777"),
        ("handle_digest", "0812 6666 7777"),
    ],
)
def test_what_is_sealed_is_found_by_its_digest_in_any_spelling(session, sent, field, typed):
    found = getattr(Complaint, field)
    digests = ring().digests(found.type.purpose, [typed])
    assert session.scalars(select(Complaint.id).where(found.in_(digests))).all() == [sent.id]


def test_equal_values_look_alike_nowhere(session, make_case):
    first, second = (make_case("intake", files=False, **PERSON) for _ in range(2))
    session.commit()
    raw = table("complaint", column("nik"), column("phone"), column("handle"))
    rows = session.execute(select(raw)).all()
    values = [value for row in rows for value in row]
    assert len(values) == len(set(values)) == 6
    # The same digits as telephone and as account have two digests: tables do not tell on each other.
    assert first.phone_digest == second.phone_digest
    session.refresh(first)
    assert first.phone_digest != first.handle_digest


def test_a_comparison_that_could_never_be_true_is_refused():
    with pytest.raises(TypeError, match="digest"):
        select(Complaint).where(Complaint.nik == PERSON["nik"])
    with pytest.raises(TypeError, match="digest"):
        select(Dispatch).where(Dispatch.phone.in_(["0812"]))
    assert "complaint.email" in str(select(Complaint.id).where(Complaint.email != ""))


@pytest.mark.parametrize(
    ("target", "source"),
    [
        pytest.param("kk_number", "nik", id="a value of another column"),
        pytest.param("nik", None, id="a changed letter"),
    ],
)
def test_what_was_moved_or_changed_by_hand_is_not_believed(session, sent, target, source):
    row = f"complaint {sent.id}"
    raw = table("complaint", column("id"), column("nik"), column("kk_number"))
    value = session.scalar(select(raw.c[source or target]))
    if source is None:
        at = 20
        value = value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]
    session.execute(update(raw).values({target: value}))
    session.commit()
    session.expire_all()
    with pytest.raises(KeysError, match="another hand"):
        assert getattr(sent, target)
    assert ("sealed", row) in {(f.rule, f.where) for f in verify(session)}


def test_a_changed_file_is_not_handed_out(session, store, sent):
    key = sent.documents[0].storage_key
    path = store.folder / key
    stored = bytearray(path.read_bytes())
    stored[-20] ^= 1
    path.write_bytes(bytes(stored))
    with pytest.raises(DamagedFileError):
        store.get(key)
    with pytest.raises(DamagedFileError):
        list(store.pieces(key))


def test_a_file_from_before_there_were_keys_is_read_and_sealed(store, session, sent):
    key = sent.documents[0].storage_key
    data = store.get(key)
    (store.folder / key).write_bytes(data)
    assert store.sealed_by(key) == ""
    assert store.get(key) == b"".join(store.pieces(key)) == data
    assert store.seal_again(key)
    assert not store.seal_again(key)
    assert data[:50] not in (store.folder / key).read_bytes()
    assert store.get(key) == b"".join(store.pieces(key)) == data


# --- the keys ------------------------------------------------------------------------------------


def test_asvs_b48_the_first_start_makes_keys_for_their_owner_alone(tmp_path, own_keys):
    keys = own_keys()
    assert keys.make()
    assert not keys.make()
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    sealed = keys.seal("0812", "complaint.phone")
    assert Keyring(keys.path).open(sealed, "complaint.phone") == "0812"


def test_asvs_b48_keys_that_others_can_read_are_refused(own_keys):
    keys = own_keys()
    keys.make()
    keys.path.chmod(0o640)
    with pytest.raises(KeysError, match="chmod 600"):
        Keyring(keys.path).seal("x", "complaint.phone")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"keys": []}', b'{"keys": [{"id": "x"}]}'])
def test_a_damaged_file_of_keys_is_said_in_a_sentence(own_keys, body):
    keys = own_keys()
    keys.make()
    keys.path.write_bytes(body)
    with pytest.raises(KeysError, match=r"damaged|no keys"):
        keys.current  # noqa: B018


def test_asvs_b48_the_repository_holds_no_keys_of_an_office():
    root = Path(__file__).resolve().parents[3]
    listed = subprocess.run(
        ["git", "ls-files"], cwd=root, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert listed
    assert [name for name in listed if "data_keys" in Path(name).name] == []


@pytest.mark.both
def test_asvs_b48_no_start_without_the_keys_that_the_database_needs(app, own_keys, tmp_path):
    own_keys("lost")
    with pytest.raises(NotReadyError, match="put the file back"):
        prepare(app)
    assert not ring().exists
    other = own_keys("other")
    other.make()
    for start in (prepare, require_ready):
        with pytest.raises(NotReadyError, match="lacks the key"):
            start(app)


# --- rows from before there were keys ------------------------------------------------------------


@pytest.mark.both
def test_rows_in_clear_are_readable_at_once_and_sealed_by_the_next_start(
    app, session, sent, login, backend
):
    raw_values = {"nik": PERSON["nik"], "phone": PERSON["phone"], "email": PERSON["email"]}
    raw = table(
        "complaint", *(column(name) for name in (*raw_values, "nik_digest", "phone_digest"))
    )
    session.execute(update(raw).values(**raw_values, nik_digest=None, phone_digest=None))
    parcel = table("dispatch", column("address"))
    session.execute(update(parcel).values(address=PERSON["address"]))
    session.query(SeedRun).filter(SeedRun.name == SEALED_ROWS).delete()
    session.commit()
    session.expire_all()
    assert sent.nik == PERSON["nik"]
    assert {what for _row, what in faults(session)} == {
        "nik stands in clear", "address stands in clear",
    }  # fmt: skip
    session.commit()
    session.close()
    prepare(app)
    assert list(faults(session)) == []
    found = ring().digests("phone", [PERSON["phone"]])
    again = session.scalars(select(Complaint).where(Complaint.phone_digest.in_(found))).one()
    assert (again.nik, again.email) == (PERSON["nik"], PERSON["email"])
    session.commit()
    if backend == "sqlite":  # the freed pages are gone, too
        engine_of(app).dispose()
        path = Path(str(engine_of(app).url.database))
        assert_nothing_in_clear(path.read_bytes())


@pytest.mark.both
def test_going_back_puts_everything_in_clear_and_forward_seals_it_again(app, session, sent):
    session.commit()
    runner = app.test_cli_runner()
    assert "rows in clear: " in runner.invoke(args=["data", "decrypt"]).output
    raw = table("complaint", column("nik"), column("nik_digest"))
    assert session.execute(select(raw)).one() == (PERSON["nik"], None)
    session.commit()
    done = runner.invoke(args=["data", "encrypt"])
    assert done.exit_code == 0, done.output
    assert session.execute(select(raw.c.nik)).scalar_one().startswith("$a1$")
    assert list(faults(session)) == []


def test_sealing_can_stop_anywhere_and_goes_on(session, make_case):
    for _ in range(5):
        make_case("intake", files=False, **PERSON)
    session.commit()
    key = DataKey.new()
    keys = ring()
    before = keys.path.read_bytes()
    try:
        keys.add(key, first=True)
        stopped = []

        def commit_twice() -> None:
            session.commit()
            stopped.append(1)
            if len(stopped) == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            reseal(session, commit_twice, batch=2)
        session.rollback()
        done = {keys_of(value) for value in raw_niks(session)}
        assert done == {key.id, "7e57ab1e"}
        assert reseal(session, session.commit, batch=2) >= 1
        assert {keys_of(value) for value in raw_niks(session)} == {key.id}
        assert list(faults(session)) == []
    finally:
        keys.path.write_bytes(before)
        keys.path.chmod(0o600)


def raw_niks(session: Session) -> list[str]:
    return list(session.scalars(select(table("complaint", column("nik")).c.nik)))


def keys_of(value: str) -> str:
    return datakeys.sealed_by(value)


# --- a backup carries the keys -------------------------------------------------------------------


def test_a_backup_opens_in_a_place_that_has_no_keys(
    app, session, sent, make_app, tmp_path, own_keys
):
    folder, before = tmp_path / "instance", app.instance_path
    folder.mkdir()
    app.instance_path = str(folder)
    runner = app.test_cli_runner()
    key, target = tmp_path / "backup.key", tmp_path / "office.age"
    try:
        assert runner.invoke(args=["backup-key", str(key)]).exit_code == 0
        assert runner.invoke(args=["backup", str(target)]).exit_code == 0
    finally:
        app.instance_path = before
    url = f"sqlite:///{(tmp_path / 'new.sqlite').as_posix()}"
    new = make_app(url=url, STORE_URL=str(tmp_path / "new files"))
    new.instance_path = str(tmp_path / "new instance")
    there = own_keys("new_keys")
    done = new.test_cli_runner().invoke(args=["restore", str(target), "--key", str(key)])
    assert done.exit_code == 0, done.output
    assert json.loads(there.path.read_text())["keys"][0]["id"] == "7e57ab1e"
    with Session(engine_of(new)) as looked:
        case = looked.scalars(select(Complaint)).one()
        assert {name: getattr(case, name) for name in PERSON} == PERSON
        assert list(verify(looked, new.extensions["store"])) == []
        assert looked.scalars(select(Message.recipient)).all()
        assert looked.scalars(select(Signatory.nik)).one() == "3325011203909901"
