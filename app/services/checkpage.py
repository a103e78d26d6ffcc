"""What the public may know of a case or a paper: a step, a date, whether a paper is ours.

Whoever holds a receipt (number and PIN) or a paper (its QR code) asks without signing in, so
nothing here names a person, an address or a number of anybody's: confidential cases answer as
all others do. A number that does not exist and a PIN that does not fit get the same answer by the
same statements, and the PIN is compared in constant time.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql.base import ExecutableOption

from app.models import CaseOutput, Complaint, Document, PrintRun
from app.services.complaints import NUMBER_PREFIX
from app.services.facts import printed_well
from app.sop.definition import Sop, Step
from app.sop.errors import NotFoundError
from app.sop.text import N_, Text

#: Digits of a PIN (`new_check_pin`).
PIN_DIGITS: Final = 6
_NUMBER: Final = re.compile(rf"{NUMBER_PREFIX}[\s./-]*(\d{{4}})[\s./-]*(\d{{1,6}})", re.IGNORECASE)
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{16,24}")
#: Compared with when there is no such case, so that both refusals take the same time.
_NO_PIN: Final = "-" * PIN_DIGITS

#: Step -> what it means to the applicant; a step that is not here shows its own label.
STEP_WORDS: Final[Mapping[str, str]] = {
    "intake": N_("We have received your complaint and are looking through your papers."),
    "siak_check": N_("Your papers are complete. We are comparing them with the population data."),
    "certification": N_("Your data are in order. The document is being prepared."),
    "signing": N_("The document is waiting for its electronic signature."),
    "printing": N_("The document is signed and is being printed."),
    "dispatch": N_("The document is printed and is being made ready for dispatch."),
    "returned": N_(
        "Something is missing or does not match. We have written to you what we need; please bring"
        " or send it."
    ),
    "done": N_("Your complaint is finished; the document is on its way or with you."),
    "resolved": N_("Your complaint is finished; no new document was needed."),
    "withdrawn": N_("This complaint was withdrawn and is closed."),
}

PaperState = Literal["in_work", "signed", "printed", "replaced", "withdrawn"]


@dataclass(frozen=True)
class PaperAnswer:
    """Whether a paper is one of ours; `at` is when it was signed, printed or withdrawn."""

    case_number: str
    kind: Text
    state: PaperState
    at: datetime | None = None
    #: Since when an earlier print of the same paper does not count any more.
    renewed_at: datetime | None = None

    @property
    def ours(self) -> bool:
        """True for a paper that the office issued and that still counts."""
        return self.state in ("signed", "printed")


@dataclass(frozen=True)
class CaseAnswer:
    """Where a case stands, in the applicant's words."""

    number: str
    label: Text
    words: str
    since: datetime
    received_at: datetime
    tone: Literal["info", "warn", "ok"]
    position: int | None
    steps: int
    papers: tuple[PaperAnswer, ...]


def normal_number(text: str) -> str:
    """A case number as it is kept: capitals, dashes, leading zeros; other text stays as it is.

    Unprintable letters go: a database takes no null byte, and its refusal would be another answer.
    """
    text = "".join(letter for letter in text if letter.isprintable()).strip()
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text[:20]
    return f"{NUMBER_PREFIX}-{found[1]}-{found[2]:0>6}"


def check_case(session: Session, sop: Sop, number: str, pin: str) -> CaseAnswer | None:
    """Where the case stands, for who knows its number and its PIN; None when they do not fit.

    Until the PIN has been found right, a number that exists and one that does not run the same
    statement and the same comparison.
    """
    row = session.execute(
        select(Complaint.id, Complaint.check_pin).where(Complaint.number == normal_number(number))
    ).first()
    kept = (row.check_pin if row is not None else "") or _NO_PIN
    given = pin.strip().encode("utf-8", "replace")[:64]
    fits = hmac.compare_digest(kept.encode(), given)
    if row is None or not fits or kept == _NO_PIN:
        return None
    complaint = session.get(Complaint, row.id)
    return _case(session, sop, complaint) if complaint is not None else None


