"""Labels in two languages, and the mark for sentences that are translated elsewhere."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

#: The reader's language, "id" or "en"; the web layer sets it per request.
language: Final[ContextVar[str]] = ContextVar("sop_language", default="id")


@dataclass(frozen=True, slots=True)
class Text:
    """A label that data carries in both languages; `str()` picks the reader's."""

    id: str
    en: str

    def __str__(self) -> str:
        return self.en if language.get() == "en" else self.id


def N_(message: str) -> str:  # noqa: N802 - the name Babel extracts by default
    """Mark an English sentence for extraction and return it unchanged."""
    return message
