"""A person of whom nothing may be found in clear, and the looking for it."""

from __future__ import annotations

from pathlib import Path

PERSON = {
    "nik": "3325011203907777",
    "kk_number": "3325010101908888",
    "phone": "081266667777",
    "email": "pemohon.rahasia@example.org",
    "address": "Gang Melati Nomor Sembilan",
    "handle": "081266667777",
}
#: Also as WhatsApp's links write it.
SECRETS = [*PERSON.values(), "6281266667777"]


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def assert_nothing_in_clear(found: bytes) -> None:
    assert len(found) > 10_000
    for secret in SECRETS:
        assert secret.encode() not in found, secret
