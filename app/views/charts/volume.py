"""How many cases: when they arrive, how old the open ones are, of which sorts they are."""

from __future__ import annotations

from typing import Any, ClassVar

from babel.dates import get_day_names
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.formats import number, percent
from app.services.charts import Arrivals, OpenAge, SortNumbers, arrivals, open_by_age, sort_numbers
from app.sop.text import language
from app.views.chart_filter import FilterBar
from app.views.chart_links import cases_url
from app.views.charts import figure as cell
from app.views.charts.base import Asked, ChartView
from app.views.charts.figure import Figure, Plot, Row, Series, Table

HOURS = range(24)
WEEK = range(7)
WITHOUT_STEP = ("channel", "category", "kecamatan")


class ArrivalChartView(ChartView):
    """A heat map of weekdays and hours, with the numbers in it."""

    route_base = "/charts/arrivals"
    chart_title = _l("Arrivals by hour")
    question = _l("When do complaints come in, and when should the desk be manned?")
    file_word = _l("arrivals")
    group = "volume"
    series = "arrival"
    selects = WITHOUT_STEP

    def ask(self, asked: Asked) -> Arrivals:
        """Complaints by weekday and hour."""
        return arrivals(asked.session, asked.scope)

    def figure(self, found: Arrivals, bar: FilterBar) -> Figure:
        """Weekdays across and hours down, as the table has them."""
        days = weekdays()
        clock = [_clock(hour) for hour in range(25)]
        by_hour = found.by_hour
        cells = [[by_hour.get((day, hour), 0) for day in WEEK] for hour in HOURS]
        links = [
            [
                cases_url(bar, "arrival", weekday=day, hour=hour) if number else None
                for day, number in enumerate(line)
            ]
            for hour, line in enumerate(cells)
        ]
        heat = Plot(
            "heat",
            _("Complaints by weekday and hour of receipt"),
            clock[:-1],
            [Series(_("Complaints"), cells, "main", links)],  # type: ignore[arg-type]
            across=days,
            unit=_("complaints"),
            subtitle=_("Hours of the office's clock (WIB). The darker, the more."),
        )
        rows = [
            (
                cell.words(f"{clock[hour]}–{clock[hour + 1]}"),
                *map(cell.count, line, links[hour]),
                cell.count(sum(line)),
            )
            for hour, line in enumerate(cells)
        ]
        total = (
            cell.words(_("Total")),
            *(cell.count(sum(column)) for column in zip(*cells, strict=True)),
            cell.count(found.total, cases_url(bar, "arrival")),
        )
        table = Table(_("The numbers"), [_("Hour"), *days, _("Total")], rows, total, cards=False)
        notes = (_("An arrival counts at the moment at which the complaint was received, not at which it was registered."),)  # fmt: skip
        if not found.busiest:
            return Figure("", [], [table], notes=notes)
        day, hour = found.busiest
        text = ngettext(
            "%(num)d complaint came in.", "%(num)d complaints came in.", found.total
        ) + " " + _(
            "The busiest hour is %(day)s %(from)s–%(to)s (%(count)s).",
            **{"day": days[day], "from": clock[hour], "to": clock[hour + 1], "count": number(found.at(day, hour))},
        )  # fmt: skip
        return Figure(text, [heat], [table], notes=notes)


