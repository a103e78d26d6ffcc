"""The check page and the import in a real browser, at the size of a phone and of a desk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint
from tests.support.browser import axe_violations, overflow
from tests.support.registers import row, xlsx

pytestmark = pytest.mark.browser

SIZES = [
    pytest.param({"width": 390, "height": 844, "color_scheme": "dark"}, id="phone, dark"),
    pytest.param({"width": 1366, "height": 768}, id="desk"),
]


def clean(window: Any) -> None:
    assert axe_violations(window) == []
    assert overflow(window) == []


@pytest.mark.parametrize("size", SIZES)
def test_an_applicant_asks_where_his_complaint_stands(
    page: Callable[..., Any], make_case: Any, size: dict[str, Any]
) -> None:
    case = make_case("printing")
    window = page(**size)
    window.watched.expect(422)
    window.goto("/check/")
    clean(window)
    window.fill("#number", case.number.lower())
    window.fill("#pin", "x")
    window.click("button.btn-primary")
    window.wait_for_selector("#check-error")
    clean(window)
    window.fill("#pin", case.check_pin)
    window.click("button.btn-primary")
    window.wait_for_selector(".check-card")
    assert case.number in window.inner_text(".check-card")
    clean(window)


@pytest.mark.parametrize("size", SIZES)
def test_the_code_of_a_paper_leads_to_its_answer(
    page: Callable[..., Any], make_case: Any, session: Session, size: dict[str, Any]
) -> None:
    case = make_case("printing")
    codes = session.scalars(select(CaseOutput.check_code))
    window = page(**size)
    window.watched.expect(404)
    for code in [*codes, "made-up-code-of-22-let"]:
        window.goto(f"/check/{code}")
        clean(window)
    window.goto(f"/check/{case.outputs[0].check_code}")
    assert case.number in window.inner_text("main")


def test_the_check_page_works_without_scripts(page: Callable[..., Any], make_case: Any) -> None:
    case = make_case("intake")
    window = page(java_script_enabled=False)
    window.goto("/check/")
    window.fill("#number", case.number)
    window.fill("#pin", case.check_pin)
    window.press("#pin", "Enter")
    window.wait_for_selector(".check-card")


@pytest.mark.parametrize("size", SIZES)
def test_a_register_is_mended_and_taken_over(
    page: Callable[..., Any], session: Session, tmp_path: Path, size: dict[str, Any]
) -> None:
    bad, good = tmp_path / "bad.xlsx", tmp_path / "good.xlsx"
    bad.write_bytes(xlsx([row(1), row(2, NIK="12", Kanal="Merpati")]))
    good.write_bytes(xlsx([row(1), row(2, Status="selesai", Tanggal_selesai="05/07/2026")]))
    window = page("petugas", **size)
    window.goto("/import/")
    clean(window)
    window.set_input_files("#file", bad)
    window.click(".import-form button[type=submit]")
    window.wait_for_selector("#problems")
    assert window.locator("#problems tbody tr").count() == 2
    assert window.locator(".import-buttons form").count() == 1, "nothing to take over"
    clean(window)
    window.click(".import-buttons a")
    window.set_input_files("#file", good)
    window.click(".import-form button[type=submit]")
    window.wait_for_selector("#rows")
    clean(window)
    window.click(".import-buttons button.btn-primary")
    window.wait_for_selector(".flashes .notice-ok")
    clean(window)
    window.goto("/import/")
    clean(window)
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Complaint)) == 2
