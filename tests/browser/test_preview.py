"""Files are looked at without leaving the case."""

from __future__ import annotations

import pytest

from tests.support.browser import axe_violations

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("media", "shown"),
    [("image", "img.preview-picture"), ("pdf", "iframe.preview-pdf")],
    ids=["a picture", "a PDF"],
)
def test_a_file_opens_over_the_page(page, make_case, media, shown):
    case = make_case("done")
    window = page("petugas")
    window.goto(f"/complaints/show/{case.id}")
    answers = []
    window.on("response", lambda answer: answers.append((answer.url, answer.status)))
    link = window.locator(f"a.file-name[data-file-preview={media}]").first
    link.click()
    window.locator(f"[data-file-dialog][open] {shown}").wait_for()
    window.wait_for_timeout(300)
    assert any("/documents/file/" in url and status == 200 for url, status in answers)
    assert axe_violations(window) == []
    window.keyboard.press("Escape")
    assert window.locator("[data-file-dialog][open]").count() == 0
    assert window.locator(shown).count() == 0, "a closed preview is taken away"