class OpenChartView(ChartView):
    """Open cases by the days since their receipt, at this moment."""

    route_base = "/charts/open"
    chart_title = _l("Open cases by age")
    question = _l("What lies here, for how long, and what is past its legal date?")
    file_word = _l("open-cases")
    group = "volume"
    has_period = False

    def ask(self, asked: Asked) -> tuple[OpenAge, ...]:
        """The open cases of this moment."""
        return open_by_age(asked.session, asked.scope, today=asked.today)

    def figure(self, found: tuple[OpenAge, ...], bar: FilterBar) -> Figure:
        """Bars of what lies with the office and with the applicant."""
        rows = [self._row(item, bar) for item in found]
        cases = sum(item.cases for item in found)
        past = sum(item.past_class for item in found)
        total = (
            cell.words(_("Total")),
            cell.count(cases, cases_url(bar, "open")),
            cell.count(sum(item.office for item in found), cases_url(bar, "open", state="office")),
            cell.count(
                sum(item.applicant for item in found), cases_url(bar, "open", state="applicant")
            ),
            cell.count(past, cases_url(bar, "open", state="past_class"), late=past > 0),
            cell.count(
                sum(item.past_decision for item in found),
                cases_url(bar, "open", state="past_decision"),
            ),
        )
        columns = [
            _("Days since receipt"), _("Cases"), _("With the office"), _("With the applicant"),
            _("Past the date of their class"), _("Past 60 days"),
        ]  # fmt: skip
        table = Table(_("The numbers"), columns, rows, total)
        notes = (
            _("What is open at this moment, whatever the period. A case is as old as the days since its receipt."),
            _("Legal dates: 5, 14 or 60 working days by class of the complaint (Permenpan-RB 62/2018), 60 days for a decision (UU 25/2009)."),
        )  # fmt: skip
        if not cases:
            return Figure(
                "",
                [],
                [table],
                notes=notes,
                empty_title=_("No case is open"),
                empty_text=_("With these filters there is nothing to work on now."),
            )
        plot = Plot(
            "bars",
            _("Open cases by days since receipt"),
            [age_words(item) for item in found],
            [
                cell.column(_("With the office"), rows, 2),
                cell.column(_("With the applicant"), rows, 3, "dots"),
            ],
            unit=_("cases"),
            stacked=True,
        )
        text = ngettext("%(num)d case is open.", "%(num)d cases are open.", cases)
        if past:
            text += " " + ngettext(
                "%(num)d of them is past its legal date.",
                "%(num)d of them are past their legal date.",
                past,
            )
        else:
            text += " " + _("None of them is past its legal date.")
        return Figure(text, [plot], [table], tone="late" if past else "ok", notes=notes)

    def _row(self, item: OpenAge, bar: FilterBar) -> Row:
        age = item.age.key
        return (
            cell.words(age_words(item)),
            cell.count(item.cases, cases_url(bar, "open", age=age)),
            cell.count(item.office, cases_url(bar, "open", age=age, state="office")),
            cell.count(item.applicant, cases_url(bar, "open", age=age, state="applicant")),
            cell.count(
                item.past_class,
                cases_url(bar, "open", age=age, state="past_class"),
                late=item.past_class > 0,
            ),
            cell.count(item.past_decision, cases_url(bar, "open", age=age, state="past_decision")),
        )


