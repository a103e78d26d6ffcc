"""The test authority of the demo: it signs nothing that anybody else should believe."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

#: As known as the demo's sign-ins: a demo office is never put on a network.
DEMO_PASSPHRASE: Final = "batang-demo-2026"  # noqa: S105
DEMO_CERTIFICATE: Final = "demo-kepala-dinas.p12"
DEMO_ISSUER: Final = "demo-authority.pem"

_LIFE: Final = timedelta(days=3650)
#: The demo's cases lie in the past, and so do their signatures.
_BEFORE: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Authority:
    """An issuer of certificates."""

    certificate: x509.Certificate = field(repr=False)
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def make(cls, name: str, *, now: datetime | None = None) -> Authority:
        """A new issuer that vouches for itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        builder = _builder(subject, subject, key, now or datetime.now(UTC))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        builder = builder.add_extension(_usage(issuer=True), True)
        return cls(builder.sign(key, hashes.SHA256()), key)

    def issue(
        self,
        name: str,
        *,
        now: datetime | None = None,
        valid: tuple[datetime, datetime] | None = None,
        signing: bool = True,
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """A certificate for somebody who signs, with its key; `valid` from and to, aware."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(
            _name(name), self.certificate.subject, key, now or datetime.now(UTC), valid
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(_usage(issuer=False, signing=signing), True)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False
        )
        return builder.sign(self.key, hashes.SHA256()), key

    def pem(self) -> bytes:
        """The issuer's certificate as the folder of trust wants it."""
        return self.certificate.public_bytes(Encoding.PEM)

    def pkcs12(
        self,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
        passphrase: str,
    ) -> bytes:
        """A certificate file as officials get it."""
        return serialize_key_and_certificates(
            b"aduan",
            key,
            certificate,
            [self.certificate],
            BestAvailableEncryption(passphrase.encode()),
        )


def ensure_demo_authority(
    trust: Path, certificates: Path, *, name: str, now: datetime | None = None
) -> str:
    """Make the demo's issuer and the certificate file of its head once; the file's name.

    The issuer's key is thrown away: nothing more can ever be signed in its name.

    Args:
        trust: the folder of known issuers.
        certificates: the folder of certificate files.
        name: the fictional head of the demo office.
        now: a moment the certificates are valid at.
    """
    if not ((certificates / DEMO_CERTIFICATE).exists() and (trust / DEMO_ISSUER).exists()):
        authority = Authority.make("DEMO Otoritas Uji Aduan", now=now)
        certificate, key = authority.issue(f"DEMO {name}"[:60], now=now)
        _write(trust / DEMO_ISSUER, authority.pem(), mode=0o644)
        data = authority.pkcs12(certificate, key, DEMO_PASSPHRASE)
        _write(certificates / DEMO_CERTIFICATE, data, mode=0o600)
    return DEMO_CERTIFICATE


def _write(path: Path, data: bytes, *, mode: int) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    draft.replace(path)


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(NameOID.COMMON_NAME, text[:64]),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    valid: tuple[datetime, datetime] | None = None,
) -> x509.CertificateBuilder:
    since, until = valid or (now - _BEFORE, now + _LIFE)
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
    )


def _usage(*, issuer: bool, signing: bool = True) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issuer and signing,
        content_commitment=not issuer and signing,
        key_encipherment=not issuer and not signing,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issuer,
        crl_sign=issuer,
        encipher_only=False,
        decipher_only=False,
    )
