"""When things happen in the demo office: stories in office time, laid out backwards from now."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp
from pathlib import Path
from random import Random
from typing import Any, Final

from app.sop.clock import Calendar
from app.sop.definition import Sop

#: The stories are written for this many office days in the last 60 days; holidays squeeze them.
STORY_DAYS: Final = 40
SPAN: Final = timedelta(days=60)
MINUTE: Final = 60
DAY: Final = 450 * MINUTE
SEED: Final = 20260

#: Minutes: nothing waits less or more than this where a clock runs (more than two office days).
_SHORTEST_WAIT, _LONGEST_WAIT = 4, 950
_LAST_MOMENT: Final = 30


def chance(text: int, what: str) -> Random:
    """The chances of one story: always the same for the same story and purpose."""
    return Random(f"{SEED}/{text}/{what}")  # noqa: S311 - nothing here is a secret


class OfficeTime:
    """Office seconds before now as moments: 0 is now, or when the office last closed."""

    def __init__(self, calendar: Calendar, now: datetime) -> None:
        self.now = now
        self._spans: list[tuple[int, int]] = []  # newest first, epoch seconds
        latest, first = int(now.timestamp()) - 1, int((now - SPAN).timestamp())
        day = calendar.day_of(now)
        while day >= calendar.day_of(now - SPAN):
            for start, end in reversed(calendar.spans(day)):
                start, end = max(start, first), min(end, latest)
                if start < end:
                    self._spans.append((start, end))
            day -= timedelta(days=1)
        if not self._spans:  # an office that never opened: its wall clock must do
            self._spans = [(first, latest)]
        self.total = sum(end - start for start, end in self._spans)
        #: How much shorter waits are than in a span without holidays.
        self.scale = min(1.0, self.total / (STORY_DAYS * DAY))

    def at(self, ago: float) -> datetime:
        """The moment that lies `ago` office seconds back; never before the span, never after now."""
        rest = int(min(max(ago, 0), self.total))
        for start, end in self._spans:
            if rest <= end - start:
                return self._moment(end - rest)
            rest -= end - start
        return self._moment(self._spans[-1][0])

    def _moment(self, second: int) -> datetime:
        return datetime.fromtimestamp(second, tz=self.now.tzinfo)


@dataclass(frozen=True)
class Timing:
    """Office minutes of a step or of an answer: typical work, its spread, typical wait."""

    work: float = 4.0
    spread: float = 0.4
    wait: float = 60.0


@dataclass(frozen=True)
class Story:
    """One case of `cases.toml`; `more` holds what only the work itself wants to know."""

    text: int
    ago: float
    moves: tuple[str, ...]
    waits: Mapping[str, float] = field(default_factory=dict)
    pause: Mapping[str, Any] = field(default_factory=dict)
    together: bool = False
    working: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stop:
    """One step of a planned walk, in office seconds before now, and the move that ends it."""

    step: str
    move: str
    entered: float
    started: float
    finished: float


@dataclass(frozen=True)
class Walk:
    """A story with its times: when the form was opened, each stop, and what comes after the last."""

    opened: float
    registered: float
    stops: tuple[Stop, ...]
    #: When somebody takes the case up in the step where it stands now.
    taken_up: float


@dataclass(frozen=True)
class Script:
    """Everything `cases.toml` says."""

    stories: tuple[Story, ...]
    timing: Mapping[str, Timing]
    step_pause: Mapping[str, Any]


def read_script(path: Path) -> Script:
    """The stories of a file, in its order."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    known = set(Story.__dataclass_fields__)
    stories = []
    for row in data["case"]:
        row = {**row, "moves": tuple(row["moves"].split())}
        more = {key: row.pop(key) for key in list(row) if key not in known}
        stories.append(Story(**row, more=more))
    timing = {key: Timing(**row) for key, row in data["timing"].items()}
    return Script(tuple(stories), timing, data.get("step_pause", {}))