class SortChartView(ChartView):
    """What came in, was finished and is open, of each channel, category or kecamatan."""

    group = "volume"
    series = "arrival"
    selects = WITHOUT_STEP
    #: The dimension and what one of its values is called.
    dim: ClassVar[str]
    one: ClassVar[Any]
    unnamed: ClassVar[Any] = ""

    def ask(self, asked: Asked) -> tuple[SortNumbers, ...]:
        """Every value that has any case."""
        return sort_numbers(
            asked.session, asked.scope, self.dim, today=asked.today, shelf=asked.shelf
        )

    def figure(self, found: tuple[SortNumbers, ...], bar: FilterBar) -> Figure:
        """Bars of received and finished, most received first."""
        columns = [
            str(self.one), _("Received"), _("Finished"), _("Open now"), _("Legal dates"),
            _("On time"), _("On time (%)"),
        ]  # fmt: skip
        rows = [self._row(item, bar) for item in found]
        judged, kept = sum(i.judged for i in found), sum(i.on_time for i in found)
        received = sum(item.received for item in found)
        total = (
            cell.words(_("Total")),
            cell.count(received, cases_url(bar, "arrival")),
            cell.count(sum(item.finished for item in found), cases_url(bar, "ended")),
            cell.count(sum(item.open_now for item in found), cases_url(bar, "open")),
            cell.count(judged),
            cell.count(kept),
            cell.share(kept / judged if judged else None),
        )
        table = Table(_("The numbers"), columns, rows, total if rows else None)
        notes = (
            _("Open now is this moment, whatever the period."),
            _("On time: of the cases whose legal date by class (5, 14 or 60 working days) lies in the period and is over or was kept, those that ended by then."),
        )  # fmt: skip
        shown = [item for item in found if item.received or item.finished]
        if not shown:
            return Figure("", [], [table], notes=notes)
        drawn = [row for row in rows if row[1].value or row[2].value]
        plot = Plot(
            "bars",
            _("Received and finished"),
            [self._name(item) for item in shown],
            [
                cell.column(_("Received"), drawn, 1, "quiet"),
                cell.column(_("Finished"), drawn, 2),
            ],
            unit=_("cases"),
        )
        return Figure(self._headline(shown, received), [plot], [table], notes=notes)

    def _headline(self, shown: list[SortNumbers], received: int) -> str:
        most = shown[0]
        text = _(
            "Most complaints: %(name)s with %(count)s of %(total)s (%(share)s).",
            name=self._name(most),
            count=number(most.received),
            total=number(received),
            share=percent(most.received / received if received else None),
        )
        judged = [item for item in shown if item.judged]
        worst = min(judged, key=lambda item: item.on_time_share or 0, default=None)
        if worst is not None and (worst.on_time_share or 0) < 1:
            text += " " + _(
                "Least on time: %(name)s with %(share)s.",
                name=self._name(worst),
                share=percent(worst.on_time_share),
            )
        return text

    def _name(self, item: SortNumbers) -> str:
        return item.label or str(self.unnamed)

    def _cases(self, bar: FilterBar, of: Any, item: SortNumbers) -> str | None:
        return cases_url(bar, of, **{self.dim: item.value}) if item.value else None

    def _row(self, item: SortNumbers, bar: FilterBar) -> Row:
        return (
            cell.words(self._name(item)),
            cell.count(item.received, self._cases(bar, "arrival", item)),
            cell.count(item.finished, self._cases(bar, "ended", item)),
            cell.count(item.open_now, self._cases(bar, "open", item)),
            cell.count(item.judged),
            cell.count(item.on_time),
            cell.share(item.on_time_share),
        )


class ChannelChartView(SortChartView):
    """Channels."""

    route_base = "/charts/channels"
    chart_title = _l("Channels")
    question = _l("By which way do complaints reach the office?")
    file_word = _l("channels")
    dim = "channel"
    one = _l("Channel")


class CategoryChartView(SortChartView):
    """Categories."""

    route_base = "/charts/categories"
    chart_title = _l("Categories")
    question = _l("What are complaints about?")
    file_word = _l("categories")
    dim = "category"
    one = _l("Category")


class KecamatanChartView(SortChartView):
    """Kecamatan."""

    route_base = "/charts/kecamatan"
    chart_title = _l("Kecamatan")
    question = _l("Where do complaints come from?")
    file_word = _l("kecamatan")
    dim = "kecamatan"
    one = _l("Kecamatan")
    unnamed = _l("(not named)")


def age_words(item: OpenAge) -> str:
    """`6–14 days`."""
    if item.age.last is None:
        return _("over %(days)s days", days=item.age.first - 1)
    return _("%(first)s–%(last)s days", first=item.age.first, last=item.age.last)


def weekdays() -> list[str]:
    """Monday to Sunday in the page's language."""
    names = get_day_names("wide", locale=get_locale())
    return [names[day] for day in WEEK]


def _clock(hour: int) -> str:
    return f"{hour:02d}:00" if language.get() == "en" else f"{hour:02d}.00"