def check_paper(session: Session, code: str) -> PaperAnswer | None:
    """Whether the paper with this QR code is one of ours; None for a code that is not."""
    if not _CODE.fullmatch(code):
        return None
    output = session.scalars(
        select(CaseOutput).where(CaseOutput.check_code == code).options(*_facts())
    ).one_or_none()
    return _paper(session, output) if output is not None else None


def _case(session: Session, sop: Sop, complaint: Complaint) -> CaseAnswer:
    outputs = session.scalars(
        select(CaseOutput)
        .where(CaseOutput.complaint_id == complaint.id, CaseOutput.round == complaint.round)
        .where(CaseOutput.dropped_at.is_(None))
        .options(*_facts())
        .order_by(CaseOutput.id)
    )
    path = [step.key for step in sop.steps if step.clock]
    key = complaint.step_key
    step = _step(sop, key)
    label = step.label if step else Text(id=key, en=key)
    return CaseAnswer(
        number=complaint.number,
        label=label,
        words=STEP_WORDS.get(key, ""),
        since=complaint.step_since,
        received_at=complaint.received_at,
        tone=_tone(step),
        position=path.index(key) + 1 if key in path else None,
        steps=len(path),
        papers=tuple(_paper(session, output) for output in outputs),
    )


def _step(sop: Sop, key: str) -> Step | None:
    try:
        return sop.step(key)
    except NotFoundError:
        return None


def _tone(step: Step | None) -> Literal["info", "warn", "ok"]:
    if step is None or step.clock:
        return "info"
    return "warn" if step.kind == "waiting" else "ok"


def _facts() -> tuple[ExecutableOption, ...]:
    """Only what the answer is made of: nobody's name leaves the database."""
    return (
        selectinload(CaseOutput.complaint).load_only(Complaint.number, Complaint.round),
        selectinload(CaseOutput.documents).load_only(
            Document.stage,
            Document.uploaded_at,
            Document.revision,
            Document.replaced_at,
            Document.signature_state,
        ),
        selectinload(CaseOutput.prints).load_only(PrintRun.result, PrintRun.printed_at),
    )


def _paper(session: Session, output: CaseOutput) -> PaperAnswer:
    """What one paper is; the latest signed file counts, the ones before it do not."""
    number, kind = output.complaint.number, output.kind.label
    if output.dropped_at is not None:
        return PaperAnswer(number, kind, "withdrawn", output.dropped_at)
    later = _later_paper(session, output)
    if later is not None:
        return PaperAnswer(number, kind, "replaced", later)
    signed = [
        document
        for document in output.documents
        if document.stage == "signed"
        and document.replaced_at is None
        and document.signature_state in (None, "trusted", "unknown_issuer")
    ]
    if signed:
        present = signed[-1]
        renewed = present.uploaded_at if present.revision > 1 else None
        return PaperAnswer(number, kind, "signed", _signed_at(present), renewed)
    if not output.kind.needs_signature and printed_well(output):
        return PaperAnswer(number, kind, "printed", output.prints[-1].printed_at)
    return PaperAnswer(number, kind, "in_work")


def _signed_at(document: Document) -> datetime:
    """When it was signed as the signature says, else when the signed file came in."""
    times = [found.signed_at for found in document.signatures if found.signed_at is not None]
    return max(times) if times else document.uploaded_at


def _later_paper(session: Session, output: CaseOutput) -> datetime | None:
    """When the case, reopened since, named a paper of the same kind anew."""
    if output.round >= output.complaint.round:
        return None
    return session.scalars(
        select(CaseOutput.named_at)
        .where(
            CaseOutput.complaint_id == output.complaint_id,
            CaseOutput.kind_id == output.kind_id,
            CaseOutput.round > output.round,
            CaseOutput.dropped_at.is_(None),
        )
        .order_by(CaseOutput.id.desc())
        .limit(1)
    ).first()
