"""What the database may hold only encrypted: the secret of an authenticator app.

The key is derived from the key of this installation, which stands outside the database. A backup of
the database alone gives nobody a second factor.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE: Final = 12


class Seal:
    """Encrypts and hashes for one purpose with keys of this installation."""

    def __init__(self, secret: bytes) -> None:
        both = HKDF(algorithm=SHA256(), length=64, salt=None, info=b"aduan second factor").derive(
            secret
        )
        self._cipher = AESGCM(both[:32])
        self._pepper = both[32:]

    def close(self, text: str, about: str) -> str:
        """A text that opens only for what it is about."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), about.encode())
        return base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed: str, about: str) -> str | None:
        """The text again; None when the key was another, or it is about something else."""
        try:
            raw = base64.urlsafe_b64decode(sealed)
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], about.encode()).decode()
        except (ValueError, InvalidTag):
            return None

    def hash(self, text: str, about: str) -> str:
        """A keyed hash: worth nothing without the installation's key."""
        return hmac.new(self._pepper, f"{about}\x1f{text}".encode(), hashlib.sha256).hexdigest()
