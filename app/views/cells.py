"""The cells of a list as text that is safe on a page, made once for each row and not by macros."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from flask_babel import gettext as _
from markupsafe import Markup, escape

#: What stands for nothing; the same as `ui.value` of the templates.
NONE: Final = Markup('<span class="none">–</span>')


class ListRow(NamedTuple):
    """One line of a list, every part escaped: the template puts them in as they are."""

    pk: Markup
    #: The first cell in plain words, for those who do not see the line.
    name: Markup
    #: The words of its tick box.
    choose: Markup
    show_url: Markup
    edit_url: Markup
    cells: Sequence[tuple[Markup, Markup]]


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
    return value.striptags() if "<" in value or "&" in value else str(value).strip()
