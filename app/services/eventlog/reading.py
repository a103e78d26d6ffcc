"""Cases with their moves and runs, piece by piece: an office of any size fits into no memory.

What a log says of a person: of the applicant nothing at all (no name, number, address, text, nor
what an officer wrote as a reason); of the officer his lane and, for who may see persons, a number
that is his in every log of this office. The number of a case is not personal: who has it learns
from the check page no more without the PIN.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Category, Channel, Complaint, StepRun
from app.services.actor import Actor
from app.services.archive import count_archived
from app.services.statistics import Scope, day_bounds
from app.services.visibility import visible_cases
from app.sop.definition import Sop
from app.sop.errors import SopError

#: Cases that are read at a time: three statements each.
CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One move of a case; the clocks are those of the run that it closed, if it closed one."""

    key: str
    source: str
    target: str
    at: datetime
    lane: str
    officer: int | None
    round: int
    entered_at: datetime | None = None
    started_at: datetime | None = None
    wait_seconds: int | None = None
    work_seconds: int | None = None
    standard_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """One case."""

    id: int
    number: str
    channel: str
    category: str
    kecamatan: str
    received_at: datetime
    stands_in: str
    events: tuple[LogEvent, ...]


def traces(
    session: Session, sop: Sop, scope: Scope, actor: Actor, *, most: int | None = None
) -> Iterator[Trace]:
    """The cases received in the scope's period that the actor may know of, the newest first.

    Each with its whole history until now; an imported case that never moved has none. `most` ends
    the log after so many cases.
    """
    channels = {row[0]: row[1] for row in session.execute(select(Channel.id, Channel.code))}
    categories = {row[0]: row[1] for row in session.execute(select(Category.id, Category.code))}
    after: tuple[datetime, int] | None = None
    left = most
    while left is None or left > 0:
        size = CHUNK if left is None else min(CHUNK, left)
        statement = (
            select(
                Complaint.id, Complaint.number, Complaint.channel_id, Complaint.category_id,
                Complaint.kecamatan_code, Complaint.received_at, Complaint.step_key,
            )
            .where(visible_cases(actor), *_chosen(scope))
            .order_by(Complaint.received_at.desc(), Complaint.id.desc())
            .limit(size)
        )  # fmt: skip
        if after is not None:
            statement = statement.where(
                or_(
                    Complaint.received_at < after[0],
                    (Complaint.received_at == after[0]) & (Complaint.id < after[1]),
                ),
                Complaint.received_at <= after[0],
            )
        cases = session.execute(statement).all()
        if not cases:
            return
        events, places = _events(session, sop, [case.id for case in cases])
        for case in cases:
            yield Trace(
                id=case.id,
                number=case.number,
                channel=channels.get(case.channel_id, ""),
                category=categories.get(case.category_id, ""),
                kecamatan=case.kecamatan_code or "",
                received_at=case.received_at,
                # As the moves were read: a colleague may have moved it since the case was.
                stands_in=places.get(case.id, case.step_key),
                events=tuple(events.get(case.id, ())),
            )
        if len(cases) < size:
            return
        after = (cases[-1].received_at, cases[-1].id)
        left = None if left is None else left - len(cases)


def hidden_cases(session: Session, scope: Scope, actor: Actor) -> int:
    """How many cases of the scope the actor may not know of: the log leaves them out and says so."""
    if actor.can("see_confidential"):
        return 0
    statement = select(func.count(Complaint.id)).where(Complaint.confidential, *_chosen(scope))
    return session.scalar(statement) or 0


def archived_cases(session: Session, scope: Scope, actor: Actor) -> int:
    """How many cases of the log have moves but no clocks: these lie in the archive of their year."""
    return count_archived(session, visible_cases(actor), *_chosen(scope))


def _chosen(scope: Scope) -> list[Any]:
    start, end = day_bounds(scope.first, scope.last)
    found: list[Any] = [Complaint.received_at >= start, Complaint.received_at < end]
    for column, value in (
        (Complaint.channel_id, scope.channel_id),
        (Complaint.category_id, scope.category_id),
        (Complaint.kecamatan_code, scope.kecamatan_code),
    ):
        if value is not None:
            found.append(column == value)
    return found


def _events(
    session: Session, sop: Sop, ids: Sequence[int]
) -> tuple[dict[int, list[LogEvent]], dict[int, str]]:
    """The moves of some cases in order, each with the run that it closed; where the cases stand.

    Both come of one statement, so that a move made meanwhile does not look like a broken history.
    The runs are read last: every move that was read has its run.
    """
    moves = session.execute(
        select(
            CaseEvent.complaint_id, CaseEvent.transition, CaseEvent.from_step, CaseEvent.to_step,
            CaseEvent.at, CaseEvent.by_id, CaseEvent.round, Complaint.step_key.label("stands_in"),
        )
        .join(Complaint, Complaint.id == CaseEvent.complaint_id)
        .where(CaseEvent.complaint_id.in_(ids), CaseEvent.kind == "moved")
        .order_by(CaseEvent.complaint_id, CaseEvent.id)
    ).all()  # fmt: skip
    runs: dict[int, deque[Any]] = defaultdict(deque)
    closed = (
        select(
            StepRun.complaint_id, StepRun.step_key, StepRun.entered_at, StepRun.started_at,
            StepRun.finished_at, StepRun.wait_seconds, StepRun.work_seconds,
            StepRun.standard_minutes,
        )
        .where(StepRun.complaint_id.in_(ids), StepRun.finished_at.is_not(None))
        .order_by(StepRun.id)
    )  # fmt: skip
    for row in session.execute(closed):
        runs[row.complaint_id].append(row)
    found: dict[int, list[LogEvent]] = defaultdict(list)
    places: dict[int, str] = {}
    for move in moves:
        waiting = runs[move.complaint_id]
        # A run whose move is missing must not keep the later moves from theirs.
        while waiting and waiting[0].finished_at < move.at:
            waiting.popleft()
        # Runs are closed in the order of the moves; a step without a clock has none.
        run = waiting.popleft() if waiting and waiting[0].step_key == move.from_step else None
        places[move.complaint_id] = move.stands_in
        found[move.complaint_id].append(
            LogEvent(
                key=move.transition or "",
                source=move.from_step or "",
                target=move.to_step or "",
                at=move.at,
                lane=_lane(sop, move.from_step or "", move.transition or ""),
                officer=move.by_id,
                round=move.round,
                entered_at=run.entered_at if run else None,
                started_at=run.started_at if run else None,
                wait_seconds=run.wait_seconds if run else None,
                work_seconds=run.work_seconds if run else None,
                standard_minutes=run.standard_minutes if run else None,
            )
        )
    return found, places


def _lane(sop: Sop, source: str, key: str) -> str:
    try:
        return sop.move(source, key).actor
    except SopError:  # a move of an older SOP
        return ""
