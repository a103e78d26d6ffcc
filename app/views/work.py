"""The case page and the work form of each step: what an officer sees, records and decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from app.access import current_actor
from app.auditing import audit_now
from app.errors import status_of
from app.extensions import db
from app.frame import framed
from app.models import Complaint, Courier, Document
from app.services.blanks import note_waiting
from app.services.casefile import load_case_file
from app.services.caserows import load_case_records
from app.services.complaints import claim, log_event
from app.services.dispatching import clean_tracking_number
from app.services.ended import SAID_THERE, why_ended
from app.services.revealing import form_revealed, may_compare, step_revealed
from app.services.transitions import Handling, apply_transition, start_work
from app.sop.definition import Step, Transition
from app.sop.errors import (
    NotAllowedError,
    NotFoundError,
    SopError,
    UnknownTransitionError,
    WrongStepError,
)
from app.stepup import require_fresh_sign_in
from app.views.addresses import place
from app.views.base import RefusedForm
from app.views.case_page import CasePage
from app.views.case_tiles import CaseTiles
from app.views.formkeys import new_form_key, read_form_key, result_of_key, spend_form_key
from app.views.forms.draft import staged_json
from app.views.forms.form_files import stage_form_files
from app.views.forms.work import Desk, WorkForm, work_form
from app.views.forms.work_dispatch import tracking_remarks
from app.views.forms.work_fields import FilesField
from app.views.labels import shelf_at_hand
from app.views.messages import case_messages
from app.views.office import case_office, request_time, the_sop, upload_limits
from app.views.papers import offered_papers
from app.views.revealing import is_revealed


class WorkMixin:
    """The page of a case and the form in which its present step is worked."""

    show_template = "aduan/case.html"
    work_template = "aduan/work.html"

    # --- the page ---

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> ResponseReturnValue:
        """The page of a case; everything on it is read at once."""
        page = self._page_or_404(pk)
        papers = offered_papers(page.file, the_sop(), page.actor)
        template = current_app.jinja_env.get_template(self.show_template)
        body = template.render(papers=papers, **self.page_context(page))
        return framed(page.case.number, Markup(body))  # noqa: S704

    def _page_or_404(self, pk: str) -> CasePage:
        key, actor = self.datamodel.clean_pk(pk), current_actor()
        if key is None:
            abort(404)
        shelf, session, now = shelf_at_hand(), db.session(), request_time()
        if shelf is None:
            file = load_case_file(session, actor, key, now=now)
        else:
            file = load_case_records(session, actor, key, now=now, shelf=shelf)
        if file is None:
            abort(404)
        return CasePage(
            file,
            the_sop(),
            lambda: case_office().calendar,
            actor,
            request_time(),
            revealed=is_revealed(file.complaint.id),
        )

    def page_context(self, page: CasePage) -> dict[str, Any]:
        """What the case page shows besides the record."""
        return {
            "page": page,
            "case": page.case,
            "file": page.file,
            "sop": the_sop(),
            "cards": CaseTiles(page, new_form_key),
            "case_file_url": file_url,
            "staged_files": staged_files,
            "messages": case_messages(page.file.messages),
            "back_url": place(f"{self.endpoint}.list") if self.may("can_list") else None,
        }

    # --- the form ---

    @expose("/work/<pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("work")
    def work(self, pk: str) -> ResponseReturnValue:
        """The work form of the present step; a POST saves it and may move the case on."""
        item: Complaint = self.get_or_404(pk, "category")
        if request.method == "POST":
            asked = request.form.get("transition") in self.asks_again
            if asked and (answer := require_fresh_sign_in()) is not None:
                return answer
            return self._work(item)
        step = the_sop().step(item.step_key)
        self._stop_outsiders(step)
        why = why_ended(db.session(), the_sop(), item)
        if why is not None and why.code in SAID_THERE:  # nothing could be done in the form
            return redirect(url_for(f"{self.endpoint}.show", pk=item.id), 303)
        form = self._form(item, step)
        number = item.number
        page = self._form_page(item, step, form, new_form_key())
        if form.compares_numbers and may_compare(current_actor()):
            audit_now(*step_revealed(number, step.key))
        elif form.fills_in:
            audit_now(*form_revealed(f"complaint:{number}", f"step {step.key}", form.fills_in))
        return page

    def _work(self, item: Complaint) -> ResponseReturnValue:
        """Save a posted form, all of it or nothing."""
        pk, here = item.id, url_for(f"{self.endpoint}.show", pk=item.id)
        step = self._posted_step(item)
        self._stop_outsiders(step)
        nonce, opened_at = read_form_key(request.form.get("form_key", ""))
        if result_of_key(db.session(), nonce):
            return redirect(here, 303)
        posted, file_errors = stage_form_files()
        key = request.form.get("transition", "")
        form = self._form(item, step, posted)
        refusal: SopError | RefusedForm = RefusedForm(file_errors)
        if form.validate() and not file_errors:
            try:
                if not spend_form_key(db.session(), nonce, str(pk)):
                    return redirect(here, 303)
                move = self._save(item, step, form, key, opened_at)
                remarks = form.remarks()
                words = self._done_words(item, step, move)
                db.session.commit()
            except (NotAllowedError, NotFoundError):
                raise
            except (SopError, RefusedForm) as error:
                refusal = error
            else:
                flash(words, "success")
                for remark in remarks:
                    flash(remark, "warning")
                if move is None:
                    return redirect(url_for(f"{self.endpoint}.work", pk=pk), 303)
                return redirect(self.after_move(pk), 303)
        # Nothing was saved: the form is built anew from what was typed, over fresh rows.
        db.session.rollback()
        if isinstance(refusal, SopError) and note_waiting(
            db.session(), refusal, now=request_time()
        ):
            db.session.commit()
        if result_of_key(db.session(), nonce):  # by this request: an earlier sending was faster
            return redirect(here, 303)
        item = self.get_or_404(pk)
        again = self._form(item, step, posted)
        again.validate()
        again.refuse(refusal)
        status = status_of(refusal) if isinstance(refusal, SopError) else 422
        form_key = request.form.get("form_key") or new_form_key()
        return self._form_page(item, step, again, form_key), status

    def _save(
        self, item: Complaint, step: Step, form: WorkForm, key: str, opened_at: datetime
    ) -> Transition | None:
        """Keep the facts and make the transition, in one transaction that the caller commits."""
        session, office, desk = db.session(), case_office(), form.desk
        move = next((move for move in step.transitions if move.key == key), None)
        if item.step_key != step.key:
            raise self._moved_on(item)
        if key and move is None:
            raise UnknownTransitionError(step.key, key)
        if move is not None:
            desk.actor.require(move.permission)
        if errors := form.check(move):
            raise RefusedForm(errors)
        self._claim(item)
        form.save(move)
        files = [document.original_name for document in form.attached]
        if move is None:
            if item.assignee_id is None:
                # The work began when the form was opened, not when it was first saved.
                start_work(session, office.sop, item, desk.actor, now=opened_at)
            details = {**form.draft(), **({"files": files} if files else {})}
            log_event(session, item, "saved", desk.actor, desk.now, details=details)
            session.flush()
            return None
        details = {**form.details(move), **({"files": files} if files else {})}
        apply_transition(
            session,
            office,
            item,
            move.key,
            desk.actor,
            now=desk.now,
            reason=form.form.reason.data or "",
            handling=Handling(opened_at),
            details=details,
        )
        form.finish(move)
        return move

    def _claim(self, item: Complaint) -> None:
        """Take the version that the officer saw; a colleague who took the case over is named."""
        text = request.form.get("version", "")
        seen = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
        holder = item.assignee
        try:
            claim(db.session(), case_office(), item, seen)
        except WrongStepError as error:
            if holder is not None and holder.id != current_actor().id:
                other = WrongStepError(who=holder.get_full_name(), at=item.step_since)
                other.code = "held_by_other"
                raise other from error
            raise

    def _moved_on(self, item: Complaint) -> WrongStepError:
        """The refusal that names who moved the case meanwhile."""
        label = the_sop().step(item.step_key).label
        moves = [event for event in item.events if event.kind == "moved"]
        if not moves:
            return WrongStepError(step=label)
        return WrongStepError(who=moves[-1].by_name, at=moves[-1].at, step=label)

    def _done_words(self, item: Complaint, step: Step, move: Transition | None) -> str:
        if move is None:
            return str(_("Saved. The case is still at: %(step)s.", step=step.label))
        target = the_sop().step(item.step_key).label
        return str(_("%(number)s is now at: %(step)s.", number=item.number, step=target))

    # --- pieces ---

    def _posted_step(self, item: Complaint) -> Step:
        """The step whose form was sent: the case may have moved on since."""
        sop, key = the_sop(), request.form.get("step", "")
        known = {step.key for step in sop.steps}
        return sop.step(key if key in known else item.step_key)

    def _stop_outsiders(self, step: Step) -> None:
        """Only who may make at least one of the step's transitions works in it."""
        if not current_actor().can_any(move.permission for move in step.transitions):
            raise NotAllowedError("can_work")

    def _form(
        self, item: Complaint, step: Step, posted: MultiDict[str, str] | None = None
    ) -> WorkForm:
        desk = Desk(
            session=db.session(),
            office=case_office(),
            complaint=item,
            step=step,
            actor=current_actor(),
            now=request_time(),
            limits=upload_limits(),
        )
        return work_form(step.form)(desk, posted)

    def _form_page(self, item: Complaint, step: Step, form: WorkForm, form_key: str) -> str:
        page = self._page_or_404(str(item.id))
        if form.compares_numbers and may_compare(current_actor()):
            page.reveal()
        return render_template(
            self.work_template,
            title=f"{step.label} · {item.number}",
            appbuilder=self.appbuilder,
            work=form,
            form=form.form,
            step=step,
            moved=item.step_key != step.key,
            hidden={
                "version": page.case.version,
                "form_key": form_key,
                "step": step.key,
                "shown": "1",
            },
            **self.page_context(page),
        )

    @expose("/tracking", methods=["POST"])
    @has_access
    @permission_name("work")
    def tracking(self) -> ResponseReturnValue:
        """What looks odd about a tracking number while it is typed; never blocks."""
        text = request.form.get("courier", "")
        courier = None
        if text.isascii() and text.isdigit() and len(text) < 10:
            courier = db.session.get(Courier, int(text))
        number = clean_tracking_number(request.form.get("value", "")[:60])
        return {
            "findings": [
                {"level": "warning", "message": remark}
                for remark in tracking_remarks(courier, number)
            ]
        }


def file_url(document: Document) -> str:
    """Where a file of a case opens; the route checks who asks."""
    return url_for("DocumentView.file", public_id=document.public_id)


def staged_files(field: FilesField) -> list[dict[str, Any]]:
    """What was uploaded for a place before, for the drop zone."""
    return [staged_json(upload) for upload in field.uploads]
