"""Settings, all from the environment, each with a default that is safe on one office PC.

| variable          | default                    | what it does                                       |
|-------------------|----------------------------|----------------------------------------------------|
| ADUAN_ENV         | office                     | `production` refuses demo data and plain cookies   |
| DEMO              | 1, or 0 in production      | fill an EMPTY database with fictional cases        |
| DATABASE_URL      | SQLite in `instance/`      | postgresql://user:password@host[,host]/name        |
| DATABASE_READ_URL | none                       | a hot standby: charts and reports are read there   |
| DATABASE_DIRECT_URL | none                     | behind PgBouncer: the way past it, for releases    |
| REDIS_URL         | none                       | redis://host/0: all servers count tries together   |
| SECRET_KEY        | made once, `instance/`     | signs cookies and form keys; keep it secret        |
| AUDIT_KEY         | made once, `instance/`     | seals the audit log; 32 bytes in hexadecimal       |
| INSTANCE_PATH     | `instance/` beside run.py  | database, files, key; back this folder up          |
| STORE_URL         | `instance/files`           | folder for attachments                             |
| HOST, PORT        | 127.0.0.1, 8080            | where the server listens                           |
| THREADS           | 8                          | requests handled at once                           |
| HTTPS             | 0, or 1 in production      | cookies only over https                            |
| TRUSTED_PROXIES   | 0                          | reverse proxies in front that may name the client  |
| ALLOWED_HOSTS     | any name of this machine   | host names the panel answers to, comma separated   |
| MAX_UPLOAD_MB     | 10                         | largest single file                                |
| SESSION_HOURS     | 12                         | a sign-in ends after this many hours               |
| SESSION_IDLE_MINUTES | 30                      | … and after this many minutes without a request    |
| LOGIN_RATE        | 10 per minute              | sign-in attempts from one address                  |
| REQUEST_RATE      | 200 per minute             | lists, exports and new records of one user         |
| AUTH_TYPE         | db                         | who keeps passwords: `db`, `ldap`, `oauth` (admin guide) |
| PASSWORD_COST     | 19456,2,1                  | Argon2id: KiB of memory, passes, lanes             |
| CONFIRM_MINUTES   | 10                         | signing and administration ask again after so long |
| DATA_KEYS         | `instance/data_keys`       | file with the keys of personal data (mode 600)     |
| LOG_FORMAT        | plain                      | `json`: one object a line, for collecting programs |
| LOG_LEVEL         | warning, info in production | `info` tells every request, without its address   |
| METRICS_TOKEN     | none                       | who brings it as `Bearer` may read /metrics        |
| METRICS_ADDRESSES | none                       | addresses or networks that may read /metrics       |
| SOP_FILE          | seed_data/sop.toml         | the SOP this installation runs                     |
| PUBLIC_URL        | the address in the browser | address that QR codes and messages lead to         |
| PAPERS_PATH       | `instance/papers`          | the office's own paper templates, if any           |
| SIGNATURE_WAY     | pkcs12 in a demo, upload   | `upload`, `pkcs12` or `bsre` (admin guide)         |
| SIGNATURE_TRUST   | `instance/trust`           | folder of issuers' certificates (PEM or DER)       |
| SIGNATURE_CERTS   | `instance/certificates`    | folder of the signatories' certificate files (p12) |
| BACKUP_KEYS       | `instance/backup.pub`      | public age keys that may open backups              |
| BSRE_URL, BSRE_USER, BSRE_PASSWORD | none      | the e-signature service, way `bsre` only           |
| BSRE_TIMEOUT      | 60                         | seconds to wait for one signature                  |
| SMTP_HOST, SMTP_PORT, SMTP_USER, SMTP_PASSWORD | none, 587 | the mail server; no host, no e-mail |
| SMTP_SECURITY     | starttls                   | `starttls`, `tls` or `none`                        |
| MAIL_FROM         | the office's e-mail        | sender of messages to applicants                   |
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from limits import parse

from tools.databases import counters, database_uri, direct_uri, engine_options, standby_uri
from tools.environment import ConfigError, choice, flag, networks, number, words

ROOT: Final = Path(__file__).resolve().parent
SEED_DATA: Final = ROOT / "seed_data"
TRANSLATIONS: Final = ROOT / "translations"


def load_settings(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Flask's configuration from the environment.

    Raises:
        ConfigError: a value cannot be used.
    """
    env = os.environ if environ is None else environ
    production = choice(env, "ADUAN_ENV", "office", ("office", "production")) == "production"
    instance = Path(env.get("INSTANCE_PATH") or ROOT / "instance").resolve()
    database, direct = env.get("DATABASE_URL", ""), direct_uri(env)
    if production and flag(env, "FLASK_DEBUG", default=False):
        raise ConfigError("FLASK_DEBUG and ADUAN_ENV=production exclude each other.")
    # Pointing the panel at a server, or naming a key, is how a real installation starts.
    real = production or bool(database) or bool(env.get("SECRET_KEY"))
    demo = flag(env, "DEMO", default=not real)
    if demo and production:
        raise ConfigError("DEMO=1 and ADUAN_ENV=production exclude each other; leave DEMO out.")
    https = flag(env, "HTTPS", default=production)
    # First of all, before anything is written into the instance folder.
    password_cost = _password_cost(env, production=production)
    secret_key = _secret(env, instance, production=production)
    megabytes = number(env, "MAX_UPLOAD_MB", 10, low=1, high=100)
    hours = number(env, "SESSION_HOURS", 12, low=1, high=24 * 7)
    way = choice(env, "SIGNATURE_WAY", "pkcs12" if demo else "upload", ("upload", "pkcs12", "bsre"))
    if way == "bsre" and not all(env.get(f"BSRE_{name}") for name in ("URL", "USER", "PASSWORD")):
        raise ConfigError("SIGNATURE_WAY=bsre needs BSRE_URL, BSRE_USER and BSRE_PASSWORD.")
    return {
        "APP_NAME": "Aduan",
        "ENV_NAME": "production" if production else "office",
        "DEMO": demo,
        "INSTANCE_PATH": instance,
        "SEED_DATA": SEED_DATA,
        "DATA_KEYS": Path(env.get("DATA_KEYS") or instance / "data_keys"),
        "SOP_FILE": Path(env.get("SOP_FILE") or SEED_DATA / "sop.toml"),
        "STORE_URL": env.get("STORE_URL") or str(instance / "files"),
        "HOST": env.get("HOST", "127.0.0.1"),
        "PORT": number(env, "PORT", 8080, low=1, high=65535),
        "THREADS": number(env, "THREADS", 8, low=1, high=64),
        "TRUSTED_PROXIES": number(env, "TRUSTED_PROXIES", 0, low=0, high=5),
        # None: any name of this machine; Flask answers 400 to any other once names are given.
        "TRUSTED_HOSTS": list(words(env.get("ALLOWED_HOSTS", ""))) or None,
        "HTTPS": https,
        # --- seen from outside ---
        "LOG_FORMAT": choice(env, "LOG_FORMAT", "plain", ("plain", "json")),
        "LOG_LEVEL": choice(
            env,
            "LOG_LEVEL",
            "info" if production else "warning",
            ("debug", "info", "warning", "error"),
        ),
        "METRICS_TOKEN": _metrics_token(env),
        "METRICS_ADDRESSES": networks(env, "METRICS_ADDRESSES"),
        # --- paper ---
        "PUBLIC_URL": env.get("PUBLIC_URL", "").rstrip("/"),
        "PAPERS_PATH": Path(env.get("PAPERS_PATH") or instance / "papers"),
        "SIGNATURE_WAY": way,
        "SIGNATURE_TRUST": Path(env.get("SIGNATURE_TRUST") or instance / "trust"),
        "SIGNATURE_CERTS": Path(env.get("SIGNATURE_CERTS") or instance / "certificates"),
        "BSRE_URL": env.get("BSRE_URL", "").rstrip("/"),
        "BSRE_USER": env.get("BSRE_USER", ""),
        "BSRE_PASSWORD": env.get("BSRE_PASSWORD", ""),
        "BSRE_TIMEOUT": number(env, "BSRE_TIMEOUT", 60, low=5, high=600),
        # Public age keys that may open backups; `flask backup-key` makes one.
        "BACKUP_KEYS": env.get("BACKUP_KEYS", "").replace(",", " ").split(),
        # --- messages ---
        "SMTP_HOST": env.get("SMTP_HOST", ""),
        "SMTP_PORT": number(env, "SMTP_PORT", 587, low=1, high=65535),
        "SMTP_USER": env.get("SMTP_USER", ""),
        "SMTP_PASSWORD": env.get("SMTP_PASSWORD", ""),
        "SMTP_SECURITY": choice(env, "SMTP_SECURITY", "starttls", ("starttls", "tls", "none")),
        "MAIL_FROM": env.get("MAIL_FROM", ""),
        # --- Flask ---
        "PASSWORD_COST": password_cost,
        "SECRET_KEY": secret_key,
        "SESSION_COOKIE_NAME": "__Host-aduan" if https else "aduan",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "COMMON_PASSWORDS": SEED_DATA / "common_passwords.txt",
        "CONFIRM_MINUTES": number(env, "CONFIRM_MINUTES", 10, low=1, high=60),
        "SESSION_IDLE_MINUTES": number(env, "SESSION_IDLE_MINUTES", 30, low=5, high=24 * 60),
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=hours),
        # The server keeps the idle time; the cookie says when the sign-in ends at the latest.
        "SESSION_REFRESH_EACH_REQUEST": False,
        "MAX_UPLOAD_BYTES": megabytes * 1024 * 1024,
        # One request may carry several files of the largest size.
        "MAX_CONTENT_LENGTH": (megabytes * 4 + 2) * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 1024 * 1024,
        "MAX_FORM_PARTS": 2000,
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=365),
        "TEMPLATES_AUTO_RELOAD": False,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session; a form left open over lunch works
        # --- database ---
        "SQLALCHEMY_DATABASE_URI": database_uri(database, instance),
        # The key itself rides on the engine; given ones are never written to a file.
        "AUDIT_HEAD": instance / "audit_head",
        "AUDIT_KEY_GIVEN": bool(env.get("AUDIT_KEY", "").strip()),
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(
            database, _audit_key(env, instance), pooled=bool(direct)
        ),
        "DATABASE_READ_URL": standby_uri(env),
        "DATABASE_DIRECT_URL": direct,
        # --- Flask-AppBuilder ---
        "FAB_CREATE_DB": False,
        "FAB_UPDATE_PERMS": False,
        "FAB_ADD_SECURITY_API": False,
        "FAB_ADD_OPENAPI_VIEWS": False,
        "FAB_ADD_MENU_API": False,
        "FAB_BASE_TEMPLATE": "aduan/base.html",
        "FAB_SAFE_REDIRECT_HOSTS": [],
        "FAB_ALLOW_GET_UNSAFE_MUTATIONS": False,
        "FAB_PASSWORD_COMPLEXITY_ENABLED": False,
        "AUTH_ROLES_SYNC_AT_LOGIN": False,
        **_sign_in_elsewhere(env),
        "AUTH_RATE_LIMITED": True,
        "AUTH_RATE_LIMIT": env.get("LOGIN_RATE", "10 per minute"),
        "REQUEST_RATE": _rate(env, "REQUEST_RATE", "200 per minute"),
        "RATELIMIT_ENABLED": True,
        **counters(env, secret_key),
        # --- languages and time ---
        "BABEL_DEFAULT_LOCALE": "id",
        "BABEL_DEFAULT_TIMEZONE": "Asia/Jakarta",
        "BABEL_TRANSLATION_DIRECTORIES": str(TRANSLATIONS),
        "LANGUAGES": {
            "id": {"flag": "id", "name": "Bahasa Indonesia"},
            "en": {"flag": "gb", "name": "English"},
        },
    }


