"""What every answer of the panel carries, and what is turned away before any page is asked.

Two layers. Around the whole application stand the headers and the refusals that need no page:
methods that nobody uses, and host names that are not this office's. In front of the pages stand
those a person may meet: a form sent from another site, and too many requests in a minute.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, request
from flask_login import current_user
from flask_wtf.form import FlaskForm, _Auto, _is_submitted
from limits import parse

from app.limits import hit

log = logging.getLogger(__name__)

METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: Of an answer that says nothing for itself: it is no page, so it may do nothing.
NOTHING: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Content-Security-Policy": NOTHING,
    "Cache-Control": "no-store",
}
HSTS: Final = "max-age=63072000; includeSubDomains"
#: Routes that read many rows or make new ones; looking at one case again and again is no harm, and
#: the search box, which asks while somebody types, has limits of its own.
COUNTED: Final = frozenset(
    {"list", "export", "add", "search", "chart", "csv", "xes", "ask", "upload", "attach"}
)

StartResponse = Callable[..., Any]


class Surface:
    """The outermost layer: nothing of the panel's leaves without these headers."""

    def __init__(self, inner: Any, *, https: bool) -> None:
        self.inner = inner
        headers = {**ALWAYS, **({"Strict-Transport-Security": HSTS} if https else {})}
        self.headers = [(name.lower(), (name, value)) for name, value in headers.items()]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            there = {name.lower(): value for name, value in headers}
            more = [header for name, header in self.headers if name not in there]
            if "x-frame-options" not in there:
                framed = "frame-ancestors 'self'" in there.get("content-security-policy", "")
                more.append(("X-Frame-Options", "SAMEORIGIN" if framed else "DENY"))
            return start_response(status, [*headers, *more], *rest)

        if environ["REQUEST_METHOD"] not in METHODS:
            return _plain(begin, "405 Method Not Allowed", [("Allow", ", ".join(sorted(METHODS)))])
        answer: Iterable[bytes] = self.inner(environ, begin)
        return answer


class Hosts:
    """Turns away a host name that is not this office's; inside what the proxy in front says.

    Without a list of names the panel answers to any address in numbers and to the names of this
    machine: a page of a stranger whose name was pointed at us (DNS rebinding) has neither.
    """

    def __init__(self, inner: Any, *, public_url: str) -> None:
        self.inner = inner
        here = socket.gethostname().lower()
        self.names = {"localhost", here, f"{here}.local", (urlsplit(public_url).hostname or "")}
        self.domain = here.partition(".")[0]
        self.knows = lru_cache(maxsize=100)(self._knows)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        host = str(environ.get("HTTP_HOST", ""))
        if not self.knows(host):
            log.warning("refused the host name %.80r; ALLOWED_HOSTS says which are ours", host)
            return _plain(start_response, "400 Bad Request", [])
        answer: Iterable[bytes] = self.inner(environ, start_response)
        return answer

    def _knows(self, host: str) -> bool:
        """Whether a Host header names this machine; none at all is HTTP/1.0 of a machine here."""
        name = host.strip().lower()
        if not name:
            return True
        if name.startswith("["):
            name, closed, _port = name[1:].partition("]")
            if not closed:
                return False
        else:
            name = name.partition(":")[0]
        name = name.rstrip(".")
        if name in self.names or name.endswith(".localhost"):
            return True
        # The same machine under the network's own domain: panel.dukcapil.batangkab.go.id.
        if self.domain and name.partition(".")[0] == self.domain:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _plain(
    start_response: StartResponse, status: str, headers: list[tuple[str, str]]
) -> Iterable[bytes]:
    body = f"{status}\n".encode()
    kind = ("Content-Type", "text/plain; charset=utf-8")
    start_response(status, [kind, ("Content-Length", str(len(body))), *headers])
    return [body]


def _typed(_meta: Any, _form: Any, formdata: Any) -> Any:
    """What a form reads: the texts of a sent form, and nothing that only looks like them.

    Flask-WTF would hand a field the file that came under its name, or whatever JSON holds.
    """
    if formdata is not _Auto:
        return formdata
    return (request.form or None) if _is_submitted() else None


def install(app: Flask) -> None:
    """Put the checks before the pages, after what every request begins with (its time, its reader)."""
    FlaskForm.Meta.wrap_formdata = _typed
    app.before_request(_own_forms_only)
    app.before_request(_not_too_many)


def came_from_elsewhere() -> bool:
    """Whether a browser says that another site sent this request.

    Browsers tell it in `Sec-Fetch-Site` (over https or on this machine), else in `Origin`; one that
    tells neither is left to the form's token.
    """
    site = request.headers.get("Sec-Fetch-Site", "")
    if site:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    ours = {request.host, urlsplit(current_app.config["PUBLIC_URL"]).netloc} - {""}
    return urlsplit(origin).netloc not in ours


def _own_forms_only() -> None:
    if request.method not in SAFE and came_from_elsewhere():
        g.refused = "other_site"
        abort(403)


_limit = cache(parse)


def _not_too_many() -> None:
    """So many lists, exports and new records in a minute are no person's work."""
    if (request.endpoint or "").rpartition(".")[2] not in COUNTED:
        return
    if not current_user.is_authenticated:
        return
    if not hit([_limit(current_app.config["REQUEST_RATE"])], "requests", str(current_user.id)):
        g.refused = "too_many"
        abort(429)
