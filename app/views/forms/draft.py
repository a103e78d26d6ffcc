"""What one posting of the registration page brings besides the complaint: ticks and files.

All of it can be shown again, so a refused form loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final

from flask import url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from app.errors import error_sentence, sentence
from app.formats import file_size
from app.models import Category, Document, StagedUpload
from app.services.complaints import CheckInput
from app.services.storage import Store
from app.services.uploads import Limits, attach_staged, stage_upload
from app.sop.errors import FileRefusedError
from app.sop.guards import Problem
from app.views.forms.choices import CaseChoices, kind_label
from app.views.forms.complaint import ComplaintForm
from app.views.forms.fields import (
    NO_SUCH_CHOICE,
    controls_message,
    length_message,
    without_controls,
)

STATES: Final = ("present", "unreadable", "missing")
LONGEST_NOTE: Final = 300
_CHECK: Final = re.compile(r"check_([0-9]{1,9})")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,43}")
#: More tokens than one officer can have staged are not looked up.
_MOST_TOKENS: Final = 300
#: Guard problems that have a field of their own.
_PROBLEM_FIELDS: Final[Mapping[str, str]] = {
    "contact_missing": "address",
    "phone_or_email_missing": "phone",
}


@dataclass
class Tick:
    """What was ticked for one paper, and what is wrong with that."""

    state: str = ""
    note: str = ""
    errors: list[str] = field(default_factory=list)


@dataclass
class StagedFile:
    """A file that is stored already, and which paper it is."""

    upload: StagedUpload
    kind: str = ""

    def shown(self) -> dict[str, Any]:
        """For the drop zone of the page."""
        return staged_json(self.upload) | {"kind": self.kind, "size": file_size(self.upload.size)}


@dataclass
class Draft:
    """A registration that is not saved yet."""

    form: ComplaintForm
    choices: CaseChoices
    ticks: dict[str, Tick] = field(default_factory=dict)
    files: list[StagedFile] = field(default_factory=list)
    file_errors: list[str] = field(default_factory=list)

    @property
    def category(self) -> Category | None:
        """The chosen category, None as long as there is none."""
        return self.choices.categories.get(self.form.category.data or "")

    @property
    def requirements(self) -> list[dict[str, Any]]:
        """The papers of the chosen category with what was ticked, as the page shows them."""
        if self.category is None:
            return []
        return [
            {
                "id": str(item.kind_id),
                "name": str(item.kind),
                "label": kind_label(item.kind),
                "required": item.required,
                "tick": self.ticks.get(str(item.kind_id), Tick()),
            }
            for item in self.category.requirements
        ]

    def tick(self, kind_id: int | str) -> Tick:
        """What was ticked for a paper."""
        return self.ticks.setdefault(str(kind_id), Tick())

    def check_ticks(self) -> bool:
        """Whether every tick can be saved; says beside it why not."""
        for tick in self.ticks.values():
            if tick.state and tick.state not in STATES:
                tick.state = ""
                tick.errors.append(sentence("requirement_state_unknown"))
            clean = without_controls(tick.note)
            if clean != tick.note:
                tick.note = clean
                tick.errors.append(controls_message())
            elif message := length_message(clean, LONGEST_NOTE):
                tick.errors.append(message)
        return not any(tick.errors for tick in self.ticks.values())

    def check_files(self) -> bool:
        """Whether each file is there and what it is said to be is a paper the office knows."""
        kinds = set(self.choices.kinds)
        if self.category is not None:
            kinds |= {str(item.kind_id) for item in self.category.requirements}
        for file in self.files:
            if file.kind and file.kind not in kinds:
                file.kind = ""
                self.file_errors.append(f"{file.upload.original_name}: {NO_SUCH_CHOICE}")
        return not self.file_errors

    def checks(self) -> list[CheckInput]:
        """The ticks of the chosen category's papers; those of another category are left out."""
        if self.category is None:
            return []
        return [
            CheckInput(item.kind_id, tick.state, tick.note)
            for item in self.category.requirements
            if (tick := self.ticks.get(str(item.kind_id))) is not None and tick.state
        ]

    def attach(
        self, session: Session, complaint: Any, user_id: int, now: datetime, limits: Limits
    ) -> list[Document]:
        """Hand every file over to the complaint."""
        return [
            attach_staged(
                session,
                file.upload,
                complaint=complaint,
                stage="requirement",
                kind_id=int(file.kind) if file.kind else None,
                user_id=user_id,
                now=now,
                limits=limits,
            )
            for file in self.files
        ]

    def refuse(self, problems: Sequence[Problem]) -> None:
        """Put what a guard misses beside the field or the paper that it is about."""
        papers = {
            item.kind.code: item.kind_id
            for item in (self.category.requirements if self.category else ())
        }
        for problem in problems:
            text = sentence(problem.code, problem.params)
            paper = papers.get(str(problem.params.get("kind", "")))
            name = _PROBLEM_FIELDS.get(problem.code)
            if paper is not None:
                self.tick(paper).errors.append(text)
            elif name is not None:
                self.form[name].errors = [*self.form[name].errors, text]
            else:
                self.form.form_errors = [*self.form.form_errors, text]

    def messages(self) -> list[Markup]:
        """What stands in no field of the form, for the list above it, with the way there."""
        return [
            *(
                Markup('<a href="#check-{}">{}</a>').format(
                    item["id"], text if item["name"] in text else f"{item['label']}: {text}"
                )
                for item in self.requirements
                for text in item["tick"].errors
            ),
            *(Markup('<a href="#files">{}</a>').format(text) for text in self.file_errors),
        ]


