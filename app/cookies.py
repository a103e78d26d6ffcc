"""The session cookie: Flask's own, whose signature is checked once and not at every request.

A cookie that was signed by this office stays signed by it: what a process has checked it knows by
the letters of the whole cookie, and only its age is looked at again. That says nothing about the
sign-in, which the first statement of each request reads from the database.
"""

from __future__ import annotations

import time
from datetime import datetime
from types import NoneType
from typing import Any, Final

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature, URLSafeTimedSerializer

#: Cookies that are known; when there are more, all are forgotten and checked again.
MOST: Final = 2000
#: Values that no request can change for the next one: others are read from the cookie each time.
_UNCHANGING: Final = frozenset({str, int, float, bool, NoneType, bytes, datetime})


class OfficeSessions(SecureCookieSessionInterface):
    """Sessions in signed cookies, as Flask's."""

    def __init__(self) -> None:
        self._signer: tuple[tuple[Any, ...], URLSafeTimedSerializer] | None = None
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Flask's, made once for the keys that the application has now."""
        keys = (app.secret_key, *(app.config["SECRET_KEY_FALLBACKS"] or ()))
        if self._signer is None or self._signer[0] != keys:
            made = super().get_signing_serializer(app)
            if made is None:
                return None
            self._known = {}
            self._signer = (keys, made)
        return self._signer[1]

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """What a cookie holds; an empty session for one that is forged or too old."""
        signer = self.get_signing_serializer(app)
        if signer is None:
            return None
        cookie = request.cookies.get(self.get_cookie_name(app))
        if not cookie:
            return self.session_class()
        longest = int(app.permanent_session_lifetime.total_seconds())
        known = self._known.get(cookie)
        # By the same whole seconds as itsdangerous, which refuses a cookie of the future, too.
        if known is not None and 0 <= int(time.time()) - known[0] <= longest:
            return self.session_class(dict(known[1]))
        try:
            data, signed_at = signer.loads(cookie, max_age=longest, return_timestamp=True)
        except BadSignature:
            return self.session_class()
        if {type(value) for value in data.values()} <= _UNCHANGING:
            if len(self._known) >= MOST:
                self._known = {}
            self._known[cookie] = (signed_at.timestamp(), dict(data))
        return self.session_class(data)
