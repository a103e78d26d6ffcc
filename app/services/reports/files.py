"""Writing reports down: worksheets whose text stays text, CSV a spreadsheet opens at once.

Lists are written row by row into a file on the disk: a year of 200,000 lines needs no more memory
than a page of them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import xlsxwriter

from app.services.calendar import OFFICE_ZONE
from app.services.reports.rows import Cell
from app.services.reports.tables import NUMBERS, Kind, Speech, Table, Value
from app.services.spreadsheets import inert

#: A worksheet ends here; the heading is one of the rows.
MOST_ROWS: Final = 1_048_575
_LONGEST_CELL: Final = 32_767
_BOM: Final = "\ufeff"
#: No text of ours or of an applicant ever becomes a formula, a link or a number.
_INERT: Final = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": True,
}
_HEAD: Final = {
    "bold": True,
    "bg_color": "#E0F0EE",
    "border": 1,
    "text_wrap": True,
    "valign": "top",
}
_SHAPES: Final[dict[str, str]] = {
    "count": "#,##0",
    "share": "0.0%",
    "minutes": "#,##0.0",
    "duration": "[h]:mm",
    "hours": "#,##0",
}


class RowWriter(Protocol):
    """Takes the lines of a list one after the other."""

    def write(self, row: Sequence[Cell]) -> None:
        """Add one line."""


@dataclass(frozen=True)
class Heading:
    """The headings of a list with the widths of their columns."""

    labels: Sequence[str]
    widths: Sequence[int]


@contextmanager
def list_file(
    path: Path,
    format_: str,
    heading: Heading,
    *,
    title: str,
    language: str,
    before: Sequence[Table] = (),
) -> Iterator[RowWriter]:
    """A list as `csv` or `xlsx`; in a workbook `before` stands on a first sheet of its own."""
    if format_ == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(_BOM)
            separator = "," if language == "en" else ";"
            writer = _CsvRows(csv.writer(file, delimiter=separator, lineterminator="\r\n"))
            writer.write(heading.labels)
            yield writer
        return
    with workbook(path, constant_memory=True) as book:
        if before:
            _stack(book, before[0].title, (), before, ())
        yield _sheet_of_rows(book, heading, title)


@contextmanager
def workbook(path: Path, *, constant_memory: bool = False) -> Iterator[xlsxwriter.Workbook]:
    """A workbook in which nothing is a formula."""
    options: dict[str, Any] = {**_INERT, "tmpdir": str(path.parent)}
    if constant_memory:
        options["constant_memory"] = True
    with xlsxwriter.Workbook(str(path), options) as book:
        yield book


@dataclass
class _CsvRows:
    writer: Any

    def write(self, row: Sequence[Cell]) -> None:
        self.writer.writerow([_text(value) for value in row])


def _text(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(OFFICE_ZONE):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, int) else inert(value)


@dataclass
class _SheetRows:
    sheet: Any
    text: Any
    day: Any
    moment: Any
    at: int = field(default=1)

    def write(self, row: Sequence[Cell]) -> None:
        for place, value in enumerate(row):
            if value is None or value == "":
                continue
            if isinstance(value, datetime):
                here = value.astimezone(OFFICE_ZONE).replace(tzinfo=None)
                self.sheet.write_datetime(self.at, place, here, self.moment)
            elif isinstance(value, date):
                self.sheet.write_datetime(self.at, place, value, self.day)
            elif isinstance(value, int):
                self.sheet.write_number(self.at, place, value)
            else:
                self.sheet.write_string(self.at, place, value[:_LONGEST_CELL], self.text)
        self.at += 1


def _sheet_of_rows(book: xlsxwriter.Workbook, heading: Heading, title: str) -> _SheetRows:
    sheet = book.add_worksheet(_sheet_name(title))
    head = book.add_format(_HEAD)
    for place, (label, width) in enumerate(zip(heading.labels, heading.widths, strict=True)):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, label, head)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    return _SheetRows(
        sheet,
        text=book.add_format({"num_format": "@", "valign": "top"}),
        day=book.add_format({"num_format": "dd/mm/yyyy", "valign": "top"}),
        moment=book.add_format({"num_format": "dd/mm/yyyy hh:mm", "valign": "top"}),
    )


@dataclass(frozen=True)
class Frame:
    """What stands around the numbers on the office's paper: letterhead, title, signature."""

    letterhead: Sequence[str]
    title: str
    subtitle: Sequence[str]
    signature: Sequence[str]


