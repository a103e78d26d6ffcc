"""Who signs for the office and since when, what a signature said, and each batch of signing."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UTCDateTime
from app.models.document import CaseOutput, Document
from app.models.sealed import Sealed

if TYPE_CHECKING:
    from flask_appbuilder.security.sqla.models import User

    from app.models.complaint import Complaint


class Signatory(Model):
    """An officer who may sign for the office, in a capacity and between two dates.

    An acting head (Plt., Plh.) signs by a decree, from–to, and is stamped so (SOP step 4).
    """

    __tablename__ = "signatory"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), nullable=False)
    # As printed, with titles.
    name: Mapped[str] = mapped_column(String(120), nullable=False)
    nip: Mapped[str] = mapped_column(String(18), nullable=False, default="")
    # The signature service knows officers by their NIK.
    nik: Mapped[str] = mapped_column(Sealed("signatory.nik"), nullable=False, default="")
    rank: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    position: Mapped[str] = mapped_column(String(160), nullable=False)
    capacity: Mapped[str] = mapped_column(String(10), nullable=False, default="definitif")
    decree_number: Mapped[str] = mapped_column(String(80), nullable=False, default="")
    decree_date: Mapped[date | None] = mapped_column(Date)
    valid_from: Mapped[date] = mapped_column(Date, nullable=False)
    valid_to: Mapped[date | None] = mapped_column(Date)
    # Name of the certificate file in the configured folder (pkcs12 way only).
    certificate: Mapped[str] = mapped_column(String(80), nullable=False, default="")

    user: Mapped[User] = relationship("User")

    __table_args__ = (
        CheckConstraint("capacity IN ('definitif', 'plt', 'plh')", name="ck_signatory_capacity"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="ck_signatory_dates"),
        Index("ix_signatory_user", "user_id", "valid_from"),
    )

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


class DocumentSignature(Model):
    """One signature found in a signed PDF, as it was read when the file came in."""

    __tablename__ = "document_signature"

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), nullable=False)
    position: Mapped[int] = mapped_column(Integer, nullable=False)
    signer: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    issuer: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    # As the signature itself claims, unless a time stamp authority said so.
    signed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    timestamped: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    intact: Mapped[bool] = mapped_column(Boolean, nullable=False)
    issuer_known: Mapped[bool] = mapped_column(Boolean, nullable=False)
    reason: Mapped[str] = mapped_column(String(200), nullable=False, default="")

    document: Mapped[Document] = relationship(back_populates="signatures")

    __table_args__ = (UniqueConstraint("document_id", "position"),)


class SigningBatch(Model):
    """One go at signing by one official; the passphrase is never part of it."""

    __tablename__ = "signing_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), nullable=False, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), nullable=False, index=True)
    signatory_id: Mapped[int] = mapped_column(ForeignKey("signatory.id"), nullable=False)
    way: Mapped[str] = mapped_column(String(10), nullable=False)
    # When the official opened the page: the time since is shared among the cases.
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    signatory: Mapped[Signatory] = relationship()
    items: Mapped[list[SigningItem]] = relationship(
        back_populates="batch", order_by="SigningItem.position"
    )


class SigningItem(Model):
    """One paper of a batch and what became of it.

    `sending` is committed before anything leaves for the signature service, so an answer that
    never came leaves `unknown` behind and the paper is not sent a second time by itself.
    """

    __tablename__ = "signing_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("signing_batch.id"), nullable=False)
    position: Mapped[int] = mapped_column(Integer, nullable=False)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), nullable=False)
    # The version of the case that the official looked at.
    case_version: Mapped[int] = mapped_column(Integer, nullable=False)
    # None: a case of which nothing needs a signature, or all papers were brought signed.
    output_id: Mapped[int | None] = mapped_column(ForeignKey("case_output.id"))
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    signed_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    state: Mapped[str] = mapped_column(String(10), nullable=False, default="waiting")
    # Why it failed: a code of ours with its parameters, turned into a sentence on the page.
    error: Mapped[str] = mapped_column(String(40), nullable=False, default="")
    error_params: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False, default=dict)
    # The service's own number of the signed file (`id_dokumen`), fetched once.
    remote_id: Mapped[str] = mapped_column(String(80), nullable=False, default="")
    # Whether the case has left the step with this paper.
    moved: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    batch: Mapped[SigningBatch] = relationship(back_populates="items")
    complaint: Mapped[Complaint] = relationship("Complaint")
    output: Mapped[CaseOutput | None] = relationship()
    draft: Mapped[Document | None] = relationship(foreign_keys=[draft_id])
    signed: Mapped[Document | None] = relationship(foreign_keys=[signed_id])

    __table_args__ = (
        UniqueConstraint("batch_id", "position"),
        CheckConstraint(
            "state IN ('waiting', 'sending', 'remote', 'unknown', 'signed', 'failed', 'released')",
            name="ck_signing_state",
        ),
        # At most one answer is outstanding for a paper, whatever two browsers do.
        Index(
            "uq_signing_outstanding",
            "output_id",
            unique=True,
            sqlite_where=sql("state IN ('sending', 'remote', 'unknown')"),
            postgresql_where=sql("state IN ('sending', 'remote', 'unknown')"),
        ),
        Index("ix_signing_complaint", "complaint_id"),
    )
