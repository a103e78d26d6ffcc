"""The dry run: every cell that does not fit, by row and column, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Category, Complaint, ImportRun
from app.services.calendar import OFFICE_ZONE
from app.services.storage import Store
from app.services.uploads import verify_store
from tests.support.looking import page_faults
from tests.support.panel import post
from tests.support.registers import RIGHT, csv_file, row, xlsx

Send = Callable[..., Any]


def day(back: int) -> str:
    return f"{datetime.now(OFFICE_ZONE) - timedelta(days=back):%d/%m/%Y}"


def seen(client: FlaskClient, answer: Any) -> str:
    assert answer.status_code == 303, answer.text
    post(client, "/lang/en")
    page = client.get(answer.location)
    assert page.status_code == 200
    assert page_faults(page.text) == []
    return str(page.text)


#: What is wrong with one cell of a row, the column that is named, and a word of the reason.
WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no date": ({"Tanggal": ""}, "Tanggal", "filled in"),
    "a date in words": ({"Tanggal": "kemarin"}, "Tanggal", "not a date"),
    "a date of the future": ({"Tanggal": "03/07/2090"}, "Tanggal", "future"),
    "a date of long ago": ({"Tanggal": "03/07/2001"}, "Tanggal", "ten years"),
    "no time": ({"Jam": "pagi"}, "Jam", "not a time"),
    "no channel": ({"Kanal": ""}, "Kanal", "filled in"),
    "an unknown channel": ({"Kanal": "Merpati pos"}, "Kanal", "Merpati pos is not in the list"),
    "no name": ({"Nama": "  "}, "Nama", "filled in"),
    "a name without an end": ({"Nama": "x" * 121}, "Nama", "At most 120"),
    "an unknown sex": ({"JK": "X"}, "JK", "L or P"),
    "a short NIK": ({"NIK": "123"}, "NIK", "16 digits"),
    "a NIK taken for a number": ({"NIK": 3325014502909917}, "NIK", "lost its last digits"),
    "an impossible NIK": ({"NIK": "3325013902909917"}, "NIK", "01 to 31"),
    "a short KK": ({"No KK": "99"}, "No KK", "16 digits"),
    "an unknown kecamatan": ({"Kecamatan": "Wakanda"}, "Kecamatan", "not a place"),
    "a village elsewhere": ({"Kecamatan": "Batang"}, "Desa", "not a place"),
    "no phone number": ({"HP": "12"}, "HP", "phone number"),
    "no complaint": ({"Uraian": ""}, "Uraian", "filled in"),
    "control characters": ({"Uraian": "a\x1bb"}, "Uraian", "control characters"),
    "an unknown kind": ({"Jenis": "Apa saja"}, "Jenis", "not in the list"),
    "an unknown status": ({"Status": "mungkin"}, "Status", "no status"),
    "finished without a day": ({"Status": "selesai"}, "Tanggal selesai", "needs the day"),
    "open with a finishing day": (
        {"Status": "proses", "Tanggal selesai": day(1)},
        "Tanggal selesai",
        "open",
    ),
    "finished before it came": (
        {"Status": "selesai", "Tanggal selesai": "01/07/2026"},
        "Tanggal selesai",
        "before it was received",
    ),
    "finished in the future": (
        {"Status": "selesai", "Tanggal selesai": "01/07/2090"},
        "Tanggal selesai",
        "future",
    ),
    "a mistake of a formula": ({"Nama": "#REF!"}, "Nama", "formula"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_cell_that_does_not_fit_is_named(
    petugas: FlaskClient, send: Send, problems: Any, session: Session, name: str
) -> None:
    changes, column, reason = WRONG[name]
    data = csv_file if name == "control characters" else xlsx
    page = seen(petugas, send(petugas, data([row(1), {**row(2), **changes}, row(3)])))
    found = problems(page)
    assert [(number, where) for number, where, _ in found] == [("3", column)]
    assert reason in found[0][2]
    assert "/take" not in page
    assert session.scalars(select(Complaint)).all() == []


def test_every_problem_of_every_row_is_listed_at_once(
    petugas: FlaskClient, send: Send, problems: Any
) -> None:
    rows = [
        row(1, NIK="1", Kanal="?", Tanggal="?"),
        row(2),
        row(3, Jenis="?", HP="?", Uraian=""),
    ]
    found = problems(seen(petugas, send(petugas, xlsx(rows))))
    assert {(number, column) for number, column, _ in found} == {
        ("2", "Tanggal"), ("2", "Kanal"), ("2", "NIK"),
        ("4", "Jenis"), ("4", "HP"), ("4", "Uraian"),
    }  # fmt: skip
    assert [int(number) for number, _, _ in found] == sorted(int(n) for n, _, _ in found)


def test_a_row_that_stands_there_twice(petugas: FlaskClient, send: Send, problems: Any) -> None:
    again = {**row(1), "No": "9", "Uraian": "Lagi.", "Nama": "Nama Lain"}
    found = problems(seen(petugas, send(petugas, xlsx([row(1), row(2), again]))))
    assert [(number, column) for number, column, _ in found] == [("4", "Nama")]
    assert "row 2" in found[0][2]


@pytest.mark.parametrize("identified", [True, False], ids=["by NIK", "by name"])
def test_a_complaint_that_is_registered_already(
    petugas: FlaskClient,
    send: Send,
    problems: Any,
    make_case: Any,
    session: Session,
    identified: bool,
) -> None:
    received = datetime(2026, 7, 3, 1, tzinfo=UTC)
    facts = {"nik": RIGHT["NIK"] if identified else "", "applicant_name": RIGHT["Nama"]}
    case = make_case("intake", at=received, **facts)
    twin = {**RIGHT, "NIK": facts["nik"]}
    other_day = {**twin, "Tanggal": "04/07/2026"}
    found = problems(seen(petugas, send(petugas, xlsx([other_day, twin]))))
    assert [(number, column) for number, column, _ in found] == [("3", "Nama")]
    assert case.number in found[0][2]


def test_the_number_of_a_case_that_is_not_ones_own_to_know_stays_unsaid(
    petugas: FlaskClient, send: Send, problems: Any, make_case: Any, session: Session, user: Any
) -> None:
    received = datetime(2026, 7, 3, 1, tzinfo=UTC)
    case = make_case(
        "intake", at=received, nik=RIGHT["NIK"], hide_identity=True, applicant_name="Rahasia"
    )
    role = user("petugas").roles[0]
    role.permissions = [
        item for item in role.permissions if item.permission.name != "see_confidential"
    ]
    session.commit()
    page = seen(petugas, send(petugas, xlsx([dict(RIGHT)])))
    assert case.number not in page
    assert "registered already" in problems(page)[0][2]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no row"),
        (b"%PDF-1.7 nothing", "columns were not found"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ".xlsx"),
        (xlsx([]), "no row"),
        (xlsx([row(1)], head=["Nama", "Uraian"]), "Tanggal, Kanal, Jenis"),
    ],
    ids=["nothing", "a PDF", "an old Excel file", "only headings", "columns missing"],
)
def test_a_file_that_is_no_register_is_refused_on_the_spot(
    petugas: FlaskClient, send: Send, session: Session, data: bytes, reason: str
) -> None:
    post(petugas, "/lang/en")
    answer = send(petugas, data)
    assert answer.status_code == 422
    assert reason in answer.text
    assert session.scalars(select(ImportRun)).all() == []


def test_no_file_at_all(petugas: FlaskClient) -> None:
    assert post(petugas, "/import/", {}).status_code == 422


def test_a_file_beyond_the_limit(login: Any, send: Send, app: Flask) -> None:
    app.config["MAX_UPLOAD_BYTES"] = 10_000
    client = login("petugas")
    post(client, "/lang/en")
    answer = send(client, bytes(10_001))
    assert answer.status_code == 422
    assert "too large" in answer.text


def test_what_was_understood_is_shown_before_anything_is_taken_over(
    petugas: FlaskClient, send: Send, session: Session
) -> None:
    rows = [
        row(1),
        row(2, Status="Selesai", Tanggal_selesai="05/07/2026", No_resi="P123"),
        row(3, Status="ditolak", Tanggal_selesai="05/07/2026"),
    ]
    data = xlsx([{**one, "Warna": "biru"} for one in rows], head=[*RIGHT, "Warna"])
    page = seen(petugas, send(petugas, data))
    assert "All 3 rows fit" in page
    assert "Warga Register 1" in page
    assert "Warna" in page, "a column nobody knows is told"
    assert "Take over all 3 rows" in page
    assert session.scalars(select(Complaint)).all() == []


def test_markup_in_a_cell_stays_text(petugas: FlaskClient, send: Send) -> None:
    page = seen(petugas, send(petugas, xlsx([row(1, Nama="<b>Wati</b> Sari", Kanal="WhatsApp")])))
    assert "&lt;b&gt;Wati&lt;/b&gt;" in page
    assert "<b>Wati" not in page


def test_a_file_waits_for_its_own_officer_alone(
    petugas: FlaskClient, send: Send, login: Any, session: Session
) -> None:
    url = send(petugas, xlsx([row(1)])).location
    other = login("petugas2")
    assert other.get(url).status_code == 404
    assert post(other, f"{url}/take").status_code == 404
    assert post(other, f"{url}/drop").status_code == 404
    assert "Warga Register" not in other.get("/import/").text
    assert session.scalars(select(ImportRun)).one().state == "checked"


def test_a_second_file_takes_the_place_of_the_first(
    petugas: FlaskClient, send: Send, session: Session, store: Store
) -> None:
    send(petugas, xlsx([row(1)]))
    send(petugas, xlsx([row(2)]))
    session.rollback()
    first, second = session.scalars(select(ImportRun).order_by(ImportRun.id))
    assert (first.state, first.storage_key, second.state) == ("dropped", None, "checked")
    assert list(store.keys()) == [second.storage_key]


def test_a_file_that_is_given_up_leaves_nothing(
    petugas: FlaskClient, send: Send, session: Session, store: Store
) -> None:
    url = send(petugas, xlsx([row(1, NIK="1")])).location
    assert session.scalars(select(ImportRun)).one().problem_count == 1
    for _ in range(2):
        assert post(petugas, f"{url}/drop").status_code == 303
    session.rollback()
    run = session.scalars(select(ImportRun)).one()
    assert (run.state, run.storage_key, run.problems) == ("dropped", None, [])
    assert list(store.keys()) == []
    assert petugas.get(url).status_code == 200
    assert post(petugas, f"{url}/take").status_code == 303
    assert session.scalars(select(Complaint)).all() == []


def test_the_dry_run_looks_at_the_office_as_it_is_now(
    petugas: FlaskClient, send: Send, session: Session, problems: Any
) -> None:
    answer = send(petugas, xlsx([row(1)]))
    session.scalars(select(Category).where(Category.code == "BEDA_DATA")).one().active = False
    found = problems(seen(petugas, answer))
    assert [column for _, column, _ in found] == ["Jenis"]


def test_the_waiting_file_is_part_of_the_store(
    petugas: FlaskClient, send: Send, session: Session, store: Store
) -> None:
    send(petugas, xlsx([row(1)]))
    session.rollback()
    report = verify_store(session, store)
    assert report.ok
    assert report.orphans == ()
    assert report.checked == 1
