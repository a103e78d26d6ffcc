"""How well it went: returns, rounds until accepted, legal dates."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.formats import number, percent
from app.services.charts import (
    DueDates,
    Returns,
    Rounds,
    due_dates,
    returns,
    rounds,
)
from app.services.statistics import UNKNOWN_DIFFERENCE
from app.views.chart_filter import FilterBar
from app.views.chart_links import cases_url
from app.views.charts import figure as cell
from app.views.charts.base import Asked, ChartView
from app.views.charts.figure import Figure, Plot, Row, Table
from app.views.forms.work_siak import data_label

WITHOUT_STEP = ("channel", "category", "kecamatan")


class ReturnChartView(ChartView):
    """Returns by move, by requirement and by datum of SIAK."""

    route_base = "/charts/returns"
    chart_title = _l("Returns to applicants")
    question = _l("Why do cases go back, and which requirement fails most?")
    file_word = _l("returns")
    group = "quality"
    series = "return"
    selects = WITHOUT_STEP

    def ask(self, asked: Asked) -> Returns:
        """The returns of the period."""
        return returns(asked.session, asked.sop, asked.scope, shelf=asked.shelf)

    def figure(self, found: Returns, bar: FilterBar) -> Figure:
        """Which paper fails comes first: that is what the office can mend."""
        total = found.total
        reasons = Table(
            _("By reason"),
            [_("Reason"), _("Returns"), _("Share (%)")],
            [
                (
                    cell.words(str(item.label)),
                    cell.count(item.cases, cases_url(bar, "return", item.key)),
                    cell.share(item.cases / total),
                )
                for item in found.reasons
            ],
            (cell.words(_("Total")), cell.count(total, cases_url(bar, "return")), cell.share(1.0))
            if total
            else None,
        )
        items = Table(
            _("By requirement"),
            [_("Requirement"), _("Missing"), _("Unreadable"), _("Together")],
            [
                (
                    cell.words(str(item.label)),
                    *(
                        cell.count(times, cases_url(bar, "return", paper=item.code, state=state))
                        for times, state in (
                            (item.missing, "missing"),
                            (item.unreadable, "unreadable"),
                            (item.failed, None),
                        )
                    ),
                )
                for item in found.items
            ],
        )
        data = Table(
            _("By data that differ from SIAK"),
            [_("Data"), _("Returns")],
            [
                (
                    cell.words(_difference(item.word)),
                    cell.count(item.cases, cases_url(bar, "return", differs=item.word)),
                )
                for item in found.differences
            ],
        )
        plots = []
        if found.items:
            plots.append(
                Plot(
                    "bars",
                    _("Requirements that failed"),
                    [str(item.label) for item in found.items],
                    [
                        cell.column(_("Missing"), items.rows, 1),
                        cell.column(_("Unreadable"), items.rows, 2, "dots"),
                    ],
                    unit=_("times"),
                    stacked=True,
                )
            )
        if total:
            plots.append(
                Plot(
                    "bars",
                    _("Returns by reason"),
                    [str(item.label) for item in found.reasons],
                    [cell.column(_("Returns"), reasons.rows, 1)],
                    unit=_("returns"),
                )
            )
        text = ngettext("%(num)d return to the applicant.", "%(num)d returns to applicants.", total)
        if found.items:
            worst = found.items[0]
            text += " " + _(
                "Fails most: %(item)s (%(missing)s missing, %(unreadable)s unreadable).",
                item=worst.label,
                missing=number(worst.missing),
                unreadable=number(worst.unreadable),
            )
        tables = [table for table in (items, reasons, data) if table.rows or table is reasons]
        return Figure(
            text if total else "",
            plots,
            tables,
            notes=(
                _("A case that goes back twice counts twice; one return can name several requirements."),
            ),
        )  # fmt: skip


class RoundChartView(ChartView):
    """Rounds until a case was accepted."""

    route_base = "/charts/rounds"
    chart_title = _l("Rounds until accepted")
    question = _l("How many cases are complete the first time?")
    file_word = _l("rounds")
    group = "quality"
    series = "ended"
    selects = WITHOUT_STEP

    def ask(self, asked: Asked) -> Rounds:
        """The rounds of the cases that ended."""
        return rounds(asked.session, asked.sop, asked.scope)

    def figure(self, found: Rounds, bar: FilterBar) -> Figure:
        """One column for each round, one sort of bars for each end."""
        numbers = list(found.by_round)
        accepted = found.accepted_total
        columns = [_("Round"), *(str(end.label) for end in found.ends), _("Accepted"), _("Share of the accepted (%)")]  # fmt: skip
        rows: list[Row] = [
            (
                cell.words(str(place)),
                *(
                    cell.count(
                        found.by_round[place].get(end.key, 0),
                        cases_url(bar, "ended", end.key, round=place),
                    )
                    for end in found.ends
                ),
                cell.count(found.accepted(place)),
                cell.share(found.accepted(place) / accepted if accepted else None),
            )
            for place in numbers
        ]
        total: Row = (
            cell.words(_("Total")),
            *(
                cell.count(
                    sum(ends.get(end.key, 0) for ends in found.by_round.values()),
                    cases_url(bar, "ended", end.key),
                )
                for end in found.ends
            ),
            cell.count(accepted),
            cell.share(1.0 if accepted else None),
        )
        table = Table(_("The numbers"), columns, rows, total if rows else None)
        notes = (
            _("A round begins with the registration and anew each time the applicant brings what was missing, or when a case is opened again."),
            _("Cases are counted on the day on which they ended. Accepted are those that were not withdrawn."),
        )  # fmt: skip
        if not numbers:
            return Figure("", [], [table], notes=notes)
        looks = ["main", "dots", "pale", "soft", "quiet"]
        plot = Plot(
            "columns",
            _("Cases by the round in which they ended"),
            [_("Round %(number)s", number=place) for place in numbers],
            [
                cell.column(columns[place], rows, place, looks[(place - 1) % len(looks)])
                for place in range(1, len(found.ends) + 1)
            ],
            unit=_("cases"),
            stacked=True,
        )
        text = _("No case was accepted.")
        if accepted:
            text = _(
                "%(share)s of the accepted cases were complete the first time (%(count)s of %(total)s).",
                share=percent(found.accepted(1) / accepted),
                count=number(found.accepted(1)),
                total=number(accepted),
            )
        return Figure(text, [plot], [table], notes=notes)


class DueChartView(ChartView):
    """Legal due dates met and missed."""

    route_base = "/charts/due"
    chart_title = _l("Legal due dates")
    question = _l("Did the office keep the dates of the law?")
    file_word = _l("due-dates")
    group = "quality"
    series = "due"
    selects = WITHOUT_STEP

    def ask(self, asked: Asked) -> tuple[DueDates, ...]:
        """The three kinds of dates."""
        return due_dates(asked.session, asked.scope, today=asked.today)

    def figure(self, found: tuple[DueDates, ...], bar: FilterBar) -> Figure:
        """What became of the dates that lie in the period."""
        columns = [
            _("Legal date"), _("Due"), _("Kept"), _("Too late"), _("Missed, still open"),
            _("Still to come"), _("Kept (%)"),
        ]  # fmt: skip
        names = due_names()
        rows: list[Row] = [
            (
                cell.words(names[item.kind]),
                cell.count(item.due, cases_url(bar, "due", item.kind)),
                cell.count(item.met, cases_url(bar, "due", item.kind, state="met")),
                cell.count(item.late, cases_url(bar, "due", item.kind, state="late")),
                cell.count(
                    item.missed,
                    cases_url(bar, "due", item.kind, state="missed"),
                    late=item.missed > 0,
                ),
                cell.count(item.ahead, cases_url(bar, "due", item.kind, state="ahead")),
                cell.share(item.met_share),
            )
            for item in found
        ]
        table = Table(_("The numbers"), columns, rows)
        notes = (
            _("A case counts on the day on which its date falls. A date that is today is still to come."),
            _("Complete file: the applicant is told within 14 days. Decision: within 60 days (UU 25/2009). Class: 5, 14 or 60 working days (Permenpan-RB 62/2018)."),
        )  # fmt: skip
        if not any(item.due for item in found):
            return Figure("", [], [table], notes=notes)
        plot = Plot(
            "bars",
            _("Legal dates in the period"),
            [names[item.kind] for item in found],
            [
                cell.column(columns[place], rows, place, look)
                for place, look in ((2, "main"), (3, "soft"), (4, "late"), (5, "dots"))
            ],
            unit=_("cases"),
            stacked=True,
        )
        missed = sum(item.late + item.missed for item in found)
        judged = sum(item.judged for item in found)
        if not judged:
            return Figure(_("None of these dates is over yet."), [plot], [table], notes=notes)
        if missed:
            text = _(
                "%(missed)s of %(judged)s legal dates were not kept (%(share)s).",
                missed=number(missed),
                judged=number(judged),
                share=percent(missed / judged),
            )
            return Figure(text, [plot], [table], tone="late", notes=notes)
        text = ngettext("%(num)d legal date, kept.", "%(num)d legal dates, all kept.", judged)
        return Figure(text, [plot], [table], tone="ok", notes=notes)


def due_names() -> dict[str, str]:
    """The legal dates by what the law calls for."""
    return {
        "completeness": _("File checked (14 days)"),
        "class": _("Class of the complaint (5, 14 or 60 working days)"),
        "decision": _("Decision (60 days)"),
    }


def _difference(word: str) -> str:
    return _("Other data") if word == UNKNOWN_DIFFERENCE else data_label(word)
