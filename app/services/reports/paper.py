"""The recapitulation as a paper of the office: letterhead, period, signature block."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Category, Channel, Region
from app.models import Office as OfficeRow
from app.services.calendar import OFFICE_ZONE
from app.services.papers.frame import BLANK, letterhead
from app.services.papers.letters import signatory
from app.services.papers.words import place_of
from app.services.reports.files import Frame, printed
from app.services.reports.tables import Speech, Table
from app.services.statistics import Scope
from app.sop.text import N_


def period_words(scope: Scope, speech: Speech) -> str:
    """`1 Oktober 2026 – 31 Oktober 2026`, or the one day."""
    first, last = speech.day(scope.first), speech.day(scope.last)
    return first if first == last else f"{first} – {last}"


def filter_words(session: Session, scope: Scope, speech: Speech) -> list[str]:
    """What the report is cut to, in words; nothing where it is about every case."""
    say = speech.say
    found: list[tuple[str, object]] = []
    if scope.channel_id is not None:
        found.append((say(N_("Channel")), session.get(Channel, scope.channel_id)))
    if scope.category_id is not None:
        found.append((say(N_("Category")), session.get(Category, scope.category_id)))
    if scope.kecamatan_code is not None:
        region = session.scalars(select(Region).where(Region.code == scope.kecamatan_code)).first()
        found.append((say(N_("Kecamatan")), region.name if region is not None else None))
    return [f"{label}: {name}" for label, name in found if name is not None]


def recap_paper(
    session: Session,
    scope: Scope,
    tables: Sequence[Table],
    speech: Speech,
    *,
    by: str,
    now: datetime,
    demo: bool,
) -> dict[str, Any]:
    """What the template of the recapitulation takes."""
    row = session.scalars(select(OfficeRow).order_by(OfficeRow.id)).first()
    say = speech.say
    return {
        "office": letterhead(row),
        "language": speech.language,
        "demo": demo,
        "title": say(N_("Recapitulation of complaints")),
        "period": period_words(scope, speech),
        "filters": filter_words(session, scope, speech),
        "tables": [printed(table, speech) for table in tables],
        "place": (place_of(row.government) if row else "") or BLANK,
        "date": speech.day(now.astimezone(OFFICE_ZONE).date()),
        "signatory": signatory(session, now.astimezone(OFFICE_ZONE).date()),
        "words": {
            "printed": say(N_("Made %(at)s by %(who)s"), at=speech.moment(now), who=by),
            "demo": say(N_("DEMO, not an official document")),
            "page": say(N_("page")),
            "of": say(N_("of")),
            "period": say(N_("Period")),
        },
    }


def recap_frame(data: dict[str, Any]) -> Frame:
    """The same around a worksheet."""
    office, signs = data["office"], data["signatory"]
    contact = " · ".join(
        part for part in (office["phone"], office["email"], office["website"]) if part
    )
    return Frame(
        letterhead=[
            office["government"].upper(),
            office["name"].upper(),
            office["address"],
            contact,
        ],
        title=data["title"],
        subtitle=[
            f"{data['words']['period']}: {data['period']}",
            *data["filters"],
            " · ".join(
                [data["words"]["printed"], *([data["words"]["demo"]] if data["demo"] else [])]
            ),
        ],
        signature=[
            f"{data['place']}, {data['date']}",
            f"{signs['title']},",
            "",
            "",
            "",
            signs["name"] or BLANK * 2,
            *([signs["rank"]] if signs["rank"] else []),
            f"NIP {signs['nip']}",
        ],
    )
