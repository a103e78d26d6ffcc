"""Working copies of what applicants brought: each says across it who took it, when, of which case.

A signed paper and a draft are never marked: a signature dies of any change, and a draft is what
will be signed. See `docs/adr/0032`.
"""

from __future__ import annotations

import io
from typing import Final

from PIL import Image
from sqlalchemy.orm import Session

from app.models import Document
from app.services.actor import Actor
from app.services.audit import record
from app.services.decoding import DecodingError, decode
from app.services.marking import marked_picture
from app.services.previews import Preview
from app.services.revealing import LEAST, MOST
from app.services.visibility import ensure_visible
from app.sop.errors import RefusedError, SopError
from app.sop.text import N_

#: Papers about a person that come from outside and leave the office with nobody's leave.
MARKED_STAGES: Final = ("requirement", "proof")
KIND: Final = "file_original"
_QUALITY: Final = 88
#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "original_reason": N_("Write in a few words why a copy with a mark is not enough."),
    "copy_locked": N_(
        "This PDF is protected by a password, so no marked copy of it can be made. Ask the applicant"
        " for one without, or for the original by who may take it."
    ),
    "copy_failed": N_(
        "No marked copy of this file can be made: it is damaged or too large. Who may take originals"
        " can still open it."
    ),
    "copy_busy": N_("Too many copies are being made at this moment. Try again."),
}


class CopyError(SopError):
    """No working copy can be made of a file; the file itself is sound."""


def is_marked(document: Document) -> bool:
    """Whether officers get this file as a marked copy."""
    return document.stage in MARKED_STAGES and document.media_type in _JOBS


_JOBS: Final = {
    "application/pdf": ("mark_pdf",),
    "image/jpeg": ("mark_jpeg", _QUALITY),
    "image/png": ("mark_png",),
}


def marked_copy(data: bytes, media_type: str, words: str) -> bytes:
    """The file with `words` across every page; the work is done outside this process.

    Raises:
        CopyError: `copy_locked`, `copy_failed` or `copy_busy`.
    """
    told = _plain(words).encode()
    job, *numbers = _JOBS[media_type]
    try:
        return decode(job, len(told), *numbers, data=told + data)  # type: ignore[arg-type]
    except DecodingError as error:
        code = {"locked": "copy_locked", "busy": "copy_busy"}.get(error.why, "copy_failed")
        raise CopyError(code) from error


def marked_preview(preview: Preview, words: str) -> Preview:
    """A page that was drawn here, with `words` across it."""
    with Image.open(io.BytesIO(preview.data), formats=["PNG", "JPEG"]) as picture:
        sheet = marked_picture(picture, _plain(words))
    out = io.BytesIO()
    if preview.media_type == "image/png":
        sheet.save(out, "PNG", compress_level=1)
    else:
        sheet.save(out, "JPEG", quality=_QUALITY)
    return Preview(out.getvalue(), preview.media_type)


def note_original(session: Session, document: Document, actor: Actor, reason: str) -> None:
    """Log that an officer takes a file without a mark; the caller commits before he hands it out.

    Raises:
        NotAllowedError, NotFoundError: not his to take, or not his to know of.
        RefusedError: no reason.
    """
    actor.require("can_download", "Document")
    actor.require("can_original", "Document")
    ensure_visible(actor, document.complaint)
    words = " ".join(reason.split())
    if sum(letter.isalnum() for letter in words) < LEAST:
        raise RefusedError("original_reason")
    record(
        session,
        KIND,
        actor_id=actor.id,
        subject=f"document:{document.public_id}",
        detail={"case": document.complaint.number, "reason": words[:MOST]},
    )


def _plain(words: str) -> str:
    """One line of letters, not longer than a page is wide."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:160]
