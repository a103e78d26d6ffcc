"""The office's own SOP sheet: its rows, the lanes with their symbols, and the cases in each step.

The drawing is worked out from the SOP file alone, so a seventh step is drawn by itself. A move to
the next row is an arrow; any other one ends in the official sheet's fifth symbol, the pentagon
that leads elsewhere. Extensions of ours are not on the office's sheet: they are listed below it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Complaint, Office, Pause, SopStep
from app.services.statistics import Scope, read
from app.sop.definition import Lane, Sop, Step, Transition
from app.sop.text import Text

#: Every day on which a case can have ended.
EVER: Final = Scope(date(2000, 1, 1), date(2099, 12, 31))
Side = Literal["up", "down", "left", "right"]
#: Symbols of Permenpan-RB 35/2012: capsule, box, diamond; the pentagon leads elsewhere.
ELSEWHERE: Final = "elsewhere"


@dataclass
class Cell:
    """One lane of one row: a symbol, the lines that meet in its middle, and words on a line.

    `arrow` is the side on which an arrow comes in; `word` is "yes" or "no" of a decision;
    `number` is the row a pentagon leads to.
    """

    symbol: str = ""
    lines: set[Side] = field(default_factory=set)
    arrow: Side | None = None
    word: str = ""
    number: int | None = None

    @property
    def free(self) -> bool:
        """Nothing is drawn here yet."""
        return not self.symbol and not self.lines


@dataclass(frozen=True)
class Way:
    """Where a step leads, in words: the answer of a decision and the next step."""

    word: str
    target: Step


@dataclass(frozen=True)
class Row:
    """One activity of the sheet."""

    step: Step
    cells: tuple[Cell, ...]
    ways: tuple[Way, ...]
    minutes: int | None = None
    here: int = 0
    paused: str = ""


@dataclass(frozen=True)
class Extra:
    """A transition that the panel adds to the office's sheet, from each step that has it."""

    move: Transition
    sources: tuple[Step, ...]
    target: Step
    lane: Text


@dataclass(frozen=True)
class OffSheet:
    """A step that is no activity, and how many cases stand in it."""

    step: Step
    here: int


@dataclass(frozen=True)
class Sheet:
    """The whole sheet; `total_minutes` is the office's standard of today."""

    office: Office | None
    lanes: tuple[Lane, ...]
    rows: list[Row]
    total_minutes: int
    off_sheet: list[OffSheet]
    extras: list[Extra]


def load_sheet(session: Session, sop: Sop, *, now: datetime) -> Sheet:
    """The sheet with the office's standard minutes and the number of cases in each step.

    Every case is counted, also those that only few may see: a number tells nothing of whom.
    """
    standards = {
        row[0]: row[1] for row in session.execute(select(SopStep.key, SopStep.standard_minutes))
    }
    counts = cases_by_step(session)
    paused = {
        row[0]: row[1]
        for row in session.execute(
            select(Pause.step_key, Pause.reason).where(
                Pause.step_key.is_not(None), Pause.to_at.is_(None), Pause.from_at <= now
            )
        )
    }
    reasons = {reason.key: str(reason.label) for reason in sop.pause_reasons}
    rows = []
    for step, cells in zip(activities(sop), draw(sop), strict=True):
        reason = paused.get(step.key, "")
        rows.append(
            Row(
                step=step,
                cells=cells,
                ways=ways_out(sop, step),
                minutes=standards.get(step.key, step.standard_minutes),
                here=counts.get(step.key, 0),
                paused=reasons.get(reason, reason),
            )
        )
    return Sheet(
        office=session.scalars(select(Office).order_by(Office.id).limit(1)).first(),
        lanes=sop.lanes,
        rows=rows,
        total_minutes=sum(row.minutes or 0 for row in rows),
        off_sheet=[
            OffSheet(step, counts.get(step.key, 0)) for step in sop.steps if step.number is None
        ],
        extras=extras(sop),
    )


