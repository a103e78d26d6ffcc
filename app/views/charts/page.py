"""The page around a chart's numbers: drawn once for the same filter, reader and kind of figure.

Filter bar, ways to other charts, heads of cards and tables and notes are most of a small chart's
page and say nothing of its numbers. The kept text has gaps where those go.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
from flask import render_template, request, url_for
from markupsafe import Markup, escape

from app.access import current_permissions
from app.gaps import new_gap
from app.remembered import kept
from app.sop.text import language
from app.views.chart_filter import Choice, FilterBar
from app.views.charts.drawing import table_lines
from app.views.charts.figure import Figure, Outline

if TYPE_CHECKING:
    from app.views.charts.base import ChartView

#: Where numbers go.
_GAP: Final = new_gap("numbers")
#: Pages of one application that are kept, some 20 kB each: what people type stands in them.
_MOST: Final = 200


class Last(NamedTuple):
    """When there was something last, and the way there."""

    date: str
    url: str


class Drawn(NamedTuple):
    """What a page is drawn from besides its figure."""

    view: ChartView
    #: The filter as the URL has it, with the selects that mean nothing here.
    bar: FilterBar
    #: The days that were counted, in words.
    period: str
    last: Last | None
    #: Of the pictures that are saved.
    file_name: str

    @property
    def choices(self) -> list[Choice]:
        """The selects that this chart shows."""
        shown = (*self.view.selects, "office")
        return [item for item in self.bar.choices if item.name in shown]


def chart_page(drawn: Drawn, figure: Figure, tabs: Callable[[], Markup]) -> Markup:
    """Everything below the frame of a chart's page; `tabs` are the ways to other charts."""
    parts = _around(drawn, figure.outline(), tabs)
    page = [parts[0]]
    for number, part in zip(_numbers(drawn, figure), parts[1:], strict=True):
        page += (number, part)
    return Markup("".join(page))  # noqa: S704 - parts of a template, and escaped numbers


def _around(drawn: Drawn, outline: Outline, tabs: Callable[[], Markup]) -> tuple[str, ...]:
    """The page in parts, with a gap between two. What the template reads stands in the key."""
    view, bar, period, last, _file = drawn
    reader = (language.get(), request.script_root, current_permissions())
    key: Hashable = (view.endpoint, reader, bar, period, last, outline)

    def make() -> tuple[str, ...]:
        reset_url = url_for(f"{view.endpoint}.chart")
        choices = drawn.choices
        text = render_template(
            "aduan/chart_page.html",
            view=view,
            bar=bar,
            choices=choices,
            kept=[item for item in bar.choices if item.value and item not in choices],
            period_words=period,
            figure=outline,
            last=last,
            tabs=tabs(),
            gap=_GAP,
            chart_url=lambda **changes: bar.url(reset_url, changes),
            reset_url=reset_url,
        )
        return tuple(text.split(_GAP))

    return kept(key, make, "charts", _MOST)


def _numbers(drawn: Drawn, figure: Figure) -> Iterator[str]:
    """What goes into the gaps, in their order."""
    if figure.plots:
        if figure.headline:
            yield escape(figure.headline)
        chosen = [f"{item.label}: {item.words}" for item in drawn.choices if item.value]
        yield _script(
            {
                "plots": [plot.data() for plot in figure.plots],
                "file": drawn.file_name,
                "scope": " · ".join([drawn.period, *chosen]),
            }
        )
    for table in figure.tables:
        yield table_lines(table)


def _script(data: dict[str, Any]) -> str:
    """JSON that ends no element, no line of a script and begins none, as `tojson` writes it."""
    text = orjson.dumps(data).decode()
    for sign in "<>&'\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
