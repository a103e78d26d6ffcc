"""Which work form belongs to which step: the names that the SOP file may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.views.forms.work_base import NOT_FOR_THIS_CASE, Desk, WorkForm
from app.views.forms.work_dispatch import DispatchForm
from app.views.forms.work_file import FileCheckForm, ResubmissionForm
from app.views.forms.work_papers import CertificationForm, PrintingForm, SigningForm
from app.views.forms.work_siak import SiakForm

#: Anything not named here, such as a new step, is worked in the plain form.
WORK_FORMS: Final[Mapping[str, type[WorkForm]]] = {
    "plain": WorkForm,
    "file_check": FileCheckForm,
    "siak_check": SiakForm,
    "certification": CertificationForm,
    "signing": SigningForm,
    "printing": PrintingForm,
    "dispatch": DispatchForm,
    "resubmission": ResubmissionForm,
}


def work_form(name: str) -> type[WorkForm]:
    """The form of that name, the plain one for every other."""
    return WORK_FORMS.get(name, WorkForm)


__all__ = ["NOT_FOR_THIS_CASE", "WORK_FORMS", "Desk", "WorkForm", "work_form"]
