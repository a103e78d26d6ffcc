"""Reports: ask for one, watch it being made, fetch it; each officer has only his own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from flask import Response, abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.access import current_actor
from app.errors import error_sentence, sentence
from app.extensions import db, may_write
from app.formats import local, local_date, number
from app.models import ReportJob
from app.services.reports import FORMATS, jobs
from app.services.reports.jobs import Asked
from app.services.storage import MissingFileError, StoreError
from app.sop.errors import RefusedError
from app.views.chart_filter import FilterBar, read_filter
from app.views.export import content_disposition
from app.views.formkeys import new_form_key, read_form_key, result_of_key, spend_form_key
from app.views.office import request_time, the_store

#: A report is about the month before, unless somebody chooses otherwise.
DEFAULT_PERIOD: Final = "last-month"
SHOWN_JOBS: Final = 10
#: After this long in the queue the page says that no worker seems to run.
LONG_IN_QUEUE: Final = timedelta(seconds=30)
KINDS: Final[Mapping[str, tuple[Any, Any, str]]] = {
    "recap": (
        _l("Recapitulation"),
        _l(
            "The numbers of the charts with letterhead and signature: channels, categories,"
            " kecamatan, steps, returns, due dates, pauses, dispatch."
        ),
        "chart-column",
    ),
    "register": (
        _l("Register book"),
        _l("One line for each complaint received in the period."),
        "book-open",
    ),
    "due": (
        _l("Legal due dates"),
        _l("Each date that falls into the period: met, too late, or still open."),
        "calendar-days",
    ),
}
FILE_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "pdf": ("PDF", "application/pdf"),
    "xlsx": ("Excel (XLSX)", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "csv": ("CSV", "text/csv; charset=utf-8"),
}
#: state -> words, tone.
STATES: Final[Mapping[str, tuple[Any, str]]] = {
    "queued": (_l("Waiting"), "info"),
    "running": (_l("Being made"), "info"),
    "done": (_l("Ready"), "ok"),
    "failed": (_l("Not made"), "late"),
    "cancelled": (_l("Cancelled"), "neutral"),
    "expired": (_l("Thrown away"), "neutral"),
}


class ReportView(BaseView):  # type: ignore[misc]
    """Recapitulation, register book and due dates as files, made by a worker."""

    route_base = "/reports"
    class_permission_name = "Report"
    default_view = "list"
    #: Seconds that the answer waits for a report that is made at once.
    patience: ClassVar[float] = 1.5

    @expose("/", methods=["GET"])
    @has_access
    @permission_name("list")
    def list(self) -> ResponseReturnValue:
        """What can be asked for, and what was asked for."""
        return self._start(self._filter(request.args))

    @expose("/", methods=["POST"])
    @has_access
    @permission_name("add")
    def ask(self) -> ResponseReturnValue:
        """Put a report into the queue; a small one is ready when the next page shows."""
        session, actor, now = db.session(), current_actor(), request_time()
        bar = self._filter(request.form)
        kind, _dot, format_ = request.form.get("report", "").partition(".")
        if bar.errors:
            return self._start(bar), 422
        nonce, _opened = read_form_key(request.form.get("form_key", ""))
        if done := result_of_key(session, nonce):
            return redirect(url_for(".show", public_id=done), 303)
        locale = get_locale()
        asked = Asked(kind, format_, bar.chosen, locale.language if locale else "id")
        try:
            public_id = jobs.ask_for(session, actor, asked, now=now).public_id
        except RefusedError as error:
            session.rollback()
            return self._start(bar, error_sentence(error)), 422
        if not spend_form_key(session, nonce, public_id):
            return redirect(url_for(".show", public_id=result_of_key(session, nonce)), 303)
        session.commit()
        self._wait_a_little(public_id)
        return redirect(url_for(".show", public_id=public_id), 303)

    @expose("/<public_id>", methods=["GET"])
    @has_access
    @permission_name("list")
    def show(self, public_id: str) -> ResponseReturnValue:
        """One report: how far it is, or the way to its file."""
        job = jobs.own_job(db.session(), public_id, current_actor())
        return render_template(
            "aduan/report.html",
            title=KINDS[job.kind][0],
            job=self._shown(job),
            facts=self._facts(job),
            may_cancel=current_actor().can("can_add", "Report"),
            appbuilder=self.appbuilder,
        )

    @expose("/<public_id>/progress", methods=["GET"])
    @has_access
    @permission_name("list")
    def progress(self, public_id: str) -> ResponseReturnValue:
        """The same for the script of the page."""
        job = self._shown(jobs.own_job(db.session(), public_id, current_actor()))
        answer = jsonify({name: job[name] for name in ("state", "percent", "words", "open")})
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @expose("/<public_id>/cancel", methods=["POST"])
    @has_access
    @permission_name("add")
    def cancel(self, public_id: str) -> ResponseReturnValue:
        """Give a report up that is not finished."""
        session, actor = db.session(), current_actor()
        job = jobs.own_job(session, public_id, actor)
        try:
            jobs.cancel(session, job, actor, now=request_time())
        except RefusedError as error:
            session.rollback()
            flash(error_sentence(error), "warning")
        else:
            session.commit()
            flash(_("The report was cancelled."), "success")
        return redirect(url_for(".show", public_id=public_id), 303)

    @expose("/<public_id>/file", methods=["GET"])
    @has_access
    @permission_name("download")
    def file(self, public_id: str) -> ResponseReturnValue:
        """The file, for who asked for it and as long as he may see what it shows."""
        session, actor = db.session(), current_actor()
        job = jobs.own_job(session, public_id, actor)
        try:
            key = jobs.open_report(job, actor, now=request_time())
            pieces = the_store().pieces(key)
        except (RefusedError, MissingFileError) as error:
            refused = isinstance(error, RefusedError)
            flash(error_sentence(error) if refused else sentence("report_gone"), "warning")
            return redirect(url_for(".show", public_id=public_id), 303)
        except StoreError:
            abort(503)
        response = Response(pieces, mimetype=FILE_TYPES[job.format][1])
        response.headers.update(
            {
                "Content-Disposition": content_disposition("attachment", job.file_name),
                "Content-Length": str(job.size),
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            }
        )
        return response

    # --- helpers ---

    def _filter(self, values: Mapping[str, str]) -> FilterBar:
        """The period and the sorts of cases; every report is about all steps."""
        today = local(request_time()).date()
        bar = read_filter(db.session(), {"period": DEFAULT_PERIOD, **values}, today)
        return bar.without("step")

    def _start(self, bar: FilterBar, error: str = "") -> str:
        actor = current_actor()
        return render_template(
            "aduan/reports.html",
            title=_("Reports"),
            bar=bar,
            choices=[item for item in bar.choices if item.name != "step"],
            kinds=[
                (
                    *words,
                    [(f"{kind}.{name}", FILE_TYPES[name][0]) for name in FORMATS[kind]],
                )
                for kind, words in KINDS.items()
            ],
            personal=jobs.personal_allowed(actor),
            may_add=actor.can("can_add", "Report"),
            jobs=[self._shown(job) for job in jobs.own_jobs(db.session(), actor, SHOWN_JOBS)],
            days=jobs.LIFE.days,
            error=error,
            form_key=new_form_key(),
            appbuilder=self.appbuilder,
        )

    def _wait_a_little(self, public_id: str) -> None:
        """Look a few times whether a worker was quick; nothing is locked meanwhile."""
        session, until = db.session(), time.monotonic() + self.patience
        may_write.set(False)
        while time.monotonic() < until:
            state = session.query(ReportJob.state).filter_by(public_id=public_id).scalar()
            session.rollback()
            if state not in jobs.OPEN:
                return
            time.sleep(0.1)

    def _shown(self, job: ReportJob) -> dict[str, Any]:
        """What a page says of a job."""
        scope, now = jobs.to_scope(job.params), request_time()
        gone = job.state == "done" and (job.file_key is None or job.expires_at <= now)
        state = "expired" if gone else job.state
        first, last = local_date(scope.first), local_date(scope.last)
        ready = state == "done" and current_actor().can("can_download", "Report")
        waits = job.state == "queued" and now - job.requested_at > LONG_IN_QUEUE
        return {
            "job": job,
            "title": KINDS[job.kind][0],
            "format": FILE_TYPES[job.format][0],
            "period": first if first == last else f"{first} – {last}",
            "state": state,
            "badge": STATES[state],
            "open": job.state in jobs.OPEN,
            "percent": int(100 * job.progress / job.total) if job.total else 0,
            "words": _words(job, waits_long=waits),
            "url": url_for(".show", public_id=job.public_id),
            "file_url": url_for(".file", public_id=job.public_id) if ready else None,
            "progress_url": url_for(".progress", public_id=job.public_id),
            "error": sentence(job.error, job.error_params) if job.error else "",
            "personal": job.personal,
        }

    def _facts(self, job: ReportJob) -> list[tuple[str, Any]]:
        bar = read_filter(
            db.session(),
            {
                "from": job.params["first"],
                "to": job.params["last"],
                "channel": str(job.params["channel_id"] or ""),
                "category": str(job.params["category_id"] or ""),
                "kecamatan": job.params["kecamatan_code"] or "",
            },
            local(request_time()).date(),
        )
        return [(item.label, item.words) for item in bar.choices if item.value]


def _words(job: ReportJob, *, waits_long: bool) -> str:
    """How far it is, in words; also for who cannot see the bar."""
    if waits_long:
        return _(
            "No worker has taken it yet. Tell the administrator: the program that makes reports"
            " (flask worker) does not seem to run."
        )
    if job.state == "queued":
        return _("Waiting for its turn.")
    if job.state != "running":
        return str(STATES[job.state][0])
    if not job.total:
        return _("It is being prepared.")
    return _("%(done)s of %(total)s", done=number(job.progress), total=number(job.total))