def route(sop: Sop, wanted: tuple[str, ...]) -> list[tuple[str, str]]:
    """The (step, transition) pairs that follow a wish list through this SOP.

    A transition that this SOP does not offer here is passed over for the next that it does. A
    step that the list does not know is left by its own first way forward.
    """
    path: list[tuple[str, str]] = []
    here, rest, detours = sop.step(sop.entry), list(wanted), 0
    while rest:
        offered = [move for move in here.transitions if move.key in rest]
        move = min(offered, key=lambda item: rest.index(item.key), default=None)
        if move is not None:
            del rest[: rest.index(move.key) + 1]
        else:
            detours += 1
            forward = [item for item in here.transitions if not item.extension]
            if not forward or detours > len(sop.steps):
                break
            move = forward[0]
        path.append((here.key, move.key))
        here = sop.step(move.target)
    return path


def lay_out(sop: Sop, story: Story, script: Script, time: OfficeTime) -> Walk:
    """The times of one story; the same for the same SOP, calendar and moment.

    The anchor is its last signature, or its last move when nothing was signed or nothing came
    after: everything else is laid out before and after it, and squeezed where the time is short.
    """
    rng = chance(story.text, "times")
    path = route(sop, story.moves)
    spans: list[tuple[float, float]] = []
    for number, (step, move) in enumerate(path):
        spans.append(_span(rng, sop, story, script, step, move, time.scale, first=number == 0))
    entry = script.timing.get(sop.entry, Timing())
    anchor = story.ago * DAY * time.scale
    signed = [number for number, (_step, move) in enumerate(path) if move == "sign"]
    pivot = signed[-1] if signed else len(path) - 1
    before = sum(wait + work for wait, work in spans[: pivot + 1])
    after = sum(wait + work for wait, work in spans[pivot + 1 :])
    if before > time.total - anchor:
        spans = _squeeze(spans, 0, pivot + 1, (time.total - anchor) / before)
        before = max(time.total - anchor, 0)
    if after > anchor - _LAST_MOMENT:
        spans = _squeeze(spans, pivot + 1, len(spans), (anchor - _LAST_MOMENT) / after * 0.9)
    opened = anchor + before if path else anchor
    first_work = spans[0][1] if spans else min(entry.work * MINUTE * 0.4, anchor * 0.5)
    registered = opened - first_work * (0.5 if spans else 1.0)
    at, stops = opened, []
    for number, ((step, move), (wait, work)) in enumerate(zip(path, spans, strict=True)):
        started = at - wait
        # The anchor itself, not the sum of its parts: rounded, that is a second beside those of
        # the stories that are signed together with this one.
        finished = min(anchor, started) if number == pivot else started - work
        stops.append(Stop(step, move, at, started, finished))
        at = finished
    taken_up = (stops[-1].finished if stops else registered) * rng.uniform(0.2, 0.4)
    return Walk(opened, registered, tuple(stops), taken_up)


def _span(
    rng: Random,
    sop: Sop,
    story: Story,
    script: Script,
    step: str,
    move: str,
    scale: float,
    *,
    first: bool,
) -> tuple[float, float]:
    """Wait and work of one stop, in office seconds."""
    here = sop.step(step)
    standard = float(here.standard_minutes or 4)
    usual = script.timing.get(step if here.clock else move, Timing(work=standard))
    spread = exp(rng.gauss(0, 0.8))
    work = usual.work * exp(rng.gauss(0, usual.spread))
    wait = min(max(usual.wait * spread, _SHORTEST_WAIT), _LONGEST_WAIT)
    if not here.clock:  # nobody works on it: the applicant takes his time
        work, wait = rng.uniform(0.5, 2.0), usual.wait * rng.uniform(0.6, 1.5)
    if first:
        wait = 0.0
    wait = story.waits.get(step, story.waits.get(move, wait))
    return wait * MINUTE * scale, work * MINUTE


def _squeeze(
    spans: list[tuple[float, float]], start: int, end: int, factor: float
) -> list[tuple[float, float]]:
    factor = max(factor, 0.0)
    return [
        (wait * factor, work * factor) if start <= number < end else (wait, work)
        for number, (wait, work) in enumerate(spans)
    ]
