"""The main job as the office does it: five officers, one complaint that came by WhatsApp.

Registered, returned for an unreadable KTP, resubmitted, a mismatch at SIAK, resubmitted, matched,
submitted, signed with the signed PDF attached, printed, sent with proof; then its history and the
chart show its minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.models import Category, Complaint, Courier, DocumentKind
from tests.support import samples, signed
from tests.support.panel import OFFICERS

pytestmark = pytest.mark.browser

PHOTO = {"name": "ktp.jpg", "mimeType": "image/jpeg", "buffer": samples.jpeg(900, 600)}
SCAN = {"name": "kk.pdf", "mimeType": "application/pdf", "buffer": samples.pdf()}
SIGNED = {**SCAN, "name": "kk-tte.pdf", "buffer": signed.signed_pdf()}
PROOF = {"name": "resi.jpg", "mimeType": "image/jpeg", "buffer": samples.jpeg(640, 480)}
NAME = "Wulan Contoh"
MOVES = (
    "verify_file", "siak_match", "submit_certification", "sign", "confirm_printed", "send",
)  # fmt: skip


class Office:
    """The officers at their windows."""

    def __init__(self, page: Callable[..., Any], session: Any) -> None:
        self.page, self.session = page, session
        self.windows: dict[str, Any] = {}
        self.case_id = 0

    def window(self, officer: str) -> Any:
        if officer not in self.windows:
            self.windows[officer] = self.page(officer)
        return self.windows[officer]

    def step(self) -> str:
        self.session.rollback()  # a fresh look: the server writes through its own connections
        return self.session.get_one(Complaint, self.case_id).step_key

    def take(self, officer: str) -> Any:
        """From the queue into the work form: one press of *Kerjakan*."""
        window = self.window(officer)
        window.goto("/queue/")
        row = window.locator("tr, li, article").filter(has_text=NAME).last
        row.get_by_role("button", name="Kerjakan").click()
        window.wait_for_url("**/complaints/work/*")
        return window

    def move(self, window: Any, key: str, *, confirm: bool = False) -> None:
        window.click(f"button[name=transition][value={key}]")
        if confirm:
            window.click("[data-dialog-ok]")
        window.wait_for_url("**/complaints/show/*")


@pytest.fixture
def desk(page: Callable[..., Any], session: Any) -> Office:
    return Office(page, session)


def kind_id(session: Any, code: str) -> int:
    return session.scalars(select(DocumentKind.id).where(DocumentKind.code == code)).one()


def attach(window: Any, field: str, file: dict[str, Any]) -> None:
    """Choose a file and wait until it is staged."""
    zone = window.locator(f"[data-dropzone][data-name={field}]")
    details = window.locator(f"details:has([data-dropzone][data-name={field}])")
    if details.count() and not details.evaluate("node => node.open"):
        details.locator("summary").click()
    zone.locator("input[type=file]").first.set_input_files(file)
    zone.locator("[data-staged] li").first.wait_for()
    window.wait_for_function(
        "name => document.querySelector(`[data-name=${name}] input[type=hidden]`)?.value",
        arg=field,
    )


def choose(window: Any, name: str, value: str) -> None:
    window.locator(f"label:has(input[name={name}][value={value}])").click()


def test_a_complaint_passes_through_the_whole_office(desk: Office, session: Any) -> None:
    ktp, kk = kind_id(session, "ktp_asli"), kind_id(session, "kk_asli")
    category = session.scalars(select(Category.id).where(Category.code == "BEDA_DATA")).one()

    # 1: registered, the KTP cannot be read.
    window = desk.window("petugas")
    window.goto("/complaints/add")
    window.locator(".channel", has_text="WhatsApp").click()
    window.fill("#handle", "081200000044")
    window.fill("#applicant_name", NAME)
    window.fill("#nik", "3325014502909904")
    window.fill("#phone", "0812-0000-0044")
    window.fill("#address", "Jl. Contoh 4")
    window.select_option("#category", str(category))
    window.fill("#text", "Tanggal lahir di KTP berbeda dengan akta.")
    window.locator(f"[data-paper='{kk}'] label:has(input[value=present])").click()
    window.locator(f"[data-paper='{ktp}'] label:has(input[value=unreadable])").click()
    window.set_input_files("#files", [PHOTO, SCAN])
    window.wait_for_function("document.querySelectorAll('[data-staged] input[type=hidden]').length")
    window.click("button[value=save]")
    window.wait_for_url("**/complaints/show/*")
    desk.case_id = int(window.url.rsplit("/", 1)[1].split("?")[0].split("#")[0])
    assert desk.step() == "intake"
    case = session.get_one(Complaint, desk.case_id)
    assert {document.media_type for document in case.documents} == {
        "image/jpeg",
        "application/pdf",
    }

    window.goto(f"/complaints/work/{desk.case_id}")
    desk.move(window, "request_completion", confirm=True)
    assert desk.step() == "returned"

    # The applicant sends a better photo; the same number goes on.
    window.goto(f"/complaints/work/{desk.case_id}")
    attach(window, f"files_{ktp}", PHOTO)
    desk.move(window, "resubmit")
    assert desk.step() == "intake"
    window = desk.take("petugas")
    assert not window.locator(f"input[name=state_{kk}]").count(), "an accepted paper is closed"
    choose(window, f"state_{ktp}", "present")
    desk.move(window, "verify_file")
    assert desk.step() == "siak_check"

    # 2: SIAK says something else; back once more.
    window = desk.take("operator")
    choose(window, "result", "mismatch")
    choose(window, "differences", "tanggal_lahir")
    window.fill("#reason", "Tanggal lahir di SIAK 12 Maret.")
    desk.move(window, "siak_mismatch", confirm=True)
    assert desk.step() == "returned"
    window = desk.window("petugas")
    window.goto(f"/complaints/work/{desk.case_id}")
    desk.move(window, "resubmit")
    window = desk.take("petugas")
    desk.move(window, "verify_file")
    window = desk.take("operator")
    choose(window, "result", "match")
    window.fill("#draft_reference", "BIO-2026-0044")
    desk.move(window, "siak_match")
    assert desk.step() == "certification"

    # 3 to 5: submitted, signed with the signed PDF, printed.
    window = desk.take("subkoordinator")
    desk.move(window, "submit_certification")
    assert desk.step() == "signing"
    window = desk.take("kepala")
    for zone in window.locator("[data-dropzone]").all():
        attach(window, zone.get_attribute("data-name"), SIGNED)
    desk.move(window, "sign")
    assert desk.step() == "printing"
    window = desk.take("operator")
    desk.move(window, "confirm_printed")
    assert desk.step() == "dispatch"

    # 6: sent with its proof.
    window = desk.take("petugas")
    courier = session.scalars(select(Courier.id).where(Courier.code == "pos")).one()
    window.select_option("#courier", str(courier))
    window.fill("#tracking_number", "P2611230000044")
    attach(window, "proof", PROOF)
    desk.move(window, "send")
    assert desk.step() == "done"

    # The history names everybody, and every finished run has its minutes.
    session.rollback()
    case = session.get_one(Complaint, desk.case_id)
    assert case.round == 3
    window.goto(f"/complaints/show/{desk.case_id}")
    history = window.locator("#history").inner_text()
    for officer in ("petugas", "operator", "subkoordinator", "kepala"):
        assert OFFICERS[officer].name in history
    assert "BIO-2026-0044" in window.locator("main").inner_text()
    assert history.count("standar") >= len(MOVES)
    assert all(run.work_seconds is not None for run in case.runs)
    assert {run.transition for run in case.runs} >= set(MOVES)

    # The head of department sees its minutes in the chart; midnight may have come meanwhile.
    window = desk.window("kabid")
    window.goto("/charts/steps/?period=7d")
    rows = window.locator("table").first.locator("tbody tr")
    cells = {row.locator("th").inner_text(): row.inner_text().split("\t") for row in rows.all()}
    assert len(cells) == 6
    siak = next(texts for name, texts in cells.items() if "Verifikasi SIAK" in name)
    # The number leads to its cases, which a screen reader hears behind it.
    assert "2" in [text.split("(")[0].strip() for text in siak], (
        "two stays at the SIAK check have ended"
    )
