"""Where time is lost outside of the work: pauses by reason, and the way of the parcels."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.formats import duration, number
from app.services.charts import CourierDelivery, PauseLoss, deliveries, pause_losses
from app.views.chart_filter import FilterBar
from app.views.chart_links import cases_url
from app.views.charts import figure as cell
from app.views.charts.base import Asked, ChartView
from app.views.charts.figure import Figure, Plot, Row, Series, Table, in_minutes
from app.views.office import case_office

WITHOUT_STEP = ("channel", "category", "kecamatan")


class PauseChartView(ChartView):
    """What pauses cost, by reason."""

    route_base = "/charts/pauses"
    chart_title = _l("Pauses by reason")
    question = _l("What stops the work, and for how long?")
    file_word = _l("pauses")
    group = "time"
    series = "run"

    def ask(self, asked: Asked) -> tuple[PauseLoss, ...]:
        """The pauses of the period."""
        return pause_losses(
            asked.session, asked.sop, case_office().calendar, asked.scope, now=asked.now
        )

    def figure(self, found: tuple[PauseLoss, ...], bar: FilterBar) -> Figure:
        """Minutes of single cases and of whole steps beside each other, never added up unseen."""
        columns = [
            _("Reason"), _("Minutes lost"), _("Pauses of a case"), _("Cases"),
            _("Minutes, single cases"), _("Pauses of a whole step"), _("Cases held up"),
            _("Minutes, whole steps"),
        ]  # fmt: skip
        rows = [_pause_row(item) for item in found]
        table = Table(_("The numbers"), columns, rows)
        notes = (
            _("Office minutes of each pause within the period. A pause of a whole step counts once, however many cases it held up; a pause that still lasts counts until now."),
            _("A case is held up when its stay in the step touches the pause. In periods of more than three months these are not counted."),
        )  # fmt: skip
        if not found:
            return Figure(
                "",
                [],
                [table],
                notes=notes,
                empty_title=_("No clock stood still in this period"),
                empty_text=_("A pause is entered on the page of a case or for a whole step."),
            )
        plot = Plot(
            "bars",
            _("Minutes lost by reason"),
            [str(item.label) for item in found],
            [
                Series(_("Single cases"), [in_minutes(i.case_seconds) for i in found], "main"),
                Series(_("Whole steps"), [in_minutes(i.step_seconds) for i in found], "dots"),
            ],
            unit=_("office minutes"),
            stacked=True,
            digits=1,
        )
        worst = found[0]
        text = _(
            "Most time was lost to: %(reason)s (%(time)s).",
            reason=worst.label,
            time=duration(worst.seconds),
        )
        return Figure(text, [plot], [table], notes=notes)


class DeliveryChartView(ChartView):
    """From sending to delivery, by courier."""

    route_base = "/charts/delivery"
    chart_title = _l("Dispatch to delivery")
    question = _l("Which courier brings the papers soonest, and whose parcels come back?")
    file_word = _l("delivery")
    group = "time"
    series = "parcel"
    selects = WITHOUT_STEP

    def ask(self, asked: Asked) -> tuple[CourierDelivery, ...]:
        """Every courier with a parcel."""
        return deliveries(asked.session, asked.scope, shelf=asked.shelf)

    def figure(self, found: tuple[CourierDelivery, ...], bar: FilterBar) -> Figure:
        """Median and 90th percentile of the hours under way."""
        columns = [
            _("Courier"), _("Sent"), _("Came back"), _("Delivered"), _("Median (hours)"),
            _("90th percentile (hours)"), _("Average (hours)"),
        ]  # fmt: skip
        rows = [_courier_row(item, bar) for item in found]
        table = Table(_("The numbers"), columns, rows)
        notes = (
            _("Hours by the clock on the wall, nights and holidays included; beyond ten days counted by the day."),
            _("Sent and came back: parcels sent in the period. Delivered: parcels that arrived in the period."),
        )  # fmt: skip
        if not found:
            return Figure("", [], [table], notes=notes)
        there = [item for item in found if item.delivered]
        links = [row[3].url for row in rows if row[3].value]
        plots = []
        if there:
            plots.append(
                Plot(
                    "bars",
                    _("Hours from dispatch to delivery"),
                    [item.name for item in there],
                    [
                        Series(_("Median"), [item.hours_median for item in there], "main", links),
                        Series(
                            _("90th percentile"), [item.hours_p90 for item in there], "soft", links
                        ),
                    ],
                    unit=_("hours"),
                )
            )
        plots.append(
            Plot(
                "bars",
                _("Parcels"),
                [item.name for item in found],
                [
                    cell.column(_("Sent"), rows, 1, "quiet"),
                    cell.column(_("Came back"), rows, 2, "late"),
                ],
                unit=_("parcels"),
            )
        )
        text = ngettext("%(num)d parcel was sent.", "%(num)d parcels were sent.", sum(i.sent for i in found))  # fmt: skip
        if there:
            slowest = max(there, key=lambda item: item.hours_median or 0)
            text += " " + _(
                "Slowest in the median: %(courier)s with %(hours)s hours.",
                courier=slowest.name,
                hours=number(slowest.hours_median),
            )
        return Figure(text, plots, [table], notes=notes)


def _pause_row(item: PauseLoss) -> Row:
    held = cell.nothing() if item.held_up is None else cell.count(item.held_up)
    return (
        cell.words(str(item.label)),
        cell.minutes(item.seconds),
        cell.count(item.case_pauses),
        cell.count(item.cases),
        cell.minutes(item.case_seconds),
        cell.count(item.step_pauses),
        held,
        cell.minutes(item.step_seconds),
    )


def _courier_row(item: CourierDelivery, bar: FilterBar) -> Row:
    key = str(item.courier_id)
    return (
        cell.words(item.name),
        cell.count(item.sent, cases_url(bar, "parcel", key)),
        cell.count(item.returned, cases_url(bar, "parcel", key, state="returned")),
        cell.count(item.delivered, cases_url(bar, "delivery", key)),
        cell.hours(item.hours_median),
        cell.hours(item.hours_p90),
        cell.hours(item.hours_mean),
    )
