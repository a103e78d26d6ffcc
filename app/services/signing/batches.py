"""A batch of signing: which papers it takes up, and what became of each."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models import CaseOutput, Complaint, SigningBatch, SigningItem
from app.services.actor import Actor
from app.services.batch import MAX_BATCH
from app.services.signatories import signatory_of
from app.services.signing.waiting import OUTSTANDING, SIGN, WaitingCase, waiting_cases
from app.services.transitions import Office
from app.services.visibility import visible_cases
from app.sop.errors import (
    GuardFailedError,
    NotAllowedError,
    NotFoundError,
    RefusedError,
    SopError,
)
from app.sop.text import N_

__all__ = ["MESSAGES", "OUTSTANDING", "SIGN", "BatchLine", "batch_lines", "start_batch"]

_PUBLIC_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,32}")

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "no_paper_chosen": N_("Choose at least one case to sign."),
    "no_draft": N_("There is no PDF draft of %(label)s to sign. Add the draft, then sign again."),
    "signed_file_missing": N_("Bring the signed PDF of %(label)s first."),
    "nothing_to_issue": N_("No output document has been named for this case."),
    "case_changed": N_("The case was changed or moved after you had opened the page."),
    "capacity_changed": N_(
        "You sign in another capacity than when this batch was started. Choose its documents once"
        " more."
    ),
    "draft_changed": N_("The draft was replaced after you had opened the page. Look at it again."),
    "signing_outstanding": N_(
        "An earlier attempt to sign %(label)s has no answer yet, so it was not sent again."
    ),
    "signing_unanswered": N_(
        "The signature service did not answer in time. Whether it has signed is not known, so the"
        " document is not sent again by itself."
    ),
    "signing_stopped": N_("Something went wrong while signing. The administrator finds it logged."),
    "signing_released": N_("Released to be signed again: %(reason)s"),
    "paper_not_waiting": N_("This document does not wait for an answer any more."),
    "signed_by_somebody": N_("It was signed meanwhile, and not once more."),
    "file_for_every_paper": N_("Choose the signed PDF of at least one document."),
}


@dataclass(frozen=True)
class BatchLine:
    """One paper of a batch for the page: the row and the case the actor may know of."""

    item: SigningItem
    case: Complaint
    output: CaseOutput | None


def start_batch(
    session: Session,
    office: Office,
    actor: Actor,
    way: str,
    versions: Mapping[int, int | None],
    *,
    opened_at: datetime,
    now: datetime,
) -> SigningBatch:
    """Take up the papers of the chosen cases; nothing is signed yet. Flushes, never commits.

    Every chosen case gets its line, one that cannot be signed with the reason. `versions` maps
    the id of a case to the version that the official saw.

    Raises:
        NotAllowedError: the actor may not sign.
        RefusedError: he is no signatory today, chose nothing or too much.
    """
    if not actor.can(SIGN):
        raise NotAllowedError(SIGN)
    signatory = signatory_of(session, actor, now)
    if signatory is None:
        raise RefusedError("signatory_not_in_office")
    if not versions:
        raise RefusedError("no_paper_chosen")
    if len(versions) > MAX_BATCH:
        raise RefusedError("batch_too_large", most=MAX_BATCH)
    batch = SigningBatch(
        public_id=secrets.token_urlsafe(16),
        user_id=actor.id or 0,
        signatory_id=signatory.id,
        way=way,
        opened_at=min(opened_at, now),
        started_at=now,
    )
    session.add(batch)
    waiting = {
        found.case.id: found for found in waiting_cases(session, office.sop, actor, ids=versions)
    }
    for case in _chosen(session, actor, versions):
        seen = versions[case.id]
        for facts in _items(waiting.get(case.id), case, seen, way):
            position = len(batch.items) + 1
            batch.items.append(
                SigningItem(
                    position=position,
                    complaint_id=case.id,
                    case_version=case.version if seen is None else seen,
                    finished_at=now if facts.get("state") == "failed" else None,
                    **facts,
                )
            )
    if not batch.items:
        raise NotFoundError("complaint")
    close_batch(batch, now)
    session.flush()
    return batch


def _chosen(session: Session, actor: Actor, versions: Mapping[int, int | None]) -> list[Complaint]:
    """The chosen cases, wherever they stand by now; what the actor may not know of is left out."""
    return list(
        session.scalars(
            select(Complaint)
            .where(Complaint.id.in_(versions), visible_cases(actor))
            .order_by(Complaint.step_since, Complaint.id)
        )
    )


def _items(
    found: WaitingCase | None, case: Complaint, seen: int | None, way: str
) -> list[dict[str, Any]]:
    """The lines of one case."""
    if found is None or (seen is not None and case.version != seen):
        return [_failed("case_changed")]
    if not found.papers:
        return [_failed("nothing_to_issue")]
    if found.ready:
        return [{"state": "waiting"}]
    items = []
    for paper in found.unsigned:
        label = str(paper.output)
        if paper.outstanding is not None:
            facts = _failed("signing_outstanding", label=label)
        elif way == "upload":
            facts = _failed("signed_file_missing", label=label)
        elif paper.draft is None:
            facts = _failed("no_draft", label=label)
        else:
            facts = {"state": "waiting", "draft_id": paper.draft.id}
        items.append({**facts, "output_id": paper.output.id})
    return items


def _failed(code: str, **params: str) -> dict[str, Any]:
    return {"state": "failed", "error": code, "error_params": params}


def close_batch(batch: SigningBatch, now: datetime) -> None:
    """A batch is finished when nothing of it is left to be done by itself."""
    if batch.finished_at is None and not any(
        item.state in ("waiting", "sending") for item in batch.items
    ):
        batch.finished_at = now


def error_facts(error: SopError) -> tuple[str, dict[str, Any]]:
    """What a row keeps of a refusal: a code and parameters that JSON can hold."""
    code, params = error.code, error.params
    if isinstance(error, GuardFailedError) and error.problems:
        code, params = error.problems[0].code, error.problems[0].params
    return code[:40], {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in params.items()
        if value is not None
    }


def batch_of(session: Session, actor: Actor, public_id: str) -> SigningBatch:
    """The actor's own batch of that name.

    Raises:
        NotFoundError: there is none, or it is another's.
    """
    if not _PUBLIC_ID.fullmatch(public_id):  # PostgreSQL takes no null byte
        raise NotFoundError("signing_batch")
    batch = session.scalars(
        select(SigningBatch)
        .where(SigningBatch.public_id == public_id, SigningBatch.user_id == (actor.id or 0))
        .options(joinedload(SigningBatch.signatory))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if batch is None:
        raise NotFoundError("signing_batch")
    return batch


def batch_lines(session: Session, actor: Actor, batch: SigningBatch) -> list[BatchLine]:
    """The papers of a batch in their order, of cases that the actor may know of."""
    items = session.scalars(
        select(SigningItem)
        .join(Complaint, Complaint.id == SigningItem.complaint_id)
        .where(SigningItem.batch_id == batch.id, visible_cases(actor))
        .options(
            joinedload(SigningItem.complaint),
            joinedload(SigningItem.output),
            joinedload(SigningItem.signed),
            joinedload(SigningItem.draft),
        )
        .order_by(SigningItem.position)
        .execution_options(populate_existing=True)
    )
    return [BatchLine(item, item.complaint, item.output) for item in items.unique()]


def recent_batches(session: Session, actor: Actor, limit: int = 5) -> list[SigningBatch]:
    """The actor's latest batches, the newest first."""
    return list(
        session.scalars(
            select(SigningBatch)
            .where(SigningBatch.user_id == (actor.id or 0))
            .options(joinedload(SigningBatch.items))
            .order_by(SigningBatch.id.desc())
            .limit(limit)
        ).unique()
    )
