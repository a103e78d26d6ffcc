"""Writing the complaints of a register: no steps are invented that nobody recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    CaseEvent,
    Category,
    CategoryRequirement,
    Complaint,
    ImportRun,
    RequirementCheck,
    StepRun,
)
from app.services.actor import Actor
from app.services.complaints import write_down
from app.services.importing.columns import BY_KEY
from app.services.importing.rows import ImportedCase
from app.services.numbers import year_of
from app.services.statistics import note
from app.services.statistics.facts import arrival_fact, dims_of, due_facts_of, ended_fact
from app.services.transitions import Office, standard_of


def write_cases(
    session: Session,
    office: Office,
    cases: Sequence[ImportedCase],
    numbers: Sequence[str],
    run: ImportRun,
    actor: Actor,
    now: datetime,
) -> None:
    """All rows in a few statements: an import must not keep a counter clerk waiting.

    An open complaint enters the SOP's first step now, so that its old date does not spoil the
    clocks; a finished one stands at its end, without runs of steps that nobody measured.
    """
    entry = office.sop.step(office.sop.entry)
    standard = standard_of(session, entry.key)
    categories = {row.id: row for row in session.scalars(select(Category))}
    papers: dict[int, list[CategoryRequirement]] = {}
    for item in session.scalars(
        select(CategoryRequirement).order_by(CategoryRequirement.position, CategoryRequirement.id)
    ):
        papers.setdefault(item.category_id, []).append(item)
    complaints = []
    for case, number in zip(cases, numbers, strict=True):
        complaint = write_down(
            office,
            case.data,
            categories[case.data.category_id],
            number=number,
            actor=actor,
            now=now,
            step_key=case.place or entry.key,
            since=case.closed_at or now,
        )
        complaint.closed_at = case.closed_at
        follow_up = case.kept.get(BY_KEY["follow_up"].heading, "")
        complaint.answer = (
            follow_up if case.place and not case.kept.get(BY_KEY["tracking"].heading) else ""
        )
        complaints.append(complaint)
    # Whole tables of rows at once; their keys are read back by their numbers.
    session.bulk_save_objects(complaints)
    between = Complaint.number.between(numbers[0], numbers[-1])
    ids = {
        row[0]: row[1]
        for row in session.execute(select(Complaint.number, Complaint.id).where(between))
    }
    rest: list[Any] = []
    for case, complaint in zip(cases, complaints, strict=True):
        key = ids[complaint.number]
        if not case.place:
            rest.append(
                StepRun(
                    complaint_id=key,
                    case_year=year_of(complaint.number),
                    step_key=entry.key,
                    entered_at=now,
                    standard_minutes=standard,
                )
            )
        rest += [
            RequirementCheck(
                complaint_id=key,
                kind_id=item.kind_id,
                required=item.required,
                position=item.position,
            )
            for item in papers.get(complaint.category_id, ())
        ]
        rest.append(_event(case, key, run, actor, now))
    session.bulk_save_objects(rest, preserve_order=False)
    for case, complaint in zip(cases, complaints, strict=True):
        dims = dims_of(complaint)
        note(session, [arrival_fact(dims, complaint.received_at), *due_facts_of(complaint)])
        if case.closed_at is not None:
            note(session, [ended_fact(dims, complaint.step_key, case.closed_at, 1)])


def _event(
    case: ImportedCase, complaint_id: int, run: ImportRun, actor: Actor, now: datetime
) -> CaseEvent:
    """The first line of an imported case's history: from which file and row, and what it said."""
    details: dict[str, object] = {
        "register": dict(case.kept),
        "file": run.file_name,
        "row": case.row,
    }
    return CaseEvent(
        complaint_id=complaint_id,
        kind="imported",
        at=now,
        by_id=actor.id,
        by_name=actor.name,
        to_step=case.place or None,
        version=1,
        details=details,
    )
