"""Work beside the standard, and wait beside work."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.formats import decimal, minutes, number, percent
from app.services.charts import StepDuration, bins_of, step_durations
from app.views.chart_filter import FilterBar
from app.views.chart_links import cases_url
from app.views.charts import figure as cell
from app.views.charts.base import Asked, ChartView
from app.views.charts.figure import Figure, Plot, Row, Series, Table, in_minutes

#: The five numbers of a box, as shares.
BOX = ((1, 10), (1, 4), (1, 2), (3, 4), (9, 10))
#: An average of this many seconds is drawn in hours.
LONG_WAIT = 3 * 3600
Steps = tuple[StepDuration, ...]


class StepChartView(ChartView):
    """Median and 90th percentile of work per step beside the SOP's minutes, and how it is spread."""

    class_permission_name = "StepChart"
    route_base = "/charts/steps"
    chart_title = _l("Step durations")
    question = _l("Which step is slow, against the minutes of the SOP?")
    file_word = _l("step-durations")

    def ask(self, asked: Asked) -> Steps:
        """Every step with its durations."""
        return step_durations(asked.session, asked.sop, asked.scope, shelf=asked.shelf)

    def figure(self, found: Steps, bar: FilterBar) -> Figure:
        """Bars of each step; the distribution as boxes, or of one chosen step as columns."""
        done = [step for step in found if step.cases]
        plots: list[Plot] = []
        tables = [self._numbers(found, bar)]
        if done:
            plots.append(self._bars(found, bar))
            one = done[0] if len(found) == 1 else None
            plots.append(_spread(one) if one else _boxes(done))
            tables.append(_spread_table(one) if one else _box_table(done))
        text, tone = headline(found)
        return Figure(
            text,
            plots,
            tables,
            tone=tone,
            notes=(
                _("Office minutes: without breaks, holidays and pauses."),
                _("Half of the cases take at most the median, nine in ten at most the 90th percentile."),
                _("A case that passes a step twice counts twice."),
                _("“Here now” is this moment, whatever the period."),
            ),
        )  # fmt: skip

    def _bars(self, steps: Steps, bar: FilterBar) -> Plot:
        slow = [cases_url(bar, "run", step.key, over="p90") for step in steps]
        every = [cases_url(bar, "run", step.key) for step in steps]
        return Plot(
            "bars",
            _("Work beside the standard"),
            [str(step.label) for step in steps],
            [
                Series(_("Median"), [in_minutes(step.work_median) for step in steps], "main", every),
                Series(_("90th percentile"), [in_minutes(step.work_p90) for step in steps], "soft", slow),
            ],
            unit=_("minutes"),
            subtitle=_("Minutes per case. The line is the standard of the SOP."),
            marks=[step.standard_minutes for step in steps],
            marks_name=_("Standard"),
            digits=1,
        )  # fmt: skip

    def _numbers(self, steps: Steps, bar: FilterBar) -> Table:
        columns = [
            _("Step"), _("Standard (min)"), _("Cases"), _("Work, median (min)"),
            _("Work, 90th percentile (min)"), _("Within the standard (%)"),
            _("Over the standard"), _("Wait, median (min)"), _("Wait, 90th percentile (min)"),
            _("Here now"),
        ]  # fmt: skip
        return Table(_("The numbers"), columns, [self._row(step, bar) for step in steps])

    def _row(self, step: StepDuration, bar: FilterBar) -> Row:
        late = step.median_share is not None and step.median_share > 1
        standard = step.standard_minutes
        return (
            cell.words(f"{step.position}. {step.label}"),
            cell.nothing() if standard is None else cell.count(standard, note=_then(step)),
            cell.count(step.cases, cases_url(bar, "run", step.key)),
            cell.minutes(step.work_median, _("over the standard") if late else "", late=late),
            cell.minutes(step.work_p90),
            cell.share(step.within_share),
            cell.count(step.judged - step.within, cases_url(bar, "run", step.key, over="standard")),
            cell.minutes(step.wait_median),
            cell.minutes(step.wait_p90),
            cell.count(
                step.here_now,
                cases_url(bar, "open", step=step.key),
                _("%(count)s waiting", count=step.waiting_now) if step.waiting_now else "",
            ),
        )


class WaitChartView(ChartView):
    """How much of the time in a step is wait, and how much is work."""

    route_base = "/charts/waits"
    chart_title = _l("Wait against work")
    question = _l("Where do cases lie, and where are they worked on?")
    file_word = _l("wait-and-work")

    def ask(self, asked: Asked) -> Steps:
        """Every step with its durations."""
        return step_durations(asked.session, asked.sop, asked.scope, shelf=asked.shelf)

    def figure(self, found: Steps, bar: FilterBar) -> Figure:
        """Averages, because only they add up; medians stand in the table."""
        done = [step for step in found if step.cases]
        columns = [
            _("Step"), _("Cases"), _("Wait, average (min)"), _("Work, average (min)"),
            _("Share of wait (%)"), _("Wait, median (min)"), _("Wait, 90th percentile (min)"),
            _("Work, median (min)"), _("Waiting now"),
        ]  # fmt: skip
        rows = [
            (
                cell.words(f"{step.position}. {step.label}"),
                cell.count(step.cases, cases_url(bar, "run", step.key)),
                cell.minutes(_mean(step.wait_total, step)),
                cell.minutes(_mean(step.work_total, step)),
                cell.share(_wait_share([step])),
                cell.minutes(step.wait_median),
                cell.minutes(step.wait_p90),
                cell.minutes(step.work_median),
                cell.count(
                    step.waiting_now, cases_url(bar, "open", step=step.key, state="waiting")
                ),
            )
            for step in found
        ]
        plots = [_averages(done, bar)] if done else []
        text = _wait_headline(done) if done else ""
        return Figure(
            text,
            plots,
            [Table(_("The numbers"), columns, rows)],
            notes=(
                _("Wait runs from arriving in a step until somebody starts, work from then until it is finished; both in office minutes."),
                _("Only the work is compared with the standard of the SOP."),
            ),
        )  # fmt: skip


