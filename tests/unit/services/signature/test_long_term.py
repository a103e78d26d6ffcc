"""Signatures as services make them for the long run: time stamps, validation data, other readers."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper, SimpleSigner
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from app.services.signature import Trust, read_signatures
from app.services.signature.authority import Authority, _builder, _name
from tests.support import signed, tampering
from tests.support.pdftools import run_program

AUTHORITY = Authority.make("Otoritas Waktu")


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _key(key: object) -> keys.PrivateKeyInfo:
    data = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
    return keys.PrivateKeyInfo.load(data)


@pytest.fixture(scope="module")
def roots() -> Trust:
    return Trust((_asn1(AUTHORITY.certificate),))


@pytest.fixture(scope="module")
def clock() -> DummyTimeStamper:
    """A time stamp authority that says the true time."""
    key = rsa.generate_private_key(65537, 2048)  # the library's stand-in knows no other kind
    builder = _builder(_name("Waktu"), AUTHORITY.certificate.subject, key, datetime.now(UTC))
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = builder.add_extension(usage, critical=True).sign(AUTHORITY.key, hashes.SHA256())
    return DummyTimeStamper(
        tsa_cert=_asn1(certificate),
        tsa_key=_key(key),
        certs_to_embed=SimpleCertificateStore.from_certs([_asn1(AUTHORITY.certificate)]),
    )


def _stamped(clock: DummyTimeStamper, until: timedelta = timedelta(days=30)) -> bytes:
    """A PDF signed with a time stamp."""
    now = datetime.now(UTC)
    certificate, key = AUTHORITY.issue("Kepala", valid=(now - timedelta(days=1), now + until))
    signer = SimpleSigner(_asn1(certificate), _key(key), SimpleCertificateStore())
    pdf_signer = PdfSigner(
        PdfSignatureMetadata(field_name="TTE", subfilter=SigSeedSubFilter.PADES),
        signer=signer,
        timestamper=clock,
        new_field_spec=SigFieldSpec("TTE"),
    )
    out = asyncio.run(
        pdf_signer.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(signed.draft_pdf())))
    )
    return out.getvalue()


def _with_validation_data(pdf: bytes) -> bytes:
    out = io.BytesIO(pdf)
    signature = PdfFileReader(out).embedded_signatures[0]
    DocumentSecurityStore.add_dss(
        out, signature.pkcs7_content, certs=[_asn1(AUTHORITY.certificate)]
    )
    assert out.getvalue().startswith(pdf)
    assert len(out.getvalue()) > len(pdf)
    return out.getvalue()


def test_a_time_stamp_says_when(clock: DummyTimeStamper, roots: Trust) -> None:
    report = read_signatures(_stamped(clock), roots)
    assert (report.state, report.signatures[0].timestamped) == ("trusted", True)


def test_a_time_stamp_of_an_unknown_authority_says_nothing(clock: DummyTimeStamper) -> None:
    report = read_signatures(_stamped(clock), Trust())
    assert (report.state, report.signatures[0].timestamped) == ("unknown_issuer", False)


def test_validation_data_after_the_signature_is_no_change(
    clock: DummyTimeStamper, roots: Trust
) -> None:
    assert read_signatures(_with_validation_data(_stamped(clock)), roots).state == "trusted"


@pytest.mark.parametrize(
    "name",
    ["a picture over the page", "another content of the page", "another title", "another page"],
)
def test_a_change_beside_validation_data_is_found(
    name: str, clock: DummyTimeStamper, roots: Trust
) -> None:
    """In the same file, before it or after it."""
    pdf = _stamped(clock)
    change = tampering.CHANGES[name]
    assert read_signatures(change(_with_validation_data(pdf)), roots).state == "changed"
    assert read_signatures(_with_validation_data(change(pdf)), roots).state == "changed"


def test_an_archive_time_stamp_is_no_change(clock: DummyTimeStamper, roots: Trust) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(_with_validation_data(_stamped(clock))))
    stamper = PdfTimeStamper(clock)
    out = asyncio.run(stamper.async_timestamp_pdf(writer, "sha256"))
    report = read_signatures(out.getvalue(), roots)
    assert report.state == "trusted"
    assert len(report.signatures) == 1


def test_an_archive_time_stamp_alone_is_nobody_s_signature(clock: DummyTimeStamper) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(signed.draft_pdf()))
    out = asyncio.run(PdfTimeStamper(clock).async_timestamp_pdf(writer, "sha256"))
    assert read_signatures(out.getvalue(), Trust()).state == "unsigned"


# --- an independent reader ---------------------------------------------------------------------


def _pdfsig(data: bytes, folder: Path) -> str:
    path = folder / "berkas.pdf"
    path.write_bytes(data)
    return run_program("pdfsig", "-nocert", path)


def test_pdfsig_agrees_on_a_signature(tmp_path: Path) -> None:
    said = _pdfsig(signed.signed_pdf(), tmp_path)
    assert f"Signer Certificate Common Name: {signed.SIGNER}" in said
    assert "Signature Type: ETSI.CAdES.detached" in said
    assert "Total document signed" in said
    assert "Signature Validation: Signature is Valid." in said


def test_pdfsig_agrees_on_two_signatures(tmp_path: Path) -> None:
    said = _pdfsig(signed.twice_signed_pdf(), tmp_path)
    assert said.count("Signature Validation: Signature is Valid.") == 2
    assert said.index(signed.SIGNER) < said.index(signed.SECOND_SIGNER)


def test_pdfsig_agrees_on_a_changed_byte(tmp_path: Path) -> None:
    said = _pdfsig(signed.changed_pdf(), tmp_path)
    assert "Signature Validation: Signature is Valid." not in said


def test_pdfsig_agrees_that_a_draft_is_unsigned(tmp_path: Path) -> None:
    assert "does not contain any signatures" in _pdfsig(signed.draft_pdf(), tmp_path)
