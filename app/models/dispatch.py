"""What was sent to the applicant, by whom, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UTCDateTime
from app.models.document import Document
from app.models.reference import Courier
from app.models.sealed import Sealed

if TYPE_CHECKING:
    from flask_appbuilder.security.sqla.models import User

    from app.models.complaint import Complaint


class Dispatch(Model):
    """One parcel; exists only with its proof of dispatch (SOP step 6, output)."""

    __tablename__ = "dispatch"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(
        ForeignKey("complaint.id"), nullable=False, index=True
    )
    round: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    courier_id: Mapped[int] = mapped_column(ForeignKey("courier.id"), nullable=False)
    service: Mapped[str] = mapped_column(String(40), nullable=False, default="")
    tracking_number: Mapped[str] = mapped_column(String(40), nullable=False)
    recipient: Mapped[str] = mapped_column(String(120), nullable=False)
    address: Mapped[str] = mapped_column(Sealed("dispatch.address"), nullable=False)
    phone: Mapped[str] = mapped_column(Sealed("dispatch.phone"), nullable=False, default="")
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    sent_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    # Rupiah paid to the courier; the document itself is free (UU 24/2013).
    cost: Mapped[int | None] = mapped_column(Integer)
    proof_id: Mapped[int] = mapped_column(ForeignKey("document.id"), nullable=False)
    status: Mapped[str] = mapped_column(String(12), nullable=False, default="sent")
    delivered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    received_by: Mapped[str] = mapped_column(String(120), nullable=False, default="")
    relation: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    return_reason: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    returned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # 1 for the first parcel of a round, 2 for the one sent after it came back.
    attempt: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    # What the courier's page said when somebody last looked.
    news: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    news_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Whether the old card was handed in (None: there was none to ask for).
    old_card_taken: Mapped[bool | None] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(Integer, nullable=False, default=1)

    complaint: Mapped[Complaint] = relationship(back_populates="dispatches")
    courier: Mapped[Courier] = relationship()
    proof: Mapped[Document] = relationship()
    sent_by: Mapped[User | None] = relationship("User")

    __table_args__ = (
        UniqueConstraint("courier_id", "tracking_number"),
        CheckConstraint("status IN ('sent', 'delivered', 'returned')", name="ck_dispatch_status"),
        CheckConstraint("cost IS NULL OR cost >= 0", name="ck_dispatch_cost"),
        Index("ix_dispatch_sent", "sent_at", "id"),
        Index("ix_dispatch_status", "status", "sent_at"),
        Index("ix_dispatch_courier", "courier_id", "sent_at"),
        Index("ix_dispatch_tracking", "tracking_number"),
        Index("ix_dispatch_proof", "proof_id"),
        Index(
            "ix_dispatch_delivered",
            "delivered_at",
            "id",
            sqlite_where=text("delivered_at IS NOT NULL"),
            postgresql_where=text("delivered_at IS NOT NULL"),
        ),
    )

    def __str__(self) -> str:
        return self.tracking_number

    __repr__ = __str__
