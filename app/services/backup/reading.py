"""Opening a backup: every member is proved by its sum before anybody believes it."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import pyrage

from app.services.backup.making import FORMAT, MANIFEST, BackupError

#: A member of ours is a few MB at most; more is not ours.
MOST_BYTES: Final = 200_000_000


@dataclass
class Contents:
    """What a backup says of itself; `tables` maps each table to its number of rows."""

    created: str
    revision: str
    tables: dict[str, int]
    files: int
    #: The last row of its audit log; empty in backups that are older than the log.
    audit_head: str = ""
    sums: dict[str, str] = field(repr=False, default_factory=dict)

    @property
    def rows(self) -> int:
        """All rows together."""
        return sum(self.tables.values())


def read_members(
    path: Path, identities: list[Any], take: Callable[[str, bytes], None] | None = None
) -> Contents:
    """Hand every member to `take` in the order of the archive, and prove the whole at the end.

    Nothing of what was handed out may be kept when this fails: sums stand at the end of the file.

    Raises:
        BackupError: a wrong key, a damaged or shortened file, a member that is not what it was.
    """
    sums: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with decrypted(path, identities) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for info in tar:
                if not info.isfile() or info.size > MOST_BYTES:
                    raise BackupError(f"{path}: {info.name!r} is no part of a backup")
                found = tar.extractfile(info)
                assert found is not None
                data = found.read()
                if info.name == MANIFEST:
                    manifest = json.loads(data)
                    continue
                sums[info.name] = hashlib.sha256(data).hexdigest()
                if take is not None:
                    take(info.name, data)
    except pyrage.DecryptError as error:
        raise BackupError(f"{path} cannot be opened with this key ({error})") from None
    except (tarfile.TarError, json.JSONDecodeError, EOFError) as error:
        raise BackupError(f"{path} is damaged ({error})") from None
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from None
    if manifest is None or manifest.get("format") != FORMAT:
        raise BackupError(f"{path} is incomplete or not a backup of this kind")
    if manifest["sha256"] != sums:
        wrong = sorted(
            name
            for name in manifest["sha256"].keys() | sums.keys()
            if manifest["sha256"].get(name) != sums.get(name)
        )
        raise BackupError(f"{path}: {wrong[0]!r} is not what was backed up")
    return Contents(
        created=manifest["created"],
        revision=manifest["revision"],
        tables=manifest["tables"],
        files=manifest["files"],
        audit_head=manifest.get("audit_head", ""),
        sums=sums,
    )


def check_backup(path: Path, identities: list[Any]) -> Contents:
    """Read all of it and prove every sum; writes nothing.

    Raises:
        BackupError: it cannot be trusted.
    """
    return read_members(path, identities)


def identities_of(text: str) -> list[Any]:
    """The keys of a key file: lines that begin with `AGE-SECRET-KEY-`; `#` begins a comment.

    Raises:
        BackupError: there is none.
    """
    found = []
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            try:
                found.append(pyrage.x25519.Identity.from_str(line))
            except pyrage.IdentityError:
                raise BackupError("the key file holds no key of a backup") from None
    if not found:
        raise BackupError("the key file holds no key of a backup")
    return found


@contextmanager
def decrypted(path: Path, identities: list[Any]) -> Iterator[IO[bytes]]:
    """The decrypted bytes as a stream; whatever goes wrong in the other thread is raised here."""
    with path.open("rb") as source:
        reading, writing = os.pipe()
        failure: list[BaseException] = []

        def decrypt() -> None:
            try:
                with os.fdopen(writing, "wb") as target:
                    pyrage.decrypt_io(source, target, identities)
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(target=decrypt)
        thread.start()
        stream = os.fdopen(reading, "rb")
        try:
            yield stream
            # To the end: a file that was cut behind the last member is noticed, too.
            while stream.read(1024 * 1024):
                pass
        except Exception:
            stream.close()
            thread.join()
            if failure and not isinstance(failure[0], BrokenPipeError):
                raise failure[0] from None
            raise
        finally:
            stream.close()
            thread.join()
        if failure:
            raise failure[0]
