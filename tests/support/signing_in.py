"""Signing in the way a person does, and reading what a cookie holds."""

from __future__ import annotations

from typing import Any

from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient

from tests.support.panel import PASSWORD, post

NEW_PASSWORD = "kalimat sandi yang baru sekali"


def sign_in(client: FlaskClient, key: str, password: str = PASSWORD, **more: Any) -> Any:
    return post(client, "/login/", {"username": key, "password": password}, **more)


def cookie_of(client: FlaskClient) -> dict[str, Any]:
    """What stands readable in the session cookie."""
    app = client.application
    cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    loaded: dict[str, Any] = signer.loads(cookie.value)
    return loaded
