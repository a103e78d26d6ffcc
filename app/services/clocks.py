"""The two clocks of a run: wait from entry to start, work from start to finish, pauses left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.models import Pause, StepRun
from app.sop.clock import Calendar, counted_seconds

Span = tuple[datetime, datetime | None]


@dataclass(frozen=True)
class Clocks:
    """Office seconds of one run so far."""

    wait: int
    work: int


def read_clocks(calendar: Calendar, run: StepRun, pauses: Sequence[Span], now: datetime) -> Clocks:
    """Both clocks of a run: frozen values for a closed one, the count until now for an open one."""
    if run.wait_seconds is not None and run.work_seconds is not None:
        return Clocks(run.wait_seconds, run.work_seconds)
    return count_clocks(calendar, run.entered_at, run.started_at, pauses, now)


def count_clocks(
    calendar: Calendar,
    entered: datetime,
    started: datetime | None,
    pauses: Sequence[Span],
    now: datetime,
) -> Clocks:
    """Both clocks of a run that began and was started then, until now."""
    if started is None:
        return Clocks(counted_seconds(calendar, entered, now, pauses), 0)
    return Clocks(
        counted_seconds(calendar, entered, started, pauses),
        counted_seconds(calendar, started, now, pauses),
    )


def open_clocks(
    session: Session, calendar: Calendar, runs: Sequence[StepRun], now: datetime
) -> dict[int, tuple[Clocks, bool]]:
    """Both clocks of several open runs and whether each stands still now, in one query."""
    if not runs:
        return {}
    steps = {run.step_key for run in runs}
    ids = [run.id for run in runs]
    first = min(run.entered_at for run in runs)
    rows = session.execute(
        select(Pause.step_run_id, Pause.step_key, Pause.from_at, Pause.to_at).where(
            or_(Pause.step_run_id.in_(ids), Pause.step_key.in_(steps)),
            or_(Pause.to_at.is_(None), Pause.to_at > first),
        )
    ).all()
    found: dict[int, tuple[Clocks, bool]] = {}
    for run in runs:
        mine = [row for row in rows if run.id == row[0] or run.step_key == row[1]]
        spans: list[Span] = [(row[2], row[3]) for row in mine]
        standing = any(span_end is None for _, span_end in spans)
        found[run.id] = (read_clocks(calendar, run, spans, now), standing)
    return found
