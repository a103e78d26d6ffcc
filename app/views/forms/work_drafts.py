"""The draft of each paper at step 3: the PDF that the head of the office signs next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from app.errors import error_sentence
from app.models import CaseOutput, Document
from app.services.casework import OutputInput
from app.services.facts import current_outputs
from app.services.uploads import claim_staged
from app.services.versions import replace_document
from app.sop.errors import NotFoundError, SopError
from app.views.base import RefusedForm
from app.views.forms.work_base import WorkForm
from app.views.forms.work_fields import PDF, FilesField


@dataclass
class DraftPlace:
    """The place for the draft of one paper, and the draft that is there."""

    label: str
    files: Any
    present: Document | None


class DraftsMixin(WorkForm):
    """A place for a draft beside each paper of the list; the class before it names the papers."""

    proposed: list[OutputInput]
    named: list[CaseOutput]
    kinds: list[Any]
    row_count: int

    def draft_fields(self) -> dict[str, Any]:
        """A place for each paper that is named or usual; one chosen anew has it once saved."""
        return {
            f"draft_{index}": FilesField(
                _("Draft: %(paper)s", paper=self._label(item)),
                stage="draft",
                kind_id=item.kind_id,
                multiple=False,
                accept=PDF,
            )
            for index, item in enumerate(self.proposed[: self.row_count])
        }

    @property
    def draft_places(self) -> list[DraftPlace]:
        """The places as the page shows them."""
        return [
            DraftPlace(self._label(item), field, self._present(item.kind_id))
            for index, item in enumerate(self.proposed[: self.row_count])
            if (field := self.form._fields.get(f"draft_{index}")) is not None
        ]

    def save_drafts(self) -> None:
        """Hand each draft over to its paper; one that was there stays as its earlier version."""
        outputs = {o.kind_id: o for o in current_outputs(self.desk.session, self.complaint)}
        for field in self.file_fields:
            output = outputs.get(field.kind_id or 0)
            if not field.tokens:
                continue
            if output is None:  # taken off the list in the same breath
                raise RefusedForm({field.name: _("This document is not on the list any more.")})
            field.output_id = output.id
            before = self._present(output.kind_id)
            if before is None or not self.desk.actor.can("can_replace", "Document"):
                self.attach(field)
            else:
                self._replace(field, before)

    def _replace(self, field: FilesField, before: Document) -> None:
        desk = self.desk
        try:
            for staged in claim_staged(desk.session, field.tokens, desk.actor.id or 0):
                fresh = replace_document(
                    desk.session,
                    desk.office.sop,
                    before,
                    staged,
                    desk.actor,
                    reason=self.form.reason.data or _("A new draft was submitted."),
                    now=desk.now,
                    limits=desk.limits,
                )
                self.attached.append(fresh)
        except NotFoundError:
            raise
        except SopError as error:
            raise RefusedForm({field.name: error_sentence(error)}) from error

    def _label(self, item: OutputInput) -> str:
        kind = next((kind for kind in self.kinds if kind.id == item.kind_id), None)
        return f"{kind or ''} {item.reference}".strip()

    def _present(self, kind_id: int) -> Document | None:
        """The draft that a paper of this kind has now."""
        ids = [output.id for output in self.named if output.kind_id == kind_id]
        found = [
            document
            for document in self.documents_of(stage="draft", replaced_at=None)
            if document.output_id in ids and document.round == self.complaint.round
        ]
        return found[-1] if found else None
