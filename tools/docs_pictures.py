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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
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
from tools.i18n import compile_catalogues  # noqa: E402

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Browser, Page

FOLDER: Final = ROOT / "docs" / "img"
#: A Tuesday morning in office hours.
MOMENT: Final = datetime(2026, 11, 24, 9, 40, tzinfo=ZoneInfo("Asia/Jakarta"))
DESK: Final = (1366, 768)
PHONE: Final = (390, 844)
MOST_BYTES: Final = 150_000
COLOURS: Final = (128, 64, 32)

Step = Callable[["Page", "Office"], object]


@dataclass
class Office:
    """The demo office behind the pictures."""

    app: Flask
    url: str
    passwords: dict[str, str]

    def case_at(self, step: str, place: int = 0) -> int:
        """The id of a case that stands in a step, the longest waiting first."""
        from sqlalchemy import select

        from app.extensions import db
        from app.models import Complaint

        with self.app.app_context():
            rows = select(Complaint.id).where(Complaint.step_key == step)
            rows = rows.order_by(Complaint.step_since, Complaint.id).offset(place).limit(1)
            return int(db.session.scalars(rows).one())

    def role(self, name: str) -> int:
        """The id of a role."""
        from sqlalchemy import select

        from app.extensions import db
        from app.models import Role

        with self.app.app_context():
            return int(db.session.scalars(select(Role.id).where(Role.name == name)).one())


@dataclass(frozen=True)
class Picture:
    """One picture: whose screen, which page, and what is done on it before it is taken."""

    name: str
    user: str | None
    path: str | Callable[[Office], str]
    size: tuple[int, int] = DESK
    steps: Sequence[Step] = ()
    #: The whole page instead of the window, at most this many pixels high.
    height: int = 0


# --- what is done on a page ----------------------------------------------------------------------


def press(*names: str) -> Step:
    """Press the first visible button or link that is called one of these."""

    def run(page: Page, office: Office) -> None:
        for name in names:
            for role in ("button", "link"):
                found = page.get_by_role(role, name=name, exact=True).locator("visible=true")
                if found.count():
                    found.first.click()
                    page.wait_for_load_state("networkidle")
                    return
        raise LookupError(f"nothing to press is called {' or '.join(names)} on {page.url}")

    return run


def fill(**values: str) -> Step:
    """Write into the fields with these names, and leave the last one."""

    def run(page: Page, office: Office) -> None:
        for name, value in values.items():
            page.locator(f"[name={name}]:visible").first.fill(value)
        page.keyboard.press("Tab")
        page.wait_for_load_state("networkidle")

    return run


def choose(name: str, label: str) -> Step:
    """Choose from the list with this name."""
    return lambda page, office: page.locator(f"select[name={name}]").select_option(label=label)


def tick(label: str) -> Step:
    """Press the words beside a box or a round button."""
    return lambda page, office: page.locator("label", has_text=label).first.click()


def open_menu(words: str) -> Step:
    """Open a menu by its words."""
    return lambda page, office: page.locator("summary", has_text=words).first.click()


def show(selector: str) -> Step:
    """Scroll until a part of the page stands near the top."""

    def run(page: Page, office: Office) -> None:
        page.locator(selector).first.evaluate(
            "node => window.scrollTo(0, node.getBoundingClientRect().top + window.scrollY - 80)"
        )

    return run


def present(*papers: int) -> Step:
    """Tick the papers at these places as there."""

    def run(page: Page, office: Office) -> None:
        for place in papers:
            page.locator(".paper").nth(place).locator(".segment-ok").click()

    return run


def work_on(step: str, place: int = 0) -> Callable[[Office], str]:
    """The page of a case that stands in a step."""
    return lambda office: f"/complaints/show/{office.case_at(step, place)}"


BEGIN: Final = press("Kerjakan", "Lanjutkan pengerjaan", "Ambil alih")


# --- the pictures, in the order of the guide ------------------------------------------------------

PICTURES: Final[tuple[Picture, ...]] = (
    # Everybody
    Picture("masuk", None, "/login/"),
    Picture("antrean", "petugas", "/"),
    Picture("antrean-hp", "petugas", "/", PHONE),
    Picture("daftar-pengaduan", "petugas", "/complaints/list/"),
    Picture("pengaduan", "petugas", work_on("dispatch", 1), height=1500),
    Picture("lembar-sop", "operator", "/sop/", height=1700),
    # Petugas Pengaduan
    Picture(
        "daftarkan",
        "petugas",
        "/complaints/add",
        steps=(
            tick("WhatsApp"),
            fill(
                handle="081200000099",
                applicant_name="Wahyu Contoh Lestari",
                nik="3325115502909999",
                kk_number="3325110101159999",
                phone="081200000099",
                address="Jl. Contoh No. 7",
                text="KK saya hilang, mohon dicetak ulang.",
            ),
            choose("category", "KK belum terbit, hilang, rusak, belum pecah, salah susunan"),
            present(0, 1),
        ),
        height=1100,
    ),
    Picture("berkas-intake", "petugas", work_on("intake"), steps=(BEGIN,), height=1300),
    Picture("berkas-perbaikan", "petugas", work_on("returned"), steps=(BEGIN,), height=1300),
    Picture("kirim", "petugas", work_on("dispatch"), steps=(BEGIN,), height=1200),
    Picture("pengiriman", "petugas", "/dispatches/list/"),
    # Operator
    Picture(
        "verifikasi-siak",
        "operator",
        work_on("siak_check"),
        steps=(BEGIN, tick("Ya, datanya sesuai")),
        height=1400,
    ),
    Picture(
        "jeda-tahap",
        "operator",
        "/queue/?step=siak_check",
        steps=(open_menu("Jeda waktu tahap ini"),),
    ),
    Picture("pencetakan", "operator", work_on("printing"), steps=(BEGIN,)),
    # Sub Koordinator
    Picture("pengajuan", "subkoordinator", work_on("certification"), steps=(BEGIN,), height=900),
    Picture(
        "massal-pilih",
        "subkoordinator",
        "/queue/?step=certification",
        steps=(lambda page, office: page.locator("[data-check-all]").check(),),
    ),
    Picture(
        "massal-konfirmasi",
        "subkoordinator",
        "/queue/?step=certification",
        steps=(
            lambda page, office: page.locator("[data-check-all]").check(),
            press("Ajukan sertifikasi"),
        ),
    ),
    # Kepala Dinas
    Picture("tanda-tangan-antrean-hp", "kepaladinas", "/", PHONE),
    Picture("tanda-tangan", "kepaladinas", work_on("signing", 1), steps=(BEGIN,), height=900),
    Picture("tanda-tangan-hp", "kepaladinas", work_on("signing", 2), PHONE, steps=(BEGIN,)),
    # Kepala Bidang
    Picture("grafik", "kepalabidang", "/", height=1500),
    # Admin TI
    Picture("administrasi", "admin", "/", height=1300),
    Picture("pengguna-tambah", "admin", "/users/add", height=1000),
    Picture("peran", "admin", lambda office: f"/roles/edit/{office.role('Operator')}", height=1000),
    Picture("standar-waktu", "admin", "/reference/standard_minutes/list/"),
    Picture("hari-libur", "admin", "/reference/holidays/list/"),
    Picture("jam-kerja", "admin", "/reference/working_hours/list/"),
    Picture("kategori", "admin", "/reference/categories/list/"),
)


# --- taking them ---------------------------------------------------------------------------------


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
    settings["PERMANENT_SESSION_LIFETIME"] = 20 * 365 * 24 * 3600
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
