"""Where a page of a list begins: after or before a row, not after a number of rows.

The address of a page carries the last row of the page before it (or the first of the page after
it), so a page deep in a long list costs what the first costs, and somebody who walks through the
list meets every row once while others add rows. `page_View` then only names the page; alone, as
in an address that somebody wrote, it still counts rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Date, DateTime, Integer, String
from sqlalchemy.orm import InstrumentedAttribute

from app.models.base import UTCDateTime
from app.sop.errors import SopError

#: Pages that may be skipped from the row of the address: the links around the present page.
MOST_SKIPPED: Final = 5
_LONGEST: Final = 200


@dataclass(frozen=True)
class Place:
    """After or before the row with this value of the order and this key."""

    forward: bool
    skip: int
    key: Any
    value: Any

    def row(self) -> str:
        """The row of the place."""
        value = self.value.isoformat() if isinstance(self.value, date) else str(self.value)
        return f"{self.key}~{value}"

    def address(self, row: str | None = None) -> str:
        """The place as a parameter of an address; `row` stands for the row, if given."""
        return f"{'a' if self.forward else 'b'}{self.skip}~{row or self.row()}"


@lru_cache(maxsize=500)
def can_be_a_place(column: Any) -> bool:
    """Whether rows can be found by a value of the column: never empty, and of a plain type."""
    if not isinstance(column, InstrumentedAttribute) or not hasattr(column, "type"):
        return False
    table_column = getattr(column, "expression", None)
    plain = isinstance(column.type, UTCDateTime | DateTime | Date | Integer | String)
    return plain and getattr(table_column, "nullable", True) is False


def read_place(text: str, column: Any, key_of: Any) -> Place | None:
    """The place that an address names; None for what is not one, which shows no more rows.

    Args:
        text: the parameter.
        column: the column of the order.
        key_of: turns the key of an address into one of the table, or None.
    """
    way, _tilde, rest = text.partition("~")
    key_text, _tilde, value_text = rest.partition("~")
    if len(way) != 2 or way[0] not in "ab" or not way[1].isascii() or not way[1].isdigit():
        return None
    skip, key = int(way[1]), key_of(key_text)
    if skip > MOST_SKIPPED or key is None or len(value_text) > _LONGEST:
        return None
    value = _value(value_text, column.type)
    return None if value is None else Place(way[0] == "a", skip, key, value)


def _value(text: str, kind: Any) -> Any:
    """A value of the order from an address, None when it cannot be one."""
    try:
        if isinstance(kind, UTCDateTime):
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo is not None and 1 < moment.year < 9999 else None
        if isinstance(kind, DateTime):
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo is None else None
        if isinstance(kind, Date):
            return date.fromisoformat(text)
        if isinstance(kind, Integer):
            return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    except (ValueError, SopError):
        return None
    return text if text.isprintable() else None
