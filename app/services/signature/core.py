"""What every way of signing shares: what is asked of it, what comes back, what can go wrong.

The passphrase travels as an argument of its own: no object that could be printed, logged or
stored ever holds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from app.sop.errors import SopError
from app.sop.text import N_

Outcome = Literal["not_signed", "unknown"]
Way = Literal["upload", "pkcs12", "bsre"]

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    # --- before anything is signed ---
    "passphrase_missing": N_("Type the passphrase of your certificate."),
    "passphrase_wrong": N_("The passphrase is wrong. Nothing was signed."),
    "certificate_not_named": N_(
        "Your entry among the signatories names no certificate file. Ask the administrator."
    ),
    "certificate_missing": N_(
        "The certificate file %(file)s is not in the folder of certificates. Ask the administrator."
    ),
    "certificate_unreadable": N_(
        "The certificate file %(file)s cannot be read as a certificate with its key. Ask the"
        " administrator."
    ),
    "certificate_expired": N_("Your certificate expired on %(at)s; it has to be renewed first."),
    "certificate_not_yet_valid": N_("Your certificate is valid only from %(at)s."),
    "certificate_not_for_signing": N_(
        "The certificate in %(file)s is not one for signing documents. Ask the administrator."
    ),
    "draft_not_pdf": N_("Only a PDF can be signed; attach the draft as a PDF."),
    "draft_locked": N_("This PDF is locked by an earlier signature that allows no further one."),
    "sign_failed": N_("This PDF could not be signed. Save it anew as a PDF and attach that one."),
    "stamp_failed": N_(
        "The stamp could not be drawn: %(reason)s. Tell the administrator; nothing was signed."
    ),
    "stamp_busy": N_(
        "Too many documents are being drawn at this moment. Nothing was signed; try again."
    ),
    # --- the signature service ---
    "signer_nik_missing": N_(
        "Your entry among the signatories has no NIK; the signature service needs it."
    ),
    "signer_not_registered": N_("The signature service does not know your NIK as a signatory."),
    "signer_without_certificate": N_(
        "You are registered at the signature service, but have no active certificate: it has"
        " expired or was not issued yet. Renew it there."
    ),
    "service_login": N_(
        "The signature service does not accept this office's user name and password. Tell the"
        " administrator; nothing was signed."
    ),
    "service_address": N_(
        "There is no signature service at the configured address. Tell the administrator; nothing"
        " was signed."
    ),
    "service_refused": N_("The signature service refused: %(text)s"),
    "service_busy": N_("The signature service is overloaded. Nothing was signed; try again later."),
    "service_unreachable": N_(
        "The signature service cannot be reached. Nothing was signed; try again later."
    ),
    "service_no_answer": N_(
        "The signature service took the document but its answer did not come. It may be signed"
        " there, so it is not sent a second time: look there first."
    ),
    "service_answer_unreadable": N_(
        "The answer of the signature service could not be understood. The document may be signed"
        " there, so it is not sent a second time: look there first."
    ),
    "download_failed": N_(
        "The document is signed, but could not be fetched from the signature service yet. Fetch it"
        " again."
    ),
    "download_gone": N_(
        "The document is signed, but the signature service hands it out only once and has done so."
        " Get it from the service and bring it here."
    ),
    # --- what a signed PDF says ---
    "signature_not_pdf": N_("A signed document is a PDF; this file is not one."),
    "signature_missing": N_("This PDF bears no electronic signature."),
    "signature_changed": N_("This PDF was changed after it was signed. Bring it unchanged."),
}


class SigningError(SopError):
    """A document was not signed, or nobody knows; `outcome` says which of the two."""

    def __init__(self, code: str, *, outcome: Outcome = "not_signed", **params: Any) -> None:
        super().__init__(code, **params)
        self.outcome: Outcome = outcome

    def __str__(self) -> str:
        try:
            return MESSAGES[self.code] % self.params
        except (KeyError, TypeError, ValueError):
            return super().__str__()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the visible mark says; `title` already bears the capacity ("Plt. Kepala Dinas …")."""

    name: str
    title: str
    nip: str
    #: The moment of signing, aware UTC; shown in WIB.
    at: datetime
    #: Where the QR code leads: the public check page of this paper.
    check_url: str
    demo: bool = False


@dataclass(frozen=True, slots=True)
class StampPlace:
    """Where the mark goes: a page from 1 and the lower left corner and size in points."""

    page: int
    x: float
    y: float
    width: float
    height: float
    #: The page is not there yet: it is added for the mark.
    new_page: bool = False


@dataclass(frozen=True, slots=True)
class SignRequest:
    """One PDF to be signed and by whom; the passphrase is not part of it."""

    pdf: bytes = field(repr=False)
    file_name: str
    stamp: Stamp
    #: The signature service knows officers by their NIK.
    nik: str = field(repr=False, default="")
    #: Name of the certificate file (pkcs12 way only).
    certificate: str = ""
    reason: str = ""
    location: str = ""
    #: None: a place that covers nothing is looked for on the last page.
    place: StampPlace | None = None


@dataclass(frozen=True, slots=True)
class SignedPdf:
    """What came back; `data` is None when the file is still to be fetched by `remote_id`."""

    data: bytes | None = field(repr=False)
    remote_id: str = ""


def marked_demo(request: SignRequest, demo: bool) -> SignRequest:
    """The request of a demo office: its mark says DEMO, whatever the caller thought of."""
    return replace(request, stamp=replace(request.stamp, demo=True)) if demo else request


class Signer(Protocol):
    """One way of signing."""

    @property
    def way(self) -> Way:
        """Which of the configured ways this is."""
        ...

    def sign(self, request: SignRequest, passphrase: str) -> SignedPdf:
        """Sign one PDF, at most once.

        Raises:
            SigningError: with `outcome` "unknown" when it may have been signed all the same.
        """
        ...

    def fetch(self, remote_id: str) -> bytes:
        """The signed PDF the service keeps under this number, which it hands out once.

        Raises:
            SigningError: `download_failed` (try again) or `download_gone`.
        """
        ...

    def check_passphrase(self, request: SignRequest, passphrase: str) -> None:
        """Find out before a batch what would fail for every paper of it.

        Raises:
            SigningError: as `sign` would.
        """
        ...


@dataclass(frozen=True, slots=True)
class SignatureSettings:
    """How this office signs; see the settings of the same names."""

    way: Way
    certificates: Path
    trust: Path
    bsre_url: str = ""
    bsre_user: str = ""
    bsre_password: str = field(repr=False, default="")
    bsre_timeout: float = 60
    demo: bool = False


def open_signer(settings: SignatureSettings) -> Signer | None:
    """The configured way of signing here; None when signed PDFs are brought from elsewhere."""
    from app.services.signature.bsre import BsreSigner
    from app.services.signature.pkcs12 import Pkcs12Signer

    if settings.way == "pkcs12":
        return Pkcs12Signer(settings.certificates, demo=settings.demo)
    if settings.way == "bsre":
        return BsreSigner(
            settings.bsre_url,
            settings.bsre_user,
            settings.bsre_password,
            timeout=settings.bsre_timeout,
            demo=settings.demo,
        )
    return None
