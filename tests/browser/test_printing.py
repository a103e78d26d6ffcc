"""Step 5 on a phone: choose, print together, say how each came out; and the blank stock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import BlankWait, PrintRun
from tests.support.blanks import card_case, leave, stock_of
from tests.support.browser import axe_violations, overflow
from tests.support.cases import CaseMaker

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
Page = Callable[..., Any]


def fits(window: Any) -> None:
    """Nothing hangs over the edge and nothing is in anybody's way."""
    assert overflow(window) == []
    assert axe_violations(window) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_batch_on_a_phone(
    page: Page, session: Session, make_case: CaseMaker, scheme: str
) -> None:
    good, bad = (make_case("printing", category="KK") for _ in range(2))
    card = card_case(make_case)
    window = page("operator", **PHONE, color_scheme=scheme)
    window.goto("/printing/")
    fits(window)
    for case in (good, bad, card):
        row = window.locator("tr").filter(has_text=case.number)
        row.locator("input[name=output]").check()
    window.click("button[name=action][value=start]")
    window.wait_for_url("**/printing/batch/*")
    fits(window)
    with window.expect_popup() as opened:  # the PDF, in a tab of its own
        window.click('a[href^="/printing/file/"]')
    opened.value.close()

    item = window.locator(".work-item").filter(has_text=bad.number)
    reason = item.locator("input[name^=reason_]")
    assert not reason.is_visible(), "asked only of a spoiled print"
    item.locator("label[for^=spoiled-]").click()
    assert reason.is_visible()
    window.watched.expect(422)
    window.click("#answer .form-buttons button")
    window.wait_for_selector(".notice[role=alert]")
    fits(window)
    item.locator("input[name^=reason_]").fill("Kertas macet")
    window.click("#answer .form-buttons button")
    window.wait_for_selector("#answered")
    fits(window)
    window.click(".print-all button")
    window.wait_for_url("**/printing/")
    session.rollback()
    session.expire_all()
    assert [case.step_key for case in (good, bad, card)] == ["dispatch", "printing", "dispatch"]
    assert session.scalars(select(PrintRun.reason).where(PrintRun.result == "spoiled")).all() == [
        "Kertas macet"
    ]
    assert bad.number in window.inner_text("main, body")


def test_the_stock_on_a_phone_and_first_come_first_served(
    page: Page, session: Session, make_case: CaseMaker
) -> None:
    first, second = card_case(make_case), card_case(make_case)
    stock = leave(session, 0)
    stock_id = stock.id
    window = page("operator", **PHONE)
    window.goto("/printing/")
    window.check("[name=output] >> nth=0")
    window.check("[name=output] >> nth=1")
    window.click("button[name=action][value=start]")
    window.wait_for_load_state()
    fits(window)
    window.goto(f"/blank-stock/show/{stock_id}")
    fits(window)
    line = window.locator("#line tbody tr").all_inner_texts()
    assert [first.number in line[0], second.number in line[1]] == [True, True]
    window.goto(f"/blank-stock/book/{stock_id}")
    fits(window)
    window.fill("[name=quantity]", "1")
    window.fill("[name=note]", "Kiriman provinsi")
    window.keyboard.press("Enter")
    window.wait_for_url("**/blank-stock/show/*")
    session.rollback()
    assert stock_of(session).balance == 1
    window.goto("/blank-stock/list/")
    fits(window)
    assert len(session.scalars(select(BlankWait).where(BlankWait.ended_at.is_(None))).all()) == 2


def test_once_more_from_the_case_without_scripts(
    page: Page, session: Session, make_case: CaseMaker
) -> None:
    case = make_case("done", category="KK")
    window = page("operator", java_script_enabled=False, **PHONE)
    window.goto(f"/complaints/show/{case.id}")
    window.click("#outputs summary")
    window.fill("#outputs [name=reason]", "KK hilang")
    window.click("#outputs form button")
    window.wait_for_url("**/printing/batch/*")
    window.click(".print-all button")
    window.wait_for_url("**/printing/")
    session.rollback()
    runs = session.scalars(select(PrintRun).order_by(PrintRun.number)).all()
    assert [(run.number, run.reprint_reason) for run in runs] == [(1, ""), (2, "KK hilang")]
