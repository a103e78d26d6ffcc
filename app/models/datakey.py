"""Which keys of personal data this database needs: their ids, never the keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UTCDateTime


class DataKeyUse(Model):
    """A key that something here may be sealed with; a start without it is refused."""

    __tablename__ = "data_key_use"

    key_id: Mapped[str] = mapped_column(String(8), primary_key=True)
    since: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
