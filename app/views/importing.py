"""Yesterday's register: send a spreadsheet, see what would come of it, take over all of it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.access import current_actor
from app.errors import error_sentence, sentence
from app.extensions import begin_writing, db
from app.formats import number as shown_number
from app.models import Category, Channel, ImportRun
from app.services.importing.rows import CellProblem, ImportedCase
from app.services.importing.runs import (
    MOST_PROBLEMS,
    DryRun,
    drop_import,
    look_through,
    note_problems,
    own_import,
    stage_import,
    take_over,
)
from app.services.importing.sheet import MOST_ROWS
from app.services.importing.template import import_template
from app.services.storage import StoreError
from app.sop.errors import FileRefusedError, RefusedError, SopError
from app.views.case_history import step_label
from app.views.formkeys import new_form_key, read_form_key, result_of_key, spend_form_key
from app.views.office import case_office, request_time, the_sop, the_store, upload_limits

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Imports on the page, and rows shown of one that is clean.
SHOWN_RUNS: Final = 20
SHOWN_ROWS: Final = 10


class ImportView(BaseView):  # type: ignore[misc]
    """Registers brought in from a spreadsheet; each officer sees the rows of his own."""

    route_base = "/import"
    class_permission_name = "Import"
    default_view = "list"

    @expose("/", methods=["GET"])
    @has_access
    @permission_name("list")
    def list(self) -> ResponseReturnValue:
        """The place to send a file, and what was sent before."""
        return self._start()

    @expose("/", methods=["POST"])
    @has_access
    @permission_name("add")
    def upload(self) -> ResponseReturnValue:
        """Look a file through; it is kept until somebody takes it over or gives it up."""
        file = request.files.get("file")
        if file is None or not file.filename:
            return self._start(_("Choose the file of the register first.")), 422
        limits = upload_limits()
        data = file.stream.read(limits.max_bytes + 1)
        if len(data) > limits.max_bytes:
            return self._start(sentence("sheet_too_large")), 422
        session, actor, now = db.session(), current_actor(), request_time()
        nonce, _opened = read_form_key(request.form.get("form_key", ""))
        if done := result_of_key(session, nonce):
            return redirect(url_for(".dry_run", public_id=done), 303)
        try:
            found = look_through(session, case_office(), data, actor, now=now)
            # Reading may take a second; nobody else waits for the database meanwhile.
            begin_writing()
            name = file.filename
            run = stage_import(session, the_store(), data, found, actor, file_name=name, now=now)
        except (FileRefusedError, RefusedError) as error:
            session.rollback()
            return self._start(error_sentence(error)), 422
        public_id = run.public_id
        if not spend_form_key(session, nonce, public_id):
            return redirect(
                url_for(".dry_run", public_id=result_of_key(session, nonce) or public_id), 303
            )
        session.commit()
        return redirect(url_for(".dry_run", public_id=public_id), 303)

    @expose("/<public_id>", methods=["GET"])
    @has_access
    @permission_name("list")
    def dry_run(self, public_id: str) -> ResponseReturnValue:
        """What a file would bring as the office is now, or what it has brought."""
        session, actor = db.session(), current_actor()
        run = own_import(session, public_id, actor)
        found, error = None, ""
        if run.state == "checked" and actor.can("can_add", "Import"):
            try:
                found = self._read(run, request_time())
            except (FileRefusedError, StoreError) as refused:
                error = (
                    error_sentence(refused)
                    if isinstance(refused, SopError)
                    else sentence("import_gone")
                )
        return render_template(
            "aduan/import_show.html",
            title=run.file_name,
            run=run,
            found=found,
            error=error,
            problems=_problems(found.problems) if found else [],
            most=MOST_PROBLEMS,
            summary=_summary(found) if found and found.clean else None,
            appbuilder=self.appbuilder,
        )

    @expose("/<public_id>/take", methods=["POST"])
    @has_access
    @permission_name("add")
    def take(self, public_id: str) -> ResponseReturnValue:
        """Take over all rows, or none: the file is looked through again right before."""
        session, actor, now = db.session(), current_actor(), request_time()
        run = own_import(session, public_id, actor)
        here = redirect(url_for(".dry_run", public_id=public_id), 303)
        if run.state != "checked":
            return here
        run_id, office, rows = run.id, case_office(), run.rows
        try:
            found = self._read(run, now)
            begin_writing()
            problems = take_over(session, office, the_store(), run_id, found, actor, now=now)
        except StoreError:
            session.rollback()
            flash(sentence("import_gone"), "danger")
            return here
        if problems:
            session.rollback()
            note_problems(session, session.get_one(ImportRun, run_id), problems)
            session.commit()
            flash(sentence("import_not_clean", {"count": len(problems)}), "danger")
            return here
        session.commit()
        flash(
            ngettext("%(num)s complaint taken over.", "%(num)s complaints taken over.", rows),
            "success",
        )
        return here

    @expose("/<public_id>/drop", methods=["POST"])
    @has_access
    @permission_name("add")
    def drop(self, public_id: str) -> ResponseReturnValue:
        """Give a file up; nothing of it was taken over."""
        session, actor = db.session(), current_actor()
        run = own_import(session, public_id, actor)
        waiting = run.state == "checked"
        drop_import(session, the_store(), run, actor)
        session.commit()
        if waiting:
            flash(_("The file was given up; nothing was taken over."), "success")
        return redirect(url_for(".list"), 303)

    @expose("/template", methods=["GET"])
    @has_access
    @permission_name("list")
    def template(self) -> ResponseReturnValue:
        """An empty register with our headings and the office's lists."""
        response = Response(import_template(db.session()), mimetype=XLSX)
        response.headers["Content-Disposition"] = 'attachment; filename="register-pengaduan.xlsx"'
        return response

    # --- helpers ---

    def _read(self, run: ImportRun, now: datetime) -> DryRun:
        data = the_store().get(run.storage_key or "")
        return look_through(db.session(), case_office(), data, current_actor(), now=now)

    def _start(self, error: str = "") -> str:
        runs = db.session.scalars(
            select(ImportRun)
            .options(joinedload(ImportRun.user))
            .order_by(ImportRun.uploaded_at.desc(), ImportRun.id.desc())
            .limit(SHOWN_RUNS)
        )
        actor = current_actor()
        return render_template(
            "aduan/import.html",
            title=_("Import a register"),
            runs=runs.all(),
            mine=actor.id,
            may_add=actor.can("can_add", "Import"),
            error=error,
            form_key=new_form_key(),
            most_rows=shown_number(MOST_ROWS),
            max_mb=upload_limits().max_bytes // (1024 * 1024),
            appbuilder=self.appbuilder,
        )


def _problems(found: tuple[CellProblem, ...]) -> list[dict[str, Any]]:
    return [
        {"row": one.row, "column": one.column, "text": sentence(one.code, one.params)}
        for one in found[:MOST_PROBLEMS]
    ]


def _summary(found: DryRun) -> dict[str, Any]:
    """What all rows come to, and the first of them as they were understood."""
    entry = the_sop().entry
    places = Counter(case.place or entry for case in found.cases)
    days = sorted(case.data.received_at for case in found.cases)
    channels = {row.id: str(row) for row in db.session.scalars(select(Channel))}
    categories = {row.id: str(row) for row in db.session.scalars(select(Category))}
    personal = current_actor().can("see_personal")

    def shown(case: ImportedCase) -> dict[str, Any]:
        return {
            "row": case.row,
            "received": case.data.received_at,
            "channel": channels[case.data.channel_id],
            "name": case.data.applicant_name if personal else "•••",
            "category": categories[case.data.category_id],
            "place": step_label(the_sop(), case.place or entry),
        }

    return {
        "places": [(step_label(the_sop(), key), count) for key, count in places.most_common()],
        "first": days[0],
        "last": days[-1],
        "rows": [shown(case) for case in found.cases[:SHOWN_ROWS]],
    }
