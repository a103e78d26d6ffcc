"""What waits for an officer: one fair queue over the steps he acts in.

The order is the promise of the queue: what he has begun first, then what the law makes urgent,
then whatever has stood longest. Nothing else moves a case up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from app.models import Complaint, Pause, StepRun, User
from app.services.actor import Actor
from app.services.clocks import Clocks, count_clocks
from app.services.transitions import Office
from app.services.visibility import visible_cases
from app.sop.definition import Sop, Step, Transition

PAGE_SIZE: Final = 50
#: A legal date this near puts a case before older ones.
RISK_DAYS: Final = timedelta(days=3)
#: An applicant who does not answer for so long is deemed to have withdrawn (UU 25/2009).
ANSWER_DAYS: Final = 30
#: Written into the statement: PostgreSQL knows how many cases stand in each step.
_STEPS: Final[Any] = bindparam("steps", expanding=True, literal_execute=True)
#: The reminder is due before that.
ANSWER_WARNING_DAYS: Final = 25


class QueuedCase(NamedTuple):
    """What a row of the queue shows of its case: not the complaint's text, nor what it is about."""

    id: int
    number: str
    applicant_name: str
    category_id: int
    round: int
    confidential: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One case of the queue; seconds are office seconds, `standard` is minutes."""

    case: QueuedCase
    step: Step
    since: datetime
    holder: str
    mine: bool
    due: date
    clocks: Clocks | None = None
    started: bool = False
    standing: bool = False
    standard: int | None = None


@dataclass(frozen=True)
class StepPause:
    """A pause of a whole step that lasts now."""

    step_key: str
    reason: str
    note: str
    since: datetime
    by_name: str


@dataclass(frozen=True)
class StepCount:
    """How many cases stand in a step, how many of them the officer may see, and what left today."""

    here: int = 0
    visible: int = 0
    left_today: int = 0


@dataclass(frozen=True)
class Queue:
    """One page of the queue; `step` is None on the tab of all steps."""

    steps: tuple[Step, ...]
    waiting: tuple[Step, ...]
    step: Step | None
    entries: list[Entry]
    total: int
    page: int
    pages: int
    counts: Mapping[str, StepCount]
    pauses: Mapping[str, StepPause]

    def count(self, steps: Sequence[Step]) -> int:
        """The cases in some steps that the officer may see."""
        return sum(self.counts.get(step.key, StepCount()).visible for step in steps)


def my_steps(sop: Sop, actor: Actor) -> tuple[Step, ...]:
    """The steps with a clock in which the officer holds at least one transition."""
    return tuple(
        step
        for step in sop.steps
        if step.clock and actor.can_any(move.permission for move in step.transitions)
    )


def my_waiting_steps(sop: Sop, actor: Actor) -> tuple[Step, ...]:
    """The steps in which cases wait for the applicant and that the officer ends."""
    return tuple(
        step
        for step in sop.steps
        if step.kind == "waiting" and actor.can_any(move.permission for move in step.transitions)
    )


def batch_moves(step: Step, actor: Actor) -> tuple[Transition, ...]:
    """The transitions of a step that the officer may make on several cases at once."""
    return tuple(move for move in step.transitions if move.batch and actor.can(move.permission))


def load_queue(
    session: Session,
    office: Office,
    actor: Actor,
    *,
    now: datetime,
    step_key: str = "",
    page: int = 0,
) -> Queue:
    """One page of what waits for an officer, in four statements whatever its length.

    Args:
        session: only read.
        office: the SOP and the calendar.
        actor: who asks; he sees his own steps, under the row rule of every list.
        now: until when the clocks count (aware).
        step_key: one of his steps; anything else means all with a clock.
        page: from 0; a page past the end is the last one.
    """
    steps, waiting = my_steps(office.sop, actor), my_waiting_steps(office.sop, actor)
    chosen = next((step for step in (*steps, *waiting) if step.key == step_key), None)
    if chosen is None and len(steps) == 1:
        chosen = steps[0]
    if chosen is None and not steps and waiting:
        chosen = waiting[0]
    counts = step_counts(session, office, actor, now)
    shown = (chosen,) if chosen else steps
    total = sum(counts.get(step.key, StepCount()).visible for step in shown)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 0), pages - 1)
    today = office.calendar.day_of(now)
    rows: list[Any] = []
    clocked = chosen is None or chosen.clock
    if shown and total:
        read = _run_rows if clocked else _waiting_rows
        rows = read(session, shown, actor, today, page)
    runs = rows if clocked else []
    pauses = _pauses(session, steps, runs, now)
    if clocked:
        entries = _with_clocks(office, runs, pauses, actor, now)
    else:
        entries = [_entry(office.sop, row, actor) for row in rows]
    return Queue(
        steps=steps,
        waiting=waiting,
        step=chosen,
        entries=entries,
        total=total,
        page=page,
        pages=pages,
        counts=counts,
        pauses=_step_pauses(pauses),
    )


def step_counts(
    session: Session, office: Office, actor: Actor, now: datetime
) -> dict[str, StepCount]:
    """How many cases stand in each step that is no end, and how many left it today (two selects).

    `here` counts every case, also those that the actor may not see: a number tells nothing of whom.
    """
    keys = [step.key for step in office.sop.steps if step.kind != "end"]
    seen = func.sum(case((visible_cases(actor), 1), else_=0))
    here = {
        key: (int(count), int(visible or 0))
        for key, count, visible in session.execute(
            select(Complaint.step_key, func.count(), seen)
            .where(Complaint.closed_at.is_(None), Complaint.step_key.in_(_STEPS))
            .group_by(Complaint.step_key),
            {"steps": keys},
        )
    }
    midnight = datetime.combine(office.calendar.day_of(now), time(0), office.calendar.tz)
    left = {
        key: int(count)
        for key, count in session.execute(
            select(StepRun.step_key, func.count())
            .where(StepRun.finished_at >= midnight)
            .group_by(StepRun.step_key)
        )
    }
    return {key: StepCount(*here.get(key, (0, 0)), left_today=left.get(key, 0)) for key in keys}


_CASE: Final = (
    Complaint.id,
    Complaint.number,
    Complaint.applicant_name,
    Complaint.category_id,
    Complaint.round,
    Complaint.confidential,
)
#: Who holds the case, by when it must be answered, and where it stands since when.
_HELD: Final = (
    Complaint.assignee_id,
    User.first_name,
    User.last_name,
    Complaint.class_due,
    Complaint.decision_due,
)


def _run_rows(
    session: Session, steps: Sequence[Step], actor: Actor, today: date, page: int
) -> list[Any]:
    """The cases whose clock runs: mine, then at risk, then the longest there."""
    values = {
        "soon": today + RISK_DAYS,
        "steps": [step.key for step in steps],
        "most": PAGE_SIZE,
        **({"skipped": page * PAGE_SIZE} if page else {}),
    }
    return list(session.execute(_run_statement(actor, skips=bool(page)), values))


@lru_cache(maxsize=200)
def _run_statement(actor: Actor, *, skips: bool) -> Select[Any]:
    """The cases of a page in their order; composed once, which costs as much as running it.

    How many there are on a page stands in it: not knowing that, PostgreSQL would plan it each time.
    Who holds a case in a step with a clock has begun it, so the order is known from the cases alone,
    by an index of the open ones. Only those of the page are looked up.
    """
    mine: ColumnElement[int] = case((Complaint.assignee_id == actor.id, 0), else_=1)
    soon = bindparam("soon", type_=Date)
    risk: ColumnElement[int] = case(
        (or_(Complaint.class_due <= soon, Complaint.decision_due <= soon), 0), else_=1
    )
    page = (
        select(Complaint.id.label("case_id"), mine.label("mine"), risk.label("risk"))
        .where(
            Complaint.closed_at.is_(None),
            Complaint.step_key.in_(_STEPS),
            visible_cases(actor),
        )
        .order_by(mine, risk, Complaint.step_since, Complaint.id)
        .limit(bindparam("most", type_=Integer, literal_execute=True))
    )
    if skips:
        page = page.offset(bindparam("skipped", type_=Integer))
    keys = page.subquery()
    return (
        select(
            *_CASE,
            *_HELD,
            StepRun.step_key,
            StepRun.entered_at.label("since"),
            StepRun.started_at,
            StepRun.standard_minutes,
            StepRun.id.label("run_id"),
        )
        .select_from(keys)
        .join(Complaint, Complaint.id == keys.c.case_id)
        .join(StepRun, and_(StepRun.complaint_id == Complaint.id, StepRun.finished_at.is_(None)))
        .outerjoin(User, User.id == Complaint.assignee_id)
        .order_by(keys.c.mine, keys.c.risk, Complaint.step_since, Complaint.id)
    )


def _waiting_rows(
    session: Session, steps: Sequence[Step], actor: Actor, today: date, page: int
) -> list[Any]:
    """The cases that wait for the applicant, the longest first."""
    rows = session.execute(
        select(*_CASE, *_HELD, Complaint.step_key, Complaint.step_since.label("since"))
        .select_from(Complaint)
        .outerjoin(User, User.id == Complaint.assignee_id)
        .where(Complaint.step_key.in_([step.key for step in steps]), visible_cases(actor))
        .order_by(Complaint.step_since, Complaint.id)
        .limit(PAGE_SIZE)
        .offset(page * PAGE_SIZE)
    )
    return list(rows)


def _entry(sop: Sop, row: Any, actor: Actor, **clocks: Any) -> Entry:
    held = row.assignee_id
    return Entry(
        case=QueuedCase(*row[: len(_CASE)]),
        step=sop.step(row.step_key),
        since=row.since,
        holder=_name(row.first_name, row.last_name),
        mine=held is not None and held == actor.id,
        due=min(row.class_due, row.decision_due),
        **clocks,
    )


def _name(first: str | None, last: str | None) -> str:
    return " ".join(part for part in (first, last) if part)


def _pauses(
    session: Session, steps: Sequence[Step], runs: Sequence[Any], now: datetime
) -> list[Any]:
    """The pauses that touch these runs or stop these steps now, with who began each."""
    keys = [step.key for step in steps]
    if not keys:
        return []
    first = min((run.since for run in runs), default=now)
    values = {"runs": [run.run_id for run in runs], "steps": keys, "first": first}
    return list(session.execute(_pause_statement(), values))


@cache
def _pause_statement() -> Select[Any]:
    return (
        select(
            Pause.step_run_id,
            Pause.step_key,
            Pause.from_at,
            Pause.to_at,
            Pause.reason,
            Pause.note,
            User.first_name,
            User.last_name,
        )
        .outerjoin(User, User.id == Pause.by_id)
        .where(
            or_(
                Pause.step_run_id.in_(bindparam("runs", expanding=True)),
                Pause.step_key.in_(bindparam("steps", expanding=True)),
            ),
            or_(Pause.to_at.is_(None), Pause.to_at > bindparam("first")),
        )
    )


def _with_clocks(
    office: Office, runs: Sequence[Any], pauses: Sequence[Any], actor: Actor, now: datetime
) -> list[Entry]:
    """The entries with both clocks; a pause counts for its own run or for its whole step."""
    own: dict[int | str, list[tuple[datetime, datetime | None]]] = {}
    for pause in pauses:
        key = pause.step_run_id if pause.step_run_id is not None else pause.step_key
        own.setdefault(key, []).append((pause.from_at, pause.to_at))
    found = []
    for run in runs:
        spans = [*own.get(run.run_id, ()), *own.get(run.step_key, ())]
        entry = _entry(
            office.sop,
            run,
            actor,
            clocks=count_clocks(office.calendar, run.since, run.started_at, spans, now),
            started=run.started_at is not None,
            standing=any(end is None for _, end in spans),
            standard=run.standard_minutes,
        )
        found.append(entry)
    return found


def _step_pauses(pauses: Sequence[Any]) -> dict[str, StepPause]:
    return {
        pause.step_key: StepPause(
            pause.step_key,
            pause.reason,
            pause.note,
            pause.from_at,
            _name(pause.first_name, pause.last_name),
        )
        for pause in pauses
        if pause.step_key is not None and pause.to_at is None
    }
