"""The rows of a spreadsheet, XLSX or CSV, as a grid of values; nothing is interpreted here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

import python_calamine

from app.services.importing.bombs import LONGEST_CELL, check_workbook
from app.services.importing.columns import find_head, recognised
from app.sop.errors import FileRefusedError
from app.sop.text import N_

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "sheet_kind": N_("This is not an XLSX or CSV file. Save the register as one of them."),
    "sheet_old_excel": N_(
        "This is an old .xls file or one with a password. Open it and save it as .xlsx, without a"
        " password."
    ),
    "sheet_unreadable": N_("This spreadsheet cannot be read. Open it and save it again as .xlsx."),
    "sheet_too_large": N_("This spreadsheet is too large. Split it into several files."),
    "sheet_too_many_rows": N_(
        "A file may have at most %(most)s rows. Split it, or delete empty rows far below."
    ),
    "sheet_too_many_columns": N_(
        "A file may have at most %(most)s columns. Delete what stands far to the right."
    ),
    "sheet_empty": N_("There is no row in this file."),
}

#: Complaints of one file.
MOST_ROWS: Final = 5_000
MOST_COLUMNS: Final = 80
#: How far down they may stand, blank rows between them.
LOWEST_ROW: Final = 20_000
#: Rows above the headings: the title of the register, a blank line.
HEAD_ROWS: Final = 15
_SHEETS: Final = 5
_SEPARATORS: Final = (";", ",", "\t", "|")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Cell = str | int | float | bool | date | datetime | time | timedelta | None


@dataclass(frozen=True)
class Grid:
    """A sheet from its headings on; each row with the number that stands beside it in Excel."""

    head: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]
    sheet: str = ""


def read_sheet(data: bytes) -> Grid:
    """The heading and the rows that are not blank, with their row numbers.

    Raises:
        FileRefusedError: it is no spreadsheet, too large, or has no row we know the heading of.
    """
    if data.startswith(_OLE):
        raise FileRefusedError("sheet_old_excel")
    if data.startswith(b"PK\x03\x04"):
        return _below_head(list(_workbook(data)))
    text = _text(data)
    return _below_head([("", list(_csv(text)))])


def _below_head(sheets: Sequence[tuple[str, Sequence[Sequence[Cell]]]]) -> Grid:
    """The first sheet that has our headings; the first sheet decides what is said otherwise."""
    missing = None
    for name, rows in sheets:
        try:
            at = find_head(rows[:HEAD_ROWS])
        except FileRefusedError as error:
            missing = missing or error
            continue
        body = tuple(
            (number, tuple(row))
            for number, row in enumerate(rows[at + 1 :], at + 2)
            if any(cell not in ("", None) and str(cell).strip() for cell in row)
        )
        if not body:
            raise FileRefusedError("sheet_empty")
        if len(body) > MOST_ROWS:
            raise FileRefusedError("sheet_too_many_rows", most=MOST_ROWS)
        return Grid(tuple(str(cell or "").strip() for cell in rows[at]), body, name)
    raise missing or FileRefusedError("sheet_empty")


# --- XLSX ----------------------------------------------------------------------------------------


def _workbook(data: bytes) -> Iterator[tuple[str, list[list[Cell]]]]:
    check_workbook(data, most_rows=LOWEST_ROW, most_columns=MOST_COLUMNS)
    try:
        with python_calamine.load_workbook(io.BytesIO(data)) as book:
            for name in book.sheet_names[:_SHEETS]:
                rows: list[list[Cell]] = book.get_sheet_by_name(name).to_python(  # type: ignore[assignment]
                    skip_empty_area=False
                )
                yield name, rows
    except FileRefusedError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:  # a panic of the reader is no Exception
        raise FileRefusedError("sheet_unreadable") from error


# --- CSV -----------------------------------------------------------------------------------------


def _text(data: bytes) -> str:
    """The text of a CSV in the encodings that Excel and LibreOffice write.

    Raises:
        FileRefusedError: `sheet_kind`, it is no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text or not text.strip():
            break
        return text
    raise FileRefusedError("sheet_kind" if data.strip() else "sheet_empty")


def _csv(text: str) -> Iterator[list[Cell]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    rows = 0
    try:
        for row in reader:
            rows += 1
            if rows > LOWEST_ROW:
                raise FileRefusedError("sheet_too_many_rows", most=LOWEST_ROW)
            if len(row) > MOST_COLUMNS:
                raise FileRefusedError("sheet_too_many_columns", most=MOST_COLUMNS)
            if any(len(cell) > LONGEST_CELL for cell in row):
                raise FileRefusedError("sheet_too_large")
            yield list(row)
    except csv.Error as error:
        raise FileRefusedError("sheet_unreadable") from error


def _separator(text: str) -> str:
    """What stands between the cells: whatever makes the most headings we know."""
    head = text[:20_000].splitlines()[:HEAD_ROWS]

    def known(separator: str) -> int:
        return max((recognised(row) for row in csv.reader(head, delimiter=separator)), default=0)

    try:
        return max(_SEPARATORS, key=known)
    except csv.Error:
        return ";"