def headline(steps: Steps) -> tuple[str, str]:
    """The one sentence a head of department takes along, and its tone."""
    measured = [step for step in steps if step.median_share is not None]
    if not measured:
        return "", "info"
    slowest = max(measured, key=lambda step: step.median_share or 0)
    values = {
        "step": str(slowest.label),
        "median": minutes(slowest.work_median),
        "standard": number(slowest.standard_minutes),
        "share": percent(slowest.median_share),
    }
    if (slowest.median_share or 0) > 1:
        text = _(
            "Slowest step against its standard: %(step)s. Half of the cases take longer than"
            " %(median)s min; the standard is %(standard)s min (%(share)s).",
            **values,
        )
        return text, "warn"
    text = _(
        "Every step keeps to its standard in the median. Closest to it: %(step)s with"
        " %(median)s of %(standard)s min (%(share)s).",
        **values,
    )
    return text, "ok"


def _then(step: StepDuration) -> str:
    """The standards of the runs, where they differ from today's."""
    if not step.standard_changed or step.frozen_minutes is None:
        return ""
    low, high = step.frozen_minutes
    if low == high:
        return _("then %(minutes)s", minutes=low)
    return _("then %(low)s–%(high)s", low=low, high=high)


def _boxes(steps: list[StepDuration]) -> Plot:
    data: list[Any] = [[in_minutes(part) for part in step.work_spread(BOX)] for step in steps]
    return Plot(
        "boxes",
        _("How the work is spread"),
        [str(step.label) for step in steps],
        [Series(_("Work"), data, "soft")],
        unit=_("minutes"),
        subtitle=_("The box holds the middle half of the cases, the line in it is the median; one case in ten lies beyond each end."),
        marks=[step.standard_minutes for step in steps],
        marks_name=_("Standard"),
        across=_box_names(),
        digits=1,
    )  # fmt: skip


def _box_names() -> list[str]:
    return [
        _("10th percentile (min)"), _("25th percentile (min)"), _("Median (min)"),
        _("75th percentile (min)"), _("90th percentile (min)"),
    ]  # fmt: skip


def _box_table(steps: list[StepDuration]) -> Table:
    rows = [
        (
            cell.words(f"{step.position}. {step.label}"),
            *(cell.minutes(part) for part in step.work_spread(BOX)),
        )
        for step in steps
    ]
    return Table(_("The spread in numbers"), [_("Step"), *_box_names()], rows)


def _spread(step: StepDuration) -> Plot:
    bins = bins_of(step)
    limit = (step.standard_minutes or 0) * 60
    good = [item.cases if _keeps(item.up_to, limit) else None for item in bins]
    slow = [None if _keeps(item.up_to, limit) else item.cases for item in bins]
    series = [Series(_("Within the standard") if limit else _("Cases"), good, "main")]
    if limit:
        series.append(Series(_("Over the standard"), slow, "late"))
    return Plot(
        "columns",
        _("How the work is spread"),
        [_bin_words(item.above, item.up_to) for item in bins],
        series,
        unit=_("cases"),
        subtitle=_("Cases by their minutes of work: %(step)s", step=step.label),
        stacked=True,
    )


def _keeps(up_to: int | None, limit: int) -> bool:
    return not limit or (up_to is not None and up_to <= limit)


def _bin_words(above: int, up_to: int | None) -> str:
    digits = 0 if above % 60 == 0 and (up_to or 0) % 60 == 0 else 1
    low = decimal(above / 60, digits)
    return f"> {low}" if up_to is None else f"{low}–{decimal(up_to / 60, digits)}"


def _spread_table(step: StepDuration) -> Table:
    rows = [
        (
            cell.words(_bin_words(item.above, item.up_to)),
            cell.count(item.cases),
            cell.share(item.cases / step.cases),
        )
        for item in bins_of(step)
    ]
    columns = [_("Work (min)"), _("Cases"), _("Share (%)")]
    return Table(_("The spread in numbers"), columns, rows)


def _mean(total: int, step: StepDuration) -> float | None:
    return total / step.cases if step.cases else None


def _wait_share(steps: list[StepDuration]) -> float | None:
    wait = sum(step.wait_total for step in steps)
    both = wait + sum(step.work_total for step in steps)
    return wait / both if both else None


def _averages(steps: list[StepDuration], bar: FilterBar) -> Plot:
    longest = max((step.wait_total + step.work_total) / step.cases for step in steps)
    unit, word = (3600, _("office hours")) if longest >= LONG_WAIT else (60, _("minutes"))
    links = [cases_url(bar, "run", step.key) for step in steps]
    return Plot(
        "bars",
        _("Wait and work of a case, on average"),
        [str(step.label) for step in steps],
        [
            Series(_("Wait"), [round(step.wait_total / step.cases / unit, 1) for step in steps], "quiet", links),
            Series(_("Work"), [round(step.work_total / step.cases / unit, 1) for step in steps], "main", links),
        ],
        unit=word,
        stacked=True,
        digits=1,
    )  # fmt: skip


def _wait_headline(steps: list[StepDuration]) -> str:
    most = max(steps, key=lambda step: step.wait_total / step.cases)
    part = _wait_share(steps)
    if part is None:
        return _("The finished steps took no measurable time.")
    return _(
        "%(share)s of the time in the steps is wait. Cases lie longest before %(step)s: %(minutes)s"
        " min on average.",
        share=percent(part),
        step=most.label,
        minutes=minutes(most.wait_total / most.cases),
    )
