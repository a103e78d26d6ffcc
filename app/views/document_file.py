"""The one way to the bytes of a document: a marked copy for work, the original for a reason."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_login import current_user

from app.access import current_actor
from app.errors import error_sentence
from app.extensions import db
from app.formats import local_datetime
from app.models import Document
from app.services.copies import CopyError, is_marked, marked_copy, note_original
from app.services.documents import DamagedFileError, read_file
from app.services.revealing import MOST
from app.sop.errors import RefusedError, SopError
from app.views.case_parts import case_url
from app.views.export import content_disposition
from app.views.forms.fields import without_controls
from app.views.office import request_time, the_store

log = logging.getLogger(__name__)

_PICTURE_POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'"
)
#: What a browser may show in place, and what the file may do there: nothing. Chromium 156 shows a
#: PDF in a sandbox too, but many versions before it refuse ("This page has been blocked"), so PDFs
#: go without: their viewer runs apart from our origin, and the fixed type keeps them from being HTML.
FILE_POLICIES: Final[Mapping[str, str]] = {
    "image/jpeg": _PICTURE_POLICY,
    "image/png": _PICTURE_POLICY,
    "application/pdf": (
        "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"
    ),
}


def mark_words(document: Document) -> str:
    """What stands across a copy: who took it, when by the office's clock, of which case."""
    return " · ".join(
        (
            _("Working copy"),
            f"{current_user.get_full_name()} ({current_user.username})",
            f"{local_datetime(request_time())} WIB",
            document.complaint.number,
        )
    )


class FileMixin:
    """`/documents/file/<id>` and, by a permission of its own, `/documents/original/<id>`."""

    @expose("/file/<public_id>", methods=["GET"])
    @has_access
    @permission_name("download")
    def file(self: Any, public_id: str) -> ResponseReturnValue:
        """The file, proven unchanged; what applicants brought carries a mark.

        "Not there" and "not yours" look the same.
        """
        document = self._visible_file(public_id)
        marked, words, media_type = is_marked(document), "", document.media_type
        if marked:
            words = mark_words(document)
        name = document.original_name
        try:
            data = read_file(the_store(), document)
            if marked:
                db.session.rollback()  # marking takes a while: no transaction stays open for it
                data = marked_copy(data, media_type, words)
        except (DamagedFileError, CopyError) as error:
            return _no_file(public_id, error)
        return _answer(data, media_type, name, inline="download" not in request.args)

    @expose("/original/<public_id>", methods=["GET", "POST"])
    @has_access
    @permission_name("original")
    def original(self: Any, public_id: str) -> ResponseReturnValue:
        """The file as it was brought, once its reason is in the audit log."""
        document = self._visible_file(public_id)
        if not is_marked(document):
            abort(404)  # it comes without a mark anyway
        if request.method == "GET":
            return self._original_page(document)
        reason = without_controls(request.form.get("reason", ""))
        try:
            data = read_file(the_store(), document)
            note_original(db.session(), document, current_actor(), reason)
        except DamagedFileError as error:
            return _no_file(public_id, error)
        except RefusedError as error:
            return self._original_page(document, [error_sentence(error)]), 422
        media_type, name = document.media_type, document.original_name
        db.session.commit()
        return _answer(data, media_type, name, inline=False)

    def _original_page(self: Any, document: Document, errors: list[str] | None = None) -> str:
        return render_template(
            "aduan/document_original.html",
            title=_("Take the original"),
            appbuilder=self.appbuilder,
            document=document,
            back_url=url_for(".show", pk=document.id)
            if self.may("can_show")
            else case_url(document.complaint),
            action_url=url_for(".original", public_id=document.public_id),
            errors=errors or [],
            reason=request.form.get("reason", "")[:MOST],
            longest=MOST,
        )


def _no_file(public_id: str, error: SopError) -> ResponseReturnValue:
    """An honest page in the place of a file."""
    if isinstance(error, CopyError):
        status = 503 if error.code == "copy_busy" else 422
    else:
        log.error("document %s cannot be handed out: %s", public_id, error.code)
        status = 500
    page = render_template(
        "aduan/error.html",
        code=status,
        title=_("This file cannot be shown"),
        text=error_sentence(error),
    )
    return page, status


def _answer(data: bytes, media_type: str, name: str, *, inline: bool) -> Response:
    policy = FILE_POLICIES.get(media_type)
    # A fixed type: what was stored as anything else is only ever saved, never shown.
    response = Response(data, mimetype=media_type if policy else "application/octet-stream")
    response.headers.update(
        {
            "Content-Security-Policy": policy or "sandbox; default-src 'none'",
            "Content-Disposition": content_disposition(
                "inline" if inline and policy is not None else "attachment", name
            ),
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
    )
    return response
