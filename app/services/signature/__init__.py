"""Electronic signatures: signing a PDF, reading what a signed one says, keeping it unaltered.

signer = open_signer(settings)              # None: signed PDFs are brought from elsewhere
signed = signer.sign(request, passphrase)   # SigningError says "not_signed" or "unknown"
keep_signed(session, store, trust, signed.data, …)
"""

from app.services.signature.authority import (
    DEMO_CERTIFICATE,
    DEMO_PASSPHRASE,
    ensure_demo_authority,
)
from app.services.signature.core import (
    MESSAGES,
    SignatureSettings,
    SignedPdf,
    Signer,
    SigningError,
    SignRequest,
    Stamp,
    StampPlace,
    open_signer,
)
from app.services.signature.keeping import bring_signed, check_signed, keep_signed
from app.services.signature.reading import FoundSignature, SignatureReport, read_signatures
from app.services.signature.trust import Trust, load_trust

__all__ = [
    "DEMO_CERTIFICATE",
    "DEMO_PASSPHRASE",
    "MESSAGES",
    "FoundSignature",
    "SignRequest",
    "SignatureReport",
    "SignatureSettings",
    "SignedPdf",
    "Signer",
    "SigningError",
    "Stamp",
    "StampPlace",
    "Trust",
    "bring_signed",
    "check_signed",
    "ensure_demo_authority",
    "keep_signed",
    "load_trust",
    "open_signer",
    "read_signatures",
]
