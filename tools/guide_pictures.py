"""The pictures of the user guide, in its order: whose screen, which page, what is done on it.

Those that change the office (a batch signed, papers at the printer) stand after those that show
it unchanged. New screens are worked by selectors, so that no translation has to be there first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Page

DESK: Final = (1366, 768)
PHONE: Final = (390, 844)
#: The passphrase of the demo's certificate, as its signing page says.
PASSPHRASE: Final = "batang-demo-2026"
#: Yesterday's book, with a date, a NIK and a category that cannot be taken over.
REGISTER: Final = """No;Tanggal;Kanal;Nama;NIK;Uraian;Jenis;Status;Tanggal selesai
1;03/11/2025;WhatsApp;Wahyu Contoh;3325115502909998;KIA hilang;Kartu Identitas Anak;selesai;04/11/2025
2;31/02/2025;WhatsApp;Budi Contoh;3325111203859997;KIA rusak;Kartu Identitas Anak;selesai;04/11/2025
3;05/11/2025;Tatap muka;Siti Contoh;33251152039;KIA salah tulis;Kartu Identitas Anak;proses;
4;06/11/2025;Tatap muka;Joko Contoh;3325110101909996;Akta belum jadi;Akta;proses;
"""

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

    def receipt_of(self, step: str, place: int = 0) -> tuple[str, str]:
        """Number and PIN of such a case, as they stand on its receipt."""
        from app.extensions import db
        from app.models import Complaint

        key = self.case_at(step, place)
        with self.app.app_context():
            case = db.session.get_one(Complaint, key)
            return case.number, case.check_pin

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


def click(selector: str, then: str = "") -> Step:
    """Click a part of the page, and wait for what it brings."""

    def run(page: Page, office: Office) -> None:
        page.locator(selector).locator("visible=true").first.click()
        page.wait_for_load_state("networkidle")
        if then:
            page.locator(then).first.wait_for()

    return run


def type_receipt(step: str) -> Step:
    """Fill in number and PIN of a case on the public page, and ask."""

    def run(page: Page, office: Office) -> None:
        number, pin = office.receipt_of(step)
        page.fill("[name=number]", number)
        page.fill("[name=pin]", pin)
        page.keyboard.press("Enter")
        page.wait_for_load_state("networkidle")

    return run


def send_register(page: Page, office: Office) -> None:
    """Send a register with some cells that do not fit."""
    data = REGISTER.encode()
    page.set_input_files(
        "input[type=file]", {"name": "register-2025.csv", "mimeType": "text/csv", "buffer": data}
    )
    page.locator(".import-form [type=submit]").click()
    page.wait_for_load_state("networkidle")


def at_desk(step: str, place: int = 0) -> Callable[[Office], str]:
    """The dispatch desk with a case on it."""
    return lambda office: f"/desk/?case={office.receipt_of(step, place)[0]}"


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
    Picture("berkas-pengaduan", "petugas", work_on("printing", 1), steps=(show(".paper-files"),)),
    Picture("cek-hp", None, "/check/", PHONE, steps=(type_receipt("signing"),)),
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
    Picture("meja-pengiriman", "petugas", "/desk/"),
    Picture("meja-kirim-hp", "petugas", at_desk("dispatch"), PHONE),
    Picture("meja-tanpa-kabar", "petugas", "/desk/quiet"),
    Picture("pengiriman", "petugas", "/dispatches/list/"),
    Picture("pesan-pengaduan", "petugas", work_on("intake", 2), PHONE, (show("#messages"),)),
    Picture("pesan", "petugas", "/messages/list/"),
    Picture("impor", "petugas", "/import/", steps=(send_register,)),
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
    Picture("cetak-daftar", "operator", "/printing/"),
    Picture("pencetakan", "operator", work_on("printing"), steps=(BEGIN,)),
    Picture(
        "cetak-hasil-hp",
        "operator",
        "/printing/",
        PHONE,
        steps=(
            lambda page, office: page.locator("[name=output]").last.check(),
            click("[name=action][value=start]", ".print-batch"),
        ),
    ),
    Picture("blangko", "operator", "/blank-stock/show/1", height=1000),
    # Sub Koordinator
    Picture("pengajuan", "subkoordinator", work_on("certification"), steps=(BEGIN,), height=1200),
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
    Picture(
        "tanda-tangan",
        "kepaladinas",
        "/signing/",
        steps=(click(".sign-elsewhere summary"), show(".sign-card:has(details[open])")),
    ),
    Picture(
        "tanda-tangan-hp", "kepaladinas", "/signing/", PHONE, steps=(click("[data-sign-all]"),)
    ),
    Picture(
        "tanda-tangan-hasil-hp",
        "kepaladinas",
        "/signing/",
        PHONE,
        steps=(
            click("[data-sign-all]"),
            fill(passphrase=PASSPHRASE),
            click("button[form=sign-form]", "[data-finished]"),
        ),
    ),
    # Kepala Bidang
    Picture("grafik", "kepalabidang", "/", height=1500),
    Picture("laporan", "kepalabidang", "/reports/"),
    # Admin TI
    Picture("administrasi", "admin", "/", height=1300),
    Picture("pengguna-tambah", "admin", "/users/add", height=1000),
    Picture("peran", "admin", lambda office: f"/roles/edit/{office.role('Operator')}", height=1000),
    Picture("standar-waktu", "admin", "/reference/standard_minutes/list/"),
    Picture("hari-libur", "admin", "/reference/holidays/list/"),
    Picture("jam-kerja", "admin", "/reference/working_hours/list/"),
    Picture("kategori", "admin", "/reference/categories/list/"),
    Picture("penanda-tangan", "admin", "/reference/signatories/add", height=1300),
    Picture("teks-pesan", "admin", "/reference/message-texts/edit/3", height=1000),
)
