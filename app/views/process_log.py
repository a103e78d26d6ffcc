"""Process conformance: what left the SOP, and the event log for process-mining programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

from flask import Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.access import current_actor, current_permissions
from app.extensions import db
from app.formats import local
from app.services.conformance import MOST_CASES, MOST_NAMED, Conformance, conformance
from app.services.eventlog import CSV_COLUMNS, csv_rows, traces, xes_pieces
from app.sop.bpmn import bpmn_of
from app.sop.definition import Sop
from app.views.case_history import step_label
from app.views.chart_filter import FilterBar, read_filter
from app.views.charts.base import period_words
from app.views.export import content_disposition, safe_cell
from app.views.office import case_office, request_time, the_sop

#: Each kind of finding: its name, what it means, and how grave it is.
KINDS: Final[dict[str, tuple[Any, Any, str]]] = {
    "skipped": (
        _l("Steps skipped"),
        _l("The case came to a step without the moves of the steps before it."),
        "warn",
    ),
    "repeated": (_l("Moves repeated"), _l("The same move stands twice in a row."), "warn"),
    "reordered": (
        _l("Out of order"),
        _l("A move began in another step than the one that the case was in."),
        "warn",
    ),
    "unknown": (
        _l("Moves the SOP does not know"),
        _l("Of an earlier version of the SOP, or made past it."),
        "warn",
    ),
    "unfinished": (
        _l("History and place differ"),
        _l("The last move leads to another step than the one that the case stands in."),
        "warn",
    ),
    "same_person": (
        _l("Checked and signed by one person"),
        _l("In one round the same officer checked the case at SIAK and signed it."),
        "warn",
    ),
    "after_hours": (
        _l("Outside office hours"),
        _l("A step was finished while the office was closed. No deviation from the SOP by itself."),
        "info",
    ),
}
SELECTS: Final = ("channel", "category", "kecamatan")


class ProcessLogView(BaseView):  # type: ignore[misc]
    """What the history says of the SOP being kept to, and the history itself as a file."""

    route_base = "/process"
    class_permission_name = "ProcessLog"
    default_view = "show"

    @expose("/", methods=["GET"])
    @has_access
    def show(self) -> ResponseReturnValue:
        """The page."""
        session, office = db.session(), case_office()
        bar = self._bar()
        scope = bar.without("step").chosen
        found = conformance(session, office.sop, office.calendar, scope, current_actor())
        held = current_permissions()
        return render_template(
            "aduan/process.html",
            title=_("Process conformance"),
            bar=bar,
            choices=[item for item in bar.choices if item.name in SELECTS],
            url=lambda **changes: url_for("ProcessLogView.show", **bar.url_values(**changes)),
            reset_url=url_for("ProcessLogView.show"),
            period_words=period_words(scope),
            found=found,
            kinds=list(_kinds(found, office.sop)),
            may_download=("can_download", "ProcessLog") in held,
            persons=("see_persons", "ProcessLog") in held,
            may_show=("can_show", "Complaint") in held,
            downloads={
                name: url_for(f"ProcessLogView.{name}", **bar.url_values())
                for name in ("xes", "csv", "bpmn")
            },
            most_cases=MOST_CASES,
            most_named=MOST_NAMED,
            step_label=lambda key: step_label(office.sop, key),
            move_label=lambda key: _move_label(office.sop, key),
            appbuilder=self.appbuilder,
        )

    @expose("/log.xes", methods=["GET"])
    @has_access
    @permission_name("download")
    def xes(self) -> ResponseReturnValue:
        """The event log as XES (IEEE 1849)."""
        pieces = xes_pieces(self._traces(), persons=_persons())
        return self._sent(pieces, "xes", "application/xml")

    @expose("/log.csv", methods=["GET"])
    @has_access
    @permission_name("download")
    def csv(self) -> ResponseReturnValue:
        """The event log as CSV, as process-mining programs read it: commas, points, UTF-8."""
        rows = csv_rows(self._traces(), persons=_persons())
        return self._sent(_csv_pieces(rows), "csv", "text/csv")

    @expose("/sop.bpmn", methods=["GET"])
    @has_access
    @permission_name("download")
    def bpmn(self) -> ResponseReturnValue:
        """The SOP as BPMN 2.0: the model that the log is held against."""
        response = Response(bpmn_of(the_sop()), mimetype="application/xml")
        response.headers["Content-Disposition"] = content_disposition("attachment", "sop.bpmn")
        return response

    def _bar(self) -> FilterBar:
        return read_filter(db.session(), request.args, local(request_time()).date())

    def _traces(self) -> Iterator[Any]:
        scope = self._bar().without("step").chosen
        return traces(db.session(), the_sop(), scope, current_actor())

    def _sent(self, pieces: Iterator[str], suffix: str, mimetype: str) -> Response:
        scope = self._bar().chosen
        word = _("event-log")
        name = f"{word}_{scope.first}_{scope.last}.{suffix}"
        # In pieces: a log of some years is larger than memory.
        response = Response(stream_with_context(pieces), mimetype=mimetype)
        response.headers["Content-Disposition"] = content_disposition("attachment", name)
        return response


def _persons() -> bool:
    return ("see_persons", "ProcessLog") in current_permissions()


def _csv_pieces(rows: Iterable[list[Any]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for number, row in enumerate(rows, start=1):
        writer.writerow([safe_cell(value) for value in row])
        if number % 500 == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _kinds(found: Conformance, sop: Sop) -> Iterator[dict[str, Any]]:
    """Every kind of finding, those without any too: that there is none is an answer."""
    for kind, (label, meaning, tone) in KINDS.items():
        mine = found.found.get(kind)
        yield {
            "key": kind,
            "label": label,
            "meaning": meaning,
            "tone": tone if mine else "ok",
            "found": mine,
            "steps": [(step_label(sop, key), times) for key, times in mine.steps.most_common(3)]
            if mine
            else [],
        }


def _move_label(sop: Sop, key: str) -> str:
    return next((str(move.label) for move in sop.transitions if move.key == key), key)
