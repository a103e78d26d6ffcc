"""The dispatch desk: scan the case, scan the resi, photograph the receipt, the next one please."""

from __future__ import annotations

from collections.abc import Sequence

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from app.access import current_actor, current_permissions
from app.auditing import audit_now
from app.errors import error_sentence, status_of
from app.extensions import db
from app.formats import local
from app.models import Complaint, Courier, Dispatch
from app.services.complaints import claim
from app.services.desk import (
    MOST_FOUND,
    Errand,
    errand_of,
    find_cases,
    sent_on,
    waiting_cases,
)
from app.services.dispatching import (
    clean_tracking_number,
    find_taken,
    may_send,
    sending_moves,
)
from app.services.revealing import form_revealed
from app.services.transitions import Handling, apply_transition
from app.services.visibility import visible_cases
from app.sop.definition import Transition
from app.sop.errors import NotAllowedError, NotFoundError, SopError
from app.views.base import RefusedForm
from app.views.desk_lists import DeskLists, paper_url, posted_number
from app.views.formkeys import new_form_key, read_form_key, result_of_key, spend_form_key
from app.views.forms.desk import DeskForm
from app.views.forms.fields import without_controls
from app.views.forms.form_files import stage_form_files
from app.views.forms.work import Desk
from app.views.forms.work_dispatch import tracking_remarks
from app.views.office import case_office, request_time, the_sop, upload_limits
from app.views.work import staged_files


