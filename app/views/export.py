"""Lists as CSV that a spreadsheet opens at once and never takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Final
from urllib.parse import quote

from flask import Response
from flask_babel import get_locale, gettext

from app.formats import local
from app.services.spreadsheets import inert

Cell = str | int | float | bool | date | datetime | None

#: An export stops here; the filters of the list say which rows come first.
EXPORT_ROWS: Final = 10_000
_BOM: Final = "\ufeff"
_CHUNK_ROWS: Final = 500


def csv_response(filename: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """A CSV download: UTF-8 with BOM, each text cell safe from formula injection.

    Decimal sign and separator are those a spreadsheet of the page's language expects: `;` and a
    comma in Indonesian, `,` and a point in English. Times are the office's (Asia/Jakarta). It is
    written whole before its first byte leaves (`EXPORT_ROWS` rows are a few MB) and sent in pieces:
    a failure is an error page and never half a file.
    """
    decimal = "." if _language() == "en" else ","
    separator = "," if decimal == "." else ";"
    pieces = list(_lines(chain([header], rows), separator, decimal))
    response = Response(pieces, mimetype="text/csv")
    response.headers["Content-Disposition"] = content_disposition("attachment", filename)
    return response


def safe_cell(value: Cell, decimal: str = ".") -> str:
    """One value as text; a text that would start a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, datetime):
        return f"{local(value):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return str(value).replace(".", decimal)
    return inert(str(value))


def content_disposition(kind: str, filename: str) -> str:
    """The header for a file name in any script (RFC 6266, RFC 5987), with a plain one beside it."""
    name = "".join(letter if letter.isprintable() else "_" for letter in filename)
    plain = "".join(
        letter if letter.isascii() and letter not in '"\\;%/' else "_" for letter in name
    )
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _lines(rows: Iterable[Sequence[Cell]], separator: str, decimal: str) -> Iterator[str]:
    buffer = io.StringIO()
    buffer.write(_BOM)
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    for number, row in enumerate(rows, start=1):
        writer.writerow([safe_cell(value, decimal) for value in row])
        if number % _CHUNK_ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _language() -> str:
    locale = get_locale()
    return locale.language if locale else "id"
