"""Files are looked at without leaving the case: pictures larger and smaller, PDFs page by page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import samples
from tests.support.browser import axe_violations
from tests.support.documents import attach_file

pytestmark = pytest.mark.browser

OPEN = "[data-file-dialog][open]"
IMAGE = f"{OPEN} .preview-stage img"
PHONE = {"width": 390, "height": 844, "has_touch": True}


@pytest.fixture
def case(session: Any, store: Any, make_case: Any, user: Any) -> Any:
    """A case with a PDF of three pages and a large photograph."""
    made = make_case("siak_check")
    attach_file(session, store, made, user("petugas"), "tiga.pdf", samples.pdf(3))
    attach_file(session, store, made, user("petugas"), "foto.jpg", samples.jpeg(1600, 1200))
    return made


def open_file(window: Any, case: Any, name: str) -> Any:
    """Open a file of the case over the page and wait until it is drawn."""
    window.goto(f"/complaints/show/{case.id}")
    window.locator(f"#files a.file-name[data-file-name='{name}']").click()
    return drawn(window)


def drawn(window: Any) -> Any:
    image = window.locator(IMAGE)
    image.wait_for()
    window.wait_for_function(
        "selector => document.querySelector(selector)?.naturalWidth > 0", arg=IMAGE
    )
    return image


def width(window: Any) -> float:
    return float(window.locator(IMAGE).evaluate("image => image.getBoundingClientRect().width"))


def at_page(window: Any, number: int) -> None:
    """Wait until that page is the one drawn."""
    window.wait_for_function(
        "([selector, end]) => document.querySelector(selector)?.src.endsWith(end)",
        arg=[IMAGE, f"/{number}"],
    )
    drawn(window)


@pytest.mark.parametrize("name", ["foto.jpg", "tiga.pdf"])
@pytest.mark.parametrize("look", [{}, {**PHONE, "color_scheme": "dark"}], ids=["desk", "phone"])
def test_a_file_opens_over_the_page(page: Any, case: Any, name: str, look: dict[str, Any]) -> None:
    window = page("petugas", **look)
    open_file(window, case, name)
    assert axe_violations(window) == []
    body = window.locator("[data-file-body]").bounding_box()
    assert body["x"] >= 0
    assert body["x"] + body["width"] <= window.viewport_size["width"]
    assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.keyboard.press("Escape")
    # A closed preview is taken away.
    window.wait_for_function("() => !document.querySelector('.preview-stage')")
    assert window.locator(OPEN).count() == 0


def test_a_pdf_is_read_page_by_page(page: Any, case: Any) -> None:
    window = page("petugas")
    open_file(window, case, "tiga.pdf")
    before, after = (window.locator(f"[data-file-step='{step}']") for step in ("-1", "1"))
    assert before.is_disabled()
    after.click()
    at_page(window, 2)
    window.keyboard.press("PageDown")
    at_page(window, 3)
    assert after.is_disabled()
    window.keyboard.press("PageDown")  # there is no fourth
    window.keyboard.press("ArrowLeft")
    at_page(window, 2)
    window.keyboard.press("Home")
    at_page(window, 1)
    window.keyboard.press("End")
    at_page(window, 3)
    assert "3" in window.locator(f"{OPEN} .preview-count").inner_text()


def test_buttons_keys_and_wheel_make_it_larger(page: Any, case: Any) -> None:
    window = page("petugas")
    open_file(window, case, "foto.jpg")
    whole = width(window)
    window.locator("[data-file-zoom='in']").click()
    assert width(window) == pytest.approx(whole * 1.25, rel=0.01)
    window.keyboard.press("-")
    assert width(window) == pytest.approx(whole, rel=0.01)
    box = window.locator(IMAGE).bounding_box()
    across, down = box["width"] * 0.4, box["height"] * 0.4
    window.mouse.move(box["x"] + across, box["y"] + down)
    window.mouse.wheel(0, -400)
    window.wait_for_function(
        "([selector, whole]) => document.querySelector(selector).clientWidth > whole * 2",
        arg=[IMAGE, whole],
    )
    # What lay under the pointer stays there.
    near = window.locator(IMAGE).bounding_box()
    assert abs(near["x"] + 0.4 * near["width"] - (box["x"] + across)) < 8
    assert abs(near["y"] + 0.4 * near["height"] - (box["y"] + down)) < 8
    before = window.locator("[data-file-body]").evaluate("body => body.scrollLeft")
    window.mouse.down()
    window.mouse.move(box["x"] + across - 80, box["y"] + down - 60, steps=4)
    window.mouse.up()
    after = window.locator("[data-file-body]").evaluate("body => body.scrollLeft")
    assert after == pytest.approx(before + 80, abs=3)
    window.locator("[data-file-zoom='fit']").click()
    assert width(window) == pytest.approx(whole, rel=0.01)


def touch(glass: Any, kind: str, points: list[tuple[float, float]]) -> None:
    """Fingers on the glass, as Chromium itself reports them."""
    glass.send(
        "Input.dispatchTouchEvent",
        {
            "type": kind,
            "touchPoints": [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)],
        },
    )


def test_fingers_turn_and_enlarge_a_page(page: Any, case: Any) -> None:
    window = page("petugas", **PHONE)
    open_file(window, case, "tiga.pdf")
    glass = window.context.new_cdp_session(window)
    touch(glass, "touchStart", [(320, 400)])
    for x in (250, 150, 80):
        touch(glass, "touchMove", [(x, 404)])
    touch(glass, "touchEnd", [])
    at_page(window, 2)
    before = width(window)
    touch(glass, "touchStart", [(180, 400), (210, 400)])
    for far in (40, 60, 90):
        touch(glass, "touchMove", [(195 - far, 400), (195 + far, 400)])
    touch(glass, "touchEnd", [])
    assert width(window) > before * 2
    # A large page is moved, not turned.
    touch(glass, "touchStart", [(320, 400)])
    for x in (250, 150, 80):
        touch(glass, "touchMove", [(x, 404)])
    touch(glass, "touchEnd", [])
    at_page(window, 2)


def test_a_page_that_cannot_be_drawn_says_so(
    page: Any, case: Any, session: Any, store: Any, user: Any
) -> None:
    broken = attach_file(session, store, case, user("petugas"), "rusak.pdf", samples.pdf(2))
    window = page("petugas")
    window.route(f"**/documents/preview/{broken.public_id}/1", lambda route: route.fulfill(body=""))
    window.goto(f"/complaints/show/{case.id}")
    window.locator("#files a.file-name[data-file-name='rusak.pdf']").click()
    note = window.locator(f"{OPEN} .preview-note")
    note.wait_for()
    window.wait_for_function("() => !document.querySelector('.preview-stage img')")
    assert (
        window.locator(f"{OPEN} [data-file-open]").get_attribute("href").endswith(broken.public_id)
    )


def test_without_scripts_the_file_itself_opens(page: Any, case: Any) -> None:
    window = page("petugas", java_script_enabled=False)
    window.goto(f"/complaints/show/{case.id}")
    link = window.locator("#files a.file-name[data-file-name='foto.jpg']")
    assert link.get_attribute("href").startswith("/documents/file/")
    assert link.get_attribute("target") == "_blank"
