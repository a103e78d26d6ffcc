"""Registering a complaint on one page (SOP step 1), and correcting what was written down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.datastructures import MultiDict

from app.access import current_actor, current_permissions
from app.auditing import audit_now
from app.errors import error_sentence, sentence
from app.extensions import db
from app.formats import local_date
from app.models import Complaint, Region, UsedFormKey
from app.services.complaints import (
    Registration,
    edit_complaint,
    open_cases_of,
    register_complaint,
)
from app.services.ended import SAID_THERE, why_ended
from app.services.filecheck import ACCEPT
from app.services.revealing import form_revealed
from app.services.transitions import Handling, apply_transition
from app.sop.definition import Transition
from app.sop.errors import NotAllowedError, SopError, WrongStepError
from app.views.formkeys import new_form_key, read_form_key, result_of_key, spend_form_key
from app.views.forms.choices import kind_label, load_choices
from app.views.forms.complaint import (
    LONGEST_TEXT,
    SEXES,
    ComplaintForm,
    email_address,
    findings_block,
)
from app.views.forms.draft import Draft, read_files, read_ticks, stage_posted
from app.views.forms.fields import wall_clock
from app.views.forms.refusals import differences, put_refusal
from app.views.office import case_office, request_time, the_sop, the_store, upload_limits
from app.views.papers import with_receipt

#: A check while typing asks about a handful of short values.
LONGEST_QUESTION: Final = 16 * 1024


class RegistrationMixin:
    """`add`, `edit` and the checks while typing, for the view of complaints."""

    # --- registering ---

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> ResponseReturnValue:
        if request.method == "POST":
            return self._register()
        now = request_time()
        choices = load_choices(db.session())
        draft = Draft(ComplaintForm(now=now, choices=choices), choices)
        draft.form.received_at.data = now
        return self._registration_page(draft, new_form_key())

    def _register(self) -> ResponseReturnValue:
        session, now = db.session(), request_time()
        key = request.form.get("form_key", "")
        nonce, opened_at = read_form_key(key)
        if done := result_of_key(session, nonce):
            return redirect(self._saved_url(done), 303)
        fresh, file_errors = stage_posted(
            session,
            the_store(),
            request.files.getlist("files") if _may_upload() else (),
            current_actor().id or 0,
            now,
            upload_limits(),
        )
        # Before anything can refuse the form: what was sent with it is there to be shown again.
        session.commit()
        tokens = [file.upload.token for file in fresh]
        draft = self._posted_draft(now, tokens, file_errors)
        wanted = request.form.get("then", "")
        if wanted == "refresh":
            return self._registration_page(draft, key)
        checked = (draft.form.validate(), draft.check_ticks(), draft.check_files())
        if not all(checked):
            # The same form may have been saved a moment ago and taken its files along.
            if done := result_of_key(session, nonce):
                return redirect(self._saved_url(done), 303)
            return self._registration_page(draft, key, refused=True), 422
        try:
            # The key first: a second sending waits here for the first and then leads to its case.
            if not spend_form_key(session, nonce):
                return redirect(self._saved_url(result_of_key(session, nonce)), 303)
            complaint = self._save_registration(draft, opened_at, now, forward=wanted == "forward")
            messages = self._saved_messages(draft, complaint)
            spent = session.get(UsedFormKey, nonce)
            assert spent is not None
            spent.result = str(complaint.id)
            target = self._saved_url(str(complaint.id), confidential=complaint.confidential)
            session.commit()
        except (SopError, IntegrityError) as error:
            session.rollback()
            draft = self._posted_draft(now, tokens, [])
            draft.form.validate()
            put_refusal(draft, error)
            return self._registration_page(draft, key, refused=True), 422
        for tone, text in messages:
            flash(text, tone)
        return redirect(target, 303)

    def _save_registration(
        self, draft: Draft, opened_at: datetime, now: datetime, *, forward: bool
    ) -> Complaint:
        """Register, attach and, when wanted, pass on: one transaction, the caller commits."""
        session, office, actor = db.session(), case_office(), current_actor()
        registration = Registration(draft.form.to_data(), opened_at, tuple(draft.checks()))
        complaint = register_complaint(session, office, registration, actor, now=now)
        draft.attach(session, complaint, actor.id or 0, now, upload_limits())
        move = _forward_move() if forward else None
        if move is not None:
            apply_transition(
                session, office, complaint, move.key, actor, now=now, handling=Handling(opened_at)
            )
        return complaint

    def _saved_messages(self, draft: Draft, complaint: Complaint) -> list[tuple[str, str]]:
        """What is said once the case is saved: its number first, then what is worth a look."""
        sop = the_sop()
        if complaint.step_key == sop.entry:
            text = _("%(number)s is saved.", number=complaint.number)
        else:
            text = _(
                "%(number)s is saved and now at: %(step)s.",
                number=complaint.number,
                step=sop.step(complaint.step_key).label,
            )
        messages = [("success", with_receipt(text, complaint, current_actor()))]
        messages += [("warning", text) for text in _warnings(draft.form)]
        others = open_cases_of(db.session(), current_actor(), complaint.nik, but_not=complaint.id)
        if others:
            numbers = ", ".join(other.number for other in others)
            text = _("The same NIK has another open case: %(numbers)s.", numbers=numbers)
            messages.append(("warning", text))
        return messages

    def _posted_draft(
        self, now: datetime, tokens: Sequence[str], file_errors: Sequence[str]
    ) -> Draft:
        """The posted page as it can be checked, saved, or shown again."""
        session, posted = db.session(), request.form
        choices = load_choices(session)
        together = MultiDict(posted)
        for token in tokens:
            together.add("upload_token[]", token)
        files, gone = read_files(session, together, current_actor().id or 0)
        return Draft(
            ComplaintForm(posted, now=now, choices=choices),
            choices,
            read_ticks(posted),
            files,
            [*file_errors, *gone],
        )

    def _saved_url(self, pk: str, *, confidential: bool = False) -> str:
        """Where a saved case leads: to its page, for who may see it."""
        actor = current_actor()
        hidden = confidential and not actor.can("see_confidential")
        if pk and not hidden and actor.can("can_show"):
            return str(self._own_url("show", pk=pk))
        return self.get_redirect() if actor.can("can_list") else url_for("IndexView.index")

    # --- correcting ---

    @expose("/edit/<pk>", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: str) -> ResponseReturnValue:
        complaint = self.get_or_404(pk)
        if not current_actor().can("see_personal"):
            raise NotAllowedError("see_personal")  # the form holds what he may not read
        if (why := why_ended(db.session(), the_sop(), complaint)) is not None:
            if why.code not in SAID_THERE:
                flash(error_sentence(why), "warning")
            return redirect(self._saved_url(str(complaint.id)), 303)
        if request.method == "POST":
            return self._correct(complaint)
        choices = load_choices(db.session(), complaint)
        form = ComplaintForm(now=request_time(), choices=choices, complaint=complaint)
        number = complaint.number
        page = self._correction_page(Draft(form, choices), complaint, str(complaint.version))
        audit_now(*form_revealed(f"complaint:{number}", "correction"))
        return page

    def _correct(self, complaint: Complaint) -> ResponseReturnValue:
        session, now, pk = db.session(), request_time(), complaint.id
        draft = self._posted_correction(complaint, now)
        seen = request.form.get("version", "")
        if not draft.form.validate():
            return self._correction_page(draft, complaint, seen, refused=True), 422
        try:
            edit_complaint(
                session,
                case_office(),
                complaint,
                draft.form.to_data(),
                current_actor(),
                now=now,
                expected_version=_version(seen),
            )
            messages = [("success", _("%(number)s is saved.", number=complaint.number))]
            messages += [("warning", text) for text in _warnings(draft.form)]
            target = self._saved_url(str(pk), confidential=complaint.confidential)
            session.commit()
        except (SopError, IntegrityError) as error:
            session.rollback()
            complaint = self.get_or_404(pk)
            draft = self._posted_correction(complaint, now)
            draft.form.validate()
            put_refusal(draft, error)
            late = isinstance(error, WrongStepError)
            # He has been told and sees what is stored now: saving again is his decision.
            seen = str(complaint.version) if late else seen
            page = self._correction_page(draft, complaint, seen, refused=True, compare=late)
            return page, 409 if late else 422
        for tone, text in messages:
            flash(text, tone)
        return redirect(target, 303)

    def _posted_correction(self, complaint: Complaint, now: datetime) -> Draft:
        choices = load_choices(db.session(), complaint)
        form = ComplaintForm(request.form, now=now, choices=choices, complaint=complaint)
        return Draft(form, choices)

    # --- checks while typing ---

    @expose("/identity", methods=["POST"])
    @has_access
    @permission_name("add")
    def identity(self) -> ResponseReturnValue:
        """What is to be said of the numbers typed so far; in the body, for a URL is logged."""
        if (request.content_length or 0) > LONGEST_QUESTION:
            abort(413)
        asked = request.get_json(silent=True)
        if not isinstance(asked, dict):
            return {"error": "json", "message": _("The request could not be understood")}, 422
        values = MultiDict({str(k): v for k, v in asked.items() if isinstance(v, str)})
        regions = db.session.scalars(select(Region.code).where(Region.kind == "kecamatan"))
        form = ComplaintForm(values, now=request_time(), known_regions=frozenset(regions))
        found = form.findings()
        answer: dict[str, Any] = {
            name: [{"level": one.level, "message": sentence(one.code, one.params)} for one in list_]
            for name, list_ in found.items()
        }
        address = form.email.data or ""
        wrong = bool(address) and (len(address) > 254 or email_address(address) is None)
        answer["email"] = (
            [{"level": "error", "message": _("This is not an email address.")}] if wrong else []
        )
        nik = "" if findings_block(found["nik"]) else form.nik.data
        answer["duplicates"] = self._duplicates(nik, self.datamodel.clean_pk(values.get("id", "")))
        return answer

    def _duplicates(self, nik: str, but_not: int | None = None) -> list[dict[str, str]]:
        """Open cases of the same NIK that the officer may know of."""
        sop, actor = the_sop(), current_actor()
        may_show = actor.can("can_show")
        return [
            {
                "number": case.number,
                "url": str(self._own_url("show", pk=case.id)) if may_show else "",
                "step": str(sop.step(case.step_key).label),
                "received": local_date(case.received_at),
            }
            for case in open_cases_of(db.session(), actor, nik, but_not=but_not)
        ]

    # --- the page ---

    def _registration_page(self, draft: Draft, key: str, *, refused: bool = False) -> str:
        move = _forward_move()
        category = draft.category
        return self._intake_page(
            draft,
            refused=refused,
            title=self.add_title,
            form_key=key or new_form_key(),
            forward=move is not None,
            requirements=draft.requirements,
            category_data=draft.choices.for_script(),
            kinds=_kind_options(draft),
            files=[file.shown() for file in draft.files],
            file_errors=draft.file_errors,
            upload_url=url_for("UploadView.stage") if _may_upload() else None,
            accept=ACCEPT,
            max_mb=upload_limits().max_bytes // (1024 * 1024),
            category_chosen=category is not None,
            back_url=self._own_url("list")
            if current_actor().can("can_list")
            else url_for("IndexView.index"),
        )

    def _correction_page(
        self,
        draft: Draft,
        complaint: Complaint,
        version: str,
        *,
        refused: bool = False,
        compare: bool = False,
    ) -> str:
        return self._intake_page(
            draft,
            refused=refused,
            title=self.edit_title,
            complaint=complaint,
            version=version,
            stored=differences(draft.form, complaint) if compare else [],
            category_data=draft.choices.for_script(),
            back_url=self._saved_url(str(complaint.id)),
        )

    def _intake_page(self, draft: Draft, *, refused: bool, **values: Any) -> str:
        form = draft.form
        complaint = values.get("complaint")
        blocked = findings_block(form.findings()["nik"])
        now = request_time()
        return render_template(
            "aduan/complaint_form.html",
            **{"complaint": None, **values},
            form=form,
            choices=draft.choices,
            messages=draft.messages() if refused else [],
            warnings=form.warnings() if refused or complaint is not None else {},
            duplicates=self._duplicates(
                "" if blocked else form.nik.data, complaint.id if complaint else None
            ),
            sexes=SEXES,
            longest_text=LONGEST_TEXT,
            latest=wall_clock(now),
            today=wall_clock(now)[:10],
            identity_url=self._own_url("identity"),
            appbuilder=self.appbuilder,
        )


def _may_upload() -> bool:
    """Whether the officer may add files; without it the page shows no place for them."""
    return ("can_add", "Upload") in current_permissions()


def _forward_move() -> Transition | None:
    """The way on from the SOP's first step, when the officer may take it: the sheet's own next."""
    sop, actor = the_sop(), current_actor()
    moves = sop.step(sop.entry).transitions
    onward = [move for move in moves if not (move.danger or move.reason or move.extension)]
    return onward[0] if onward and actor.can(onward[0].permission) else None


def _kind_options(draft: Draft) -> list[tuple[str, str]]:
    """What a file can be said to be: the papers of the category first, then every other."""
    own = [(item["id"], item["label"]) for item in draft.requirements]
    first = {key for key, _label in own}
    rest = [(key, kind_label(row)) for key, row in draft.choices.kinds.items()]
    return [*own, *((key, label) for key, label in rest if key not in first)]


def _warnings(form: ComplaintForm) -> list[str]:
    return [
        f"{form[name].label.text}: {text}"
        for name, found in form.warnings().items()
        for text in found
    ]


def _version(text: str) -> int:
    """The version a form was opened with; nonsense is a version that never was."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
