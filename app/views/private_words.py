"""Words of a search that stand in an address only sealed: a URL is logged and kept in a history.

What can be nothing but the number of a case stays readable; everything else (a NIK, a name, a
telephone) is encrypted with the application's key for the officer who searched, for some hours.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BinasciiError
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app
from flask_login import current_user

from app.formats import local
from app.services.search import clean_words, names_a_case, understand
from app.views.office import request_time

#: How a sealed text begins; nothing that people search for does.
MARK: Final = "~"
#: How long an address with sealed words can be opened again.
LIFE_SECONDS: Final = 12 * 3600
#: A sealed text of the longest words; what is longer is not ours.
LONGEST: Final = 700
_NONCE: Final = 12


def url_words(words: str) -> str:
    """The words as they may stand in an address."""
    words = clean_words(words)
    if not words or names_a_case(words):
        return words
    if understand(words, year=local(request_time()).year, personal=True).only_number:
        return words
    until = int(time.time()) + LIFE_SECONDS
    nonce = secrets.token_bytes(_NONCE)
    text = until.to_bytes(6, "big") + words.encode()
    sealed = AESGCM(_key()).encrypt(nonce, text, _reader())
    return MARK + urlsafe_b64encode(nonce + sealed).decode().rstrip("=")


def words_of(raw: str) -> str | None:
    """The words of an address; None when they were sealed for somebody else or too long ago."""
    if not raw.startswith(MARK):
        return clean_words(raw)
    if len(raw) > LONGEST or not raw.isascii():
        return None
    body = raw[len(MARK) :]
    try:
        packed = urlsafe_b64decode(body + "=" * (-len(body) % 4))
        text = AESGCM(_key()).decrypt(packed[:_NONCE], packed[_NONCE:], _reader())
        words = text[6:].decode()
    except (BinasciiError, ValueError, InvalidTag):
        return None
    return words if int.from_bytes(text[:6], "big") > time.time() else None


def _key() -> bytes:
    secret = str(current_app.secret_key).encode()
    return hashlib.sha256(b"words of a search|" + secret).digest()


def _reader() -> bytes:
    return str(current_user.get_id()).encode()
