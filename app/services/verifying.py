"""Looking for what must never be: a case without its clock, a history that is no walk, a lost file.

These are the invariants of the design, asked of the tables as they are; nothing is changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import String, and_, case, cast, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from app.models import (
    ArchivedRun,
    ArchivedYear,
    AuditEvent,
    CaseEvent,
    Complaint,
    NumberSeries,
    SopStep,
    StepRun,
)
from app.services.archive import archived_years, moves_of, of_years
from app.services.audit import Head, broken_rows
from app.services.sealing import faults as sealing_faults
from app.services.statistics import check as check_statistics
from app.services.storage import Store
from app.services.uploads import verify_store

_CHUNK: Final = 5_000


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it must be; `where` is a number or a key, never a name."""

    rule: str
    where: str
    what: str = ""


def verify(
    session: Session, store: Store | None = None, heads: Sequence[Head] = ()
) -> Iterator[Fault]:
    """Every fault there is. Without a store its files are not looked at.

    `heads` are last rows of the audit log that were kept outside the database.

    The caller gives a session that reads one snapshot, or holds still: moves meanwhile would look
    like faults.
    """
    yield from _clocks(session)
    yield from _holders(session)
    yield from _ends(session)
    yield from _runs(session)
    yield from _years(session)
    yield from _walks(session)
    yield from _archives(session)
    yield from _numbers(session)
    for difference in check_statistics(session):
        key = "/".join(str(part) for part in difference.key)
        yield Fault("statistics", key, f"kept {difference.kept}, counted {difference.counted}")
    for row, what in sealing_faults(session):
        yield Fault("sealed", row, what)
    for where, what in broken_rows(session, heads):
        yield Fault("audit", where, what)
    if store is not None:
        yield from _files(session, store)


def _clocks(session: Session) -> Iterator[Fault]:
    """A case has one open run, of its own step, exactly while that step has a clock (invariant 1)."""
    here = and_(
        StepRun.complaint_id == Complaint.id,
        StepRun.finished_at.is_(None),
    )
    right = func.sum(case((StepRun.step_key == Complaint.step_key, 1), else_=0))
    found = (
        select(Complaint.number, SopStep.clock, func.count(StepRun.id), right)
        .join(SopStep, SopStep.key == Complaint.step_key)
        .outerjoin(StepRun, here)
        .group_by(Complaint.id, Complaint.number, SopStep.clock)
        .having(
            or_(
                and_(SopStep.clock, or_(func.count(StepRun.id) != 1, right != 1)),
                and_(~SopStep.clock, func.count(StepRun.id) != 0),
            )
        )
    )
    for number, clock, runs, _right in session.execute(found):
        wanted = "one" if clock else "no"
        yield Fault("clock", number, f"{runs} open runs where there must be {wanted} of its step")


def _holders(session: Session) -> Iterator[Fault]:
    """Who holds a case in a step with a clock has begun it, at the time the case says it came there.

    The queue puts cases in order by what the cases say (begun first, then the longest there).
    """
    wrong = or_(
        and_(Complaint.assignee_id.is_not(None), StepRun.started_at.is_(None)),
        Complaint.step_since != StepRun.entered_at,
    )
    statement = (
        select(Complaint.number)
        .join(StepRun, and_(StepRun.complaint_id == Complaint.id, StepRun.finished_at.is_(None)))
        .where(Complaint.closed_at.is_(None), wrong)
    )
    for number in session.scalars(statement):
        yield Fault("holder", number, "the case and its clock differ on who began it or since when")


def _ends(session: Session) -> Iterator[Fault]:
    """A case has an end date exactly when it stands in an end step."""
    ended = SopStep.kind == "end"
    wrong = or_(
        and_(ended, Complaint.closed_at.is_(None)), and_(~ended, Complaint.closed_at.is_not(None))
    )
    statement = select(Complaint.number).join(SopStep, SopStep.key == Complaint.step_key)
    for number in session.scalars(statement.where(wrong)):
        yield Fault("end", number, "its end date and its step say different things")


def _runs(session: Session) -> Iterator[Fault]:
    """A closed run has both clocks, and its moments are in order (invariant 4)."""
    closed = StepRun.finished_at.is_not(None)
    wrong = and_(
        closed,
        or_(
            StepRun.work_seconds.is_(None),
            StepRun.wait_seconds.is_(None),
            StepRun.transition.is_(None),
            StepRun.started_at.is_(None),
            StepRun.started_at < StepRun.entered_at,
            StepRun.finished_at < StepRun.started_at,
        ),
    )
    statement = select(Complaint.number, StepRun.step_key).join(
        StepRun, StepRun.complaint_id == Complaint.id
    )
    for number, step in session.execute(statement.where(wrong)):
        yield Fault("run", number, f"its run of {step} is closed and not whole")


def _years(session: Session) -> Iterator[Fault]:
    """A run belongs to the year of its case: by that its part of the table is found."""
    named = Complaint.number.like(literal("%-") + cast(StepRun.case_year, String) + "-%")
    statement = (
        select(Complaint.number, StepRun.step_key, StepRun.case_year)
        .join(StepRun, StepRun.complaint_id == Complaint.id)
        .where(~named)
    )
    for number, step, year in session.execute(statement):
        yield Fault("year", number, f"its run of {step} is kept under {year or 'no year'}")


