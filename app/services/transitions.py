"""The one way a complaint moves: permission → rules → write → log → flush."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, SopStep, StepRun
from app.services.actor import Actor
from app.services.archive import require_not_archived
from app.services.audit import record
from app.services.clocks import count_clocks
from app.services.effects import run_effect
from app.services.facts import facts_on_demand
from app.services.guarding import (
    claim_version,
    write_closed_run,
    write_event,
    write_next_run,
)
from app.services.messages.compose import Reach, queue_messages
from app.services.numbers import year_of
from app.services.pausing import end_own_pause, open_run_at_its_end
from app.services.signatories import Standing, standing_of
from app.services.statistics import Fact, note
from app.services.statistics.counting import RETURNED, returned
from app.services.statistics.facts import (
    dims_of,
    due_facts_of,
    ended_fact,
    return_fact,
    run_fact,
)
from app.services.visibility import ensure_visible
from app.sop.clock import Calendar, counted_seconds
from app.sop.definition import Sop, Step, Transition
from app.sop.errors import (
    GuardFailedError,
    NotAllowedError,
    ReasonRequiredError,
    RefusedError,
    UnknownTransitionError,
    WrongStepError,
)
from app.sop.guards import ABOUT_WHO_SIGNS, FAILED, CaseFacts, problems_of


@dataclass(frozen=True)
class Office:
    """What moving a case needs besides the case: the SOP, the calendar, the ways to applicants."""

    sop: Sop
    calendar: Calendar
    reach: Reach = field(default_factory=Reach)


@dataclass(frozen=True)
class Handling:
    """How the work on a case was done when no one pressed *Kerjakan*: since when, among how many.

    `opened_at` is when the officer opened the page he acted from; `share` the office seconds of
    this case when several were handled together (a batch shares its time among its cases).
    """

    opened_at: datetime
    share: int | None = None
    batch_size: int = 1


@dataclass(frozen=True)
class Moved:
    """The move that was made."""

    key: str
    from_step: str
    to_step: str


def apply_transition(
    session: Session,
    office: Office,
    complaint: Complaint,
    key: str,
    actor: Actor,
    *,
    now: datetime,
    reason: str = "",
    expected_version: int | None = None,
    handling: Handling | None = None,
    details: Mapping[str, object] | None = None,
) -> Moved:
    """Move a complaint along one transition, close its open run and open the next.

    Flushes but never commits: the caller owns the transaction, and rolls back on any error.

    Raises:
        NotFoundError: the actor may not know of this case.
        UnknownTransitionError: the SOP has no such transition at all.
        NotAllowedError: the actor lacks the transition's permission.
        WrongStepError: the transition does not start here, or another officer was first.
        ReasonRequiredError: the SOP wants a reason and none was given.
        GuardFailedError: something the SOP asks for is not there yet.
    """
    ensure_visible(actor, complaint)
    if key not in office.sop.permissions:
        raise UnknownTransitionError(complaint.step_key, key)
    if not actor.can(key):
        raise NotAllowedError(key)
    if complaint.erased_at is not None:
        raise RefusedError("case_erased")
    move = _move_from_here(session, office.sop, complaint, key)
    reason = reason.strip()
    if move.reason and not reason:
        raise ReasonRequiredError(key)

    source, target = office.sop.step(move.source), office.sop.step(move.target)
    if source.kind == "end":
        require_not_archived(session, complaint)
    ends = target.kind == "end"
    # Its legal dates and its end as they were counted until now, where this move changes them.
    recounted = complaint.told_at is None or complaint.closed_at is not None or ends
    before = _standing(complaint, source.key) if recounted else []
    round_before = complaint.round
    # The claim comes first: from here on the row is ours, and the facts below cannot change.
    values = {
        "step_key": target.key,
        "step_since": now,
        "assignee_id": None,
        "closed_at": now if ends else None,
    }
    if not claim_version(session, complaint, expected_version, **values):
        raise _moved_by_other(session, office.sop, complaint)
    if move.effect == "record_printed":
        run_effect(session, move.effect, complaint, actor, now)
    # Asked only where it matters: it is a statement more.
    signs = not ABOUT_WHO_SIGNS.isdisjoint(move.guards)
    standing = standing_of(session, complaint, actor, now) if signs else Standing()
    facts = facts_on_demand(
        session,
        complaint,
        signatory_in_office=standing.in_office,
        checked_by_actor=standing.conflict,
    )
    if problems := problems_of(move.guards, facts):
        raise GuardFailedError(problems)

    if standing.checked:  # lawful by the office's exception alone, and said so for good
        details = {**(details or {}), "same_person": standing.exception}
        record(
            session, "duties_exception", actor_id=actor.id, subject=f"complaint:{complaint.number}"
        )
    if target.kind == "waiting":
        details = {**(details or {}), RETURNED: _what_failed(facts)}
    _close_run(session, office, complaint, source, move, actor, now, reason, handling)
    if move.effect and move.effect != "record_printed":
        run_effect(session, move.effect, complaint, actor, now)
    write_event(
        session,
        {
            "complaint_id": complaint.id,
            "kind": "moved",
            "at": now,
            "by_id": actor.id,
            "by_name": actor.name,
            "transition": key,
            "from_step": source.key,
            "to_step": target.key,
            "round": round_before,
            "version": complaint.version,
            "reason": reason,
            "details": dict(details or {}),
        },
    )
    record(
        session,
        "case_moved",
        actor_id=actor.id,
        subject=f"complaint:{complaint.number}",
        detail={"move": key, "from": source.key, "to": target.key, "version": complaint.version},
        at=now,
    )
    if target.clock:
        write_next_run(session, complaint, target.key, now)
    if target.kind == "waiting":
        failed, differences = returned(details or {}, {})
        note(session, [return_fact(dims_of(complaint), key, now, failed, differences)])
    if recounted:
        _count_standing(session, before, _standing(complaint, target.key))
    if move.message:
        queue_messages(
            session, complaint, move.message, actor, now, reach=office.reach, reason=reason
        )
    return Moved(key, source.key, target.key)


def standard_of(session: Session, step_key: str) -> int | None:
    """The office's standard minutes of a step as they are now."""
    return session.execute(
        select(SopStep.standard_minutes).where(SopStep.key == step_key)
    ).scalar_one()


