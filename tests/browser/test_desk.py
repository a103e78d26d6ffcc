"""The dispatch desk on a phone: one parcel after another by scanner, by camera and by picture."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.models import Complaint, Courier, Dispatch
from tests.support import samples
from tests.support.browser import axe_violations, launch_with, loaded, overflow
from tests.support.codes import code128_png, film_of, png, qr_picture
from tests.support.moments import MONDAY
from tests.support.parcels import parcel_of

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
PROOF = {"name": "resi.jpg", "mimeType": "image/jpeg", "buffer": samples.jpeg(640, 480)}
#: What the fake camera looks at.
SEEN = "PGD-2026-000001"


@pytest.fixture(scope="module")
def browser(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser whose camera shows the label of a case."""
    film = film_of(qr_picture(SEEN), Path(tmp_path_factory.mktemp("camera")) / "label.y4m")
    with launch_with(
        browser,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ) as started:
        yield started


def focused(window: Any) -> str:
    return str(window.evaluate("document.activeElement.id"))


def step_of(session: Any, case: Complaint) -> str:
    session.rollback()
    return str(session.get_one(Complaint, case.id).step_key)


def fine(window: Any) -> None:
    assert axe_violations(window) == []
    assert overflow(window) == []


def test_a_scanner_leads_from_one_parcel_to_the_next(
    page: Any, session: Any, make_case: Any
) -> None:
    """A USB scanner types a number and Enter; it never sends half a parcel."""
    first, second = make_case("dispatch"), make_case("dispatch")
    window = page("petugas", **PHONE)
    window.goto("/desk/")
    assert focused(window) == "case"
    fine(window)
    window.keyboard.type(first.number)
    window.keyboard.press("Enter")
    window.wait_for_url("**/desk/?case=*")
    fine(window)
    assert first.applicant_name in window.locator(".desk-to").inner_text()
    assert focused(window) == "courier", "no parcel was sent before: the courier is asked for"
    pos = session.scalars(select(Courier.id).where(Courier.code == "pos")).one()
    window.select_option("#courier", str(pos))
    assert focused(window) == "tracking_number"
    window.keyboard.type("P2611230000001")
    window.keyboard.press("Enter")
    assert focused(window) == "proof", "Enter leads to what is missing"
    assert step_of(session, first) == "dispatch"
    window.set_input_files("#proof", PROOF)
    window.wait_for_function("() => document.activeElement.matches('.form-buttons button')")
    window.keyboard.press("Enter")
    window.wait_for_url("**/desk/")
    assert step_of(session, first) == "done"
    assert focused(window) == "case", "ready for the next one"
    assert "P2611230000001" in window.locator("#sent").inner_text()
    fine(window)

    window.keyboard.type(str(int(second.number[-6:])))
    window.keyboard.press("Enter")
    window.wait_for_url("**/desk/?case=*")
    assert window.locator("#courier").input_value() == str(pos), "the courier is remembered"
    assert focused(window) == "tracking_number"
    window.keyboard.type("p26 1123 0000001")
    window.locator("#tracking_number-findings .finding-error").wait_for()
    assert first.number in window.locator("#tracking_number-findings").inner_text()
    window.watched.expect(422)
    window.set_input_files("#proof", PROOF)
    window.wait_for_function("() => document.activeElement.matches('.form-buttons button')")
    window.keyboard.press("Enter")
    window.locator("#tracking_number-errors").wait_for()
    assert first.number in window.locator("#tracking_number-errors").inner_text()
    assert window.locator("[data-staged] [data-staged-file]").count() == 1, "the photo is kept"
    loaded(window)
    fine(window)
    window.fill("#tracking_number", "P2611230000002")
    window.press("#tracking_number", "Enter")  # nothing is missing any more: it is sent
    window.wait_for_url("**/desk/")
    assert step_of(session, second) == "done"


