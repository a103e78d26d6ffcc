"""The complaint and what is known of it."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy import (
    text as condition,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app.models.base import Model, UTCDateTime
from app.models.reference import Category, Channel, DocumentKind, Region
from app.models.sealed import Digest, Sealed
from app.models.sop import CaseEvent, SopStep, StepRun

if TYPE_CHECKING:
    from flask_appbuilder.security.sqla.models import User

    from app.models.dispatch import Dispatch
    from app.models.document import CaseOutput, Document


_DIGESTS: Final = {
    "nik": "nik_digest",
    "kk_number": "kk_digest",
    "phone": "phone_digest",
    "handle": "handle_digest",
}


def new_check_pin() -> str:
    """Six random digits for the receipt; guessing is held up by the check page's limits."""
    return f"{secrets.randbelow(1_000_000):06d}"


def _open_index(name: str, *columns: str) -> Index:
    """An index of the open cases; SQLite reads it alone only if it holds what makes them open."""
    where = condition("closed_at IS NULL")
    return Index(
        f"ix_complaint_open_{name}",
        *columns,
        "closed_at",
        sqlite_where=where,
        postgresql_where=where,
    )


class Complaint(Model):
    """One applicant's complaint; stands in exactly one step, moved by `apply_transition` alone."""

    __tablename__ = "complaint"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), nullable=False, unique=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"), nullable=False)
    handle: Mapped[str] = mapped_column(Sealed("complaint.handle"), nullable=False, default="")
    external_ticket: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    received_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    registered_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    registered_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))

    applicant_name: Mapped[str] = mapped_column(String(120), nullable=False)
    nik: Mapped[str] = mapped_column(Sealed("complaint.nik"), nullable=False, default="")
    kk_number: Mapped[str] = mapped_column(
        Sealed("complaint.kk_number"), nullable=False, default=""
    )
    birth_date: Mapped[date | None] = mapped_column(Date)
    sex: Mapped[str] = mapped_column(String(1), nullable=False, default="")
    phone: Mapped[str] = mapped_column(Sealed("complaint.phone"), nullable=False, default="")
    email: Mapped[str] = mapped_column(Sealed("complaint.email"), nullable=False, default="")
    address: Mapped[str] = mapped_column(Sealed("complaint.address"), nullable=False, default="")
    kecamatan_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"))
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"))
    hide_identity: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    # Oversight content (levy, abuse): seen only with the permission `see_confidential`.
    confidential: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    needs_first_ktp: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)

    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), nullable=False)
    text: Mapped[str] = mapped_column(Text, nullable=False)
    answer: Mapped[str] = mapped_column(Text, nullable=False, default="")

    step_key: Mapped[str] = mapped_column(ForeignKey("sop_step.key"), nullable=False)
    step_since: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    version: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    round: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"), index=True)
    # Legal dates, apart from the SOP's minutes: UU 25/2009 (14 and 60 days), Permenpan-RB 62/2018.
    completeness_due: Mapped[date] = mapped_column(Date, nullable=False)
    decision_due: Mapped[date] = mapped_column(Date, nullable=False)
    class_due: Mapped[date] = mapped_column(Date, nullable=False)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # When the file was first judged, so that the applicant could be told (UU 25/2009: 14 days).
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Printed on the receipt; with the number it opens the public check page.
    check_pin: Mapped[str] = mapped_column(String(8), nullable=False, default=new_check_pin)
    # When its personal data and files were erased, the statistics kept (`services/retention`).
    erased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # What the sealed columns are found by; written with them, never by hand.
    nik_digest: Mapped[bytes | None] = mapped_column(Digest("nik", "nik"))
    kk_digest: Mapped[bytes | None] = mapped_column(Digest("kk_number", "kk"))
    phone_digest: Mapped[bytes | None] = mapped_column(Digest("phone", "phone"))
    handle_digest: Mapped[bytes | None] = mapped_column(Digest("handle", "handle"))

    channel: Mapped[Channel] = relationship()
    category: Mapped[Category] = relationship()
    kecamatan: Mapped[Region | None] = relationship(foreign_keys=[kecamatan_code])
    region: Mapped[Region | None] = relationship(foreign_keys=[region_code])
    step: Mapped[SopStep] = relationship()
    assignee: Mapped[User | None] = relationship("User", foreign_keys=[assignee_id])
    registered_by: Mapped[User | None] = relationship("User", foreign_keys=[registered_by_id])
    runs: Mapped[list[StepRun]] = relationship(back_populates="complaint", order_by=StepRun.id)
    events: Mapped[list[CaseEvent]] = relationship(
        back_populates="complaint", order_by=CaseEvent.id
    )
    checks: Mapped[list[RequirementCheck]] = relationship(
        back_populates="complaint", order_by="RequirementCheck.position, RequirementCheck.id"
    )
    siak_checks: Mapped[list[SiakCheck]] = relationship(
        back_populates="complaint", order_by="SiakCheck.id"
    )
    documents: Mapped[list[Document]] = relationship(
        back_populates="complaint", order_by="Document.id", foreign_keys="Document.complaint_id"
    )
    outputs: Mapped[list[CaseOutput]] = relationship(
        back_populates="complaint", order_by="CaseOutput.id"
    )
    dispatches: Mapped[list[Dispatch]] = relationship(
        back_populates="complaint", order_by="Dispatch.id"
    )

    __table_args__ = (
        CheckConstraint("sex IN ('', 'L', 'P')", name="ck_sex"),
        Index("ix_complaint_received", "received_at", "id"),
        Index("ix_complaint_step", "step_key", "received_at"),
        Index(
            "ix_complaint_open",
            "received_at",
            sqlite_where=condition("closed_at IS NULL"),
            postgresql_where=condition("closed_at IS NULL"),
        ),
        # Open cases alone, with all that counts of them ask for: no case is looked up.
        _open_index(
            "standing",
            "step_key",
            "confidential",
            "step_since",
            "assignee_id",
            "class_due",
            "decision_due",
            "received_at",
            "id",
        ),
        _open_index("channel", "channel_id"),
        _open_index("category", "category_id"),
        _open_index("kecamatan", "kecamatan_code"),
        Index("ix_complaint_category", "category_id", "received_at"),
        Index("ix_complaint_channel", "channel_id", "received_at"),
        Index("ix_complaint_kecamatan", "kecamatan_code", "received_at"),
        Index("ix_complaint_nik", "nik_digest"),
        Index("ix_complaint_kk", "kk_digest"),
        Index("ix_complaint_phone", "phone_digest"),
        Index("ix_complaint_name", "applicant_name"),
        Index(
            "ix_complaint_retention",
            "closed_at",
            sqlite_where=condition("closed_at IS NOT NULL AND erased_at IS NULL"),
            postgresql_where=condition("closed_at IS NOT NULL AND erased_at IS NULL"),
        ),
        Index("ix_complaint_handle", "handle_digest"),
        # Most cases have none: with them in it PostgreSQL would take any ticket for a frequent one.
        Index(
            "ix_complaint_ticket",
            "external_ticket",
            sqlite_where=condition("external_ticket <> ''"),
            postgresql_where=condition("external_ticket <> ''"),
        ),
        # Written once, when a case ends.
        Index(
            "ix_complaint_closed",
            "closed_at",
            "id",
            sqlite_where=condition("closed_at IS NOT NULL"),
            postgresql_where=condition("closed_at IS NOT NULL"),
        ),
        # Each move of a case writes every B-tree of its row on PostgreSQL; legal dates rise with
        # the rows, and a block range index of them costs next to nothing.
        Index("ix_complaint_completeness_due", "completeness_due", postgresql_using="brin"),
        Index("ix_complaint_decision_due", "decision_due", postgresql_using="brin"),
        Index("ix_complaint_class_due", "class_due", postgresql_using="brin"),
    )

    @validates("nik", "kk_number", "phone", "handle")
    def _digested(self, name: str, value: str) -> str:
        """What the value is found by changes with it; the column's type makes the digest."""
        setattr(self, _DIGESTS[name], value or None)
        return value

    def __str__(self) -> str:
        return self.number

    __repr__ = __str__


