"""What an administrator sees of sign-ins and does for who cannot; what is kept of them, and told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import AuditEvent, SignInSession, SignInThrottle
from tests.support.panel import PASSWORD, post
from tests.support.sign_ins import START, given, wrong
from tests.support.signing_in import NEW_PASSWORD, sign_in

Clock = Callable[[datetime], None]


# --- what an administrator sees and does ---------------------------------------------------------


def test_asvs_7_4_5_an_administrator_ends_the_sessions_of_a_user(
    app: Flask, session: Session, login: Any, user: Any
) -> None:
    client, admin, pk = app.test_client(), login("admin"), user("operator").id
    sign_in(client, "operator")
    page = admin.get(f"/user-sign-ins/{pk}")
    assert page.status_code == 200
    assert "127.0.0.1" in page.text
    assert post(admin, f"/user-sign-ins/{pk}/end").status_code == 303
    assert "/login/" in client.get("/queue/").location
    for bad in ("999999", "x", "-1"):
        assert admin.get(f"/user-sign-ins/{bad}").status_code == 404
        assert post(admin, f"/user-sign-ins/{bad}/end").status_code == 404


def test_asvs_b4_an_administrator_lets_a_user_try_again_at_once(
    app: Flask, session: Session, login: Any, user: Any
) -> None:
    admin, pk = login("admin"), user("kepala").id
    assert "Lupakan percobaan" not in admin.get(f"/user-sign-ins/{pk}").text
    wrong(app, times=7)
    assert "Lupakan percobaan" in admin.get(f"/user-sign-ins/{pk}").text
    assert sign_in(app.test_client(), "kepala").status_code == 401
    assert post(admin, f"/user-sign-ins/{pk}/let-in").status_code == 303
    assert sign_in(app.test_client(), "kepala").status_code == 303


def test_asvs_b4_a_flood_from_the_office_s_address_keeps_no_known_browser_out(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(RATELIMIT_ENABLED=True, AUTH_RATE_LIMIT="3 per minute")
    known = app.test_client()
    assert sign_in(known, "kepala").status_code == 303
    post(known, "/logout/")
    statuses = [sign_in(app.test_client(), "nobody", "not it").status_code for _n in range(5)]
    assert statuses[-2:] == [429, 429]
    assert sign_in(known, "kepala").status_code == 303


def test_b9_the_command_line_helps_who_cannot_sign_in(app: Flask, session: Session) -> None:
    client = app.test_client()
    sign_in(client, "admin")
    wrong(app, "admin", 7)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["account", "reset", "nobody"]).exit_code == 1
    done = runner.invoke(args=["account", "reset", "admin"])
    assert done.exit_code == 0
    secret = done.output.split("admin: ")[1].split("\n")[0]
    assert "/login/" in client.get("/queue/").location
    again = app.test_client()
    assert sign_in(again, "admin", secret).status_code == 303
    assert again.get("/users/list/").location.endswith("/resetmypassword/form")


@pytest.mark.both
def test_tidying_forgets_old_sign_ins_and_counters(
    app: Flask, session: Session, clock: Clock
) -> None:
    clock(START)
    sign_in(app.test_client(), "operator")
    wrong(app)
    clock(START + timedelta(days=91))
    sign_in(app.test_client(), "petugas")
    wrong(app, "operator")
    result = app.test_cli_runner().invoke(args=["tidy"])
    assert "old sign-ins forgotten: 1" in result.output
    oldest = session.scalar(select(func.min(SignInThrottle.last_at)))
    assert oldest is not None
    assert oldest > START + timedelta(days=90)
    assert session.scalar(select(func.count()).select_from(SignInSession)) == 1


@pytest.mark.both
def test_asvs_16_3_1_b52_what_happens_at_sign_in_is_logged(
    app: Flask, session: Session, login: Any, user: Any
) -> None:
    client, pk = app.test_client(), user("operator").id
    sign_in(client, "nobody at all", "not it")
    sign_in(client, "operator", "not it")
    sign_in(client, "operator")
    post(client, "/confirm/", {"confirm_secret": "not it"})
    post(client, "/confirm/", {"confirm_secret": PASSWORD})
    form = {"current": PASSWORD, "password": NEW_PASSWORD, "conf_password": NEW_PASSWORD}
    assert post(client, "/resetmypassword/form", form).status_code == 303
    post(client, "/logout/")
    given(login("admin"), pk)
    wrong(app, "operator", 6)
    rows = session.scalars(
        select(AuditEvent).where(AuditEvent.kind.in_(SIGN_IN_KINDS)).order_by(AuditEvent.id)
    ).all()
    himself, admin, anybody = pk, user("admin").id, None
    assert [(row.kind, row.actor_id, row.subject) for row in rows] == [
        ("sign_in_failed", anybody, ""),
        ("sign_in_failed", anybody, f"user:{pk}"),
        ("signed_in", himself, f"user:{pk}"),
        ("confirm_failed", himself, f"user:{pk}"),
        ("confirmed", himself, f"user:{pk}"),
        ("password_changed", himself, f"user:{pk}"),
        ("signed_in", himself, f"user:{pk}"),
        ("signed_out", himself, f"user:{pk}"),
        ("password_reset", admin, f"user:{pk}"),
        *[("sign_in_failed", anybody, f"user:{pk}")] * 5,
        ("sign_in_held_up", anybody, f"user:{pk}"),
    ]
    assert {row.address for row in rows} == {"127.0.0.1", "10.0.0.9"}
    told = " ".join(f"{row.subject} {row.detail}" for row in rows)
    assert "nobody" not in told
    assert PASSWORD not in told


SIGN_IN_KINDS = (
    "signed_in",
    "sign_in_failed",
    "sign_in_held_up",
    "signed_out",
    "confirmed",
    "confirm_failed",
    "password_changed",
    "password_reset",
)
