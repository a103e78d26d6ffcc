"""The cases behind a number of a chart or of SOP Hidup, without personal data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _

from app.access import current_actor, current_permissions
from app.extensions import db
from app.formats import local
from app.services.chart_cases import Question, export_rows, load_page, read_question
from app.views.chart_case_words import Column, Names, columns_of, question_title
from app.views.chart_filter import FilterBar, read_filter
from app.views.charts.base import period_words
from app.views.export import EXPORT_ROWS, Cell, csv_response
from app.views.office import request_time, the_sop


class ChartCaseView(BaseView):  # type: ignore[misc]
    """A number's cases, the slowest first; the number leads to the case for who may open it."""

    route_base = "/charts/cases"
    class_permission_name = "ChartCase"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> ResponseReturnValue:
        """One page of cases, or with `?format=csv` the first of all of them."""
        session, today = db.session(), local(request_time()).date()
        bar = read_filter(session, request.args, today)
        persons = ("can_chart", "PersonChart") in current_permissions()
        question = read_question(request.args, persons=persons)
        names = Names(session, the_sop(), bar)
        columns = columns_of(question, names, today)
        if request.args.get("format") == "csv":
            return _csv(question, bar, columns, today)
        after = request.args.get("after", "")
        page = load_page(
            session, question, bar.chosen, current_actor(), today=today, after=after
        )  # fmt: skip
        asked = question.url_values()

        def list_url(**changes: str | None) -> str:
            # A step that the question names already is not asked for twice.
            values = {**asked, "step": None, **changes} if question.item else {**asked, **changes}
            return url_for(f"{self.endpoint}.list", **bar.url_values(**values))

        return render_template(
            "aduan/chart_cases.html",
            title=question_title(question, names),
            appbuilder=self.appbuilder,
            bar=bar,
            question=question,
            period_words=period_words(bar.chosen),
            columns=columns,
            page=page,
            paged=bool(after),
            list_url=list_url,
            here=url_for(f"{self.endpoint}.list"),
            asked=asked,
            without=_not_asked(question),
            may_open=("can_show", "Complaint") in current_permissions(),
            may_all=current_actor().can("see_confidential"),
        )


def _not_asked(question: Question) -> tuple[str, ...]:
    """The selects of the filter bar that change nothing here."""
    steps = question.of in ("run", "open") and not question.item
    return () if steps else ("step",)


def _csv(
    question: Question, bar: FilterBar, columns: list[Column], today: date
) -> ResponseReturnValue:
    rows = export_rows(
        db.session(), question, bar.chosen, current_actor(), today=today, limit=EXPORT_ROWS
    )

    def lines() -> Iterator[list[Cell]]:
        for row in rows:
            yield [row.number, *(column.raw(row) for column in columns)]

    header = [_("Number"), *(column.label for column in columns)]
    word = _("cases")
    name = f"{word}_{question.of}_{bar.chosen.first}_{bar.chosen.last}.csv"
    return csv_response(name, header, lines())
