"""Steps 3 to 5: the papers are submitted, signed and printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import error_sentence
from app.models import CaseOutput, Document
from app.services.facts import current_outputs, printed_well
from app.services.prints import record_print
from app.services.signature import bring_signed
from app.services.signing.bringing import settle_outstanding
from app.services.uploads import claim_staged
from app.sop.definition import Transition
from app.sop.errors import RefusedError
from app.sop.guards import Problem
from app.views.base import RefusedForm
from app.views.forms.work_base import WorkForm
from app.views.forms.work_drafts import DraftsMixin
from app.views.forms.work_fields import PDF, FilesField, Line, OneRadio
from app.views.forms.work_outputs import OutputsForm
from app.views.office import the_store, the_trust

RESULTS: Final = (("good", _l("Printed well")), ("spoiled", _l("Spoiled")))


class CertificationForm(DraftsMixin, OutputsForm):
    """Step 3: the papers are named with their references; a draft may be sent back."""

    template: ClassVar[str] = "aduan/work/certification.html"
    keeps_facts: ClassVar[bool] = True
    reason_label: ClassVar[Any] = _l("Reason")
    places = {"outputs_unnamed": "out_kind_0"}

    def fields(self) -> dict[str, Any]:
        return {**self.output_fields(), **self.draft_fields()}

    def fill(self) -> dict[str, Any]:
        return self.output_values()

    def check(self, move: Transition | None) -> dict[str, str]:
        return self.output_errors()

    def save(self, move: Transition | None) -> None:
        self.save_outputs()
        if move is None or not move.danger:
            self.save_drafts()


@dataclass
class Paper:
    """One paper of the case with its fields and its files."""

    output: CaseOutput
    files: Any
    result: Any
    reason: Any
    signed: list[Document]
    drafts: list[Document]


class _PapersForm(WorkForm):
    """What signing and printing share."""

    keeps_facts: ClassVar[bool] = True
    #: The problem that is about one paper.
    about_paper: ClassVar[str]
    field_prefix: ClassVar[str]

    def load(self) -> None:
        self.outputs = current_outputs(self.desk.session, self.complaint)
        found = self.documents_of(replaced_at=None)
        self.signed = [document for document in found if document.stage == "signed"]
        self.drafts = [document for document in found if document.stage == "draft"]

    @property
    def papers(self) -> list[Paper]:
        """The papers as the page shows them."""
        get = self.form._fields.get
        return [
            Paper(
                output,
                get(f"signed_{output.id}"),
                get(f"print_{output.id}"),
                get(f"spoiled_{output.id}"),
                [document for document in self.signed if document.output_id == output.id],
                [document for document in self.drafts if document.output_id == output.id],
            )
            for output in self.outputs
        ]

    def place_of(self, problem: Problem) -> str:
        """Two papers may bear one name: the first that lacks it is meant."""
        if problem.code == self.about_paper:
            for output in self.outputs:
                name = f"{self.field_prefix}_{output.id}"
                if str(output) == problem.params.get("label") and not self.form[name].errors:
                    return name
        return ""


class SigningForm(_PapersForm):
    """Step 4: the signed PDF of every paper that bears a signature."""

    template: ClassVar[str] = "aduan/work/signing.html"
    reason_label: ClassVar[Any] = _l("Reason")
    about_paper = "output_unsigned"
    field_prefix = "signed"

    def fields(self) -> dict[str, Any]:
        return {
            f"signed_{output.id}": FilesField(
                _("Signed PDF: %(paper)s", paper=str(output)),
                stage="signed",
                kind_id=output.kind_id,
                output_id=output.id,
                multiple=False,
                accept=PDF,
            )
            for output in self.outputs
            if output.kind.needs_signature
        }

    @property
    def loose_drafts(self) -> list[Document]:
        """Drafts that were added to the case as a whole."""
        return [document for document in self.drafts if document.output_id is None]

    def save(self, move: Transition | None) -> None:
        # A refused draft keeps no signature: what was chosen is simply not taken over.
        if move is not None and move.danger:
            return
        for field in self.file_fields:
            self._bring(field)

    def _bring(self, field: FilesField) -> None:
        """Read the signature of a brought PDF and take it over; a broken one is refused here."""
        desk = self.desk
        if not field.tokens or not desk.may_attach:
            return
        output = next(output for output in self.outputs if output.id == field.output_id)
        try:
            for staged in claim_staged(desk.session, field.tokens, desk.actor.id or 0):
                document = bring_signed(
                    desk.session,
                    the_store(),
                    the_trust(),
                    staged,
                    complaint=self.complaint,
                    output=output,
                    actor=desk.actor,
                    now=desk.now,
                    limits=desk.limits,
                )
                settle_outstanding(desk.session, output, document, desk.now)
                self.attached.append(document)
        except RefusedError as error:
            raise RefusedForm({field.name: error_sentence(error)}) from error


class PrintingForm(_PapersForm):
    """Step 5: did it print well? A spoiled print keeps the case here."""

    template: ClassVar[str] = "aduan/work/printing.html"
    about_paper = "output_unprinted"
    field_prefix = "print"

    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for output in self.outputs:
            if printed_well(output):  # once more needs a reason: from the page of the case
                continue
            found[f"print_{output.id}"] = OneRadio(str(output), RESULTS)
            found[f"spoiled_{output.id}"] = Line(
                _("Why was it spoiled? %(paper)s", paper=str(output)), 200
            )
        return found

    def check(self, move: Transition | None) -> dict[str, str]:
        errors: dict[str, str] = {}
        for paper in self.papers:
            if paper.result is None or paper.result.data != "spoiled":
                continue
            if not (paper.reason.data or "").strip():
                errors[paper.reason.name] = _("Say why this print was spoiled.")
            elif move is not None:
                errors[paper.result.name] = _(
                    "Save the spoiled print first; the case moves on when a good one is there."
                )
        return errors

    def save(self, move: Transition | None) -> None:
        desk = self.desk
        for paper in self.papers:
            if paper.result is not None and paper.result.data:
                record_print(
                    desk.session,
                    self.complaint,
                    paper.output,
                    paper.result.data,
                    desk.actor,
                    now=desk.now,
                    reason=(paper.reason.data or "") if paper.result.data == "spoiled" else "",
                )
