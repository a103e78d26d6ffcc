"""The addresses of databases and of Redis in the settings, and how the engine behaves on them."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tools.environment import ConfigError

#: `user:password@one:5432,two/name?…`: the hosts of libpq, which SQLAlchemy wants behind the `?`.
_HOSTS: Final = re.compile(r"(?P<who>[^@/]*@)?(?P<hosts>[^/?@]*,[^/?@]*)/(?P<rest>.*)")
#: No statement waits or runs without an end.
LIMITS: Final = {"options": "-c lock_timeout=10000 -c statement_timeout=30000"}
#: A statement that a connection has sent so often is prepared: its plan is made no more each time.
_OFTEN: Final = 2
#: How long a server that lies silent is waited for, in seconds and in milliseconds.
_SILENT: Final = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}


def database_uri(url: str, instance: Path) -> str:
    """The SQLAlchemy address of the database; PostgreSQL always through psycopg 3.

    Raises:
        ConfigError: another kind of database.
    """
    if not url:
        return f"sqlite:///{(instance / 'aduan.sqlite').as_posix()}"
    scheme, separator, rest = url.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        scheme, url = "postgresql", f"postgresql+psycopg://{_hosts_behind(rest)}"
    if scheme in ("postgresql", "sqlite") and separator and _readable(url):
        return url
    raise ConfigError(
        "DATABASE_URL must look like postgresql://user:password@host/name"
        " (or be left out for SQLite)."
    )


def standby_uri(env: Mapping[str, str]) -> str:
    """The address of the standby, if there is one; only PostgreSQL has such a thing."""
    return _second(env, "DATABASE_READ_URL")


def direct_uri(env: Mapping[str, str]) -> str:
    """The way past a pooler in transaction mode, if `DATABASE_URL` leads to one."""
    return _second(env, "DATABASE_DIRECT_URL")


def _second(env: Mapping[str, str], name: str) -> str:
    url = env.get(name, "")
    if not url:
        return ""
    if not database_uri(env.get("DATABASE_URL", ""), Path()).startswith("postgresql"):
        raise ConfigError(f"{name} needs a DATABASE_URL of PostgreSQL.")
    found = database_uri(url, Path())
    if not found.startswith("postgresql"):
        raise ConfigError(f"{name} must be PostgreSQL, as DATABASE_URL is.")
    return found


def _hosts_behind(rest: str) -> str:
    """Several hosts as libpq writes them, in SQLAlchemy's way; one host stays as it is."""
    found = _HOSTS.fullmatch(rest)
    if found is None:
        return rest
    name, mark, query = found["rest"].partition("?")
    pairs = [place.rpartition(":") for place in found["hosts"].split(",")]
    hosts = ",".join(host if colon else port for host, colon, port in pairs)
    ports = ",".join(port if colon else "5432" for _host, colon, port in pairs)
    more = f"&{query}" if mark and query else ""
    return f"{found['who'] or '@'}/{name}?host={hosts}&port={ports}{more}"


def _readable(url: str) -> bool:
    """Whether SQLAlchemy understands the address; a port in words or half a bracket is none."""
    try:
        made = make_url(url)
        made.get_dialect()().create_connect_args(made)
    except (ArgumentError, ValueError):
        return False
    return True


def engine_options(url: str, audit_key: bytes, *, pooled: bool = False) -> dict[str, Any]:
    """How the engine behaves: it never waits without an end.

    The key that seals the audit log rides on it, so that every session over it can write the log.

    Args:
        url: as the setting is.
        audit_key: of this office.
        pooled: a pooler in transaction mode stands in front: a connection is another server session
            in each transaction, so nothing may be prepared or set in it. Its own settings or those
            of the role hold the time limits (admin guide).
    """
    options: dict[str, Any] = {
        # The connection that was used last knows the statements that are asked for now.
        "pool_use_lifo": True,
        "hide_parameters": True,
        "execution_options": {"audit_key": audit_key},
    }
    if url and not url.startswith("sqlite"):
        options["connect_args"] = {
            **_SILENT,
            **({"prepare_threshold": None} if pooled else {**LIMITS, "prepare_threshold": _OFTEN}),
            "application_name": "aduan",
        }
    return options


def direct_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an engine past the pooler, from those of the one that goes through it."""
    kept = {k: v for k, v in options["connect_args"].items() if k != "prepare_threshold"}
    return {**options, "connect_args": {**kept, **LIMITS}}


def counters(env: Mapping[str, str], secret_key: str) -> dict[str, Any]:
    """Where tries are counted; offices that share one Redis never meet in it (ADR 0033)."""
    url = env.get("REDIS_URL", "").strip()
    if not url:
        return {"RATELIMIT_STORAGE_URI": "memory://"}
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", "unix") or not (parts.hostname or parts.path):
        raise ConfigError("REDIS_URL must look like redis://host:6379/0, rediss://… or unix://….")
    # The key is the same on every server of an office and no other office has it.
    office = hmac.digest(secret_key.encode(), b"redis", "sha256").hex()[:16]
    options = {"url": url, "key_prefix": f"aduan:{office}"}
    return {"RATELIMIT_STORAGE_URI": "shared://", "RATELIMIT_STORAGE_OPTIONS": options}
