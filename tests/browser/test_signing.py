"""The signing page on a phone: choose all, one passphrase, a result beside each document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.models import Complaint, Signatory
from tests.support.browser import axe_violations, overflow
from tests.support.cases import CaseMaker
from tests.support.signed import PASSPHRASE
from tests.support.signing import add_drafts

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An office that signs here."""
    return make_app(SIGNATURE_WAY="pkcs12")


@pytest.fixture
def cases(make_case: CaseMaker, session: Session) -> list[Complaint]:
    """Three cases that wait, the second with a draft whose file is gone."""
    found = [make_case("signing") for _ in range(3)]
    for case in found:
        add_drafts(make_case, case)
    session.commit()
    return found


def break_draft(store: Any, case: Complaint) -> None:
    for document in case.documents:
        if document.stage == "draft":
            store.delete(document.storage_key)


def steps(session: Session, cases: list[Complaint]) -> list[str]:
    session.commit()
    session.expire_all()
    return [case.step_key for case in cases]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_are_signed_with_one_passphrase(
    page: Callable[..., Any], cases: list[Complaint], session: Session, scheme: str
) -> None:
    window = page("kepala", **PHONE, color_scheme=scheme)
    window.goto("/signing/")
    assert axe_violations(window) == []
    assert overflow(window) == []
    window.check("[data-sign-all]")
    assert window.locator("[data-sign-one]:checked").count() == 3
    window.fill("#passphrase", PASSPHRASE)
    sent: list[str] = []
    window.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    window.click(".sign-bar button")
    window.wait_for_selector("[data-finished]")
    # One document a request, the passphrase only there, and not with what starts the batch.
    assert sum("/next " in one for one in sent) == 3
    assert all(("passphrase=" in one) == ("/next " in one) for one in sent)
    assert window.locator(".sign-line.sign-signed").count() == 3
    assert window.url.rsplit("/", 1)[0].endswith("/signing/batch")
    assert axe_violations(window) == []
    assert overflow(window) == []
    assert steps(session, cases) == ["printing"] * 3
    window.reload()
    assert window.locator(".sign-line.sign-signed").count() == 3


def test_a_wrong_passphrase_is_said_and_asked_again(
    page: Callable[..., Any], cases: list[Complaint], session: Session
) -> None:
    window = page("kepala", **PHONE)
    window.goto("/signing/")
    window.check("[data-sign-all]")
    window.fill("#passphrase", "bukan ini")
    window.press("#passphrase", "Enter")
    window.wait_for_selector("[data-stop]:not([hidden])")
    assert window.locator("[data-stop]").get_attribute("role") == "alert"
    assert window.evaluate("document.activeElement.id") == "passphrase"
    assert window.input_value("#passphrase") == ""
    assert steps(session, cases) == ["signing"] * 3
    assert axe_violations(window) == []
    assert overflow(window) == []
    window.fill("#passphrase", PASSPHRASE)
    window.press("#passphrase", "Enter")
    window.wait_for_selector("[data-finished]")
    assert steps(session, cases) == ["printing"] * 3


def test_a_failure_of_one_stands_beside_it(
    page: Callable[..., Any], cases: list[Complaint], session: Session, store: Any
) -> None:
    break_draft(store, cases[1])
    window = page("kepala", **PHONE)
    window.goto("/signing/")
    window.check("[data-sign-all]")
    window.fill("#passphrase", PASSPHRASE)
    window.click(".sign-bar button")
    window.wait_for_selector("[data-finished]")
    assert steps(session, cases) == ["printing", "signing", "printing"]
    assert window.locator(".sign-failed .sign-why").count() >= 1
    assert window.locator(".sign-signed").count() >= 2
    assert axe_violations(window) == []
    assert overflow(window) == []


def test_some_can_be_left_out(
    page: Callable[..., Any], cases: list[Complaint], session: Session
) -> None:
    window = page("kepala", **PHONE)
    window.goto("/signing/")
    window.check("[data-sign-all]")
    window.locator("[data-sign-one]").nth(2).uncheck()
    assert window.evaluate("document.querySelector('[data-sign-all]').indeterminate")
    window.fill("#passphrase", PASSPHRASE)
    window.click(".sign-bar button")
    window.wait_for_selector("[data-finished]")
    assert sorted(steps(session, cases)) == ["printing", "printing", "signing"]


def test_it_works_without_scripts(
    page: Callable[..., Any], cases: list[Complaint], session: Session
) -> None:
    window = page("kepala", **PHONE, java_script_enabled=False)
    window.goto("/signing/")
    for box in window.locator('input[name="case"]').all():
        box.check()
    window.fill("#passphrase", PASSPHRASE)
    window.click(".sign-bar button")
    window.wait_for_selector("[data-finished]")
    assert steps(session, cases) == ["printing"] * 3


def test_nothing_chosen_is_said_and_the_passphrase_stays(
    page: Callable[..., Any], cases: list[Complaint], session: Session
) -> None:
    window = page("kepala", **PHONE)
    window.goto("/signing/")
    window.fill("#passphrase", PASSPHRASE)
    window.press("#passphrase", "Enter")
    window.wait_for_selector("[data-stop]:not([hidden])")
    assert window.locator("[data-stop-words]").inner_text()
    assert window.input_value("#passphrase") == PASSPHRASE
    assert window.evaluate("document.activeElement.matches('[data-sign-all]')")
    assert axe_violations(window) == []
    window.check("[data-sign-all]")
    assert window.locator("[data-stop]").is_hidden(), "what was said is mended"
    assert steps(session, cases) == ["signing"] * 3


def test_a_refused_start_is_said_on_the_page_as_it_is_now(
    page: Callable[..., Any], cases: list[Complaint], session: Session
) -> None:
    window = page("kepala", **PHONE)
    window.goto("/signing/")
    window.check("[data-sign-all]")
    # The administrator ends the term of the head meanwhile.
    session.execute(
        update(Signatory).values(valid_from=date(2020, 1, 1), valid_to=date(2020, 1, 2))
    )
    session.commit()
    window.fill("#passphrase", PASSPHRASE)
    window.click(".sign-bar button")
    window.wait_for_selector(".signing [role=alert]")
    assert window.locator(".signing [role=alert]").inner_text().strip()
    assert window.evaluate("sessionStorage.length") == 0
    assert window.locator(".sign-lines").count() == 0
    assert steps(session, cases) == ["signing"] * 3
