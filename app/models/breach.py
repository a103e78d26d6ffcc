"""The register of failures to protect personal data (law 27/2022, art. 46)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UTCDateTime

if TYPE_CHECKING:
    from flask_appbuilder.security.sqla.models import User


class Breach(Model):
    """One failure: what is known of it, and whom it was told to. Never deleted.

    What it said before stays in its versions.
    """

    __tablename__ = "breach"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(160), nullable=False)
    # From here the law counts three times 24 hours, by the wall clock.
    known_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False, index=True)
    happened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    what: Mapped[str] = mapped_column(Text, nullable=False)
    data: Mapped[str] = mapped_column(Text, nullable=False)
    # None: not known yet.
    persons: Mapped[int | None] = mapped_column(Integer)
    measures: Mapped[str] = mapped_column(Text, nullable=False)
    contact: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    authority_told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    authority_how: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    persons_told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    persons_how: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))

    recorded_by: Mapped[User | None] = relationship("User")
    versions: Mapped[list[BreachVersion]] = relationship(order_by="BreachVersion.id")

    __table_args__ = (CheckConstraint("persons IS NULL OR persons >= 0", name="ck_breach_persons"),)

    def __str__(self) -> str:
        return self.title

    __repr__ = __str__


class BreachVersion(Model):
    """What an entry said from one moment on, and who wrote it; added, never changed."""

    __tablename__ = "breach_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    breach_id: Mapped[int] = mapped_column(ForeignKey("breach.id"), nullable=False, index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    # Field -> its words then; moments as ISO 8601 in UTC.
    said: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False)

    by: Mapped[User | None] = relationship("User")
