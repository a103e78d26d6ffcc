"""A report in the browser: asked for, watched, cancelled, fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask

from app.cli.reports import report_until
from app.views.reports import ReportView
from tests.support.browser import axe_violations, overflow


@pytest.fixture
def start_worker(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """`start_worker()`: from now on somebody makes what is asked for."""
    monkeypatch.setattr(ReportView, "patience", 0.0)
    stop = Event()
    thread = Thread(target=report_until, args=(app, stop, "w"), kwargs={"pause": 0.1})
    yield thread.start
    stop.set()
    if thread.ident is not None:
        thread.join(20)


def test_the_page_follows_the_report_until_it_is_there(page: Any, start_worker: Any) -> None:
    tab = page("kabid", width=390, height=844)
    tab.goto("/reports/?from=2026-02-01&to=2026-02-28")
    assert axe_violations(tab) == []
    assert overflow(tab) == []
    tab.click("button[value='recap.xlsx']")
    tab.wait_for_selector("[data-report-progress] progress")
    assert axe_violations(tab) == []
    assert "Menunggu" in tab.inner_text(".report-progress")
    start_worker()
    with tab.expect_download() as download:
        tab.click("text=/^Unduh/")
    assert axe_violations(tab) == []
    assert overflow(tab) == []
    assert download.value.suggested_filename == "rekapitulasi-2026-02-01-2026-02-28.xlsx"


def test_a_report_is_cancelled_by_a_button(page: Any, start_worker: Any) -> None:
    tab = page("kabid")
    tab.goto("/reports/")
    tab.click("button[value='due.csv']")
    tab.click(".report-card button:has-text('Batal')")
    tab.wait_for_selector("text=Laporan dibatalkan.")
    assert tab.locator("[data-report-progress]").count() == 0
    assert "Dibatalkan" in tab.inner_text(".report-card")


def test_without_a_script_the_page_asks_again_by_itself(page: Any, start_worker: Any) -> None:
    tab = page("kabid", java_script_enabled=False)
    tab.goto("/reports/")
    tab.click("button[value='recap.xlsx']")
    tab.wait_for_selector("[data-report-progress]")
    assert tab.locator("a:has-text('Unduh')").count() == 0
    start_worker()
    tab.wait_for_selector("text=Laporan sudah siap.")
    assert tab.locator("[data-report-progress]").count() == 0
    assert tab.locator("a:has-text('Unduh')").count() == 1
