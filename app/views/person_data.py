"""One person's data on request: found by a whole number, handed out as a file, erased for good."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.access import current_actor, current_permissions
from app.errors import error_sentence
from app.extensions import db
from app.formats import local
from app.models import Complaint
from app.services.personal import (
    MOST_CASES,
    erase_chosen,
    erasure_plan,
    export_chosen,
    find_person,
)
from app.services.revealing import MOST
from app.services.sealing import forget_freed
from app.sop.errors import RefusedError
from app.sop.identity import mask
from app.stepup import fresh_sign_in
from app.views.case_parts import case_number_link
from app.views.export import content_disposition
from app.views.forms.fields import without_controls
from app.views.office import request_time, the_sop, the_store
from app.views.private_words import MARK, url_words, words_of

#: Far longer than any number.
_LONGEST: Final = 80
#: What goes with a case and what stays, as the confirmation says it.
GOES: Final = (
    _l("Name, NIK, KK number, date of birth, sex, telephone, e-mail, address, village, account"),
    _l("The complaint's text and the answer, notes, reasons, what the history quotes"),
    _l("Messages: to whom and what they said"),
    _l("Parcels: recipient, address, telephone, who took them in"),
    _l("All files: papers brought, drafts, signed papers, proofs of dispatch"),
    _l("The words by which the name is found"),
)
STAYS: Final = (
    _l("Number, channel, category, kecamatan, round"),
    _l("Steps with their times and officers, which kinds of papers failed: what the charts count"),
    _l("The audit log, and older backups until they expire"),
)


class PersonDataView(BaseView):  # type: ignore[misc]
    """`/personal-data/`: no number of a person stands in an address; each page asks who it is."""

    route_base = "/personal-data"
    class_permission_name = "PersonData"
    default_view = "show"

    @expose("/", methods=["GET"])
    @has_access
    @fresh_sign_in
    def show(self) -> ResponseReturnValue:
        """The box for a whole number."""
        return self._page("")

    @expose("/find", methods=["POST"])
    @has_access
    @permission_name("show")
    @fresh_sign_in
    def find(self) -> ResponseReturnValue:
        """The cases of a number that the officer may know of; that he looked is logged."""
        typed = without_controls(request.form.get("number", ""))[:_LONGEST]
        try:
            cases, by = find_person(db.session(), current_actor(), typed)
        except RefusedError as error:
            return self._page("", number_errors=[error_sentence(error)], typed=typed), 422
        # Only a NIK is one person's; the cases of a family or a telephone have to be chosen.
        chosen = {case.id for case in cases} if by == {"nik"} else set()
        page = self._page(typed, cases=cases, chosen=chosen, shared=by != {"nik"})
        db.session.commit()
        return page

    @expose("/export", methods=["POST"])
    @has_access
    @permission_name("export")
    @fresh_sign_in
    def export(self) -> ResponseReturnValue:
        """What is kept in the chosen cases as JSON, for the person himself."""
        typed, cases, chosen = self._chosen()
        try:
            kept = export_chosen(db.session(), current_actor(), chosen, _reason())
        except RefusedError as error:
            return self._refused(typed, cases, chosen, error)
        data = json.dumps(kept, ensure_ascii=False, indent=1).encode()
        db.session.commit()
        name = f"data-pribadi-{local(request_time()):%Y%m%d-%H%M}.json"
        response = Response(data, mimetype="application/json")
        response.headers.update(
            {
                "Content-Disposition": content_disposition("attachment", name),
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            }
        )
        return response

    @expose("/erase", methods=["POST"])
    @has_access
    @permission_name("erase")
    @fresh_sign_in
    def erase(self) -> ResponseReturnValue:
        """First what exactly would go and what stays; then, confirmed, it goes."""
        typed, cases, chosen = self._chosen()
        sure = request.form.get("sure") == "1"
        try:
            done, missed = erase_chosen(
                db.session(), the_store(), current_actor(), chosen, _reason(), request_time(),
                sure=sure,
            )  # fmt: skip
        except RefusedError as error:
            if error.code == "person_unsure":
                asked = "asked" in request.form
                page = self._erase_page(typed, chosen, [error_sentence(error)] if asked else [])
                return (page, 422) if asked else page
            return self._refused(typed, cases, chosen, error)
        db.session.commit()
        db.session.remove()
        forget_freed(db.engine)
        if done:
            flash(
                ngettext("%(num)d case was erased.", "%(num)d cases were erased.", done), "success"
            )
        if missed:
            flash(_("Somebody changed a case at this moment: look for it again."), "warning")
        return redirect(url_for(".show"), 303)

    def _chosen(self) -> tuple[str, Sequence[Complaint], list[Complaint]]:
        """What was searched for, its cases, and those that are ticked among them."""
        raw = request.form.get("person", "")
        typed = (words_of(raw) if raw.startswith(MARK) else None) or ""
        try:
            cases, _by = find_person(db.session(), current_actor(), typed, told=False)
        except RefusedError:
            cases = []
        ticked = set(request.form.getlist("rowid")[: MOST_CASES * 2])
        return typed, cases, [case for case in cases if str(case.id) in ticked]

    def _refused(
        self,
        typed: str,
        cases: Sequence[Complaint],
        chosen: Sequence[Complaint],
        error: RefusedError,
    ) -> ResponseReturnValue:
        page = self._page(
            typed,
            cases=cases,
            chosen={case.id for case in chosen},
            shared=True,
            errors=[error_sentence(error)],
        )
        db.session.rollback()
        return page, 422

    def _page(
        self,
        words: str,
        *,
        cases: Sequence[Complaint] = (),
        chosen: set[int] | frozenset[int] = frozenset(),
        shared: bool = False,
        errors: Sequence[str] = (),
        number_errors: Sequence[str] = (),
        typed: str = "",
    ) -> str:
        held = current_permissions()
        return render_template(
            "aduan/person_data.html",
            title=_("One person's data"),
            appbuilder=self.appbuilder,
            searched=bool(words),
            typed=typed,
            person=url_words(words) if words else "",
            rows=[_row(plan, plan.case.id in chosen) for plan in _plans(cases)],
            shared=shared,
            full=len(cases) >= MOST_CASES,
            may_export=("can_export", "PersonData") in held,
            may_erase=("can_erase", "PersonData") in held,
            reason=without_controls(request.form.get("reason", ""))[:MOST],
            longest=MOST,
            errors=errors,
            number_errors=number_errors,
        )

    def _erase_page(self, typed: str, chosen: Sequence[Complaint], errors: Sequence[str]) -> str:
        rows = [_row(plan, True) for plan in _plans(chosen)]
        page = render_template(
            "aduan/person_data_erase.html",
            title=_("Erase these data?"),
            appbuilder=self.appbuilder,
            person=url_words(typed),
            going=[row for row in rows if not row["why_not"]],
            staying=[row for row in rows if row["why_not"]],
            goes=GOES,
            stays=STAYS,
            reason=_reason()[:MOST],
            errors=errors,
            back_url=url_for(".show"),
        )
        db.session.rollback()
        return page


def _plans(cases: Sequence[Complaint]) -> Sequence[Any]:
    return erasure_plan(db.session(), cases) if cases else ()


def _row(plan: Any, ticked: bool) -> dict[str, Any]:
    case = plan.case
    return {
        "id": case.id,
        "number": case.number,
        "link": case_number_link(case.id, case.number),
        "name": case.applicant_name,
        "nik": mask(case.nik) if case.nik else "",
        "received": case.received_at,
        "step": the_sop().step(case.step_key).label,
        "files": plan.files,
        "messages": plan.messages,
        "parcels": plan.parcels,
        "why_not": plan.why_not,
        "ticked": ticked,
    }


def _reason() -> str:
    return without_controls(request.form.get("reason", ""))


__all__ = ["GOES", "STAYS", "PersonDataView"]
