"""The end of a session in the browser: a warning in time, and a way back that keeps what was typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import SignInSession, User
from tests.support.panel import PASSWORD

pytestmark = pytest.mark.browser
OPEN = "#session-dialog[open]"
CLOSED = "#session-dialog:not([open])"


@pytest.fixture
def form(app: Flask, page: Callable[..., Any]) -> Any:
    """A form that somebody fills in, with two minutes and a moment left."""
    app.config["SESSION_IDLE_MINUTES"] = 2.05
    opened = page("operator")
    opened.goto("/userinfoeditview/form")
    opened.fill("#first_name", "Agung")
    return opened


def test_asvs_b13_a_warning_comes_in_time_and_work_goes_on(form: Any) -> None:
    form.wait_for_selector(OPEN)
    assert "Anda akan segera dikeluarkan" in form.inner_text(OPEN)
    form.click("[data-session-stay]")
    form.wait_for_selector(CLOSED, state="attached")
    assert form.input_value("#first_name") == "Agung"
    form.click("main button[type=submit]")
    form.wait_for_url("**/users/userinfo/")
    assert "Agung" in form.inner_text("main")


def test_asvs_b13_what_was_typed_is_saved_after_signing_in_again_in_another_window(
    form: Any, session: Session
) -> None:
    form.wait_for_selector(OPEN)
    session.execute(update(SignInSession).values(ended_at=datetime.now(UTC)))
    session.commit()
    form.click("[data-session-stay]")
    form.wait_for_selector("[data-session-in]")
    assert "Isian Anda masih ada" in form.inner_text(OPEN)
    with form.context.expect_page() as opened:
        form.click("[data-session-in]")
    window = opened.value
    window.fill("#username", "operator")
    window.fill("#password", PASSWORD)
    window.click("button.btn-primary[type=submit]")
    window.wait_for_url("**/sessions/back")
    window.close()
    form.evaluate("window.dispatchEvent(new Event('focus'))")
    form.wait_for_selector(CLOSED, state="attached")
    assert form.input_value("#first_name") == "Agung"
    form.click("main button[type=submit]")
    form.wait_for_url("**/users/userinfo/")
    session.rollback()
    name = session.scalars(select(User.first_name).where(User.username == "operator")).one()
    assert name == "Agung"
    # The refusal of the first request after the end is no fault of the page.
    form.watched.problems[:] = [text for text in form.watched.problems if "401" not in text]