def test_the_camera_reads_the_label(page: Any, session: Any, make_case: Any) -> None:
    case = make_case("dispatch", at=MONDAY)
    assert case.number == SEEN, "the film shows the first case of that year"
    window = page("petugas", **PHONE, permissions=["camera"])
    window.goto("/desk/")
    assert not [url for url in window.watched.requests if "zxing" in url], "fetched when wanted"
    window.click("[data-scan=case]")
    window.wait_for_url("**/desk/?case=*", timeout=30_000)
    assert case.applicant_name in window.locator(".desk-to").inner_text()
    assert [url for url in window.watched.requests if "zxing" in url]

    # The same label before the box for the resi is no resi; the camera goes on looking.
    window.click("[data-scan=tracking_number]")
    words = window.locator("[data-scan-words]")
    window.wait_for_function(
        "() => document.querySelector('[data-scan-words]').textContent ==="
        " document.querySelector('[data-scan-dialog]').dataset.tCase",
        timeout=30_000,
    )
    assert words.is_visible()
    fine(window)
    window.click("[data-scan-close]")
    assert window.locator("#tracking_number").input_value() == ""
    # A dialog says that it is closed a moment later; then the focus goes where the number belongs.
    window.wait_for_function("() => document.activeElement.id === 'tracking_number'")
    assert window.evaluate("document.querySelector('[data-scan-video]').srcObject === null")


def test_a_picture_of_the_code_does_where_there_is_no_camera(
    page: Any, session: Any, make_case: Any
) -> None:
    case = make_case("dispatch")
    window = page("petugas", **PHONE)
    window.add_init_script("delete Navigator.prototype.mediaDevices")
    window.goto(f"/desk/?case={case.number}")
    window.click("[data-scan=tracking_number]")
    window.wait_for_function(
        "() => document.querySelector('[data-scan-words]').textContent ==="
        " document.querySelector('[data-scan-dialog]').dataset.tNoCamera"
    )
    picture = "#scan-picture"
    blank = {"name": "kosong.jpg", "mimeType": "image/jpeg", "buffer": samples.jpeg(640, 480)}
    window.set_input_files(picture, blank)
    window.wait_for_function(
        "() => document.querySelector('[data-scan-words]').textContent ==="
        " document.querySelector('[data-scan-dialog]').dataset.tNothing"
    )
    link = png(qr_picture("https://courier.example/track?resi=P2611230000007"))
    window.set_input_files(picture, {"name": "kurir.png", "mimeType": "image/png", "buffer": link})
    window.wait_for_function(
        "() => document.querySelector('[data-scan-words]').textContent ==="
        " document.querySelector('[data-scan-dialog]').dataset.tOther"
    )
    code = {"name": "resi.png", "mimeType": "image/png", "buffer": code128_png("P2611230000007")}
    window.set_input_files(picture, code)
    window.wait_for_function("() => document.getElementById('tracking_number').value")
    assert window.locator("#tracking_number").input_value() == "P2611230000007"
    assert not window.locator("[data-scan-dialog]").is_visible()
    window.wait_for_function("() => document.activeElement.id === 'courier'")

    window.goto("/desk/")
    window.click("[data-scan=case]")
    label = {"name": "label.png", "mimeType": "image/png", "buffer": png(qr_picture(case.number))}
    window.set_input_files(picture, label)
    window.wait_for_url("**/desk/?case=*")
    assert case.number in window.locator("h1").inner_text()


def test_the_courier_s_page_opens_with_the_number_copied(
    page: Any, session: Any, make_case: Any
) -> None:
    case = make_case("done")
    parcel = parcel_of(session, case)
    parcel.sent_at = datetime.now(UTC) - timedelta(days=9)
    number = parcel.tracking_number
    session.commit()
    window = page("petugas", **PHONE, permissions=["clipboard-read", "clipboard-write"])
    window.context.route("https://**", lambda route: route.abort())
    window.goto("/desk/quiet")
    fine(window)
    link = window.locator("[data-copy-first]")
    assert link.get_attribute("href") == parcel.courier.tracking_page
    with window.expect_popup() as opened:
        link.click()
    window.bring_to_front()
    assert window.evaluate("navigator.clipboard.readText()") == number
    assert number in window.locator("[data-copy-words]").inner_text()
    opened.value.close()
    window.fill(f"#news-{parcel.id}", "Tiba di Kantor Pos Batang")
    window.click(".desk-news button")
    window.locator(".empty").wait_for()
    session.rollback()
    assert session.get_one(Dispatch, parcel.id).news == "Tiba di Kantor Pos Batang"
