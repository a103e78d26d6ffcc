"""The way from a number to its cases: one helper, so that every bar and cell links alike."""

from __future__ import annotations

from typing import Final, Literal

from flask import current_app, g, url_for

from app.access import current_permissions
from app.views.chart_filter import FilterBar

#: What a number counts: a series of the statistics, or what is open now.
Of = Literal["run", "arrival", "ended", "return", "open", "due", "parcel", "delivery"]
ENDPOINT: Final = "ChartCaseView.list"


def cases_url(bar: FilterBar, of: Of, item: str = "", **more: str | int | None) -> str | None:
    """The list of the cases behind a number; None for who may not open it.

    Args:
        bar: the filter that the number was counted with.
        of: what was counted.
        item: the item of the series (a step, a transition, an end, a kind of date, a courier).
        more: `over` (standard, p90), `hour`, `weekday`, `age`, `state`, `lane`, `person`, or a changed parameter of
            the filter such as `channel`; None leaves one out.
    """
    path: str | None = g.get("chart_cases", "")
    if path == "":
        path = g.chart_cases = _path()
    if path is None:
        return None
    changes: dict[str, str | None] = {"of": of, "item": item or None}
    for name, value in more.items():
        changes[name] = None if value is None else str(value)
    return bar.url(path, changes)


def _path() -> str | None:
    """Where these lists are; the same for all links of a page."""
    if ("can_list", "ChartCase") not in current_permissions():
        return None
    return url_for(ENDPOINT) if ENDPOINT in current_app.view_functions else None
