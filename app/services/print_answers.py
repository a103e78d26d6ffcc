""" "Did it print well?": what an officer says of each paper of a batch, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint, PrintBatch, PrintBatchItem, PrintRun
from app.services.actor import Actor
from app.services.blanks import note_waiting
from app.services.complaints import claim, log_event
from app.services.facts import current_outputs, printed_well
from app.services.printing import VIEW, print_moves
from app.services.prints import record_print
from app.services.transitions import Handling, Office, apply_transition
from app.services.visibility import visible_cases
from app.sop.clock import counted_seconds, shares
from app.sop.errors import RefusedError, SopError


@dataclass(frozen=True)
class Answer:
    """How one paper came out; `reason` says why it was spoiled."""

    result: str
    reason: str = ""


@dataclass
class Answered:
    """What the answers did: cases that moved on, and what was not counted and why."""

    counted: int = 0
    moved: list[str] = field(default_factory=list)
    refused: list[tuple[str, SopError]] = field(default_factory=list)
    #: Papers that somebody else had answered meanwhile.
    earlier: list[str] = field(default_factory=list)


def answer_batch(
    session: Session,
    office: Office,
    batch: PrintBatch,
    answers: Mapping[int, Answer],
    actor: Actor,
    *,
    now: datetime,
) -> Answered:
    """Keep the answers, by the id of the batch's item; a case whose papers are all well moves on.

    Each case stands or falls alone. The time since the batch was opened, or since its last answer,
    is shared among the cases answered now (design, "The two clocks"). Flushes; the caller commits.

    Raises:
        NotAllowedError: the actor may not print.
        RefusedError: the batch is finished.
    """
    actor.require("can_print", VIEW)
    _hold(session, batch)
    if batch.closed_at is not None:
        raise RefusedError("print_batch_closed")
    since = _begun(session, batch, now)
    wanted = {item.id for item in batch.items if item.run_id is None and item.id in answers}
    numbers = {item.complaint_id for item in batch.items if item.id in wanted}
    # Always in the same order and before the stocks, so that nobody waits crosswise.
    cases = list(
        session.scalars(
            select(Complaint)
            .where(Complaint.id.in_(numbers), visible_cases(actor))
            .order_by(Complaint.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    done = Answered()
    elapsed = counted_seconds(office.calendar, since, now)
    portions = shares(elapsed, len(cases)) if cases else []
    for case, share in zip(cases, portions, strict=True):
        number, handling = case.number, Handling(since, share, len(cases))
        savepoint = session.begin_nested()
        part = Answered()
        try:
            items = [item for item in batch.items if item.complaint_id == case.id]
            mine = [item for item in items if item.id in wanted]
            _answer_case(session, office, case, mine, answers, actor, now, handling, part)
        except SopError as error:
            savepoint.rollback()
            session.expire_all()
            note_waiting(session, error, now=now)
            done.refused.append((number, error))
        else:
            savepoint.commit()
            done.counted += part.counted
            done.moved += part.moved
            done.earlier += part.earlier
    if all(item.run_id is not None for item in batch.items):
        batch.closed_at = now
    session.flush()
    return done


def put_away(session: Session, batch: PrintBatch, actor: Actor, *, now: datetime) -> None:
    """End a batch without an answer for the rest: nothing came out of the printer for those."""
    actor.require("can_print", VIEW)
    _hold(session, batch)
    if batch.closed_at is None:
        batch.closed_at = now
        session.flush()


def _hold(session: Session, batch: PrintBatch) -> None:
    """The batch and its answers as they are now: two windows never count one print twice."""
    session.flush()
    session.refresh(batch, with_for_update=True)
    session.scalars(
        select(PrintBatchItem)
        .where(PrintBatchItem.batch_id == batch.id)
        .execution_options(populate_existing=True)
    ).all()


def _begun(session: Session, batch: PrintBatch, now: datetime) -> datetime:
    """Since when the work now answered for was done: the batch's opening or its last answer."""
    ids = [item.run_id for item in batch.items if item.run_id is not None]
    answered = list(
        session.scalars(
            select(PrintRun.printed_at).where(
                PrintRun.id.in_(ids), PrintRun.printed_by_id == batch.user_id
            )
        )
    )
    return min(max([batch.opened_at, *answered]), now)


def _answer_case(
    session: Session,
    office: Office,
    case: Complaint,
    items: Sequence[PrintBatchItem],
    answers: Mapping[int, Answer],
    actor: Actor,
    now: datetime,
    handling: Handling,
    part: Answered,
) -> None:
    """The answers of one case; its row is held."""
    move = print_moves(office.sop).get(case.step_key)
    for item in items:
        output = session.get_one(CaseOutput, item.output_id, populate_existing=True)
        session.expire(output, ["prints"])
        if output.dropped_at is not None or output.round != case.round:
            raise RefusedError("print_paper_gone", label=str(output))
        if not item.reprint_reason:
            if printed_well(output):
                item.run_id = output.prints[-1].id
                part.earlier.append(f"{case.number}: {output}")
                continue
            if move is None:
                step = office.sop.step(case.step_key).label
                raise RefusedError("print_case_moved", label=str(output), step=step)
        answer = answers[item.id]
        run = record_print(
            session,
            case,
            output,
            answer.result,
            actor,
            now=now,
            reason=answer.reason,
            reprint_reason=item.reprint_reason,
        )
        item.run_id = run.id
        part.counted += 1
        if item.reprint_reason:
            _log_reprint(session, case, output, run, actor, now)
    outputs = current_outputs(session, case)
    finished = bool(outputs) and all(printed_well(output) for output in outputs)
    if move is not None and part.counted and finished and actor.can(move.permission):
        apply_transition(session, office, case, move.key, actor, now=now, handling=handling)
        part.moved.append(case.number)
    elif part.counted:
        claim(session, office, case, None)


def _log_reprint(
    session: Session,
    case: Complaint,
    output: CaseOutput,
    run: PrintRun,
    actor: Actor,
    now: datetime,
) -> None:
    """A paper that was printed once more is a line of the case's history."""
    paper = {"label": output.kind.label_id, "label_en": output.kind.label_en}
    log_event(
        session,
        case,
        "reprinted" if run.result == "good" else "reprint_spoiled",
        actor,
        now,
        reason=run.reprint_reason,
        details={"papers": [{**paper, "note": f"#{run.number}"}]},
    )
