"""Whose certificates this office trusts: the issuers' certificate files of one folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from asn1crypto import pem, x509

logger = logging.getLogger(__name__)

ENDINGS: Final = frozenset({".pem", ".crt", ".cer", ".der"})
#: A chain of issuers is some kilobytes; anything larger was put there by mistake.
MAX_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Trust:
    """The issuers whose signatures count as known, and the files that could not be read."""

    roots: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    unreadable: tuple[str, ...] = ()


def load_trust(folder: Path) -> Trust:
    """Read the certificates (PEM or DER) of a folder; no folder means that nobody is known.

    A file that cannot be read is passed over and named in the log: one bad file must not make
    every issuer unknown, and never makes anybody known.
    """
    roots: list[x509.Certificate] = []
    unreadable: list[str] = []
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in paths:
        if path.suffix.lower() not in ENDINGS or not path.is_file():
            continue
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ValueError("too large")
            roots.extend(_certificates(path.read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            logger.warning("the issuer file %s cannot be read: %s", path.name, error)
            unreadable.append(path.name)
    return Trust(tuple(roots), tuple(unreadable))


def _certificates(data: bytes) -> Iterator[x509.Certificate]:
    """Every certificate of a file.

    Raises:
        ValueError: there is none, or one is damaged.
    """
    blocks = [data]
    if pem.detect(data):
        blocks = [der for kind, _, der in pem.unarmor(data, multiple=True) if kind == "CERTIFICATE"]
    if not blocks:
        raise ValueError("no certificate in it")
    for der in blocks:
        certificate = x509.Certificate.load(der, strict=True)
        # asn1crypto parses as it is asked: ask for what is needed later.
        _ = certificate.subject.native, certificate.not_valid_after, certificate.public_key
        yield certificate
