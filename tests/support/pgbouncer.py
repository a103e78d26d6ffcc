"""A real PgBouncer in transaction mode before the tests' PostgreSQL.

Two server sessions for each database: of several clients none finds "its" session again, so what
leans on one shows.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from tests.support import postgres
from tests.support.absent import absent
from tests.support.postgres import Server

UP_SECONDS = 20
#: Port of a PgBouncer -> port of the server behind it.
_BEHIND: dict[int, int] = {}


def direct_of(url: str) -> str:
    """The address past the pooler for one that goes through it; "" for all others."""
    if not url.startswith("postgresql"):
        return ""
    found = make_url(url)
    behind = _BEHIND.get(found.port or 0)
    return found.set(port=behind).render_as_string(hide_password=False) if behind else ""


class Pooler:
    """The running program."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.port = server, postgres._free_port()
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            "[databases]\n"
            f"* = host=127.0.0.1 port={server.port} user={postgres.USER}"
            f" password='{server.password}'"
            " connect_query='SET statement_timeout = 30000; SET lock_timeout = 10000'\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
            "max_client_conn = 200\nserver_idle_timeout = 2\nserver_login_retry = 1\n"
            "log_connections = 0\nlog_disconnections = 0\n",
            encoding="utf-8",
        )
        folder.chmod(0o755)
        prefix = next(postgres._ways_to_run(folder))
        self.log = (folder / "log").open("wb")
        program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert program is not None
        self.process = subprocess.Popen(
            [*prefix, program, str(settings)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )  # fmt: skip
        self._wait(folder)
        _BEHIND[self.port] = server.port

    def url(self, database: str) -> str:
        """The address of a database through it."""
        made = make_url(self.server.url(database)).set(port=self.port)
        return made.render_as_string(hide_password=False)

    def stop(self) -> None:
        """End it."""
        _BEHIND.pop(self.port, None)
        self.process.kill()
        self.process.wait()
        self.log.close()

    def _wait(self, folder: Path) -> None:
        until = time.monotonic() + UP_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url("postgres").replace("+psycopg", "")).close()
                return
            time.sleep(0.05)
        raise AssertionError(f"PgBouncer did not come up:\n{(folder / 'log').read_text()[-2000:]}")


@contextlib.contextmanager
def pooler_or_skip(server: Server) -> Iterator[Pooler]:
    """A running pooler; without the program the test is skipped, with CI=true it fails."""
    if shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        line = "pgbouncer is not here (Debian: apt-get install pgbouncer)"
        absent(line)
    with tempfile.TemporaryDirectory(prefix="aduan-bouncer-") as name:
        pooler = Pooler(server, Path(name))
        try:
            yield pooler
        finally:
            pooler.stop()
