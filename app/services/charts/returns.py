"""Why cases go back to their applicants: by which move, which requirement, which data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.models import DocumentKind
from app.services.casefile import Shelf
from app.services.charts.names import named
from app.services.statistics import Counts, Scope, read
from app.sop.definition import Sop
from app.sop.text import Text


@dataclass(frozen=True)
class Reason:
    """A move by which cases went back."""

    key: str
    label: Text
    cases: int


@dataclass(frozen=True)
class FailedItem:
    """A requirement that was missing or could not be read when a case went back."""

    code: str
    label: Text
    missing: int
    unreadable: int

    @property
    def failed(self) -> int:
        """How often, for whichever of both."""
        return self.missing + self.unreadable


@dataclass(frozen=True)
class Difference:
    """A datum that was not as in SIAK; `word` is as the check keeps it."""

    word: str
    cases: int


@dataclass(frozen=True)
class Returns:
    """The returns of the period; each list begins with the most frequent."""

    total: int
    reasons: tuple[Reason, ...]
    items: tuple[FailedItem, ...]
    differences: tuple[Difference, ...]


def returns(session: Session, sop: Sop, scope: Scope, *, shelf: Shelf | None = None) -> Returns:
    """Every return of the period; a case that goes back twice counts twice."""
    found = read(session, "return", scope)
    merged: Counts = {}
    for counts in found.values():
        for key, number in counts.items():
            merged[key] = merged.get(key, 0) + number
    labels = {move.key: move.label for move in sop.transitions}
    reasons = [
        Reason(key, labels.get(key, Text(key, key)), counts["n"])
        for key, counts in found.items()
        if counts.get("n")
    ]
    differences = [Difference(key[1:], n) for key, n in merged.items() if key[0] == "d"]
    return Returns(
        total=merged.get("n", 0),
        reasons=tuple(sorted(reasons, key=lambda item: (-item.cases, item.key))),
        items=tuple(
            sorted(_items(session, merged, shelf), key=lambda item: (-item.failed, item.code))
        ),
        differences=tuple(sorted(differences, key=lambda item: (-item.cases, item.word))),
    )


def _items(session: Session, counts: Counts, shelf: Shelf | None) -> Iterator[FailedItem]:
    states: dict[str, dict[str, int]] = {}
    for key, number in counts.items():
        if key[0] == "i":
            code, _colon, state = key[1:].rpartition(":")
            states.setdefault(code, {})[state] = number
    if not states:
        return
    kinds = named(session, DocumentKind, shelf).values()
    labels = {
        kind.code: Text(kind.label_id, kind.label_en or kind.label_id)
        for kind in kinds
        if kind.code in states
    }
    for code, by_state in states.items():
        label = labels.get(code, Text(code, code))
        yield FailedItem(code, label, by_state.get("missing", 0), by_state.get("unreadable", 0))
