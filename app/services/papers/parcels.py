"""Papers of the dispatch desk: address labels, and the list that the courier signs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.models import Complaint, Courier, Dispatch
from app.services.calendar import OFFICE_ZONE
from app.services.papers.codes import barcode_svg
from app.services.papers.frame import Printing, address_lines, frame
from app.services.papers.words import breakable, in_words, long_day
from app.services.visibility import visible_cases
from app.sop.errors import NotFoundError, RefusedError
from app.sop.identity import normalise_phone

#: One roll of labels at once, one page of signatures at the end of a list.
MOST_LABELS: Final = 100
MOST_PARCELS: Final = 500


def labels(session: Session, printing: Printing, ids: Sequence[int]) -> dict[str, Any]:
    """A label for each case, in the order given: for its latest parcel, else for the applicant.

    Raises:
        NotAllowedError: the officer may not print papers or see personal data.
        NotFoundError: one of the cases is not there for him.
        RefusedError: none, or more than `MOST_LABELS`.
    """
    printing.require()
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise RefusedError("paper_no_label")
    if len(wanted) > MOST_LABELS:
        raise RefusedError("batch_too_large", most=MOST_LABELS)
    latest = (
        select(func.max(Dispatch.id))
        .where(Dispatch.complaint_id.in_(wanted))
        .group_by(Dispatch.complaint_id)
    )
    rows = session.execute(
        select(Complaint, Dispatch)
        .outerjoin(
            Dispatch,
            and_(
                Dispatch.complaint_id == Complaint.id,
                Dispatch.round == Complaint.round,
                Dispatch.id.in_(latest),
            ),
        )
        .where(Complaint.id.in_(wanted), visible_cases(printing.actor))
        .options(
            joinedload(Complaint.kecamatan),
            joinedload(Complaint.region),
            joinedload(Dispatch.courier, innerjoin=False),
        )
    ).all()
    found = {case.id: (case, parcel) for case, parcel in rows}
    if missing := [pk for pk in wanted if pk not in found]:
        raise NotFoundError("complaint", missing[0])
    return {
        **frame(session, printing),
        "labels": [_label(*found[pk]) for pk in wanted],
    }


def manifest(session: Session, printing: Printing, courier_id: int, on: date) -> dict[str, Any]:
    """The parcels given to a courier on one day of the office, to be signed by both sides.

    Raises:
        NotAllowedError: the officer may not print papers or see personal data.
        NotFoundError: there is no such courier.
        RefusedError: no parcel, or more than `MOST_PARCELS`.
    """
    printing.require()
    courier = session.get(Courier, courier_id)
    if courier is None:
        raise NotFoundError("courier", courier_id)
    begins = datetime.combine(on, time(), OFFICE_ZONE).astimezone(UTC)
    parcels = session.scalars(
        select(Dispatch)
        .join(Dispatch.complaint)
        .where(
            Dispatch.courier_id == courier_id,
            Dispatch.sent_at >= begins,
            Dispatch.sent_at < begins + timedelta(days=1),
            visible_cases(printing.actor),
        )
        .options(contains_eager(Dispatch.complaint).joinedload(Complaint.kecamatan))
        .order_by(Dispatch.sent_at, Dispatch.id)
        .limit(MOST_PARCELS + 1)
    ).all()
    if not parcels:
        raise RefusedError("paper_no_parcels", courier=courier.name)
    if len(parcels) > MOST_PARCELS:
        raise RefusedError("paper_too_many_parcels", count=f"> {MOST_PARCELS}", most=MOST_PARCELS)
    return {
        **frame(session, printing),
        "courier": courier.name,
        "day": long_day(on),
        "parcels": [
            {
                "case": parcel.complaint.number,
                "tracking": breakable(parcel.tracking_number, 20),
                "service": breakable(parcel.service, 14),
                "recipient": breakable(parcel.recipient, 20),
                # Where it goes is enough for the courier's signature; the label has the address.
                "goes_to": _town(parcel.complaint),
            }
            for parcel in parcels
        ],
        "count": len(parcels),
        "count_in_words": in_words(len(parcels)),
    }


def _label(case: Complaint, parcel: Dispatch | None) -> dict[str, Any]:
    """One label; what was written down when the parcel was sent comes before the case's facts.

    A parcel that came back says nothing about the next one: perhaps its address was wrong.
    """
    if parcel is not None and parcel.status == "returned":
        parcel = None
    lines = address_lines(case)
    if parcel is not None and parcel.address.strip():
        # Written down in full at the desk; the village and kecamatan of the case may not fit it.
        lines = [" ".join(parcel.address.split())]
    place = case.region or case.kecamatan
    return {
        "number": case.number,
        "barcode": barcode_svg(case.number),
        "name": breakable((parcel.recipient if parcel else case.applicant_name).strip()),
        "phone": normalise_phone((parcel.phone if parcel else "") or case.phone),
        "address": [breakable(line) for line in lines],
        "postal_code": place.postal_code if place is not None and parcel is None else "",
        "courier": breakable(f"{parcel.courier.name} {parcel.service}".strip()) if parcel else "",
        "tracking": parcel.tracking_number if parcel else "",
    }


def _town(case: Complaint) -> str:
    return f"Kec. {case.kecamatan.name}" if case.kecamatan is not None else ""