def open_run(session: Session, complaint: Complaint) -> StepRun | None:
    """The one open run of a complaint, None while its step has no clock."""
    return session.execute(
        select(StepRun).where(
            StepRun.complaint_id == complaint.id,
            StepRun.case_year == year_of(complaint.number),
            StepRun.finished_at.is_(None),
        )
    ).scalar_one_or_none()


def start_work(
    session: Session,
    sop: Sop,
    complaint: Complaint,
    actor: Actor,
    *,
    now: datetime,
    take_over: bool = False,
    expected_version: int | None = None,
) -> StepRun | None:
    """Start the work clock and take the case: what *Kerjakan* does (SOP, every step).

    Pressing it again on one's own case changes nothing. A colleague's case is only taken over on
    purpose.

    Raises:
        NotAllowedError: no transition of this step is the actor's to make.
        WrongStepError: another officer works on it, or has moved it.
    """
    ensure_visible(actor, complaint)
    step = sop.step(complaint.step_key)
    actor.require("can_work")
    if not actor.can_any(move.key for move in step.transitions):
        raise NotAllowedError("can_work")
    if complaint.assignee_id is not None and complaint.assignee_id != actor.id and not take_over:
        raise _held_by_other(session, sop, complaint)
    run = open_run(session, complaint)
    if complaint.assignee_id == actor.id and (run is None or run.started_at is not None):
        return run
    if not claim_version(session, complaint, expected_version):
        raise _moved_by_other(session, sop, complaint)
    complaint.assignee_id = actor.id
    if run is not None and run.started_at is None:
        run.started_at = max(now, run.entered_at)
        run.started_by_id = actor.id
    session.flush()
    return run


