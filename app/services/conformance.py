"""How far the cases of a period kept to the SOP: moves, hands and hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.services.actor import Actor
from app.services.eventlog import LogEvent, Trace, archived_cases, hidden_cases, traces
from app.services.statistics import Scope
from app.sop.clock import Calendar
from app.sop.conformance import CHECKS, SIGNS, Deviation, Move, deviations, moves_with
from app.sop.definition import Sop

#: So many cases are looked at, the newest; a month of a large office has 17,000.
MOST_CASES: Final = 20_000
#: So many cases of one kind of finding are named; the number says how many there are.
MOST_NAMED: Final = 100


@dataclass(frozen=True)
class Finding:
    """One case with one deviation."""

    complaint_id: int
    number: str
    move: str
    steps: tuple[str, ...]
    at: datetime | None = None
    officer: int | None = None


@dataclass
class Found:
    """One kind of deviation: in how many cases, how often, and which."""

    kind: str
    cases: int = 0
    times: int = 0
    named: list[Finding] = field(default_factory=list)
    #: How often in each step.
    steps: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Conformance:
    """The answer for a period."""

    looked_at: int
    #: Cases whose moves are a walk through the SOP.
    conforming: int
    moves: int
    found: dict[str, Found]
    #: Cases that the actor may not know of, and whether more than `MOST_CASES` were received.
    hidden: int
    cut: bool
    #: Cases of years whose step times are in an archive: their moves are looked at, clocks they have none.
    archived: int = 0

    @property
    def fitness(self) -> float | None:
        """The share of cases that kept to the SOP's table, 0 to 1."""
        return self.conforming / self.looked_at if self.looked_at else None


def conformance(
    session: Session, sop: Sop, calendar: Calendar, scope: Scope, actor: Actor
) -> Conformance:
    """Walk the cases received in a period through the SOP; the newest `MOST_CASES` of them."""
    cases = traces(session, sop, scope, actor, most=MOST_CASES + 1)
    found = judged(sop, calendar, cases, hidden=hidden_cases(session, scope, actor))
    return replace(found, archived=archived_cases(session, scope, actor))


def judged(sop: Sop, calendar: Calendar, cases: Iterable[Trace], *, hidden: int = 0) -> Conformance:
    """The same of cases at hand."""
    checks, signs = moves_with(sop, CHECKS), moves_with(sop, SIGNS)
    found: dict[str, Found] = {}
    looked_at = conforming = moves = 0
    cut = False
    for trace in cases:
        if looked_at == MOST_CASES:
            cut = True
            break
        looked_at += 1
        moves += len(trace.events)
        walked = deviations(
            sop, [Move(event.source, event.key, event.target) for event in trace.events],
            trace.stands_in if trace.events else None,
        )  # fmt: skip
        conforming += not walked
        _take_walk(found, trace, walked)
        _take_hands(found, trace, checks, signs)
        _take_hours(found, trace, calendar)
    return Conformance(looked_at, conforming, moves, found, hidden, cut)


def _take_walk(found: dict[str, Found], trace: Trace, walked: Sequence[Deviation]) -> None:
    for kind in dict.fromkeys(item.kind for item in walked):
        mine = [item for item in walked if item.kind == kind]
        _add(found, kind, trace, [(item.move, item.steps, None) for item in mine])


def _take_hands(
    found: dict[str, Found], trace: Trace, checks: frozenset[str], signs: frozenset[str]
) -> None:
    """The same person checked a case and signed it, in one round (separation of duties)."""
    checked = {
        (event.round, event.officer)
        for event in trace.events
        if event.key in checks and event.officer is not None
    }
    mine = [
        event
        for event in trace.events
        if event.key in signs and (event.round, event.officer) in checked
    ]
    _add(found, "same_person", trace, [(event.key, (event.source,), event) for event in mine])


def _take_hours(found: dict[str, Found], trace: Trace, calendar: Calendar) -> None:
    """A step with a clock was finished while the office was closed."""
    mine = [
        event
        for event in trace.events
        if event.started_at is not None and not _open(calendar, event.at)
    ]
    _add(found, "after_hours", trace, [(event.key, (event.source,), event) for event in mine])


def _open(calendar: Calendar, moment: datetime) -> bool:
    second = moment.timestamp()
    return any(
        opens <= second <= closes for opens, closes in calendar.spans(calendar.day_of(moment))
    )


def _add(
    found: dict[str, Found],
    kind: str,
    trace: Trace,
    places: Sequence[tuple[str, tuple[str, ...], LogEvent | None]],
) -> None:
    if not places:
        return
    mine = found.setdefault(kind, Found(kind))
    mine.cases += 1
    mine.times += len(places)
    for move, steps, event in places:
        mine.steps.update(steps[:1] if event is not None else steps)
        if len(mine.named) < MOST_NAMED:
            mine.named.append(
                Finding(
                    trace.id, trace.number, move, steps,
                    event.at if event else None, event.officer if event else None,
                )
            )  # fmt: skip
