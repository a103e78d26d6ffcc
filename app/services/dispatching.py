"""Sending the paper to the applicant and following it (SOP step 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.models import Complaint, Courier, Dispatch, Document
from app.services.actor import Actor
from app.services.complaints import claim, log_event
from app.services.transitions import Office
from app.services.visibility import ensure_visible
from app.sop.errors import RefusedError, WrongStepError

STATUSES: Final = ("sent", "delivered", "returned")


@dataclass(frozen=True)
class Parcel:
    """What the officer writes on the parcel and reads on the courier's receipt."""

    courier_id: int
    tracking_number: str
    recipient: str
    address: str
    phone: str = ""
    service: str = ""
    cost: int | None = None


def clean_tracking_number(text: str) -> str:
    """As couriers print it: no blanks or dashes, capitals."""
    return re.sub(r"[\s-]+", "", text).upper()


def fits_hint(courier: Courier, tracking_number: str) -> bool:
    """Whether a number looks like this courier's; formats overlap, so this only ever warns."""
    if not courier.hint_regex:
        return True
    try:
        return re.fullmatch(courier.hint_regex, tracking_number) is not None
    except re.error:
        return True


def create_dispatch(
    session: Session,
    office: Office,
    complaint: Complaint,
    parcel: Parcel,
    proof: Document | None,
    actor: Actor,
    *,
    now: datetime,
    expected_version: int | None = None,
) -> Dispatch:
    """Record a parcel; without proof of dispatch there is none (SOP step 6, output).

    Raises:
        RefusedError: no proof, or the courier's tracking number belongs to another parcel.
        WrongStepError: somebody changed or moved the case meanwhile.
    """
    ensure_visible(actor, complaint)
    if proof is None or proof.complaint_id != complaint.id or proof.stage != "proof":
        raise RefusedError("proof_missing")
    number = clean_tracking_number(parcel.tracking_number)
    taken = session.scalars(
        select(Dispatch).where(
            Dispatch.courier_id == parcel.courier_id, Dispatch.tracking_number == number
        )
    ).first()
    if taken is not None:
        raise RefusedError("tracking_number_taken", number=number, case=taken.complaint.number)
    claim(session, office, complaint, expected_version)
    dispatch = Dispatch(
        complaint_id=complaint.id,
        round=complaint.round,
        courier_id=parcel.courier_id,
        service=parcel.service.strip(),
        tracking_number=number,
        recipient=parcel.recipient.strip(),
        address=parcel.address.strip(),
        phone=parcel.phone,
        cost=parcel.cost,
        sent_at=now,
        sent_by_id=actor.id,
        proof_id=proof.id,
    )
    session.add(dispatch)
    session.flush()
    return dispatch


def set_status(
    session: Session,
    dispatch: Dispatch,
    status: str,
    actor: Actor,
    *,
    now: datetime,
    expected_version: int,
    delivered_at: datetime | None = None,
    received_by: str = "",
    relation: str = "",
    return_reason: str = "",
) -> None:
    """Say what became of a parcel: delivered to whom, or returned why.

    Raises:
        NotAllowedError: the actor may not edit dispatch records.
        RefusedError: an unknown status, or its facts are missing.
        WrongStepError: somebody else changed it meanwhile.
    """
    actor.require("can_edit", "Dispatch")
    ensure_visible(actor, dispatch.complaint)
    if status not in STATUSES:
        raise RefusedError("dispatch_status_unknown", status=status)
    if status == "delivered" and not received_by.strip():
        raise RefusedError("recipient_missing")
    if status == "returned" and not return_reason.strip():
        raise RefusedError("return_reason_missing")
    if delivered_at is not None and not dispatch.sent_at <= delivered_at <= now:
        raise RefusedError("delivered_at_impossible")
    result = session.execute(
        update(Dispatch)
        .where(Dispatch.id == dispatch.id, Dispatch.version == expected_version)
        .values(
            version=expected_version + 1,
            status=status,
            delivered_at=(delivered_at or now) if status == "delivered" else None,
            received_by=received_by.strip() if status == "delivered" else "",
            relation=relation.strip() if status == "delivered" else "",
            return_reason=return_reason.strip() if status == "returned" else "",
        )
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    session.expire(dispatch)
    if result.rowcount != 1:
        error = WrongStepError(who="", at=now, step="")
        error.code = "record_changed"
        raise error
    log_event(
        session,
        dispatch.complaint,
        f"parcel_{status}",
        actor,
        now,
        reason=return_reason.strip(),
        details={"tracking_number": dispatch.tracking_number},
    )
    session.flush()
