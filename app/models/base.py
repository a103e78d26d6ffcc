"""Column types and mix-ins shared by every table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask_appbuilder import Model
from sqlalchemy import DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from app.sop.text import Text

__all__ = ["Bilingual", "Model", "UTCDateTime", "utc_now"]


def utc_now() -> datetime:
    """The present moment, aware, in UTC (the only zone the database knows)."""
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC instant; a naive datetime is refused instead of guessed.

    PostgreSQL keeps `timestamptz`. SQLite has no zones, so the naive UTC value is stored and the
    zone is put back on reading: both databases hand out equal values.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert isinstance(value, datetime)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Bilingual:
    """A row the office names in two languages; `str()` shows the reader's."""

    label_id: Mapped[str] = mapped_column(String(160), nullable=False)
    label_en: Mapped[str] = mapped_column(String(160), nullable=False)

    @property
    def label(self) -> Text:
        """Both names; turned into one by the language of the request."""
        return Text(id=self.label_id, en=self.label_en or self.label_id)

    def __str__(self) -> str:
        return str(self.label)

    __repr__ = __str__
