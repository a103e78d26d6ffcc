"""A PostgreSQL primary with a streaming standby, and a line between it and the panel that breaks."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.support import postgres
from tests.support.faults import OwnPostgres

UP_SECONDS = 60


class Pair:
    """A primary that waits for its standby before it acknowledges, and that standby."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.primary = OwnPostgres(folder)
        self.execute("ALTER SYSTEM SET wal_level = replica")
        # What is not on the standby's disk is not acknowledged: else a failover would lose it.
        self.execute("ALTER SYSTEM SET synchronous_commit = on")
        self.execute("ALTER SYSTEM SET wal_receiver_status_interval = '1s'")
        words = self._words()
        data = Path(words[words.index("-D") + 1])
        with (data / "pg_hba.conf").open("a", encoding="ascii") as rules:
            rules.write("host replication all 127.0.0.1/32 scram-sha-256\n")
        self._drop_option("synchronous_commit=off")
        self.primary.stop()
        self.primary.start()
        self.standby_port = postgres._free_port()
        self.standby = self._copy()
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.execute("SELECT pg_reload_conf()")
        self._wait("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", "1")

    def url(self, database: str) -> str:
        """The address of both, as an office would write it."""
        secret = quote(self.primary.server.password, safe="")
        hosts = f"127.0.0.1:{self.primary.server.port},127.0.0.1:{self.standby_port}"
        who = f"{postgres.USER}:{secret}"
        return f"postgresql://{who}@{hosts}/{database}?target_session_attrs=read-write"

    def execute(self, statement: str) -> None:
        """At the primary, as its superuser."""
        self.primary.server.execute(statement)

    def kill_primary(self) -> None:
        """As a power cut would end it; its children notice."""
        self.primary.process.kill()
        self.primary.process.wait()

    def promote(self) -> None:
        """Make the standby the primary; it waits for no other then."""
        with self._at_standby() as connection:
            connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            connection.execute("SELECT pg_promote(true, 60)")
            connection.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        """Both, whatever state they are in."""
        for process in (self.standby, self.primary.process):
            if process.poll() is None:
                postgres._stop(process)

    # --- making ---------------------------------------------------------------------------------

    def _words(self) -> list[str]:
        """The command line of the primary."""
        return [str(word) for word in self.primary.process.args]  # type: ignore[union-attr]

    def _drop_option(self, setting: str) -> None:
        words = self._words()
        place = words.index(setting)
        self.primary.process.args = words[: place - 1] + words[place + 1 :]

    def _copy(self) -> subprocess.Popen[bytes]:
        server, words = self.primary.server, self._words()
        prefix = words[: next(n for n, word in enumerate(words) if word.endswith("/postgres"))]
        data = self.folder / "standby"
        secret = quote(server.password, safe="")
        source = f"postgresql://{postgres.USER}:{secret}@127.0.0.1:{server.port}/"
        command = [*prefix, f"{server.binaries}/pg_basebackup", "-D", str(data), "-R", "-c", "fast"]
        done = subprocess.run(
            [*command, "-d", source], cwd=self.folder, check=False, capture_output=True, text=True,
            env=postgres._environment(),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        words[words.index("-D") + 1] = str(data)
        words = [f"port={self.standby_port}" if w.startswith("port=") else w for w in words]
        words = [
            f"unix_socket_directories={data}" if w.startswith("unix_socket") else w for w in words
        ]
        process = subprocess.Popen(
            words, cwd=self.folder, stdin=subprocess.DEVNULL, env=postgres._environment()
        )
        until = time.monotonic() + UP_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(psycopg.OperationalError), self._at_standby():
                return process
            time.sleep(0.05)
        raise AssertionError("the standby did not come up")

    def _at_standby(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.standby_port, user=postgres.USER,
            password=self.primary.server.password, dbname="postgres", autocommit=True,
        )  # fmt: skip

    def _wait(self, query: str, wanted: str) -> None:
        until = time.monotonic() + UP_SECONDS
        while time.monotonic() < until:
            with psycopg.connect(self.primary.server.url().replace("+psycopg", "")) as connection:
                row = connection.execute(query).fetchone()
            if row is not None and str(row[0]) == wanted:
                return
            time.sleep(0.05)
        raise AssertionError(f"it did not come to {query}")


@contextlib.contextmanager
def own_pair() -> Iterator[Pair]:
    """Two servers of one's own; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="aduan-pair-"))
    folder.chmod(0o711)
    if os.geteuid() == 0:
        folder.chmod(0o777)  # pg_basebackup makes its folder as who the server runs as
    pair = Pair(folder)
    try:
        yield pair
    finally:
        pair.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Wire:
    """A TCP line to a server that can lose the answer to a COMMIT."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.lose_next_commit = False
        threading.Thread(target=self._take, daemon=True).start()

    def close(self) -> None:
        """Take no more lines."""
        self.listener.close()

    def _take(self) -> None:
        while True:
            try:
                here, _address = self.listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._carry, args=(here, there), daemon=True).start()

    def _carry(self, here: socket.socket, there: socket.socket) -> None:
        losing = False
        with here, there, contextlib.suppress(OSError):
            while True:
                for end in select.select([here, there], [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    if end is here and self.lose_next_commit and b"COMMIT" in data:
                        self.lose_next_commit, losing = False, True
                    if end is there and losing:
                        return  # it is committed, and nobody is told
                    (there if end is here else here).sendall(data)
