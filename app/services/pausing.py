"""Standing still with a reason: one case, or every case of a step with one click (SIAK is down)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from app.models import Complaint, Pause, StepRun
from app.services.actor import Actor
from app.services.numbers import year_of
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


@dataclass(frozen=True)
class OpenRun:
    """The open run of a case as its move finds it, with the pauses that touch it, its step's too."""

    id: int
    case_year: int
    step_key: str
    entered_at: datetime
    started_at: datetime | None
    started_by_id: int | None
    standard_minutes: int | None
    pauses: list[tuple[datetime, datetime | None]]
    #: Its own pause that lasts; a pause of the whole step is not its own.
    standing_id: int | None


def open_run_at_its_end(session: Session, complaint: Complaint, now: datetime) -> OpenRun | None:
    """The open run of a case that moves on, with its pauses: its own one ends now."""
    of_case = {"case": complaint.id, "year": year_of(complaint.number)}
    rows = session.execute(_OPEN_RUN, of_case).all()
    if not rows:
        return None
    run_id, standing, pauses = rows[0][0], None, []
    for pause_id, of_run, begun, ended in (row[7:] for row in rows if row[7] is not None):
        if of_run == run_id and ended is None:
            standing, ended = pause_id, max(now, begun)
        pauses.append((begun, ended))
    return OpenRun(*rows[0][:7], pauses=pauses, standing_id=standing)


def end_own_pause(session: Session, run: OpenRun, actor: Actor, now: datetime) -> None:
    """A case that moves on stands still no longer: its own open pause ends with its run."""
    if run.standing_id is not None:
        pause = session.get_one(Pause, run.standing_id)
        pause.to_at = max(now, pause.from_at)
        pause.ended_by_id = actor.id
        session.flush()


_RUNS: Final[Any] = StepRun.__table__
_PAUSES: Final[Any] = Pause.__table__
# Made once, and by columns: it is read by every move.
_OPEN_RUN: Final = (
    select(
        _RUNS.c.id,
        _RUNS.c.case_year,
        _RUNS.c.step_key,
        _RUNS.c.entered_at,
        _RUNS.c.started_at,
        _RUNS.c.started_by_id,
        _RUNS.c.standard_minutes,
        _PAUSES.c.id,
        _PAUSES.c.step_run_id,
        _PAUSES.c.from_at,
        _PAUSES.c.to_at,
    )
    .select_from(_RUNS)
    .outerjoin(
        _PAUSES,
        and_(
            or_(_PAUSES.c.step_run_id == _RUNS.c.id, _PAUSES.c.step_key == _RUNS.c.step_key),
            or_(_PAUSES.c.to_at.is_(None), _PAUSES.c.to_at > _RUNS.c.entered_at),
        ),
    )
    .where(
        _RUNS.c.complaint_id == bindparam("case"),
        _RUNS.c.case_year == bindparam("year"),
        _RUNS.c.finished_at.is_(None),
    )
)
