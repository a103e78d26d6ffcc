"""Take the pictures of the user guide again: `make docs-pictures`.

    python tools/docs_pictures.py [word …]      only pictures whose name begins with a word

A demo office is made in a temporary folder and served from this process, at a fixed moment of a
working day: the same moment gives the same office, so a picture changes only with its screen.
Each is taken in Indonesian, at 1366×768 or as a phone shows it (390×844), turned into a palette
PNG and saved in `docs/img`. A picture that stays over 150 kB ends the tool with an error.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import time_machine  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from tests.support import browser as chromium  # noqa: E402
from tests.support.serving import served  # noqa: E402
from tools.guide_pictures import PHONE, PICTURES, Office  # noqa: E402
from tools.i18n import compile_catalogues  # noqa: E402

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Browser, Page

    from tools.guide_pictures import Picture

FOLDER: Final = ROOT / "docs" / "img"
#: A Tuesday morning in office hours.
MOMENT: Final = datetime(2026, 11, 24, 9, 40, tzinfo=ZoneInfo("Asia/Jakarta"))
MOST_BYTES: Final = 150_000
COLOURS: Final = (128, 64, 32)


def take(browser: Browser, office: Office, picture: Picture) -> bytes:
    """One picture as the browser gives it.

    Raises:
        RuntimeError: the page logged an error, or an answer failed.
    """
    width, height = picture.size
    context = browser.new_context(
        base_url=office.url,
        viewport={"width": width, "height": height},
        device_scale_factor=2 if picture.size == PHONE else 1,
        has_touch=picture.size == PHONE,
        locale="id-ID",
        timezone_id="Asia/Jakarta",
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.clock.set_system_time(datetime.now(MOMENT.tzinfo))
    seen = chromium.watch(page)
    try:
        if picture.user:
            sign_in(page, picture.user, office.passwords[picture.user])
        page.goto(picture.path if isinstance(picture.path, str) else picture.path(office))
        page.wait_for_load_state("networkidle")
        for step in picture.steps:
            step(page, office)
        page.wait_for_timeout(300)
        if seen.problems:
            raise RuntimeError(f"{picture.name}: {seen.problems[0]}")
        if not picture.height:
            return page.screenshot()
        full = min(int(page.evaluate("document.documentElement.scrollHeight")), picture.height)
        page.set_viewport_size({"width": width, "height": max(full, height)})
        page.evaluate("window.scrollTo(0, 0)")
        page.wait_for_timeout(200)
        return page.screenshot()
    finally:
        context.close()


def sign_in(page: Page, user: str, password: str) -> None:
    """Sign in as an officer, in the words of the page."""
    page.goto("/login/")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_load_state("networkidle")


def small(data: bytes) -> bytes:
    """A palette PNG of a screenshot, with as many colours as fit into the size."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    out = io.BytesIO()
    for colours in COLOURS:
        out = io.BytesIO()
        reduced = picture.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        reduced.save(out, "PNG", optimize=True)
        if out.tell() <= MOST_BYTES:
            break
    return out.getvalue()


def make_office(folder: Path) -> tuple[Flask, dict[str, str]]:
    """A demo office in a folder of its own."""
    os.environ["ADUAN_NO_VENV"] = "1"
    from app import create_app
    from app.release import prepare
    from app.services.demo import DEMO_LOGINS
    from config import load_settings

    settings: dict[str, Any] = load_settings({"INSTANCE_PATH": str(folder), "DEMO": "1"})
    settings["RATELIMIT_ENABLED"] = False
    # The browser's cookie jar reads the real clock, which may be far from the pictures' moment.
    settings["PERMANENT_SESSION_LIFETIME"] = timedelta(days=20 * 365)
    app = create_app(settings)
    prepare(app)
    return app, {username: password for _role, username, password in DEMO_LOGINS}


def main(words: list[str]) -> None:
    """Take all pictures, or those that the words name."""
    chosen = [
        picture
        for picture in PICTURES
        if not words or any(picture.name.startswith(word) for word in words)
    ]
    compile_catalogues()
    # The browser's own words: what a date field looks like is its business, not the page's.
    os.environ["LANGUAGE"] = "id"
    FOLDER.mkdir(parents=True, exist_ok=True)
    too_large = []
    with (
        tempfile.TemporaryDirectory(prefix="aduan-pictures-") as folder,
        time_machine.travel(MOMENT, tick=True),
    ):
        app, passwords = make_office(Path(folder))
        with served(app) as url, sync_playwright() as playwright:
            try:
                browser = chromium.launch(playwright)
            except chromium.BrowserMissingError as error:
                sys.exit(f"docs-pictures: {error}")
            office = Office(app, url, passwords)
            for picture in chosen:
                data = small(take(browser, office, picture))
                (FOLDER / f"{picture.name}.png").write_bytes(data)
                print(f"docs/img/{picture.name}.png {len(data) // 1000} kB", flush=True)
                if len(data) > MOST_BYTES:
                    too_large.append(picture.name)
            browser.close()
    if too_large:
        sys.exit(f"docs-pictures: over {MOST_BYTES // 1000} kB: {', '.join(too_large)}")


if __name__ == "__main__":
    main(sys.argv[1:])
