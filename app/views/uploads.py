"""Files that arrive while a form is still being filled in; they belong to their uploader alone."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from flask import Response, abort, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import error_sentence
from app.extensions import begin_writing, db
from app.models import StagedUpload
from app.services.storage import MissingFileError
from app.services.uploads import (
    check_upload,
    claim_staged,
    delete_after_commit,
    discard_staged,
    stage_upload,
)
from app.sop.errors import FileRefusedError, RefusedError
from app.views.forms.draft import staged_json
from app.views.office import request_time, the_store, upload_limits

#: What a browser may show in place. A picture is locked in; Chrome's own PDF viewer refuses to
#: start in a sandbox, and a PDF that does anything by itself was never taken in.
PREVIEW_POLICY: Final = {
    "image/jpeg": "default-src 'none'; sandbox; frame-ancestors 'self'",
    "image/png": "default-src 'none'; sandbox; frame-ancestors 'self'",
    "application/pdf": (
        "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    ),
}


class UploadView(BaseView):  # type: ignore[misc]
    """Staged uploads of the present officer: send one, look at it, take it back."""

    route_base = "/uploads"
    class_permission_name = "Upload"
    default_view = "stage"

    @expose("/", methods=["POST"])
    @has_access
    @permission_name("add")
    def stage(self) -> ResponseReturnValue:
        """Take one file in; the answer is JSON, the refusal in words an officer can act on."""
        file = request.files.get("file")
        if file is None or not file.filename:
            return _refused(_("No file came with this. Choose it again."))
        limits = upload_limits()
        data = file.stream.read(limits.max_bytes + 1)
        user_id = current_user.id
        try:
            # A large picture takes a while; nobody else shall wait for the database meanwhile.
            checked = check_upload(file.filename, data, limits)
            begin_writing()
            staged = stage_upload(
                db.session(),
                the_store(),
                user_id=user_id,
                filename=file.filename,
                data=data,
                limits=limits,
                now=request_time(),
                checked=checked,
            )
        except FileRefusedError as error:
            db.session.rollback()
            return _refused(error_sentence(error))
        answer = staged_json(staged)
        db.session.commit()
        return answer, 201

    @expose("/<token>", methods=["GET"])
    @has_access
    @permission_name("add")
    def preview(self, token: str) -> ResponseReturnValue:
        """One's own staged file, to be looked at in the page."""
        staged = self._own(token)
        try:
            data = the_store().get(staged.storage_key)
        except (MissingFileError, ValueError):
            abort(404)
        policy = PREVIEW_POLICY.get(staged.media_type)
        place = "inline" if policy else "attachment"
        response = Response(data, mimetype=staged.media_type)
        response.headers["Content-Security-Policy"] = policy or "default-src 'none'; sandbox"
        response.headers["Content-Disposition"] = (
            f"{place}; filename*=UTF-8''{quote(staged.original_name, safe='')}"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    @expose("/<token>/delete", methods=["POST"])
    @has_access
    @permission_name("add")
    def discard(self, token: str) -> ResponseReturnValue:
        """Take a file back; the file itself goes once its row is gone for good."""
        try:
            key = discard_staged(db.session(), token, current_user.id)
        except RefusedError:
            abort(404)
        delete_after_commit(db.session(), the_store(), [key])
        db.session.commit()
        return "", 204

    def _own(self, token: str) -> StagedUpload:
        """The officer's upload of that token; another's is not there."""
        try:
            return claim_staged(db.session(), [token], current_user.id)[0]
        except RefusedError:
            abort(404)


def _refused(text: str) -> ResponseReturnValue:
    # `error` is what the drop zone shows, `message` what every other JSON refusal is called.
    return {"error": text, "message": text}, 422
