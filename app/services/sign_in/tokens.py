"""Secrets that a browser keeps and the database knows only by their hash."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

#: What nobody's cookie can be: no token that was handed out has this hash.
_LONGEST: Final = 200


def new_token() -> str:
    """A secret of 256 bits."""
    return secrets.token_urlsafe(32)


def hash_of(token: object) -> str:
    """What the database keeps of a token; whatever a cookie holds has a hash.

    The token is random and long, so a plain hash is as good as a slow one.
    """
    text = token if isinstance(token, str) and len(token) <= _LONGEST else ""
    return hashlib.sha256(b"token:" + text.encode("utf-8", "replace")).hexdigest()
