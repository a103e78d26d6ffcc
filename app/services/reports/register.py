"""The register book: a line for each complaint received in the period, as offices keep it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, Dispatch, DocumentKind, RequirementCheck, SopStep
from app.services.reports.rows import Cell, Names, counted, in_pieces, load_names, received_in
from app.services.reports.tables import Speech
from app.services.statistics import Scope
from app.sop.definition import Sop
from app.sop.text import N_


@dataclass(frozen=True)
class Field:
    """A column of the book; `personal` ones are left out for who may not see whom it is about."""

    key: str
    label: str
    width: int = 16
    personal: bool = False


#: In the order of the paper book. What applicants and officers wrote freely may name anybody, and
#: a tracking number leads to an address: those are personal too.
FIELDS: Final = (
    Field("no", N_("Row no."), 7),
    Field("number", N_("Complaint number"), 18),
    Field("received", N_("Date and time"), 17),
    Field("channel", N_("Channel"), 16),
    Field("name", N_("Name"), 28, personal=True),
    Field("sex", N_("Sex"), 6, personal=True),
    Field("nik", N_("NIK"), 19, personal=True),
    Field("kk", N_("KK number"), 19, personal=True),
    Field("address", N_("Address"), 34, personal=True),
    Field("village", N_("Desa or kelurahan"), 20, personal=True),
    Field("kecamatan", N_("Kecamatan"), 18),
    Field("phone", N_("Phone"), 17, personal=True),
    Field("text", N_("Complaint text"), 50, personal=True),
    Field("category", N_("Category"), 34),
    Field("papers", N_("Papers handed in"), 40),
    Field("officer", N_("Registered by"), 22),
    Field("assigned", N_("Passed on to"), 28),
    Field("done", N_("Last action"), 32),
    Field("closed", N_("Finished on"), 14),
    Field("status", N_("Status"), 26),
    Field("tracking", N_("Tracking number"), 20, personal=True),
    Field("remark", N_("Remarks"), 40, personal=True),
)
_PAPERS: Final = {
    "present": N_("there"),
    "unreadable": N_("unreadable"),
    "missing": N_("missing"),
    "unchecked": N_("not checked"),
}


def fields(*, personal: bool) -> tuple[Field, ...]:
    """The columns that a reader gets."""
    return tuple(field for field in FIELDS if personal or not field.personal)


def count_register(session: Session, scope: Scope, *, confidential: bool) -> int:
    """How many lines the book has."""
    return counted(session, received_in(select(Complaint.id), scope, confidential=confidential))


def register_rows(
    session: Session,
    sop: Sop,
    scope: Scope,
    speech: Speech,
    *,
    personal: bool,
    confidential: bool,
) -> Iterator[list[list[Cell]]]:
    """The lines in the order of receipt, a piece at a time; four statements for each piece."""
    keys = [field.key for field in fields(personal=personal)]
    names, book = load_names(session), _Words(session, sop, speech)
    statement = received_in(select(*_COLUMNS), scope, confidential=confidential)
    number = 0
    for piece in in_pieces(session, statement.order_by(Complaint.received_at, Complaint.id)):
        ids = [row.id for row in piece]
        papers, events = book.papers(ids), book.last_events(ids)
        parcels = _tracking(session, ids) if personal else {}
        lines: list[list[Cell]] = []
        for row in piece:
            number += 1
            values = {
                **_plain(row, names, number),
                "papers": papers.get(row.id, ""),
                "assigned": book.assigned(row, names),
                "done": book.done(events.get(row.id)),
                "status": book.steps.get(row.step_key, row.step_key),
            }
            if personal:
                values |= _people(row, names)
                values["tracking"] = parcels.get(row.id, "")
                event = events.get(row.id)
                values["remark"] = row.answer or (event.reason if event is not None else "")
            lines.append([values[key] for key in keys])
        yield lines


_COLUMNS: Final = (
    Complaint.id, Complaint.number, Complaint.received_at, Complaint.channel_id,
    Complaint.applicant_name, Complaint.sex, Complaint.nik, Complaint.kk_number,
    Complaint.address, Complaint.region_code, Complaint.kecamatan_code, Complaint.phone,
    Complaint.text, Complaint.category_id, Complaint.registered_by_id, Complaint.assignee_id,
    Complaint.step_key, Complaint.closed_at, Complaint.answer,
)  # fmt: skip


def _plain(row: Any, names: Names, number: int) -> dict[str, Cell]:
    return {
        "no": number,
        "number": row.number,
        "received": row.received_at,
        "channel": names.channels.get(row.channel_id, ""),
        "kecamatan": names.regions.get(row.kecamatan_code or "", ""),
        "category": names.categories.get(row.category_id, ""),
        "officer": names.users.get(row.registered_by_id or 0, ""),
        "closed": row.closed_at,
    }


def _people(row: Any, names: Names) -> dict[str, Cell]:
    return {
        "name": row.applicant_name,
        "sex": row.sex,
        "nik": row.nik,
        "kk": row.kk_number,
        "address": row.address,
        "village": names.regions.get(row.region_code or "", ""),
        "phone": row.phone,
        "text": row.text,
    }


def _tracking(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """The tracking number of the last parcel of each case."""
    rows = session.execute(
        select(Dispatch.complaint_id, Dispatch.tracking_number)
        .where(Dispatch.complaint_id.in_(ids))
        .order_by(Dispatch.id)
    )
    return {row[0]: row[1] for row in rows}


class _Words:
    """The words of the book in the reader's language."""

    def __init__(self, session: Session, sop: Sop, speech: Speech) -> None:
        self.session, self.speech = session, speech
        lanes = {lane.key: str(lane.label) for lane in sop.lanes}
        rows = list(session.scalars(select(SopStep)))
        self.steps = {row.key: str(row) for row in rows}
        self.lanes = {row.key: lanes.get(row.actor, "") for row in rows if row.clock}
        self.moves = {move.key: str(move.label) for move in sop.transitions}
        self.kinds = {row.id: str(row) for row in session.scalars(select(DocumentKind))}
        self.states = {key: speech.say(words) for key, words in _PAPERS.items()}

    def papers(self, ids: Sequence[int]) -> dict[int, str]:
        """The completeness list of each case in one cell."""
        rows = self.session.execute(
            select(RequirementCheck.complaint_id, RequirementCheck.kind_id, RequirementCheck.state)
            .where(RequirementCheck.complaint_id.in_(ids))
            .order_by(RequirementCheck.position, RequirementCheck.id)
        )
        found: dict[int, list[str]] = {}
        for case, kind, state in rows:
            found.setdefault(case, []).append(f"{self.kinds.get(kind, '')} ({self.states[state]})")
        return {case: "; ".join(parts) for case, parts in found.items()}

    def last_events(self, ids: Sequence[int]) -> dict[int, Any]:
        """The last move of each case."""
        last = (
            select(func.max(CaseEvent.id))
            .where(CaseEvent.complaint_id.in_(ids), CaseEvent.kind == "moved")
            .group_by(CaseEvent.complaint_id)
        )
        rows = self.session.execute(
            select(CaseEvent.complaint_id, CaseEvent.transition, CaseEvent.at, CaseEvent.reason)
            .where(CaseEvent.id.in_(last))
        )  # fmt: skip
        return {row.complaint_id: row for row in rows}

    def assigned(self, row: Any, names: Names) -> str:
        """Whose lane the case is in, and who has it in hand."""
        holder = names.users.get(row.assignee_id or 0, "")
        parts = (self.lanes.get(row.step_key, ""), holder)
        return ": ".join(part for part in parts if part) if row.closed_at is None else ""

    def done(self, event: Any) -> str:
        """The last move of a case, and its day."""
        if event is None:
            return ""
        return f"{self.moves.get(event.transition, event.transition)} ({self.speech.day(event.at)})"
