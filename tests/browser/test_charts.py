"""The charts in the browser: drawn in both themes, saved as pictures, on paper and on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from tests.support.browser import axe_violations, overflow
from tests.support.chart_pages import CHARTS, URL
from tests.support.moments import office_day


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_chart_is_drawn_and_clean(
    page: Any, worked: list[Any], make_case: Any, theme: str, width: int
) -> None:
    make_case("returned")
    window = page("kabid", width=width, height=844, color_scheme=theme)
    for name in CHARTS:
        window.goto(f"/charts/{name}/")
        boxes = window.locator("[data-chart]")
        # Nothing stood still here, and no legal date of this month's cases lies in the past.
        assert boxes.count() > 0 or name in ("pauses", "due"), name
        for box in boxes.all():
            assert box.locator("svg path[fill]").count() > 1, name
            assert box.get_attribute("aria-label"), name
        assert axe_violations(window) == [], name
        assert overflow(window) == [], name


@pytest.mark.browser
def test_the_chart_follows_the_theme_and_says_what_it_shows(page: Any, worked: list[Any]) -> None:
    window = page("kabid")
    window.goto(URL)
    first = window.locator("[data-chart='0']")
    assert "10,0" in first.get_attribute("aria-label")
    before = first.inner_html()
    window.evaluate("document.querySelector('[data-theme-value=dark]').click()")
    # Drawn anew a moment later: waited for by name, as long as a busy machine takes.
    drawn = "before => document.querySelector(\"[data-chart='0']\").innerHTML !== before"
    window.wait_for_function(drawn, arg=before)
    window.hover("[data-chart='0'] svg", position={"x": 300, "y": 80})
    window.wait_for_timeout(300)
    assert window.watched.problems == []  # the tooltip keeps to the policy as well


@pytest.mark.browser
def test_a_picture_is_saved_light_with_title_and_period(page: Any, worked: list[Any]) -> None:
    window = page("kabid", color_scheme="dark")
    year = office_day().year
    days = (f"{year - 1}-01-01", f"{year}-12-31")
    window.goto(f"{URL}?from={days[0]}&to={days[1]}")
    with window.expect_download() as saved:
        window.click("[data-picture=svg][data-plot='0']")
    assert saved.value.suggested_filename == f"waktu-per-tahap_{days[0]}_{days[1]}.svg"
    picture = Path(saved.value.path()).read_text(encoding="utf-8")
    root = ElementTree.fromstring(picture)
    assert root.tag.endswith("svg")
    assert "Waktu kerja dibanding standar" in picture
    assert f"1 Jan {year - 1}" in picture
    assert "<script" not in picture
    with window.expect_download() as saved:
        window.click("[data-picture=png][data-plot='1']")
    assert saved.value.suggested_filename == f"waktu-per-tahap_{days[0]}_{days[1]}_2.png"
    with Image.open(saved.value.path()) as image:
        assert image.format == "PNG"
        assert image.size[0] == 1920
        # Light, whatever the page: paper is white.
        assert image.convert("RGB").getpixel((5, 5)) == (255, 255, 255)
    assert window.evaluate("document.documentElement.dataset.theme") in (None, "", "auto")


@pytest.mark.browser
def test_on_paper_the_chart_is_light_and_the_filters_are_gone(page: Any, worked: list[Any]) -> None:
    window = page("kabid", color_scheme="dark")
    window.goto(URL)
    window.emulate_media(media="print")
    window.wait_for_function(
        "() => document.querySelector(\"[data-chart='0'] svg\").getBoundingClientRect().width === 660"
    )
    assert not window.locator(".chart-tabs").is_visible()
    assert not window.locator(".chart-filter").is_visible()
    assert window.locator("[data-chart='0'] svg [fill='#222']").count() > 0


@pytest.mark.browser
def test_on_a_phone_the_table_is_cards(page: Any, worked: list[Any]) -> None:
    window = page("kabid", width=390, height=844)
    window.goto(URL)
    assert window.evaluate("document.documentElement.scrollWidth") <= 390
    assert window.locator(".chart-table thead").first.bounding_box()["height"] <= 2
