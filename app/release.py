"""The release step: schema, SOP, roles and reference data; run once, never by a serving worker."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask_migrate import upgrade
from sqlalchemy import func, select
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from app.access import account_of
from app.datakeys import KeysError
from app.extensions import db, may_write
from app.models import Account, Role, SeedRun, SopRelease, User
from app.passwords import hash_password
from app.release_lock import one_at_a_time, past_the_pooler
from app.services.calendar import load_calendar
from app.services.partitions import make_ahead
from app.services.sealing import prepare_keys, require_keys, scrub, seal_old_rows
from app.services.seed_roles import load_roles, sync_roles
from app.services.seeding import seed_reference
from app.services.sop_sync import sync_steps, synced_sha256
from app.services.statistics import is_missing, rebuild
from app.services.transitions import Office as CaseOffice
from app.sop.definition import Sop

#: The row of `sop_release` that holds the sum of the seed files; row 1 is the SOP file.
SEED_FILES = 2
#: Everybody knows the demo's password.
DEMO_IN_PRODUCTION = (
    "this database holds the demo office with its published password; production needs another one."
)


class NotReadyError(Exception):
    """The panel cannot start; the text is the one line the person at the terminal sees."""


@dataclass
class Prepared:
    """What the release step did."""

    upgraded: bool = False
    synced: bool = False
    admin_password: str = ""
    demo_logins: list[tuple[str, str, str]] = field(default_factory=list)


def prepare(app: Flask) -> Prepared:
    """Bring the database up to date: safe to run again, quick when there is nothing to do.

    Of several servers that start at once one does it and the others wait.

    Raises:
        NotReadyError: the database cannot be reached or understood.
    """
    may_write.set(True)
    with app.app_context(), past_the_pooler():
        revisions()  # says in one line why a database cannot be reached
        try:
            with one_at_a_time(db.engine):
                return _prepare(app)
        except sqlite3.Error as error:  # of the lock: SQLAlchemy wraps its own
            raise NotReadyError(
                f"beside the database {db.engine.url.database} nothing can be written: {error}"
            ) from None


def _prepare(app: Flask) -> Prepared:
    done = Prepared()
    current, head = revisions()
    if current != head:
        upgrade(directory=str(app.extensions["migrate"].directory))
        done.upgraded = True
    _seal()
    sop: Sop = app.extensions["sop"]
    if done.upgraded or not in_line(sop):
        sync(sop)
        done.synced = True
    if db.session.scalar(select(func.count()).select_from(User)) == 0:
        if app.config["DEMO"]:
            done.demo_logins = create_demo()
        else:
            done.admin_password = create_first_admin()
    elif db.session.get(SeedRun, "demo") is not None:
        if app.config["ENV_NAME"] == "production":
            raise NotReadyError(DEMO_IN_PRODUCTION)
        done.demo_logins = demo_logins_left()
    if is_missing(db.session()):
        rebuild(db.session())
    make_ahead(db.session())
    db.session.commit()
    return done


def require_ready(app: Flask) -> None:
    """Go on only with an up-to-date database; for servers that start the panel themselves.

    Raises:
        NotReadyError: it is unreachable, outdated, or not in line with the SOP file.
    """
    with app.app_context():
        current, head = revisions()
        if current != head:
            raise NotReadyError(
                f"the database schema is at {current or 'nothing'}, this release needs {head};"
                " run `flask release` first."
            )
        production = current_app.config["ENV_NAME"] == "production"
        if production and db.session.get(SeedRun, "demo") is not None:
            raise NotReadyError(DEMO_IN_PRODUCTION)
        try:
            require_keys(db.session())
        except KeysError as error:
            raise NotReadyError(str(error)) from None
        if not in_line(app.extensions["sop"]):
            raise NotReadyError(
                "the database is not in line with the SOP file; run `flask sop sync` first."
            )
        db.session.rollback()


def _seal() -> None:
    """Keys of personal data for a new office; rows from before there were keys are sealed."""
    session, now = db.session(), datetime.now(UTC)
    try:
        prepare_keys(session, now)
        session.commit()
        if seal_old_rows(session, now, session.commit):
            session.commit()
            db.session.remove()
            scrub(db.engine)
    except KeysError as error:
        raise NotReadyError(str(error)) from None
    db.session.commit()


def revisions() -> tuple[str | None, str | None]:
    """The schema revision of the database and the newest of this release.

    Raises:
        NotReadyError: the database cannot be reached, or it is from a newer release.
    """
    scripts = ScriptDirectory(str(current_app.extensions["migrate"].directory))
    head = scripts.get_current_head()
    try:
        with db.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except (OperationalError, ArgumentError, DBAPIError) as error:
        raise NotReadyError(_why_unreachable(error)) from None
    if current is not None:
        try:
            scripts.get_revision(current)
        except Exception:
            raise NotReadyError(
                f"the database schema ({current}) is newer than this release; install the newer"
                " release again."
            ) from None
    return current, head


def in_line(sop: Sop) -> bool:
    """Whether the last sync was with this SOP file and these role and reference files."""
    session = db.session()
    seeds = session.get(SopRelease, SEED_FILES)
    return (
        synced_sha256(session) == sop.sha256 and seeds is not None and seeds.sha256 == _seeds_sum()
    )


def sync(sop: Sop) -> dict[str, Any]:
    """Steps, roles with their permissions, reference data; commits.

    Raises:
        SopError: a step that would go still holds complaints, or a seed file has mistakes.
    """
    folder = Path(current_app.config["SEED_DATA"])
    session, now = db.session(), datetime.now(UTC)
    report = sync_steps(session, sop, now=now)
    counts = sync_roles(session, load_roles(folder / "roles.toml"), sop, now=now)
    for name in (current_app.config["AUTH_ROLE_ADMIN"], current_app.config["AUTH_ROLE_PUBLIC"]):
        # FAB looks its two built-in roles up by name; they hold nothing here.
        if session.scalar(select(Role.id).where(Role.name == name)) is None:
            session.add(Role(name=name))
    rows = seed_reference(session, folder, now=now)
    session.merge(SopRelease(id=SEED_FILES, sha256=_seeds_sum(), synced_at=now))
    session.commit()
    return {"steps": report, "roles": counts, "reference": rows}


def _seeds_sum() -> str:
    """The sum of the role and reference files, so that a changed one is seen at the next start."""
    total = hashlib.sha256()
    folder = Path(current_app.config["SEED_DATA"])
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*.toml")]):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def create_first_admin() -> str:
    """One administrator with a random password, shown once and changed at the first sign-in."""
    password = secrets.token_urlsafe(12)
    role = db.session.scalars(select(Role).where(Role.name == "Admin TI")).one()
    now = datetime.now(UTC).replace(tzinfo=None)
    user = User(
        username="admin",
        first_name="Admin",
        last_name="TI",
        email="admin@localhost",
        active=True,
        password=hash_password(password),
        roles=[role],
        created_on=now,
        changed_on=now,
    )
    db.session.add(user)
    db.session.flush()
    account_of(user.id).must_change_password = True
    db.session.commit()
    return password


def create_demo() -> list[tuple[str, str, str]]:
    """Fill the empty office with the demo, all of it or nothing; commits.

    Raises:
        DemoRefusedError: it is not empty.
    """
    from app.services.demo import seed_demo
    from app.services.demo_signing import DemoSigning

    session, config = db.session(), current_app.config
    office = CaseOffice(current_app.extensions["sop"], load_calendar(session))
    try:
        logins = seed_demo(
            session,
            office,
            current_app.extensions["store"],
            Path(current_app.config["SEED_DATA"]),
            now=datetime.now(UTC),
            hash_password=hash_password,
            signing=DemoSigning.open(
                config["SIGNATURE_TRUST"],
                config["SIGNATURE_CERTS"],
                config["PUBLIC_URL"] or f"http://localhost:{config['PORT']}",
            ),
        )
        session.commit()
    except BaseException:
        session.rollback()
        raise
    return logins


def demo_logins_left() -> list[tuple[str, str, str]]:
    """The demo's sign-ins that still work: an account that was changed is not shown any more."""
    from app.services.demo import DEMO_LOGINS

    unchanged = set(
        db.session.scalars(
            select(User.username)
            .join(Account, Account.user_id == User.id)
            .where(User.active.is_(True), Account.password_changed_at.is_(None))
        )
    )
    return [login for login in DEMO_LOGINS if login[1] in unchanged]


def _why_unreachable(error: Exception) -> str:
    url = db.engine.url
    several = url.query.get("host")
    place = str(url.database)
    if url.host:
        place = f"{url.host}:{url.port or 5432}/{url.database}"
    elif several:
        place = f"{several if isinstance(several, str) else ','.join(several)}/{url.database}"
    reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
    return f"the database {place} cannot be used: {reason}"
