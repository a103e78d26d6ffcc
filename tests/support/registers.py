"""Registers as offices keep them: XLSX and CSV files for the import."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import xlsxwriter

#: A right row; every value can be changed.
RIGHT: Final[dict[str, Any]] = {
    "No": "17",
    "Tanggal": "03/07/2026",
    "Jam": "08.15",
    "Kanal": "WhatsApp",
    "Nama": "Wahyuni Registerwati",
    "JK": "P",
    "NIK": "3325014502909917",
    "No KK": "3325010101109907",
    "Alamat": "Jl. Contoh No. 17",
    "Desa": "Silurah",
    "Kecamatan": "Wonotunggal",
    "HP": "0812-0000-0017",
    "Uraian": "Nama di KK berbeda dengan akta.",
    "Jenis": "BEDA_DATA",
    "Berkas": "KK, KTP",
    "Petugas": "Ibu Tini",
    "Disposisi": "",
    "Tindak lanjut": "",
    "Tanggal selesai": "",
    "Status": "proses",
    "No resi": "",
    "Keterangan": "dari buku",
}


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A right row of its own person; `changes` with `_` for the blank in a heading."""
    values = {**RIGHT, "No": str(number), "NIK": nik(number), "Nama": f"Warga Register {number}"}
    return {**values, **{name.replace("_", " "): value for name, value in changes.items()}}


def nik(number: int) -> str:
    """A fictional NIK for each number: serial 9900 to 9999, then other birth days."""
    day, serial = divmod(number, 100)
    month, day = divmod(day, 28)
    year, month = divmod(month, 12)
    return f"332501{day + 1:02}{month + 1:02}{80 + year:02}{9900 + serial}"


def xlsx(
    rows: Sequence[Mapping[str, Any]],
    *,
    title: Sequence[str] = (),
    head: Sequence[str] | None = None,
) -> bytes:
    """A workbook; `title` are lines above the headings. Texts stay texts."""
    out = io.BytesIO()
    options = {"in_memory": True, "default_date_format": "dd/mm/yyyy hh:mm"}
    names = list(head if head is not None else RIGHT)
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet("Register 2026")
        for at, line in enumerate(title):
            sheet.write_string(at, 0, line)
        for column, name in enumerate(names):
            sheet.write_string(len(title), column, name)
        for at, values in enumerate(rows, len(title) + 1):
            for column, name in enumerate(names):
                value = values.get(name, "")
                if isinstance(value, datetime):
                    sheet.write_datetime(at, column, value)
                elif isinstance(value, str):
                    sheet.write_string(at, column, value)
                else:
                    sheet.write(at, column, value)
    return out.getvalue()


def csv_file(
    rows: Sequence[Mapping[str, Any]], *, separator: str = ";", encoding: str = "utf-8-sig"
) -> bytes:
    """A CSV as Excel or LibreOffice writes it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator)
    writer.writerow(RIGHT)
    writer.writerows([values.get(name, "") for name in RIGHT] for values in rows)
    return out.getvalue().encode(encoding)
