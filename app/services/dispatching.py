"""Sending the paper to the applicant and following it (SOP step 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models import Complaint, Courier, Dispatch, Document
from app.services.actor import Actor
from app.services.complaints import claim, log_event
from app.services.facts import current_dispatch
from app.services.messages.compose import queue_messages
from app.services.statistics import Fact, note
from app.services.statistics.facts import dims_of, parcel_facts
from app.services.transitions import Office
from app.services.visibility import ensure_visible
from app.sop.definition import Sop, Transition
from app.sop.errors import NotAllowedError, NotFoundError, RefusedError, WrongStepError
from app.sop.text import N_

STATUSES: Final = ("sent", "delivered", "returned")
#: The guard by which the SOP says that a transition sends a parcel.
SENDING_GUARD: Final = "dispatch_with_proof"
#: A case number in the place of a tracking number: the same label was scanned twice.
_CASE_NUMBER: Final = re.compile(r"PGD\d{10}")

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "tracking_number_taken_elsewhere": N_(
        "Tracking number %(number)s already belongs to another parcel."
    ),
    "tracking_number_is_case": N_(
        "%(number)s is the number of a case. Scan the number on the courier's receipt."
    ),
    "proof_used": N_("This proof belongs to an earlier parcel; each parcel has its own."),
    "parcel_not_returned": N_(
        "Only a parcel that came back is sent again, and only while its case was not reopened."
    ),
    "parcel_sent_again": N_(
        "This parcel came back and was sent again as %(number)s; say what became of that one."
    ),
    "returned_at_impossible": N_("It came back before it was sent, or in the future."),
    "news_missing": N_("Write what the courier's page says."),
    "parcel_settled": N_("This parcel has arrived or come back already."),
}


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


def sending_moves(sop: Sop) -> list[Transition]:
    """The transitions that send a parcel, wherever the SOP file has put them."""
    return [move for move in sop.transitions if SENDING_GUARD in move.guards]


def may_send(sop: Sop, actor: Actor) -> bool:
    """Whether an officer may send parcels at all."""
    return actor.can_any(move.permission for move in sending_moves(sop))


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
    good_proof, number = _check(session, complaint, parcel, proof, actor)
    claim(session, office, complaint, expected_version)
    return _add(session, complaint, parcel, number, good_proof, actor, now, attempt=1)


def send_again(
    session: Session,
    office: Office,
    earlier: Dispatch,
    parcel: Parcel,
    proof: Document | None,
    actor: Actor,
    *,
    now: datetime,
    expected_version: int | None = None,
) -> Dispatch:
    """Send what came back once more: the same case stays finished, the parcel is a second record.

    Raises:
        NotAllowedError: the actor may not send parcels.
        RefusedError: it did not come back, or as `create_dispatch`.
        WrongStepError: somebody was faster.
    """
    complaint = earlier.complaint
    ensure_visible(actor, complaint)
    if not may_send(office.sop, actor):
        raise NotAllowedError("send")
    latest = current_dispatch(session, complaint)
    if latest is None or latest.id != earlier.id or latest.status != "returned":
        raise RefusedError("parcel_not_returned")
    good_proof, number = _check(session, complaint, parcel, proof, actor)
    claim(session, office, complaint, expected_version)
    # Its row is locked too: nobody says meanwhile that the first parcel did arrive.
    _write(session, earlier, earlier.version, now, status="returned")
    attempt = earlier.attempt + 1
    again = _add(session, complaint, parcel, number, good_proof, actor, now, attempt=attempt)
    log_event(
        session,
        complaint,
        "parcel_sent_again",
        actor,
        now,
        reason=earlier.return_reason,
        details={"tracking_number": number, "attempt": attempt},
    )
    session.flush()
    # The number that the applicant was told belongs to the parcel that came back.
    queue_messages(session, complaint, "finished", actor, now, reach=office.reach, again=attempt)
    return again


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
    old_card_taken: bool | None = None,
    returned_at: datetime | None = None,
    return_reason: str = "",
) -> None:
    """Say what became of a parcel: delivered to whom, or returned why.

    Raises:
        NotAllowedError: the actor may not edit dispatch records.
        RefusedError: an unknown status, its facts are missing, or it was sent again since.
        WrongStepError: somebody else changed it meanwhile.
    """
    actor.require("can_edit", "Dispatch")
    ensure_visible(actor, dispatch.complaint)
    if status not in STATUSES:
        raise RefusedError("dispatch_status_unknown", status=status)
    counted = _facts(dispatch)
    delivered, returned = status == "delivered", status == "returned"
    if delivered and not received_by.strip():
        raise RefusedError("recipient_missing")
    if returned and not return_reason.strip():
        raise RefusedError("return_reason_missing")
    if delivered_at is not None and not dispatch.sent_at <= delivered_at <= now:
        raise RefusedError("delivered_at_impossible")
    if returned and returned_at is not None and not dispatch.sent_at <= returned_at <= now:
        raise RefusedError("returned_at_impossible")
    if not returned and (later := _successor(session, dispatch)):
        raise RefusedError("parcel_sent_again", number=later)
    _write(
        session,
        dispatch,
        expected_version,
        now,
        status=status,
        delivered_at=(delivered_at or now) if delivered else None,
        received_by=received_by.strip() if delivered else "",
        relation=relation.strip() if delivered else "",
        old_card_taken=old_card_taken if delivered else None,
        returned_at=(returned_at or now) if returned else None,
        return_reason=return_reason.strip() if returned else "",
    )
    note(session, counted, -1)
    note(session, _facts(dispatch))
    log_event(
        session,
        dispatch.complaint,
        f"parcel_{status}",
        actor,
        now,
        reason=return_reason.strip() if returned else "",
        details={"tracking_number": dispatch.tracking_number},
    )
    session.flush()


def note_news(
    session: Session,
    dispatch: Dispatch,
    news: str,
    actor: Actor,
    *,
    now: datetime,
    expected_version: int,
) -> None:
    """Keep what the courier's page says of a parcel under way, so that it is not quiet any more.

    Raises:
        NotAllowedError: the actor may not edit dispatch records.
        RefusedError: no news, or the parcel is not under way any more.
        WrongStepError: somebody else changed it meanwhile.
    """
    actor.require("can_edit", "Dispatch")
    ensure_visible(actor, dispatch.complaint)
    if not news.strip():
        raise RefusedError("news_missing")
    if dispatch.status != "sent":
        raise RefusedError("parcel_settled")
    _write(session, dispatch, expected_version, now, news=news.strip(), news_at=now)
    log_event(
        session,
        dispatch.complaint,
        "parcel_news",
        actor,
        now,
        reason=news.strip(),
        details={"tracking_number": dispatch.tracking_number},
    )
    session.flush()


def _check(
    session: Session, complaint: Complaint, parcel: Parcel, proof: Document | None, actor: Actor
) -> tuple[Document, str]:
    """The proof and the cleaned number, when both may belong to a new parcel of this case."""
    if proof is None or proof.complaint_id != complaint.id or proof.stage != "proof":
        raise RefusedError("proof_missing")
    number = clean_tracking_number(parcel.tracking_number)
    if _CASE_NUMBER.fullmatch(number):
        raise RefusedError("tracking_number_is_case", number=parcel.tracking_number.strip())
    same_number = (Dispatch.courier_id == parcel.courier_id) & (Dispatch.tracking_number == number)
    rows = session.scalars(
        select(Dispatch).where(or_(same_number, Dispatch.proof_id == proof.id))
    ).all()
    for row in rows:
        if row.courier_id == parcel.courier_id and row.tracking_number == number:
            raise _taken(row, actor)
    if rows:
        raise RefusedError("proof_used")
    return proof, number


def _taken(other: Dispatch, actor: Actor) -> RefusedError:
    """The refusal of a number that is in use; it names the case only to who may know of it."""
    number = other.tracking_number
    try:
        ensure_visible(actor, other.complaint)
    except NotFoundError:
        return RefusedError("tracking_number_taken_elsewhere", number=number)
    return RefusedError("tracking_number_taken", number=number, case=other.complaint.number)


def find_taken(
    session: Session, courier_id: int, tracking_number: str, actor: Actor
) -> RefusedError | None:
    """The refusal that a tracking number would meet, while it is still being typed."""
    other = session.scalars(
        select(Dispatch).where(
            Dispatch.courier_id == courier_id, Dispatch.tracking_number == tracking_number
        )
    ).one_or_none()
    return None if other is None else _taken(other, actor)


def _add(
    session: Session,
    complaint: Complaint,
    parcel: Parcel,
    number: str,
    proof: Document,
    actor: Actor,
    now: datetime,
    *,
    attempt: int,
) -> Dispatch:
    dispatch = Dispatch(
        complaint_id=complaint.id,
        round=complaint.round,
        attempt=attempt,
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
    try:
        with session.begin_nested():
            session.add(dispatch)
    except IntegrityError:  # a colleague typed the same number at the same moment
        if (taken := find_taken(session, parcel.courier_id, number, actor)) is None:
            raise
        raise taken from None
    note(session, _facts(dispatch))
    return dispatch


def _facts(dispatch: Dispatch) -> list[Fact]:
    """What the numbers say of a parcel now."""
    return list(
        parcel_facts(
            dims_of(dispatch.complaint),
            dispatch.courier_id,
            dispatch.sent_at,
            dispatch.status,
            dispatch.delivered_at,
        )
    )


def _write(
    session: Session, dispatch: Dispatch, expected: int, now: datetime, **values: object
) -> None:
    """Write the next version of a parcel; of two officers exactly one does."""
    session.flush()
    result = session.execute(
        update(Dispatch)
        .where(Dispatch.id == dispatch.id, Dispatch.version == expected)
        .values(version=expected + 1, **values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    session.expire(dispatch)
    if result.rowcount != 1:
        error = WrongStepError(who="", at=now, step="")
        error.code = "record_changed"
        raise error


def _successor(session: Session, dispatch: Dispatch) -> str | None:
    """The tracking number under which the same papers were sent once more."""
    return session.scalars(
        select(Dispatch.tracking_number)
        .where(
            Dispatch.complaint_id == dispatch.complaint_id,
            Dispatch.round == dispatch.round,
            Dispatch.attempt > dispatch.attempt,
        )
        .order_by(Dispatch.attempt.desc())
        .limit(1)
    ).first()
