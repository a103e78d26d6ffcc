"""Reading a register: encodings, separators, headings, dates, and files that are none."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from app.services.calendar import OFFICE_ZONE
from app.services.importing import MESSAGES
from app.services.importing.columns import COLUMNS, find_head, ignored, places
from app.services.importing.sheet import MOST_COLUMNS, MOST_ROWS, read_sheet
from app.services.importing.values import CellError, digits_of, moment_of, text_of, time_of
from app.sop.errors import FileRefusedError
from tests.support.registers import RIGHT, csv_file, row, xlsx

HERE = OFFICE_ZONE


def bare(*parts: int) -> datetime:
    """A moment as a spreadsheet keeps it: without a zone."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_csv_is_read_whatever_wrote_it(separator: str, encoding: str) -> None:
    grid = read_sheet(
        csv_file([row(1, Nama="Sinta d’Arc"), row(2)], separator=separator, encoding=encoding)
    )
    assert grid.head == tuple(RIGHT)
    assert [number for number, _ in grid.rows] == [2, 3]
    assert grid.rows[0][1][4] == "Sinta d’Arc"


def test_a_text_of_several_lines_is_one_row() -> None:
    grid = read_sheet(csv_file([row(1, Uraian='satu;\n"dua"\ntiga'), row(2)]))
    assert [number for number, _ in grid.rows] == [2, 3]
    assert grid.rows[0][1][12] == 'satu;\n"dua"\ntiga'


def test_rows_keep_the_numbers_they_have_in_excel() -> None:
    data = xlsx([row(1), {}, row(2)], title=["REGISTER PENGADUAN", "Tahun 2026", ""])
    assert [number for number, _ in read_sheet(data).rows] == [5, 7]


def test_dates_of_a_workbook_come_as_dates() -> None:
    grid = read_sheet(xlsx([row(1, Tanggal=bare(2026, 7, 3, 8, 15))]))
    assert grid.rows[0][1][1] == bare(2026, 7, 3, 8, 15)
    assert grid.sheet == "Register 2026"


