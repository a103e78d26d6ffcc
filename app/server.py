"""Waitress as we run it: its own refusals carry our headers and name no program.

`python run.py serve` is the panel under a service manager: it serves a socket that systemd holds
open for it (LISTEN_FDS), says when it is ready (NOTIFY_SOCKET), and at SIGTERM finishes what it has
begun. What comes meanwhile waits in that socket for the process that follows, so a restart refuses
nobody.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any, Final

from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask

from app.surface import ALWAYS

#: How long a request in hand may take after SIGTERM; a signature is the longest of them.
DRAIN_SECONDS: Final = 75
#: A connection so young may not have sent its request yet.
_YOUNG_SECONDS: Final = 1.0
#: The first descriptor that systemd hands over.
_FIRST_FD: Final = 3


class Refusal(ErrorTask):
    """What is no request at all (a broken header, a body over the limit) never reaches the panel."""

    def execute(self) -> None:
        """Answer it in plain text."""
        self.response_headers.extend(ALWAYS.items())
        super().execute()


def prepare_waitress() -> None:
    """Before a server is made; calling it twice changes nothing."""
    HTTPChannel.error_task_class = Refusal


def serving_options(config: Any) -> dict[str, Any]:
    """How the panel is served, for `waitress.serve` and the servers of tests."""
    return {
        **_OPTIONS,
        "threads": config["THREADS"],
        "max_request_body_size": config["MAX_CONTENT_LENGTH"] + 65536,
        # Without a proxy in front, what a client says of itself is thrown away.
        "clear_untrusted_proxy_headers": not config["TRUSTED_PROXIES"],
    }


#: No name of the program. Slow clients hold a connection but no thread: waitress reads a request
#: whole before a thread gets it, and one that sends nothing for this many seconds is closed.
_OPTIONS: Final = {"ident": None, "channel_timeout": 60, "connection_limit": 400}


def handed_over(environ: Mapping[str, str]) -> list[socket.socket]:
    """The listening socket that the service manager opened for this very process, if any."""
    if environ.get("LISTEN_PID") != str(os.getpid()) or environ.get("LISTEN_FDS") != "1":
        return []
    return [socket.socket(fileno=_FIRST_FD)]


def tell_manager(environ: Mapping[str, str], word: str) -> None:
    """Say READY=1 or STOPPING=1 to the service manager, if one wants to hear it."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as talk:
        # A name that begins with @ is in the kernel's own space.
        talk.sendto(word.encode(), "\0" + address[1:] if address[0] == "@" else address)


def serve_until_told(app: Flask, environ: Mapping[str, str]) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in hand and return."""
    prepare_waitress()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    found = handed_over(environ)
    place = (
        {"sockets": found} if found else {"host": app.config["HOST"], "port": app.config["PORT"]}
    )
    everything: dict[int, Any] = {}
    server = create_server(app, map=everything, **serving_options(app.config), **place)
    tell_manager(environ, "READY=1")
    serve(everything, stop.is_set)
    tell_manager(environ, "STOPPING=1")
    server.task_dispatcher.shutdown(timeout=5)
    wasyncore.close_all(everything)


def serve(everything: dict[int, Any], stopped: Callable[[], bool]) -> None:
    """Waitress' own loop, but with an end: then no new connection, and the old ones are answered."""
    while not stopped():
        wasyncore.loop(timeout=1, map=everything, count=1)
    for part in [*everything.values()]:
        if isinstance(part, BaseWSGIServer):
            part.accepting = False
    until = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < until and any(map(_busy, [*everything.values()])):
        wasyncore.loop(timeout=0.1, map=everything, count=1)


def _busy(part: Any) -> bool:
    return isinstance(part, HTTPChannel) and bool(
        part.requests
        or part.request is not None
        or part.total_outbufs_len
        or time.time() - part.creation_time < _YOUNG_SECONDS
    )
