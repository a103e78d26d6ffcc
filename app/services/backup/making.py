"""Making a backup while the office works: rows of one snapshot first, then the files they name."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import pyrage
from sqlalchemy import Connection, MetaData, Table, select, text
from sqlalchemy.orm import Session

from app.durable import sync_folder
from app.services.audit import Head, current_head
from app.services.backup.rows import parts_of
from app.services.storage import MissingFileError, Store

MANIFEST: Final = "manifest.json"
DATA_KEYS: Final = "keys/data_keys.json"
FORMAT: Final = 1
#: A row of the snapshot may lose its file to a clean-up while files are read: then once more.
TRIES: Final = 3
_README: Final = """This is a backup of Aduan. database/TABLE/NNNNNN.jsonl holds the rows of a table: the
first line names the columns, each further one is a row. files/KEY are the stored files; the tables
document and staged_upload say which is which. Personal data is sealed, in rows ($a1$key$...: AES-256-GCM,
URL-safe base64 of nonce and text, the column's name as associated data) and in files (an age file
behind a line with the key's id); keys/data_keys.json opens both. manifest.json has the SHA-256 of every member.
Restore it with `flask restore FILE --key KEYFILE`.
"""


class BackupError(Exception):
    """The backup could not be made or cannot be trusted; the text is for the person at the keys."""


@dataclass
class Made:
    """What a finished backup holds."""

    path: Path
    rows: int = 0
    files: int = 0
    size: int = 0
    head: Head | None = None
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


class _Archive:
    """A tar whose members are written one after the other, with their sums."""

    def __init__(self, target: IO[bytes]) -> None:
        self.tar = tarfile.TarFile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT)
        self.sums: dict[str, str] = {}

    def add(self, name: str, data: bytes) -> None:
        """One member."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o600
        self.tar.addfile(info, io.BytesIO(data))
        self.sums[name] = hashlib.sha256(data).hexdigest()


def make_backup(
    connection: Connection,
    metadata: MetaData,
    store: Store,
    target: Path,
    recipients: Sequence[str],
    *,
    extra: dict[str, bytes] | None = None,
    data_keys: bytes | None = None,
    now: datetime,
) -> Made:
    """Write everything into one encrypted file, whole or not at all.

    `connection` must not be in a transaction: its own one is the snapshot. `extra` are small files
    of the installation (its papers, its trusted issuers); `data_keys` open what is sealed in the
    rows and files. The target appears by a rename, after it
    is on the disk.

    Raises:
        BackupError: no valid key, the target cannot be written, a file of a row is missing.
    """
    keys = [recipient(text_) for text_ in recipients]
    if not keys:
        raise BackupError("no key to encrypt with: make one with `flask backup-key`")
    for attempt in range(1, TRIES + 1):
        made = Made(target, created=now)
        draft = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with Encrypted(draft, keys) as stream:
                archive = _Archive(stream)
                try:
                    _fill(archive, connection, metadata, store, made, extra or {}, data_keys)
                finally:
                    archive.tar.close()
            made.size = draft.stat().st_size
            draft.replace(target)
            sync_folder(target.parent)
        except MissingFileError:
            if attempt == TRIES:
                raise BackupError(
                    "a file of a case is missing in the store; `flask verify` names it"
                ) from None
        except OSError as error:
            raise BackupError(f"{target} cannot be written: {error.strerror or error}") from None
        else:
            return made
        finally:
            draft.unlink(missing_ok=True)
    raise AssertionError("the last attempt answers or fails")


def _fill(
    archive: _Archive,
    connection: Connection,
    metadata: MetaData,
    store: Store,
    made: Made,
    extra: dict[str, bytes],
    keys_of_data: bytes | None,
) -> None:
    tables: dict[str, int] = {}
    archive.add("README.txt", _README.encode())
    with _Snapshot(connection):
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
        for table in metadata.sorted_tables:
            rows = 0
            for number, (data, count) in enumerate(parts_of(connection, table)):
                archive.add(f"database/{table.name}/{number:06d}.jsonl", data)
                rows += count
            tables[table.name] = rows
        keys = list(_file_keys(connection, metadata))
        if "audit_event" in metadata.tables:
            with Session(connection) as session:
                made.head = current_head(session)
    for key in keys:
        archive.add(f"files/{key}", store.stored(key))
    for name, data in extra.items():
        archive.add(f"instance/{name}", data)
    if keys_of_data is not None:
        archive.add(DATA_KEYS, keys_of_data)
    made.rows, made.files = sum(tables.values()), len(keys)
    manifest = {
        "format": FORMAT,
        "created": made.created.isoformat(),
        "revision": revision,
        "tables": tables,
        "files": len(keys),
        "audit_head": str(made.head or ""),
        "sha256": archive.sums,
    }
    archive.add(MANIFEST, json.dumps(manifest, indent=1).encode())


class _Snapshot:
    """One transaction in which every table is as it was at one moment."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __enter__(self) -> None:
        if self.connection.dialect.name == "postgresql":
            self.connection.execution_options(isolation_level="REPEATABLE READ")
        self.transaction = self.connection.begin()
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(text("SET LOCAL statement_timeout = 0"))

    def __exit__(self, *error: object) -> None:
        self.transaction.rollback()


def _file_keys(connection: Connection, metadata: MetaData) -> Iterator[str]:
    """The store's key of every file that a row names, each once."""
    seen: set[str] = set()
    for table, column in key_columns(metadata):
        statement = select(table.c[column]).where(table.c[column].is_not(None))
        for key in connection.scalars(statement):
            if key and key not in seen and not key.startswith("erased-"):
                seen.add(key)
                yield key


def key_columns(metadata: MetaData) -> list[tuple[Table, str]]:
    """The columns that name files: by convention they are called `storage_key` or end with it."""
    return [
        (table, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("storage_key")
    ]


def recipient(text_: str) -> Any:
    """A public key as what is encrypted for it wants it."""
    try:
        return pyrage.x25519.Recipient.from_str(text_.strip())
    except pyrage.RecipientError as error:
        raise BackupError(f"{text_!r} is no key to encrypt with ({error})") from None


class Encrypted:
    """A file that is encrypted while it is written; what is written goes through a pipe."""

    def __init__(self, path: Path, keys: Sequence[Any]) -> None:
        self.path, self.keys = path, keys
        self.failure: BaseException | None = None

    def __enter__(self) -> IO[bytes]:
        reading, writing = os.pipe()
        # Made before the thread, so that a folder that is not there is said at once.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self.thread = threading.Thread(target=self._encrypt, args=(reading, descriptor))
        self.thread.start()
        self.stream = os.fdopen(writing, "wb", buffering=1024 * 1024)
        return self.stream

    def _encrypt(self, reading: int, descriptor: int) -> None:
        try:
            with os.fdopen(reading, "rb") as source, os.fdopen(descriptor, "wb") as target:
                pyrage.encrypt_io(source, target, self.keys)
                target.flush()
                os.fsync(target.fileno())
        except BaseException as error:
            self.failure = error

    def __exit__(self, *error: object) -> None:
        try:
            self.stream.close()
        except OSError:
            if self.failure is None and error[0] is None:
                raise
        finally:
            self.thread.join()
        if self.failure is not None:
            raise self.failure
