"""Making an office: its roles and database, its keys and settings, its folder and user.

Whatever goes wrong, what was made before it is taken back, so that the command can be given again.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.offices.names import (
    OfficeError,
    Places,
    checked_host,
    checked_name,
    owner_of,
    role_of,
    user_of,
)

_SECRET_BYTES: Final = 32


@dataclass(frozen=True)
class Wanted:
    """What is asked for."""

    name: str
    host: str
    #: A superuser's address of the server that is to carry the office.
    admin_url: str
    places: Places = field(default_factory=Places)
    #: `s3://bucket/prefix`: the office's files lie below it under its name. "": its own folder.
    store: str = ""
    redis: str = ""
    #: Whether the system's user is made, too, and owns the folder.
    system_user: bool = True


def make(wanted: Wanted) -> None:
    """Make everything of an office but its tables; the release step makes those.

    Raises:
        OfficeError: it is there already, or something of it could not be made.
    """
    name, places = checked_name(wanted.name), wanted.places
    checked_host(wanted.host)
    admin = _admin(wanted.admin_url)
    if not places.settings.is_dir() or not places.data.is_dir():
        raise OfficeError(f"{places.settings} and {places.data} must be there; make them first.")
    passwords = {role: secrets.token_hex(_SECRET_BYTES) for role in (role_of(name), owner_of(name))}
    with ExitStack() as undo:
        # First of all: of two that make the same office at once, the second stops here.
        _write(places.env_file(name), _settings(wanted, admin, passwords), undo)
        owner = _url(admin, owner_of(name), passwords, role_of(name))
        _write(places.release_file(name), f"DATABASE_URL={owner}\n", undo)
        if wanted.system_user:
            _make_user(user_of(name))
        _make_folder(places.folder(name), user_of(name) if wanted.system_user else "", undo)
        _make_database(admin, name, passwords, undo)
        undo.pop_all()


def _admin(url: str) -> URL:
    try:
        found = make_url(url.replace("postgres://", "postgresql://", 1))
    except ArgumentError:
        raise OfficeError(
            "--database-url must look like postgresql://user@host/postgres."
        ) from None
    if not found.drivername.startswith("postgresql"):
        raise OfficeError("several offices need PostgreSQL; SQLite serves one.")
    return found


def _url(admin: URL, role: str, passwords: dict[str, str], database: str) -> str:
    made = admin.set(
        drivername="postgresql", username=role, password=passwords[role], database=database
    )
    return made.render_as_string(hide_password=False)


def _settings(wanted: Wanted, admin: URL, passwords: dict[str, str]) -> str:
    role = role_of(wanted.name)
    lines = [
        f"# The office {wanted.name}: secret, and of no other office. docs/admin-guide.md, section 2.",
        f"DATABASE_URL={_url(admin, role, passwords, role)}",
        f"SECRET_KEY={secrets.token_hex(_SECRET_BYTES)}",
        f"AUDIT_KEY={secrets.token_hex(_SECRET_BYTES)}",
        f"METRICS_TOKEN={secrets.token_hex(_SECRET_BYTES)}",
        f"ALLOWED_HOSTS={wanted.host}",
        f"PUBLIC_URL=https://{wanted.host}",
        "TRUSTED_PROXIES=1",
        "LOG_FORMAT=json",
    ]
    if wanted.store:
        lines.append(f"STORE_URL={wanted.store.rstrip('/')}/{wanted.name}")
    if wanted.redis:
        lines.append(f"REDIS_URL={wanted.redis}")
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str, undo: ExitStack) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise OfficeError(f"{path} is there already: the office was made before.") from None
    except OSError as error:
        raise OfficeError(f"{path} cannot be written: {error.strerror}") from None
    undo.callback(path.unlink, missing_ok=True)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _make_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        pass
    else:
        return
    command = ["useradd", "--system", "--no-create-home", "--user-group", "--shell"]
    done = subprocess.run(
        [*command, "/usr/sbin/nologin", name], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise OfficeError(f"the user {name} could not be made: {done.stderr.strip()}")


def _make_folder(folder: Path, user: str, undo: ExitStack) -> None:
    if folder.exists():
        raise OfficeError(f"{folder} is there already.")
    folder.mkdir(mode=0o700)
    undo.callback(shutil.rmtree, folder, ignore_errors=True)
    if user:
        shutil.chown(folder, user, user)


def _make_database(admin: URL, name: str, passwords: dict[str, str], undo: ExitStack) -> None:
    """Two roles that may nothing else, and a database that nobody else may open."""
    panel, owner = role_of(name), owner_of(name)
    try:
        server = undo.enter_context(connection(admin))
        for role in (owner, panel):
            server.execute(
                sql.SQL(
                    "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
                    " NOBYPASSRLS PASSWORD {}"
                ).format(sql.Identifier(role), sql.Literal(passwords[role]))
            )
            undo.callback(_run, server, "DROP ROLE {}", role)
        # A role without membership cannot be given a database by who is no superuser.
        _run(server, "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'", panel, owner)
        undo.callback(_run, server, "DROP DATABASE {} WITH (FORCE)", panel)
        _run(server, "REVOKE ALL ON DATABASE {} FROM PUBLIC", panel)
        _run(server, "GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}, {}", panel, panel, owner)
        with connection(admin.set(database=panel)) as inside:
            _run(inside, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
            _run(inside, "GRANT ALL ON SCHEMA public TO {}", owner)
            _run(inside, "GRANT USAGE ON SCHEMA public TO {}", panel)
    except psycopg.Error as error:
        raise OfficeError(f"the database could not be made: {str(error).strip()}") from None


def connection(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    """A connection in which each statement is its own transaction."""
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True, connect_timeout=5)


def _run(server: psycopg.Connection[tuple[object, ...]], statement: str, *names: str) -> None:
    # Statements of this module alone; names are quoted.
    server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
