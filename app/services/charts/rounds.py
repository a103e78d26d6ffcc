"""How many rounds a case needed until it was accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.services.statistics import Scope, read
from app.services.statistics.classes import classes
from app.sop.definition import Sop, Step


@dataclass(frozen=True)
class Rounds:
    """Cases that ended in the period by the round they ended in, for each end of the SOP."""

    #: The ends in the SOP's order.
    ends: tuple[Step, ...]
    #: Ends that only lead out of waiting for the applicant: the case was given up, not accepted.
    given_up: frozenset[str]
    by_round: Mapping[int, Mapping[str, int]]

    @property
    def total(self) -> int:
        """Every case that ended."""
        return sum(sum(ends.values()) for ends in self.by_round.values())

    def accepted(self, round_: int) -> int:
        """Cases that were accepted in that round."""
        found = self.by_round.get(round_, {})
        return sum(number for end, number in found.items() if end not in self.given_up)

    @property
    def accepted_total(self) -> int:
        """Cases that were accepted, in whichever round."""
        return sum(self.accepted(number) for number in self.by_round)


def rounds(session: Session, sop: Sop, scope: Scope) -> Rounds:
    """The rounds of the cases that ended in the period; one statement.

    A case that was reopened and ended again counts on the day of its last end.
    """
    found = read(session, "ended", scope)
    by_round: dict[int, dict[str, int]] = {}
    for end, counts in found.items():
        for number, cases in classes(counts, "r"):
            by_round.setdefault(number, {})[end] = cases
    ends = tuple(step for step in sop.steps if step.kind == "end")
    return Rounds(ends, _given_up(sop, ends), dict(sorted(by_round.items())))


def _given_up(sop: Sop, ends: tuple[Step, ...]) -> frozenset[str]:
    kinds: dict[str, set[str]] = {}
    for step in sop.steps:
        for move in step.transitions:
            kinds.setdefault(move.target, set()).add(step.kind)
    return frozenset(end.key for end in ends if kinds.get(end.key) == {"waiting"})