def cases_by_step(session: Session) -> dict[str, int]:
    """The cases in each step now: open ones are counted, ended ones read from the roll-up.

    An office has few open cases and, after some years, a million ended ones. The steps before an
    end are named, so that each is a stretch of the index and the ended ones are not walked over.
    """
    before_end = select(SopStep.key).where(SopStep.kind != "end")
    statement = (
        select(Complaint.step_key, func.count())
        .where(Complaint.closed_at.is_(None), Complaint.step_key.in_(before_end))
        .group_by(Complaint.step_key)
    )
    counts = {row[0]: row[1] for row in session.execute(statement)}
    for step, ended in read(session, "ended", EVER, only=("n",)).items():
        counts[step] = counts.get(step, 0) + ended["n"]
    return counts


def activities(sop: Sop) -> list[Step]:
    """The rows of the sheet, in its order."""
    return [step for step in sop.steps if step.number is not None]


def extras(sop: Sop) -> list[Extra]:
    """The transitions that are ours and not on the office's sheet; one key is listed once."""
    found: dict[str, Extra] = {}
    for move in sop.transitions:
        if not move.extension:
            continue
        before = found[move.key].sources if move.key in found else ()
        sources = (*before, sop.step(move.source))
        found[move.key] = Extra(move, sources, sop.step(move.target), sop.lane(move.actor).label)
    return list(found.values())


def ways_out(sop: Sop, step: Step) -> tuple[Way, ...]:
    """Where the office's own sheet leads from a step, each target once."""
    ways: dict[str, Way] = {}
    for move in step.transitions:
        if move.extension or move.target in ways:
            continue
        word = ""
        if step.symbol == "decision":
            word = "no" if move.danger else "yes"
        ways[move.target] = Way(word, sop.step(move.target))
    return tuple(ways.values())


def draw(sop: Sop) -> list[tuple[Cell, ...]]:
    """The lanes of every row with their symbols and lines."""
    rows = activities(sop)
    places = {lane.key: index for index, lane in enumerate(sop.lanes)}
    grid = [[Cell() for _ in sop.lanes] for _ in rows]
    for index, step in enumerate(rows):
        grid[index][places[step.actor]].symbol = step.symbol
    for index, step in enumerate(rows):
        follows = rows[index + 1] if index + 1 < len(rows) else None
        ways = ways_out(sop, step)
        # The way to the next row is the flow itself: it is drawn first and never gives way.
        for way in sorted(ways, key=lambda way: way.target is not follows):
            here = places[step.actor]
            there = places[way.target.actor]
            if way.target is follows:
                _to_next_row(grid[index], grid[index + 1], here, there, way.word)
            elif way.target.kind != "end" or step.symbol != "terminal":
                _elsewhere(grid[index], here, there, way)
    return [tuple(cells) for cells in grid]


def _to_next_row(row: list[Cell], below: list[Cell], here: int, there: int, word: str) -> None:
    """Sideways to the lane of the next step where it is another one, then down into it."""
    if here == there:
        row[here].lines.add("down")
        row[here].word = word
    else:
        _sideways(row, here, there)
        row[there].lines.add("down")
        row[there].word = word
    below[there].lines.add("up")
    below[there].arrow = "up"


def _elsewhere(row: list[Cell], here: int, there: int, way: Way) -> None:
    """A pentagon in the lane of whoever goes on, when the way to it is free."""
    if here == there:
        return
    way_through = row[there + 1 : here] if there < here else row[here + 1 : there]
    if not row[there].free or not all(cell.free for cell in way_through):
        return
    _sideways(row, here, there)
    row[there].symbol = ELSEWHERE
    row[there].arrow = "right" if there < here else "left"
    row[there].word = way.word
    row[there].number = way.target.number


def _sideways(row: list[Cell], here: int, there: int) -> None:
    """A line from the middle of one lane to the middle of another."""
    out: Side = "left" if there < here else "right"
    back: Side = "right" if there < here else "left"
    row[here].lines.add(out)
    row[there].lines.add(back)
    for cell in row[min(here, there) + 1 : max(here, there)]:
        cell.lines |= {"left", "right"}
