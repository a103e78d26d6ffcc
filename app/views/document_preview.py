"""Pages of documents as images: the preview of a file, behind the same rules as the file."""

from __future__ import annotations

import logging
from typing import Final

from flask import Response, abort, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name

from app.errors import error_sentence
from app.extensions import db
from app.models import Document
from app.services.copies import is_marked, marked_preview
from app.services.documents import DamagedFileError, read_file
from app.services.previews import SIDES, Preview, PreviewCache, PreviewError, draw_preview
from app.views.document_file import mark_words
from app.views.office import the_store

log = logging.getLogger(__name__)

_HEADERS: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Content-Disposition": "inline",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class PreviewMixin:
    """One page of a document, drawn on the server."""

    @expose("/preview/<public_id>/<int:page>", methods=["GET"])
    @has_access
    @permission_name("download")
    def preview(self, public_id: str, page: int) -> ResponseReturnValue:
        """A page as an image; "not there" and "not yours" look the same."""
        document: Document = self._visible_file(public_id)
        size = request.args.get("size", "page")
        if size not in SIDES or not 1 <= page <= (document.pages or 10_000):
            abort(404)

        # A page large enough to be read leaves as a working copy does.
        words = mark_words(document) if size == "page" and is_marked(document) else ""

        def draw() -> Preview:
            data, media_type = read_file(the_store(), document), document.media_type
            db.session.rollback()  # drawing takes seconds: no transaction stays open for it
            return draw_preview(data, media_type, page, size)

        try:
            found = _cache().get(document.sha256, page, size, draw)
        except (DamagedFileError, PreviewError) as error:
            if isinstance(error, DamagedFileError):
                log.error("document %s cannot be drawn: %s", document.id, error.code)
            status = 503 if error.code == "preview_busy" else 422
            return Response(error_sentence(error), status, _HEADERS, mimetype="text/plain")
        if words:
            found = marked_preview(found, words)
        response = Response(found.data, mimetype=found.media_type)
        response.headers.update(_HEADERS)
        return response


def _cache() -> PreviewCache:
    """The previews of this process; the rules are asked before each look into it."""
    cache: PreviewCache = current_app.extensions.setdefault("previews", PreviewCache())
    return cache


def preview_url(document: Document, page: int = 1) -> str:
    """Where a page of a document is drawn."""
    return url_for("DocumentView.preview", public_id=document.public_id, page=page)