#: Letters of a key that nobody guesses; `_kept_secret` makes 64 (256 bits).
LEAST_SECRET: Final = 32


def _secret(env: Mapping[str, str], instance: Path, *, production: bool) -> str:
    """The key that signs cookies; production takes none that could be guessed, and makes none."""
    key = env.get("SECRET_KEY") or ""
    if production and not key and not (instance / "secret_key").exists():
        raise ConfigError(
            "production needs a SECRET_KEY: a random text of at least 32 letters, the same on every"
            ' server. python -c "import secrets; print(secrets.token_hex(32))" makes one.'
        )
    key = key or _kept_secret(instance, "secret_key")
    if production and (len(key) < LEAST_SECRET or len(set(key)) < 10):
        raise ConfigError(
            f"SECRET_KEY is too easy to guess for production: take {LEAST_SECRET} random letters or"
            " more."
        )
    return key


def _audit_key(env: Mapping[str, str], instance: Path) -> bytes:
    """The key of the audit log: of the environment, else of this installation."""
    text = env.get("AUDIT_KEY", "").strip() or _kept_secret(instance, "audit_key")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) < 32:
        raise ConfigError("AUDIT_KEY must be at least 32 bytes in hexadecimal (64 characters).")
    return key


def _kept_secret(instance: Path, name: str) -> str:
    """A key of this installation, made at the first start and readable by us alone."""
    path = instance / name
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    draft = instance / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    key = secrets.token_hex(32)
    try:
        instance.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key)
        # There at once and whole: of two that start together the second never reads half a key.
        os.link(draft, path)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ConfigError(f"the folder {instance} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
    return key


def _metrics_token(env: Mapping[str, str]) -> str:
    """What opens /metrics; a short one could be guessed."""
    token = env.get("METRICS_TOKEN", "").strip()
    if token and (len(token) < 16 or not token.isascii()):
        raise ConfigError("METRICS_TOKEN must have at least 16 plain characters.")
    return token


#: FAB's numbers for who keeps the passwords, and the library each way needs.
_WAYS: Final = {"db": (1, ""), "ldap": (2, "ldap"), "oauth": (4, "authlib")}


def _sign_in_elsewhere(env: Mapping[str, str]) -> dict[str, Any]:
    """FAB's settings for a directory or another sign-in: every AUTH_LDAP_… as it is.

    Raises:
        ConfigError: the way's library is not installed, or its settings are not there.
    """
    way = choice(env, "AUTH_TYPE", "db", tuple(_WAYS))
    number, library = _WAYS[way]
    found: dict[str, Any] = {"AUTH_TYPE": number, "AUTH_USER_REGISTRATION": False}
    if library and find_spec(library) is None:
        name = {"ldap": "python-ldap", "authlib": "Authlib"}[library]
        raise ConfigError(f"AUTH_TYPE={way} needs a library: pip install {name}")
    if way == "ldap":
        if not env.get("AUTH_LDAP_SERVER"):
            raise ConfigError("AUTH_TYPE=ldap needs AUTH_LDAP_SERVER (ldaps://…).")
        flags = ("USE_TLS", "ALLOW_SELF_SIGNED", "TLS_DEMAND")
        for name, value in env.items():
            if name.startswith("AUTH_LDAP_"):
                short = name.removeprefix("AUTH_LDAP_")
                found[name] = flag(env, name, default=False) if short in flags else value
    if way == "oauth":
        try:
            text = Path(env.get("AUTH_OAUTH_FILE", "")).read_text(encoding="utf-8")
            found["OAUTH_PROVIDERS"] = json.loads(text)
        except (OSError, ValueError) as error:
            raise ConfigError(f"AUTH_OAUTH_FILE cannot be read: {error}") from None
    return found


#: What OWASP asks of Argon2id at least (19 MiB, two passes, one lane).
LEAST_PASSWORD_COST: Final = (19456, 2, 1)


def _password_cost(env: Mapping[str, str], *, production: bool) -> tuple[int, int, int]:
    """Memory in KiB, passes and lanes of the password hash; cheap ones are for tests alone."""
    text = env.get("PASSWORD_COST", "").strip()
    if not text:
        return LEAST_PASSWORD_COST
    numbers = text.split(",")
    if len(numbers) != 3 or not all(
        n.isascii() and n.isdigit() and 0 < len(n) < 9 for n in numbers
    ):
        raise ConfigError(f"PASSWORD_COST must be three numbers like 19456,2,1, not {text!r}.")
    memory, passes, lanes = (int(n) for n in numbers)
    if lanes < 1 or passes < 1 or memory < 8 * lanes:
        raise ConfigError("PASSWORD_COST needs at least 8 KiB for each lane, one pass, one lane.")
    if production and (memory * passes < 19456 * 2 or memory < 7168):
        raise ConfigError("PASSWORD_COST is too cheap for production; leave it out.")
    return memory, passes, lanes


def _rate(env: Mapping[str, str], name: str, default: str) -> str:
    """A rate in the words of Flask-Limiter, such as `200 per minute`."""
    text = env.get(name, "").strip() or default
    try:
        parse(text)
    except ValueError:
        raise ConfigError(f"{name} must look like {default!r}, not {text!r}.") from None
    return text
