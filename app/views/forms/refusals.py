"""What a form says when the services refuse it: beside the field, and what is stored instead."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask_babel import gettext as _

from app.errors import error_sentence
from app.models import Complaint
from app.sop.errors import GuardFailedError, NotFoundError, RefusedError, SopError
from app.views.forms.complaint import SEXES, ComplaintForm
from app.views.forms.draft import Draft
from app.views.forms.fields import wall_clock

#: Refusals that belong to a field; every other one stands above the form.
_REFUSED_FIELD: Final = {"received_in_future": "received_at"}
_REFUSED_FILES: Final = frozenset({"too_many_files", "upload_expired", "storage_unavailable"})
_ROWS: Final = frozenset({"channel", "category", "kecamatan", "region"})


def put_refusal(draft: Draft, error: Exception) -> None:
    """A service's refusal, beside what it is about."""
    if isinstance(error, GuardFailedError):
        draft.refuse(error.problems)
        return
    if isinstance(error, RefusedError) and error.code in _REFUSED_FILES:
        draft.file_errors.append(error_sentence(error))
        return
    if isinstance(error, NotFoundError):
        text = _("You may not handle confidential cases: save it without passing it on.")
    elif isinstance(error, SopError):
        text = error_sentence(error)
    else:
        text = _("Something it refers to was changed meanwhile. Look at it once more.")
    name = _REFUSED_FIELD.get(getattr(error, "code", ""))
    if name is not None:
        draft.form[name].errors = [*draft.form[name].errors, text]
    else:
        draft.form.form_errors = [*draft.form.form_errors, text]


def differences(form: ComplaintForm, complaint: Complaint) -> list[tuple[str, str]]:
    """What is stored now where it is not what was typed: label and stored value."""
    stored = ComplaintForm(now=form.now, choices=form.choices, complaint=complaint)
    found = []
    for name, field in form._fields.items():
        if (field.data or "") != (stored[name].data or ""):
            found.append((str(field.label.text), _shown(stored, complaint, name)))
    return found


def _shown(stored: ComplaintForm, complaint: Complaint, name: str) -> str:
    row = getattr(complaint, name, None) if name in _ROWS else None
    if row is not None:
        return str(row)
    if name == "sex":
        return str(dict(SEXES).get(stored.sex.data, ""))
    value = stored[name].data
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, datetime):
        return wall_clock(value).replace("T", " ")
    return str(value or "")
