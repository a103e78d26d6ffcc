"""Where files lie: one interface over a private folder or an S3 bucket.

A key is random and says nothing of the file, the user or the case. What is stored is sealed
(`filecrypt`); sums and sizes in rows are those of the file itself. On a disk a `put` that has
returned survives a power cut: obstore writes beside the target and links it into place, but it
never calls fsync (seen with strace on 0.12), so the file and the folders above it are synced here.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, MemoryStore, from_url
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from app.datakeys import KeysError, ring
from app.durable import sync_folder
from app.services import filecrypt

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = [
    "KEY",
    "DamagedFileError",
    "MissingFileError",
    "Store",
    "StoreError",
    "StoredItem",
    "delete_after_commit",
    "new_key",
    "open_store",
]

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: Two letters of folder, then the whole name: `4f/4f0c…` (35 characters, safe on every system).
KEY: Final = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{30}")

#: Where a session keeps what its commit is to delete.
_WAITING: Final = "aduan_files_to_delete"

#: Object stores `from_url` may open; plain http is not one we trust with people's papers.
REMOTE_SCHEMES: Final = frozenset({"s3", "s3a", "gs", "az", "azure", "abfs", "abfss"})

#: A bucket that is away is told to whoever waits for it, not tried for three minutes (the default).
_PATIENCE: Final[Mapping[str, Any]] = {
    # Nothing of `client_options`: they would hide those of the environment (AWS_ALLOW_HTTP).
    "retry_config": {"max_retries": 3, "retry_timeout": timedelta(seconds=10)},
}


class StoreError(Exception):
    """The store failed: a full disk, missing rights, an unreachable bucket."""


class MissingFileError(StoreError):
    """There is no file under this key."""


class DamagedFileError(StoreError):
    """What lies under this key is not what was put there."""


@dataclass(frozen=True, slots=True)
class StoredItem:
    """What a listing knows of a file; `size` in bytes as stored, `modified` aware UTC."""

    key: str
    size: int
    modified: datetime


def new_key() -> str:
    """A fresh random key, never derived from a user's file name."""
    name = secrets.token_hex(16)
    return f"{name[:2]}/{name}"


