"""Every page in a real browser: light and dark, desk and phone; axe finds nothing, nothing sticks
out sideways, nothing comes from another host and the console stays silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.browser import axe_violations, overflow

pytestmark = pytest.mark.browser

SIZES = {"desk": (1366, 768), "phone": (390, 844)}
ENDS = ("done", "resolved", "withdrawn", "returned")
#: What each officer opens; `{step}` is the id of a case standing in that step.
PAGES: dict[str, list[str]] = {
    "petugas": [
        "/queue/",
        "/queue/?step=intake",
        "/complaints/list/",
        "/complaints/list/?q=Contoh",
        "/complaints/list/?q=nothing-like-this",
        "/complaints/add",
        "/complaints/edit/{intake}",
        "/complaints/show/{intake}",
        "/complaints/work/{intake}",
        "/complaints/work/{dispatch}",
        "/complaints/work/{returned}",
        *(f"/complaints/show/{{{step}}}" for step in ENDS),
        "/documents/list/",
        "/desk/",
        "/desk/?case=nothing-like-this",
        "/desk/returned",
        "/desk/quiet",
        "/dispatches/list/",
        "/dispatches/show/1",
        "/dispatches/edit/1",
        "/sop/",
        "/users/userinfo/",
        "/resetmypassword/form",
        "/sessions/",
        "/second-factor/",
    ],
    "operator": [
        "/queue/",
        "/complaints/show/{siak_check}",
        "/complaints/work/{siak_check}",
        "/complaints/work/{printing}",
        "/documents/show/1",
    ],
    "subkoordinator": [
        "/queue/",
        "/complaints/work/{certification}",
        "/complaints/work/{done}",
        "/charts/steps/",
    ],
    "kepala": ["/queue/", "/complaints/show/{signing}", "/complaints/work/{signing}"],
    "kabid": ["/charts/steps/", "/sop/", "/nothing/here"],
    "admin": [
        "/administration/",
        "/audit/list/",
        "/sign-in-rules/",
        "/user-sign-ins/1",
        "/users/list/",
        "/users/show/1",
        "/users/add",
        "/users/edit/1",
        "/roles/list/",
        "/roles/show/1",
        "/roles/edit/1",
        *(
            f"/reference/{name}/list/"
            for name in (
                "document_kinds",
                "categories",
                "channels",
                "couriers",
                "regions",
                "holidays",
                "working_hours",
                "standard_minutes",
            )
        ),
        "/reference/categories/show/1",
        "/reference/categories/edit/1",
        "/reference/holidays/add",
        "/reference/working_hours/add",
        "/reference/office/edit/1",
        "/reference/standard_minutes/edit/intake",
    ],
    "nobody": ["/login/"],
}


@pytest.fixture
def ids(make_case: Callable[..., Any]) -> dict[str, int]:
    """A case in every step of the SOP, by the step's key."""
    steps = (
        "intake", "siak_check", "certification", "signing", "printing", "dispatch", *ENDS,
    )  # fmt: skip
    return {step: make_case(step).id for step in steps}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("officer", list(PAGES))
def test_every_page_is_clean(
    officer: str, size: str, theme: str, page: Callable[..., Any], ids: dict[str, int]
) -> None:
    width, height = SIZES[size]
    who = None if officer == "nobody" else officer
    window = page(who, width=width, height=height, color_scheme=theme)
    window.watched.expect(404)
    found: list[str] = []
    for path in PAGES[officer]:
        address = path.format(**ids)
        answer = window.goto(address)
        expected = 404 if "nothing" in path and "?" not in path else 200
        if answer.status != expected:
            found.append(f"{address}: {answer.status}")
            continue
        found += [f"{address}: {line}" for line in axe_violations(window)]
        found += [f"{address}: sticks out: {line}" for line in overflow(window)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("officer", ["operator", "subkoordinator", "petugas"])
@pytest.mark.parametrize("width", [1280, 1366, 1920])
def test_the_buttons_of_the_queue_are_in_sight(
    officer: str, width: int, page: Callable[..., Any], ids: dict[str, int]
) -> None:
    """What a table scrolls away is no fault to axe, but nobody would find the way to his work."""
    window = page(officer, width=width)
    window.goto("/queue/")
    hidden = window.evaluate(
        "[...document.querySelectorAll('.queue-do button')].map(button =>"
        " button.getBoundingClientRect().right"
        " - button.closest('.table-box').getBoundingClientRect().right)"
    )
    assert hidden
    assert max(hidden) <= 0


def test_static_files_are_cached_for_a_year_and_compressed(
    page: Callable[..., Any],
) -> None:
    window = page()
    answers: dict[str, Any] = {}
    window.on("response", lambda answer: answers.update({answer.url: answer}))
    window.goto("/login/", wait_until="networkidle")
    assets = {url: answer for url, answer in answers.items() if "/assets/" in url}
    assert len(assets) >= 3
    for url, answer in assets.items():
        headers = answer.all_headers()
        assert "max-age=31536000" in headers["cache-control"], url
        if url.split("?")[0].endswith((".css", ".js")):
            assert headers.get("content-encoding") in ("br", "gzip"), url
