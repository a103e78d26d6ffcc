"""The papers a case is to end with, as rows of kind and reference (steps 2 and 3)."""

from __future__ import annotations

import re
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import or_, select

from app.models import DocumentKind
from app.services.casework import OutputInput, name_outputs, proposed_outputs
from app.services.facts import current_outputs
from app.views.forms.work_base import WorkForm
from app.views.forms.work_fields import Line, OneRow

#: Empty rows offered beyond those that are filled in.
_SPARE: Final = 1
_MOST_ROWS: Final = 12
_ROW: Final = re.compile(r"out_(?:kind|reference)_([0-9]{1,2})")


class OutputsForm(WorkForm):
    """A form with the list of papers; the caller says when it is saved."""

    def load(self) -> None:
        session = self.desk.session
        self.named = current_outputs(session, self.complaint)
        self.proposed = proposed_outputs(session, self.complaint)
        used = {item.kind_id for item in self.proposed}
        self.kinds = list(
            session.scalars(
                select(DocumentKind)
                .where(DocumentKind.is_output, or_(DocumentKind.active, DocumentKind.id.in_(used)))
                .order_by(DocumentKind.position, DocumentKind.id)
            )
        )

    @property
    def row_count(self) -> int:
        """As many rows as are filled in or were sent, and a spare one."""
        matches = (_ROW.fullmatch(name) for name in self.posted or ())
        sent = max((int(found[1]) + 1 for found in matches if found), default=0)
        rows = max(len(self.proposed) + _SPARE, sent, 2)
        return min(rows, _MOST_ROWS)

    def output_fields(self) -> dict[str, Any]:
        """The fields of all rows."""
        rows = [(kind.id, str(kind)) for kind in self.kinds]
        found: dict[str, Any] = {}
        for index in range(self.row_count):
            found[f"out_kind_{index}"] = OneRow(_("Document %(number)s", number=index + 1), rows)
            found[f"out_reference_{index}"] = Line(
                _("Number or reference of document %(number)s", number=index + 1), 80
            )
        return found

    def output_values(self) -> dict[str, Any]:
        """What is named already, else what this category usually ends with."""
        values: dict[str, Any] = {}
        for index, item in enumerate(self.proposed[: self.row_count]):
            values[f"out_kind_{index}"] = item.kind_id
            values[f"out_reference_{index}"] = item.reference
        return values

    @property
    def rows(self) -> list[tuple[Any, Any]]:
        """The rows as the page shows them."""
        return [
            (self.form[f"out_kind_{index}"], self.form[f"out_reference_{index}"])
            for index in range(self.row_count)
        ]

    def wanted(self) -> list[OutputInput]:
        """The papers of the filled rows."""
        return [
            OutputInput(kind.row_id, reference.data or "")
            for kind, reference in self.rows
            if kind.row_id is not None
        ]

    def output_errors(self) -> dict[str, str]:
        """A reference without a kind, and a kind that is named twice."""
        errors: dict[str, str] = {}
        seen: set[int] = set()
        for kind, reference in self.rows:
            if kind.row_id is None:
                if (reference.data or "").strip():
                    errors[kind.name] = _("Choose which document this is.")
            elif kind.row_id in seen:
                errors[kind.name] = _("This document is on the list already.")
            else:
                seen.add(kind.row_id)
        return errors

    def save_outputs(self) -> None:
        """Name the papers when the list differs from what is named."""
        desk, wanted = self.desk, self.wanted()
        present = [OutputInput(output.kind_id, output.reference) for output in self.named]
        if [(w.kind_id, w.reference.strip()) for w in wanted] != [
            (p.kind_id, p.reference) for p in present
        ]:
            name_outputs(
                desk.session, desk.office, self.complaint, wanted, desk.actor, now=desk.now
            )
