"""The trend by week."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.formats import minutes, number, percent, short_date
from app.services.charts import TrendPoint, trend
from app.views.chart_filter import FilterBar
from app.views.chart_links import cases_url
from app.views.charts import figure as cell
from app.views.charts.base import Asked, ChartView
from app.views.charts.figure import Figure, Plot, Row, Series, Table, in_minutes

Points = tuple[TrendPoint, ...]


class TrendChartView(ChartView):
    """What came in and went out, the work beside the standard, and the share within it."""

    route_base = "/charts/trend"
    chart_title = _l("Trend by week")
    question = _l("Is the office keeping up, and is the work getting faster?")
    file_word = _l("trend")

    def ask(self, asked: Asked) -> Points:
        """Every week of the period."""
        return trend(asked.session, asked.scope)

    def figure(self, found: Points, bar: FilterBar) -> Figure:
        """Three drawings over the same weeks, because no two of them share a unit."""
        some = any(point.runs or point.received or point.ended for point in found)
        one = bool(bar.chosen.step_key)
        notes = [
            _("A week runs from Monday to Sunday; the first and the last one are cut to the period. A period of more than a year is shown by month."),
            _("A case counts as received on the day of its receipt and as finished on the day on which it ended."),
        ]  # fmt: skip
        if not one:
            notes.append(
                _("Work of all steps: the medians of the steps that had cases, added up, beside their standards. Choose a step to see it alone.")
            )  # fmt: skip
        table = _table(found, bar)
        return Figure(
            _headline(found) if some else "",
            _plots(found, table.rows, one=one) if some else [],
            [table],
            notes=notes,
        )


def _label(point: TrendPoint) -> str:
    return short_date(point.first).rsplit(" ", 1)[0]


def _span(point: TrendPoint) -> str:
    if point.first == point.last:
        return short_date(point.first)
    return f"{_label(point)} – {short_date(point.last)}"


def _days(point: TrendPoint) -> dict[str, Any]:
    return {"period": None, "from": point.first.isoformat(), "to": point.last.isoformat()}


def _plots(points: Points, rows: Sequence[Row], *, one: bool) -> list[Plot]:
    weeks = [_label(point) for point in points]
    return [
        Plot(
            "columns",
            _("Received and finished"),
            weeks,
            [
                cell.column(_("Received"), rows, 1, "quiet"),
                cell.column(_("Finished"), rows, 2),
            ],
            unit=_("cases"),
        ),
        Plot(
            "lines",
            _("Work of the step beside its standard") if one else _("Work of all steps beside their standards"),
            weeks,
            [
                Series(_("Median of work"), [in_minutes(p.work) for p in points], "main"),
                Series(_("Standard"), [p.standard_minutes for p in points], "standard"),
            ],
            unit=_("minutes"),
            digits=1,
        ),
        Plot(
            "lines",
            _("Share within the standard"),
            weeks,
            [Series(_("Within the standard"), [cell.share(p.within_share).value for p in points], "main")],  # type: ignore[list-item]
            unit="%",
            digits=1,
        ),
    ]  # fmt: skip


def _table(points: Points, bar: FilterBar) -> Table:
    columns = [
        _("Period"), _("Received"), _("Finished"), _("Steps finished"), _("Work, median (min)"),
        _("Standard (min)"), _("Within the standard (%)"),
    ]  # fmt: skip
    return Table(_("The numbers"), columns, [_row(point, bar) for point in points])


def _row(point: TrendPoint, bar: FilterBar) -> Row:
    standard = point.standard_minutes
    days = _days(point)
    return (
        cell.words(_span(point)),
        cell.count(point.received, cases_url(bar, "arrival", **days)),
        cell.count(point.ended, cases_url(bar, "ended", **days)),
        cell.count(point.runs, cases_url(bar, "run", bar.chosen.step_key or "", **days)),
        cell.minutes(point.work),
        cell.nothing() if standard is None else cell.count(standard),
        cell.share(point.within_share),
    )


def _headline(points: Points) -> str:
    received, ended = sum(p.received for p in points), sum(p.ended for p in points)
    text = _(
        "%(received)s complaints came in and %(ended)s were finished.",
        received=number(received),
        ended=number(ended),
    )
    known = [p for p in points if p.within_share is not None]
    if len(known) > 1:
        first, last = known[0], known[-1]
        text += " " + _(
            "The share within the standard went from %(first)s to %(last)s.",
            first=percent(first.within_share),
            last=percent(last.within_share),
        )
    worked = [p for p in known if p.work is not None]
    if worked:
        slowest = max(worked, key=lambda p: p.work or 0)
        text += " " + _(
            "The slowest stretch was %(period)s with %(minutes)s min of work.",
            period=_span(slowest),
            minutes=minutes(slowest.work),
        )
    return text
