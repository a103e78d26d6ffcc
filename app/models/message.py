"""What is said to applicants: the office's texts, and every message with what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app.models.base import Model, UTCDateTime
from app.models.sealed import Digest, Sealed

if TYPE_CHECKING:
    from flask_appbuilder.security.sqla.models import User

    from app.models.complaint import Complaint


class MessageText(Model):
    """The office's words for one occasion and one way; placeholders are checked on saving."""

    __tablename__ = "message_text"

    id: Mapped[int] = mapped_column(primary_key=True)
    occasion: Mapped[str] = mapped_column(String(12), nullable=False)
    way: Mapped[str] = mapped_column(String(10), nullable=False)
    # Only an e-mail has one.
    subject: Mapped[str] = mapped_column(String(150), nullable=False, default="")
    body: Mapped[str] = mapped_column(Text, nullable=False)
    active: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True)

    __table_args__ = (
        UniqueConstraint("occasion", "way"),
        CheckConstraint(
            "occasion IN ('receipt', 'returned', 'finished', 'answered')",
            name="ck_message_text_occasion",
        ),
        CheckConstraint("way IN ('email', 'whatsapp')", name="ck_message_text_way"),
    )

    def __str__(self) -> str:
        return f"{self.occasion} {self.way}"

    __repr__ = __str__


class Message(Model):
    """One message to one applicant; written in the transaction of what it tells about (outbox).

    An e-mail goes queued → claimed → handing → sent. `handing` is committed just before the text
    is handed to the mail server: a worker that dies there leaves a message of which nobody can
    know whether it went, so it is shown to an officer as `unclear` instead of being sent twice.
    A WhatsApp message waits as `offered` until an officer says that it was sent.
    """

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True)
    # The Message-ID of an e-mail, so that a mail server can tell a copy.
    public_id: Mapped[str] = mapped_column(String(32), nullable=False, unique=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), nullable=False)
    occasion: Mapped[str] = mapped_column(String(12), nullable=False)
    way: Mapped[str] = mapped_column(String(10), nullable=False)
    recipient: Mapped[str] = mapped_column(Sealed("message.recipient"), nullable=False)
    recipient_digest: Mapped[bytes | None] = mapped_column(Digest("recipient", "recipient"))
    subject: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    body: Mapped[str] = mapped_column(Text, nullable=False)
    state: Mapped[str] = mapped_column(String(10), nullable=False)
    attempts: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    next_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Which worker holds it, and since when.
    worker: Mapped[str] = mapped_column(String(40), nullable=False, default="")
    claimed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Why it failed last: a code of ours and what the mail server said.
    error: Mapped[str] = mapped_column(String(40), nullable=False, default="")
    error_params: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False, default=dict)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sent_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))

    complaint: Mapped[Complaint] = relationship("Complaint")
    created_by: Mapped[User | None] = relationship("User", foreign_keys=[created_by_id])
    sent_by: Mapped[User | None] = relationship("User", foreign_keys=[sent_by_id])

    __table_args__ = (
        CheckConstraint("way IN ('email', 'whatsapp')", name="ck_message_way"),
        CheckConstraint(
            "state IN ('queued', 'claimed', 'handing', 'unclear', 'sent', 'failed', 'offered',"
            " 'cancelled')",
            name="ck_message_state",
        ),
        Index("ix_message_due", "state", "next_at", "id"),
        Index("ix_message_case", "complaint_id", "id"),
        Index("ix_message_created", "created_at", "id"),
        Index("ix_message_recipient", "recipient_digest"),
    )

    @validates("recipient")
    def _digested(self, _name: str, value: str) -> str:
        """What the address is found by changes with it."""
        self.recipient_digest = value or None  # type: ignore[assignment]
        return value