def read_ticks(posted: Any) -> dict[str, Tick]:
    """The ticks of a posted page, by paper."""
    ticks: dict[str, Tick] = {}
    for name in posted:
        if found := _CHECK.fullmatch(name):
            key = found[1]
            ticks[key] = Tick(posted[name][:20], posted.get(f"check_note_{key}", "").strip())
    for name in posted:
        if name.startswith("check_note_") and (key := name.removeprefix("check_note_")).isdigit():
            ticks.setdefault(key, Tick("", posted[name].strip()))
    return ticks


def read_files(session: Session, posted: Any, user_id: int) -> tuple[list[StagedFile], list[str]]:
    """The officer's staged files that a posted page names, and what is to be said of the others."""
    pairs: dict[str, str] = {}
    for token, kind in zip_longest(
        posted.getlist("upload_token[]"), posted.getlist("upload_kind[]"), fillvalue=""
    ):
        if token and len(pairs) < _MOST_TOKENS:
            pairs.setdefault(token, kind)
    wanted = [token for token in pairs if _TOKEN.fullmatch(token)]
    rows: dict[str, StagedUpload] = {}
    if wanted:
        rows = {
            row.token: row
            for row in session.scalars(
                select(StagedUpload).where(
                    StagedUpload.token.in_(wanted), StagedUpload.user_id == user_id
                )
            )
        }
    files = [StagedFile(rows[token], pairs[token]) for token in pairs if token in rows]
    gone = len(pairs) - len(files)
    return files, [sentence("upload_expired")] * min(gone, 1)


def stage_posted(
    session: Session,
    store: Store,
    files: Sequence[FileStorage],
    user_id: int,
    now: datetime,
    limits: Limits,
) -> tuple[list[StagedFile], list[str]]:
    """Keep the files that came with the form itself (a browser without scripts), each if it may.

    The caller commits, so that they are there again when the form is refused.
    """
    staged, errors = [], []
    for file in files:
        if not file.filename:
            continue
        try:
            upload = stage_upload(
                session,
                store,
                user_id=user_id,
                filename=file.filename,
                data=file.stream.read(limits.max_bytes + 1),
                limits=limits,
                now=now,
            )
        except FileRefusedError as error:
            errors.append(f"{file.filename[:120]}: {error_sentence(error)}")
        else:
            staged.append(StagedFile(upload))
    return staged, errors


def staged_json(upload: StagedUpload) -> dict[str, Any]:
    """A staged file for the page's script."""
    url = url_for("UploadView.preview", token=upload.token)
    picture = upload.media_type.startswith("image/")
    return {
        "token": upload.token,
        "name": upload.original_name,
        "size": upload.size,
        "type": upload.media_type,
        "url": url,
        "thumb_url": url if picture else None,
        "delete_url": url_for("UploadView.discard", token=upload.token),
    }
