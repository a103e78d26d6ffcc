"""The registration page in a real browser: quick by keyboard, nothing lost, usable without scripts."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.models import Category, Complaint, StagedUpload
from tests.support import samples
from tests.support.browser import axe_violations, loaded, overflow

pytestmark = pytest.mark.browser

ADD = "/complaints/add"
NIK = "3325014502909901"
PHOTO = {"name": "kk.jpg", "mimeType": "image/jpeg", "buffer": samples.jpeg(900, 600)}
SCAN = {"name": "ktp.pdf", "mimeType": "application/pdf", "buffer": samples.pdf()}
LIE = {"name": "bohong.pdf", "mimeType": "application/pdf", "buffer": samples.EXE}


@pytest.fixture
def categories(session):
    """Keys of categories by code."""
    return {code: str(key) for key, code in session.execute(select(Category.id, Category.code))}


def choose(opened, channel):
    opened.locator(".channel", has_text=channel).click()


def papers(opened):
    return opened.locator("[data-paper]")


def tick(opened, paper, state):
    opened.locator("[data-paper]", has_text=paper).locator(
        f"label:has(input[value={state}])"
    ).click()


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_clean_empty_filled_and_refused(page, categories, make_case, size, theme):
    nik = make_case("intake").nik
    opened = page("petugas", width=size[0], height=size[1], color_scheme=theme)
    opened.watched.expect(422)
    opened.goto(ADD)
    assert axe_violations(opened) == []
    assert overflow(opened) == []
    choose(opened, "WhatsApp")
    opened.fill("#applicant_name", "Siti")
    opened.fill("#nik", nik)
    opened.select_option("#category", categories["BEDA_DATA"])
    tick(opened, "KTP", "unreadable")
    opened.set_input_files("#files", [PHOTO, LIE])
    opened.wait_for_selector("img.staged-thumb")
    opened.wait_for_selector(".staged-file.is-failed")
    opened.wait_for_selector("[data-duplicates-box]:not([hidden])")
    assert axe_violations(opened) == []
    assert overflow(opened) == []
    opened.click("button[value=save]")
    opened.wait_for_selector("[data-error-summary]")
    assert axe_violations(opened) == []
    assert overflow(opened) == []


def test_a_case_is_registered_by_keyboard_alone(page, session, categories):
    opened = page("petugas")
    opened.goto(ADD)
    opened.keyboard.press("Space")  # the first channel has the focus: at the counter
    assert opened.is_hidden("#received_at")
    opened.keyboard.press("Enter")
    for text in ("Budi Contoh", NIK, "3325010101100007", "0812-0000-0007", "", "Jl. Contoh 1"):
        opened.keyboard.type(text)
        opened.keyboard.press("Enter")
    opened.focus("#kecamatan")
    opened.keyboard.type("Batang")
    opened.keyboard.press("Enter")
    assert opened.evaluate("document.activeElement.id") == "region"
    opened.select_option("#category", categories["KTPEL_BELUM_CETAK"])
    opened.fill("#text", "KTP-el saya belum jadi.")
    opened.press("#text", "Control+Enter")
    opened.wait_for_url("**/complaints/show/*")
    case = session.scalars(select(Complaint)).one()
    assert (case.applicant_name, case.nik, case.address) == ("Budi Contoh", NIK, "Jl. Contoh 1")
    assert case.kecamatan.name == "Batang"


def test_papers_follow_the_category_and_keep_what_was_ticked(page, categories):
    opened = page("petugas")
    opened.goto(ADD)
    assert papers(opened).count() == 0
    opened.select_option("#category", categories["BEDA_DATA"])
    assert papers(opened).count() == 8
    tick(opened, "KK asli", "unreadable")
    opened.locator("[data-paper]", has_text="KK asli").locator("input.form-control").fill("buram")
    opened.select_option("#category", categories["AKTA_LAHIR"])
    kept = opened.locator("[data-paper]", has_text="KK asli")
    assert kept.locator("input[value=unreadable]").is_checked()
    assert kept.locator("input.form-control").input_value() == "buram"
    assert opened.is_hidden("[data-first-ktp]")
    opened.select_option("#category", categories["KTPEL_BELUM_CETAK"])
    assert opened.is_visible("[data-first-ktp]")
    opened.click("[data-papers-all]")
    assert opened.locator("input[value=present]:checked").count() == 1
    assert opened.is_hidden("[data-papers-all]")


def test_files_are_sent_at_once_said_to_be_something_looked_at_and_taken_back(
    page, session, categories
):
    opened = page("petugas")
    opened.watched.expect(422)
    opened.goto(ADD)
    opened.select_option("#category", categories["BEDA_DATA"])
    row = opened.locator("[data-paper]", has_text="KK asli")
    with opened.expect_file_chooser() as chooser:
        row.locator("[data-paper-attach]").click()
    chooser.value.set_files(PHOTO)
    opened.wait_for_selector("img.staged-thumb")
    assert row.locator("input[value=present]").is_checked()
    chosen = opened.locator("[data-staged-file] select")
    assert "KK asli" in chosen.evaluate("(select) => select.selectedOptions[0].textContent")
    opened.set_input_files("#files", [SCAN, LIE])
    opened.wait_for_selector(".staged-file.is-failed")
    assert opened.locator("[data-staged-file]").count() == 3
    opened.click("img.staged-thumb")
    opened.locator("[data-preview] img").wait_for()
    opened.keyboard.press("Escape")
    assert opened.locator("[data-preview]").is_hidden()
    with opened.expect_response(re.compile("/delete$")) as answer:
        opened.locator("[data-staged-file]", has_text="ktp.pdf").locator("button").click()
    assert answer.value.status == 204
    session.commit()
    assert session.scalars(select(StagedUpload.original_name)).all() == ["kk.jpg"]


def test_a_refused_form_holds_everything_and_goes_through_when_mended(page, session, categories):
    opened = page("petugas")
    opened.watched.expect(422)
    opened.goto(ADD)
    choose(opened, "WhatsApp")
    opened.fill("#handle", "0812-0000-0007")
    opened.fill("#applicant_name", "Budi Contoh")
    assert opened.input_value("#phone") == "0812-0000-0007"  # the way back, taken over
    opened.select_option("#category", categories["KIA"])
    opened.fill("#text", "KIA anak saya\nbelum jadi.")
    opened.set_input_files("#files", [PHOTO])
    opened.wait_for_selector("img.staged-thumb")
    opened.click("button[value=forward]")
    opened.wait_for_selector("[data-error-summary]")
    assert opened.input_value("#text") == "KIA anak saya\nbelum jadi."
    assert opened.locator(".channel input:checked").count() == 1
    assert opened.locator("img.staged-thumb").count() == 1
    loaded(opened)
    assert papers(opened).count() == 4
    opened.locator("[data-error-summary] a").first.click()
    opened.fill("#address", "Jl. Contoh 1")
    opened.click("[data-papers-all]")
    opened.click("button[value=forward]")
    opened.wait_for_url("**/complaints/show/*")
    session.commit()
    case = session.scalars(select(Complaint)).one()
    assert case.step_key == "siak_check"
    assert [document.original_name for document in case.documents] == ["kk.jpg"]


def test_without_scripts_the_page_works_as_well(page, session, categories):
    opened = page("petugas", java_script_enabled=False)
    opened.watched.expect(422)
    opened.goto(ADD)
    opened.check(".channel:nth-child(2) input")
    opened.select_option("#category", categories["KTPEL_BELUM_CETAK"])
    opened.click("button[value=refresh]")
    papers(opened).first.wait_for()
    assert papers(opened).count() == 2
    opened.check("[data-paper]:nth-child(1) input[value=present]", force=True)
    opened.select_option("#region", label="Silurah")
    opened.fill("#text", "KTP-el saya belum jadi.")
    opened.set_input_files("#files", [PHOTO, SCAN])
    opened.click("button[value=save]")  # no name yet
    opened.wait_for_selector("[data-error-summary]")
    assert opened.locator("[data-staged-file]").count() == 2
    loaded(opened)
    opened.fill("#applicant_name", "Budi Contoh")
    opened.click("button[value=save]")
    opened.wait_for_url("**/complaints/show/*")
    session.commit()
    case = session.scalars(select(Complaint)).one()
    assert [document.original_name for document in case.documents] == ["kk.jpg", "ktp.pdf"]
    assert case.region.name == "Silurah"
    assert {check.state for check in case.checks} == {"present", "unchecked"}
