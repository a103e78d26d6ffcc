"""Files of a case, the papers it ends with, and each print of them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UTCDateTime
from app.models.reference import DocumentKind

if TYPE_CHECKING:
    from flask_appbuilder.security.sqla.models import User

    from app.models.complaint import Complaint
    from app.models.signature import DocumentSignature


def new_check_code() -> str:
    """A code for the public check page that nobody can guess (128 bits, 22 letters)."""
    return secrets.token_urlsafe(16)


class StoredFile:
    """Facts of a file in the private store; sha256 proves it unchanged."""

    storage_key: Mapped[str] = mapped_column(String(80), nullable=False, unique=True)
    original_name: Mapped[str] = mapped_column(String(200), nullable=False)
    media_type: Mapped[str] = mapped_column(String(40), nullable=False)
    size: Mapped[int] = mapped_column(Integer, nullable=False)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    # Pages of a PDF, None for a picture and for what was stored before pages were counted.
    pages: Mapped[int | None] = mapped_column(Integer)


class Document(StoredFile, Model):
    """A file of a case: a requirement, a draft, a signed paper or a proof of dispatch.

    A file that is replaced stays: its successor names it in `replaces_id`, and `replaced_at` says
    since when it is no longer the present one.
    """

    __tablename__ = "document"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), nullable=False, unique=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), nullable=False)
    kind_id: Mapped[int | None] = mapped_column(ForeignKey("document_kind.id"))
    output_id: Mapped[int | None] = mapped_column(ForeignKey("case_output.id"), index=True)
    stage: Mapped[str] = mapped_column(String(12), nullable=False)
    round: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    uploaded_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    # 1 for the first file, one more for each that replaces it.
    revision: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    replaced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # What reading the signature of a signed PDF showed; None: not read.
    signature_state: Mapped[str | None] = mapped_column(String(16))

    complaint: Mapped[Complaint] = relationship(back_populates="documents")
    kind: Mapped[DocumentKind | None] = relationship()
    output: Mapped[CaseOutput | None] = relationship(
        back_populates="documents", foreign_keys=[output_id]
    )
    uploaded_by: Mapped[User | None] = relationship("User")
    replaces: Mapped[Document | None] = relationship(remote_side=[id])
    signatures: Mapped[list[DocumentSignature]] = relationship(
        back_populates="document", order_by="DocumentSignature.position"
    )

    __table_args__ = (
        CheckConstraint(
            "stage IN ('requirement', 'draft', 'signed', 'proof')", name="ck_document_stage"
        ),
        CheckConstraint(
            "signature_state IS NULL OR signature_state IN"
            " ('trusted', 'unknown_issuer', 'changed', 'unsigned')",
            name="ck_document_signature",
        ),
        # One successor each: the versions of a file are a line, not a tree.
        Index(
            "uq_document_replaces",
            "replaces_id",
            unique=True,
            sqlite_where=sql("replaces_id IS NOT NULL"),
            postgresql_where=sql("replaces_id IS NOT NULL"),
        ),
        Index("ix_document_case", "complaint_id", "id"),
        Index("ix_document_uploaded", "uploaded_at", "id"),
        Index("ix_document_stage", "stage", "uploaded_at"),
        Index("ix_document_kind", "kind_id", "uploaded_at"),
    )

    def __str__(self) -> str:
        return self.original_name

    __repr__ = __str__


class CaseOutput(Model):
    """A paper this case ends with: named at steps 2–3, signed at 4, printed at 5."""

    __tablename__ = "case_output"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), nullable=False)
    kind_id: Mapped[int] = mapped_column(ForeignKey("document_kind.id"), nullable=False)
    reference: Mapped[str] = mapped_column(String(80), nullable=False, default="")
    named_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    named_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    # Withdrawn from the case (named by mistake): kept, because a print may already refer to it.
    dropped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # The round in which it was named; a reopened case names its papers anew.
    round: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    # Where the paper's QR code leads: whoever holds the paper can ask whether it is ours.
    check_code: Mapped[str] = mapped_column(
        String(24), nullable=False, unique=True, default=new_check_code
    )

    complaint: Mapped[Complaint] = relationship(back_populates="outputs")
    # Unnested: behind an outer join SQLite would first read every paper there is.
    kind: Mapped[DocumentKind] = relationship(
        lazy="joined",
        innerjoin="unnested",  # type: ignore[arg-type]
    )
    documents: Mapped[list[Document]] = relationship(
        back_populates="output", foreign_keys=[Document.output_id], order_by=Document.id
    )
    prints: Mapped[list[PrintRun]] = relationship(
        back_populates="output", order_by="PrintRun.number"
    )

    __table_args__ = (Index("ix_case_output_case", "complaint_id", "id"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}".strip()

    __repr__ = __str__


class PrintRun(Model):
    """One print of one paper and whether it came out well; prints are numbered per paper.

    `reason` says why a print was spoiled, `reprint_reason` why a paper that had come out well was
    printed once more.
    """

    __tablename__ = "print_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    output_id: Mapped[int] = mapped_column(ForeignKey("case_output.id"), nullable=False)
    number: Mapped[int] = mapped_column(Integer, nullable=False)
    result: Mapped[str] = mapped_column(String(8), nullable=False)
    reason: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    printed_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    printed_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    reprint_reason: Mapped[str] = mapped_column(String(200), nullable=False, default="")

    output: Mapped[CaseOutput] = relationship(back_populates="prints")
    printed_by: Mapped[User | None] = relationship("User")

    __table_args__ = (
        UniqueConstraint("output_id", "number"),
        CheckConstraint("result IN ('good', 'spoiled')", name="ck_print_result"),
    )


class StagedUpload(StoredFile, Model):
    """A file that was checked and stored but belongs to no case yet (a form still being filled)."""

    __tablename__ = "staged_upload"

    token: Mapped[str] = mapped_column(String(43), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), nullable=False)
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False, index=True)
