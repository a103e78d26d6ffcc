"""What every work form is made of: its fields, its files, what it saves and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from flask_appbuilder.forms import DynamicForm
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.errors import error_sentence, problem_sentence, sentence
from app.models import Complaint, Document, StagedUpload
from app.services.actor import Actor
from app.services.transitions import Office
from app.services.uploads import Limits, attach_staged, claim_staged
from app.sop.definition import Step, Transition
from app.sop.errors import GuardFailedError, ReasonRequiredError, RefusedError, SopError
from app.sop.guards import Problem
from app.views import formbase  # noqa: F401 - gives WTForms our sentences
from app.views.base import RefusedForm
from app.views.forms.work_fields import LONGEST_REASON, PDF, FilesField, Paragraph, Ticks

#: Problems that no work in this step can mend: the transition is not for this case.
NOT_FOR_THIS_CASE = frozenset({"category_needs_document", "has_ktp_already"})
_MOST_TOKENS = 60


@dataclass(frozen=True)
class Desk:
    """One officer at work on one case, in one request."""

    session: Session
    office: Office
    complaint: Complaint
    step: Step
    actor: Actor
    now: datetime
    limits: Limits

    @property
    def may_attach(self) -> bool:
        """Whether this officer may add files to a case."""
        return self.actor.can("can_add", "Document") and self.actor.can("can_add", "Upload")


class WorkForm:
    """The form of one step: this one, for a step that asks for nothing, only takes a reason."""

    template: ClassVar[str] = "aduan/work/plain.html"
    #: Whether there is anything to save before the case moves on.
    keeps_facts: ClassVar[bool] = False
    #: Whether its work is to compare the applicant's numbers: they are shown, and that is logged.
    compares_numbers: ClassVar[bool] = False
    #: Fields that the form fills in with the applicant's data, in full; told to the log.
    fills_in: ClassVar[str] = ""
    reason_label: ClassVar[Any] = _l("Reason or note")
    #: Where the message of a guard's problem or of a refusal stands, by its code.
    places: ClassVar[Mapping[str, str]] = {}

    def __init__(self, desk: Desk, posted: MultiDict[str, str] | None = None) -> None:
        self.desk = desk
        self.complaint = desk.complaint
        self.posted = posted
        self.load()
        fields: dict[str, Any] = {
            **self.fields(),
            "reason": Paragraph(self.reason_label, LONGEST_REASON, description=self._reason_hint()),
        }
        maker: Any = type("StepForm", (DynamicForm,), fields)
        start = self.fill()
        self.form: Any = maker(formdata=posted, data=start)
        if posted is not None and "shown" not in posted:
            # A browser sends nothing for an empty tick box: believe that only of a whole page.
            for field in self.form:
                if isinstance(field, Ticks):
                    field.data = start.get(field.name, [])

    # --- what a step says of itself ---

    def load(self) -> None:
        """Read the rows that the form shows."""

    def fields(self) -> dict[str, Any]:
        """The form's fields, in the page's order."""
        return {}

    def fill(self) -> dict[str, Any]:
        """What is known already, by field."""
        return {}

    def check(self, move: Transition | None) -> dict[str, str]:
        """What is wrong beyond single fields, by field; nothing was written yet."""
        return {}

    def save(self, move: Transition | None) -> None:
        """Keep the facts through the services, in the caller's transaction."""

    def finish(self, move: Transition) -> None:
        """What can only be kept once the case has moved."""

    def details(self, move: Transition) -> dict[str, object]:
        """What the history shows beside the move."""
        return {}

    def draft(self) -> dict[str, object]:
        """What no table keeps before the case moves on, remembered in the history."""
        return {}

    def remarks(self) -> list[str]:
        """What is worth a second look but blocks nothing; said after the commit."""
        return []

    def place_of(self, problem: Problem) -> str | None:
        """The field that a guard's problem is about, "" for the whole form, None to leave it out."""
        return self.places.get(problem.code, "")

    # --- the buttons ---

    def moves(self) -> list[Transition]:
        """The transitions of the step that the officer may make, ways forward first."""
        mine = [m for m in self.desk.step.transitions if self.desk.actor.can(m.permission)]
        return sorted(mine, key=lambda move: move.danger)

    def _reason_hint(self) -> str:
        names = [str(move.label) for move in self.moves() if move.reason]
        return _("Needed for: %(actions)s.", actions=", ".join(names)) if names else ""

    # --- files ---

    @property
    def file_fields(self) -> list[FilesField]:
        """Every place for files."""
        return [field for field in self.form if isinstance(field, FilesField)]

    def documents_of(self, **conditions: Any) -> list[Document]:
        """The present files of the case that fit, in the order in which they came."""
        statement = select(Document).where(
            Document.complaint_id == self.complaint.id, Document.replaced_at.is_(None)
        )
        return list(
            self.desk.session.scalars(statement.filter_by(**conditions).order_by(Document.id))
        )

    def attach(self, field: FilesField) -> list[Document]:
        """Hand the files of one place over to the case."""
        desk = self.desk
        if not field.tokens or not desk.may_attach:
            return []
        user_id = desk.actor.id or 0
        documents = []
        try:
            for staged in claim_staged(desk.session, field.tokens, user_id):
                document = attach_staged(
                    desk.session,
                    staged,
                    complaint=self.complaint,
                    stage=field.stage,
                    kind_id=field.kind_id,
                    output_id=field.output_id,
                    user_id=user_id,
                    now=desk.now,
                    limits=desk.limits,
                )
                documents.append(document)
        except RefusedError as error:
            raise RefusedForm({field.name: error_sentence(error)}) from error
        self.attached.extend(documents)
        return documents

    @property
    def attached(self) -> list[Document]:
        """The files that this form has handed over."""
        return self.__dict__.setdefault("_attached", [])  # type: ignore[no-any-return]

    def _find_uploads(self) -> bool:
        """Find the officer's uploads behind the tokens; what is gone or no PDF is said so."""
        fields = self.file_fields
        wanted = {token for field in fields for token in field.tokens[:_MOST_TOKENS]}
        found: dict[str, StagedUpload] = {}
        if wanted and all(len(token) <= 43 and token.isascii() for token in wanted):
            statement = select(StagedUpload).where(
                StagedUpload.token.in_(wanted), StagedUpload.user_id == self.desk.actor.id
            )
            found = {row.token: row for row in self.desk.session.scalars(statement)}
        fine = True
        for field in fields:
            field.uploads = [found[token] for token in field.tokens if token in found]
            messages = []
            if len(field.uploads) < len(field.tokens):
                messages.append(sentence("upload_expired"))
            field.tokens = [row.token for row in field.uploads]
            if field.accept == PDF and any(row.media_type != PDF for row in field.uploads):
                messages.append(
                    _("A signed document is a PDF.")
                    if field.stage == "signed"
                    else _("A draft is a PDF: only that can be signed.")
                )
            if messages:
                field.errors = [*field.errors, *messages]
                fine = False
        return fine

    # --- judging ---

    def validate(self) -> bool:
        """Whether what was typed and chosen can be kept at all; messages beside the fields."""
        typed = self.form.validate()
        return self._find_uploads() and bool(typed)

    def refuse(self, error: SopError | RefusedForm) -> None:
        """Put a refusal beside the field that it is about, or above the form."""
        if isinstance(error, RefusedForm):
            for name, text in error.errors.items():
                self._say(name, text)
        elif isinstance(error, GuardFailedError):
            for problem in error.problems:
                if (place := self.place_of(problem)) is not None:
                    self._say(place, problem_sentence(problem))
        elif isinstance(error, ReasonRequiredError):
            self._say("reason", error_sentence(error))
        else:
            self._say(self.places.get(error.code, ""), error_sentence(error))

    def _say(self, name: str, text: str) -> None:
        field = self.form._fields.get(name)
        if field is not None:
            field.errors = [*field.errors, text]
        else:
            self.form.form_errors = [*self.form.form_errors, text]


def labels_of(rows: Sequence[Any]) -> list[dict[str, str]]:
    """Both names of bilingual rows, for the history, which is read in either language."""
    return [{"label": row.label_id, "label_en": row.label_en} for row in rows]
