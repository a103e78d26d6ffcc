"""Columns of personal data: sealed in the database, found by a keyed digest beside them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import LargeBinary, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator

from app.datakeys import DIGEST_BYTES, ring

_COMPARED: Final = frozenset(
    {
        operators.eq, operators.ne, operators.lt, operators.le, operators.gt, operators.ge,
        operators.in_op, operators.not_in_op, operators.like_op, operators.ilike_op,
        operators.startswith_op, operators.contains_op, operators.between_op,
    }
)  # fmt: skip


class Sealed(TypeDecorator[str]):
    """A text that only a process with the keys can read; "" stays "".

    Each sealing of the same text is another one, so the column cannot be compared with anything
    but "": that is refused here instead of never being true. `Digest` is there to look up.
    """

    impl = Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        #: `table.column`: what is sealed for one column opens in no other.
        self.place = place

    class Comparator(TypeDecorator.Comparator[str]):
        """Refuses comparisons that could never be true."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:
            """Only with "": whether anything is there."""
            plain = bool(other) and isinstance(other[0], str | list | tuple | set | frozenset)
            if op in _COMPARED and plain and other[0] != "":
                raise TypeError("a sealed column is found by its digest")
            return super().operate(op, *other, **kwargs)

    comparator_factory = Comparator

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return ring().seal(value, self.place) if value else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return ring().open(value, self.place) if value else value


class Digest(TypeDecorator[bytes]):
    """What a sealed column is found by: text becomes its keyed digest, bytes are one already.

    Compare it with `ring().digests(purpose, …)`: while keys are changed there are two.
    """

    impl = LargeBinary(DIGEST_BYTES)
    cache_ok = True

    def __init__(self, source: str, purpose: str) -> None:
        super().__init__(DIGEST_BYTES)
        #: The column of the same table that it is of, and what kind of value that is.
        self.source, self.purpose = source, purpose

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        if isinstance(value, str):
            return ring().digest(self.purpose, value) if value else None
        return value  # type: ignore[no-any-return]
