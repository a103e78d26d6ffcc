"""The base of every chart screen: filter, page, CSV. A chart declares a query and its figure."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Final

from flask import current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.charts.views import BaseChartView
from flask_appbuilder.security.decorators import has_access
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from app.access import current_permissions
from app.extensions import db
from app.formats import local, local_date, short_date
from app.frame import framed
from app.models import StepRun
from app.remembered import kept
from app.services.casefile import Shelf
from app.services.charts import last_day
from app.services.statistics import Scope
from app.sop.definition import Sop
from app.sop.text import language
from app.standby import reading_session
from app.views.base import HardenedMixin
from app.views.chart_filter import FilterBar, read_filter
from app.views.charts.figure import Figure
from app.views.charts.page import Drawn, Last, chart_page
from app.views.export import csv_response
from app.views.interface import OfficeInterface
from app.views.labels import shelf_at_hand
from app.views.office import request_time, the_sop

#: The groups of the way between charts, in order.
GROUPS: Final = {
    "time": _l("Time"),
    "volume": _l("Volume"),
    "quality": _l("Quality"),
    "people": _l("People"),
}
#: Stands in kept text where the filter goes; nobody can guess it and put it in.
_GAP: Final = f"filter-{secrets.token_hex(16)}"
SELECTS: Final = ("channel", "category", "kecamatan", "step")


@dataclass(frozen=True)
class Asked:
    """What a query may need."""

    session: Session
    sop: Sop
    scope: Scope
    now: datetime
    today: date
    #: The rows of small tables, if they are at hand.
    shelf: Shelf | None


class ChartView(HardenedMixin, BaseChartView):  # type: ignore[misc]
    """One chart: its question, its query and how the answer is drawn.

    A chart sets `chart_title`, `question`, `file_word`, `group` and `route_base`, and writes `ask`
    (one call of `app.services.charts`) and `figure`.
    """

    datamodel = OfficeInterface(StepRun)
    class_permission_name = "Chart"
    default_view = "chart"
    # One route only; FAB's search form over the table would be a query per relation.
    include_route_methods: ClassVar[set[str]] = {"chart"}
    search_columns: ClassVar[list[str]] = ["step_key"]
    search_form = FlaskForm

    question: ClassVar[Any] = ""
    #: The beginning of a download's name.
    file_word: ClassVar[Any] = ""
    group: ClassVar[str] = "time"
    #: The series that tells when there was something last.
    series: ClassVar[str] = "run"
    #: Selects of the filter bar that mean something here.
    selects: ClassVar[tuple[str, ...]] = SELECTS
    #: False: the chart shows this moment, whatever the period.
    has_period: ClassVar[bool] = True

    def ask(self, asked: Asked) -> Any:
        """The numbers: one call of `app.services.charts`."""
        raise NotImplementedError

    def figure(self, found: Any, bar: FilterBar) -> Figure:
        """The page of these numbers."""
        raise NotImplementedError

    @expose("/")
    @has_access
    def chart(self) -> ResponseReturnValue:
        """The page, or with `?format=csv` one of its tables."""
        session, now = db.session(), request_time()
        today = local(now).date()
        bar = read_filter(session, request.args, today)
        idle = [name for name in SELECTS if name not in self.selects]
        counted = bar.without(*idle)
        scope = counted.chosen
        found = self.ask(Asked(reading_session(), the_sop(), scope, now, today, shelf_at_hand()))
        figure = self.figure(found, counted)
        if request.args.get("format") == "csv":
            return self._csv(figure, scope, today)
        period = period_words(scope) if self.has_period else local_date(today)
        last = None if figure.plots or not self.has_period else self._last(bar, scope, today)
        here = Drawn(self, bar, period, last, self.file_name(scope, today))
        page = chart_page(here, figure, lambda: tabs(self, bar))
        return framed(self.chart_title, page, ("charts.js",) if figure.plots else ())

    def file_name(self, scope: Scope, today: date) -> str:
        """A download's name says chart and period."""
        days = f"{scope.first}_{scope.last}" if self.has_period else today.isoformat()
        return f"{self.file_word}_{days}"

    def _csv(self, figure: Figure, scope: Scope, today: date) -> ResponseReturnValue:
        wanted = request.args.get("table", "")
        place = int(wanted) if wanted in [str(n) for n in range(len(figure.tables))] else 0
        table = figure.tables[place]
        suffix = f"_{place + 1}" if place else ""
        name = f"{self.file_name(scope, today)}{suffix}.csv"
        return csv_response(name, list(table.columns), list(table.csv_rows()))

    def _last(self, bar: FilterBar, scope: Scope, today: date) -> Last | None:
        """When there was something last, and the link to that month."""
        day = last_day(db.session(), self.series, scope, today)
        if day is None:
            return None
        values = bar.url_values(
            **{"period": None, "from": day.replace(day=1).isoformat(), "to": day.isoformat()}
        )
        return Last(local_date(day), url_for(f"{self.endpoint}.chart", **values))


def tabs(here: ChartView, bar: FilterBar) -> Markup:
    """The way between the charts that the present officer may see, with the same filter.

    Drawn once for the same rights and language, with gaps where the filter goes.
    """
    key = ("chart tabs", here.endpoint, current_permissions(), language.get(), request.script_root)

    def make() -> tuple[str, ...]:
        return tuple(render_template("aduan/chart_tabs.html", tabs=_tabs(here)).split(_GAP))

    return Markup(escape(bar.url("", {})).join(map(Markup, kept(key, make))))  # noqa: S704


def _tabs(here: ChartView) -> list[tuple[Any, list[dict[str, Any]]]]:
    views = [view for view in current_app.appbuilder.baseviews if isinstance(view, ChartView)]  # type: ignore[attr-defined]
    held = current_permissions()
    allowed = [view for view in views if ("can_chart", view.class_permission_name) in held]
    return [
        (
            label,
            [
                {
                    "label": view.chart_title,
                    "url": f"{request.script_root}{view.route_base}/{_GAP}",
                    "active": view is here,
                }
                for view in allowed
                if view.group == group
            ],
        )
        for group, label in GROUPS.items()
    ]


def period_words(scope: Scope) -> str:
    """The period as people say it."""
    if scope.first == scope.last:
        return local_date(scope.first)
    return f"{short_date(scope.first)} – {short_date(scope.last)}"


__all__ = ["GROUPS", "Asked", "ChartView", "period_words", "tabs"]
