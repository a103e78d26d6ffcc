"""Standing still with a reason: one case, or every case of a step with one click (SIAK is down)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, lazyload

from app.models import Complaint, Pause, StepRun
from app.services.actor import Actor
from app.sop.definition import Sop
from app.sop.errors import NotAllowedError, RefusedError


def _check_reason(sop: Sop, reason: str) -> None:
    if reason not in {item.key for item in sop.pause_reasons}:
        raise RefusedError("pause_reason_unknown", reason=reason)


def require_part(sop: Sop, step_key: str, actor: Actor) -> None:
    """Only who makes one of a step's transitions stops its clocks or lets them go on.

    Raises:
        NotAllowedError: the actor may not pause, or has no part in the step.
    """
    actor.require("can_pause")
    if not actor.can_any(move.key for move in sop.step(step_key).transitions):
        raise NotAllowedError("can_pause")


def pause_run(
    session: Session,
    sop: Sop,
    run: StepRun,
    actor: Actor,
    reason: str,
    *,
    now: datetime,
    note: str = "",
) -> Pause:
    """Let the clock of one case stand still.

    Raises:
        NotAllowedError: the actor may not pause, or has no part in the step.
        RefusedError: an unknown reason, a closed run, or it stands still already.
    """
    require_part(sop, run.step_key, actor)
    _check_reason(sop, reason)
    if run.finished_at is not None:
        raise RefusedError("pause_of_closed_run")
    if open_pause(session, run) is not None:
        raise RefusedError("paused_already")
    pause = Pause(
        step_run_id=run.id, reason=reason, note=note.strip()[:200], from_at=now, by_id=actor.id
    )
    session.add(pause)
    session.flush()
    return pause


def pause_step(
    session: Session,
    sop: Sop,
    step_key: str,
    actor: Actor,
    reason: str,
    *,
    now: datetime,
    note: str = "",
) -> Pause:
    """Let the clocks of all cases in a step stand still, those that arrive meanwhile included.

    Raises:
        NotAllowedError: the actor may not pause, or has no part in the step.
        RefusedError: an unknown reason, a step without a clock, or it stands still already.
    """
    require_part(sop, step_key, actor)
    _check_reason(sop, reason)
    if not sop.step(step_key).clock:
        raise RefusedError("pause_without_clock")
    if open_step_pause(session, step_key) is not None:
        raise RefusedError("paused_already")
    pause = Pause(
        step_key=step_key, reason=reason, note=note.strip()[:200], from_at=now, by_id=actor.id
    )
    session.add(pause)
    session.flush()
    return pause


def end_pause(session: Session, pause: Pause, actor: Actor, *, now: datetime) -> None:
    """Let the clock go on; ending a pause twice changes nothing.

    Raises:
        NotAllowedError: the actor may not pause.
    """
    actor.require("can_pause")
    if pause.to_at is None:
        pause.to_at = max(now, pause.from_at)
        pause.ended_by_id = actor.id
        session.flush()


def open_pause(session: Session, run: StepRun) -> Pause | None:
    """The pause in which one case stands still now, if any."""
    return session.scalars(
        select(Pause).where(Pause.step_run_id == run.id, Pause.to_at.is_(None))
    ).first()


def open_step_pause(session: Session, step_key: str) -> Pause | None:
    """The pause in which a whole step stands still now, if any."""
    return session.scalars(
        select(Pause).where(Pause.step_key == step_key, Pause.to_at.is_(None))
    ).first()


def open_run_with_pauses(
    session: Session, complaint: Complaint
) -> tuple[StepRun | None, list[Pause]]:
    """The open run of a case with the pauses that touch it, its own and those of its step."""
    touches = and_(
        or_(Pause.step_run_id == StepRun.id, Pause.step_key == StepRun.step_key),
        or_(Pause.to_at.is_(None), Pause.to_at > StepRun.entered_at),
    )
    rows = session.execute(
        select(StepRun, Pause)
        .outerjoin(Pause, touches)
        .where(StepRun.complaint_id == complaint.id, StepRun.finished_at.is_(None))
        .options(lazyload(StepRun.step))
    ).all()
    return (rows[0][0] if rows else None), [row[1] for row in rows if row[1] is not None]


def end_own_pause(run: StepRun, pauses: Iterable[Pause], actor: Actor, now: datetime) -> None:
    """A case that moves on stands still no longer: its own open pause ends with its run."""
    for pause in pauses:
        if pause.step_run_id == run.id and pause.to_at is None:
            pause.to_at = max(now, pause.from_at)
            pause.ended_by_id = actor.id
