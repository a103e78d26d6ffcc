"""What stands outside looks at: is the process alive, may it be sent work, and its numbers.

    GET /healthz    200 while the process answers
    GET /readyz     200, or 503 with the names of what is wrong
    GET /metrics    numbers for Prometheus; 404 for everybody who is not allowed by the settings

They stand before Flask: no cookie, no session, no page, no version, nothing personal.
"""

from __future__ import annotations

import hmac
import os
import threading
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db, may_write
from app.measuring import OfficeCollector, registry_of
from app.release import NotReadyError, revisions
from app.services.storage import StoreError, new_key

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask

#: An answer holds so long: whoever asks without end asks the database once a second.
_FRESH: Final = 1.0


class Probes:
    """The three addresses, before everything else of the panel."""

    def __init__(self, inner: WSGIApplication, app: Flask) -> None:
        self.inner, self.app = inner, app
        self.lock = threading.Lock()
        self.pages: dict[str, Callable[[WSGIEnvironment], tuple[int, str, bytes]]] = {
            "/healthz": lambda _environ: (200, "text/plain", b"alive\n"),
            "/readyz": self.ready,
            "/metrics": self.metrics,
        }

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """A probe's answer, or the panel's."""
        page = self.pages.get(environ.get("PATH_INFO", ""))
        if page is None:
            return self.inner(environ, start)
        method = environ.get("REQUEST_METHOD")
        status, kind, body = (
            page(environ) if method in ("GET", "HEAD") else (405, "text/plain", b"")
        )
        reasons = {
            200: "OK",
            404: "NOT FOUND",
            405: "METHOD NOT ALLOWED",
            503: "SERVICE UNAVAILABLE",
        }
        start(
            f"{status} {reasons[status]}",
            [
                ("Content-Type", kind if "charset" in kind else f"{kind}; charset=utf-8"),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
                *([("Allow", "GET, HEAD")] if status == 405 else []),
            ],
        )
        return [] if method == "HEAD" else [body]

    def ready(self, _environ: WSGIEnvironment) -> tuple[int, str, bytes]:
        """Whether the database answers at the right schema and a file can be stored."""
        with self.lock:
            asked, wrong = self.app.extensions.get("readiness", (-1e9, []))
            if time.monotonic() - asked >= _FRESH:
                with self.app.app_context():
                    wrong = what_is_wrong(self.app)
                self.app.extensions["readiness"] = (time.monotonic(), wrong)
        if wrong:
            return 503, "text/plain", "".join(f"{name}\n" for name in wrong).encode()
        return 200, "text/plain", b"ready\n"

    def metrics(self, environ: WSGIEnvironment) -> tuple[int, str, bytes]:
        """The numbers, for whom the settings name."""
        if not _allowed(self.app.config, environ):
            return 404, "text/plain", b""
        registry = registry_of(self.app)
        found = b""
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            # Several processes: what each counted stands in that folder.
            shared = CollectorRegistry()
            MultiProcessCollector(shared)
            found = generate_latest(shared)
        else:
            found = generate_latest(registry)
        office = CollectorRegistry()
        office.register(OfficeCollector(self.app))
        return 200, CONTENT_TYPE_LATEST, found + generate_latest(office)


def what_is_wrong(app: Flask) -> list[str]:
    """The names of what keeps this process from working; empty when it is well."""
    wrong = []
    mark = may_write.set(False)
    try:
        current, head = revisions()
        if current != head:
            wrong.append("migrations")
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect() as connection:
                if connection.scalar(text("SHOW transaction_read_only")) == "on":
                    wrong.append("database read-only")
    except (NotReadyError, SQLAlchemyError):
        wrong.append("database")
    finally:
        may_write.reset(mark)
    key = new_key()
    try:
        store = app.extensions["store"]
        store.put(key, b"ready?")
        store.delete(key)
    except (StoreError, OSError):
        wrong.append("store")
    return wrong


def _allowed(config: Any, environ: WSGIEnvironment) -> bool:
    token: str = config["METRICS_TOKEN"]
    given = environ.get("HTTP_AUTHORIZATION", "")
    if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    try:
        asker = ip_address(environ.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(asker in ip_network(place, strict=False) for place in config["METRICS_ADDRESSES"])
