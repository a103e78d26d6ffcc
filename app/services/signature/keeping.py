"""A signed PDF becomes a document of its case: read first, stored byte for byte, never altered."""

from __future__ import annotations

import hashlib
import io
import logging
import secrets
from datetime import datetime
from typing import Final

import pikepdf
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint, Document, DocumentSignature, StagedUpload
from app.services.actor import Actor
from app.services.filecheck import safe_name
from app.services.signature.reading import SignatureReport, read_signatures
from app.services.signature.trust import Trust
from app.services.storage import MissingFileError, Store, StoreError, new_key
from app.services.uploads import DEFAULT_LIMITS, Limits, attach_staged
from app.sop.errors import FileRefusedError, NotFoundError, RefusedError

logger = logging.getLogger(__name__)

PDF: Final = "application/pdf"


def bring_signed(
    session: Session,
    store: Store,
    trust: Trust,
    staged: StagedUpload,
    *,
    complaint: Complaint,
    output: CaseOutput,
    actor: Actor,
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
) -> Document:
    """Take over a PDF that was signed elsewhere as the signed form of a paper; flushes.

    It takes the place of a signed file the paper had before. Bringing the same upload twice gives
    the document of the first time.

    Raises:
        RefusedError: `signature_not_pdf`, `signature_missing`, `signature_changed`, or as
            `attach_staged`; `storage_unavailable` when the store does not answer.
        NotFoundError: the paper is not one of this case.
    """
    _check_paper(complaint, output)
    if staged.media_type != PDF:
        raise RefusedError("signature_not_pdf")
    data = _read(store, staged)
    report = check_signed(data, trust, now=now)
    # Before the document is written: its foreign key would share a lock on the paper with a
    # colleague's, and each would then wait for the other to let go of his share.
    _lock(session, output)
    document = attach_staged(
        session,
        staged,
        complaint=complaint,
        stage="signed",
        kind_id=output.kind_id,
        output_id=output.id,
        user_id=actor.id or 0,
        now=now,
        limits=limits,
    )
    if document.signature_state is None:
        _succeed(session, document, output, now)
        _describe(session, document, report, data)
    session.flush()
    return document


def keep_signed(
    session: Session,
    store: Store,
    trust: Trust,
    data: bytes,
    *,
    name: str,
    complaint: Complaint,
    output: CaseOutput,
    user_id: int,
    now: datetime,
) -> Document:
    """Keep a PDF that was signed here, in the store before its row; flushes.

    Raises:
        RefusedError: `signature_missing` or `signature_changed`: what came back is no signed PDF.
        FileRefusedError: `storage_unavailable`.
        NotFoundError: the paper is not one of this case.
    """
    _check_paper(complaint, output)
    report = check_signed(data, trust, now=now)
    key = new_key()
    try:
        store.put(key, data)
    except StoreError as error:
        logger.exception("a signed PDF could not be stored")
        raise FileRefusedError("storage_unavailable") from error
    document = Document(
        public_id=secrets.token_urlsafe(16),
        complaint_id=complaint.id,
        kind_id=output.kind_id,
        output_id=output.id,
        stage="signed",
        round=complaint.round,
        uploaded_at=now,
        uploaded_by_id=user_id,
        storage_key=key,
        original_name=safe_name(name),
        media_type=PDF,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    _succeed(session, document, output, now)
    session.add(document)
    session.flush()
    _describe(session, document, report, data)
    session.flush()
    return document


def check_signed(data: bytes, trust: Trust, *, now: datetime) -> SignatureReport:
    """What the signatures of a PDF say, if they are such as the office takes.

    Raises:
        RefusedError: `signature_missing` or `signature_changed`.
    """
    report = read_signatures(data, trust, now=now)
    if report.state == "unsigned":
        raise RefusedError("signature_missing")
    if report.state == "changed":
        raise RefusedError("signature_changed")
    return report


def _check_paper(complaint: Complaint, output: CaseOutput) -> None:
    if output.complaint_id != complaint.id:
        raise NotFoundError("output", output.id)
    if output.dropped_at is not None:
        raise RefusedError("not_an_output")


def _read(store: Store, staged: StagedUpload) -> bytes:
    try:
        data = store.get(staged.storage_key)
    except MissingFileError as error:
        raise RefusedError("upload_expired") from error
    except StoreError as error:
        raise FileRefusedError("storage_unavailable") from error
    if hashlib.sha256(data).hexdigest() != staged.sha256:
        raise RefusedError("upload_expired")
    return data


def _lock(session: Session, output: CaseOutput) -> None:
    """Of two officers who sign or bring the same paper, one waits here for the other."""
    with session.no_autoflush:
        session.execute(select(CaseOutput.id).where(CaseOutput.id == output.id).with_for_update())


def _succeed(session: Session, document: Document, output: CaseOutput, now: datetime) -> None:
    """Let a document take the place of the signed file the paper has at present."""
    query = select(Document).where(
        Document.output_id == output.id,
        Document.stage == "signed",
        Document.replaced_at.is_(None),
    )
    if document.id is not None:
        query = query.where(Document.id != document.id)
    # No flush: a document without its predecessor is not to be written yet.
    with session.no_autoflush:
        _lock(session, output)
        earlier = session.scalars(query.order_by(Document.id)).all()
    for old in earlier:
        old.replaced_at = now
    if earlier:
        document.replaces = earlier[-1]
        document.revision = earlier[-1].revision + 1


def _describe(session: Session, document: Document, report: SignatureReport, data: bytes) -> None:
    document.signature_state = report.state
    if document.pages is None:
        document.pages = _pages(data)
    for position, found in enumerate(report.signatures, start=1):
        session.add(
            DocumentSignature(
                document=document,
                position=position,
                signer=found.signer,
                issuer=found.issuer,
                signed_at=found.signed_at,
                timestamped=found.timestamped,
                intact=found.intact,
                issuer_known=found.issuer_known,
                reason=found.reason,
            )
        )


def _pages(data: bytes) -> int | None:
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            return len(pdf.pages)
    except Exception:  # Another reader has found its signature; counting is a service only.
        return None
