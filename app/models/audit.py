"""The audit log: who did what, when and from where."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UTCDateTime


class AuditEvent(Model):
    """One thing that somebody did. Append only: the database itself refuses changes.

    Rows are numbered 1, 2, 3 … without a gap, and `mac` covers a row and the `mac` before it
    (`app/services/audit`). `actor_id` and `subject` refer to nothing: a row outlives what it tells of.
    """

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False, index=True)
    kind: Mapped[str] = mapped_column(String(40), nullable=False)
    actor_id: Mapped[int | None] = mapped_column(Integer)
    # "complaint:PGD-2026-000001", "user:12": what sort of thing, and its number or key.
    subject: Mapped[str] = mapped_column(String(80), nullable=False)
    # JSON as text: the sum is over these very characters, on every database.
    detail: Mapped[str] = mapped_column(Text, nullable=False)
    address: Mapped[str] = mapped_column(String(45), nullable=False)
    request_id: Mapped[str] = mapped_column(String(64), nullable=False)
    mac: Mapped[str] = mapped_column(String(64), nullable=False)

    __table_args__ = (
        Index("ix_audit_event_actor", "actor_id", "id"),
        Index("ix_audit_event_kind", "kind", "id"),
        Index("ix_audit_event_subject", "subject", "id"),
    )

    @property
    def details(self) -> dict[str, Any]:
        """The detail as it was recorded."""
        found: dict[str, Any] = json.loads(self.detail)
        return found
