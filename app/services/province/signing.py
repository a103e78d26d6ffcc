"""An export is signed by its office (Ed25519): the province knows whose it is and that it is whole."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT: Final = "aduan-statistics/1"
#: Five years of a large office are some two megabytes.
MOST_BYTES: Final = 50_000_000


class SignedError(Exception):
    """A file that is no export, or not what was signed; its text is for the person at the keys."""


def new_key() -> str:
    """A key for an office, to be kept as it keeps its other keys."""
    return Ed25519PrivateKey.generate().private_bytes_raw().hex()


def public_of(key: str) -> str:
    """The half that the province is given, on paper or by telephone; it opens nothing."""
    return _text(_private(key).public_key().public_bytes_raw())


def sign(body: dict[str, Any], key: str) -> str:
    """The file: the body as it was signed, its sum, the signature and the public key."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    private = _private(key)
    return json.dumps(
        {
            "format": FORMAT,
            "public_key": public_of(key),
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "signature": _text(private.sign(text.encode())),
            "body": text,
        },
        indent=1,
    )


def signed_body(text: str) -> tuple[dict[str, Any], str]:
    """The body of a file and the public key whose signature it bears.

    Raises:
        SignedError: it is none, or it was changed.
    """
    try:
        if len(text) > MOST_BYTES:
            raise SignedError("this file is too large for an export of statistics")
        file = json.loads(text)
        if file["format"] != FORMAT:
            raise SignedError(f"this file is no export of statistics ({FORMAT})")
        public, body = file["public_key"], file["body"]
        signature = base64.urlsafe_b64decode(file["signature"])
        key = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(public))
        key.verify(signature, body.encode())
        found = json.loads(body)
    except InvalidSignature:
        raise SignedError("the file was changed after its office had signed it") from None
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise SignedError(f"this file is no export of statistics ({FORMAT})") from None
    if not isinstance(found, dict):
        raise SignedError(f"this file is no export of statistics ({FORMAT})")
    return found, public


def _private(key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii")
