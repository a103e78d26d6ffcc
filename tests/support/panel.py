"""The panel as the tests run it: its own database, its own files, one officer of each kind.

A database is made once by the release step and copied for every test: as a file on SQLite, with
`CREATE DATABASE … TEMPLATE` on PostgreSQL.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import event, make_url, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, object_session
from werkzeug.test import TestResponse

from app import create_app, datakeys
from app.access import STAMP, account_of, session_stamp
from app.extensions import db
from app.models import Account, BlankStock, Role, Signatory, SignInSession, User
from app.passwords import hash_password
from app.release import prepare
from app.services.actor import load_actor
from app.services.blanks import book
from app.services.sign_in.tokens import hash_of
from app.services.storage import open_store
from app.sign_in import SID
from app.stepup import PROVED
from config import load_settings
from tests.support import pgbouncer, signed
from tests.support.testkeys import keys_file

#: Every test officer signs in with it; its hash is made once and cheaply.
PASSWORD: Final = "kalimat sandi untuk uji"
SECRET: Final = "signs nothing but the cookies of tests"
AUDIT_KEY: Final = "5ea1" * 16


@dataclass(frozen=True)
class Officer:
    """One person of the test office."""

    key: str
    role: str
    first_name: str
    last_name: str

    @property
    def name(self) -> str:
        """The name as histories and messages show it."""
        return f"{self.first_name} {self.last_name}"


#: One of each role, and a colleague where two of one role meet.
OFFICERS: Final[Mapping[str, Officer]] = {
    officer.key: officer
    for officer in (
        Officer("petugas", "Petugas Pengaduan", "Siti", "Rahmawati"),
        Officer("petugas2", "Petugas Pengaduan", "Dewi", "Lestari"),
        Officer("operator", "Operator", "Agus", "Prasetyo"),
        Officer("operator2", "Operator", "Rina", "Wulandari"),
        Officer("subkoordinator", "Sub Koordinator", "Bambang", "Sutrisno"),
        Officer("kepala", "Kepala Dinas", "Endang", "Suryani"),
        Officer("kabid", "Kepala Bidang", "Hadi", "Nugroho"),
        Officer("admin", "Admin TI", "Yusuf", "Hidayat"),
    )
}
#: The officer who signs for the test office.
SIGNS: Final = "kepala"
#: Blank cards of each kind that the test office begins with.
BLANKS: Final = 500
#: The officer who acts for a lane of the SOP.
ACTOR_OF: Final[Mapping[str, str]] = {
    "petugas_pengaduan": "petugas",
    "operator": "operator",
    "sub_koordinator": "subkoordinator",
    "kepala_dinas": "kepala",
}


@event.listens_for(Engine, "connect")
def _no_waiting_for_the_disk(connection: Any, record: Any) -> None:
    """A test's database does not have to survive a power cut."""
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("PRAGMA synchronous=OFF")


# --- databases -----------------------------------------------------------------------------------


def settings_for(folder: Path, url: str, **changes: Any) -> dict[str, Any]:
    """The settings of one test's panel; nothing of this machine's environment is in them.

    `folder` holds what tests may share (the bundled assets); database and files are their own.
    """
    environment = {
        "INSTANCE_PATH": str(folder),
        "DATABASE_URL": url,
        "DATABASE_DIRECT_URL": pgbouncer.direct_of(url),
        "SECRET_KEY": SECRET,
        "DATA_KEYS": str(keys_file()),
        "AUDIT_KEY": AUDIT_KEY,
        "DEMO": "0",
        # Argon2id all the same, with the least that it takes.
        "PASSWORD_COST": "8,1,1",
    }
    if not changes.get("DEMO"):  # the demo makes an authority of its own
        environment |= {
            "SIGNATURE_TRUST": str(signed.trust_folder()),
            "SIGNATURE_CERTS": str(signed.certificates_folder()),
        }
    return {**load_settings(environment), "TESTING": True, "RATELIMIT_ENABLED": False, **changes}


def make_template(folder: Path, url: str) -> None:
    """Fill an empty database by the release step, with the test's officers; ends all connections."""
    app = create_app(settings_for(folder, url))
    prepare(app)
    with app.app_context():
        _add_officers(db.session())
        _add_blanks(db.session())
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def open_again(app: Flask, settings: Mapping[str, Any]) -> None:
    """Let an application that served an earlier test begin anew over another database.

    Building one takes as long as many tests do. What a test changes is what stands here:
    settings, engine, store; everything else about an application is made once and read only.
    """
    app.config.clear()
    app.config.update(settings)
    # What was remembered on the way (drawn previews) belongs to the office of that test.
    built = app.extensions.setdefault("test_built", set(app.extensions) | {"test_engines"})
    for name in set(app.extensions) - built - {"test_built"}:
        del app.extensions[name]
    with app.app_context():
        engines = cast(dict[str | None, Engine], db.engines)
        engines[None] = _engine_for(app, settings)
    app.extensions["store"] = open_store(settings["STORE_URL"])
    # Another application of this process (an office of the benchmarks) may have used its own.
    if datakeys.ring().path != Path(settings["DATA_KEYS"]):
        datakeys.use(Path(settings["DATA_KEYS"]))
    app.extensions["before_test_request"] = []