def recap_workbook(path: Path, frame: Frame, tables: Sequence[Table]) -> None:
    """The recapitulation as one worksheet that prints like the paper."""
    with workbook(path) as book:
        lines = [*((text, "office") for text in frame.letterhead), ("", ""), (frame.title, "title")]
        lines += [(text, "quiet") for text in frame.subtitle]
        _stack(book, frame.title, lines, tables, frame.signature)


def _stack(
    book: xlsxwriter.Workbook,
    name: str,
    lines: Sequence[tuple[str, str]],
    tables: Sequence[Table],
    signature: Sequence[str],
) -> None:
    """Tables below each other on one sheet, in order: such a workbook may be written straight."""
    sheet = book.add_worksheet(_sheet_name(name))
    shapes = {
        "office": book.add_format({"bold": True, "align": "center_across"}),
        "title": book.add_format({"bold": True, "font_size": 14, "align": "center_across"}),
        "quiet": book.add_format({"font_color": "#595959", "align": "center_across"}),
        "": book.add_format(),
    }
    width = max((len(table.columns) for table in tables), default=1)
    sheet.set_column(0, 0, 46)
    sheet.set_column(1, max(1, width - 1), 13)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    at = 0
    for text, shape in lines:
        sheet.write_string(at, 0, text, shapes[shape])
        if shape:
            for place in range(1, width):
                sheet.write_blank(at, place, None, shapes[shape])
        at += 1
    cells = _cell_shapes(book)
    for table in tables:
        at = _table(sheet, cells, table, at + 1)
    at += 2
    for text in signature:
        sheet.write_string(at, max(0, width - 3), text)
        at += 1


def _cell_shapes(book: xlsxwriter.Workbook) -> dict[str, Any]:
    found = {
        "head": book.add_format(_HEAD),
        "name": book.add_format({"bold": True, "font_size": 12}),
        "note": book.add_format({"italic": True, "font_color": "#595959"}),
    }
    for kind, shape in {**_SHAPES, "text": "@"}.items():
        usual = {"num_format": shape, "border": 1, "valign": "top", "text_wrap": kind == "text"}
        found[kind] = book.add_format(usual)
        found[f"{kind} total"] = book.add_format({**usual, "bold": True, "bg_color": "#F2F2F2"})
    return found


def _table(sheet: Any, cells: dict[str, Any], table: Table, at: int) -> int:
    """Write one table; answers the row below it."""
    sheet.write_string(at, 0, table.title, cells["name"])
    at += 1
    for place, column in enumerate(table.columns):
        sheet.write_string(at, place, column.label, cells["head"])
    for row in table.all_rows:
        at += 1
        last = " total" if row is table.total else ""
        for place, (column, value) in enumerate(zip(table.columns, row, strict=True)):
            _cell(sheet, at, place, column.kind, value, cells[column.kind + last])
    if table.note:
        at += 1
        sheet.write_string(at, 0, table.note, cells["note"])
    return at + 1


def _cell(sheet: Any, at: int, place: int, kind: Kind, value: Value, shape: Any) -> None:
    if value is None:
        sheet.write_blank(at, place, None, shape)
    elif kind == "text":
        sheet.write_string(at, place, str(value)[:_LONGEST_CELL], shape)
    else:
        sheet.write_number(at, place, as_number(kind, value), shape)


def as_number(kind: Kind, value: Value) -> float:
    """A value in the unit of its column: minutes, or days for what is shown as hours:minutes."""
    found = float(value or 0)
    if kind == "minutes":
        return found / 60
    return found / 86_400 if kind == "duration" else found


def printed(table: Table, speech: Speech) -> dict[str, Any]:
    """A table as the paper takes it: every value written as on the screen."""

    def cells(row: Sequence[Value]) -> list[str]:
        pairs = zip(table.columns, row, strict=True)
        return [speech.show(column.kind, value) for column, value in pairs]

    return {
        "title": table.title,
        "note": table.note,
        "head": [column.label for column in table.columns],
        "right": [column.kind in NUMBERS for column in table.columns],
        "wide": [column.kind == "duration" for column in table.columns],
        "rows": [cells(row) for row in table.rows],
        "total": None if table.total is None else cells(table.total),
    }


def _sheet_name(title: str) -> str:
    """A worksheet's name has at most 31 letters and none of these."""
    return "".join(letter for letter in title if letter not in "[]:*?/\\'")[:31]