class DispatchDeskView(DeskLists, BaseView):  # type: ignore[misc]
    """One parcel after another, and what has to be asked after."""

    route_base = "/desk"
    class_permission_name = "DispatchDesk"
    default_view = "desk"

    # --- sending ---

    @expose("/", methods=["GET"])
    @has_access
    @permission_name("list")
    def desk(self) -> ResponseReturnValue:
        """The place to scan; with a number, what is to be done with that case."""
        text = request.args.get("case", "").strip()[:200]
        if not text:
            return self._idle()
        cases = find_cases(db.session(), the_sop(), current_actor(), text)
        if len(cases) != 1:
            return self._idle(asked=text, found=cases)
        errand = errand_of(db.session(), the_sop(), cases[0])
        form = self._form(errand) if self._may_do(errand) else None
        number = errand.case.number
        page = self._page(errand, form, new_form_key())
        if form is not None and form.shows_label:
            audit_now(*form_revealed(f"complaint:{number}", "desk", form.fills_in))
        return page

    @expose("/send/<pk>", methods=["POST"])
    @has_access
    @permission_name("add")
    def send(self, pk: str) -> ResponseReturnValue:
        """The parcel, its proof and the move of the case: all of it or nothing."""
        session, actor = db.session(), current_actor()
        if not may_send(the_sop(), actor):
            raise NotAllowedError("send")
        case = _case_or_404(pk)
        case_pk = case.id
        ready = url_for("DispatchDeskView.desk")
        nonce, opened_at = read_form_key(request.form.get("form_key", ""))
        if result_of_key(session, nonce):
            return redirect(ready, 303)
        posted, file_errors = stage_form_files()
        errand = errand_of(session, the_sop(), case)
        if not errand.open:
            flash(_not_here(errand), "danger")
            return redirect(url_for("DispatchDeskView.desk", case=case.number), 303)
        form = self._form(errand, posted)
        refusal: SopError | RefusedForm = RefusedForm(file_errors)
        if form.validate() and not file_errors:
            try:
                if not spend_form_key(session, nonce, str(case_pk)):
                    return redirect(ready, 303)
                self._send(errand, form, Handling(opened_at))
                words, remarks = _done_words(form.sent), form.remarks()
                session.commit()
            except (NotAllowedError, NotFoundError):
                raise
            except (SopError, RefusedForm) as error:
                refusal = error
            else:
                flash(words, "success")
                for remark in remarks:
                    flash(remark, "warning")
                return redirect(ready, 303)
        # Nothing was saved: the form is built anew from what was typed, over fresh rows.
        session.rollback()
        if result_of_key(session, nonce):  # by this request: an earlier sending was faster
            return redirect(ready, 303)
        errand = errand_of(session, the_sop(), _case_or_404(pk))
        if not errand.open:  # a colleague has just sent it
            flash(_not_here(errand), "danger")
            return redirect(url_for("DispatchDeskView.desk", case=errand.case.number), 303)
        again = self._form(errand, posted)
        again.validate()
        again.refuse(refusal)
        status = status_of(refusal) if isinstance(refusal, SopError) else 422
        form_key = request.form.get("form_key") or new_form_key()
        return self._page(errand, again, form_key), status

    def _send(self, errand: Errand, form: DeskForm, handling: Handling) -> None:
        """Record the parcel; the first of a round moves its case on as well."""
        session, office, actor, now = db.session(), case_office(), current_actor(), request_time()
        move = errand.move
        if move is not None:
            actor.require(move.permission)
        claim(session, office, errand.case, _seen_version())
        guard_move = move or sending_moves(office.sop)[0]
        if errors := form.check(guard_move):
            raise RefusedForm(errors)
        form.save(guard_move)
        if move is None:
            return
        files = [document.original_name for document in form.attached]
        apply_transition(
            session,
            office,
            errand.case,
            move.key,
            actor,
            now=now,
            handling=handling,
            details={**form.details(move), **({"files": files} if files else {})},
        )

    def _form(self, errand: Errand, posted: MultiDict[str, str] | None = None) -> DeskForm:
        office = case_office()
        move: Transition = errand.move or sending_moves(office.sop)[0]
        desk = Desk(
            session=db.session(),
            office=office,
            complaint=errand.case,
            step=office.sop.step(move.source),
            actor=current_actor(),
            now=request_time(),
            limits=upload_limits(),
        )
        return DeskForm(desk, errand, posted)

    def _may_do(self, errand: Errand) -> bool:
        actor = current_actor()
        if not errand.open or ("can_add", "DispatchDesk") not in current_permissions():
            return False
        return actor.can(errand.move.permission) if errand.move else may_send(the_sop(), actor)

    @expose("/check", methods=["POST"])
    @has_access
    @permission_name("add")
    def check(self) -> ResponseReturnValue:
        """What is odd about a tracking number while it is typed; the form itself refuses."""
        text = request.form.get("courier", "")
        courier = None
        if text.isascii() and text.isdigit() and len(text) < 10:
            courier = db.session.get(Courier, int(text))
        value = without_controls(request.form.get("value", ""))
        number = clean_tracking_number(value[:60])
        findings = [
            {"level": "warning", "message": remark} for remark in tracking_remarks(courier, number)
        ]
        if courier is not None and number:
            taken = find_taken(db.session(), courier.id, number, current_actor())
            if taken is not None:
                findings.append({"level": "error", "message": error_sentence(taken)})
        return {"findings": findings}

    # --- pages ---

    def _idle(self, asked: str = "", found: Sequence[Complaint] = ()) -> str:
        today = local(request_time()).date()
        count, waiting = waiting_cases(db.session(), the_sop(), current_actor())
        sent = sent_on(db.session(), current_actor(), today)
        couriers = {parcel.courier_id: parcel.courier for parcel in sent}
        return self._render(
            "aduan/desk.html",
            tab="desk",
            asked=asked,
            found=found,
            found_many=len(found) == MOST_FOUND,
            step_label=lambda case: the_sop().step(case.step_key).label,
            waiting=waiting,
            waiting_count=count,
            sent=sent,
            labels_url=paper_url("labels"),
            label_url=lambda case: paper_url("labels", ids=case.id),
            manifests=[
                (courier, url)
                for courier in couriers.values()
                if (url := paper_url("manifest", courier=courier.id, day=today.isoformat()))
            ],
        )

    def _page(self, errand: Errand, form: DeskForm | None, form_key: str) -> str:
        case = errand.case
        step = the_sop().step(case.step_key)
        held = case.assignee if case.assignee_id not in (None, current_actor().id) else None
        return self._render(
            "aduan/desk_case.html",
            title=case.number,
            errand=errand,
            case=case,
            step=step,
            holder=held.get_full_name() if held else "",
            why_not="" if form else _not_here(errand),
            work=form,
            form=form.form if form else None,
            hidden={"version": case.version, "form_key": form_key},
            staged_files=staged_files,
            label_url=paper_url("labels", ids=case.id),
            # The label's fields are opened when something is wrong with them.
            label_open=form is not None
            and form.shows_label
            and any(form.form[name].errors for name in ("recipient", "address", "phone")),
        )


def _done_words(parcel: Dispatch) -> str:
    return str(
        _(
            "%(case)s is on its way: %(courier)s, %(number)s. Ready for the next one.",
            case=parcel.complaint.number,
            courier=parcel.courier.name,
            number=parcel.tracking_number,
        )
    )


def _not_here(errand: Errand) -> str:
    """Why nothing can be sent for this case now."""
    step = the_sop().step(errand.case.step_key)
    if errand.open:
        return str(_("You may not send parcels; an administrator can change that for your role."))
    if errand.latest is not None:
        return str(
            _(
                "It was sent already: %(courier)s, %(number)s.",
                courier=errand.latest.courier.name,
                number=errand.latest.tracking_number,
            )
        )
    return str(_("Its papers are not ready to be sent; the case is at: %(step)s.", step=step.label))


def _case_or_404(pk: str) -> Complaint:
    if not (pk.isascii() and pk.isdigit() and len(pk) < 10):
        abort(404)
    found = (Complaint.id == int(pk)) & visible_cases(current_actor())
    case = db.session.query(Complaint).filter(found).one_or_none()
    if case is None:
        abort(404)
    return case


def _seen_version() -> int | None:
    seen = posted_number("version")
    return seen if seen >= 0 else None
