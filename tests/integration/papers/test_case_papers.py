"""Receipt, return slip, cover of the drafts and letter of a case, read back from their PDFs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.models import BlankStock, BlankWait, DocumentKind, Signatory
from app.models import Office as OfficeRow
from app.services.casework import OutputInput, name_outputs
from app.services.facts import current_outputs
from app.services.papers.words import day, moment
from app.services.transitions import apply_transition
from tests.support.moments import office_day
from tests.support.papers import PrintedPaper

A4 = (210, 297)
APPLICANT = {
    "applicant_name": "Kartini Pemohonwati",
    "nik": "3325014107909907",
    "kk_number": "3325010101909909",
    "phone": "+6281200000007",
    "address": "Jalan Contoh Nomor Tujuh",
    "text": "Nama saya salah tulis di kartu keluarga.",
}


# --- receipt --------------------------------------------------------------------------------------


def test_a_receipt_says_who_complained_of_what_when_and_to_whom(make_case, printed) -> None:
    case = make_case("intake", **APPLICANT)
    paper = printed(f"/papers/receipt/{case.id}")
    assert paper.sizes == [A4]
    for words in (
        "TANDA TERIMA PENGADUAN",
        case.number,
        case.check_pin,
        "Kartini Pemohonwati",
        "Jalan Contoh Nomor Tujuh",
        "Nama saya salah tulis",
        case.category.label_id,
        case.channel.label_id,
        moment(case.received_at),
        case.registered_by.get_full_name(),
        f"paling lambat : {day(case.class_due)}",
        "localhost/check",
        "tidak dipungut biaya",
    ):
        assert words in paper.text, words
    assert all(paper.fonts.values())


@pytest.mark.parametrize("size", ["a4", "80mm"])
def test_the_receipts_qr_code_is_the_bare_number(make_case, printed, size) -> None:
    case = make_case("intake")
    paper = printed(f"/papers/receipt/{case.id}?size={size}")
    assert paper.codes() == {("QRCode", case.number)}
    assert case.check_pin in paper.text
    assert "localhost/check" in paper.text
    assert paper.sizes[0][0] == (80 if size == "80mm" else 210)


@pytest.mark.parametrize("size", ["a4", "80mm"])
def test_a_receipt_that_is_lost_gives_no_numbers_away(make_case, printed, size) -> None:
    case = make_case("intake", **APPLICANT)
    paper = printed(f"/papers/receipt/{case.id}?size={size}")
    for secret in (case.nik, case.kk_number, "081200000007", "+6281200000007"):
        assert secret not in paper.text
    assert case.nik[:6] in paper.text


def test_the_papers_handed_in_are_ticked_off(make_case, printed, session) -> None:
    case = make_case("intake", checked=False, files=False)
    first = next(check for check in case.checks if check.required)
    first.state = "unreadable"
    session.commit()
    text = printed(f"/papers/receipt/{case.id}").text
    assert f"{first.kind.label_id} tidak terbaca" in text
    assert "belum diperiksa" in text


def test_the_letterhead_is_the_offices_and_blank_where_it_says_nothing(
    make_case, printed, session
) -> None:
    case = make_case("intake")
    row = session.scalars(select(OfficeRow)).one()
    row.phone, row.address, row.website = "", "", "https://kantor.example.go.id/"
    session.commit()
    text = printed(f"/papers/receipt/{case.id}").text
    assert "PEMERINTAH KABUPATEN BATANG DINAS KEPENDUDUKAN DAN PENCATATAN SIPIL" in text
    assert "Telepon ………" in text
    assert "kantor.example.go.id ·" in text
    row.phone, row.address = "(0285) 000000", "Jalan Baru Nomor 9"
    session.commit()
    text = printed(f"/papers/receipt/{case.id}").text
    assert "Telepon (0285) 000000" in text
    assert "Jalan Baru Nomor 9" in text


def test_papers_are_indonesian_whoever_prints_them(make_case, login) -> None:
    case, client = make_case("intake"), login("petugas")
    with client.session_transaction() as kept:
        kept["locale"] = "en"
    text = PrintedPaper(client.get(f"/papers/receipt/{case.id}").data).text
    assert case.category.label_id in text
    assert moment(case.received_at) in text


def test_the_configured_address_stands_on_the_receipt(make_case, login, app) -> None:
    case = make_case("intake")
    app.config["PUBLIC_URL"] = "https://aduan.example.go.id"
    paper = PrintedPaper(login("petugas").get(f"/papers/receipt/{case.id}").data)
    assert "buka aduan.example.go.id/check," in paper.text


# --- return slip ----------------------------------------------------------------------------------


def test_a_return_slip_names_each_paper_that_failed(make_case, printed, session) -> None:
    case = make_case("returned", **APPLICANT)
    failed = [check for check in case.checks if check.state == "unreadable"]
    failed[0].note = "Foto terlalu gelap"
    session.commit()
    paper = printed(f"/papers/return-slip/{case.id}")
    assert paper.sizes == [A4]
    for words in (
        "LEMBAR PENGEMBALIAN BERKAS",
        f"1 {failed[0].kind.label_id} tidak terbaca Foto terlalu gelap",
        f"paling lambat {day(case.step_since + timedelta(days=30))}",
        "Nomor ini tetap berlaku",
    ):
        assert words in paper.text, words
    assert case.nik not in paper.text
    assert paper.codes() == {("QRCode", case.number)}


def test_what_was_told_then_is_what_the_slip_says(
    make_case, printed, session, office, actor
) -> None:
    case = make_case("intake")
    make_case.record_facts(case, "request_completion")
    told = {"label": "Foto KK asli", "label_en": "Photo", "state": "missing", "note": "Bawa asli"}
    apply_transition(
        session,
        office,
        case,
        "request_completion",
        actor("petugas"),
        now=make_case.now(case),
        reason="Mohon segera",
        details={"items": [told], "ask_again": [{"label": "Foto ijazah", "label_en": "Diploma"}]},
    )
    session.commit()
    text = printed(f"/papers/return-slip/{case.id}").text
    assert "1 Foto KK asli belum ada Bawa asli" in text
    assert "Foto ijazah" in text
    assert "Mohon segera" in text
    assert "Photo" not in text
    assert "tidak terbaca" not in text  # as the list says by now


def test_a_slip_after_the_siak_check_names_the_data_that_differ(
    make_case, printed, session
) -> None:
    case = make_case("returned", path=("verify_file", "siak_mismatch"))
    text = printed(f"/papers/return-slip/{case.id}").text
    assert "berbeda dengan data kependudukan (SIAK)" in text
    assert "1 Nama" in text
    assert "Berkas yang harus dilengkapi" not in text


@pytest.mark.parametrize("step", ["intake", "siak_check", "done", "withdrawn"])
def test_there_is_no_slip_for_a_case_that_does_not_wait(make_case, login, step) -> None:
    case, client = make_case(step), login("petugas")
    again = client.get(f"/papers/return-slip/{case.id}", headers={"Accept": "application/json"})
    assert (again.status_code, again.json["error"]) == (422, "paper_not_returned")


# --- cover of the drafts --------------------------------------------------------------------------


@pytest.mark.both
def test_the_cover_names_the_drafts_and_who_has_seen_them(make_case, printed, session) -> None:
    case = make_case("signing", **APPLICANT)
    output = current_outputs(session, case)[0]
    output.reference = "KK/2026/0007"
    session.commit()
    paper = printed(f"/papers/draft/{case.id}", "subkoordinator")
    assert paper.sizes == [A4]
    for words in (
        "LEMBAR PENGANTAR DRAFT DOKUMEN",
        case.nik,
        case.kk_number,
        "DRAFT-001",
        output.kind.label_id,
        "KK/2026/0007",
        "Paraf",
    ):
        assert words in paper.text, words
    officers = {run.finished_by_id for run in case.runs if run.finished_at}
    assert len(officers) == 3
    assert paper.codes() == {("QRCode", case.number)}


def test_a_step_to_which_the_case_came_back_is_open_again(make_case, printed) -> None:
    back = make_case("certification")
    before = printed(f"/papers/draft/{back.id}").text
    make_case.move(back, "send_back_to_check", reason="Salah nama")
    make_case.session.commit()
    after = printed(f"/papers/draft/{back.id}").text
    assert before.count("pukul") > after.count("pukul")


def test_there_is_no_cover_before_there_is_anything_to_submit(make_case, login) -> None:
    case = make_case("siak_check")
    answer = login("operator").get(
        f"/papers/draft/{case.id}", headers={"Accept": "application/json"}
    )
    assert (answer.status_code, answer.json["error"]) == (422, "paper_no_draft")


# --- letter while cards are gone ------------------------------------------------------------------


@pytest.fixture
def on_card(make_case, session, office, actor):
    """`on_card(balance)`: a case whose KTP-el is to be printed on a card, so many being left."""

    def make(balance: int):
        kind = session.scalars(select(DocumentKind).where(DocumentKind.code == "ktp_el")).one()
        if kind.blank_id is None:
            stock = BlankStock(code="uji", label_id="Blangko uji", label_en="Test card")
            session.add(stock)
            session.flush()
            kind.blank_id = stock.id
        session.execute(
            update(BlankStock).where(BlankStock.id == kind.blank_id).values(balance=balance)
        )
        case = make_case("certification", **APPLICANT)
        wanted = [OutputInput(kind.id)]
        name_outputs(
            session, office, case, wanted, actor("subkoordinator"), now=make_case.now(case)
        )
        session.commit()
        return case

    return make


def letter(client, case):
    return client.get(f"/papers/processing/{case.id}", headers={"Accept": "application/json"})


@pytest.mark.both
def test_the_letter_says_what_waits_since_when(on_card, printed, session, login) -> None:
    case = on_card(0)
    output = current_outputs(session, case)[0]
    since = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    session.add(
        BlankWait(
            blank_id=output.kind.blank_id, complaint_id=case.id, output_id=output.id, since=since
        )
    )
    session.commit()
    here = f"/papers/processing/{case.id}"
    assert f'href="{here}"' in login("petugas").get(f"/complaints/show/{case.id}").text
    paper = printed(here)
    assert paper.sizes == [A4]
    for words in (
        "SURAT KETERANGAN DALAM PROSES",
        "Nomor: …",
        case.nik,
        "Kartini Pemohonwati",
        case.number,
        "KTP-el",
        "20 November 2026",
        "bukan pengganti dokumen",
    ):
        assert words in paper.text, words
    assert paper.codes() == {("QRCode", case.number)}


def test_a_gone_stock_is_enough_for_the_letter(on_card, printed) -> None:
    assert "KTP-el" in printed(f"/papers/processing/{on_card(0).id}").text


def test_there_is_no_letter_while_cards_are_left_and_nobody_waits(on_card, login) -> None:
    answer = letter(login("petugas"), on_card(5))
    assert (answer.status_code, answer.json["error"]) == (422, "paper_nothing_waits")


def test_there_is_no_letter_for_a_paper_that_is_on_plain_paper(make_case, login) -> None:
    answer = letter(login("petugas"), make_case("signing"))
    assert (answer.status_code, answer.json["error"]) == (422, "paper_nothing_waits")


@pytest.fixture
def signatory(session, user):
    session.execute(Signatory.__table__.delete())

    def add(**facts):
        today = office_day()
        values = {
            "user_id": user("kepala").id,
            "name": "Dra. Contoh Pejabat, M.Si.",
            "position": "Kepala Dinas Contoh",
            "valid_from": today - timedelta(days=30),
            **facts,
        }
        session.add(Signatory(**values))
        session.commit()

    return add


def test_the_letter_is_signed_by_who_is_in_office(on_card, printed, signatory) -> None:
    case = on_card(0)
    signatory(nip="000000000000000001")
    text = printed(f"/papers/processing/{case.id}").text
    assert "Kepala Dinas Contoh, Dra. Contoh Pejabat, M.Si." in text
    assert "NIP 000000000000000001" in text
    assert "Plt." not in text


@pytest.mark.both
def test_an_acting_head_signs_in_place_of_the_head(on_card, printed, signatory) -> None:
    case = on_card(0)
    signatory()
    signatory(name="Contoh Pengganti, S.H.", capacity="plt", decree_number="800/01")
    text = printed(f"/papers/processing/{case.id}").text
    assert "Plt. Kepala Dinas Contoh, Contoh Pengganti, S.H." in text
    assert "Contoh Pejabat" not in text


def test_who_is_no_longer_in_office_does_not_sign(on_card, printed, signatory) -> None:
    case = on_card(0)
    signatory(valid_to=office_day() - timedelta(days=2))
    text = printed(f"/papers/processing/{case.id}").text
    assert "Contoh Pejabat" not in text
    assert "NIP ………" in text
