"""What comes over the wire when somebody opens a page for the first time: few files, little of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

MOST_REQUESTS = 8
MOST_BYTES = 150_000
#: The main pages of each officer; a page with a chart may weigh more, for the library that draws it.
PAGES = [
    ("nobody", "/login/"),
    ("petugas", "/queue/"),
    ("petugas", "/complaints/list/"),
    ("petugas", "/complaints/add"),
    ("petugas", "/complaints/show/{done}"),
    ("petugas", "/complaints/work/{intake}"),
    ("petugas", "/documents/list/"),
    ("petugas", "/dispatches/list/"),
    ("petugas", "/desk/"),
    ("operator", "/complaints/work/{siak_check}"),
    ("operator", "/complaints/work/{printing}"),
    ("subkoordinator", "/complaints/work/{certification}"),
    ("kepala", "/complaints/work/{signing}"),
    ("kabid", "/sop/"),
    ("admin", "/administration/"),
    ("admin", "/users/list/"),
    ("admin", "/roles/edit/1"),
]
CHARTS = [("kabid", "/charts/steps/"), ("kabid", "/charts/channels/")]


def first_load(window: Any, address: str) -> tuple[list[str], int]:
    """Open a page in a window that has seen nothing yet: what was asked for, bytes that came."""
    asked: list[str] = []
    sizes: list[int] = []
    talk = window.context.new_cdp_session(window)
    talk.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    talk.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    talk.send("Network.enable")
    assert window.goto(address, wait_until="networkidle").status == 200
    return [url for url in asked if not url.startswith("data:")], round(sum(sizes))


@pytest.mark.parametrize(("officer", "address"), [*PAGES, *CHARTS])
def test_a_first_load_is_few_files_and_little_weight(
    officer: str, address: str, page: Callable[..., Any], make_case: Callable[..., Any]
) -> None:
    step = re.search(r"{(\w+)}", address)
    path = address.replace(step[0], str(make_case(step[1]).id)) if step else address
    window = page(None if officer == "nobody" else officer)
    asked, weight = first_load(window, path)
    assert len(asked) <= MOST_REQUESTS, "\n".join(asked)
    if (officer, address) not in CHARTS:
        assert weight <= MOST_BYTES
