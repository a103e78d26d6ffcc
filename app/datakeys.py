"""The keys of personal data: a file outside the database, readable by the panel's account alone.

Values of columns are sealed with AES-256-GCM, files are age files (https://age-encryption.org) for
a key of the same ring, and what a sealed column is looked up by is an HMAC-SHA256. The id of the
key stands in front of everything sealed, so that a ring may hold an old key beside the present one
while `flask data rotate` is at work (docs/adr/0029).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
import stat
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyrage
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.durable import sync_folder
from app.sop.identity import normalise_phone

#: What everything sealed begins with: format, then the key's id.
MARK: Final = "$a1$"
_SEALED: Final = re.compile(r"\$a1\$([0-9a-f]{8})\$([A-Za-z0-9_-]+=*)")
_NONCE: Final = 12
#: Bytes of an HMAC that are kept: half of it tells a billion values apart.
DIGEST_BYTES: Final = 16
_CONTACT: Final = re.compile(r"\+?[\d\s().\-]{6,}")


class KeysError(Exception):
    """Personal data cannot be sealed or opened; the text is for the person at the terminal."""


@dataclass(frozen=True)
class DataKey:
    """One key: for columns, for looking up, and for files."""

    id: str
    column: bytes = field(repr=False)
    search: bytes = field(repr=False)
    #: An age identity, `AGE-SECRET-KEY-1…`.
    files: str = field(repr=False)

    @classmethod
    def new(cls) -> DataKey:
        """A fresh random key."""
        identity = str(pyrage.x25519.Identity.generate())
        return cls(
            secrets.token_hex(4), AESGCM.generate_key(256), secrets.token_bytes(32), identity
        )

    def as_json(self) -> dict[str, str]:
        """As the file keeps it."""
        return {
            "id": self.id,
            "column": self.column.hex(),
            "search": self.search.hex(),
            "files": self.files,
        }

    @classmethod
    def from_json(cls, row: Any) -> DataKey:
        """Back from the file; raises KeyError, TypeError or ValueError for anything else."""
        key = cls(
            str(row["id"]), bytes.fromhex(row["column"]), bytes.fromhex(row["search"]), row["files"]
        )
        if not re.fullmatch(r"[0-9a-f]{8}", key.id) or len(key.column) != 32:
            raise ValueError("no key of ours")
        pyrage.x25519.Identity.from_str(key.files)
        return key


@dataclass(frozen=True)
class _Ring:
    """What the file says, ready for use; the first key is the present one."""

    keys: tuple[DataKey, ...]
    ciphers: dict[str, AESGCM]
    seen: tuple[int, ...]


class Keyring:
    """The keys of one installation; a file that changed is read again, so a rotation needs no restart."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ring: _Ring | None = None
        self._lock = threading.Lock()

    # --- the file ---

    @property
    def exists(self) -> bool:
        """Whether there is a file of keys."""
        return self.path.exists()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the keys, the present one first."""
        return tuple(key.id for key in self._present().keys)

    @property
    def current(self) -> DataKey:
        """The key that seals."""
        return self._present().keys[0]

    def key(self, key_id: str) -> DataKey:
        """A key by its id.

        Raises:
            KeysError: the ring does not hold it.
        """
        for key in self._present().keys:
            if key.id == key_id:
                return key
        raise KeysError(f"the key {key_id} of personal data is not in {self.path}")

    def make(self) -> bool:
        """Make the first key, where there is no file yet; answers whether it did."""
        if self.exists:
            return False
        self._write((DataKey.new(),), only_new=True)
        return True

    def add(self, key: DataKey, *, first: bool) -> None:
        """Put a key into the ring, as the present one or as one that only opens."""
        others = tuple(one for one in self._present().keys if one.id != key.id)
        self._write((key, *others) if first else (*others, key))

    def retire(self, key_ids: Iterable[str]) -> None:
        """Drop old keys for good; the present one stays."""
        gone = set(key_ids)
        present, *others = self._present().keys
        self._write((present, *(key for key in others if key.id not in gone)))

    def text(self) -> bytes:
        """The file as it is, for the encrypted backup."""
        self._present()
        return self.path.read_bytes()

    def adopt(self, text: bytes) -> None:
        """Take in the keys of a backup: they become ours, or open what they sealed beside ours."""
        keys = _parse(text, "the backup")
        if not self.exists:
            self._write(keys, only_new=True)
            return
        known = set(self.ids)
        for key in keys:
            if key.id not in known:
                self.add(key, first=False)

    def _present(self) -> _Ring:
        """The ring as the file has it now: one look at the file's date for each use."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            if self._ring is not None:  # the file went away while we work: what we know still holds
                return self._ring
            raise KeysError(f"the keys of personal data ({self.path}) are not there") from None
        except OSError as error:
            raise KeysError(f"{self.path} cannot be read: {error.strerror}") from None
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        ring = self._ring
        if ring is not None and ring.seen == seen:
            return ring
        if os.name != "nt" and stat.S_IMODE(found.st_mode) & 0o077:
            raise KeysError(f"{self.path} can be read by others; allow its owner alone (chmod 600)")
        try:
            keys = _parse(self.path.read_bytes(), str(self.path))
        except OSError as error:
            raise KeysError(f"{self.path} cannot be read: {error.strerror}") from None
        self._ring = _Ring(keys, {key.id: AESGCM(key.column) for key in keys}, seen)
        return self._ring

    def _write(self, keys: tuple[DataKey, ...], *, only_new: bool = False) -> None:
        """Put the file in place whole, on the disk before anything is sealed with it."""
        body = {
            "about": "Keys of the personal data of this office. Without them nothing of it can be"
            " read again. Keep a copy apart from the database.",
            "keys": [key.as_json() for key in keys],
        }
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        with self._lock:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w", encoding="ascii") as file:
                    json.dump(body, file, indent=1)
                    file.flush()
                    os.fsync(file.fileno())
                if only_new and self._linked(draft):
                    return
                draft.replace(self.path)
                sync_folder(self.path.parent)
            except OSError as error:
                raise KeysError(f"{self.path} cannot be written: {error.strerror}") from None
            finally:
                draft.unlink(missing_ok=True)
                self._ring = None

    def _linked(self, draft: Path) -> bool:
        """Of two first starts at once one makes the keys; the other takes them."""
        try:
            os.link(draft, self.path)
        except FileExistsError:
            return True
        except OSError:  # a file system without links
            return self.path.exists()
        sync_folder(self.path.parent)
        return True

    # --- columns ---

    def seal(self, text: str, place: str) -> str:
        """A value sealed for one column (`table.column`): it opens nowhere else."""
        ring = self._present()
        key = ring.keys[0]
        nonce = os.urandom(_NONCE)
        body = nonce + ring.ciphers[key.id].encrypt(nonce, text.encode(), place.encode())
        return f"{MARK}{key.id}${base64.urlsafe_b64encode(body).decode('ascii')}"

    def open(self, sealed: str, place: str) -> str:
        """What was sealed; a value from before there were keys comes back as it is.

        Raises:
            KeysError: its key is not in the ring, or it is not what was sealed for this column.
        """
        if not sealed.startswith(MARK):
            return sealed
        match = _SEALED.fullmatch(sealed)
        if match is None:
            return sealed
        cipher = self._cipher(match[1])
        try:
            body = base64.urlsafe_b64decode(match[2])
            return cipher.decrypt(body[:_NONCE], body[_NONCE:], place.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise KeysError(f"a value of {place} was changed by another hand") from None

    def _cipher(self, key_id: str) -> AESGCM:
        """Without a look at the file as long as we know the key: lists open hundreds of values."""
        ring = self._ring
        if ring is not None and key_id in ring.ciphers:
            return ring.ciphers[key_id]
        self._ring = None
        found = self._present().ciphers.get(key_id)
        if found is None:
            raise KeysError(f"the key {key_id} of personal data is not in {self.path}")
        return found

    # --- looking up ---

    def digest(self, purpose: str, text: str) -> bytes:
        """What a value is found by, under the present key."""
        return _digest(self._present().keys[0].search, purpose, text)

    def digests(self, purpose: str, texts: Iterable[str]) -> list[bytes]:
        """The same under every key of the ring: while keys change, rows are of the old or the new."""
        keys = self._present().keys
        found = [_digest(key.search, purpose, text) for key in keys for text in texts if text]
        return list(dict.fromkeys(found))


def canonical(purpose: str, text: str) -> str:
    """The one spelling of a value: a telephone as 08…, an account without @ in small letters."""
    text = text.strip()
    if purpose == "phone":
        return normalise_phone(text)
    if purpose in ("handle", "recipient"):
        bare = text.removeprefix("@").casefold()
        return normalise_phone(bare) if _CONTACT.fullmatch(bare) else bare
    return text


def _digest(key: bytes, purpose: str, text: str) -> bytes:
    message = purpose.encode() + b"\0" + canonical(purpose, text).encode()
    return hmac.digest(key, message, hashlib.sha256)[:DIGEST_BYTES]


def sealed_by(value: str) -> str:
    """The id of the key that sealed a value; "" for one in clear."""
    match = _SEALED.fullmatch(value) if value.startswith(MARK) else None
    return match[1] if match else ""


def _parse(text: bytes, where: str) -> tuple[DataKey, ...]:
    try:
        keys = tuple(DataKey.from_json(row) for row in json.loads(text)["keys"])
    except (ValueError, KeyError, TypeError, pyrage.IdentityError):
        raise KeysError(f"{where} holds no keys of personal data, or it is damaged") from None
    if not keys:
        raise KeysError(f"{where} holds no keys of personal data")
    return keys


#: The keys of this process: one process serves one office.
_ours: list[Keyring] = []


def use(path: Path) -> Keyring:
    """Let this process seal and open with the keys of a file; it need not be there yet."""
    ring = Keyring(path)
    _ours[:] = [ring]
    return ring


def ring() -> Keyring:
    """The keys of this process.

    Raises:
        KeysError: nobody has said where they lie.
    """
    if not _ours:
        raise KeysError("nobody has said where the keys of personal data lie")
    return _ours[0]
