"""How a stored file is sealed: one line with the id of its key, then an age file for that key.

age (https://age-encryption.org) proves every piece of 64 KiB and the end, so a large file can be
read in pieces and a shortened one is noticed. Files from before there were keys are read as they
are.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import pyrage

from app.datakeys import DataKey, KeysError, ring

#: The first bytes of a sealed file; no picture and no PDF begins so.
HEAD: Final = re.compile(rb"aduan-file-1 ([0-9a-f]{8})\n")
HEAD_BYTES: Final = 22
_PIECE: Final = 1024 * 1024


class DamagedError(Exception):
    """What is stored is not what was sealed."""


def key_of(head: bytes) -> str:
    """The id of the key that sealed a file, from its first bytes; "" for one in clear."""
    match = HEAD.match(head)
    return match[1].decode("ascii") if match else ""


def seal(data: bytes) -> bytes:
    """A file as it is stored.

    Raises:
        KeysError: there is no key.
    """
    key = ring().current
    return _head(key) + bytes(pyrage.encrypt(data, [_recipient(key)]))


def opened(stored: bytes) -> bytes:
    """What was stored.

    Raises:
        DamagedError: it is not what was sealed.
        KeysError: its key is not in the ring.
    """
    key_id = key_of(stored[:HEAD_BYTES])
    if not key_id:
        return stored
    try:
        return bytes(pyrage.decrypt(stored[HEAD_BYTES:], [_identity(ring().key(key_id))]))
    except pyrage.DecryptError as error:
        raise DamagedError(str(error)) from None


def seal_file(path: Path) -> Path:
    """The same for a file on the disk that need not fit into our memory: a sealed one beside it.

    The caller removes it.
    """
    key = ring().current
    target = path.with_name(f".{secrets.token_hex(8)}.sealed")
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with path.open("rb") as source, os.fdopen(descriptor, "wb") as sink:
            sink.write(_head(key))
            pyrage.encrypt_io(source, sink, [_recipient(key)])
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def opened_pieces(stored: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of a file from the pieces of what is stored.

    Raises:
        DamagedError, KeysError: as for `opened`, at any piece.
    """
    first = b""
    for piece in stored:
        first += piece
        if len(first) >= HEAD_BYTES:
            break
    key_id = key_of(first[:HEAD_BYTES])
    if not key_id:
        yield first
        yield from stored
        return
    yield from _decrypted(first[HEAD_BYTES:], stored, _identity(ring().key(key_id)))


def _decrypted(first: bytes, stored: Iterable[bytes], identity: Any) -> Iterator[bytes]:
    """Decrypted in another thread, because age wants to write and we want to read."""
    reading, writing = os.pipe()
    reader = _Reader(first, stored)
    failure: list[BaseException] = []

    def decrypt() -> None:
        try:
            with os.fdopen(writing, "wb") as sink:
                pyrage.decrypt_io(reader, sink, [identity])
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=decrypt, daemon=True)
    thread.start()
    stream: IO[bytes] = os.fdopen(reading, "rb")
    try:
        while piece := stream.read(_PIECE):
            yield piece
    finally:
        stream.close()  # who stops reading ends the thread: its pipe is broken
        thread.join()
    if failure:
        if reader.failure is not None:  # the store's own trouble
            raise reader.failure
        raise DamagedError(str(failure[0])) from None


class _Reader:
    """Pieces as a file that can be read from."""

    def __init__(self, first: bytes, more: Iterable[bytes]) -> None:
        self.rest, self.more = first, iter(more)
        self.failure: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; b"" at the end."""
        while not self.rest:
            try:
                piece = next(self.more, None)
            except Exception as error:
                self.failure = error
                raise
            if piece is None:
                return b""
            self.rest = piece
        size = len(self.rest) if size < 0 else size
        found, self.rest = self.rest[:size], self.rest[size:]
        return found


def _head(key: DataKey) -> bytes:
    return f"aduan-file-1 {key.id}\n".encode("ascii")


def _identity(key: DataKey) -> Any:
    return pyrage.x25519.Identity.from_str(key.files)


def _recipient(key: DataKey) -> Any:
    return _identity(key).to_public()


__all__ = [
    "DamagedError",
    "KeysError",
    "key_of",
    "opened",
    "opened_pieces",
    "seal",
    "seal_file",
]
