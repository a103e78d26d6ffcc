"""The SOP in the database: its steps, what each complaint did in them, and its pauses."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Bilingual, Model, UTCDateTime

if TYPE_CHECKING:
    from app.models.complaint import Complaint


class SopStep(Bilingual, Model):
    """One step of the SOP; structure comes from the SOP file, the standard minutes are the office's.

    Rows are written by `flask sop sync` only. A step is never deleted while a complaint stands in
    it or a closed run names it; it is made inactive instead.
    """

    __tablename__ = "sop_step"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, nullable=False)
    kind: Mapped[str] = mapped_column(String(12), nullable=False)
    clock: Mapped[bool] = mapped_column(nullable=False)
    actor: Mapped[str] = mapped_column(String(40), nullable=False)
    standard_minutes: Mapped[int | None] = mapped_column(Integer)
    active: Mapped[bool] = mapped_column(nullable=False, default=True)

    __table_args__ = (
        CheckConstraint("standard_minutes IS NULL OR standard_minutes > 0", name="ck_standard"),
    )


class SopRelease(Model):
    """Which SOP file the database was last brought in line with (one row)."""

    __tablename__ = "sop_release"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    synced_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)


class StepRun(Model):
    """One stay of a complaint in a step that has a clock; closed once and never edited.

    `wait_seconds` and `work_seconds` are office seconds, frozen when the run is closed.
    `standard_minutes` is frozen when it is opened, so a new standard never rewrites the past.

    On PostgreSQL the table lies in a part for each `case_year` (`services.partitions`), which is the
    year in the number of the case. There its key, `uq_step_run_open` and what a pause refers to hold
    the year, too: the same in force, as one case has one year. A trigger fills it for a writer that
    does not, on SQLite as well: who makes the table anew there makes `run_to_its_year` anew.
    """

    __tablename__ = "step_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(
        ForeignKey("complaint.id"), nullable=False, index=True
    )
    step_key: Mapped[str] = mapped_column(ForeignKey("sop_step.key"), nullable=False)
    round: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    entered_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    started_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    finished_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"), index=True)
    transition: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text, nullable=False, default="")
    standard_minutes: Mapped[int | None] = mapped_column(Integer)
    batch_size: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    wait_seconds: Mapped[int | None] = mapped_column(Integer)
    work_seconds: Mapped[int | None] = mapped_column(Integer)
    case_year: Mapped[int] = mapped_column(Integer, nullable=False, server_default="0")

    complaint: Mapped[Complaint] = relationship(back_populates="runs")
    step: Mapped[SopStep] = relationship(lazy="joined", innerjoin=True)
    pauses: Mapped[list[Pause]] = relationship(back_populates="run", order_by="Pause.from_at")

    __table_args__ = (
        # Invariant 1: at most one open run per complaint, whatever the code above does.
        Index(
            "uq_step_run_open",
            "complaint_id",
            unique=True,
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
        # What stands where since when is read from the index alone.
        Index(
            "ix_step_run_queue",
            "step_key",
            "entered_at",
            "started_at",
            "finished_at",
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
        # The chart reads a period of closed runs from the index alone.
        Index(
            "ix_step_run_chart",
            "finished_at",
            "step_key",
            "work_seconds",
            "wait_seconds",
            "standard_minutes",
            # Else SQLite looks up the open ones here, as if they were few.
            sqlite_where=text("finished_at IS NOT NULL"),
        ),
        CheckConstraint("work_seconds IS NULL OR work_seconds >= 0", name="ck_work"),
        CheckConstraint("wait_seconds IS NULL OR wait_seconds >= 0", name="ck_wait"),
    )


class Pause(Model):
    """A stretch in which the clock of one run, or of every case in one step, stands still.

    Exactly one of `step_run_id` and `step_key` is set. A pause of a whole step (SIAK is down) also
    covers cases that arrive while it lasts.
    """

    __tablename__ = "pause"

    id: Mapped[int] = mapped_column(primary_key=True)
    step_run_id: Mapped[int | None] = mapped_column(ForeignKey("step_run.id"), index=True)
    step_key: Mapped[str | None] = mapped_column(ForeignKey("sop_step.key"))
    reason: Mapped[str] = mapped_column(String(40), nullable=False)
    note: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    from_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    to_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))

    run: Mapped[StepRun | None] = relationship(back_populates="pauses")

    __table_args__ = (
        CheckConstraint("(step_run_id IS NULL) <> (step_key IS NULL)", name="ck_pause_scope"),
        CheckConstraint("to_at IS NULL OR to_at >= from_at", name="ck_pause_order"),
        Index("ix_pause_step", "step_key", "from_at"),
        Index(
            "uq_pause_step_open",
            "step_key",
            unique=True,
            sqlite_where=text("to_at IS NULL AND step_key IS NOT NULL"),
            postgresql_where=text("to_at IS NULL AND step_key IS NOT NULL"),
        ),
        Index(
            "uq_pause_run_open",
            "step_run_id",
            unique=True,
            sqlite_where=text("to_at IS NULL AND step_run_id IS NOT NULL"),
            postgresql_where=text("to_at IS NULL AND step_run_id IS NOT NULL"),
        ),
    )


class CaseEvent(Model):
    """What happened to a complaint, in order: registered, moved, files added. Append only.

    `details` holds what the history shows beside the sentence: failed items, differing data.
    """

    __tablename__ = "case_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), nullable=False)
    kind: Mapped[str] = mapped_column(String(40), nullable=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    by_name: Mapped[str] = mapped_column(String(140), nullable=False, default="")
    transition: Mapped[str | None] = mapped_column(String(40))
    from_step: Mapped[str | None] = mapped_column(String(40))
    to_step: Mapped[str | None] = mapped_column(String(40))
    round: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    version: Mapped[int] = mapped_column(Integer, nullable=False)
    reason: Mapped[str] = mapped_column(Text, nullable=False, default="")
    details: Mapped[dict[str, object]] = mapped_column(JSON, nullable=False, default=dict)

    complaint: Mapped[Complaint] = relationship(back_populates="events")

    __table_args__ = (
        Index("ix_case_event_case", "complaint_id", "id"),
        Index("ix_case_event_to", "to_step", "at"),
    )


class NumberSeries(Model):
    """The last number given in a year; its row lock keeps `PGD-YYYY-NNNNNN` free of gaps."""

    __tablename__ = "number_series"

    prefix: Mapped[str] = mapped_column(String(12), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    last: Mapped[int] = mapped_column(Integer, nullable=False)


class UsedFormKey(Model):
    """A one-time form key that was used: a second submit of the same form finds its result."""

    __tablename__ = "used_form_key"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False, index=True)
    result: Mapped[str] = mapped_column(String(200), nullable=False, default="")
