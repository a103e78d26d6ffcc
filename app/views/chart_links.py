"""The way from a number to its cases: one helper, so that every bar and cell links alike."""

from __future__ import annotations

from typing import Final, Literal

from flask import current_app, request, url_for

from app.access import current_permissions
from app.remembered import kept
from app.views.chart_filter import FilterBar, pair

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
    begin = bar.begins.get(of)
    if begin is None:
        begin = bar.begins[of] = _begin(bar, of)
    if not begin:
        return None
    own = bar.pairs
    text = f"{begin}&{pair('item', item)}" if item else begin
    for name, value in more.items():
        if name in own:
            changes = {"of": of, "item": item or None, **more}
            return bar.url(begin.partition("?")[0], {
                key: None if new is None else str(new) for key, new in changes.items()
            })  # fmt: skip
        if value is not None:
            text += f"&{name}={value}" if type(value) is int else f"&{pair(name, str(value))}"
    return text


def _begin(bar: FilterBar, of: Of) -> str:
    """Where the lists of what is counted are, with the filter; "" for who may not open them."""
    if ("can_list", "ChartCase") not in current_permissions():
        return ""
    if ENDPOINT not in current_app.view_functions:
        return ""
    path = kept(("cases", request.script_root), lambda: url_for(ENDPOINT))
    return bar.url(path, {"of": of})
