"""The letter that says: your paper is being made, it waits for a blank card."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.models import BlankStock, BlankWait, CaseOutput, DocumentKind, Signatory
from app.services.calendar import OFFICE_ZONE
from app.services.casefile import CaseFile
from app.services.facts import printed_well
from app.services.papers.frame import BLANK, Printing, applicant, case_head, frame, open_file
from app.services.papers.words import CAPACITIES, breakable, day
from app.sop.errors import RefusedError


def processing_letter(session: Session, printing: Printing, pk: int) -> dict[str, Any]:
    """A certificate that papers of the case are in process while no blank cards are left.

    Raises:
        NotAllowedError, NotFoundError: as for the receipt.
        RefusedError: no paper of the case waits for a card.
    """
    file = open_file(session, printing, pk)
    case = file.complaint
    waiting = papers_without_card(session, file)
    if not waiting:
        raise RefusedError("paper_nothing_waits")
    today = printing.now.astimezone(OFFICE_ZONE).date()
    return {
        **frame(session, printing),
        **case_head(case),
        "applicant": applicant(case, in_full=True),
        "papers": [
            {
                "label": output.kind.label_id,
                "blank": blank.label_id,
                "since": day(wait.since) if wait else "",
            }
            for output, blank, wait in waiting
        ],
        "signatory": signatory(session, today),
    }


def papers_without_card(
    session: Session, file: CaseFile
) -> list[tuple[CaseOutput, BlankStock, BlankWait | None]]:
    """The unprinted papers of this round that are on the waiting list or whose cards are gone."""
    on_cards = [
        output
        for output in file.current_outputs
        if output.kind.blank_id is not None and not printed_well(output)
    ]
    if not on_cards:
        return []
    rows = session.execute(
        select(CaseOutput.id, BlankStock, BlankWait)
        .join(DocumentKind, DocumentKind.id == CaseOutput.kind_id)
        .join(BlankStock, BlankStock.id == DocumentKind.blank_id)
        .outerjoin(BlankWait, (BlankWait.output_id == CaseOutput.id) & BlankWait.ended_at.is_(None))
        .where(
            CaseOutput.id.in_([output.id for output in on_cards]),
            or_(BlankStock.balance <= 0, BlankWait.id.is_not(None)),
        )
    ).all()
    found = {row[0]: (row[1], row[2]) for row in rows}
    return [(output, *found[output.id]) for output in on_cards if output.id in found]


def signatory(session: Session, today: date) -> dict[str, str]:
    """Who signs for the office today; an acting head stands in for the one he acts for.

    Lines to write on where nobody is named.
    """
    row = session.scalars(
        select(Signatory)
        .where(
            Signatory.valid_from <= today,
            or_(Signatory.valid_to.is_(None), Signatory.valid_to >= today),
        )
        .order_by((Signatory.capacity == "definitif").asc(), Signatory.valid_from.desc())
        .limit(1)
    ).first()
    if row is None:
        return {"title": "Kepala Dinas", "name": "", "rank": "", "nip": BLANK}
    return {
        "title": CAPACITIES[row.capacity] + row.position.strip(),
        "name": breakable(row.name.strip()),
        "rank": row.rank.strip(),
        "nip": row.nip.strip() or BLANK,
    }
