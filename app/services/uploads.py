"""Uploads: a file is checked and on disk before its row exists, and outlives its row's commit.

A file arrives while a form is still being filled in (`stage_upload`), and is taken over by a case
when the form is saved (`attach_staged`); it never moves in the store. What is dropped leaves the
store only after the commit that dropped its row (`delete_after_commit`), so no row ever points
at nothing. The other way round is harmless: a file without a row is found by `verify_store`.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint, Document, ImportRun, ReportJob, StagedUpload
from app.services.filecheck import CheckedFile, check_file
from app.services.storage import (
    DamagedFileError,
    MissingFileError,
    Store,
    StoreError,
    delete_after_commit,
    new_key,
)
from app.sop.errors import FileRefusedError, NotFoundError, RefusedError
from app.sop.text import N_

__all__ = [
    "MESSAGES",
    "Limits",
    "StoreFinding",
    "StoreReport",
    "attach_staged",
    "claim_staged",
    "delete_after_commit",
    "discard_staged",
    "purge_staged",
    "stage_upload",
    "verify_store",
]

logger = logging.getLogger(__name__)

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "upload_expired": N_("A chosen file is no longer there. Choose it again."),
    "too_many_files": N_("A case holds at most %(max_files)s files."),
    "too_many_uploads": N_(
        "You have uploaded very many files without saving a case. Save or discard some first."
    ),
    "storage_unavailable": N_(
        "The file could not be stored. Try again; if it stays so, tell the administrator."
    ),
}

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,43}")
_DAY: Final = timedelta(days=1)

Stage = Literal["requirement", "draft", "signed", "proof"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the panel takes in. Bytes, pixels, pages and counts; all inclusive."""

    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 40_000_000
    max_pages: int = 200
    max_files_per_case: int = 40
    #: Files of one user in the last day that belong to no case yet, and their bytes together.
    max_staged_per_user_day: int = 300
    max_staged_bytes_per_user_day: int = 500 * 1024 * 1024


DEFAULT_LIMITS: Final = Limits()


def check_upload(filename: str, data: bytes, limits: Limits = DEFAULT_LIMITS) -> CheckedFile:
    """Look into a file, which may take a second, before any transaction is open.

    Raises:
        FileRefusedError: the file is not one the office takes (see `filecheck.MESSAGES`).
    """
    return check_file(
        data,
        filename,
        max_bytes=limits.max_bytes,
        max_pixels=limits.max_pixels,
        max_pages=limits.max_pages,
    )


def stage_upload(
    session: Session,
    store: Store,
    *,
    user_id: int,
    filename: str,
    data: bytes,
    limits: Limits = DEFAULT_LIMITS,
    now: datetime,
    checked: CheckedFile | None = None,
) -> StagedUpload:
    """Check a file and keep it for its uploader until a form takes it; flushes, never commits.

    `checked` is the answer of `check_upload` when the caller has looked into it already.
    The file is durably in the store before its row is flushed. When the transaction is rolled
    back afterwards, the file stays behind as an orphan that `verify_store` reports.

    Raises:
        FileRefusedError: the file is not one the office takes (see `filecheck.MESSAGES`), the
            user has piled up too much, or the store failed.
    """
    _check_pile(session, user_id, len(data), limits, now)
    if checked is None:
        checked = check_upload(filename, data, limits)
    key = new_key()
    try:
        store.put(key, checked.data)
    except StoreError as error:
        logger.exception("an upload could not be stored")
        raise FileRefusedError("storage_unavailable") from error
    staged = StagedUpload(
        token=secrets.token_urlsafe(32),
        user_id=user_id,
        uploaded_at=now,
        storage_key=key,
        original_name=checked.safe_name,
        media_type=checked.media_type,
        size=len(checked.data),
        sha256=hashlib.sha256(checked.data).hexdigest(),
        pages=checked.pages,
    )
    session.add(staged)
    session.flush()
    return staged


