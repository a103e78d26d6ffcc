"""Legal due dates one by one: which case, which date, met or missed, by how many days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Complaint, SopStep
from app.services.charts.due import KINDS
from app.services.charts.periods import of_cases
from app.services.reports.recap import DUE_KINDS
from app.services.reports.rows import Cell, Names, counted, in_pieces, known_of, load_names
from app.services.reports.tables import Speech
from app.services.signatories import office_day
from app.services.statistics import Dims, Scope
from app.services.statistics.facts import due_facts
from app.sop.text import N_

#: Heading and width.
HEADINGS: Final = (
    (N_("Row no."), 7),
    (N_("Complaint number"), 18),
    (N_("Date and time"), 17),
    (N_("Channel"), 16),
    (N_("Category"), 34),
    (N_("Kecamatan"), 18),
    (N_("Legal date"), 44),
    (N_("Due on"), 14),
    (N_("Done on"), 14),
    (N_("Outcome"), 22),
    (N_("Days late"), 11),
    (N_("Status"), 26),
)
OUTCOMES: Final = {
    "met": N_("Kept"),
    "late": N_("Too late"),
    "missed": N_("Missed, still open"),
    "ahead": N_("Still to come"),
}
_DUE: Final[dict[str, Any]] = {
    "completeness": Complaint.completeness_due,
    "class": Complaint.class_due,
    "decision": Complaint.decision_due,
}


def _of_kind(columns: Any, kind: str, scope: Scope, *, confidential: bool) -> Any:
    statement = select(*columns).where(_DUE[kind].between(scope.first, scope.last))
    return known_of(of_cases(statement, scope), confidential=confidential)


def count_due(session: Session, scope: Scope, *, confidential: bool) -> int:
    """How many dates the list has; a case can be in it up to three times."""
    return sum(
        counted(session, _of_kind((Complaint.id,), kind, scope, confidential=confidential))
        for kind in KINDS
    )


def due_rows(
    session: Session, scope: Scope, speech: Speech, *, today: date, confidential: bool
) -> Iterator[list[list[Cell]]]:
    """The dates by kind and day, a piece at a time."""
    names = load_names(session)
    steps = {row.key: str(row) for row in session.scalars(select(SopStep))}
    number = 0
    for kind in KINDS:
        statement = _of_kind(_COLUMNS, kind, scope, confidential=confidential)
        ordered = statement.order_by(_DUE[kind], Complaint.id)
        for piece in in_pieces(session, ordered):
            lines = []
            for row in piece:
                number += 1
                lines.append(_line(row, number, kind, names, steps, speech, today))
            yield lines


_COLUMNS: Final = (
    Complaint.id, Complaint.number, Complaint.received_at, Complaint.channel_id,
    Complaint.category_id, Complaint.kecamatan_code, Complaint.completeness_due,
    Complaint.decision_due, Complaint.class_due, Complaint.told_at, Complaint.closed_at,
    Complaint.step_key,
)  # fmt: skip


def _line(
    row: Any,
    number: int,
    kind: str,
    names: Names,
    steps: dict[str, str],
    speech: Speech,
    today: date,
) -> list[Cell]:
    due, outcome = outcome_of(row, kind, today)
    finished = (row.told_at or row.closed_at) if kind == "completeness" else row.closed_at
    done = office_day(finished) if finished is not None else None
    late = 0 if outcome in ("met", "ahead") else ((done or today) - due).days
    return [
        number,
        row.number,
        row.received_at,
        names.channels.get(row.channel_id, ""),
        names.categories.get(row.category_id, ""),
        names.regions.get(row.kecamatan_code or "", ""),
        speech.say(DUE_KINDS[kind]),
        due,
        done,
        speech.say(OUTCOMES[outcome]),
        late or None,
        steps.get(row.step_key, row.step_key),
    ]


def outcome_of(row: Any, kind: str, today: date) -> tuple[date, str]:
    """The day and the outcome of one date, by the rule that the numbers are counted with."""
    dims = Dims(row.channel_id, row.category_id, row.kecamatan_code)
    found = due_facts(
        dims, row.completeness_due, row.decision_due, row.class_due, row.told_at, row.closed_at
    )
    fact = next(fact for fact in found if fact.item == kind)
    if "met" in fact.counts:
        return fact.day, "met"
    if "late" in fact.counts:
        return fact.day, "late"
    return fact.day, "missed" if fact.day < today else "ahead"
