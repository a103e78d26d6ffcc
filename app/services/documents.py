"""The files of a case: adding one beside the work forms, and reading one back unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Complaint, Document, DocumentKind, StagedUpload
from app.services.actor import Actor
from app.services.complaints import log_event
from app.services.ended import require_going_on
from app.services.facts import current_outputs
from app.services.storage import DamagedFileError as ChangedFileError
from app.services.storage import MissingFileError, Store, StoreError
from app.services.uploads import DEFAULT_LIMITS, Limits, Stage, attach_staged
from app.services.visibility import ensure_visible
from app.sop.definition import Sop
from app.sop.errors import NotFoundError, RefusedError, SopError
from app.sop.text import N_

#: What may be added at any time; a signed paper and a proof belong to their step's work form.
FREE_STAGES: Final[tuple[Stage, ...]] = ("requirement", "draft")

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "no_file_chosen": N_("Choose at least one file."),
    "one_file_only": N_("Choose one file only."),
    "stage_not_free": N_("Choose whether it is a requirement or a draft."),
    "kind_unknown": N_("That kind of document is no longer there. Choose again."),
    "file_changed": N_(
        "This file is not the one that was stored: its checksum differs. It is not shown. Tell"
        " the administrator; the backup has the right one."
    ),
    "file_missing": N_(
        "This file is no longer in the store. Tell the administrator; the backup has it."
    ),
    "file_unreadable": N_("The file store does not answer. Try again in a moment."),
}


class DamagedFileError(SopError):
    """A stored file cannot be handed out: lost, changed, or the store does not answer."""


@dataclass(frozen=True)
class NewFile:
    """A staged upload and which paper it is."""

    upload: StagedUpload
    kind_id: int | None = None


def attach_to_case(
    session: Session,
    sop: Sop,
    complaint: Complaint,
    files: Sequence[NewFile],
    stage: str,
    actor: Actor,
    *,
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
) -> list[Document]:
    """Add files to a case that is not finished, outside any work form; flushes.

    Raises:
        NotAllowedError, NotFoundError: not his to add, or not his to know of.
        RefusedError: the case is finished, nothing was chosen, an unknown stage or kind, an
            upload that is gone, or too many files.
    """
    actor.require("can_add", "Document")
    ensure_visible(actor, complaint)
    require_going_on(session, sop, complaint)
    if stage not in FREE_STAGES:
        raise RefusedError("stage_not_free")
    if not files:
        raise RefusedError("no_file_chosen")
    wanted = {file.kind_id for file in files if file.kind_id is not None}
    known = set(session.scalars(select(DocumentKind.id).where(DocumentKind.id.in_(wanted))))
    if wanted - known:
        raise RefusedError("kind_unknown")
    # A draft of a paper that the case ends with is that paper's.
    papers = {
        output.kind_id: output.id
        for output in (current_outputs(session, complaint) if stage == "draft" else ())
    }
    documents = [
        attach_staged(
            session,
            file.upload,
            complaint=complaint,
            stage=stage,
            kind_id=file.kind_id,
            output_id=papers.get(file.kind_id) if file.kind_id is not None else None,
            user_id=actor.id or 0,
            now=now,
            limits=limits,
        )
        for file in files
    ]
    names: list[str] = [document.original_name for document in documents]
    log_event(
        session, complaint, "files_added", actor, now, details={"files": names, "stage": stage}
    )
    session.flush()
    return documents


def read_file(store: Store, document: Document) -> bytes:
    """The bytes of a document, proven by sha256 to be those that were stored.

    Raises:
        DamagedFileError: `file_missing`, `file_changed` or `file_unreadable`.
    """
    if document.storage_key.startswith("erased-"):  # its retention ended
        raise NotFoundError("document", document.public_id)
    try:
        data = store.get(document.storage_key)
    except (MissingFileError, ValueError) as error:
        raise DamagedFileError("file_missing") from error
    except ChangedFileError as error:
        raise DamagedFileError("file_changed") from error
    except StoreError as error:
        raise DamagedFileError("file_unreadable") from error
    if hashlib.sha256(data).hexdigest() != document.sha256:
        raise DamagedFileError("file_changed")
    return data
