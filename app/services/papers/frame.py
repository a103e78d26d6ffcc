"""What every paper says besides its own matter: who the office is, who printed it and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Complaint
from app.models import Office as OfficeRow
from app.services.actor import Actor
from app.services.calendar import OFFICE_ZONE
from app.services.casefile import CaseFile, load_case_file
from app.services.papers.codes import qr_svg
from app.services.papers.words import SEXES, breakable, day, moment, place_of
from app.sop.errors import NotFoundError
from app.sop.identity import mask, normalise_phone

#: What the papers say instead of what the office has not filled in: a line to write on.
BLANK = "……………………"


@dataclass(frozen=True)
class Printing:
    """One go at printing: by whom, when, where applicants look their case up, real or a demo."""

    actor: Actor
    now: datetime
    #: Address of the public check page, as an applicant types it.
    check_page: str = ""
    demo: bool = False

    def require(self) -> None:
        """Go on only for who may print papers and see whom they are about.

        Raises:
            NotAllowedError: he may not; a paper with a masked name would be no paper.
        """
        self.actor.require("can_print", "Paper")
        self.actor.require("see_personal")


def frame(session: Session, printing: Printing) -> dict[str, Any]:
    """The letterhead and the small print of a paper."""
    row = session.scalars(select(OfficeRow).order_by(OfficeRow.id)).first()
    return {
        "office": letterhead(row),
        "place": (place_of(row.government) if row else "") or BLANK,
        "date": day(printing.now),
        "year": str(printing.now.astimezone(OFFICE_ZONE).year),
        "printed": {"at": moment(printing.now), "by": printing.actor.name},
        "check_page": printing.check_page,
        "demo": printing.demo,
    }


def letterhead(row: OfficeRow | None) -> dict[str, str]:
    """The office as its letterhead says it; a dotted line where it has said nothing."""
    if row is None:
        blank = dict.fromkeys(("government", "name", "address", "phone"), BLANK)
        return {**blank, "unit": "", "email": "", "website": ""}
    return {
        "government": row.government.strip() or BLANK,
        "name": row.name.strip() or BLANK,
        "unit": row.unit.strip(),
        "address": row.address.strip() or BLANK,
        "phone": row.phone.strip() or BLANK,
        "email": row.email.strip(),
        "website": row.website.strip().removeprefix("https://").removeprefix("http://").rstrip("/"),
    }


def open_file(session: Session, printing: Printing, pk: int) -> CaseFile:
    """The case a paper is about, under the officer's row rule.

    Raises:
        NotAllowedError: he may not print papers, or not see personal data.
        NotFoundError: there is no such case for him.
    """
    printing.require()
    file = load_case_file(session, printing.actor, pk)
    if file is None:
        raise NotFoundError("complaint", pk)
    return file


def case_head(case: Complaint) -> dict[str, Any]:
    """What names a case on every paper about it; the QR code holds the bare number."""
    return {
        "number": case.number,
        "qr": qr_svg(case.number),
        "category": case.category.label_id,
        "channel": case.channel.label_id,
        "received": moment(case.received_at),
        "registered": moment(case.registered_at),
        "round": case.round,
    }


def applicant(case: Complaint, *, in_full: bool) -> dict[str, str]:
    """The applicant; his numbers masked on what may be lost on the way home."""
    nik, kk = case.nik, case.kk_number
    phone = normalise_phone(case.phone)
    if not in_full:
        nik, kk, phone = mask(nik, first=6, last=2), "", mask(phone, first=4, last=3)
    return {
        "name": breakable(case.applicant_name.strip()) or BLANK,
        "nik": nik,
        "kk": kk,
        "phone": phone,
        "email": breakable(case.email) if in_full else "",
        "sex": SEXES.get(case.sex, ""),
        "born": day(case.birth_date) if case.birth_date and in_full else "",
        "address": breakable(", ".join(address_lines(case))),
    }


def address_lines(case: Complaint) -> list[str]:
    """Street, village, kecamatan: as many lines as are known."""
    lines = [" ".join(case.address.split())]
    if case.region is not None:
        sort = {"desa": "Desa", "kelurahan": "Kelurahan"}.get(case.region.kind, "")
        lines.append(f"{sort} {case.region.name}".strip())
    if case.kecamatan is not None:
        lines.append(f"Kec. {case.kecamatan.name}")
    return [line for line in lines if line]


def user_name(names: Mapping[int, str], user_id: int | None) -> str:
    """The officer behind an id, nothing for nobody."""
    return names.get(user_id, "") if user_id is not None else ""
