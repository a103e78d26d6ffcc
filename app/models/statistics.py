"""The roll-up that charts and reports are read from."""

from __future__ import annotations

from datetime import date

from sqlalchemy import JSON, Date, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model

#: On PostgreSQL the binary form, which can be added to in place.
CountsJson = JSON().with_variant(JSONB(), "postgresql")


class StatCell(Model):
    """What was counted of one series and item in one day, week or month, for one sort of case.

    Derived: each row can be counted again from the other tables (`flask stats rebuild`). `dim` is
    empty for all cases, else `channel`, `category` or `kecamatan`, and `value` says which.
    """

    __tablename__ = "stat_cell"

    # In the order in which a period is read: one stretch of the index for each grain.
    series: Mapped[str] = mapped_column(String(12), primary_key=True)
    dim: Mapped[str] = mapped_column(String(12), primary_key=True)
    value: Mapped[str] = mapped_column(String(20), primary_key=True)
    grain: Mapped[str] = mapped_column(String(6), primary_key=True)
    start: Mapped[date] = mapped_column(Date, primary_key=True)
    item: Mapped[str] = mapped_column(String(40), primary_key=True)
    counts: Mapped[dict[str, int]] = mapped_column(CountsJson, nullable=False)

    # One tree, rows beside their key: a period is one read without look-ups.
    __table_args__ = ({"sqlite_with_rowid": False},)