def _walks(session: Session) -> Iterator[Fault]:
    """Each move begins where the one before it ended, and the last one ends where the case stands
    (invariant 2); every move closed the run it came from.
    """
    statement = (
        select(
            CaseEvent.complaint_id, CaseEvent.from_step, CaseEvent.to_step, CaseEvent.kind,
            Complaint.number, Complaint.step_key,
        )
        .join(Complaint, Complaint.id == CaseEvent.complaint_id)
        .where(CaseEvent.kind.in_(("moved", "imported")))
        .order_by(CaseEvent.complaint_id, CaseEvent.id)
        .execution_options(yield_per=_CHUNK)
    )  # fmt: skip
    at: tuple[int, str, str, str] | None = None  # case, place, number, where it stands
    for event in session.execute(statement):
        if at is not None and at[0] != event.complaint_id:
            yield from _arrived(at)
            at = None
        if event.kind == "imported":
            at = (event.complaint_id, event.to_step or "", event.number, event.step_key)
            if not event.to_step:
                at = None
            continue
        if at is not None and at[1] != event.from_step:
            yield Fault("walk", event.number, f"from {at[1]} it was moved from {event.from_step}")
        at = (event.complaint_id, event.to_step, event.number, event.step_key)
    if at is not None:
        yield from _arrived(at)
    yield from _unmoved(session)


def _arrived(at: tuple[int, str, str, str]) -> Iterator[Fault]:
    if at[1] != at[3]:
        yield Fault("walk", at[2], f"it was moved to {at[1]} and stands in {at[3]}")


def _unmoved(session: Session) -> Iterator[Fault]:
    """Every move closed one run of the step it left, and no run was closed without one."""
    steps = aliased(SopStep)
    moves = (
        select(CaseEvent.complaint_id, func.count().label("n"))
        .join(steps, steps.key == CaseEvent.from_step)
        .where(CaseEvent.kind == "moved", steps.clock)
        .group_by(CaseEvent.complaint_id)
        .subquery()
    )
    closed = (
        select(StepRun.complaint_id, func.count().label("n"))
        .where(StepRun.finished_at.is_not(None))
        .group_by(StepRun.complaint_id)
        .subquery()
    )
    years = archived_years(session)
    statement = (
        select(Complaint.number, moves.c.n, closed.c.n)
        .outerjoin(moves, moves.c.complaint_id == Complaint.id)
        .outerjoin(closed, closed.c.complaint_id == Complaint.id)
        .where(func.coalesce(moves.c.n, 0) != func.coalesce(closed.c.n, 0))
    )
    if years:
        statement = statement.where(~of_years(years))
    for number, moved, ended in session.execute(statement):
        yield Fault("walk", number, f"{moved or 0} moves, {ended or 0} closed runs")


def _archives(session: Session) -> Iterator[Fault]:
    """Of an archived year nothing is left, each of its moves has a run there, and none goes on."""
    for kept in session.scalars(select(ArchivedYear).order_by(ArchivedYear.year)):
        year = str(kept.year)
        left = session.scalar(select(func.count()).where(StepRun.case_year == kept.year))
        if left:
            yield Fault("archive", year, f"{left} runs, though they are archived")
        counted = session.scalar(select(func.count()).where(ArchivedRun.case_year == kept.year))
        moved = moves_of(session, kept.year)
        if not kept.runs == counted == moved:
            what = f"{kept.runs} runs in the file, {counted} counted here, {moved} moves"
            yield Fault("archive", year, what)
        told = session.scalars(
            select(AuditEvent.detail)
            .where(AuditEvent.kind == "runs_archived", AuditEvent.subject == f"year:{year}")
            .order_by(AuditEvent.id.desc())  # it may have come back and gone again
        ).first()
        if told is None or json.loads(told).get("sha256") != kept.sha256:
            yield Fault("archive", year, "the audit log does not tell of this file")


def _numbers(session: Session) -> Iterator[Fault]:
    """Numbers run without a gap in each year (invariant 5)."""
    for series in session.scalars(select(NumberSeries)):
        start = f"{series.prefix}-{series.year:04d}-"
        found: Any = session.execute(
            select(func.count(), func.max(Complaint.number)).where(
                Complaint.number >= start, Complaint.number < start + "~"
            )
        ).one()
        count, highest = found
        last = int(highest.rpartition("-")[2]) if highest else 0
        if not count == last == series.last:
            what = f"{count} cases, the last is {last}, given out {series.last}"
            yield Fault("number", start.rstrip("-"), what)


def _files(session: Session, store: Store) -> Iterator[Fault]:
    """Every file that a row names is there and unchanged (invariant 6)."""
    report = verify_store(session, store)
    for finding in report.missing:
        yield Fault("file", f"{finding.table} {finding.public_id}".strip(), "its file is missing")
    for finding in report.changed:
        yield Fault("file", f"{finding.table} {finding.public_id}".strip(), "its file was changed")
