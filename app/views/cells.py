"""The cells of a list as text that is safe on a page, made once for each row and not by macros."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from flask_babel import gettext as _
from markupsafe import Markup, escape

from app.parts import words

#: What stands for nothing; the same as `ui.value` of the templates.
NONE: Final = Markup('<span class="none">–</span>')


#: Makes the cells of one line, in the order of the columns, every one safe on a page.
Cells = Callable[[Any], Sequence[Markup]]


@dataclass(frozen=True)
class Line:
    """What is the same for all lines of one list."""

    #: The name of each column, which stands beside its cell on a phone.
    labels: Sequence[Any]
    #: The words of the tick box with a gap for the name of its line; None where there is none.
    choose: str | None
    #: Where a line leads to; None for who may not go there.
    show: Callable[[Any], str] | None
    edit: Callable[[Any], str] | None


def table_lines(line: Line, lines: Iterable[tuple[Any, Sequence[Markup]]]) -> Markup:
    """The lines of a table with their keys, as the table's body.

    Written here and not by a template: they are most of a list page, and this takes a third of
    the time.
    """
    labels = tuple(str(escape(label)) for label in line.labels)
    ways = (line.choose is not None, line.show is not None, line.edit is not None)
    _, found = words(), []
    row, open_word = _row_pattern(labels, *ways, _("Edit")), _("Open")
    show, edit, choose = line.show, line.edit, line.choose
    count = len(line.labels)
    for pk, cells in lines:
        if len(cells) != count:
            list(zip(line.labels, cells, strict=True))  # a cell without a column: raises
        name = plain_words(cells[0])
        parts: list[Any] = []
        if choose is not None:
            parts += (escape(pk), escape(choose % {"name": name}))
        if show is not None:
            spoken = f'<span class="sr-only">{open_word} {escape(pk)}</span>' if name == "–" else ""
            parts += (show(pk), cells[0], spoken)
        else:
            parts.append(cells[0])
        parts += cells[1:]
        if edit is not None:
            parts += (edit(pk), escape(name))
        found.append(row % tuple(parts))
    return Markup("".join(found))  # noqa: S704 - cells are markup, all else is escaped


@lru_cache(maxsize=500)
def _row_pattern(labels: Sequence[str], choose: bool, show: bool, edit: bool, edits: str) -> str:
    """One line of the table with `%s` for each thing that differs from line to line.

    Args:
        labels: of the columns, escaped.
        edits: what the link to the form says, escaped.
    """
    labels = [f'data-label="{label}">'.replace("%", "%%") for label in labels]
    pieces = ["<tr>\n"]
    if choose:
        pieces.append(
            '<td class="check-cell"><label class="check-box"><input type="checkbox" name="rowid"'
            ' value="%s" data-check><span class="sr-only">%s</span></label></td>\n'
        )
    first = '<a href="%s">%s%s</a>' if show else "%s"
    pieces.append(f'<td class="row-title" {labels[0]}{first}</td>\n')
    pieces += [f"<td {label}<div>%s</div></td>\n" for label in labels[1:]]
    if edit:
        edit_word = edits.replace("%", "%%")
        pieces.append(
            '<td class="tight row-actions row-edit"><a class="btn btn-quiet btn-sm" href="%s">'
            f'{edit_word}<span class="sr-only"> %s</span></a></td>\n'
        )
    return "".join(pieces) + "</tr>\n"


@lru_cache(maxsize=500)
def drawn_options(options: tuple[tuple[str, str], ...], chosen: str) -> Markup:
    """What a choice above a list offers; the same few stand on every page."""
    return Markup("").join(
        Markup('<option value="{}"{}>{}</option>').format(
            value, Markup(" selected") if value == chosen else "", words
        )
        for value, words in options
    )


def cell_text(value: Any) -> Markup:
    """A value as a list shows it: a dash for nothing, words for yes and no."""
    if isinstance(value, str):
        text = value.strip()
        return escape(value) if text and text != "–" else NONE
    if value is None:
        return NONE
    if isinstance(value, bool):
        return escape(_("Yes") if value else _("No"))
    if isinstance(value, Mapping):
        value = [f"{key}: {item}" for key, item in value.items()]
    if isinstance(value, Iterable):
        return Markup(", ").join(value) or NONE
    return escape(value)


def nowrap(text: str, below: str = "") -> Markup:
    """A text that stays in one line, and a quieter one below it."""
    line = f"<span class='nowrap'>{escape(text)}</span>"
    if below:
        line += f"<br><span class='muted nowrap'>{escape(below)}</span>"
    return Markup(line)  # noqa: S704 - both texts are escaped


def with_below(text: str, below: str) -> Markup:
    """A text and a quieter one below it."""
    return Markup(f"{escape(text)}<br><span class='muted'>{escape(below)}</span>")  # noqa: S704


def plain_words(value: Markup) -> str:
    """A cell without its markup."""
    if (
        value.endswith("</span>") and value.count("<") == 2 and "&" not in value
    ):  # as `nowrap` has it
        return value[value.index(">") + 1 : value.rindex("<")]
    return value.striptags() if "<" in value or "&" in value else str(value).strip()
