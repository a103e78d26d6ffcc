"""Signing with a certificate file: what refuses, and what the signed PDF shows."""

from __future__ import annotations

import io
import logging
import traceback
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner, sign_pdf

from app.services.signature import (
    SignatureSettings,
    SigningError,
    StampPlace,
    open_signer,
    read_signatures,
)
from app.services.signature.core import MESSAGES
from app.services.signature.pkcs12 import Pkcs12Signer
from tests.support import samples, signed
from tests.support.pdftools import run_program
from tests.support.signed import (
    CERTIFICATE,
    EXPIRED_CERTIFICATE,
    FUTURE_CERTIFICATE,
    PASSPHRASE,
    UNFIT_CERTIFICATE,
    certificates_folder,
    request,
    trust,
)

WRONG = "frasa-sandi salah 9"


@pytest.fixture
def signer() -> Pkcs12Signer:
    return Pkcs12Signer(certificates_folder())


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    (tmp_path / "rusak.p12").write_bytes(b"bukan sertifikat")
    (tmp_path / "kosong.p12").write_bytes(b"")
    good = (certificates_folder() / CERTIFICATE).read_bytes()
    (tmp_path / "separuh.p12").write_bytes(good[: len(good) // 2])
    (tmp_path / "besar.p12").write_bytes(good + bytes(1024 * 1024))
    (tmp_path / "map.p12").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("certificate", "passphrase", "code"),
    [
        pytest.param(CERTIFICATE, WRONG, "passphrase_wrong", id="a wrong passphrase"),
        pytest.param(CERTIFICATE, "", "passphrase_missing", id="no passphrase"),
        pytest.param(CERTIFICATE, PASSPHRASE + " ", "passphrase_wrong", id="a blank too many"),
        pytest.param(EXPIRED_CERTIFICATE, PASSPHRASE, "certificate_expired", id="expired"),
        pytest.param(FUTURE_CERTIFICATE, PASSPHRASE, "certificate_not_yet_valid", id="too early"),
        pytest.param(UNFIT_CERTIFICATE, PASSPHRASE, "certificate_not_for_signing", id="no signing"),
        pytest.param("", PASSPHRASE, "certificate_not_named", id="no certificate named"),
        pytest.param("lain.p12", PASSPHRASE, "certificate_missing", id="a file that is not there"),
        pytest.param("../x.p12", PASSPHRASE, "certificate_missing", id="a name that climbs out"),
        pytest.param("/etc/passwd", PASSPHRASE, "certificate_missing", id="a path"),
        pytest.param(".x.p12", PASSPHRASE, "certificate_missing", id="a hidden name"),
    ],
)
def test_why_a_certificate_does_not_sign(
    certificate: str, passphrase: str, code: str, signer: Pkcs12Signer
) -> None:
    wanted = request(certificate=certificate)
    for attempt in (signer.check_passphrase, signer.sign):
        with pytest.raises(SigningError) as refused:
            attempt(wanted, passphrase)
        assert (refused.value.code, refused.value.outcome) == (code, "not_signed")
        assert refused.value.code in MESSAGES


@pytest.mark.parametrize("name", ["rusak.p12", "kosong.p12", "separuh.p12", "besar.p12", "map.p12"])
def test_a_file_that_is_no_certificate(name: str, own_folder: Path) -> None:
    with pytest.raises(SigningError) as refused:
        Pkcs12Signer(own_folder).sign(request(certificate=name), PASSPHRASE)
    assert refused.value.code == "certificate_unreadable"
    assert name in str(refused.value)


@pytest.mark.parametrize(
    ("pdf", "code"),
    [
        pytest.param(b"", "draft_not_pdf", id="nothing"),
        pytest.param(samples.jpeg(), "draft_not_pdf", id="a picture"),
        pytest.param(b"%PDF-1.7\n", "sign_failed", id="only a beginning"),
        pytest.param(samples.pdf_encrypted("x"), "sign_failed", id="a locked PDF"),
    ],
)
def test_what_cannot_be_signed(pdf: bytes, code: str, signer: Pkcs12Signer) -> None:
    with pytest.raises(SigningError) as refused:
        signer.sign(request(pdf), PASSPHRASE)
    assert (refused.value.code, refused.value.outcome) == (code, "not_signed")


def test_a_certified_pdf_that_forbids_more_is_not_signed(signer: Pkcs12Signer) -> None:
    ours = SimpleSigner.load_pkcs12(
        certificates_folder() / CERTIFICATE, passphrase=PASSPHRASE.encode()
    )
    meta = PdfSignatureMetadata(
        field_name="Kunci", certify=True, docmdp_permissions=MDPPerm.NO_CHANGES
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(signed.draft_pdf()))
    locked = sign_pdf(writer, meta, signer=ours).getvalue()
    with pytest.raises(SigningError) as refused:
        signer.sign(request(locked), PASSPHRASE)
    assert refused.value.code == "draft_locked"


def test_there_is_nothing_to_fetch(signer: Pkcs12Signer) -> None:
    with pytest.raises(SigningError):
        signer.fetch("dok1")


@pytest.mark.parametrize("passphrase", [PASSPHRASE, WRONG])
def test_the_passphrase_reaches_no_log_and_no_error(
    passphrase: str, signer: Pkcs12Signer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    text = ""
    wanted = request()
    for attempt in (signer.check_passphrase, signer.sign):
        try:
            text += repr(attempt(wanted, passphrase))
        except SigningError as error:
            text += "".join(traceback.format_exception(error)) + repr(error.params)
    text += caplog.text + repr(wanted) + repr(vars(signer))
    assert passphrase not in text
    assert wanted.nik not in text


def test_settings_show_no_password() -> None:
    settings = SignatureSettings("bsre", Path(), Path(), "http://x", "aduan", "rahasia-9")
    assert "rahasia-9" not in repr(settings)


@pytest.mark.parametrize(
    ("way", "found"), [("upload", None), ("pkcs12", "pkcs12"), ("bsre", "bsre")]
)
def test_the_configured_way_is_opened(way: str, found: str | None) -> None:
    opened = open_signer(SignatureSettings(way, Path(), Path(), "http://127.0.0.1:1"))  # type: ignore[arg-type]
    assert getattr(opened, "way", None) == found


# --- signed ------------------------------------------------------------------------------------


def test_the_draft_stays_byte_for_byte_in_the_signed_pdf(signer: Pkcs12Signer) -> None:
    draft = signed.draft_pdf()
    done = signer.sign(request(draft, location="Contoh"), PASSPHRASE)
    assert done.data is not None
    assert done.data.startswith(draft)
    assert done.remote_id == ""
    (embedded,) = PdfFileReader(io.BytesIO(done.data)).embedded_signatures
    facts = embedded.sig_object
    assert facts["/SubFilter"] == "/ETSI.CAdES.detached"
    assert (facts["/Reason"], facts["/Location"]) == ("Langkah 4 SOP", "Contoh")
    assert facts["/Name"] == "Dr. Kepala Contoh, S.H., M.Si."


def test_the_time_is_the_one_of_the_stamp(signer: Pkcs12Signer) -> None:
    wanted = request()
    data = signer.sign(wanted, PASSPHRASE).data
    assert data is not None
    (found,) = read_signatures(data, trust()).signatures
    assert found.signed_at == wanted.stamp.at.replace(microsecond=0)


@pytest.mark.parametrize(
    "version", [pikepdf.ObjectStreamMode.disable, pikepdf.ObjectStreamMode.generate]
)
def test_old_and_new_ways_of_writing_a_pdf_are_signed(
    version: pikepdf.ObjectStreamMode, signer: Pkcs12Signer
) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(samples.pdf(3))) as document:
        document.save(out, object_stream_mode=version)
    data = signer.sign(request(out.getvalue()), PASSPHRASE).data
    assert data is not None
    assert read_signatures(data, trust()).state == "trusted"


def test_a_place_of_one_s_own(signer: Pkcs12Signer) -> None:
    wanted = replace(request(samples.pdf(2)), place=StampPlace(1, 40, 50, 200, 66))
    data = signer.sign(wanted, PASSPHRASE).data
    assert data is not None
    with pikepdf.open(io.BytesIO(data)) as document:
        (widget,) = list(document.pages[0].obj.Annots)
        assert [int(number) for number in widget.Rect] == [40, 50, 240, 116]


def test_a_page_that_is_not_there_is_no_place(signer: Pkcs12Signer) -> None:
    wanted = replace(request(), place=StampPlace(2, 40, 50, 200, 66))
    with pytest.raises(SigningError, match="could not be signed"):
        signer.sign(wanted, PASSPHRASE)


@pytest.mark.parametrize("demo", [True, False])
def test_every_mark_of_a_demo_office_says_so(demo: bool, tmp_path: Path) -> None:
    data = Pkcs12Signer(certificates_folder(), demo=demo).sign(request(), PASSPHRASE).data
    assert data is not None
    path = tmp_path / "berkas.pdf"
    path.write_bytes(data)
    assert ("DEMO" in run_program("pdftotext", path, "-")) is demo