def _move_from_here(session: Session, sop: Sop, complaint: Complaint, key: str) -> Transition:
    try:
        return sop.move(complaint.step_key, key)
    except UnknownTransitionError:
        raise _moved_by_other(session, sop, complaint, action=key) from None


def _moved_by_other(
    session: Session, sop: Sop, complaint: Complaint, action: str = ""
) -> WrongStepError:
    """The refusal that names who was first and when."""
    last = session.execute(
        select(CaseEvent)
        .where(CaseEvent.complaint_id == complaint.id, CaseEvent.kind == "moved")
        .order_by(CaseEvent.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    label = sop.step(complaint.step_key).label
    if last is None:
        return WrongStepError(step=label)
    return WrongStepError(who=last.by_name, at=last.at, step=label)


def _held_by_other(session: Session, sop: Sop, complaint: Complaint) -> WrongStepError:
    run = open_run(session, complaint)
    since = run.started_at if run is not None and run.started_at else complaint.step_since
    error = WrongStepError(
        who=complaint.assignee.get_full_name() if complaint.assignee else "",
        at=since,
        step=sop.step(complaint.step_key).label,
    )
    error.code = "held_by_other"
    return error


def _close_run(
    session: Session,
    office: Office,
    complaint: Complaint,
    step: Step,
    move: Transition,
    actor: Actor,
    now: datetime,
    reason: str,
    handling: Handling | None,
) -> None:
    """Freeze both clocks of the open run; a batch's case gets its share of the batch's time."""
    run = open_run_at_its_end(session, complaint, now)
    if run is None:
        if step.clock:  # invariant 1 is broken: better to stop than to lose a clock silently
            raise RuntimeError(f"complaint {complaint.number} has no open run at {step.key}")
        return
    end_own_pause(session, run, actor, now)
    started, started_by = run.started_at, run.started_by_id
    if started is None:
        opened = handling.opened_at if handling else now
        started, started_by = min(max(opened, run.entered_at), now), actor.id
    finished, batch_size = max(now, started), 1
    clocks = count_clocks(office.calendar, run.entered_at, started, run.pauses, finished)
    work = clocks.work
    if handling is not None and handling.share is not None:
        batch_size = handling.batch_size
        own = 0
        if run.started_at is not None and run.started_at < handling.opened_at:
            own = counted_seconds(office.calendar, run.started_at, handling.opened_at, run.pauses)
        work = own + handling.share
    if complaint.told_at is None:
        complaint.told_at = finished
        session.flush()
    write_closed_run(
        session,
        run.id,
        run.case_year,
        {
            "started_at": started,
            "started_by_id": started_by,
            "finished_at": finished,
            "finished_by_id": actor.id,
            "transition": move.key,
            "reason": reason,
            "wait_seconds": clocks.wait,
            "work_seconds": work,
            "batch_size": batch_size,
        },
    )
    note(
        session,
        [
            run_fact(
                dims_of(complaint),
                run.step_key,
                finished,
                work,
                clocks.wait,
                run.standard_minutes,
                actor.id,
            )
        ],
    )


def _what_failed(facts: CaseFacts) -> dict[str, object]:
    """Why a case goes back, by codes: the papers that failed and the data that differ in SIAK."""
    differs = facts.siak is not None and facts.siak.result == "mismatch"
    return {
        "failed": [[item.kind, item.state] for item in facts.requirements if item.state in FAILED],
        "differences": list(facts.siak.differences) if facts.siak and differs else [],
    }


def _standing(complaint: Complaint, step_key: str) -> list[Fact]:
    """What the numbers say of a case as a whole: its legal dates and, when it ended, its end."""
    found = due_facts_of(complaint)
    if complaint.closed_at is not None:
        dims = dims_of(complaint)
        found.append(ended_fact(dims, step_key, complaint.closed_at, complaint.round))
    return found


def _count_standing(session: Session, before: list[Fact], after: list[Fact]) -> None:
    """Count only what the move changed."""
    note(session, [fact for fact in before if fact not in after], -1)
    note(session, [fact for fact in after if fact not in before])
