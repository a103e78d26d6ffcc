"""What every file for a spreadsheet has to respect: text stays text, whoever wrote it."""

from __future__ import annotations

from typing import Final

#: What a spreadsheet reads as the beginning of a formula (the last four: full-width forms).
FORMULA_STARTS: Final = tuple("=+-@\t\r\n＝＋－＠")


def inert(text: str) -> str:
    """A text for a CSV file; one that would start a formula gets an apostrophe before it."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
