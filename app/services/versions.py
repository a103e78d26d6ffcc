"""Versions: a file that is replaced stays, and its successor names it.

Only what the office itself may bring again is replaced here: a requirement and a draft. A signed
paper is replaced by signing, a proof of dispatch never: it shows what was handed over that day.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.models import Document, SigningItem, StagedUpload
from app.services.actor import Actor
from app.services.complaints import log_event
from app.services.ended import require_going_on
from app.services.guarding import claim_version
from app.services.uploads import DEFAULT_LIMITS, Limits, attach_staged
from app.services.visibility import ensure_visible
from app.sop.definition import Sop
from app.sop.errors import ReasonRequiredError, RefusedError
from app.sop.text import N_

#: What may be replaced at any time before the case is finished.
REPLACEABLE: Final = frozenset({"requirement", "draft"})
MOST_VERSIONS: Final = 20
LONGEST_REASON: Final = 200
#: A paper that is at the signature service, or may be.
_OUTSTANDING: Final = ("sending", "remote", "unknown")

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "file_replaced_already": N_(
        "Somebody has replaced this file in the meantime. Look at the new one first."
    ),
    "signed_not_replaceable": N_("A signed document is replaced in the step of signing, not here."),
    "proof_not_replaceable": N_("A proof of dispatch stays as it was taken."),
    "draft_signed_already": N_(
        "This draft is signed already. Have the document sent back for certification first."
    ),
    "draft_being_signed": N_("This draft is being signed at this moment. Try again later."),
    "too_many_versions": N_("This file was replaced %(most)s times. Add the new one beside it."),
}


def why_not_replaceable(document: Document) -> str:
    """The code of what forbids replacing this file, "" when nothing does; reads no table."""
    if document.replaced_at is not None:
        return "file_replaced_already"
    if document.stage == "proof":
        return "proof_not_replaceable"
    if document.stage not in REPLACEABLE:
        return "signed_not_replaceable"
    if document.revision >= MOST_VERSIONS:
        return "too_many_versions"
    return ""


def why_not_now(session: Session, document: Document) -> str:
    """The same, and of a draft whose paper carries a signature or is about to."""
    code = why_not_replaceable(document)
    if code or document.stage != "draft":
        return code
    # A draft that names no paper is the draft of those it was sent to be signed for.
    sent = select(SigningItem.output_id).where(
        SigningItem.draft_id == document.id, SigningItem.output_id.is_not(None)
    )
    signed = select(Document.id).where(
        or_(Document.output_id == document.output_id, Document.output_id.in_(sent)),
        Document.stage == "signed",
        Document.replaced_at.is_(None),
    )
    if session.scalars(signed.limit(1)).first() is not None:
        return "draft_signed_already"
    outstanding = select(SigningItem.id).where(
        or_(SigningItem.output_id == document.output_id, SigningItem.draft_id == document.id),
        SigningItem.state.in_(_OUTSTANDING),
    )
    if session.scalars(outstanding.limit(1)).first() is not None:
        return "draft_being_signed"
    return ""


def replace_document(
    session: Session,
    sop: Sop,
    document: Document,
    staged: StagedUpload,
    actor: Actor,
    *,
    reason: str,
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
) -> Document:
    """Put an upload in the place of a file, which stays as its earlier version; flushes.

    Replacing a draft takes a new version of the case: who is about to sign what he saw before is
    stopped and looks again.

    Raises:
        NotAllowedError, NotFoundError: not his to replace, or not his to know of.
        ReasonRequiredError: no reason is given.
        RefusedError: the case is finished, the file may not be replaced or was by another, or
            the upload is gone.
    """
    actor.require("can_replace", "Document")
    complaint = document.complaint
    ensure_visible(actor, complaint)
    require_going_on(session, sop, complaint)
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise ReasonRequiredError("replace")
    if document.stage == "draft" and not claim_version(session, complaint):
        raise RefusedError("file_replaced_already")
    # Asked while the case is held: the signing desk takes a paper up only under the same lock.
    if code := why_not_now(session, document):
        raise RefusedError(code, most=MOST_VERSIONS)
    # Of two officers one finds the file unreplaced; the other waits for that and finds no row.
    taken = session.scalars(
        update(Document)
        .where(Document.id == document.id, Document.replaced_at.is_(None))
        .values(replaced_at=now)
        .returning(Document.id)
    ).all()
    if not taken:
        raise RefusedError("file_replaced_already")
    fresh = attach_staged(
        session,
        staged,
        complaint=complaint,
        stage="draft" if document.stage == "draft" else "requirement",
        kind_id=document.kind_id,
        output_id=document.output_id,
        user_id=actor.id or 0,
        now=now,
        limits=limits,
    )
    if fresh.id == document.id or fresh.replaces_id is not None or fresh.uploaded_at != now:
        raise RefusedError("upload_expired")  # another form has taken it
    fresh.replaces_id, fresh.revision = document.id, document.revision + 1
    files = [f"{document.original_name} → {fresh.original_name}"]
    log_event(
        session,
        complaint,
        "file_replaced",
        actor,
        now,
        reason=reason,
        details={"files": files, "stage": document.stage, "revision": fresh.revision},
    )
    session.flush()
    return fresh
