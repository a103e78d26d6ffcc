"""What pauses cost: the office minutes in which clocks stood still, by reason.

Definition. A pause counts with the office minutes of its part that lies in the period (overtime
within a day counts as the clock counts it), until now where it still lasts. A pause of one case
counts for that case; a pause of a whole step counts ONCE with its own minutes, however many cases
it held up: those are named beside it. Pauses are counted each by itself, also where two overlap.
A channel, category or kecamatan cuts the pauses of cases and the cases held up; a pause of a whole
step holds up cases of every sort and is therefore always there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.models import ArchivedPause, Complaint, Pause, StepRun
from app.services.archive import touches_archive
from app.services.charts.periods import of_cases
from app.services.statistics import Scope, day_bounds
from app.sop.clock import Calendar, counted_seconds
from app.sop.definition import Sop
from app.sop.text import Text

#: Cases held up by pauses of whole steps are counted from the rows, for periods of so many days.
MOST_DAYS: Final = 92


@dataclass(frozen=True)
class PauseLoss:
    """The pauses of one reason in the period; seconds are office seconds."""

    reason: str
    label: Text
    #: Pauses of single cases: how many, of how many cases, how long together.
    case_pauses: int
    cases: int
    case_seconds: int
    #: Pauses of whole steps; the cases whose stay in the step they touched (None: not counted).
    step_pauses: int
    step_seconds: int
    held_up: int | None

    @property
    def seconds(self) -> int:
        """Both together."""
        return self.case_seconds + self.step_seconds


def pause_losses(
    session: Session, sop: Sop, calendar: Calendar, scope: Scope, *, now: datetime
) -> tuple[PauseLoss, ...]:
    """Every reason that stopped a clock in the period, most minutes first."""
    start, end = day_bounds(scope.first, scope.last)
    end = min(end, now)
    single = _single(session, scope, start, end) if start < end else []
    whole = _whole(session, scope, start, end) if start < end else []
    held_up = _held_up(session, scope, whole, start, end)
    labels = {item.key: item.label for item in sop.pause_reasons}
    rows = []
    for reason in sorted({row[0] for row in (*single, *whole)}):
        mine = [row for row in single if row[0] == reason]
        steps = [row for row in whole if row[0] == reason]
        rows.append(
            PauseLoss(
                reason=reason,
                label=labels.get(reason, Text(reason, reason)),
                case_pauses=len(mine),
                cases=len({row[1] for row in mine}),
                case_seconds=_seconds(calendar, ((row[2], row[3]) for row in mine), start, end),
                step_pauses=len(steps),
                step_seconds=_seconds(calendar, ((row[2], row[3]) for row in steps), start, end),
                held_up=None if held_up is None else held_up.get(reason, 0),
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.seconds, row.reason)))


def _seconds(
    calendar: Calendar,
    spans: Iterable[tuple[datetime, datetime | None]],
    start: datetime,
    end: datetime,
) -> int:
    return sum(
        counted_seconds(calendar, max(first, start), end if last is None else min(last, end))
        for first, last in spans
    )


def _during(statement: Any, start: datetime, end: datetime) -> Any:
    """Pauses that lie in the period with more than an instant."""
    return statement.where(Pause.from_at < end, or_(Pause.to_at.is_(None), Pause.to_at > start))


def _single(session: Session, scope: Scope, start: datetime, end: datetime) -> list[Any]:
    statement = (
        select(Pause.reason, StepRun.complaint_id, Pause.from_at, Pause.to_at)
        .join(StepRun, StepRun.id == Pause.step_run_id)
        .join(Complaint, Complaint.id == StepRun.complaint_id)
    )
    statement = of_cases(_during(statement, start, end), scope)
    if scope.step_key is not None:
        statement = statement.where(StepRun.step_key == scope.step_key)
    return list(session.execute(statement.union_all(_archived(scope, start, end))))


def _archived(scope: Scope, start: datetime, end: datetime) -> Any:
    """The same of cases whose step records lie in an archive."""
    kept = ArchivedPause
    statement = (
        select(kept.reason, kept.complaint_id, kept.from_at, kept.to_at)
        .join(Complaint, Complaint.id == kept.complaint_id)
        .where(kept.from_at < end, kept.to_at > start)
    )
    if scope.step_key is not None:
        statement = statement.where(kept.step_key == scope.step_key)
    return of_cases(statement, scope)


def _whole(session: Session, scope: Scope, start: datetime, end: datetime) -> list[Any]:
    statement = select(Pause.reason, Pause.step_key, Pause.from_at, Pause.to_at).where(
        Pause.step_key.is_not(None)
    )
    if scope.step_key is not None:
        statement = statement.where(Pause.step_key == scope.step_key)
    return list(session.execute(_during(statement, start, end)))


def _held_up(
    session: Session, scope: Scope, pauses: list[Any], start: datetime, end: datetime
) -> dict[str, int] | None:
    """For each reason the cases whose stay in the step touched one of its pauses; None: not counted,
    because there are too many to read, or because some of them lie in an archive."""
    if pauses and (
        (scope.last - scope.first).days >= MOST_DAYS or touches_archive(session, start, end)
    ):
        return None
    found: dict[str, set[int]] = {}
    for reason, step_key, from_at, to_at in pauses:
        first, last = max(from_at, start), end if to_at is None else min(to_at, end)
        statement = (
            select(func.distinct(StepRun.complaint_id))
            .join(Complaint, Complaint.id == StepRun.complaint_id)
            .where(
                StepRun.step_key == step_key,
                StepRun.entered_at < last,
                or_(StepRun.finished_at.is_(None), StepRun.finished_at > first),
            )
        )
        found.setdefault(reason, set()).update(session.scalars(of_cases(statement, scope)))
    return {reason: len(cases) for reason, cases in found.items()}
