"""Every number of a report is the one that the screen shows, on random offices and at the edges."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.models import Complaint
from app.services import charts
from app.services.reports.recap import collect
from app.services.signatories import office_day
from app.services.statistics import Scope, rebuild
from app.services.transitions import Office
from tests.support.pdftools import run_program
from tests.support.reports import WIB, fill_office, lines, sheets, table

PERIOD = {"from": "2026-02-01", "to": "2026-02-28"}
#: The report's table, the chart it must agree with, and which columns are the same ones:
#: report column → chart column, with how the chart writes it.
PAIRS: dict[str, tuple[str, dict[int, tuple[int, str]]]] = {
    "Menurut kanal": ("channels", {1: (1, "n"), 2: (2, "n"), 3: (3, "n"), 4: (4, "n"), 5: (5, "n"), 6: (6, "%")}),
    "Menurut kategori": ("categories", {1: (1, "n"), 2: (2, "n"), 3: (3, "n"), 4: (4, "n"), 5: (5, "n"), 6: (6, "%")}),
    "Menurut kecamatan": ("kecamatan", {1: (1, "n"), 2: (2, "n"), 3: (3, "n"), 4: (4, "n"), 5: (5, "n"), 6: (6, "%")}),
    "Tahap SOP": (
        "steps",
        {1: (2, "n"), 2: (1, "n"), 3: (3, "n"), 4: (4, "n"), 5: (5, "%"), 6: (7, "min"), 7: (8, "min")},
    ),
    "Batas waktu hukum": ("due", {1: (1, "n"), 2: (2, "n"), 3: (3, "n"), 4: (4, "n"), 5: (5, "n"), 6: (6, "%")}),
    "Dikembalikan ke pemohon": ("returns", {1: (1, "n")}),
    "Jeda": ("pauses", {1: (2, "n"), 2: (5, "n"), 3: (6, "n"), 4: (1, "min")}),
}  # fmt: skip


def chart(client: FlaskClient, name: str, **filters: str) -> list[list[str]]:
    """The table of a chart page as its CSV."""
    query = {**PERIOD, **filters, "format": "csv"}
    answer = client.get(f"/charts/{name}/", query_string=query)
    assert answer.status_code == 200
    text = answer.text.lstrip("\ufeff")
    return list(csv.reader(io.StringIO(text), delimiter=";"))[1:]


def as_chart(value: Any, kind: str) -> str:
    """A cell of the report as the chart's file writes the same number."""
    if value == "":
        return ""
    if kind == "%":
        return f"{round(value * 100, 1)}".replace(".", ",")
    if kind == "min":
        return f"{round(value.total_seconds() / 60, 1)}".replace(".", ",")
    return f"{value:g}".replace(".", ",")


@pytest.mark.both
@pytest.mark.parametrize("filters", [{}, {"channel": 1}, {"channel": 1, "category": 1}])
def test_the_recapitulation_equals_the_charts_cell_by_cell(
    filters: dict[str, int], session: Session, login: Any, fetch: Callable[..., bytes]
) -> None:
    cases = fill_office(session, 3)
    chosen = {
        "channel": str(cases[0].channel), "category": str(cases[0].category),
    }  # fmt: skip
    wanted = {name: chosen[name] for name in filters}
    (rows,) = sheets(fetch("kabid", "recap.xlsx", **wanted)).values()
    client = login("kabid")
    compared = 0
    for title, (name, columns) in PAIRS.items():
        screen = chart(client, name, **wanted)
        if not any(row and row[0] == title for row in rows):
            assert not [row for row in screen if row], title
            continue
        report = [row for row in table(rows, title) if row[1] != ""]
        for mine, theirs in zip(report, screen, strict=False):
            for place, (there, kind) in columns.items():
                shown = theirs[there].removesuffix(",0") if kind == "n" else theirs[there]
                assert (title, mine[0], as_chart(mine[place], kind)) == (title, mine[0], shown)
                compared += 1
    assert compared > 40


@pytest.mark.both
def test_totals_add_up_and_a_plain_count_agrees(
    session: Session, fetch: Callable[..., bytes]
) -> None:
    cases = fill_office(session, 8)
    first, last = date(2026, 2, 1), date(2026, 2, 28)
    (rows,) = sheets(fetch("kabid", "recap.xlsx")).values()

    def day(moment: datetime | None) -> date | None:

        return None if moment is None else moment.astimezone(WIB).date()

    def inside(moment: datetime | None) -> bool:
        found = day(moment)
        return found is not None and first <= found <= last

    received = sum(inside(case.received) for case in cases)
    finished = sum(inside(case.closed) for case in cases)
    returned = sum(inside(case.returned) for case in cases)
    open_now = sum(case.closed is None for case in cases)
    summary = {row[0]: row[1] for row in table(rows, "Ringkasan")}
    assert summary["Diterima dalam periode"] == received
    assert summary["Selesai dalam periode"] == finished
    assert summary["Dikembalikan ke pemohon dalam periode"] == returned
    assert summary["Dalam proses saat laporan dibuat"] == open_now
    for title in ("Menurut kanal", "Menurut kategori", "Menurut kecamatan"):
        *parts, total = table(rows, title)
        assert total[0] == "Jumlah"
        assert total[1:4] == [received, finished, open_now]
        for place in range(1, 6):
            assert sum(row[place] for row in parts) == total[place]


