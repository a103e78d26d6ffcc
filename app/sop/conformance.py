"""Whether a case went the way of the SOP: its moves are walked through the file's table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.sop.definition import Sop
from app.sop.errors import SopError

Kind = Literal["skipped", "repeated", "reordered", "unknown", "unfinished"]
KINDS: Final[tuple[Kind, ...]] = ("skipped", "repeated", "reordered", "unknown", "unfinished")
#: Guards by which the SOP file says that a move is the check, or the signature.
CHECKS: Final = frozenset({"siak_match_recorded"})
SIGNS: Final = frozenset({"outputs_signed", "signatory_in_office", "checked_by_another"})


@dataclass(frozen=True, slots=True)
class Move:
    """One move of a case as its history has it."""

    source: str
    key: str
    target: str


@dataclass(frozen=True, slots=True)
class Deviation:
    """One place where a history leaves the SOP; `steps` are the steps it concerns."""

    kind: Kind
    move: str
    steps: tuple[str, ...]


def deviations(sop: Sop, moves: Sequence[Move], stands_in: str | None = None) -> list[Deviation]:
    """Every deviation of a history from the SOP's table, in order; none for a lawful walk.

    A return, a new round or a reopening is a move of the table and no deviation. A move that begins
    elsewhere than the one before it ended skipped the steps between, went back without a move, or
    was made twice. `stands_in` is the step that the case stands in, None where it is not asked.
    """
    found: list[Deviation] = []
    place = sop.entry
    last: Move | None = None
    for move in moves:
        if move.source != place:
            found.append(_jump(sop, place, move, last))
        if not _known(sop, move):
            found.append(Deviation("unknown", move.key, (move.source, move.target)))
        place, last = move.target, move
    if stands_in is not None and place != stands_in:
        found.append(Deviation("unfinished", last.key if last else "", (place, stands_in)))
    return found


def _jump(sop: Sop, place: str, move: Move, last: Move | None) -> Deviation:
    """A move that does not begin where the case was."""
    if last is not None and (move.source, move.key) == (last.source, last.key):
        return Deviation("repeated", move.key, (move.source,))
    order = [step.key for step in sop.steps if step.number is not None]
    if place in order and move.source in order and order.index(move.source) > order.index(place):
        between = order[order.index(place) : order.index(move.source)]
        return Deviation("skipped", move.key, tuple(between))
    return Deviation("reordered", move.key, (place, move.source))


def _known(sop: Sop, move: Move) -> bool:
    try:
        return sop.move(move.source, move.key).target == move.target
    except SopError:  # an older SOP, or none of ours
        return False


def moves_with(sop: Sop, guards: Iterable[str]) -> frozenset[str]:
    """The keys of the transitions that ask for one of these guards."""
    wanted = set(guards)
    return frozenset(move.key for move in sop.transitions if wanted & set(move.guards))
