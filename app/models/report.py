"""Reports that were asked for: made by a worker, fetched by who asked, thrown away after a week."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Boolean, CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UTCDateTime

if TYPE_CHECKING:
    from flask_appbuilder.security.sqla.models import User


class ReportJob(Model):
    """One report: queued → running → done, failed or cancelled.

    The key of its file is chosen before the file is written, so a worker that dies in between
    leaves no file that nobody knows of. `progress` and `total` count rows or tables.
    A backup leaves the files out: a report can be made again.
    """

    __tablename__ = "report_job"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), nullable=False, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), nullable=False)
    kind: Mapped[str] = mapped_column(String(10), nullable=False)
    format: Mapped[str] = mapped_column(String(4), nullable=False)
    language: Mapped[str] = mapped_column(String(2), nullable=False)
    # Period and filter, as `Scope` has them.
    params: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False)
    # Whether it holds personal data, and confidential cases: asked again before each download.
    personal: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    confidential: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    state: Mapped[str] = mapped_column(String(10), nullable=False, default="queued")
    progress: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    total: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    # Which worker holds it, when it last gave a sign of life, and how many have begun.
    worker: Mapped[str] = mapped_column(String(40), nullable=False, default="")
    beat_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    error: Mapped[str] = mapped_column(String(40), nullable=False, default="")
    error_params: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False, default=dict)
    file_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    file_name: Mapped[str] = mapped_column(String(120), nullable=False, default="")
    size: Mapped[int] = mapped_column(Integer, nullable=False, default=0)

    user: Mapped[User] = relationship("User")

    __table_args__ = (
        CheckConstraint("kind IN ('recap', 'register', 'due')", name="ck_report_kind"),
        CheckConstraint("format IN ('pdf', 'xlsx', 'csv')", name="ck_report_format"),
        CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="ck_report_state"
        ),
        Index("ix_report_due", "state", "requested_at", "id"),
        Index("ix_report_user", "user_id", "requested_at", "id"),
        Index("ix_report_expires", "expires_at"),
    )
