"""Papers that were signed elsewhere, and attempts whose answer was lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint, Document, SigningItem, StagedUpload
from app.services.actor import Actor
from app.services.complaints import log_event
from app.services.facts import case_facts, current_outputs
from app.services.signature import Trust, bring_signed
from app.services.signing.items import held
from app.services.signing.waiting import OUTSTANDING, SIGN
from app.services.storage import Store
from app.services.transitions import Handling, Office, apply_transition
from app.services.uploads import DEFAULT_LIMITS, Limits
from app.services.visibility import ensure_visible
from app.sop.errors import NotAllowedError, ReasonRequiredError, RefusedError, SopError
from app.sop.guards import problems_of


class PaperRefusedError(RefusedError):
    """One of the brought files was refused; `output_id` says for which paper it was."""

    def __init__(self, output_id: int, error: SopError) -> None:
        super().__init__(error.code, **error.params)
        self.output_id = output_id


def bring_papers(
    session: Session,
    office: Office,
    store: Store,
    trust: Trust,
    complaint: Complaint,
    files: Mapping[int, StagedUpload],
    actor: Actor,
    *,
    opened_at: datetime,
    now: datetime,
    expected_version: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> bool:
    """Take signed PDFs in, by paper, and move the case on when that were all; whether it moved.

    All of the files or none: the caller rolls back on any error. Flushes, never commits.

    Raises:
        NotAllowedError, NotFoundError: not his to sign, or not his to know of.
        PaperRefusedError: a file whose signature is missing, broken, or of another paper.
        RefusedError: no file was chosen.
        WrongStepError: the case has moved or changed meanwhile.
    """
    if not actor.can(SIGN):
        raise NotAllowedError(SIGN)
    ensure_visible(actor, complaint)
    if not files:
        raise RefusedError("file_for_every_paper")
    move = office.sop.move(complaint.step_key, SIGN)
    outputs = {output.id: output for output in current_outputs(session, complaint)}
    for output_id, staged in files.items():
        output = outputs.get(output_id)
        if output is None:
            raise RefusedError("output_of_other_case")
        try:
            document = bring_signed(
                session,
                store,
                trust,
                staged,
                complaint=complaint,
                output=output,
                actor=actor,
                now=now,
                limits=limits,
            )
        except SopError as error:
            raise PaperRefusedError(output_id, error) from error
        settle_outstanding(session, output, document, now)
    lacking = problems_of(
        [guard for guard in move.guards if guard != "signatory_in_office"],
        case_facts(session, complaint),
    )
    if lacking:  # other papers are still to come; the case stays
        return False
    apply_transition(
        session,
        office,
        complaint,
        SIGN,
        actor,
        now=now,
        expected_version=expected_version,
        handling=Handling(opened_at),
        details={"files": [staged.original_name for staged in files.values()]},
    )
    return True


def settle_outstanding(
    session: Session, output: CaseOutput, document: Document, now: datetime
) -> None:
    """The signed file is here, so nobody waits for the service's answer any more."""
    for item in session.scalars(
        select(SigningItem).where(
            SigningItem.output_id == output.id, SigningItem.state.in_(OUTSTANDING)
        )
    ):
        item.state, item.signed_id, item.finished_at = "signed", document.id, now
        item.error, item.error_params = "", {}
    session.flush()


def release_unknown(
    session: Session, item: SigningItem, actor: Actor, reason: str, *, now: datetime
) -> None:
    """Let a paper be signed again, once somebody has seen at the service that it was not.

    Raises:
        NotAllowedError, NotFoundError: not his to sign, or not his to know of.
        ReasonRequiredError: what was seen there is not written down.
        RefusedError: its answer has come meanwhile.
    """
    if not actor.can(SIGN):
        raise NotAllowedError(SIGN)
    ensure_visible(actor, item.complaint)
    reason = reason.strip()[:200]
    if not reason:
        raise ReasonRequiredError(SIGN)
    if held(session, item.id).state not in ("unknown", "remote"):
        raise RefusedError("paper_not_waiting")
    item.state, item.finished_at = "released", now
    item.error, item.error_params = "signing_released", {"reason": reason}
    log_event(
        session, item.complaint, "signature_released", actor, now, reason=reason,
        details={"papers": [str(item.output)]},
    )  # fmt: skip
    session.flush()
