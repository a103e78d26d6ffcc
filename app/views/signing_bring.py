"""Signed PDFs that are brought to the signing desk from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _

from app.access import current_actor
from app.errors import error_sentence, status_of
from app.extensions import db
from app.models import Complaint, StagedUpload
from app.services.signing import bring_papers
from app.services.signing.bringing import PaperRefusedError
from app.services.uploads import claim_staged
from app.services.visibility import visible_cases
from app.sop.errors import NotAllowedError, NotFoundError, RefusedError, SopError
from app.stepup import fresh_sign_in
from app.views.formkeys import read_form_key, result_of_key, spend_form_key
from app.views.forms.draft import stage_posted, staged_json
from app.views.interface import OfficeInterface
from app.views.office import case_office, request_time, the_store, the_trust, upload_limits

#: A case ends with a handful of papers.
_MOST_PAPERS: Final = 20
_CASES = OfficeInterface(Complaint, row_rule=visible_cases)


class BringMixin:
    """The place for a signed PDF beside each paper that waits."""

    @expose("/bring/<pk>", methods=["POST"])
    @has_access
    @permission_name("list")
    @fresh_sign_in
    def bring(self, pk: str) -> ResponseReturnValue:
        """Take the signed PDFs of one case in; with the last of them the case moves on."""
        nonce, opened_at = read_form_key(request.form.get("form_key", ""))
        desk = url_for("SigningView.list")
        if result_of_key(db.session(), nonce):
            return redirect(desk, 303)
        case: Complaint | None = _CASES.get(pk)
        if case is None:
            abort(404)
        kept, errors = self._uploads()
        if not errors:
            try:
                moved = bring_papers(
                    db.session(),
                    case_office(),
                    the_store(),
                    the_trust(),
                    case,
                    {paper: upload for paper, upload in kept.items() if upload is not None},
                    current_actor(),
                    opened_at=opened_at,
                    now=request_time(),
                    expected_version=_version(request.form.get("version")),
                    limits=upload_limits(),
                )
                number = case.number
                again = not spend_form_key(db.session(), nonce, str(case.id))
            except (NotAllowedError, NotFoundError):
                raise
            except PaperRefusedError as error:
                errors = {error.output_id: error_sentence(error)}
            except SopError as error:
                return self._refused(error)
            else:
                if not again:
                    db.session.commit()
                    flash(_bring_words(number, moved=moved), "success")
                return redirect(desk, 303)
        db.session.rollback()
        return self._shown_again(kept, errors), 422

    def _refused(self, error: SopError) -> ResponseReturnValue:
        """A refusal that is about no single file."""
        db.session.rollback()
        flash(error_sentence(error), "danger")
        return self.desk_page(), status_of(error)  # type: ignore[attr-defined, no-any-return]

    def _shown_again(
        self, kept: Mapping[int, StagedUpload | None], errors: Mapping[int, str]
    ) -> str:
        """The desk with what was uploaded, so that nothing has to be chosen twice."""
        brought: dict[int, dict[str, Any]] = {}
        for paper in {*kept, *errors}:
            upload = kept.get(paper)
            refused = errors.get(paper)
            brought[paper] = {
                "errors": [refused] if refused else [],
                # A refused file is not offered again: it would be refused again.
                "tokens": [staged_json(upload)] if upload is not None and not refused else [],
            }
        page: str = self.desk_page(brought)  # type: ignore[attr-defined]
        return page

    def _uploads(self) -> tuple[dict[int, StagedUpload | None], dict[int, str]]:
        """The file of each paper, staged before or sent with the form itself; commits these."""
        actor = current_actor()
        found: dict[int, StagedUpload | None] = {}
        errors: dict[int, str] = {}
        if not actor.can("can_add", "Upload"):
            return found, errors
        for name in list(request.files)[:_MOST_PAPERS]:
            paper = _paper(name)
            if paper is None:
                continue
            files = request.files.getlist(name)
            staged, refused = stage_posted(
                db.session(),
                the_store(),
                files,
                actor.id or 0,
                request_time(),
                upload_limits(),
            )
            if staged:
                found[paper] = staged[-1].upload
            if refused:
                errors[paper] = " ".join(refused)
        db.session.commit()
        for name in list(request.form)[: _MOST_PAPERS * 3]:
            paper = _paper(name.removesuffix("_token"))
            tokens = [token for token in request.form.getlist(name) if token]
            if paper is None or paper in found or not name.endswith("_token") or not tokens:
                continue
            try:
                found[paper] = claim_staged(db.session(), tokens[-1:], actor.id or 0)[0]
            except RefusedError as error:
                found[paper], errors[paper] = None, error_sentence(error)
        return found, errors


def _bring_words(number: str, *, moved: bool) -> str:
    if moved:
        return str(_("%(number)s is signed and on its way.", number=number))
    return str(_("Taken in. %(number)s still waits for another signed document.", number=number))


def _paper(name: str) -> int | None:
    """`signed_12` is a file for paper 12."""
    text = name.removeprefix("signed_")
    if text == name:
        return None
    return _version(text)


def _version(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return int(text)
