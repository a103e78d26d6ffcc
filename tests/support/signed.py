"""Really signed PDFs by a test authority, made once for all tests of a process.

signed_pdf()              # one page with the text "Dokumen contoh", one signature
trust_folder()            # the folder of issuers that knows its signer
load_trust(trust_folder())
certificates_folder()     # CERTIFICATE lies there, opened by PASSPHRASE
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from app.services.signature import SignRequest, Stamp, Trust, load_trust
from app.services.signature.authority import Authority
from app.services.signature.pkcs12 import Pkcs12Signer
from tests.support import samples

PASSPHRASE: Final = "frasa-sandi uji 1"
CERTIFICATE: Final = "kepala.p12"
#: A second person of the same authority, for a further signature.
SECOND_CERTIFICATE: Final = "kabid.p12"
#: A person whose issuer is in no folder of trust.
STRANGE_CERTIFICATE: Final = "asing.p12"
EXPIRED_CERTIFICATE: Final = "kedaluwarsa.p12"
FUTURE_CERTIFICATE: Final = "belum.p12"
UNFIT_CERTIFICATE: Final = "bukan-tanda-tangan.p12"

SIGNER: Final = "Kepala Contoh"
SECOND_SIGNER: Final = "Kabid Contoh"
ISSUER: Final = "Otoritas Uji"
CHECK_URL: Final = "https://aduan.example.go.id/check/Ab3dEfGhIjKlMnOpQrStUv"


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="aduan-signed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    trust, certificates = folder / "trust", folder / "certificates"
    trust.mkdir()
    certificates.mkdir()
    known, strange = Authority.make(ISSUER), Authority.make("Otoritas Asing")
    (trust / "authority.pem").write_bytes(known.pem())
    now, day = datetime.now(UTC), timedelta(days=1)
    people = (
        (CERTIFICATE, known.issue(SIGNER)),
        (SECOND_CERTIFICATE, known.issue(SECOND_SIGNER)),
        (STRANGE_CERTIFICATE, strange.issue(SIGNER)),
        (EXPIRED_CERTIFICATE, known.issue(SIGNER, valid=(now - 400 * day, now - 30 * day))),
        (FUTURE_CERTIFICATE, known.issue(SIGNER, valid=(now + 30 * day, now + 60 * day))),
        (UNFIT_CERTIFICATE, known.issue(SIGNER, signing=False)),
    )
    for name, (certificate, key) in people:
        data = known.pkcs12(certificate, key, PASSPHRASE)
        (certificates / name).write_bytes(data)
    return folder


def trust_folder() -> Path:
    """The issuers' folder; do not write into it."""
    return _folder() / "trust"


def certificates_folder() -> Path:
    """The signatories' certificate files; do not write into it."""
    return _folder() / "certificates"


@cache
def trust() -> Trust:
    """The issuers of `trust_folder`, read once."""
    return load_trust(trust_folder())


@cache
def draft_pdf() -> bytes:
    """One plain page, the same bytes each time: the place of the mark is looked for once."""
    return samples.pdf()


def stamp(**changes: object) -> Stamp:
    """What a mark says in tests."""
    facts: dict[str, object] = {
        "name": "Dr. Kepala Contoh, S.H., M.Si.",
        "title": "Kepala Dinas Contoh",
        "nip": "199001012015011001",
        "at": datetime.now(UTC),
        "check_url": CHECK_URL,
    }
    return Stamp(**{**facts, **changes})  # type: ignore[arg-type]


def request(pdf: bytes | None = None, **changes: object) -> SignRequest:
    """A PDF to be signed by the head of the test office."""
    facts: dict[str, object] = {
        "pdf": draft_pdf() if pdf is None else pdf,
        "file_name": "draf.pdf",
        "stamp": stamp(),
        "nik": "3325011203909901",
        "certificate": CERTIFICATE,
        "reason": "Langkah 4 SOP",
    }
    return SignRequest(**{**facts, **changes})  # type: ignore[arg-type]


def sign(pdf: bytes, certificate: str = CERTIFICATE, at: datetime | None = None) -> bytes:
    """Sign a PDF with one of the certificates above; the mark goes where there is room."""
    wanted = request(pdf, certificate=certificate, stamp=stamp(at=at or datetime.now(UTC)))
    data = Pkcs12Signer(certificates_folder()).sign(wanted, PASSPHRASE).data
    assert data is not None
    return data


@cache
def signed_pdf(certificate: str = CERTIFICATE) -> bytes:
    """One PDF signed by the test authority's head (or by whom `certificate` belongs to)."""
    return sign(draft_pdf(), certificate)


@cache
def twice_signed_pdf() -> bytes:
    """A PDF that a second person of the same authority signed after the first."""
    return sign(signed_pdf(), SECOND_CERTIFICATE)


@cache
def changed_pdf() -> bytes:
    """A PDF of which one byte was changed after it was signed."""
    data = bytearray(signed_pdf())
    data[data.index(b"/MediaBox") + 1] ^= 1
    return bytes(data)