def claim_staged(session: Session, tokens: Iterable[str], user_id: int) -> list[StagedUpload]:
    """The uploads a form names, in its order and each once; only the uploader's own are found.

    Raises:
        RefusedError: `upload_expired`, the same for unknown, foreign and used tokens.
    """
    wanted = list(dict.fromkeys(tokens))
    if not wanted:
        return []
    if len(wanted) > DEFAULT_LIMITS.max_staged_per_user_day or not all(map(_is_token, wanted)):
        raise RefusedError("upload_expired")
    rows = session.scalars(
        select(StagedUpload).where(StagedUpload.token.in_(wanted), StagedUpload.user_id == user_id)
    )
    found = {row.token: row for row in rows}
    if len(found) != len(wanted):
        raise RefusedError("upload_expired")
    return [found[token] for token in wanted]


def attach_staged(
    session: Session,
    staged: StagedUpload,
    *,
    complaint: Complaint,
    stage: Stage,
    kind_id: int | None = None,
    output_id: int | None = None,
    user_id: int,
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
) -> Document:
    """Hand a staged upload over to a case as a document of its present round; flushes.

    The row moves, the file stays where it is. Attaching the same upload to the same case a
    second time gives the document of the first.

    Raises:
        RefusedError: `upload_expired` (someone else's, or taken by another case) or
            `too_many_files`.
        NotFoundError: `output_id` is no paper of this case.
    """
    if staged.user_id != user_id:
        raise RefusedError("upload_expired")
    session.add(complaint)
    session.flush()
    facts = {
        name: getattr(staged, name)
        for name in ("storage_key", "original_name", "media_type", "size", "sha256", "pages")
    }
    if output_id is not None:
        output = session.get(CaseOutput, output_id)
        if output is None or output.complaint_id != complaint.id:
            raise NotFoundError("output", output_id)
    if _count_files(session, complaint) >= limits.max_files_per_case:
        document = _attached_before(session, facts["storage_key"], complaint)
        if document is None:
            raise RefusedError("too_many_files", max_files=limits.max_files_per_case)
        return document
    # Two forms may hold the same token: whoever deletes the row owns the file, the other waits
    # for that and then finds the document.
    taken = session.scalars(
        delete(StagedUpload)
        .where(StagedUpload.token == staged.token, StagedUpload.user_id == user_id)
        .returning(StagedUpload.token)
    ).all()
    if not taken:
        document = _attached_before(session, facts["storage_key"], complaint)
        if document is None:
            raise RefusedError("upload_expired")
        return document
    document = Document(
        public_id=secrets.token_urlsafe(16),
        complaint=complaint,
        kind_id=kind_id,
        output_id=output_id,
        stage=stage,
        round=complaint.round,
        uploaded_at=now,
        uploaded_by_id=user_id,
        **facts,
    )
    session.add(document)
    session.flush()
    return document


def discard_staged(session: Session, token: str, user_id: int) -> str:
    """Drop an upload of one's own; the storage key comes back, for `delete_after_commit`.

    Raises:
        RefusedError: `upload_expired`, as in `claim_staged`.
    """
    if not _is_token(token):
        raise RefusedError("upload_expired")
    key = session.scalars(
        delete(StagedUpload)
        .where(StagedUpload.token == token, StagedUpload.user_id == user_id)
        .returning(StagedUpload.storage_key)
    ).one_or_none()
    if key is None:
        raise RefusedError("upload_expired")
    return key


def purge_staged(session: Session, older_than: datetime) -> list[str]:
    """Drop the uploads nobody came back for; the keys are for `delete_after_commit`.

    One statement, so an upload that is being attached at this moment is left to its case.
    """
    return list(
        session.scalars(
            delete(StagedUpload)
            .where(StagedUpload.uploaded_at < older_than)
            .returning(StagedUpload.storage_key)
        )
    )


