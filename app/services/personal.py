"""One person's data: found by the NIK, handed out as a whole, erased at his request.

Law 27/2022, art. 7 (access and copy) and art. 8 (erasure).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.datakeys import ring
from app.models import CaseEvent, Complaint, Dispatch, Document, Message
from app.services.audit import record

_FACTS = (
    "number", "received_at", "applicant_name", "nik", "kk_number", "birth_date", "sex", "phone",
    "email", "address", "handle", "external_ticket", "text", "answer", "step_key", "closed_at",
)  # fmt: skip


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