def _engine_for(app: Flask, settings: Mapping[str, Any]) -> Engine:
    """One engine for each kind of database, so that statements are compiled once.

    Its connections go to the address that it has at the moment.
    """
    url = make_url(settings["SQLALCHEMY_DATABASE_URI"])
    kind = (url.drivername, bool(settings["DATABASE_DIRECT_URL"]))
    engines: dict[Any, Engine] = app.extensions.setdefault("test_engines", {})
    engine = engines.get(kind)
    if engine is None:
        options = {"url": url, **settings["SQLALCHEMY_ENGINE_OPTIONS"]}
        db._apply_driver_defaults(options, app)
        engine = engines[kind] = db._make_engine(None, options, app)

        @event.listens_for(engine, "do_connect")
        def connect(dialect: Any, record: Any, cargs: list[Any], cparams: dict[str, Any]) -> None:
            cargs[:], found = dialect.create_connect_args(engine.url)
            cparams.update(found)

    engine.dispose()
    engine.url = url
    return engine


def copy_sqlite(template: Path, target: Path) -> str:
    """A copy of a database file whose connections have all ended; its address."""
    shutil.copyfile(template, target)
    return f"sqlite:///{target.as_posix()}"


def template_name() -> str:
    """The name of the PostgreSQL template: another one as soon as what makes it has changed."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for folder, pattern in (("seed_data", "*.*"), ("app/migrations/versions", "*.py")):
        for path in sorted((root / folder).glob(pattern)):
            digest.update(path.read_bytes())
    return f"template_{digest.hexdigest()[:12]}"


def _add_officers(session: Session) -> None:
    """The people of the test office; the release step has made the administrator already."""
    hashed = hash_password(PASSWORD)
    roles = {role.name: role for role in session.scalars(select(Role))}
    now = datetime.now(UTC).replace(tzinfo=None)
    for officer in OFFICERS.values():
        user = session.scalars(select(User).where(User.username == officer.key)).one_or_none()
        if user is None:
            user = User(username=officer.key, created_on=now, changed_on=now, active=True)
            session.add(user)
        user.first_name, user.last_name = officer.first_name, officer.last_name
        user.email, user.password = f"{officer.key}@example.org", hashed
        user.roles = [roles[officer.role]]
        session.flush()
        account_of(user.id).must_change_password = False
        if officer.key == SIGNS:
            session.add(signatory_row(user, officer))


def signatory_row(user: User, officer: Officer, **changes: Any) -> Signatory:
    """The head of the test office: in office since long before any case of a test."""
    values: dict[str, Any] = {
        "user_id": user.id,
        "name": f"{officer.name}, S.H.",
        "nip": "197001012000011001",
        "nik": "3325011203909901",
        "rank": "Pembina Utama Muda",
        "position": "Kepala Dinas Kependudukan dan Pencatatan Sipil",
        "valid_from": date(2020, 1, 1),
        "certificate": "kepala.p12",
        **changes,
    }
    return Signatory(**values)


def _add_blanks(session: Session) -> None:
    """Cards for every print of a test; one that is about their end takes them away."""
    operator = session.scalars(select(User).where(User.username == "operator")).one()
    long_ago = datetime.now(UTC) - timedelta(days=90)
    for blank in session.scalars(select(BlankStock)):
        book(session, blank, "received", BLANKS, load_actor(session, operator), now=long_ago)


# --- requests ------------------------------------------------------------------------------------


class OfficeClient(FlaskClient):
    """Flask's test client with the officer's token, each request in a context of its own.

    What the test's own session wrote is committed first: the request runs in another transaction
    and would wait for it, or not see it.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """One request; what it sets in context variables does not outlive it."""
        for commit in self.application.extensions.get("before_test_request", ()):
            commit()
        # Read to its end in there: what is sent in pieces is made while it is read.
        kwargs.setdefault("buffered", True)
        answer: TestResponse = copy_context().run(super().open, *args, **kwargs)
        return answer


def csrf(client: FlaskClient) -> str:
    """A valid CSRF token of this client's session."""
    with client.session_transaction() as kept:
        raw = kept.setdefault("csrf_token", hashlib.sha1(b"test").hexdigest())
    signer = URLSafeTimedSerializer(str(client.application.secret_key), salt="wtf-csrf-token")
    return str(signer.dumps(raw))


def post(
    client: FlaskClient, url: str, data: Mapping[str, Any] | None = None, **kwargs: Any
) -> TestResponse:
    """POST a form with its token, as our pages do."""
    return client.post(url, data={**(data or {}), "csrf_token": csrf(client)}, **kwargs)


def cookie_values(app: Flask, user: User, account: Account | None) -> dict[str, Any]:
    """What the session of a signed-in officer holds; its row is written and committed."""
    with app.app_context():
        stamp = session_stamp(user, account)
    token, now = secrets.token_hex(16), datetime.now(UTC)
    row = SignInSession(
        user_id=user.id, token_hash=hash_of(token), started_at=now, last_seen_at=now
    )
    session = object_session(user)
    if session is None or session.get_bind().engine.url != engine_of(app).url:
        with Session(engine_of(app)) as own:
            own.add(row)
            own.commit()
    else:
        session.add(row)
        # What the test holds in its hands stays as it is.
        expires, session.expire_on_commit = session.expire_on_commit, False
        session.commit()
        session.expire_on_commit = expires
    return {
        "_user_id": str(user.id),
        "_fresh": True,
        "_permanent": True,
        STAMP: stamp,
        SID: token,
        PROVED: int(datetime.now(UTC).timestamp()),
    }


# --- looking -------------------------------------------------------------------------------------


class Statements(list[str]):
    """The SQL statements that ran; transaction control does not count."""


@contextlib.contextmanager
def counted_statements(engine: Engine) -> Iterator[Statements]:
    """Collect the statements an engine runs meanwhile."""
    seen = Statements()

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.lstrip().upper().startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def engine_of(app: Flask) -> Engine:
    """The engine of an application."""
    with app.app_context():
        return db.engine