def _zip(**members: bytes | str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return out.getvalue()


def _changed(data: bytes, member: str, change: Any) -> bytes:
    """A workbook with one of its parts rewritten."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info.filename, change(content) if info.filename == member else content)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
GOOD = xlsx([row(1)])
#: Files that are refused, and the reason that is given.
HOSTILE = {
    "nothing at all": (b"", "sheet_empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(200), "sheet_kind"),
    "an old .xls, or one with a password": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "sheet_old_excel",
    ),
    "a cut-off workbook": (GOOD[: len(GOOD) // 2], "sheet_unreadable"),
    "another zip": (_zip(readme="hello"), "sheet_unreadable"),
    "a cell at the far right": (
        _changed(GOOD, SHEET, lambda x: x.replace(b'r="B2"', b'r="XFD2"')),
        "sheet_too_many_columns",
    ),
    "a cell at the far bottom": (
        _changed(GOOD, SHEET, lambda x: x.replace(b'r="B2"', b'r="B1048576"')),
        "sheet_too_many_rows",
    ),
    "a row that says it is far below": (
        _changed(GOOD, SHEET, lambda x: x.replace(b'<row r="2"', b'<row r="1048000"')),
        "sheet_too_many_rows",
    ),
    "a part that unpacks to a gigabyte": (
        _changed(GOOD, "docProps/app.xml", lambda x: b" " * 200_000_000),
        "sheet_too_large",
    ),
    "a shared text of a million letters": (
        _changed(
            GOOD,
            "xl/sharedStrings.xml",
            lambda x: x.replace(b"<t>No</t>", b"<t>" + b"x" * 10**6 + b"</t>"),
        ),
        "sheet_too_large",
    ),
    "entities that multiply": (
        _changed(
            GOOD,
            SHEET,
            lambda x: b'<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>',
        ),
        "sheet_unreadable",
    ),
    "a sheet that calls itself a picture": (
        _changed(
            GOOD,
            "xl/_rels/workbook.xml.rels",
            lambda x: x.replace(b"worksheets/sheet1.xml", b"media/sheet1.png"),
        ),
        "sheet_unreadable",
    ),
    "no headings": (xlsx([], head=["a", "b"]), "columns_missing"),
    "headings and no row": (xlsx([]), "sheet_empty"),
    "a column twice": (xlsx([row(1)], head=[*RIGHT, "NIK"]), "column_twice"),
    "a csv without our headings": (b"a;b\n1;2\n", "columns_missing"),
    "a csv of one endless cell": (csv_file([row(1, Uraian="x" * 40_000)]), "sheet_too_large"),
    "a csv of too many columns": (b";" * 500 + b"\n", "sheet_too_many_columns"),
    "a csv with a quote that never ends": (
        csv_file([row(1)]) + b'"' + b"x;" * 20 + b"\n" * 4,
        "sheet_unreadable",
    ),
    "a binary file called csv": (bytes(range(256)) * 4, "sheet_kind"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_register_is_refused_with_its_reason(name: str) -> None:
    data, code = HOSTILE[name]
    with pytest.raises(FileRefusedError) as refused:
        places(read_sheet(data).head)
    assert refused.value.code == code
    assert MESSAGES[code] % refused.value.params


def test_one_text_used_ten_thousand_times_is_counted_each_time() -> None:
    """Each cell would be a copy of it: a small file becomes hundreds of megabytes."""
    rows = [row(n, Uraian="x" * 30_000) for n in range(1, 2_000)]
    data = xlsx(rows)
    assert len(data) < 500_000
    with pytest.raises(FileRefusedError) as refused:
        read_sheet(data)
    assert refused.value.code == "sheet_too_large"


def test_at_most_so_many_rows() -> None:
    rows = [{"Nama": "x"}] * (MOST_ROWS + 1)
    with pytest.raises(FileRefusedError) as refused:
        read_sheet(csv_file(rows))
    assert refused.value.code == "sheet_too_many_rows"
    assert len(read_sheet(csv_file(rows[1:])).rows) == MOST_ROWS


# --- headings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "key"),
    [
        ("TGL.", "day"),
        ("Tanggal/Jam", "day"),
        ("no. kk", "kk"),
        ("No_HP", "phone"),
        ("Desa / Kelurahan", "village"),
        ("Isi Pengaduan", "text"),
        ("Jenis Kelamin", "sex"),
        ("NO RESI", "tracking"),
        ("Tgl. Selesai", "finished"),
    ],
)
def test_headings_are_known_as_offices_write_them(heading: str, key: str) -> None:
    assert places([heading]) == {key: 0}


def test_every_needed_column_is_named_when_it_is_missing() -> None:
    with pytest.raises(FileRefusedError) as refused:
        find_head([["No", "Tanggal", "Nama"]])
    assert refused.value.params["columns"] == "Kanal, Uraian, Jenis"


def test_no_two_columns_have_one_name() -> None:
    names = [name for column in COLUMNS for name in (column.heading, *column.also)]
    assert len({places([name]).popitem()[0] + name for name in names}) == len(names)


def test_columns_that_nobody_knows_are_told() -> None:
    assert ignored(["No", "Warna", "", "NIK", "Ukuran sepatu"]) == ["Warna", "Ukuran sepatu"]


def test_the_limit_of_columns_leaves_room_for_a_real_register() -> None:
    assert len(COLUMNS) * 2 < MOST_COLUMNS


# --- cells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        ("03/07/2026", "", bare(2026, 7, 3)),
        ("3-7-2026", "08.15", bare(2026, 7, 3, 8, 15)),
        ("3.7.26", "8:15", bare(2026, 7, 3, 8, 15)),
        ("2026-07-03", "pukul 08.15 WIB", bare(2026, 7, 3, 8, 15)),
        ("2026-07-03 08:15:30", None, bare(2026, 7, 3, 8, 15, 30)),
        ("03/07/2026 08.15", None, bare(2026, 7, 3, 8, 15)),
        ("3 Juli 2026", None, bare(2026, 7, 3)),
        ("Jumat, 3 Juli 2026", "08:15", bare(2026, 7, 3, 8, 15)),
        ("1 Agt 2026", None, bare(2026, 8, 1)),
        ("31 Desember 2025 pukul 23.59", None, bare(2025, 12, 31, 23, 59)),
        (bare(2026, 7, 3, 8, 15), None, bare(2026, 7, 3, 8, 15)),
        (date(2026, 7, 3), time(8, 15), bare(2026, 7, 3, 8, 15)),
        (date(2026, 7, 3), 0.34375, bare(2026, 7, 3, 8, 15)),
        (date(2026, 7, 3), 8.15, bare(2026, 7, 3, 8, 15)),
        (date(2026, 7, 3), timedelta(hours=8, minutes=15), bare(2026, 7, 3, 8, 15)),
    ],
)
def test_a_moment_is_read_day_first_on_the_offices_clock(
    day: Any, clock: Any, expected: datetime
) -> None:
    assert moment_of(day, clock) == expected.replace(tzinfo=HERE)


@pytest.mark.parametrize("blank", ["", "  ", None, "-", "–"])
def test_a_blank_is_no_moment(blank: Any) -> None:
    assert moment_of(blank) is None
    assert time_of(blank) is None


@pytest.mark.parametrize(
    ("day", "clock", "code"),
    [
        ("31/02/2026", None, "cell_no_date"),
        ("07/25/2026", None, "cell_no_date"),
        ("besok", None, "cell_no_date"),
        ("3 Foo 2026", None, "cell_no_date"),
        ("03/07/20261", None, "cell_no_date"),
        ("03/07/1026", None, "cell_no_date"),
        (46206.0, None, "cell_no_date"),
        (True, None, "cell_no_date"),
        ("03/07/2026", "25.00", "cell_no_time"),
        ("03/07/2026", "pagi", "cell_no_time"),
        ("03/07/2026", 24.5, "cell_no_time"),
        ("03/07/2026 sore", None, "cell_no_time"),
    ],
)
def test_what_is_no_moment_is_refused(day: Any, clock: Any, code: str) -> None:
    with pytest.raises(CellError) as refused:
        moment_of(day, clock)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3325014502909917", "3325014502909917"),
        ("'3325 0145-0290.9917", "3325014502909917"),
        (332501450290.0, "332501450290"),
        ("", ""),
        ("-", ""),
    ],
)
def test_digits_lose_what_people_put_between_them(value: Any, expected: str) -> None:
    assert digits_of(value) == expected


@pytest.mark.parametrize("value", [3325014502909917.0, 3325014502909917, "3,32501E+15", "3.3E15"])
def test_a_nik_that_a_spreadsheet_took_for_a_number_is_refused(value: Any) -> None:
    with pytest.raises(CellError) as refused:
        digits_of(value)
    assert refused.value.code == "digits_lost"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("x" * 11, "cell_too_long"),
        ("a\0b", "cell_unprintable"),
        ("a\x1bb", "cell_unprintable"),
        ("a\u202eb", "cell_unprintable"),
        ("#REF!", "cell_error"),
        ("#N/A", "cell_error"),
    ],
)
def test_texts_that_are_refused(value: str, code: str) -> None:
    with pytest.raises(CellError) as refused:
        text_of(value, most=10)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  a \n b ", "a b"),
        (17.0, "17"),
        (17.5, "17.5"),
        ("=1+1", "=1+1"),
        (datetime(2026, 7, 3, tzinfo=UTC), "03-07-2026"),
    ],
)
def test_a_cell_becomes_the_text_that_stands_there(value: Any, expected: str) -> None:
    assert text_of(value, most=100) == expected
