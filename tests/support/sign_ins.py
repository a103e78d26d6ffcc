"""Browsers that signed in, their copies, and strangers that try."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import SignInSession, User
from tests.support.panel import post
from tests.support.signing_in import sign_in

START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
#: Signing in takes a moment: a limit has passed only after it.
MOMENT = timedelta(seconds=10)


def is_in(client: FlaskClient) -> bool:
    answer = client.get("/sessions/")
    if answer.status_code == 200:
        return True
    assert (answer.status_code, "/login/" in answer.location) == (302, True)
    return False


def browser(app: Flask, key: str = "operator", **more: Any) -> FlaskClient:
    """A browser that signed in as a person does."""
    client = app.test_client()
    assert sign_in(client, key, **more).status_code == 303
    return client


def thief(app: Flask, client: FlaskClient) -> FlaskClient:
    """Another browser with a copy of the session cookie."""
    cookie = client.get_cookie("aduan")
    assert cookie is not None
    other = app.test_client()
    other.set_cookie("aduan", cookie.value)
    return other


def rows(session: Session, key: str = "operator") -> list[SignInSession]:
    session.expire_all()
    return list(
        session.scalars(
            select(SignInSession)
            .join(User, User.id == SignInSession.user_id)
            .where(User.username == key)
            .order_by(SignInSession.id)
        )
    )


def wrong(app: Flask, key: str = "kepala", times: int = 1, address: str = "10.0.0.9") -> list[int]:
    """Tries of strangers, each with a browser of its own."""
    return [
        sign_in(
            app.test_client(), key, f"not it {n}", environ_base={"REMOTE_ADDR": address}
        ).status_code
        for n in range(times)
    ]


def given(admin: FlaskClient, pk: int) -> str:
    """The password for one use that the administrator's page shows."""
    answer = post(admin, f"/resetpassword/form?pk={pk}")
    assert answer.status_code == 200
    found = re.search(r'one-time mono">([^<]+)<', answer.text)
    assert found is not None
    return found[1]
