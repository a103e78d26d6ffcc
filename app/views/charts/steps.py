"""How long each step takes beside its standard: chart, the same numbers as a table, and as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.charts.views import BaseChartView
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm

from app.extensions import db
from app.formats import local, local_date, minutes, number, percent, short_date
from app.models import StepRun
from app.services.charts import StepDuration, last_day, step_durations
from app.services.statistics import Scope
from app.views.base import HardenedMixin
from app.views.chart_filter import FilterBar, read_filter
from app.views.export import Cell, csv_response
from app.views.interface import OfficeInterface
from app.views.office import request_time, the_sop

#: A wait of this many seconds is read in hours.
LONG_WAIT = 3 * 3600


class StepChartView(HardenedMixin, BaseChartView):  # type: ignore[misc]
    """Median and 90th percentile of work per step beside the SOP's minutes; wait beside them."""

    datamodel = OfficeInterface(StepRun)
    class_permission_name = "StepChart"
    route_base = "/charts/steps"
    default_view = "chart"
    chart_title = _l("Step durations")
    chart_template = "aduan/step_chart.html"
    # One route only; FAB's search form over the table would be a query per relation.
    include_route_methods: ClassVar[set[str]] = {"chart"}
    search_columns: ClassVar[list[str]] = ["step_key"]
    search_form = FlaskForm

    @expose("/")
    @has_access
    def chart(self) -> ResponseReturnValue:
        """The page, or with `?format=csv` its table."""
        session = db.session()
        bar = read_filter(session, request.args, local(request_time()).date())
        steps = step_durations(session, the_sop(), bar.chosen)
        if request.args.get("format") == "csv":
            return _csv(bar.chosen, steps)
        cases = sum(step.cases for step in steps)
        return render_template(
            self.chart_template,
            title=self.chart_title,
            appbuilder=self.appbuilder,
            bar=bar,
            period_words=period_words(bar.chosen),
            steps=steps,
            cases=cases,
            within=sum(step.within for step in steps),
            judged=sum(step.judged for step in steps),
            headline=headline(steps),
            last=None if cases else self._last(bar),
            data=chart_data(steps),
            chart_url=lambda **changes: url_for(
                f"{self.endpoint}.chart", **bar.url_values(**changes)
            ),
            reset_url=url_for(f"{self.endpoint}.chart"),
        )

    def _last(self, bar: FilterBar) -> dict[str, str] | None:
        """When such a step was last finished, and the link to that month."""
        day = last_day(db.session(), "run", bar.chosen, local(request_time()).date())
        if day is None:
            return None
        values = bar.url_values(
            **{"period": None, "from": day.replace(day=1).isoformat(), "to": day.isoformat()}
        )
        return {"date": local_date(day), "url": url_for(f"{self.endpoint}.chart", **values)}


def period_words(chosen: Scope) -> str:
    """The period as people say it."""
    if chosen.first == chosen.last:
        return local_date(chosen.first)
    return f"{short_date(chosen.first)} – {short_date(chosen.last)}"


def headline(steps: tuple[StepDuration, ...]) -> dict[str, str]:
    """The one sentence a head of department takes along, and its tone."""
    measured = [step for step in steps if step.median_share is not None]
    if not measured:
        return {}
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
        return {"text": text, "tone": "warn"}
    text = _(
        "Every step keeps to its standard in the median. Closest to it: %(step)s with"
        " %(median)s of %(standard)s min (%(share)s).",
        **values,
    )
    return {"text": text, "tone": "ok"}


def chart_data(steps: tuple[StepDuration, ...]) -> dict[str, Any]:
    """What the drawing script needs: numbers in minutes, and every word in the page's language."""
    long = any((step.wait_p90 or 0) >= LONG_WAIT for step in steps)
    unit = 3600 if long else 60
    return {
        "steps": [
            {
                "label": str(step.label),
                "standard": step.standard_minutes,
                "median": _in(step.work_median, 60),
                "p90": _in(step.work_p90, 60),
                "waitMedian": _in(step.wait_median, unit),
                "waitP90": _in(step.wait_p90, unit),
                "cases": ngettext("%(num)d case", "%(num)d cases", step.cases),
            }
            for step in steps
        ],
        "words": {
            "median": _("Median"),
            "p90": _("90th percentile"),
            "standard": _("Standard"),
            "minutes": _("minutes"),
            "waitUnit": _("office hours") if long else _("minutes"),
            "work": _work_words(steps),
            "wait": _wait_words(steps),
        },
    }


def _in(seconds: float | None, unit: int) -> float | None:
    """In minutes or hours to one decimal, as the table says them: no number differs by rounding."""
    return None if seconds is None else round(seconds / unit, 1)


def _work_words(steps: tuple[StepDuration, ...]) -> str:
    """The work chart read aloud."""
    parts = [
        _(
            "%(step)s: median %(median)s, 90th percentile %(p90)s, standard %(standard)s.",
            step=step.label,
            median=minutes(step.work_median),
            p90=minutes(step.work_p90),
            standard=number(step.standard_minutes),
        )
        for step in steps
        if step.cases
    ]
    return " ".join([_("Bar chart of the minutes of work per step."), *parts])


def _wait_words(steps: tuple[StepDuration, ...]) -> str:
    """The wait chart read aloud."""
    parts = [
        _(
            "%(step)s: median %(median)s, 90th percentile %(p90)s.",
            step=step.label,
            median=minutes(step.wait_median),
            p90=minutes(step.wait_p90),
        )
        for step in steps
        if step.cases
    ]
    return " ".join([_("Bar chart of the minutes of wait before each step."), *parts])


def _csv(chosen: Scope, steps: tuple[StepDuration, ...]) -> ResponseReturnValue:
    header = [
        _("Step"), _("Standard (min)"), _("Cases"), _("Work, median (min)"),
        _("Work, 90th percentile (min)"), _("Within the standard (%)"), _("Wait, median (min)"),
        _("Wait, 90th percentile (min)"), _("Here now"), _("Waiting now"),
    ]  # fmt: skip
    name = f"{_('step-durations')}_{chosen.first}_{chosen.last}.csv"
    return csv_response(name, header, list(_csv_rows(steps)))


def _csv_rows(steps: tuple[StepDuration, ...]) -> Iterator[list[Cell]]:
    for step in steps:
        share = step.within_share
        yield [
            str(step.label),
            step.standard_minutes,
            step.cases,
            _in(step.work_median, 60),
            _in(step.work_p90, 60),
            None if share is None else round(share * 100, 1),
            _in(step.wait_median, 60),
            _in(step.wait_p90, 60),
            step.here_now,
            step.waiting_now,
        ]
