"""Files that came with a form itself, as they do without scripts."""

from __future__ import annotations

from flask import request
from werkzeug.datastructures import MultiDict

from app.access import current_actor
from app.extensions import db
from app.views.forms.draft import stage_posted
from app.views.office import request_time, the_store, upload_limits


def stage_form_files() -> tuple[MultiDict[str, str], dict[str, str]]:
    """Keep the files of the posted form, so that a refusal keeps them; commits.

    What was posted comes back with a token for each file that was taken, and what is wrong with
    the others by field.
    """
    posted: MultiDict[str, str] = MultiDict(request.form)
    errors: dict[str, str] = {}
    actor = current_actor()
    if not actor.can("can_add", "Upload"):
        return posted, errors
    for name in list(request.files):
        staged, refused = stage_posted(
            db.session(),
            the_store(),
            request.files.getlist(name),
            actor.id or 0,
            request_time(),
            upload_limits(),
        )
        for file in staged:
            posted.add(f"{name}_token", file.upload.token)
        if refused:
            errors[name] = " ".join(refused)
    db.session.commit()
    return posted, errors
