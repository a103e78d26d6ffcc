"""What an officer records in a step before the case moves on: SIAK, papers, prints, answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseOutput, CategoryOutput, Complaint, DocumentKind, SiakCheck
from app.services.actor import Actor
from app.services.blanks import end_waits
from app.services.complaints import claim
from app.services.facts import current_checks, current_outputs
from app.services.transitions import Office
from app.services.visibility import ensure_visible
from app.sop.errors import RefusedError


@dataclass(frozen=True)
class SiakResult:
    """What the operator saw in SIAK: *ya* with a draft reference, or *tidak* with what differs."""

    result: str
    draft_reference: str = ""
    differences: tuple[str, ...] = ()
    note: str = ""
    #: Papers the applicant must bring again, by kind; opened in the next round.
    ask_again: frozenset[int] = frozenset()


@dataclass(frozen=True)
class OutputInput:
    """One paper the case is to end with."""

    kind_id: int
    reference: str = ""


def record_siak(
    session: Session,
    office: Office,
    complaint: Complaint,
    seen: SiakResult,
    actor: Actor,
    *,
    now: datetime,
    expected_version: int | None = None,
) -> SiakCheck:
    """Keep the result of the SIAK check (SOP step 2).

    Raises:
        WrongStepError: somebody changed or moved the case meanwhile.
    """
    ensure_visible(actor, complaint)
    claim(session, office, complaint, expected_version)
    check = SiakCheck(
        complaint_id=complaint.id,
        round=complaint.round,
        result=seen.result,
        draft_reference=seen.draft_reference.strip() if seen.result == "match" else "",
        differences=[item.strip() for item in seen.differences if item.strip()]
        if seen.result == "mismatch"
        else [],
        note=seen.note.strip(),
        checked_at=now,
        checked_by_id=actor.id,
    )
    session.add(check)
    if seen.result == "mismatch":
        for item in current_checks(session, complaint):
            if item.kind_id in seen.ask_again:
                item.state = "missing"
    session.flush()
    return check


def save_answer(
    session: Session,
    office: Office,
    complaint: Complaint,
    answer: str,
    actor: Actor,
    *,
    expected_version: int | None = None,
) -> None:
    """Keep the answer that resolves a case without a document."""
    ensure_visible(actor, complaint)
    claim(session, office, complaint, expected_version)
    complaint.answer = answer.strip()
    session.flush()


def proposed_outputs(session: Session, complaint: Complaint) -> list[OutputInput]:
    """The papers to offer in the form: those named already, else the category's usual ones."""
    named = current_outputs(session, complaint)
    if named:
        return [OutputInput(output.kind_id, output.reference) for output in named]
    usual = session.scalars(
        select(CategoryOutput)
        .where(CategoryOutput.category_id == complaint.category_id)
        .order_by(CategoryOutput.id)
    )
    return [OutputInput(item.kind_id) for item in usual]


def name_outputs(
    session: Session,
    office: Office,
    complaint: Complaint,
    wanted: Sequence[OutputInput],
    actor: Actor,
    *,
    now: datetime,
    expected_version: int | None = None,
) -> list[CaseOutput]:
    """Name the papers this case ends with; one that was named and is not wanted is withdrawn.

    Raises:
        RefusedError: a kind that is no output, or a signed paper would be withdrawn.
        WrongStepError: somebody changed or moved the case meanwhile.
    """
    ensure_visible(actor, complaint)
    claim(session, office, complaint, expected_version)
    kinds = {
        kind.id: kind
        for kind in session.scalars(
            select(DocumentKind).where(DocumentKind.id.in_({item.kind_id for item in wanted}))
        )
    }
    named = {output.kind_id: output for output in current_outputs(session, complaint)}
    for item in wanted:
        kind = kinds.get(item.kind_id)
        if kind is None or not kind.is_output:
            raise RefusedError("not_an_output", kind=item.kind_id)
        output = named.pop(item.kind_id, None)
        if output is None:
            output = CaseOutput(
                complaint_id=complaint.id,
                kind_id=item.kind_id,
                round=complaint.round,
                named_at=now,
                named_by_id=actor.id,
            )
            session.add(output)
        output.reference = item.reference.strip()
    for output in named.values():
        if any(document.stage == "signed" for document in output.documents):
            raise RefusedError("output_signed_already", label=str(output))
        output.dropped_at = now
    end_waits(session, [output.id for output in named.values()], now)
    session.flush()
    return current_outputs(session, complaint)
