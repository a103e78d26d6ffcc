"""The panel and the floor, each behind the same server program, and a browser that only waits."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from flask import Flask

from benchmarks.load import PASSWORD, make_app

_TOKEN: Final = re.compile(rb'name="csrf-token" content="([^"]+)"')
THREADS: Final = 4


def panel() -> Flask:
    """The panel over the loaded database; what a worker of the server calls."""
    return make_app(Path(os.environ["BENCH_FOLDER"]), os.environ["BENCH_URL"])


@contextmanager
def serving(name: str, processes: int, environment: Mapping[str, str]) -> Iterator[int]:
    """A server of `benchmarks.<name>` with so many processes; its port.

    Raises:
        RuntimeError: it did not come up.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [
        sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", str(THREADS),
        "--workers", str(processes), "--bind", f"127.0.0.1:{port}", "--keep-alive", "60",
        "--log-level", "warning", f"benchmarks.{name}",
    ]  # fmt: skip
    server = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        for _ in range(300):
            try:
                with socket.create_connection(("127.0.0.1", port), 0.2):
                    break
            except OSError:
                if server.poll() is not None:
                    raise RuntimeError(f"{name} ended with {server.returncode}") from None
                time.sleep(0.1)
        else:
            raise RuntimeError(f"{name} did not answer")
        yield port
    finally:
        server.terminate()
        server.wait(30)


class Visitor:
    """One kept connection with its cookies."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.cookies: dict[str, str] = {}
        #: Where the last answer leads to.
        self.location = ""

    def get(self, path: str) -> bytes:
        """The body of a page.

        Raises:
            RuntimeError: it is no page.
        """
        status, body = self._ask("GET", path)
        if status >= 400:
            raise RuntimeError(f"{path}: {status}")
        return body

    def post(self, path: str, data: Mapping[str, str]) -> int:
        """Send a form; the status."""
        status, body = self._ask("POST", path, urlencode(data))
        if status >= 400:
            raise RuntimeError(f"{path}: {status} {body[:200]!r}")
        return status

    def sign_in(self, username: str) -> None:
        """Through the form, as everybody."""
        self.post(
            "/login/",
            {"username": username, "password": PASSWORD, "csrf_token": self.token("/login/")},
        )

    def token(self, path: str) -> str:
        """The token of a page's forms."""
        found = _TOKEN.search(self.get(path))
        if found is None:
            raise RuntimeError(f"no token on {path}")
        return found[1].decode()

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.location = answer.headers.get("Location", "")
        return answer.status, answer.read()
