"""One action on several cases: each stands or falls alone, and every refusal is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.actor import Actor
from app.services.blanks import note_waiting
from app.services.transitions import Handling, Office, apply_transition
from app.services.visibility import visible_cases
from app.sop.clock import counted_seconds, shares
from app.sop.errors import NotAllowedError, RefusedError, SopError

#: More cases than this in one go would hold their locks for too long.
MAX_BATCH = 100


@dataclass
class BatchResult:
    """What a batch did, and what it did not and why."""

    done: list[str] = field(default_factory=list)
    refused: list[tuple[str, SopError]] = field(default_factory=list)


def apply_batch(
    session: Session,
    office: Office,
    versions: Mapping[int, int | None],
    key: str,
    actor: Actor,
    *,
    now: datetime,
    opened_at: datetime,
    reason: str = "",
) -> BatchResult:
    """Move several cases along one transition, case by case; a refused one undoes no other.

    `versions` maps the id of each case to the version the officer saw. The time since `opened_at`
    is shared among all cases the officer looked at, refused ones too (design, "The two clocks").

    Raises:
        NotAllowedError: the actor lacks the transition's permission.
        RefusedError: the transition is not for batches, or there are too many cases.
    """
    if not actor.can(key):
        raise NotAllowedError(key)
    moves = [move for move in office.sop.transitions if move.key == key]
    if not moves or not all(move.batch for move in moves):
        raise RefusedError("not_a_batch_action")
    if len(versions) > MAX_BATCH:
        raise RefusedError("batch_too_large", most=MAX_BATCH)
    result = BatchResult()
    # Always in the same order, so that two batches never wait for each other crosswise.
    cases = list(
        session.scalars(
            select(Complaint)
            .where(Complaint.id.in_(versions), visible_cases(actor))
            .order_by(Complaint.id)
            # Held before anything else: who holds a stock of blank cards waits for no case.
            .with_for_update()
        )
    )
    elapsed = counted_seconds(office.calendar, min(opened_at, now), now)
    portions = shares(elapsed, len(cases)) if cases else []
    for complaint, share in zip(cases, portions, strict=True):
        number, handling = complaint.number, Handling(opened_at, share, len(cases))
        savepoint = session.begin_nested()
        try:
            apply_transition(
                session,
                office,
                complaint,
                key,
                actor,
                now=now,
                reason=reason,
                expected_version=versions[complaint.id],
                handling=handling,
            )
        except SopError as error:
            savepoint.rollback()
            session.expire_all()
            note_waiting(session, error, now=now)
            result.refused.append((number, error))
        else:
            savepoint.commit()
            result.done.append(number)
    return result
