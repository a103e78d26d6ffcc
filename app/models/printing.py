"""Printing at step 5: batches of papers, the blank cards they are printed on, and who waits."""

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
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Bilingual, Model, UTCDateTime
from app.models.document import CaseOutput, Document, PrintRun

if TYPE_CHECKING:
    from flask_appbuilder.security.sqla.models import User

    from app.models.complaint import Complaint


class PrintBatch(Model):
    """Papers sent to the printer together; each is then said to have come out well or spoiled."""

    __tablename__ = "print_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), nullable=False, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), nullable=False)
    # When the officer opened the page: the time since is shared among the cases.
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    # Every paper has its answer.
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    user: Mapped[User] = relationship("User")
    items: Mapped[list[PrintBatchItem]] = relationship(
        back_populates="batch", order_by="PrintBatchItem.position"
    )

    __table_args__ = (Index("ix_print_batch_open", "user_id", "closed_at"),)


class PrintBatchItem(Model):
    """One paper of a batch; `run` is there once somebody has said how it came out."""

    __tablename__ = "print_batch_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("print_batch.id"), nullable=False)
    position: Mapped[int] = mapped_column(Integer, nullable=False)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), nullable=False)
    output_id: Mapped[int] = mapped_column(ForeignKey("case_output.id"), nullable=False)
    # The signed file that was printed; None for a card that another program prints.
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    first_page: Mapped[int | None] = mapped_column(Integer)
    reprint_reason: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    run_id: Mapped[int | None] = mapped_column(ForeignKey("print_run.id"))

    batch: Mapped[PrintBatch] = relationship(back_populates="items")
    complaint: Mapped[Complaint] = relationship("Complaint")
    output: Mapped[CaseOutput] = relationship()
    document: Mapped[Document | None] = relationship()
    run: Mapped[PrintRun | None] = relationship()

    __table_args__ = (
        UniqueConstraint("batch_id", "position"),
        Index("ix_print_item_output", "output_id"),
    )


class BlankStock(Bilingual, Model):
    """A kind of blank card (blangko) and how many are left; never below nothing."""

    __tablename__ = "blank_stock"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), nullable=False, unique=True)
    # Always the sum of the ledger; kept beside it so that two officers can't take the last card.
    balance: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    low_level: Mapped[int] = mapped_column(Integer, nullable=False, default=50)
    position: Mapped[int] = mapped_column(Integer, nullable=False, default=100)
    active: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True)

    __table_args__ = (CheckConstraint("balance >= 0", name="ck_blank_balance"),)


class BlankEntry(Model):
    """One line of the ledger, never changed: what came in, was used, was spoiled or counted."""

    __tablename__ = "blank_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    blank_id: Mapped[int] = mapped_column(ForeignKey("blank_stock.id"), nullable=False)
    kind: Mapped[str] = mapped_column(String(10), nullable=False)
    # Plus for what came in, minus for what went.
    quantity: Mapped[int] = mapped_column(Integer, nullable=False)
    balance_after: Mapped[int] = mapped_column(Integer, nullable=False)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("print_run.id"), unique=True)
    note: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))

    blank: Mapped[BlankStock] = relationship()
    by: Mapped[User | None] = relationship("User")
    run: Mapped[PrintRun | None] = relationship()

    __table_args__ = (
        CheckConstraint(
            "kind IN ('received', 'used', 'spoiled', 'counted')", name="ck_blank_entry_kind"
        ),
        CheckConstraint("balance_after >= 0", name="ck_blank_entry_balance"),
        Index("ix_blank_entry", "blank_id", "id"),
        Index("ix_blank_entry_at", "blank_id", "kind", "at"),
    )


class BlankWait(Model):
    """A paper that waits for a blank card: first come, first served."""

    __tablename__ = "blank_wait"

    id: Mapped[int] = mapped_column(primary_key=True)
    blank_id: Mapped[int] = mapped_column(ForeignKey("blank_stock.id"), nullable=False)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), nullable=False)
    output_id: Mapped[int] = mapped_column(ForeignKey("case_output.id"), nullable=False)
    since: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    # Printed well, or the paper was withdrawn.
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    blank: Mapped[BlankStock] = relationship()
    complaint: Mapped[Complaint] = relationship("Complaint")
    output: Mapped[CaseOutput] = relationship()

    __table_args__ = (
        Index("ix_blank_wait_open", "blank_id", "ended_at", "since", "id"),
        Index(
            "uq_blank_wait_open",
            "output_id",
            unique=True,
            sqlite_where=sql("ended_at IS NULL"),
            postgresql_where=sql("ended_at IS NULL"),
        ),
    )
