"""A province's copy of its offices' statistics: sums of their cases, and nobody's data."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UTCDateTime
from app.models.statistics import CountsJson


class MergedOffice(Model):
    """An office whose exported statistics this one has merged, and the key that it signs them with."""

    __tablename__ = "merged_office"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    label: Mapped[str] = mapped_column(String(200), nullable=False)
    public_key: Mapped[str] = mapped_column(String(64), nullable=False)
    #: Of the newest export that was merged.
    made_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    def __str__(self) -> str:
        return self.label


class MergedCell(Model):
    """What an office counted of one series and item; at least so many cases as its export says."""

    __tablename__ = "merged_cell"

    office: Mapped[str] = mapped_column(
        ForeignKey("merged_office.name", ondelete="CASCADE"), primary_key=True
    )
    series: Mapped[str] = mapped_column(String(12), primary_key=True)
    start: Mapped[date] = mapped_column(Date, primary_key=True)
    item: Mapped[str] = mapped_column(String(40), primary_key=True)
    counts: Mapped[dict[str, int]] = mapped_column(CountsJson, nullable=False)
