"""Who carries how much: by lane of the SOP, and by person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import SopStep, User
from app.services.casefile import Shelf
from app.services.charts.names import named
from app.services.charts.steps import open_counts
from app.services.statistics import Counts, Scope, read
from app.sop.definition import Sop
from app.sop.text import Text


@dataclass(frozen=True)
class LaneLoad:
    """One lane of the sheet: what was finished in its steps, and what is there now."""

    key: str
    label: Text
    runs: int
    #: Office seconds of work, and of waiting before it.
    work: int
    wait: int
    here_now: int
    waiting_now: int


@dataclass(frozen=True)
class PersonLoad:
    """One person: the runs that he or she finished, and the office seconds of work in them."""

    user_id: int
    name: str
    runs: int
    work: int
    #: Finished runs by step.
    by_step: tuple[tuple[str, int], ...]

    @property
    def work_mean(self) -> float | None:
        """Seconds of work for each run."""
        return self.work / self.runs if self.runs else None


def lane_load(
    session: Session, sop: Sop, scope: Scope, *, shelf: Shelf | None = None
) -> tuple[LaneLoad, ...]:
    """Every lane in the sheet's order, the work of a chosen step alone; two statements, without shelf three."""
    found = read(session, "run", scope, only=("n", "work", "wait"))
    now = open_counts(session, scope)
    lanes = {key: row.actor for key, row in named(session, SopStep, shelf).items()}
    rows = []
    for lane in sop.lanes:
        steps = [key for key, actor in lanes.items() if actor == lane.key]
        if scope.step_key is not None:
            steps = [key for key in steps if key == scope.step_key]
        counts = [found.get(key, {}) for key in steps]
        standing = [now.get(key, (0, 0)) for key in steps]
        rows.append(
            LaneLoad(
                key=lane.key,
                label=lane.label,
                runs=sum(item.get("n", 0) for item in counts),
                work=sum(item.get("work", 0) for item in counts),
                wait=sum(item.get("wait", 0) for item in counts),
                here_now=sum(here for here, _waiting in standing),
                waiting_now=sum(waiting for _here, waiting in standing),
            )
        )
    return tuple(rows)


def person_load(session: Session, scope: Scope) -> tuple[PersonLoad, ...]:
    """Everybody who finished a run in the period, most finished first; two statements."""
    runs: dict[int, dict[str, int]] = {}
    work: dict[int, int] = {}
    for step, counts in read(session, "run", scope).items():
        for person, number in _people(counts, "p"):
            runs.setdefault(person, {})[step] = number
        for person, seconds in _people(counts, "m"):
            work[person] = work.get(person, 0) + seconds
    if not runs:
        return ()
    names = {user.id: user.get_full_name() for user in _users(session, list(runs))}
    rows = [
        PersonLoad(
            user_id=person,
            name=names.get(person, str(person)),
            runs=sum(by_step.values()),
            work=work.get(person, 0),
            by_step=tuple(sorted(by_step.items())),
        )
        for person, by_step in runs.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.runs, row.name)))


def _people(counts: Counts, prefix: str) -> Iterator[tuple[int, int]]:
    for key, number in counts.items():
        if key[0] == prefix and key[1:].isdigit():
            yield int(key[1:]), number


def _users(session: Session, ids: list[int]) -> list[User]:
    return list(session.scalars(select(User).where(User.id.in_(ids))))
