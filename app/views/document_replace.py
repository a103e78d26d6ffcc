"""Replacing a file: a new version takes its place, the old one stays under it."""

from __future__ import annotations

from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _

from app.access import current_actor
from app.errors import error_sentence
from app.extensions import db
from app.models import Document
from app.services.ended import why_ended
from app.services.versions import (
    LONGEST_REASON,
    MOST_VERSIONS,
    replace_document,
    why_not_now,
)
from app.sop.errors import (
    NotAllowedError,
    NotFoundError,
    ReasonRequiredError,
    RefusedError,
    SopError,
)
from app.views.case_parts import case_url
from app.views.formkeys import check_form_key, new_form_key, result_of_key, spend_form_key
from app.views.forms.draft import StagedFile, read_files, stage_posted
from app.views.forms.fields import without_controls
from app.views.office import request_time, the_sop, the_store, upload_limits


class ReplaceMixin:
    """The page on which a file gets its successor."""

    @expose("/replace/<public_id>", methods=["GET", "POST"])
    @has_access
    @permission_name("replace")
    def replace(self, public_id: str) -> ResponseReturnValue:
        """Choose the new file and say why; a refused form loses neither."""
        document: Document = self._visible_file(public_id)
        if request.method == "GET":
            return self._replace_page(document, [])
        key, actor = check_form_key(), current_actor()
        case = document.complaint
        back = f"{case_url(case) or self.get_redirect()}#files"
        files, errors = read_files(db.session(), request.form, actor.id or 0)
        sent, refused = stage_posted(
            db.session(),
            the_store(),
            request.files.getlist("files"),
            actor.id or 0,
            request_time(),
            upload_limits(),
        )
        files, errors = files + sent, errors + refused
        db.session.commit()  # what came with the form is there again when it is refused
        reason_errors: list[str] = []
        if not errors:
            try:
                if len(files) != 1:
                    raise RefusedError("one_file_only" if files else "no_file_chosen")
                replace_document(
                    db.session(),
                    the_sop(),
                    document,
                    files[0].upload,
                    actor,
                    reason=without_controls(request.form.get("reason", "")),
                    now=request_time(),
                    limits=upload_limits(),
                )
                again = not spend_form_key(db.session(), key, public_id)
            except (NotAllowedError, NotFoundError):
                raise
            except SopError as error:
                db.session.rollback()
                if result_of_key(db.session(), key):  # the first of two sendings took the file
                    return redirect(back, 303)
                found = reason_errors if isinstance(error, ReasonRequiredError) else errors
                found.append(error_sentence(error))
            else:
                if not again:
                    db.session.commit()
                    flash(_("The file was replaced; the earlier version stays."), "success")
                return redirect(back, 303)
        document = self._visible_file(public_id)
        return self._replace_page(document, files, errors, reason_errors), 422

    def _replace_page(
        self,
        document: Document,
        files: Sequence[StagedFile],
        errors: Sequence[str] = (),
        reason_errors: Sequence[str] = (),
    ) -> str:
        case = document.complaint
        ended = why_ended(db.session(), the_sop(), case)
        code = "" if ended else why_not_now(db.session(), document)
        stopped = ended or (RefusedError(code, most=MOST_VERSIONS) if code else None)
        limits = upload_limits()
        return render_template(
            "aduan/document_replace.html",
            title=_("Replace a file"),
            appbuilder=self.appbuilder,
            case=case,
            document=document,
            back_url=case_url(case) or self.get_redirect(),
            action_url=url_for("DocumentView.replace", public_id=document.public_id),
            upload_url=url_for("UploadView.stage")
            if current_actor().can("can_add", "Upload")
            else None,
            reasons=[
                _("Unreadable or cut off"),
                _("The wrong file"),
                _("A newer version of the document"),
            ],
            reason=request.form.get("reason", "")[:LONGEST_REASON],
            reason_errors=reason_errors,
            longest=LONGEST_REASON,
            files=[file.shown() for file in files],
            errors=errors,
            max_mb=limits.max_bytes // (1024 * 1024),
            form_key=request.form.get("form_key") or new_form_key(),
            may_open=self.may("can_download"),
            stopped=error_sentence(stopped) if stopped else "",
        )
