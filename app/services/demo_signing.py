"""How the head of the demo office signs: really, with a certificate that is worth nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint, Document
from app.services.actor import Actor
from app.services.signatories import signatory_of, title_of
from app.services.signature import (
    DEMO_PASSPHRASE,
    SignatureSettings,
    Signer,
    SignRequest,
    Stamp,
    Trust,
    ensure_demo_authority,
    keep_signed,
    load_trust,
    open_signer,
)
from app.services.storage import Store
from app.sop.errors import RefusedError

#: Fictional; the same as in `seed_data/demo/officers.toml`.
DEMO_HEAD: Final = "Darmawan Adiputra"


@dataclass(frozen=True)
class DemoSigning:
    """The demo's own authority, and the address that its stamps lead to."""

    signer: Signer
    trust: Trust
    public_url: str

    @classmethod
    def open(cls, trust: Path, certificates: Path, public_url: str) -> DemoSigning:
        """Make the authority once, in the folders of this installation."""
        ensure_demo_authority(trust, certificates, name=DEMO_HEAD)
        signer = open_signer(SignatureSettings("pkcs12", certificates, trust, demo=True))
        assert signer is not None, "the way pkcs12 has a signer"
        return cls(signer, load_trust(trust), public_url)

    def sign(
        self,
        session: Session,
        store: Store,
        case: Complaint,
        output: CaseOutput,
        draft: bytes,
        name: str,
        actor: Actor,
        at: datetime,
    ) -> Document:
        """Sign a draft as at the signing desk and keep it; flushes.

        Raises:
            SopError: nobody is in office, or the draft cannot be signed.
        """
        head = signatory_of(session, actor, at)
        if head is None:
            raise RefusedError("signatory_not_in_office")
        stamp = Stamp(
            name=head.name,
            title=title_of(head),
            nip=head.nip,
            at=at,
            check_url=f"{self.public_url}/check/{output.check_code}",
            demo=True,
        )
        request = SignRequest(
            draft, name, stamp, nik=head.nik, certificate=head.certificate, reason=case.number
        )
        data = self.signer.sign(request, DEMO_PASSPHRASE).data
        assert data is not None, "a certificate file signs at once"
        return keep_signed(
            session,
            store,
            self.trust,
            data,
            name=name,
            complaint=case,
            output=output,
            user_id=actor.id or 0,
            now=at,
        )
