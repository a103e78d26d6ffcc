"""One person's data: found by whole numbers, handed out as a whole, erased at his request.

Law 27/2022, art. 7 (access and copy) and art. 8 (erasure).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.datakeys import ring
from app.models import CaseEvent, Complaint, Dispatch, Document, Message
from app.services.actor import Actor
from app.services.audit import record
from app.services.retention import GONE, erase
from app.services.revealing import LEAST, MOST
from app.services.storage import Store
from app.services.visibility import visible_cases
from app.sop.errors import RefusedError
from app.sop.text import N_

_FACTS = (
    "number", "received_at", "applicant_name", "nik", "kk_number", "birth_date", "sex", "phone",
    "email", "address", "handle", "external_ticket", "text", "answer", "step_key", "closed_at",
)  # fmt: skip


#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "person_number": N_("Write a whole NIK or KK number (16 digits) or a telephone number."),
    "person_reason": N_("Write in a few words on whose request, and by which letter."),
    "person_nothing": N_("Choose at least one case."),
    "person_unsure": N_("Confirm that these data are to be erased for good."),
    "person_kept": N_("None of the chosen cases can be erased."),
}
By = Literal["nik", "kk", "phone"]
#: More cases of one number than any person has; those of an office's own telephone, perhaps.
MOST_CASES: Final = 100
VIEW: Final = "PersonData"


@dataclass(frozen=True)
class Plan:
    """What erasing a case would take, or why it stays."""

    case: Complaint
    files: int
    messages: int
    parcels: int
    #: "open": not finished, still needed. "erased": done already. "": can go.
    why_not: Literal["", "open", "erased"]


def find_person(
    session: Session, actor: Actor, typed: str, *, told: bool = True
) -> tuple[Sequence[Complaint], set[By]]:
    """The cases of a whole number that the officer may know of, and by what they were found.

    A KK number and a telephone are shared by several people: who asks has to choose among them.
    `told` to the log without the number; the caller commits.

    Raises:
        NotAllowedError: not his to look for.
        RefusedError: not a whole number.
    """
    _require(actor, "can_show")
    wanted = _whole_numbers(typed)
    if not wanted:
        raise RefusedError("person_number")
    columns = {
        "nik": Complaint.nik_digest, "kk": Complaint.kk_digest, "phone": Complaint.phone_digest,
    }  # fmt: skip
    found: dict[int, Complaint] = {}
    by: set[By] = set()
    for what, number in wanted.items():
        column: Any = columns[what]
        digests = ring().digests(column.type.purpose, [number])
        rows = session.scalars(
            select(Complaint)
            .where(column.in_(digests), visible_cases(actor))
            .order_by(Complaint.id)
            .limit(MOST_CASES)
        ).all()
        if rows:
            by.add(what)
        found |= {row.id: row for row in rows}
    if told:
        record(
            session,
            "personal_data_searched",
            actor_id=actor.id,
            detail={"by": ",".join(sorted(wanted)), "cases": len(found)},
        )
    return [found[key] for key in sorted(found)][:MOST_CASES], by


def _whole_numbers(typed: str) -> dict[By, str]:
    text = re.sub(r"[\s.-]+", "", typed)
    if re.fullmatch(r"[0-9]{16}", text):
        return {"nik": text, "kk": text}
    if re.fullmatch(r"(\+?62|0)8[0-9]{7,11}|0[2-79][0-9]{7,10}", text):
        return {"phone": text}
    return {}


def erasure_plan(session: Session, cases: Sequence[Complaint]) -> list[Plan]:
    """What erasing some cases would take, case by case."""
    keys = [case.id for case in cases]

    def counted(model: Any, *conditions: Any) -> dict[int, int]:
        rows = session.execute(
            select(model.complaint_id, func.count())
            .where(model.complaint_id.in_(keys), *conditions)
            .group_by(model.complaint_id)
        )
        return {row[0]: row[1] for row in rows}

    files = counted(Document, Document.storage_key.not_like(f"{GONE}%"))
    messages, parcels = counted(Message), counted(Dispatch)
    return [
        Plan(
            case,
            files.get(case.id, 0),
            messages.get(case.id, 0),
            parcels.get(case.id, 0),
            "erased" if case.erased_at is not None else "open" if case.closed_at is None else "",
        )
        for case in cases
    ]


def export_chosen(
    session: Session, actor: Actor, cases: Sequence[Complaint], reason: str
) -> dict[str, Any]:
    """All that the panel keeps in some cases of a person; logged, the caller commits.

    Raises:
        NotAllowedError: not his to hand out.
        RefusedError: nothing was chosen, or no reason given.
    """
    _require(actor, "can_export")
    words = _reason(cases, reason)
    kept = [_case(session, case) for case in cases]
    for case in cases:
        record(
            session,
            "personal_data_exported",
            actor_id=actor.id,
            subject=f"complaint:{case.number}",
            detail={"reason": words},
        )
    return {"cases": kept}


def erase_chosen(
    session: Session,
    store: Store,
    actor: Actor,
    cases: Sequence[Complaint],
    reason: str,
    now: datetime,
    *,
    sure: bool,
) -> tuple[int, int]:
    """Erase what may be erased of some cases of a person; the caller commits.

    Returns how many were erased, and how many somebody changed at this very moment.

    Raises:
        NotAllowedError: not his to erase.
        RefusedError: nothing was chosen, no reason, not confirmed, or nothing that may go.
    """
    _require(actor, "can_erase")
    words = _reason(cases, reason)
    if not sure:
        raise RefusedError("person_unsure")
    ready = [case for case in cases if case.closed_at is not None and case.erased_at is None]
    if not ready:
        raise RefusedError("person_kept")
    keys = [case.id for case in ready]
    if session.connection().dialect.name == "sqlite":
        # Names and texts stand in clear: what is freed is overwritten at once, not some day.
        session.connection().exec_driver_sql("PRAGMA secure_delete = ON")
    done = 0
    for key in keys:
        case = session.get_one(Complaint, key)
        done += erase(session, store, case, now, why="request", actor_id=actor.id, reason=words)
    return done, len(keys) - done


def _require(actor: Actor, permission: str) -> None:
    """Only for who may also see the data in full.

    Raises:
        NotAllowedError: he may not.
    """
    actor.require(permission, VIEW)
    actor.require("see_personal")
    actor.require("can_reveal")


def _reason(cases: Collection[Complaint], reason: str) -> str:
    words = " ".join(reason.split())
    if not cases:
        raise RefusedError("person_nothing")
    if sum(letter.isalnum() for letter in words) < LEAST:
        raise RefusedError("person_reason")
    return words[:MOST]


def cases_of(session: Session, nik: str) -> Sequence[Complaint]:
    """Every case of a person, the oldest first."""
    found = Complaint.nik_digest.in_(ring().digests("nik", [nik]))
    return session.scalars(select(Complaint).where(found).order_by(Complaint.id)).all()


def export_person(session: Session, nik: str, actor_id: int | None) -> dict[str, Any]:
    """All that the panel keeps of a person, ready for JSON; logged, the caller commits."""
    cases = [_case(session, case) for case in cases_of(session, nik)]
    record(
        session,
        "personal_data_exported",
        actor_id=actor_id,
        detail={"cases": ", ".join(str(case["number"]) for case in cases)[:180]},
    )
    return {"cases": cases}


def _case(session: Session, case: Complaint) -> dict[str, Any]:
    def rows(model: Any, *names: str) -> list[dict[str, Any]]:
        items = session.scalars(
            select(model).where(model.complaint_id == case.id).order_by(model.id)
        )
        return [{name: _plain(getattr(item, name)) for name in names} for item in items]

    return {
        **{name: _plain(getattr(case, name)) for name in _FACTS},
        "parcels": rows(
            Dispatch, "tracking_number", "recipient", "address", "phone", "sent_at", "status",
            "delivered_at", "received_by", "relation",
        ),
        "messages": rows(Message, "way", "recipient", "subject", "body", "state", "sent_at"),
        "files": rows(
            Document, "original_name", "media_type", "size", "sha256", "stage", "uploaded_at"
        ),
        "history": rows(CaseEvent, "at", "kind", "transition", "reason", "details"),
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
