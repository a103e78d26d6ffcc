"""Rows as JSON lines that say the same on both databases, and back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Table,
    Text,
    bindparam,
    insert,
    inspect,
    select,
    text,
    type_coerce,
    update,
)

from app.models.sealed import Sealed

#: So many bytes of lines make one member of the archive; it is held in memory.
PART: Final = 4_000_000
_ROWS: Final = 1_000


def parts_of(connection: Connection, table: Table) -> Iterator[tuple[bytes, int]]:
    """A table as pieces of JSON lines with their number of rows; the first line names the columns.

    Rows come in the order of their key, so that what a row refers to in its own table is before it
    wherever keys count up.
    """
    names = [column.name for column in table.columns]
    head = json.dumps({"columns": names}, ensure_ascii=False).encode() + b"\n"
    lines, size, rows = [head], len(head), 0
    # What is sealed stays so: a backup holds the keys as well, and only who opens it has both.
    columns = [
        type_coerce(column, Text()).label(column.name)
        if isinstance(column.type, Sealed)
        else column
        for column in table.columns
    ]
    statement = select(*columns).order_by(*table.primary_key.columns)
    found = connection.execution_options(yield_per=_ROWS).execute(statement)
    for row in found:
        line = json.dumps([_out(value) for value in row], ensure_ascii=False).encode() + b"\n"
        lines.append(line)
        size, rows = size + len(line), rows + 1
        if size >= PART:
            yield b"".join(lines), rows
            lines, size, rows = [head], len(head), 0
    yield b"".join(lines), rows


def _out(value: Any) -> Any:
    """A value as JSON; what JSON has no word for is an object with one key."""
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, date):
        return {"on": value.isoformat()}
    if isinstance(value, time):
        return {"clock": value.isoformat()}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict | list):
        return {"json": value}
    return value


_IN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "at": datetime.fromisoformat,
    "on": date.fromisoformat,
    "clock": time.fromisoformat,
    "bytes": base64.b64decode,
    "json": lambda value: value,
}


def _in(value: Any) -> Any:
    if isinstance(value, dict):
        ((kind, raw),) = value.items()
        return _IN[kind](raw)
    return value


def load_part(connection: Connection, table: Table, data: bytes) -> int:
    """Put the rows of one piece into an empty table; answers how many. References come later.

    Columns that refer to the table itself are left empty until `link`.
    """
    lines = data.splitlines()
    names = json.loads(lines[0])["columns"]
    known = [name for name in names if name in table.columns]
    if known != names:
        raise ValueError(f"{table.name} has no column {sorted(set(names) - set(known))}")
    own = set(own_references(table))
    sqlite = connection.dialect.name == "sqlite"
    rows = []
    for line in lines[1:]:
        row = dict(zip(names, map(_in, json.loads(line)), strict=True))
        rows.append(
            {
                name: _fit(table, name, None if name in own else value, sqlite=sqlite)
                for name, value in row.items()
            }
        )
    for begin in range(0, len(rows), _ROWS):
        connection.execute(insert(table), rows[begin : begin + _ROWS])
    return len(rows)


def link(connection: Connection, table: Table, data: bytes) -> None:
    """Fill in what rows of one piece refer to in their own table, once all of them are there."""
    own = own_references(table)
    if not own:
        return
    key = next(iter(table.primary_key.columns))
    lines = data.splitlines()
    names = json.loads(lines[0])["columns"]
    for line in lines[1:]:
        row = dict(zip(names, map(_in, json.loads(line)), strict=True))
        values = {name: row[name] for name in own if row.get(name) is not None}
        if values:
            connection.execute(
                update(table).where(key == bindparam("the_key")),
                {"the_key": row[key.name], **values},
            )


def own_references(table: Table) -> list[str]:
    """Columns that refer to the same table."""
    return sorted(key.parent.name for key in table.foreign_keys if key.column.table is table)


def _fit(table: Table, name: str, value: Any, *, sqlite: bool) -> Any:
    """A value as the table of this database wants it."""
    kind = table.columns[name].type
    if isinstance(value, datetime) and sqlite and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(kind, Boolean) and isinstance(value, int):
        return bool(value)
    if isinstance(kind, JSON):
        return value
    return value


def set_counters(connection: Connection, tables: Sequence[Table]) -> None:
    """Let PostgreSQL count on from the restored keys; SQLite does by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        for column in inspect(table).primary_key:
            name = connection.scalar(
                text("SELECT pg_get_serial_sequence(:table, :column)"),
                {"table": f'"{table.name}"', "column": column.name},
            )
            if name:
                largest = connection.scalar(select(column).order_by(column.desc()).limit(1))
                if largest is not None:
                    connection.execute(
                        text("SELECT setval(CAST(:name AS regclass), :value)"),
                        {"name": name, "value": largest},
                    )