def test_the_paper_says_the_same_numbers(
    session: Session, fetch: Callable[..., bytes], tmp_path: Path
) -> None:
    fill_office(session, 5)
    (rows,) = sheets(fetch("kabid", "recap.xlsx")).values()
    paper = tmp_path / "recap.pdf"
    paper.write_bytes(fetch("kabid", "recap.pdf"))
    text = re.sub(r"\s+", " ", run_program("pdftotext", "-layout", paper, "-"))
    assert "REKAPITULASI PENANGANAN PENGADUAN" in text.upper()
    assert "Endang Suryani, S.H." in text
    assert "1 Februari 2026 – 28 Februari 2026" in text
    for title in ("Menurut kanal", "Menurut kategori"):
        for row in table(rows, title):
            numbers = " ".join(f"{value:g}" for value in row[1:6])
            assert numbers in text, row
    for row in table(rows, "Tahap SOP"):
        if row[1] != "":
            assert f"{row[3]:.1f}".replace(".", ",").removesuffix(",0") in text


@pytest.mark.parametrize(
    ("received", "counted"),
    [
        pytest.param("2026-01-31T16:59:59+00:00", 0, id="the last second of January"),
        pytest.param("2026-01-31T17:00:00+00:00", 1, id="midnight of February in the office"),
        pytest.param("2026-02-28T16:59:59+00:00", 1, id="the last second of February"),
        pytest.param("2026-02-28T17:00:00+00:00", 0, id="midnight of March"),
    ],
)
def test_a_month_is_the_offices_and_may_hold_one_case_or_none(
    received: str, counted: int, session: Session, fetch: Callable[..., bytes]
) -> None:
    fill_office(session, 1, count=1)
    session.execute(update(Complaint).values(received_at=datetime.fromisoformat(received)))
    rebuild(session)
    session.commit()
    (rows,) = sheets(fetch("kabid", "recap.xlsx")).values()
    assert table(rows, "Ringkasan")[0][1] == counted
    assert len(lines(fetch("petugas", "register.csv"))) == 1 + counted
    assert fetch("kabid", "recap.pdf").startswith(b"%PDF")


def test_the_register_holds_every_case_of_the_period_once(
    session: Session, fetch: Callable[..., bytes]
) -> None:
    cases = fill_office(session, 4)
    wanted = {case.number for case in cases if date(2026, 2, 1) <= case.day <= date(2026, 2, 28)}
    found = lines(fetch("petugas", "register.csv"))[1:]
    numbers = [next(cell for cell in row if cell.startswith("PGD-")) for row in found]
    assert sorted(numbers) == sorted(wanted)
    (sheet,) = sheets(fetch("petugas", "register.xlsx")).values()
    assert sum(str(cell).startswith("PGD-") for row in sheet for cell in row) == len(wanted)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "＝"])
def test_no_text_of_a_case_becomes_a_formula(
    start: str, session: Session, fetch: Callable[..., bytes]
) -> None:
    fill_office(session, 2, count=2, days=20)
    evil = f'{start}HYPERLINK("http://example.org")'
    session.execute(
        update(Complaint).values(
            applicant_name=evil, address=evil, text=evil, answer=evil, handle=evil,
            external_ticket=evil, received_at=datetime(2026, 2, 3, 3, tzinfo=UTC),
        )
    )  # fmt: skip
    session.commit()
    for row in lines(fetch("petugas", "register.csv"))[1:]:
        assert not [cell for cell in row if cell.startswith(tuple("=+-@\t\r＝"))]
        assert any(evil.strip() in cell for cell in row)
    data = fetch("petugas", "register.xlsx")
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        for name in book.namelist():
            if name.startswith("xl/worksheets/"):
                assert b"<f>" not in book.read(name)
        assert not [name for name in book.namelist() if "hyperlink" in name.lower()]


@pytest.mark.both
def test_the_report_asks_the_functions_of_the_screens(session: Session, office: Office) -> None:
    """The same objects, so that no second way to a number can grow."""
    fill_office(session, 6)
    scope = Scope(date(2026, 2, 1), date(2026, 2, 28))
    now = datetime(2026, 3, 20, 4, tzinfo=UTC)
    recap = collect(session, office.sop, office.calendar, scope, now=now)
    assert recap.steps == charts.step_durations(session, office.sop, scope)
    assert recap.due == charts.due_dates(session, scope, today=office_day(now))
    assert recap.returns == charts.returns(session, office.sop, scope)
    assert recap.sorts["channel"] == charts.sort_numbers(
        session, scope, "channel", today=office_day(now)
    )
