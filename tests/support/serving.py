"""The panel behind its real server, waitress, in a thread of the test."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from app.server import prepare_waitress, serving_options

THREADS = 8


@contextlib.contextmanager
def served(app: Flask, threads: int = THREADS) -> Iterator[str]:
    """Serve the application on a free port of this machine; its address without a slash."""
    prepare_waitress()
    options = {**serving_options(app.config), "threads": threads}
    server = create_server(app, host="127.0.0.1", port=0, **options)
    stopped = threading.Event()

    def run() -> None:
        # waitress' own loop has no end but a signal; this one ends between two looks.
        while not stopped.is_set():
            wasyncore.loop(timeout=1, map=server._map, count=1)

    runner = threading.Thread(target=run, name="waitress", daemon=True)
    runner.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        stopped.set()
        server.pull_trigger()
        runner.join(10)
        server.task_dispatcher.shutdown()
        wasyncore.close_all(server._map)
