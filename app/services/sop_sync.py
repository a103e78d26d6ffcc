"""Bringing the database in line with the SOP file: steps are added, renamed, retired, never lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Complaint, SopRelease, SopStep
from app.sop.definition import Sop
from app.sop.errors import RefusedError


@dataclass
class SyncReport:
    """What a sync changed."""

    added: list[str]
    changed: list[str]
    retired: list[str]

    @property
    def anything(self) -> bool:
        """False when the database already said what the file says."""
        return bool(self.added or self.changed or self.retired)


def sync_steps(session: Session, sop: Sop, *, now: datetime) -> SyncReport:
    """Make the step rows say what the SOP file says; running it again changes nothing.

    The office's own standard minutes are kept; the file's value is only the first one.

    Raises:
        RefusedError: a step of the database is not in the file and complaints still stand in it.
    """
    report = SyncReport([], [], [])
    rows = {row.key: row for row in session.scalars(select(SopStep))}
    gone = [row for key, row in rows.items() if key not in {step.key for step in sop.steps}]
    for row in gone:
        waiting = session.scalar(
            select(func.count()).select_from(Complaint).where(Complaint.step_key == row.key)
        )
        if waiting:
            raise RefusedError("step_holds_cases", step=row.key, count=waiting)
        if row.active:
            row.active = False
            report.retired.append(row.key)
    for step in sop.steps:
        existing = rows.get(step.key)
        facts = {
            "position": step.position,
            "kind": step.kind,
            "clock": step.clock,
            "actor": step.actor,
            "label_id": step.label.id,
            "label_en": step.label.en,
            "active": True,
        }
        if existing is None:
            session.add(SopStep(key=step.key, standard_minutes=step.standard_minutes, **facts))
            report.added.append(step.key)
            continue
        if any(getattr(existing, name) != value for name, value in facts.items()):
            for name, value in facts.items():
                setattr(existing, name, value)
            report.changed.append(step.key)
        if existing.standard_minutes is None and step.standard_minutes is not None:
            existing.standard_minutes = step.standard_minutes
    release = session.get(SopRelease, 1)
    if release is None:
        session.add(SopRelease(id=1, sha256=sop.sha256, synced_at=now))
    elif release.sha256 != sop.sha256:
        release.sha256, release.synced_at = sop.sha256, now
    session.flush()
    return report


def synced_sha256(session: Session) -> str | None:
    """The sum of the SOP file the database was last brought in line with."""
    return session.scalar(select(SopRelease.sha256).where(SopRelease.id == 1))
