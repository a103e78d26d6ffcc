"""The lines of a chart's tables as text, made in one go and not by a macro for each cell."""

from __future__ import annotations

from flask import get_template_attribute
from flask_babel import gettext as _
from markupsafe import escape

from app.views.charts.figure import Entry, Row, Table


def table_lines(table: Table) -> str:
    """The body of a table; every text is escaped here."""
    draw = _Cells(table)
    lines = [f"<tr>{draw.row(row)}</tr>" for row in table.rows]
    if not lines:
        nothing = escape(_("Nothing in this period."))
        lines = [f'<tr><td colspan="{len(table.columns)}" class="muted">{nothing}</td></tr>']
    if table.total:
        lines.append(f'<tr class="chart-total">{draw.row(table.total)}</tr>')
    return "\n".join(lines)


class _Cells:
    """The cells of one table: what is the same in each column is made once."""

    def __init__(self, table: Table) -> None:
        self._begins = [
            f'<td class="num" data-label="{escape(column)}" data-value="'
            for column in table.columns[1:]
        ]
        see = escape(_("(see the cases)"))
        self._see = f'<span class="sr-only"> {see}</span></a>'
        self._addresses = _escaped(
            [
                entry.url
                for row in (*table.rows, table.total or ())
                for entry in row
                if entry.url is not None
            ]
        )

    def row(self, row: Row) -> str:
        """A line: its name, then its numbers."""
        first = row[0]
        name = f'<th scope="row" class="row-title" data-value="{_value(first)}">{self._inside(first)}</th>'
        see, addresses = self._see, self._addresses
        cells = [name]
        for begin, entry in zip(self._begins, row[1:], strict=False):
            value, text, url, note, late = entry
            # Nearly all are whole numbers with nothing beside them.
            if type(value) is not int or note or late:
                cells.append(f'{begin}{_value(entry)}"><div>{self._inside(entry)}</div></td>')
            elif url:
                cells.append(
                    f'{begin}{value}"><div><a href="{addresses[url]}">{text}{see}</div></td>'
                )
            else:
                cells.append(f'{begin}{value}"><div>{text}</div></td>')
        return "".join(cells)

    def _inside(self, entry: Entry) -> str:
        if entry.value is None:
            shown = '<span class="none">–</span>'
        else:
            # A number is said in digits and signs.
            shown = escape(entry.text) if isinstance(entry.value, str) else entry.text
            if entry.url:
                shown = f'<a href="{self._addresses[entry.url]}">{shown}{self._see}'
        return f"{shown}{_note(entry)}" if entry.note or entry.late else shown


def _escaped(addresses: list[str]) -> dict[str, str]:
    """Each as it stands in a page, all escaped at once: an address has no line break."""
    if not addresses:
        return {}
    return dict(zip(addresses, str(escape("\n".join(addresses))).split("\n"), strict=True))


def _value(entry: Entry) -> str:
    """As the script and the tests read it."""
    value = entry.value
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) else escape(value)


def _note(entry: Entry) -> str:
    if not entry.late:
        return f'<span class="cell-note">{escape(entry.note)}</span>'
    icon = get_template_attribute("aduan/icons.html", "icon")("triangle-alert", "icon-sm")
    words = escape(entry.note or _("too late"))
    return f'<span class="cell-note cell-late">{icon}{words}</span>'
