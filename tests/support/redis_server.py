"""A real redis-server of one test, which it may stop and start."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from tests.support import postgres
from tests.support.absent import absent

UP_SECONDS = 20


class RedisServer:
    """Keeps nothing on the disk; the same port each time it is started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = postgres._free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + UP_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(redis.RedisError):
                self.client().ping()
                return
            time.sleep(0.02)
        raise AssertionError("redis-server did not come up")

    def stop(self) -> None:
        """As a power cut would end it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def client(self) -> redis.Redis:
        """A look into it."""
        return redis.Redis.from_url(self.url, socket_timeout=2)

    def offices(self) -> set[str]:
        """Whose tries are counted in it."""
        found = self.client().keys()
        return {key.decode().split(":")[1] for key in found}  # type: ignore[union-attr]


@contextlib.contextmanager
def redis_or_skip() -> Iterator[RedisServer]:
    """A running server; without the program the test is skipped, with CI=true it fails."""
    if shutil.which("redis-server") is None:
        line = "redis-server is not here (Debian: apt-get install redis-server)"
        absent(line)
    with tempfile.TemporaryDirectory(prefix="aduan-redis-") as name:
        server = RedisServer(Path(name))
        server.start()
        try:
            yield server
        finally:
            server.stop()
