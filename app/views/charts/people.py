"""Who carries how much: lanes for all, persons for whom the permission allows it."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.formats import number, percent
from app.services.charts import LaneLoad, PersonLoad, lane_load, person_load
from app.sop.definition import Sop
from app.views.chart_filter import FilterBar
from app.views.chart_links import cases_url
from app.views.charts import figure as cell
from app.views.charts.base import Asked, ChartView
from app.views.charts.figure import Figure, Plot, Series, Table
from app.views.office import the_sop


class LaneChartView(ChartView):
    """Load of each lane of the sheet."""

    route_base = "/charts/roles"
    chart_title = _l("Load per role")
    question = _l("Who has how much to do?")
    file_word = _l("load-per-role")
    group = "people"

    def ask(self, asked: Asked) -> tuple[LaneLoad, ...]:
        """Every lane."""
        return lane_load(asked.session, asked.sop, asked.scope, shelf=asked.shelf)

    def figure(self, found: tuple[LaneLoad, ...], bar: FilterBar) -> Figure:
        """Hours of work, and the cases that lie there now."""
        columns = [
            _("Role"), _("Steps finished"), _("Work (hours)"), _("Share of the work (%)"),
            _("Wait before it, average (min)"), _("Here now"), _("Waiting now"),
        ]  # fmt: skip
        work = sum(item.work for item in found)
        rows = [
            (
                cell.words(str(item.label)),
                cell.count(item.runs, cases_url(bar, "run", lane=item.key)),
                cell.hours(item.work / 3600),
                cell.share(item.work / work if work else None),
                cell.minutes(item.wait / item.runs if item.runs else None),
                cell.count(item.here_now, cases_url(bar, "open", lane=item.key)),
                cell.count(
                    item.waiting_now, cases_url(bar, "open", lane=item.key, state="waiting")
                ),
            )
            for item in found
        ]
        table = Table(_("The numbers"), columns, rows)
        notes = (
            _("A role carries the steps that the SOP gives to it. Work in office hours; here and waiting are this moment."),
        )  # fmt: skip
        if not any(item.runs or item.here_now for item in found):
            return Figure("", [], [table], notes=notes)
        names = [str(item.label) for item in found]
        plots = [
            Plot(
                "bars",
                _("Hours of work"),
                names,
                [
                    Series(
                        _("Work"),
                        [round(item.work / 3600, 1) for item in found],
                        "main",
                        [cases_url(bar, "run", lane=item.key) for item in found],
                    )
                ],
                unit=_("office hours"),
                digits=1,
            ),
            Plot(
                "bars",
                _("Cases there now"),
                names,
                [
                    cell.column(_("Waiting"), rows, 6, "quiet"),
                    Series(
                        _("Being worked on"),
                        [item.here_now - item.waiting_now for item in found],
                        "main",
                        [cases_url(bar, "open", lane=i.key, state="working") for i in found],
                    ),
                ],
                unit=_("cases"),
                stacked=True,
            ),
        ]
        most = max(found, key=lambda item: item.work)
        text = _("No work was finished in this period.")
        if work:
            text = _(
                "%(role)s carries %(share)s of the work: %(count)s steps finished.",
                role=most.label,
                share=percent(most.work / work),
                count=number(most.runs),
            )
        return Figure(text, plots, [table], notes=notes)


class PersonChartView(ChartView):
    """Load of each person; asks for a permission of its own."""

    class_permission_name = "PersonChart"
    route_base = "/charts/people"
    chart_title = _l("Load per person")
    question = _l("Is the work shared fairly?")
    file_word = _l("load-per-person")
    group = "people"

    def ask(self, asked: Asked) -> tuple[PersonLoad, ...]:
        """Everybody who finished a step."""
        return person_load(asked.session, asked.scope)

    def figure(self, found: tuple[PersonLoad, ...], bar: FilterBar) -> Figure:
        """Finished steps stacked by step: different steps are different work."""
        steps = _steps(found, the_sop())
        columns = [
            _("Person"), _("Steps finished"), _("Work (hours)"), _("Work, average (min)"),
            *steps.values(),
        ]  # fmt: skip
        rows = [
            (
                cell.words(item.name),
                cell.count(item.runs, cases_url(bar, "run", person=item.user_id)),
                cell.hours(item.work / 3600),
                cell.minutes(item.work_mean),
                *(
                    cell.count(
                        by_step.get(key, 0),
                        cases_url(bar, "run", key, person=item.user_id, step=None),
                    )
                    for key in steps
                ),
            )
            for item, by_step in ((item, dict(item.by_step)) for item in found)
        ]
        table = Table(_("The numbers"), columns, rows)
        notes = (
            _("A step counts for the person who finished it. Persons who do different steps cannot be compared by these numbers."),
        )  # fmt: skip
        if not found:
            return Figure("", [], [table], notes=notes)
        looks = ["main", "dots", "quiet", "soft", "pale", "cross"]
        plot = Plot(
            "bars",
            _("Steps finished by person"),
            [item.name for item in found],
            [
                cell.column(label, rows, 4 + place, looks[place % len(looks)])
                for place, label in enumerate(steps.values())
            ],
            unit=_("steps finished"),
            stacked=True,
        )
        most = found[0]
        runs = sum(item.runs for item in found)
        text = _(
            "%(name)s finished most: %(count)s of %(total)s steps (%(share)s).",
            name=most.name,
            count=number(most.runs),
            total=number(runs),
            share=percent(most.runs / runs),
        )
        return Figure(text, [plot], [table], notes=notes)


def _steps(found: tuple[PersonLoad, ...], sop: Sop) -> dict[str, str]:
    """The steps that somebody finished, in the SOP's order."""
    present = {key for item in found for key, _count in item.by_step}
    known = {step.key: str(step.label) for step in sop.steps if step.key in present}
    return known | {key: key for key in sorted(present - known.keys())}
