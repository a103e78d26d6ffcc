"""What the office can change itself: kinds, categories, channels, couriers, places, calendar."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    Time,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Bilingual, Model, UTCDateTime

if TYPE_CHECKING:
    from app.models.printing import BlankStock


class DocumentKind(Bilingual, Model):
    """A kind of paper: a requirement brought by the applicant, or an output of the office."""

    __tablename__ = "document_kind"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), nullable=False, unique=True)
    form_number: Mapped[str] = mapped_column(String(20), nullable=False, default="")
    is_requirement: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    is_output: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    needs_signature: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    # The blank card it is printed on (KTP-el, KIA); None: plain paper.
    blank_id: Mapped[int | None] = mapped_column(ForeignKey("blank_stock.id"))
    position: Mapped[int] = mapped_column(Integer, nullable=False, default=100)
    active: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True)

    blank: Mapped[BlankStock | None] = relationship("BlankStock")


class Category(Bilingual, Model):
    """What a complaint is about; decides its requirements, usual outputs and legal class."""

    __tablename__ = "category"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), nullable=False, unique=True)
    # information | complaint | oversight: 5, 14 and 60 working days (Permenpan-RB 62/2018).
    legal_class: Mapped[str] = mapped_column(String(16), nullable=False, default="complaint")
    allows_answer: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    resolution_hint: Mapped[str] = mapped_column(Text, nullable=False, default="")
    position: Mapped[int] = mapped_column(Integer, nullable=False, default=100)
    active: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True)

    requirements: Mapped[list[CategoryRequirement]] = relationship(
        back_populates="category",
        cascade="all, delete-orphan",
        order_by="CategoryRequirement.position",
    )
    outputs: Mapped[list[CategoryOutput]] = relationship(
        back_populates="category", cascade="all, delete-orphan", order_by="CategoryOutput.id"
    )

    __table_args__ = (
        CheckConstraint(
            "legal_class IN ('information', 'complaint', 'oversight')", name="ck_class"
        ),
    )


class CategoryRequirement(Model):
    """A paper that a complaint of this category asks for, needed or merely welcome."""

    __tablename__ = "category_requirement"

    id: Mapped[int] = mapped_column(primary_key=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), nullable=False)
    kind_id: Mapped[int] = mapped_column(ForeignKey("document_kind.id"), nullable=False)
    required: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True)
    position: Mapped[int] = mapped_column(Integer, nullable=False, default=100)

    category: Mapped[Category] = relationship(back_populates="requirements")
    kind: Mapped[DocumentKind] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (UniqueConstraint("category_id", "kind_id"),)

    def __str__(self) -> str:
        return str(self.kind)


class CategoryOutput(Model):
    """A paper that a complaint of this category usually ends with."""

    __tablename__ = "category_output"

    id: Mapped[int] = mapped_column(primary_key=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), nullable=False)
    kind_id: Mapped[int] = mapped_column(ForeignKey("document_kind.id"), nullable=False)

    category: Mapped[Category] = relationship(back_populates="outputs")
    kind: Mapped[DocumentKind] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (UniqueConstraint("category_id", "kind_id"),)

    def __str__(self) -> str:
        return str(self.kind)


class Channel(Bilingual, Model):
    """How a complaint reached the office: a message service, a web form, the counter."""

    __tablename__ = "channel"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), nullable=False, unique=True)
    # At the counter there is no handle and the time of receipt is now.
    in_person: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    handle_label_id: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    handle_label_en: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    position: Mapped[int] = mapped_column(Integer, nullable=False, default=100)
    active: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True)


class Courier(Model):
    """A courier service; `hint_regex` only warns, because real tracking numbers vary."""

    __tablename__ = "courier"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), nullable=False, unique=True)
    name: Mapped[str] = mapped_column(String(80), nullable=False)
    hint_regex: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    tracking_page: Mapped[str] = mapped_column(String(300), nullable=False, default="")
    position: Mapped[int] = mapped_column(Integer, nullable=False, default=100)
    active: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True)

    @property
    def tracking_link(self) -> str:
        """The page as far as a link may lead there: a web address, whatever the column holds."""
        page = self.tracking_page
        return page if page.startswith(("https://", "http://")) else ""

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


class Region(Model):
    """A kecamatan, or a desa/kelurahan in it, by its Kemendagri code."""

    __tablename__ = "region"

    code: Mapped[str] = mapped_column(String(13), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), nullable=False)
    kind: Mapped[str] = mapped_column(String(10), nullable=False)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"))
    postal_code: Mapped[str] = mapped_column(String(5), nullable=False, default="")
    active: Mapped[bool] = mapped_column(Boolean, nullable=False, default=True)

    parent: Mapped[Region | None] = relationship(remote_side=[code])

    __table_args__ = (
        CheckConstraint("kind IN ('kecamatan', 'desa', 'kelurahan')", name="ck_region_kind"),
        Index("ix_region_parent", "parent_code", "name"),
    )

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


class Holiday(Model):
    """A day on which the office is closed (libur nasional, cuti bersama, or its own)."""

    __tablename__ = "holiday"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, nullable=False, unique=True)
    name: Mapped[str] = mapped_column(String(120), nullable=False)
    kind: Mapped[str] = mapped_column(String(20), nullable=False, default="libur_nasional")
    certainty: Mapped[str] = mapped_column(String(12), nullable=False, default="tetap")

    def __str__(self) -> str:
        return f"{self.day:%d-%m-%Y} {self.name}"

    __repr__ = __str__


class WorkingHours(Model):
    """Opening hours of one weekday (0 Monday … 6 Sunday), usual or for a span such as Ramadan."""

    __tablename__ = "working_hours"

    id: Mapped[int] = mapped_column(primary_key=True)
    weekday: Mapped[int] = mapped_column(Integer, nullable=False)
    opens: Mapped[time] = mapped_column(Time, nullable=False)
    closes: Mapped[time] = mapped_column(Time, nullable=False)
    break_from: Mapped[time | None] = mapped_column(Time)
    break_to: Mapped[time | None] = mapped_column(Time)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)

    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="ck_weekday"),
        CheckConstraint("closes > opens", name="ck_hours_order"),
        CheckConstraint(
            "(break_from IS NULL AND break_to IS NULL) OR (break_from IS NOT NULL"
            " AND break_to IS NOT NULL AND break_to > break_from)",
            name="ck_break_order",
        ),
        CheckConstraint("(valid_from IS NULL) = (valid_to IS NULL)", name="ck_hours_span"),
        UniqueConstraint("weekday", "valid_from"),
        # NULLs differ in a unique constraint: the usual hours of a weekday need their own rule.
        Index(
            "uq_hours_usual",
            "weekday",
            unique=True,
            sqlite_where=sql("valid_from IS NULL"),
            postgresql_where=sql("valid_from IS NULL"),
        ),
    )


class Office(Model):
    """Who the office is, as printed on its sheet (one row)."""

    __tablename__ = "office"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(160), nullable=False)
    government: Mapped[str] = mapped_column(String(160), nullable=False)
    unit: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    address: Mapped[str] = mapped_column(String(300), nullable=False, default="")
    phone: Mapped[str] = mapped_column(String(40), nullable=False, default="")
    email: Mapped[str] = mapped_column(String(120), nullable=False, default="")
    website: Mapped[str] = mapped_column(String(160), nullable=False, default="")
    region_code: Mapped[str] = mapped_column(String(13), nullable=False, default="33.25")
    # The header of the SOP sheet (Permenpan-RB 35/2012). The office's sheet leaves these out, so
    # they stay blank until the office fills them in; the program never invents them.
    sop_number: Mapped[str] = mapped_column(String(80), nullable=False, default="")
    sop_created: Mapped[date | None] = mapped_column(Date)
    sop_revised: Mapped[date | None] = mapped_column(Date)
    sop_effective: Mapped[date | None] = mapped_column(Date)
    sop_approved_by: Mapped[str] = mapped_column(String(160), nullable=False, default="")
    sop_legal_basis: Mapped[str] = mapped_column(Text, nullable=False, default="")
    sop_qualification: Mapped[str] = mapped_column(Text, nullable=False, default="")
    sop_related: Mapped[str] = mapped_column(Text, nullable=False, default="")
    sop_equipment: Mapped[str] = mapped_column(Text, nullable=False, default="")
    sop_warning: Mapped[str] = mapped_column(Text, nullable=False, default="")
    sop_recording: Mapped[str] = mapped_column(Text, nullable=False, default="")
    # A parcel without news for so many days is asked after.
    quiet_days: Mapped[int] = mapped_column(Integer, nullable=False, default=7)
    # Months after its end for which the data of a case are kept; empty: for ever.
    retention_months: Mapped[int | None] = mapped_column(Integer)
    # A small office without a second officer: until this day, and for this reason, who checked a
    # case at SIAK may sign it as well. Empty is the rule.
    same_person_reason: Mapped[str] = mapped_column(String(300), nullable=False, default="")
    same_person_until: Mapped[date | None] = mapped_column(Date)

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


class SeedRun(Model):
    """Which seed files were loaded: each once, so what the office changed is never overwritten."""

    __tablename__ = "seed_run"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
