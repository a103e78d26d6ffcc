"""What is kept of step records that lie in an archive: what is counted, and what retention takes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UTCDateTime


class ArchivedYear(Model):
    """A year of cases whose step records were taken out, and what their file has to say."""

    __tablename__ = "archived_year"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    #: When the first of its runs began and the last one ended.
    first_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    runs: Mapped[int] = mapped_column(Integer, nullable=False)
    pauses: Mapped[int] = mapped_column(Integer, nullable=False)
    #: The name of the file, and the SHA-256 of its lines in clear.
    file: Mapped[str] = mapped_column(String(200), nullable=False)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False)


class ArchivedRun(Model):
    """What one archived run adds to the numbers, so that counting again finds the same."""

    __tablename__ = "archived_run"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), nullable=False)
    case_year: Mapped[int] = mapped_column(ForeignKey("archived_year.year"), nullable=False)
    step_key: Mapped[str] = mapped_column(ForeignKey("sop_step.key"), nullable=False)
    finished_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    work_seconds: Mapped[int] = mapped_column(Integer, nullable=False)
    wait_seconds: Mapped[int] = mapped_column(Integer, nullable=False)
    standard_minutes: Mapped[int | None] = mapped_column(Integer)
    finished_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))

    __table_args__ = (Index("ix_archived_run_finished", "finished_at"),)


class ArchivedPause(Model):
    """A pause of an archived run; its note stays where retention finds it."""

    __tablename__ = "archived_pause"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    complaint_id: Mapped[int] = mapped_column(
        ForeignKey("complaint.id"), nullable=False, index=True
    )
    case_year: Mapped[int] = mapped_column(ForeignKey("archived_year.year"), nullable=False)
    step_key: Mapped[str] = mapped_column(ForeignKey("sop_step.key"), nullable=False)
    reason: Mapped[str] = mapped_column(String(40), nullable=False)
    note: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    from_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    to_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