@dataclass(frozen=True, slots=True)
class StoreFinding:
    """One thing wrong with the files: a row (or none, for an orphan) and the key."""

    storage_key: str
    table: Literal["document", "staged_upload", "import_run", ""] = ""
    #: `Document.public_id`, "" otherwise (a token is a secret of its uploader).
    public_id: str = ""


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What `verify_store` saw; `ok` when every row has its unchanged file."""

    checked: int
    missing: tuple[StoreFinding, ...]
    changed: tuple[StoreFinding, ...]
    #: Files without a row: an upload rolled back, or one in flight. They harm nothing.
    orphans: tuple[StoreFinding, ...]

    @property
    def ok(self) -> bool:
        """True when no document is lost or changed; orphans do not count."""
        return not self.missing and not self.changed


def verify_store(
    session: Session, store: Store, *, orphans_before: datetime | None = None
) -> StoreReport:
    """Compare every row with its file by sha256, and every file with the rows.

    Reads every file once. Run it while nobody uploads, or pass `orphans_before` (aware UTC, say
    an hour ago) so that a file whose row is about to be committed is not called an orphan.

    Raises:
        StoreError: the store cannot be listed or read at all.
    """
    # Files first: a file put while the rows are read must not look like an orphan.
    items = [i for i in store.items() if orphans_before is None or i.modified < orphans_before]
    known: set[str] = set()
    missing: list[StoreFinding] = []
    changed: list[StoreFinding] = []
    for finding, sha256 in _rows_with_files(session):
        known.add(finding.storage_key)
        try:
            data = store.get(finding.storage_key)
        except (MissingFileError, ValueError):
            missing.append(finding)
            continue
        except DamagedFileError:
            changed.append(finding)
            continue
        if hashlib.sha256(data).hexdigest() != sha256:
            changed.append(finding)
    # A report can be made again, so nobody misses its file; but it is no orphan either.
    reports = set(session.scalars(select(ReportJob.file_key)))
    orphans = (StoreFinding(item.key) for item in items if item.key not in known | reports)
    return StoreReport(len(known), tuple(missing), tuple(changed), tuple(orphans))


def _rows_with_files(session: Session) -> Iterable[tuple[StoreFinding, str]]:
    documents = select(Document.storage_key, Document.public_id, Document.sha256)
    for key, public_id, sha256 in session.execute(documents.order_by(Document.id)):
        if not key.startswith("erased-"):  # its retention ended
            yield StoreFinding(key, "document", public_id), sha256
    for key, sha256 in session.execute(select(StagedUpload.storage_key, StagedUpload.sha256)):
        yield StoreFinding(key, "staged_upload"), sha256
    waiting = select(ImportRun.storage_key, ImportRun.sha256)
    for waiting_key, sha256 in session.execute(waiting.where(ImportRun.storage_key.is_not(None))):
        yield StoreFinding(waiting_key or "", "import_run"), sha256


def _is_token(token: str) -> bool:
    return _TOKEN.fullmatch(token) is not None


def _check_pile(session: Session, user_id: int, size: int, limits: Limits, now: datetime) -> None:
    count, total = session.execute(
        select(func.count(), func.coalesce(func.sum(StagedUpload.size), 0)).where(
            StagedUpload.user_id == user_id, StagedUpload.uploaded_at > now - _DAY
        )
    ).one()
    if (
        count >= limits.max_staged_per_user_day
        or total + size > limits.max_staged_bytes_per_user_day
    ):
        raise FileRefusedError("too_many_uploads")


def _count_files(session: Session, complaint: Complaint) -> int:
    """The present files; earlier versions have a limit of their own."""
    query = (
        select(func.count())
        .select_from(Document)
        .where(Document.complaint_id == complaint.id, Document.replaced_at.is_(None))
    )
    return session.scalar(query) or 0


def _attached_before(session: Session, key: str, complaint: Complaint) -> Document | None:
    query = select(Document).where(
        Document.storage_key == key, Document.complaint_id == complaint.id
    )
    return session.scalars(query).one_or_none()
