"""Personal numbers in full: asked for with a reason, logged, and for some minutes only."""

from __future__ import annotations

from typing import Any, Final

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _

from app.access import current_actor
from app.extensions import db
from app.models import Complaint
from app.services.revealing import note_reveal
from app.views.office import request_time

#: How long the numbers of a case stay open for who asked.
MINUTES: Final = 10
#: So many cases at once; the oldest is closed.
MOST: Final = 10
#: In the session: keys of cases with the moment until which they are open; nothing of a person.
OPEN: Final = "revealed"


def is_revealed(pk: int) -> bool:
    """Whether the present officer has asked for the numbers of a case in the last minutes."""
    kept = session.get(OPEN)
    until = kept.get(str(pk)) if isinstance(kept, dict) else None
    return isinstance(until, int) and until > request_time().timestamp()


def _open(pk: int) -> None:
    now = int(request_time().timestamp())
    kept = session.get(OPEN)
    alive = {key: end for key, end in kept.items() if end > now} if isinstance(kept, dict) else {}
    alive.pop(str(pk), None)
    newest = sorted(alive.items(), key=lambda item: item[1])[-(MOST - 1) :]
    session[OPEN] = {**dict(newest), str(pk): now + 60 * MINUTES}


class RevealMixin:
    """`POST /complaints/reveal/<pk>`: the numbers of one case in full, for a reason."""

    @expose("/reveal/<pk>", methods=["POST"])
    @has_access
    @permission_name("reveal")
    def reveal(self: Any, pk: str) -> ResponseReturnValue:
        """Log who wants to see the numbers and why, then show them for some minutes."""
        item: Complaint = self.get_or_404(pk)
        key = item.id
        note_reveal(db.session(), item, current_actor(), request.form.get("reason", ""))
        db.session.commit()
        _open(key)
        flash(_("The numbers are shown for %(minutes)s minutes. This was logged.", minutes=MINUTES))
        page = "work" if request.form.get("from") == "work" else "show"
        return redirect(url_for(f"{self.endpoint}.{page}", pk=key, _anchor="applicant"), 303)
