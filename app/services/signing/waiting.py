"""What waits for a signature: cases, their papers, the draft of each, in four statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.models import CaseOutput, Complaint, Document, SigningItem
from app.services.actor import Actor
from app.services.batch import MAX_BATCH
from app.services.facts import signed_among
from app.services.signatories import checked_by
from app.services.visibility import visible_cases
from app.sop.definition import Sop

#: The transition that the desk makes, and the permission it asks for.
SIGN: Final = "sign"
#: States in which an answer of the signature service may still come, or may have been lost.
OUTSTANDING: Final = ("sending", "remote", "unknown")
PDF: Final = "application/pdf"


@dataclass(frozen=True)
class WaitingPaper:
    """One paper of a case at the signing step, and how far it is."""

    output: CaseOutput
    #: The PDF that would be signed.
    draft: Document | None
    #: The file that makes it signed.
    signed: Document | None
    #: An earlier attempt without an answer: it is not sent again by itself.
    outstanding: SigningItem | None

    @property
    def needs_signature(self) -> bool:
        """Whether papers of this kind bear a signature at all."""
        return bool(self.output.kind.needs_signature)

    @property
    def unsigned(self) -> bool:
        """Whether a signature is still missing."""
        return self.needs_signature and self.signed is None

    @property
    def signable(self) -> bool:
        """Whether it can be sent for signing now."""
        return self.unsigned and self.draft is not None and self.outstanding is None


@dataclass(frozen=True)
class WaitingCase:
    """One case at the signing step with its papers."""

    case: Complaint
    papers: tuple[WaitingPaper, ...]
    #: Whether who looks checked it at SIAK himself, and the SOP wants two people for that.
    own_check: bool = False

    @property
    def unsigned(self) -> tuple[WaitingPaper, ...]:
        """The papers that still lack a signature."""
        return tuple(paper for paper in self.papers if paper.unsigned)

    @property
    def ready(self) -> bool:
        """Whether every paper is signed, so that the case can go on as it is."""
        return bool(self.papers) and not self.unsigned

    @property
    def signable(self) -> bool:
        """Whether all it lacks can be signed now."""
        return bool(self.papers) and all(paper.signable for paper in self.unsigned)


def sources(sop: Sop) -> list[str]:
    """The steps that signing leads out of, as the SOP file says."""
    return [move.source for move in sop.transitions if move.key == SIGN]


def sop_wants_two(sop: Sop) -> bool:
    """Whether the SOP wants check and signature from two people."""
    return any(move.key == SIGN and "checked_by_another" in move.guards for move in sop.transitions)


def count_waiting(session: Session, sop: Sop, actor: Actor) -> int:
    """How many cases wait for a signature, of those the actor may know of."""
    query = select(func.count()).select_from(Complaint)
    where = (Complaint.step_key.in_(sources(sop)), visible_cases(actor))
    return session.scalar(query.where(*where)) or 0


def waiting_cases(
    session: Session,
    sop: Sop,
    actor: Actor,
    *,
    ids: Collection[int] | None = None,
    limit: int = MAX_BATCH,
) -> list[WaitingCase]:
    """The cases at the signing step, the longest wait first, with what each paper lacks."""
    # Known with the row: nobody is to learn of it after his signature was asked for.
    own = checked_by(Complaint.id, Complaint.round, actor.id)
    query = select(Complaint, own if sop_wants_two(sop) else false()).where(
        Complaint.step_key.in_(sources(sop)), visible_cases(actor)
    )
    if ids is not None:
        query = query.where(Complaint.id.in_(ids))
    cases = session.execute(
        query.options(joinedload(Complaint.category))
        .order_by(Complaint.step_since, Complaint.id)
        .limit(limit)
        .execution_options(populate_existing=True)
    ).all()
    if not cases:
        return []
    papers = _papers(session, [case.id for case, _own in cases])
    return [WaitingCase(case, tuple(papers[case.id]), bool(own)) for case, own in cases]


def _papers(session: Session, ids: Sequence[int]) -> dict[int, list[WaitingPaper]]:
    outputs = session.scalars(
        select(CaseOutput)
        .join(Complaint, Complaint.id == CaseOutput.complaint_id)
        .where(
            CaseOutput.complaint_id.in_(ids),
            CaseOutput.round == Complaint.round,
            CaseOutput.dropped_at.is_(None),
        )
        .order_by(CaseOutput.id)
    ).all()
    documents: dict[int, list[Document]] = defaultdict(list)
    for document in session.scalars(
        select(Document)
        .where(
            Document.complaint_id.in_(ids),
            Document.stage.in_(("draft", "signed")),
            Document.replaced_at.is_(None),
        )
        .options(selectinload(Document.signatures))
        .order_by(Document.id)
        .execution_options(populate_existing=True)
    ):
        documents[document.complaint_id].append(document)
    outstanding = {
        item.output_id: item
        for item in session.scalars(
            select(SigningItem)
            .where(SigningItem.complaint_id.in_(ids), SigningItem.state.in_(OUTSTANDING))
            .options(joinedload(SigningItem.batch))
        )
    }
    found: dict[int, list[WaitingPaper]] = defaultdict(list)
    for output in outputs:
        files = documents[output.complaint_id]
        to_sign = [
            other
            for other in outputs
            if other.complaint_id == output.complaint_id and other.kind.needs_signature
        ]
        found[output.complaint_id].append(
            WaitingPaper(
                output,
                draft_of(output, files, alone=len(to_sign) == 1),
                signed_among(file for file in files if file.output_id == output.id),
                outstanding.get(output.id),
            )
        )
    return found


def draft_of(output: CaseOutput, files: Sequence[Document], *, alone: bool) -> Document | None:
    """The draft of a paper: attached to it, else of its kind; of a single paper any that is left.

    Only a PDF can be signed, only the present version counts, the latest comes first. A draft of
    an earlier round is another round's paper.
    """
    drafts = [
        file
        for file in reversed(files)
        if file.stage == "draft"
        and file.media_type == PDF
        and file.replaced_at is None
        and file.round == output.round
    ]
    loose = [file for file in drafts if file.output_id is None]
    own = [file for file in drafts if file.output_id == output.id]
    same_kind = [file for file in loose if file.kind_id == output.kind_id]
    unnamed = [file for file in loose if file.kind_id is None] if alone else []
    return next(iter(own or same_kind or unnamed), None)
