"""Putting a backup into an empty place; the caller makes the schema and commits at the end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, delete, text

from app.datakeys import KeysError, ring
from app.services.backup.making import DATA_KEYS, BackupError
from app.services.backup.reading import Contents, read_members
from app.services.backup.rows import link, load_part, set_counters
from app.services.storage import Store

_ROWS: Final = re.compile(r"database/(\w+)/\d{6}\.jsonl")
_FILE: Final = re.compile(r"files/([0-9a-f]{2}/[0-9a-f]{32})")
_EXTRA: Final = re.compile(r"instance/((?:[\w.-]+/)*[\w.-]+)")


def restore_rows(connection: Connection, path: Path, identities: list[Any]) -> Contents:
    """Load every row into the tables of the backup's schema revision; they must hold nothing else.

    Runs in the caller's transaction: a backup that proves wrong at its end leaves no row.

    Raises:
        BackupError: the backup cannot be trusted, or does not fit these tables.
    """
    tables = _tables(connection)
    for table in reversed(tables.values()):
        connection.execute(delete(table))  # what migrations put there
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    linked: list[tuple[Table, bytes]] = []
    counts: dict[str, int] = {}

    def take(name: str, data: bytes) -> None:
        match = _ROWS.fullmatch(name)
        if match is None:
            return
        table = tables.get(match[1])
        if table is None:
            raise BackupError(f"there is no table {match[1]}")
        try:
            counts[table.name] = counts.get(table.name, 0) + load_part(connection, table, data)
        except ValueError as error:
            raise BackupError(str(error)) from None
        if any(key.column.table is table for key in table.foreign_keys):
            linked.append((table, data))

    contents = read_members(path, identities, take)
    for table, data in linked:
        link(connection, table, data)
    if counts != contents.tables:
        raise BackupError("the backup does not hold as many rows as it says")
    set_counters(connection, list(tables.values()))
    return contents


def restore_keys(path: Path, identities: list[Any]) -> int:
    """Take in the keys of personal data, before anything that they sealed; answers how many.

    A backup from before there were keys has none.

    Raises:
        BackupError: the backup cannot be trusted, or its keys cannot be kept.
    """
    found: list[bytes] = []

    def take(name: str, data: bytes) -> None:
        if name == DATA_KEYS:
            found.append(data)

    read_members(path, identities, take)
    try:
        for data in found:
            ring().adopt(data)
    except KeysError as error:
        raise BackupError(str(error)) from None
    return len(found)


def restore_files(store: Store, path: Path, identities: list[Any], folder: Path) -> int:
    """Put every file into an empty store, and those of the installation into its folder.

    Raises:
        BackupError: the backup cannot be trusted, or another file of that name is there.
    """
    files = 0

    def take(name: str, data: bytes) -> None:
        nonlocal files
        if match := _FILE.fullmatch(name):
            _put(store, match[1], data)
            files += 1
        elif (match := _EXTRA.fullmatch(name)) and ".." not in name:
            target = folder / match[1]
            if target.exists():
                if target.read_bytes() != data:
                    raise BackupError(f"{target} is there already and is another file")
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            target.chmod(0o600)

    contents = read_members(path, identities, take)
    if files != contents.files:
        raise BackupError("the backup does not hold as many files as it says")
    return files


def _put(store: Store, key: str, data: bytes) -> None:
    """A file that an interrupted restore has put there already is not put again."""
    if not store.exists(key):
        store.put_stored(key, data)
    elif store.stored(key) != data:
        raise BackupError(f"the store has another file under {key}")


def _tables(connection: Connection) -> dict[str, Table]:
    """The tables as the database has them now, parents first: an older schema is not our models."""
    metadata = MetaData()
    metadata.reflect(
        connection,
        only=lambda name, _: (
            name != "alembic_version"
            and not name.startswith(("complaint_search", "name_word_search"))
        ),
    )
    return {table.name: table for table in metadata.sorted_tables}
