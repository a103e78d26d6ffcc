"""The panel as a process of its own that can be killed, and a PostgreSQL that can be restarted."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.support import postgres

ROOT = Path(__file__).resolve().parents[2]
UP_SECONDS = 60


class Process:
    """`python run.py` over a database and a folder of files."""

    #: What the program is started by.
    before: Sequence[str] = ()

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self.port = postgres._free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}
        self.environment = {**kept, **environment, "PORT": str(self.port), "HOST": "127.0.0.1"}
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.before, sys.executable, "run.py"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + UP_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(OSError, HTTPException):
                connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the server did not come up:\n{self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """As a power cut or the kernel's out-of-memory killer would end it."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class OwnPostgres:
    """A PostgreSQL server of one test, which it may stop and start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server, self.process = postgres._launch(folder, postgres.find_binaries())

    def stop(self) -> None:
        """End every session and the server, as a restart of the service does."""
        postgres._stop(self.process)

    def start(self) -> None:
        """The same server again, over the same data and on the same port."""
        self.process = subprocess.Popen(
            self.process.args,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            env=postgres._environment(),
        )
        until = time.monotonic() + UP_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(Exception):
                self.server.execute("SELECT 1")
                return
            time.sleep(0.05)
        raise AssertionError("PostgreSQL did not come up again")


@contextlib.contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A server of one's own in a folder with a short name; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="aduan-own-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        own = OwnPostgres(folder)
        try:
            yield own
        finally:
            own.stop()


def wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)