class RequirementCheck(Model):
    """What the officer saw of one required or supporting paper."""

    __tablename__ = "requirement_check"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), nullable=False)
    kind_id: Mapped[int] = mapped_column(ForeignKey("document_kind.id"), nullable=False)
    required: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True)
    state: Mapped[str] = mapped_column(String(12), nullable=False, default="unchecked")
    note: Mapped[str] = mapped_column(String(300), nullable=False, default="")
    position: Mapped[int] = mapped_column(Integer, nullable=False, default=100)
    # True while the applicant has been asked for it again: only these are open in a new round.
    reopened: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)

    complaint: Mapped[Complaint] = relationship(back_populates="checks")
    kind: Mapped[DocumentKind] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (
        UniqueConstraint("complaint_id", "kind_id"),
        CheckConstraint(
            "state IN ('present', 'unreadable', 'missing', 'unchecked')", name="ck_check_state"
        ),
    )


class SiakCheck(Model):
    """What the operator saw in SIAK in one round (SIAK is closed: a person records it)."""

    __tablename__ = "siak_check"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(
        ForeignKey("complaint.id"), nullable=False, index=True
    )
    round: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    result: Mapped[str] = mapped_column(String(10), nullable=False)
    draft_reference: Mapped[str] = mapped_column(String(80), nullable=False, default="")
    differences: Mapped[list[str]] = mapped_column(JSON, nullable=False, default=list)
    note: Mapped[str] = mapped_column(Text, nullable=False, default="")
    checked_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    checked_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))

    complaint: Mapped[Complaint] = relationship(back_populates="siak_checks")

    __table_args__ = (CheckConstraint("result IN ('match', 'mismatch')", name="ck_siak_result"),)
