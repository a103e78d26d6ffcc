"""Signing here, with the certificate file (PKCS#12) of the official.

The passphrase opens the file for one signature and is let go; neither it nor the key is kept.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from asn1crypto import keys, x509
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography import x509 as pyca_x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError as PyHankoSigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko_certvalidator.registry import SimpleCertificateStore

from app.services.signature.core import (
    SignedPdf,
    SigningError,
    SignRequest,
    StampPlace,
    Way,
    marked_demo,
)
from app.services.signature.running import run
from app.services.signature.stamping import make_room, stamp_style

#: A certificate file's name: nothing that climbs out of its folder.
FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}")
MAX_BYTES: Final = 1024 * 1024


class Pkcs12Signer:
    """Signs with the certificate files of one folder (PAdES, baseline B)."""

    way: Way = "pkcs12"

    def __init__(self, folder: Path, *, demo: bool = False) -> None:
        self.folder = folder
        self.demo = demo

    def sign(self, request: SignRequest, passphrase: str) -> SignedPdf:
        """Sign one PDF with a visible mark.

        Raises:
            SigningError: always with `outcome` "not_signed".
        """
        if not request.pdf.startswith(b"%PDF-"):
            raise SigningError("draft_not_pdf")
        signer = self._open(request, passphrase)
        request = marked_demo(request, self.demo)
        writer, place = make_room(request.pdf, request.place)
        return SignedPdf(_signed(writer, place, request, signer))

    def fetch(self, remote_id: str) -> bytes:
        """There is nothing to fetch: what is signed here comes back at once."""
        raise SigningError("download_gone", outcome="unknown")

    def check_passphrase(self, request: SignRequest, passphrase: str) -> None:
        """Open the certificate file and see whether it could sign now.

        Raises:
            SigningError: as `sign` would.
        """
        self._open(request, passphrase)

    def _open(self, request: SignRequest, passphrase: str) -> SimpleSigner:
        data = self._read(request.certificate)
        if not passphrase:
            raise SigningError("passphrase_missing")
        name = request.certificate
        try:
            asn1_pkcs12.Pfx.load(data, strict=True).native  # noqa: B018 - parses on asking
        except (ValueError, TypeError):
            raise SigningError("certificate_unreadable", file=name) from None
        try:
            key, certificate, others = load_key_and_certificates(data, passphrase.encode())
        except ValueError:
            # `from None`: the error's own text or frames must never carry the passphrase on.
            raise SigningError("passphrase_wrong") from None
        except Exception:
            raise SigningError("certificate_unreadable", file=name) from None
        if key is None or certificate is None:
            raise SigningError("certificate_unreadable", file=name)
        _check_certificate(certificate, request.stamp.at, name)
        return _simple_signer(key, certificate, others, name)

    def _read(self, name: str) -> bytes:
        if not name:
            raise SigningError("certificate_not_named")
        if not FILE_NAME.fullmatch(name):
            raise SigningError("certificate_missing", file=name)
        path = self.folder / name
        try:
            if path.stat().st_size > MAX_BYTES:
                raise SigningError("certificate_unreadable", file=name)
            return path.read_bytes()
        except FileNotFoundError:
            raise SigningError("certificate_missing", file=name) from None
        except OSError:
            raise SigningError("certificate_unreadable", file=name) from None


def _check_certificate(certificate: pyca_x509.Certificate, now: datetime, name: str) -> None:
    if now > certificate.not_valid_after_utc:
        raise SigningError("certificate_expired", at=certificate.not_valid_after_utc)
    if now < certificate.not_valid_before_utc:
        raise SigningError("certificate_not_yet_valid", at=certificate.not_valid_before_utc)
    try:
        usage = certificate.extensions.get_extension_for_class(pyca_x509.KeyUsage).value
    except pyca_x509.ExtensionNotFound:
        return
    if not (usage.digital_signature or usage.content_commitment):
        raise SigningError("certificate_not_for_signing", file=name)


def _simple_signer(
    key: PrivateKeyTypes,
    certificate: pyca_x509.Certificate,
    others: list[pyca_x509.Certificate],
    name: str,
) -> SimpleSigner:
    try:
        plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        own, *chain = (
            x509.Certificate.load(item.public_bytes(Encoding.DER))
            for item in (certificate, *others)
        )
        return SimpleSigner(
            signing_cert=own,
            signing_key=keys.PrivateKeyInfo.load(plain),
            cert_registry=SimpleCertificateStore.from_certs(chain),
        )
    except Exception:
        raise SigningError("certificate_unreadable", file=name) from None


def _signed(
    writer: IncrementalPdfFileWriter, place: StampPlace, request: SignRequest, signer: SimpleSigner
) -> bytes:
    name = f"Aduan-{secrets.token_hex(6)}"
    left, bottom = round(place.x), round(place.y)
    box = (left, bottom, left + round(place.width), bottom + round(place.height))
    pdf_signer = PdfSigner(
        PdfSignatureMetadata(
            field_name=name,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            reason=request.reason or None,
            location=request.location or None,
            name=request.stamp.name or None,
        ),
        signer=signer,
        stamp_style=stamp_style(request.stamp),
        new_field_spec=SigFieldSpec(name, on_page=place.page - 1, box=box),
    )
    try:
        return run(_sign(pdf_signer, writer, request.stamp.at))
    except PyHankoSigningError:
        raise SigningError("draft_locked") from None
    except SigningError:
        raise
    except Exception as error:  # The library raises anything on a PDF it does not understand.
        raise SigningError("sign_failed") from error


async def _sign(pdf_signer: PdfSigner, writer: IncrementalPdfFileWriter, at: datetime) -> bytes:
    """The library's own steps, with our moment in place of its clock."""
    session = pdf_signer.init_signing_session(writer)
    session.system_time = at
    validation = await session.perform_presign_validation(writer)
    size = await session.estimate_signature_container_size(validation, tight=False)
    document = session.prepare_tbs_document(validation, bytes_reserved=size)
    out = BytesIO()
    digest, _ = document.digest_tbs_document(output=out)
    signed = await document.perform_signature(
        document_digest=digest.document_digest,
        pdf_cms_signed_attrs=PdfCMSSignedAttributes(signing_time=at),
    )
    await signed.post_signature_processing(out)
    return out.getvalue()
