"""How the transaction of a request ends: always, and for a page that was only read, after its answer.

Whoever reads a page need not wait until the database has been told that it was read. A request that
may have written ends before its answer leaves, so that it holds no lock for as long as the answer
takes; so does one whose answer is large or made while it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.wsgi import ClosingIterator

from app.extensions import db, may_write

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PLACE: Final = "aduan.endings"
#: Bytes of an answer that a server takes at once, whoever it is for.
_SMALL: Final = 500_000


class Endings:
    """The innermost layer: runs what a request left for after its answer."""

    def __init__(self, inner: WSGIApplication) -> None:
        self.inner = inner

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """The panel's answer; the server closes it when it is sent, or when nobody wants it."""
        left: list[Session] = []
        environ[_PLACE] = left
        answer = self.inner(environ, start)
        return ClosingIterator(answer, [partial(_close, one) for one in left]) if left else answer


def install(app: Flask) -> None:
    """End the session of every request, and of every other context of the application."""

    # Before all others, so that it runs after them: they may still read.
    app.after_request_funcs.setdefault(None, []).insert(0, _may_wait)
    app.teardown_appcontext(_end)


def _may_wait(response: Response) -> Response:
    """Mark a request whose end can wait for its answer."""
    small = not response.is_streamed and (response.content_length or 0) <= _SMALL
    if small and not response.direct_passthrough and not may_write.get():
        g.left_for_later = request.environ.get(_PLACE)
    return response


def _end(error: BaseException | None) -> None:
    if not db.session.registry.has():
        return
    session: Any = db.session()
    db.session.registry.clear()
    later: list[Session] | None = g.pop("left_for_later", None)
    if later is not None and error is None:
        later.append(session)
    else:
        _close(session)


def _close(session: Session) -> None:
    """Take back what was not committed, and give the connection away."""
    try:
        session.close()
    except SQLAlchemyError:
        # A connection that broke after the page was made must not turn the page into an error.
        with suppress(SQLAlchemyError):
            session.invalidate()
