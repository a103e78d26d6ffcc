"""Whose certificates count as known, and the demo's own authority."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import pem
from cryptography.hazmat.primitives.serialization import pkcs12

from app.services.signature import (
    DEMO_CERTIFICATE,
    DEMO_PASSPHRASE,
    ensure_demo_authority,
    load_trust,
    read_signatures,
)
from app.services.signature.authority import DEMO_ISSUER, Authority
from app.services.signature.pkcs12 import Pkcs12Signer
from tests.support import signed

ONE, TWO = Authority.make("Satu"), Authority.make("Dua")


def test_without_a_folder_nobody_is_known(tmp_path: Path) -> None:
    assert load_trust(tmp_path / "tidak-ada").roots == ()


@pytest.mark.parametrize(
    ("name", "data", "count"),
    [
        pytest.param("a.pem", ONE.pem(), 1, id="PEM"),
        pytest.param("a.der", pem.unarmor(ONE.pem())[2], 1, id="DER"),
        pytest.param("a.CRT", ONE.pem(), 1, id="an ending in capitals"),
        pytest.param("rantai.pem", ONE.pem() + TWO.pem(), 2, id="two in one file"),
        pytest.param("a.txt", ONE.pem(), 0, id="another ending is not read"),
    ],
)
def test_issuers_are_read(name: str, data: bytes, count: int, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    found = load_trust(tmp_path)
    assert (len(found.roots), found.unreadable) == (count, ())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"bukan sertifikat", id="no certificate"),
        pytest.param(ONE.pem()[:200], id="half a certificate"),
        pytest.param(ONE.pem() + bytes(1024 * 1024), id="far too large"),
        pytest.param(
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", id="a key only"
        ),
    ],
)
def test_one_bad_file_is_named_and_hides_no_other(
    data: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a-rusak.pem").write_bytes(data)
    (tmp_path / "b.pem").write_bytes(TWO.pem())
    found = load_trust(tmp_path)
    assert (len(found.roots), found.unreadable) == (1, ("a-rusak.pem",))
    assert "a-rusak.pem" in caplog.text


# --- the demo ----------------------------------------------------------------------------------


def test_the_demo_head_signs_and_his_issuer_is_known(tmp_path: Path) -> None:
    trust, certificates = tmp_path / "trust", tmp_path / "certificates"
    name = ensure_demo_authority(trust, certificates, name="Kepala Rekaan")
    assert name == DEMO_CERTIFICATE
    wanted = signed.request(certificate=name)
    data = Pkcs12Signer(certificates).sign(wanted, DEMO_PASSPHRASE).data
    assert data is not None
    report = read_signatures(data, load_trust(trust))
    assert report.state == "trusted"
    assert report.signatures[0].signer == "DEMO Kepala Rekaan"
    assert "DEMO" in report.signatures[0].issuer


def test_the_demo_authority_is_made_once(tmp_path: Path) -> None:
    folders = tmp_path / "trust", tmp_path / "certificates"
    ensure_demo_authority(*folders, name="Kepala Rekaan")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    ensure_demo_authority(*folders, name="Orang Lain")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert {path.name for path in before} == {DEMO_ISSUER, DEMO_CERTIFICATE}


def test_two_installations_do_not_share_an_authority(tmp_path: Path) -> None:
    for one in ("a", "b"):
        ensure_demo_authority(tmp_path / one / "trust", tmp_path / one / "c", name="Kepala")
    issuers = [(tmp_path / one / "trust" / DEMO_ISSUER).read_bytes() for one in ("a", "b")]
    assert issuers[0] != issuers[1]


@pytest.mark.skipif(os.name == "nt", reason="permissions of files are another thing on Windows")
def test_the_certificate_file_is_the_panel_s_alone(tmp_path: Path) -> None:
    ensure_demo_authority(tmp_path / "trust", tmp_path / "certificates", name="Kepala")
    mode = stat.S_IMODE((tmp_path / "certificates" / DEMO_CERTIFICATE).stat().st_mode)
    assert mode == 0o600


def test_the_issuer_s_key_is_kept_nowhere(tmp_path: Path) -> None:
    ensure_demo_authority(tmp_path / "trust", tmp_path / "certificates", name="Kepala")
    data = (tmp_path / "certificates" / DEMO_CERTIFICATE).read_bytes()
    opened = pkcs12.load_pkcs12(data, DEMO_PASSPHRASE.encode())
    assert opened.key is not None
    assert opened.cert is not None
    (issuer,) = opened.additional_certs
    assert opened.key.public_key() != issuer.certificate.public_key()
    assert opened.cert.certificate.not_valid_after_utc > datetime.now(UTC)
    assert b"PRIVATE KEY" not in (tmp_path / "trust" / DEMO_ISSUER).read_bytes()