class Store:
    """Put, get, delete and list files by random key; safe to share between threads."""

    def __init__(self, backend: ObjectStore, folder: Path | None = None) -> None:
        self._backend = backend
        #: The private folder, or None for a bucket (which is durable once it has answered).
        self.folder = folder

    def put(self, key: str, data: bytes) -> None:
        """Keep `data` under `key`, durably; a key is written once and never again.

        Raises:
            StoreError: the key is taken, or the disk or bucket refused.
            ValueError: the key is not one of ours.
        """
        _check_key(key)
        self.put_stored(key, _keyed(key, lambda: filecrypt.seal(data)))

    def put_stored(self, key: str, data: bytes | Path) -> None:
        """Keep what is sealed already: a file of a backup."""
        _check_key(key)
        try:
            obstore.put(self._backend, key, data, mode="create", use_multipart=False)
        except AlreadyExistsError as error:
            raise StoreError(f"the key {key} is taken") from error
        except (BaseError, OSError) as error:
            raise StoreError(f"{key} could not be stored: {error}") from error
        if self.folder is not None:
            try:
                _sync(self.folder / key, self.folder)
            except OSError as error:
                with suppress(StoreError):
                    self.delete(key)
                raise StoreError(f"{key} could not be written to the disk: {error}") from error

    def put_file(self, key: str, path: Path) -> None:
        """The same for a file on the disk that need not fit into our memory.

        Raises:
            StoreError, ValueError: as for `put`.
        """
        _check_key(key)
        sealed = _keyed(key, lambda: filecrypt.seal_file(path))
        try:
            self.put_stored(key, sealed)
        finally:
            sealed.unlink(missing_ok=True)

    def seal_again(self, key: str) -> bool:
        """Seal a file with the present key, if another one or none did; whole or not at all.

        Raises:
            MissingFileError, DamagedFileError, StoreError: as for `get`.
        """
        _check_key(key)
        if self.sealed_by(key) == _keyed(key, lambda: ring().current.id):
            return False
        data = filecrypt.seal(self.get(key))
        try:
            obstore.put(self._backend, key, data, mode="overwrite", use_multipart=False)
            if self.folder is not None:
                _sync(self.folder / key, self.folder)
        except (BaseError, OSError) as error:
            raise StoreError(f"{key} could not be stored: {error}") from error
        return True

    def sealed_by(self, key: str) -> str:
        """The id of the key that sealed a file; "" for one in clear.

        Raises:
            MissingFileError, StoreError: as for `get`.
        """
        _check_key(key)
        try:
            head = obstore.get_range(self._backend, key, start=0, end=filecrypt.HEAD_BYTES)
        except FileNotFoundError as error:
            raise MissingFileError(f"no file under {key}") from error
        except (BaseError, OSError):  # shorter than that
            return filecrypt.key_of(self.stored(key))
        return filecrypt.key_of(bytes(head))

    def get(self, key: str) -> bytes:
        """The bytes under `key`.

        Raises:
            MissingFileError: nothing is there.
            DamagedFileError: it is not what was put there.
            StoreError: it could not be read.
        """
        stored = self.stored(key)
        return _keyed(key, lambda: filecrypt.opened(stored))

    def stored(self, key: str) -> bytes:
        """What lies under `key` as it is stored, sealed.

        Raises:
            MissingFileError, StoreError: as for `get`.
        """
        _check_key(key)
        try:
            return obstore.get(self._backend, key).bytes().to_bytes()
        except FileNotFoundError as error:
            raise MissingFileError(f"no file under {key}") from error
        except (BaseError, OSError) as error:
            raise StoreError(f"{key} could not be read: {error}") from error

    def pieces(self, key: str) -> Iterator[bytes]:
        """The bytes under `key` in pieces of about a megabyte, for what is too large for memory.

        Raises:
            MissingFileError, StoreError: as for `get`; at the first piece or at once.
        """
        _check_key(key)
        try:
            stream = obstore.get(self._backend, key).stream(min_chunk_size=1024 * 1024)
        except FileNotFoundError as error:
            raise MissingFileError(f"no file under {key}") from error
        except (BaseError, OSError) as error:
            raise StoreError(f"{key} could not be read: {error}") from error
        return _keyed_pieces(key, (bytes(piece) for piece in stream))

    def delete(self, key: str) -> None:
        """Remove what is under `key`; nothing there is fine."""
        _check_key(key)
        try:
            obstore.delete(self._backend, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise StoreError(f"{key} could not be deleted: {error}") from error

    def exists(self, key: str) -> bool:
        """Whether a file lies under `key`."""
        _check_key(key)
        try:
            obstore.head(self._backend, key)
        except FileNotFoundError:
            return False
        except (BaseError, OSError) as error:
            raise StoreError(f"{key} could not be looked up: {error}") from error
        return True

    def items(self) -> Iterator[StoredItem]:
        """Every file with one of our keys, in no particular order; anything else is passed over."""
        try:
            for batch in obstore.list(self._backend):
                for meta in batch:
                    if KEY.fullmatch(meta["path"]):
                        yield StoredItem(meta["path"], meta["size"], meta["last_modified"])
        except (BaseError, OSError) as error:
            raise StoreError(f"the store could not be listed: {error}") from error

    def keys(self) -> Iterator[str]:
        """The key of every file."""
        return (item.key for item in self.items())


def open_store(url_or_path: str | Path, **options: Any) -> Store:
    """Open the store a setting names: a folder (made if missing) or `s3://bucket/prefix`.

    Args:
        url_or_path: a path, `file:///…`, `s3://…`, `gs://…`, `az://…`, or `memory://` in tests.
        options: handed to obstore for a bucket; keys and region usually come from the environment.

    Raises:
        StoreError: the folder cannot be made, or the scheme is not one of these.
    """
    text = str(url_or_path)
    # A drive letter ("C:\files") is a path, so a scheme needs its two slashes.
    scheme = urlsplit(text).scheme.lower() if "://" in text else ""
    if scheme == "memory":
        return Store(MemoryStore())
    if scheme in REMOTE_SCHEMES:
        try:
            return Store(from_url(text, **{**_PATIENCE, **options}))
        except (BaseError, ValueError) as error:
            raise StoreError(f"the file store {text} cannot be opened: {error}") from error
    if scheme not in ("", "file"):
        raise StoreError(f"{scheme}:// is no file store; use a folder or s3://bucket/prefix")
    folder = Path(url2pathname(unquote(urlsplit(text).path)) if scheme else text)
    try:
        # Only the account the panel runs as may look inside (no effect on Windows).
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = folder.resolve()
        return Store(LocalStore(prefix=folder), folder)
    except (BaseError, OSError, ValueError) as error:
        raise StoreError(f"the file folder {folder} cannot be used: {error}") from error


def _keyed(key: str, work: Callable[[], T]) -> T:
    """What goes wrong with keys is a failure of the store for whoever asked it."""
    try:
        return work()
    except filecrypt.DamagedError as error:
        raise DamagedFileError(f"{key} is not what was stored: {error}") from error
    except KeysError as error:
        raise StoreError(str(error)) from error


def _keyed_pieces(key: str, stored: Iterator[bytes]) -> Iterator[bytes]:
    pieces = filecrypt.opened_pieces(stored)
    while (piece := _keyed(key, lambda: next(pieces, None))) is not None:
        yield piece


def _check_key(key: str) -> None:
    # Nothing but our own random keys reaches the disk, so no name can climb out of the folder.
    if not KEY.fullmatch(key):
        raise ValueError("not a storage key")


def _sync(path: Path, root: Path) -> None:
    """Force a new file and its folder entries to the disk."""
    # Windows flushes only through a handle that may write.
    with path.open("r+b") as file:
        os.fsync(file.fileno())
    for folder in (path.parent, root):
        sync_folder(folder)


def delete_after_commit(session: Session, store: Store, keys: Iterable[str]) -> None:
    """Remove files once the session's present transaction has committed; a rollback keeps them.

    A savepoint that is rolled back keeps its own. After the commit nothing is raised any more: a
    file that cannot be deleted is logged and stays as an orphan.
    """
    if isinstance(session, scoped_session):
        session = session()
    waiting: list[_Waiting] | None = session.info.get(_WAITING)
    if waiting is None:
        waiting = session.info[_WAITING] = []
        event.listen(session, "after_commit", _delete_waiting)
        event.listen(session, "after_soft_rollback", _forget_waiting)
    transaction = session.get_nested_transaction() or session.get_transaction() or session.begin()
    waiting.extend(_Waiting(key, store, transaction) for key in keys)


@dataclass(slots=True)
class _Waiting:
    key: str
    store: Store
    transaction: SessionTransaction


def _delete_waiting(session: Session) -> None:
    waiting: list[_Waiting] = session.info[_WAITING]
    savepoint = session.get_nested_transaction()
    if savepoint is not None:
        # A savepoint was released: its fate is now that of the transaction around it.
        for item in waiting:
            if item.transaction is savepoint and savepoint.parent is not None:
                item.transaction = savepoint.parent
        return
    # A session that was closed without a commit leaves items of a dead transaction behind.
    due = [item for item in waiting if item.transaction is session.get_transaction()]
    waiting.clear()
    for item in due:
        try:
            item.store.delete(item.key)
        except (StoreError, ValueError):
            logger.exception("a dropped file could not be deleted and is an orphan now")


def _forget_waiting(session: Session, previous: SessionTransaction) -> None:
    waiting: list[_Waiting] = session.info[_WAITING]
    waiting[:] = [item for item in waiting if not _is_within(item.transaction, previous)]


def _is_within(transaction: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while transaction is not None:
        if transaction is outer:
            return True
        transaction = transaction.parent
    return False
