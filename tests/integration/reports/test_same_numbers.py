"""The report, the chart pages and a plain loop over the cases say the same, cell by cell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median_low
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.support.pdftools import run_program
from tests.support.reports import STEPS, fill_office, lines, sheets, table

CHARTS = {
    "/charts/channels/": "Menurut kanal",
    "/charts/categories/": "Menurut kategori",
    "/charts/kecamatan/": "Menurut kecamatan",
}
PERIODS = [
    pytest.param("2026-02-01", "2026-02-28", id="a month"),
    pytest.param("2026-01-20", "2026-03-09", id="days of three months"),
    pytest.param("2026-02-10", "2026-02-10", id="one day"),
]


@pytest.fixture
def book(fetch: Callable[..., bytes]) -> Callable[..., list[list[Any]]]:
    """`book(**filter)`: the one worksheet of the recapitulation."""

    def read(**values: str) -> list[list[Any]]:
        (sheet,) = sheets(fetch("kabid", "recap.xlsx", **values)).values()
        return sheet

    return read


@pytest.fixture
def screen(login: Any) -> Callable[..., list[list[str]]]:
    """`screen("/charts/channels/", **filter)`: the table of a chart page, as its CSV has it."""

    def read(path: str, **values: str) -> list[list[str]]:
        answer = login("kabid").get(path, query_string={**values, "format": "csv"})
        assert answer.status_code == 200
        return lines(answer.data)[1:]

    return read


def same(value: Any, text: str, times: float = 1) -> bool:
    """Whether a cell of the workbook is the number that the screen says."""
    if text == "" or value == "":
        return text == value == ""
    return abs(float(value) * times - float(text.replace(",", "."))) < 0.051


@pytest.mark.both
@pytest.mark.parametrize(("first", "last"), PERIODS)
def test_every_cell_of_the_charts(
    session: Session, book: Any, screen: Any, make_case: Any, first: str, last: str
) -> None:
    fill_office(session, 11)
    period = {"from": first, "to": last}
    found = book(**period)
    for path, title in CHARTS.items():
        shown, told = screen(path, **period), table(found, title)
        assert len(shown) == len(told)
        for there, here in zip(shown, told, strict=True):
            assert here[0] == there[0]
            assert [str(int(cell)) for cell in here[1:6]] == there[1:6]
            assert same(here[6], there[6], 100)
    for there, here in zip(screen("/charts/due/", **period), table(found, "Batas waktu hukum")[:3], strict=True):  # fmt: skip
        assert here[0] == there[0]
        assert [str(int(cell)) for cell in here[1:6]] == there[1:6]
        assert same(here[6], there[6], 100)
    steps = screen("/charts/steps/", **period)
    for there, here in zip(steps, table(found, "Tahap SOP")[:6], strict=True):
        name, standard, cases, median, p90, within, _over, wait, wait_p90 = there[:9]
        assert here[0].endswith(name)
        assert same(here[1], cases)
        assert same(here[2], standard)
        assert same(here[3], median)
        assert same(here[4], p90)
        assert same(here[5], within, 100)
        assert same(days(here[6]), wait, 1440)
        assert same(days(here[7]), wait_p90, 1440)
    returned = table_or_none(found, "Dikembalikan ke pemohon")
    assert [[row[0], str(int(row[1]))] for row in returned] == [
        row[:2] for row in screen("/charts/returns/", **period)
    ]
    pauses = table_or_none(found, "Jeda")[:-1]
    shown = screen("/charts/pauses/", **period)
    assert len(pauses) == len(shown)
    for there, here in zip(shown, pauses, strict=True):
        assert here[0] == there[0]
        assert same(days(here[4]), there[1], 1440)


def days(cell: Any) -> Any:
    """An elapsed time as a part of a day, however the reader of workbooks gives it."""
    return cell / timedelta(days=1) if isinstance(cell, timedelta) else cell


def table_or_none(rows: list[list[Any]], title: str) -> list[list[Any]]:
    """A table that an empty period has not."""
    there = any(row and row[0] == title for row in rows)
    return table(rows, title) if there else []


@pytest.mark.both
def test_parcels_and_requirements_of_real_cases(
    session: Session, book: Any, screen: Any, make_case: Any
) -> None:
    for hour in range(3):
        make_case("done", at=datetime(2026, 2, 3, 2 + hour, tzinfo=UTC))
        make_case("returned", at=datetime(2026, 2, 4, 2 + hour, tzinfo=UTC))
    period = {"from": "2026-02-01", "to": "2026-02-28"}
    found = book(**period)
    shown = screen("/charts/delivery/", **period)
    told = table(found, "Pengiriman")
    assert [[row[0], *(str(int(cell)) for cell in row[1:4])] for row in told[:-1]] == [
        row[:4] for row in shown
    ]
    assert int(told[-1][1]) == 3
    items = table_or_none(found, "Kelengkapan yang kurang")
    first = screen("/charts/returns/", **period)
    assert [[row[0], *(str(int(c)) for c in row[1:4])] for row in items[:-1]] == (
        first if items else []
    )


@pytest.mark.both
@pytest.mark.parametrize("seed", [1, 2])
def test_a_plain_loop_arrives_at_the_same(session: Session, book: Any, seed: int) -> None:
    cases = fill_office(session, seed)
    found = book()
    received = [case for case in cases if in_february(case.received)]
    closed = [case for case in cases if case.closed and in_february(case.closed)]
    for title in CHARTS.values():
        total = table(found, title)[-1]
        assert total[0] == "Jumlah"
        assert [int(total[1]), int(total[2])] == [len(received), len(closed)]
        assert int(total[3]) == len([case for case in cases if case.closed is None])
        rows = table(found, title)[:-1]
        for place in range(1, 6):
            assert sum(row[place] for row in rows) == total[place]
    due = [case for case in cases if case.class_due.month == 2]
    kept = [case for case in due if case.closed and local_day(case.closed) <= case.class_due]
    assert [int(table(found, "Menurut kanal")[-1][place]) for place in (4, 5)] == [
        len(due), len(kept),
    ]  # fmt: skip
    summary = {row[0]: row[1] for row in table(found, "Ringkasan")}
    assert summary["Diterima dalam periode"] == len(received)
    assert summary["Selesai dalam periode"] == len(closed)
    back = [case for case in cases if case.returned and in_february(case.returned)]
    assert summary["Dikembalikan ke pemohon dalam periode"] == len(back)
    runs = [run for case in cases for run in case.runs if in_february(run[1])]
    for row, step in zip(table(found, "Tahap SOP")[:6], STEPS, strict=True):
        mine = sorted(work for key, _at, work in runs if key == step)
        assert int(row[1]) == len(mine)
        # Classes round a duration up to a tenth of a minute, or half of one beyond twenty.
        assert 0 <= row[3] * 60 - median_low(mine) < 60
        assert round(row[5] * len(mine)) == len([work for work in mine if work <= 900])


@pytest.mark.both
def test_the_lists_hold_as_many_rows_as_the_numbers_say(
    session: Session, book: Any, fetch: Any
) -> None:
    cases = fill_office(session, 5)
    register = lines(fetch("petugas", "register.csv"))[1:]
    wanted = sorted(
        (c for c in cases if in_february(c.received)), key=lambda c: (c.received, c.number)
    )
    assert [line[1] for line in register] == [case.number for case in wanted]
    assert [int(line[0]) for line in register] == list(range(1, len(wanted) + 1))
    due = lines(fetch("petugas", "due.csv"))[1:]
    for row in table(book(), "Batas waktu hukum")[:3]:
        mine = Counter(line[9] for line in due if line[6] == row[0])
        assert [int(cell) for cell in row[1:6]] == [
            mine.total(),
            *(
                mine[word]
                for word in ("Ditepati", "Terlambat", "Terlewat, belum selesai", "Belum jatuh")
            ),
        ]
    summary, listed = sheets(fetch("petugas", "due.xlsx")).values()
    told = table(book(), "Batas waktu hukum")[:3]
    assert [row[:7] for row in table(summary, "Batas waktu hukum")[:3]] == [row[:7] for row in told]
    assert [row[1] for row in listed[1:]] == [line[1] for line in due]


@pytest.mark.both
def test_the_paper_says_what_the_workbook_says(
    session: Session, book: Any, fetch: Any, tmp_path: Path
) -> None:
    fill_office(session, 7)
    path = tmp_path / "recap.pdf"
    path.write_bytes(fetch("kabid", "recap.pdf"))
    text = run_program("pdftotext", "-layout", path, "-")
    assert "1 Februari 2026 – 28 Februari 2026" in text
    assert "REKAPITULASI PENANGANAN PENGADUAN" in text
    found = book()
    for title in (*CHARTS.values(), "Batas waktu hukum"):
        for row in table(found, title):
            if len(row) < 7 or row[1] == "":  # the note below the table
                continue
            numbers = [f"{int(cell):,}".replace(",", ".") for cell in row[1:6]]
            share = "–" if row[6] == "" else f"{row[6] * 100:.1f}%".replace(".", ",")
            assert re.search(r"\s+".join(map(re.escape, [*numbers, share])), text), row
    for row in table(found, "Tahap SOP")[:6]:
        parts = [str(int(row[1])), str(int(row[2]))]
        minutes = [f"{cell:,.1f}".translate(str.maketrans(",.", ".,")) for cell in row[3:5]]
        assert re.search(r"\s+".join(map(re.escape, [*parts, *minutes])), text), row
    assert "NIP" in text


def test_the_page_reads_like_the_report(session: Session, login: Any, book: Any) -> None:
    fill_office(session, 9)
    page = login("kabid").get("/charts/channels/", query_string={"from": "2026-02-01", "to": "2026-02-28"})  # fmt: skip
    body = re.search(r"<tbody>(.*?)</tbody>", page.text, re.DOTALL)
    assert body
    # What a screen reader hears of a number's link stands beside it, unseen.
    seen = re.sub(r'<span class="sr-only">.*?</span>', "", body[1])
    words = re.sub(r"<[^>]+>", " ", seen)
    for row in table(book(), "Menurut kanal")[:-1]:
        numbers = r"\s+".join(str(int(cell)) for cell in row[1:6])
        assert re.search(re.escape(row[0]) + r"\s+" + numbers, words), row


@pytest.mark.both
def test_a_filter_cuts_report_and_screen_alike(session: Session, book: Any, screen: Any) -> None:
    cases = fill_office(session, 13)
    one = {"from": "2026-02-01", "to": "2026-02-28", "channel": str(cases[0].channel)}
    two = {**one, "category": str(cases[0].category)}
    for values in (one, two):
        shown, told = screen("/charts/kecamatan/", **values), table(book(**values), "Menurut kecamatan")  # fmt: skip
        assert [[row[0], *(str(int(c)) for c in row[1:6])] for row in told] == [
            row[:6] for row in shown
        ]
        assert any(row[1] for row in told)


@pytest.mark.both
def test_an_empty_month_is_a_whole_report(session: Session, book: Any, fetch: Any) -> None:
    found = book()
    assert table(found, "Menurut kanal")[-1][1:6] == [0, 0, 0, 0, 0]
    assert fetch("kabid", "recap.pdf").startswith(b"%PDF-")
    assert len(lines(fetch("kabid", "register.csv"))) == 1
    (sheet,) = sheets(fetch("kabid", "register.xlsx")).values()
    assert len(sheet) == 1


@pytest.mark.both
def test_a_month_of_a_single_case_begins_and_ends_at_the_offices_midnight(
    session: Session, book: Any, fetch: Any, make_case: Any
) -> None:
    make_case(at=datetime(2026, 1, 31, 16, 59, 59, tzinfo=UTC))  # 23.59.59 of 31 January
    inside = make_case(at=datetime(2026, 1, 31, 17, 0, tzinfo=UTC))  # midnight in Batang
    make_case(at=datetime(2026, 2, 28, 17, 0, tzinfo=UTC))
    inside_number = inside.number
    assert table(book(), "Menurut kanal")[-1][1] == 1
    (line,) = lines(fetch("kabid", "register.csv"))[1:]
    assert line[1:3] == [inside_number, "2026-02-01 00:00"]


def in_february(moment: datetime) -> bool:
    """Whether a moment lies in the office's February."""
    return local_day(moment).month == 2


def local_day(moment: datetime) -> date:
    """The day on the office's wall: seven hours ahead."""
    return (moment + timedelta(hours=7)).date()


def test_the_report_speaks_the_language_of_who_asked(
    session: Session, login: Any, ask: Any, work: Any
) -> None:
    fill_office(session, 4)
    client = login("kabid")
    with client.session_transaction() as kept:
        kept["locale"] = "en"
    job = ask(client, "recap.xlsx")
    assert work() == 1
    answer = client.get(f"/reports/{job.public_id}/file")
    assert "recapitulation-2026-02-01-2026-02-28.xlsx" in answer.headers["Content-Disposition"]
    ((name, found),) = sheets(answer.data).items()
    assert name == "Recapitulation of complaints"
    assert table(found, "By channel")[-1][0] == "Total"
    assert table(found, "Steps of the SOP")[0][0] == "1. Intake"
