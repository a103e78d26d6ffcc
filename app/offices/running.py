"""Commands of the panel for one office: with its settings, as its user, in a process of its own."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy.engine import make_url

from app.offices.making import connection
from app.offices.names import OfficeError, Places, owner_of, role_of, user_of
from app.services.audit.grants import grant_statements

_CODE: Final = Path(__file__).resolve().parents[2]
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ")


def settings_of(name: str, places: Places, *, owner: bool = False) -> dict[str, str]:
    """The office's settings as systemd reads them; with `owner`, those of the release step.

    Raises:
        OfficeError: there is no such office, or its settings cannot be read.
    """
    files = [places.env_file(name), *([places.release_file(name)] if owner else [])]
    found: dict[str, str] = {}
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            if path == files[0]:
                raise OfficeError(f"there is no office {name} ({path})") from None
            continue
        except OSError as error:
            raise OfficeError(f"{path} cannot be read: {error.strerror}") from None
        for line in text.splitlines():
            key, separator, value = line.strip().partition("=")
            if separator and not key.startswith(("#", ";")):
                quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
                found[key.strip()] = value[1:-1] if quoted else value
    return found


def flask(
    name: str, words: Sequence[str], places: Places, *, owner: bool = False, quiet: bool = False
) -> subprocess.CompletedProcess[str]:
    """`flask WORDS` for this office; root becomes the office's user first."""
    environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
    environment |= {
        "ADUAN_ENV": "production",
        "ADUAN_NO_VENV": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "INSTANCE_PATH": str(places.folder(name)),
        **settings_of(name, places, owner=owner),
    }
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", *words],
        check=False,
        cwd=_CODE,
        env=environment,
        text=True,
        capture_output=quiet,
        umask=0o077,
        **_as_user(name, places),
    )


def _as_user(name: str, places: Places) -> dict[str, Any]:
    """Who owns the office's folder runs its commands."""
    if os.geteuid() != 0:
        return {}
    owner = places.folder(name).stat().st_uid
    if owner == 0:
        return {}
    found = pwd.getpwuid(owner)
    if found.pw_name != user_of(name):
        raise OfficeError(f"{places.folder(name)} belongs to {found.pw_name}, not {user_of(name)}")
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


def release(name: str, places: Places) -> str:
    """The release step and the rights of the two roles; what it said.

    Raises:
        OfficeError: it failed; the text is the last line it said.
    """
    done = flask(name, ["release"], places, owner=True, quiet=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise OfficeError(lines[-1])
    if places.release_file(name).exists():
        owner, panel = owner_of(name), role_of(name)
        url = make_url(settings_of(name, places, owner=True)["DATABASE_URL"])
        try:
            with connection(url) as inside:
                for statement in grant_statements(owner, panel, database=str(url.database)):
                    inside.execute(statement.encode())
        except psycopg.Error as error:
            raise OfficeError(f"its rights: {str(error).strip()}") from None
    return done.stdout.strip()


@dataclass(frozen=True)
class Standing:
    """One office in the list."""

    name: str
    host: str
    database: str
    #: The schema's revision, "no tables yet", or what its database answers instead.
    revision: str


def standing(name: str, places: Places) -> Standing:
    """Where an office stands, asked of its own database with its own rights."""
    settings = settings_of(name, places)
    url = make_url(settings.get("DATABASE_URL", "sqlite://"))
    place = f"{url.host or 'here'}/{url.database}"
    if not url.drivername.startswith("postgresql"):
        return Standing(name, settings.get("ALLOWED_HOSTS", ""), place, "SQLite")
    try:
        with connection(url) as asked:
            row = asked.execute("SELECT version_num FROM alembic_version").fetchone()
            revision = str(row[0]) if row else "no tables yet"
    except psycopg.errors.UndefinedTable:
        revision = "no tables yet"
    except psycopg.Error as error:
        revision = f"away: {type(error).__name__}"
    return Standing(name, settings.get("ALLOWED_HOSTS", ""), place, revision)
