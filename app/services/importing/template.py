"""An empty register to fill in: our headings, the office's own lists, texts that stay texts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import xlsxwriter
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Category, Channel, Region
from app.services.importing.columns import COLUMNS
from app.services.importing.sheet import MOST_ROWS

_WIDTHS: Final = {"name": 28, "address": 32, "text": 50, "category": 32, "channel": 18, "nik": 20}
_STATUSES: Final = ("proses", "selesai", "selesai tanpa dokumen", "ditolak")
_DATES: Final = frozenset({"day", "finished"})


def import_template(session: Session) -> bytes:
    """An XLSX with one row of headings; what the office chooses from are lists of its cells."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet("Register")
        lists = book.add_worksheet("Pilihan")
        head = book.add_format({"bold": True, "bg_color": "#E0F0EE", "border": 1})
        needed = book.add_format({"bold": True, "bg_color": "#F6D98B", "border": 1})
        text = book.add_format({"num_format": "@", "valign": "top"})
        day = book.add_format({"num_format": "dd/mm/yyyy", "valign": "top"})
        time = book.add_format({"num_format": "hh:mm", "valign": "top"})
        choices = _choices(session)
        for at, column in enumerate(COLUMNS):
            shape = day if column.key in _DATES else time if column.key == "time" else text
            sheet.set_column(at, at, _WIDTHS.get(column.key, 16), shape)
            sheet.write_string(0, at, column.heading, needed if column.needed else head)
            if options_of := choices.get(column.key):
                _list(lists, at, column.heading, options_of)
                letter = xlsxwriter.utility.xl_col_to_name(at)
                source = f"=Pilihan!${letter}$2:${letter}${len(options_of) + 1}"
                sheet.data_validation(
                    1,
                    at,
                    MOST_ROWS,
                    at,
                    # A warning only: the import itself says what it does not know.
                    {"validate": "list", "source": source, "error_type": "warning"},
                )
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, 0, len(COLUMNS) - 1)
    return out.getvalue()


def _list(
    sheet: xlsxwriter.worksheet.Worksheet, at: int, heading: str, rows: Sequence[str]
) -> None:
    sheet.set_column(at, at, 28)
    sheet.write_string(0, at, heading)
    for number, row in enumerate(rows, 1):
        sheet.write_string(number, at, row)


def _choices(session: Session) -> dict[str, list[str]]:
    """What a cell may hold, in the office's order."""

    def labels(model: type[Channel] | type[Category]) -> list[str]:
        statement = select(model.label_id).where(model.active.is_(True))
        return list(session.scalars(statement.order_by(model.position, model.id)))

    districts = select(Region.name).where(Region.kind == "kecamatan", Region.active.is_(True))
    return {
        "channel": labels(Channel),
        "category": labels(Category),
        "district": list(session.scalars(districts.order_by(Region.name))),
        "sex": ["L", "P"],
        "status": list(_STATUSES),
    }
