"""The search box of the top bar: typed into, worked by keys, as a sheet on a phone, when it fails."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.browser import axe_violations, overflow

pytestmark = pytest.mark.browser

NIK = "3325014107900007"
BOX = "#find"
HITS = "[data-find-panel] [role=option]"


@pytest.fixture
def cases(make_case: Any) -> list[Any]:
    """Three cases; two of one name."""
    facts: list[dict[str, str]] = [
        {"applicant_name": "Kartini Pemohonwati", "nik": NIK},
        {"applicant_name": "Kartini Sari"},
        {"applicant_name": "Bambang Sutrisno"},
    ]
    return [make_case("intake", checked=False, files=False, **values) for values in facts]


def typed(window: Any, words: str) -> Any:
    """Type as a person does, and wait for the answer to these words."""
    with window.expect_response("**/search/find"):
        window.locator(BOX).press_sequentially(words, delay=10)
    window.locator("[data-find-panel]:not([hidden])").wait_for()
    window.wait_for_function("() => !document.querySelector('[data-find][aria-busy]')")
    return window.locator(HITS)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_case_is_found_and_opened_by_the_keyboard(
    page: Any, cases: list[Any], theme: str
) -> None:
    window = page("petugas", color_scheme=theme)
    window.goto("/queue/")
    window.keyboard.press("/")
    assert window.evaluate("document.activeElement.id") == "find"
    assert window.locator("[data-find-hint]").is_visible()
    hits = typed(window, "kartini")
    assert hits.count() == 3  # and the way to the list
    box = window.locator(BOX)
    assert box.get_attribute("aria-expanded") == "true"
    assert window.locator("[data-find-status]").inner_text().startswith("2 pengaduan")
    assert window.locator(f"{HITS} mark").all_inner_texts() == ["Kartini", "Kartini"]
    assert axe_violations(window) == []
    window.keyboard.press("ArrowDown")
    window.keyboard.press("ArrowDown")
    active = box.get_attribute("aria-activedescendant")
    assert window.locator(f"#{active}").get_attribute("aria-selected") == "true"
    assert axe_violations(window) == []
    window.keyboard.press("Enter")
    window.wait_for_url(f"**/complaints/show/{cases[0].id}")


def test_the_words_are_in_no_address(page: Any, cases: list[Any]) -> None:
    window = page("petugas")
    window.goto("/queue/")
    window.keyboard.press("Control+k")
    hits = typed(window, NIK)
    assert "Kartini Pemohonwati" in hits.first.inner_text()
    window.keyboard.press("ArrowUp")
    assert window.locator(BOX).get_attribute("aria-activedescendant") == "find-all"
    window.keyboard.press("Enter")
    window.wait_for_url("**/complaints/list/**")
    assert window.locator("tbody tr").count() == 1
    assert not [url for url in window.watched.requests if NIK in url]
    assert NIK not in window.evaluate("document.cookie + document.title + location.href")
    window.go_back()
    assert window.locator(BOX).input_value() == ""


def test_enter_alone_leads_to_the_list(page: Any, cases: list[Any]) -> None:
    window = page("petugas")
    window.goto("/queue/")
    window.locator(BOX).fill("kartini")
    window.keyboard.press("Enter")
    window.wait_for_url("**/complaints/list/**")
    assert window.locator("tbody tr").count() == 2
    assert "kartini" not in window.url


def test_escape_closes_then_empties_then_leaves(page: Any, cases: list[Any]) -> None:
    window = page("petugas")
    window.goto("/queue/")
    window.keyboard.press("/")
    typed(window, "kartini")
    window.keyboard.press("Escape")
    assert window.locator("[data-find-panel]").is_hidden()
    assert window.locator(BOX).get_attribute("aria-expanded") == "false"
    window.keyboard.press("Escape")
    assert window.locator(BOX).input_value() == ""
    window.keyboard.press("Escape")
    assert window.evaluate("document.activeElement.id") != "find"


def test_nothing_found_says_what_to_do(page: Any, cases: list[Any]) -> None:
    window = page("petugas")
    window.goto("/queue/")
    window.locator(BOX).focus()
    assert typed(window, "xyzzy").count() == 0
    assert "Periksa ejaannya" in window.locator("[data-find-panel]").inner_text()
    assert window.locator("[data-find-status]").inner_text() == "Tidak ada pengaduan yang cocok."
    assert axe_violations(window) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_it_is_a_sheet(page: Any, cases: list[Any], theme: str) -> None:
    window = page("petugas", width=390, height=844, has_touch=True, color_scheme=theme)
    window.goto("/queue/")
    assert window.locator(BOX).is_hidden()
    window.locator("[data-find-open]").click()
    assert window.evaluate("document.activeElement.id") == "find"
    hits = typed(window, "kartini")
    sheet = window.locator("[data-find]").bounding_box()
    assert (sheet["x"], sheet["y"], sheet["width"]) == (0, 0, 390)
    assert sheet["height"] == window.viewport_size["height"]
    assert overflow(window) == []
    assert axe_violations(window) == []
    assert window.evaluate("document.querySelector('.shell-main').inert")
    window.locator("[data-find-close]").click()
    assert window.locator(BOX).is_hidden()
    assert window.evaluate("document.activeElement.matches('[data-find-open]')")
    assert not window.evaluate("document.querySelector('.shell-main').inert")
    window.locator("[data-find-open]").click()
    hits = typed(window, "kartini")
    hits.first.click()
    window.wait_for_url(f"**/complaints/show/{cases[1].id}")


def test_older_answers_never_come_late(page: Any, cases: list[Any]) -> None:
    """The answer to the first words arrives after that to the last: it is not shown."""
    window = page("petugas")
    window.goto("/queue/")
    waiting: list[Any] = []

    def hold(route: Any) -> None:
        if "q=kartini" in (route.request.post_data or ""):
            waiting.append(route)
        else:
            route.continue_()

    window.route("**/search/find", hold)
    with window.expect_request("**/search/find"):
        window.locator(BOX).fill("kartini")
    window.locator(BOX).fill("bambang")
    window.locator(HITS).first.wait_for()
    for route in waiting:
        route.continue_()
    window.wait_for_timeout(300)
    assert waiting
    assert "Bambang Sutrisno" in window.locator(HITS).first.inner_text()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (429, "Terlalu banyak pencarian"),
        (403, "tidak lagi berhak"),
        (400, "Anda sudah keluar"),
        (500, "Pencarian gagal"),
        (0, "Tidak ada sambungan"),
    ],
)
def test_trouble_is_said_as_it_is(page: Any, cases: list[Any], status: int, words: str) -> None:
    window = page("petugas")
    window.goto("/queue/")
    window.watched.expect(status)
    window.route(
        "**/search/find",
        lambda route: route.fulfill(status=status, body="") if status else route.abort(),
    )
    window.locator(BOX).fill("kartini")
    note = window.locator(".find-trouble")
    note.wait_for()
    assert words in note.inner_text()
    assert words in window.locator("[data-find-status]").inner_text()
    if not status:
        window.watched.problems[:] = [
            line for line in window.watched.problems if "ERR_FAILED" not in line
        ]


def test_signed_out_elsewhere_is_said(page: Any, cases: list[Any]) -> None:
    window = page("petugas")
    window.goto("/queue/")
    window.context.clear_cookies()
    window.watched.expect(400)
    window.locator(BOX).fill("kartini")
    window.locator(".find-trouble a").wait_for()
    assert "Anda sudah keluar" in window.locator(".find-trouble").inner_text()


def test_without_scripts_it_is_a_form(page: Any, cases: list[Any]) -> None:
    window = page("petugas", java_script_enabled=False)
    window.goto("/queue/")
    window.locator(BOX).fill("kartini")
    window.locator(".find-go").click()
    assert "/complaints/list/" in window.url
    assert "kartini" not in window.url
    assert window.locator("tbody tr").count() == 2
    phone = page("petugas", width=390, height=844, java_script_enabled=False)
    phone.goto("/queue/")
    phone.locator("[data-find-open]").click()
    assert "/complaints/list/" in phone.url
