"""A register that was brought in from a spreadsheet."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UTCDateTime

if TYPE_CHECKING:
    from flask_appbuilder.security.sqla.models import User


class ImportRun(Model):
    """One spreadsheet: looked through (dry run), then taken over as a whole or not at all.

    The file itself lies in the store until the import is done or given up.
    """

    __tablename__ = "import_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), nullable=False, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), nullable=False)
    file_name: Mapped[str] = mapped_column(String(200), nullable=False)
    storage_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    size: Mapped[int] = mapped_column(Integer, nullable=False)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    state: Mapped[str] = mapped_column(String(10), nullable=False, default="checked")
    rows: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    # How many problems the dry run found, and the first of them: row, column, code, parameters.
    problem_count: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSON, nullable=False, default=list)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    first_number: Mapped[str] = mapped_column(String(20), nullable=False, default="")
    last_number: Mapped[str] = mapped_column(String(20), nullable=False, default="")

    user: Mapped[User] = relationship("User")

    __table_args__ = (
        CheckConstraint("state IN ('checked', 'done', 'dropped')", name="ck_import_state"),
        Index("ix_import_uploaded", "uploaded_at", "id"),
    )
