"""The same complaint twice: in one file, or in a file and in the office's books."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.datakeys import ring
from app.models import Complaint
from app.services.actor import Actor
from app.services.calendar import OFFICE_ZONE
from app.services.importing.columns import BY_KEY
from app.services.importing.rows import CellProblem, ImportedCase
from app.services.visibility import visible_cases
from app.sop.text import N_

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "import_row_twice": N_("This is the same complaint as row %(other)s: person, day and kind."),
    "import_known": N_("This complaint is registered already: %(number)s."),
    "import_known_hidden": N_("This complaint is registered already."),
}
_CHUNK: Final = 400

Same = tuple[str, date, int]


def _same(nik: str, name: str, received_at: datetime, category_id: int) -> Same:
    """What makes two rows one complaint: the person, the day and the kind."""
    who = nik or " ".join(name.casefold().split())
    return who, received_at.astimezone(OFFICE_ZONE).date(), category_id


def _same_of(case: ImportedCase) -> Same:
    data = case.data
    return _same(data.nik, data.applicant_name, data.received_at, data.category_id)


def repeated(
    session: Session, cases: Sequence[ImportedCase], actor: Actor
) -> Iterable[CellProblem]:
    """Rows that repeat a row above them or a complaint that is registered already."""
    first: dict[Same, ImportedCase] = {}
    for case in cases:
        key = _same_of(case)
        if key in first:
            other = {"other": first[key].row}
            yield CellProblem(case.row, BY_KEY["name"].heading, "import_row_twice", other)
        else:
            first[key] = case
    for key, number in _registered(session, list(first.values()), actor).items():
        if key in first:
            code = "import_known" if number else "import_known_hidden"
            params = {"number": number} if number else {}
            yield CellProblem(first[key].row, BY_KEY["name"].heading, code, params)


def _registered(session: Session, cases: Sequence[ImportedCase], actor: Actor) -> dict[Same, str]:
    """Complaints of these people; the number only where the officer may know of the case."""
    found: dict[Same, str] = {}
    for at in range(0, len(cases), _CHUNK):
        part = [case.data for case in cases[at : at + _CHUNK]]
        niks = {data.nik for data in part if data.nik}
        digests = ring().digests("nik", niks)
        # A register is often typed in capitals; the same name in small letters is the same person.
        names = {data.applicant_name.lower() for data in part if not data.nik}
        for nik, name, received_at, category_id, number, seen in session.execute(
            select(
                Complaint.nik,
                Complaint.applicant_name,
                Complaint.received_at,
                Complaint.category_id,
                Complaint.number,
                visible_cases(actor),
            ).where(
                or_(
                    Complaint.nik_digest.in_(digests),
                    func.lower(Complaint.applicant_name).in_(names),
                )
            )
        ):
            shown = number if seen else ""
            found[_same(nik, name, received_at, category_id)] = shown
            if name.lower() in names:
                found[_same("", name, received_at, category_id)] = shown
    return found
