"""Step 1 and the way back: the completeness list, and what the applicant brings again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app.models import CaseEvent, Document, RequirementCheck
from app.services.complaints import CheckInput, save_checks
from app.services.facts import current_checks
from app.sop.definition import Transition
from app.sop.guards import Problem
from app.views.forms.choices import kind_label
from app.views.forms.work_base import WorkForm
from app.views.forms.work_fields import FilesField, Line, OneRadio

STATES: Final = (
    ("present", _l("There")),
    ("unreadable", _l("Unreadable")),
    ("missing", _l("Not there yet")),
)
FAILED: Final = frozenset({"unreadable", "missing"})
LONGEST_NOTE: Final = 300


@dataclass
class Item:
    """One line of the list: the paper, its fields when it is open, and its files."""

    check: RequirementCheck
    label: str
    state: Any
    note: Any
    files: Any
    documents: list[Document]


class _Papers(WorkForm):
    """What both forms share: papers with their files."""

    keeps_facts: ClassVar[bool] = True

    def load(self) -> None:
        self.checks = current_checks(self.desk.session, self.complaint)
        self.documents = self.documents_of(stage="requirement")

    def is_open(self, check: RequirementCheck) -> bool:
        """Whether the item may be changed now."""
        raise AssertionError("each form says it")

    @property
    def items(self) -> list[Item]:
        """The list as the page shows it, open items first."""
        get = self.form._fields.get
        found = [
            Item(
                check,
                kind_label(check.kind),
                get(f"state_{check.kind_id}"),
                get(f"note_{check.kind_id}"),
                get(f"files_{check.kind_id}"),
                [document for document in self.documents if document.kind_id == check.kind_id],
            )
            for check in self.checks
        ]
        return sorted(found, key=lambda item: item.files is None)

    @property
    def other_documents(self) -> list[Document]:
        """Files that belong to no item of the list."""
        kinds = {check.kind_id for check in self.checks}
        return [document for document in self.documents if document.kind_id not in kinds]

    def _files(self) -> dict[str, Any]:
        return {
            f"files_{check.kind_id}": FilesField(
                _("Files: %(paper)s", paper=kind_label(check.kind)),
                stage="requirement",
                kind_id=check.kind_id,
            )
            for check in self.checks
            if self.is_open(check)
        } | {"files_other": FilesField(_("Other files"), stage="requirement")}


class FileCheckForm(_Papers):
    """Every paper there, unreadable or missing; from round 2 on only what failed is open."""

    template: ClassVar[str] = "aduan/work/file_check.html"
    reason_label: ClassVar[Any] = _l("Note to the applicant")

    def is_open(self, check: RequirementCheck) -> bool:
        return self.complaint.round == 1 or check.reopened

    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for check in self.checks:
            if self.is_open(check):
                label = kind_label(check.kind)
                found[f"state_{check.kind_id}"] = OneRadio(label, STATES)
                found[f"note_{check.kind_id}"] = Line(
                    _("Note: %(paper)s", paper=label), LONGEST_NOTE
                )
        return found | self._files()

    def fill(self) -> dict[str, Any]:
        return {
            name: value
            for check in self.checks
            for name, value in (
                (f"state_{check.kind_id}", "" if check.state == "unchecked" else check.state),
                (f"note_{check.kind_id}", check.note),
            )
        }

    def save(self, move: Transition | None) -> None:
        desk = self.desk
        inputs = [
            CheckInput(
                check.kind_id,
                self.form[f"state_{check.kind_id}"].data or "unchecked",
                self.form[f"note_{check.kind_id}"].data or "",
            )
            for check in self.checks
            if self.is_open(check)
        ]
        save_checks(desk.session, desk.office, self.complaint, inputs, desk.actor, now=desk.now)
        for field in self.file_fields:
            self.attach(field)

    def details(self, move: Transition) -> dict[str, object]:
        """A return names every paper that failed and why."""
        if not move.danger:
            return {}
        return {
            "items": [
                {
                    "label": check.kind.label_id,
                    "label_en": check.kind.label_en,
                    "state": check.state,
                    "note": check.note,
                }
                for check in current_checks(self.desk.session, self.complaint)
                if check.state in FAILED
            ]
        }

    def place_of(self, problem: Problem) -> str:
        code = problem.params.get("kind")
        for check in self.checks:
            if check.kind.code == code:
                return f"state_{check.kind_id}"
        return ""


class ResubmissionForm(_Papers):
    """What the applicant brings after a return, or that nothing comes any more."""

    template: ClassVar[str] = "aduan/work/resubmission.html"
    reason_label: ClassVar[Any] = _l("The applicant's answer, or why it is withdrawn")

    def load(self) -> None:
        super().load()
        #: The move that brought the case here, with its reason and its list.
        self.returned: CaseEvent | None = self.desk.session.scalars(
            select(CaseEvent)
            .where(
                CaseEvent.complaint_id == self.complaint.id,
                CaseEvent.kind == "moved",
                CaseEvent.to_step == self.desk.step.key,
            )
            .order_by(CaseEvent.id.desc())
            .limit(1)
        ).first()

    def is_open(self, check: RequirementCheck) -> bool:
        return check.state in FAILED

    def fields(self) -> dict[str, Any]:
        return self._files()

    def save(self, move: Transition | None) -> None:
        if move is None or move.effect != "new_round":
            self._attach_all()

    def finish(self, move: Transition) -> None:
        """The files of a resubmission belong to the round that it opens."""
        if move.effect == "new_round":
            self._attach_all()

    def _attach_all(self) -> None:
        for field in self.file_fields:
            self.attach(field)
