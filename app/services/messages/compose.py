"""Writing a message in the transaction of what it tells about, at most once for an occasion.

An e-mail goes into the outbox when the office has a mail server and the case an address; a
WhatsApp message is offered to an officer when the case has a mobile number.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel.dates import format_date
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Complaint, Message, MessageText, Office
from app.services.actor import Actor
from app.services.calendar import OFFICE_ZONE
from app.services.facts import ANSWER_DAYS, current_checks, current_dispatch, current_siak
from app.services.messages.texts import fill
from app.sop.identity import normalise_phone

#: The columns' own bounds.
MAX_SUBJECT: Final = 200
_MOBILE: Final = re.compile(r"08[1-9][0-9]{6,10}")


@dataclass(frozen=True)
class Reach:
    """How this installation reaches applicants, as far as its settings say."""

    #: The panel's address on the internet; without one no message names the check page.
    public_url: str = ""
    #: Whether there is a mail server.
    email: bool = False


def reach_of(settings: Mapping[str, Any]) -> Reach:
    """What the settings say (`PUBLIC_URL`, `SMTP_HOST`)."""
    return Reach(str(settings["PUBLIC_URL"]), bool(settings["SMTP_HOST"]))


def queue_messages(
    session: Session,
    complaint: Complaint,
    occasion: str,
    actor: Actor,
    now: datetime,
    *,
    reach: Reach,
    reason: str = "",
    again: int = 0,
) -> list[Message]:
    """Write what the applicant is told at an occasion; flushes, the caller commits.

    Asked a second time for the same occasion of the same round it writes nothing: the key of a
    message follows from both, so not even two transactions at once can. A second parcel of a
    round is told about under the number of its attempt (`again`).
    """
    ways = _ways(complaint, reach)
    texts = {
        text.way: text
        for text in session.scalars(
            select(MessageText).where(
                MessageText.occasion == occasion,
                MessageText.active.is_(True),
                MessageText.way.in_(ways),
            )
        )
    }
    keys = {way: message_key(complaint, occasion, way, again) for way in texts}
    if not keys:
        return []
    known = select(Message.public_id).where(Message.public_id.in_(keys.values()))
    written = set(session.scalars(known))
    wanted = [way for way in ways if way in keys and keys[way] not in written]
    if not wanted:
        return []
    values = placeholder_values(session, complaint, occasion, now, reach=reach, reason=reason)
    made: list[Message] = []
    for way in wanted:
        body = fill(texts[way].body, values)
        if not body:  # every line spoke of something that is not there
            continue
        subject = " ".join(fill(texts[way].subject, values).split()) or complaint.number
        message = Message(
            public_id=keys[way],
            complaint_id=complaint.id,
            occasion=occasion,
            way=way,
            recipient=ways[way],
            subject=subject[:MAX_SUBJECT] if way == "email" else "",
            body=body,
            state="queued" if way == "email" else "offered",
            next_at=now if way == "email" else None,
            created_at=now,
            created_by_id=actor.id,
        )
        session.add(message)
        made.append(message)
    session.flush()
    return made


def message_key(complaint: Complaint, occasion: str, way: str, again: int = 0) -> str:
    """The one key of a way of an occasion of a round; the Message-ID of the e-mail."""
    text = f"{complaint.number}/{complaint.round}/{occasion}/{way}/{again}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def mobile_number(phone: str) -> str:
    """A mobile number as WhatsApp's links want it (`62812…`); "" for any other."""
    number = normalise_phone(phone)
    return f"62{number[1:]}" if _MOBILE.fullmatch(number) else ""


def placeholder_values(
    session: Session,
    complaint: Complaint,
    occasion: str,
    now: datetime,
    *,
    reach: Reach,
    reason: str = "",
) -> dict[str, str]:
    """What stands for each placeholder in a message of this case, in Indonesian."""
    office = session.scalars(select(Office).order_by(Office.id).limit(1)).first()
    values = {
        "nama": _line(complaint.applicant_name),
        "nomor": complaint.number,
        "tanggal": _day(complaint.received_at),
        "jenis": complaint.category.label_id,
        "kantor": _line(office.name) if office else "",
        "telepon": _line(office.phone) if office else "",
        "pin": complaint.check_pin,
        "alamat_cek": f"{reach.public_url}/check/" if reach.public_url else "",
    }
    if occasion == "returned":
        values |= {
            "kekurangan": _lacking(session, complaint),
            "alasan": reason.strip(),
            "batas": _day(now + ANSWER_DAYS),
        }
    elif occasion == "finished":
        parcel = current_dispatch(session, complaint)
        values |= {
            "kurir": _line(parcel.courier.name) if parcel else "",
            "resi": parcel.tracking_number if parcel else "",
            "halaman_kurir": parcel.courier.tracking_link if parcel else "",
        }
    elif occasion == "answered":
        values["jawaban"] = complaint.answer.strip()
    return values


def _ways(complaint: Complaint, reach: Reach) -> dict[str, str]:
    """The ways that can reach this applicant, each with its address."""
    ways: dict[str, str] = {}
    if reach.email and complaint.email.strip():
        ways["email"] = complaint.email.strip()
    if number := mobile_number(complaint.phone):
        ways["whatsapp"] = number
    return ways


def _lacking(session: Session, complaint: Complaint) -> str:
    """The itemised list: papers that are missing or unreadable, and data that differ in SIAK."""
    words = _words()
    items = [
        f"{check.kind.label_id}: {words['states'][check.state]}"
        + (f" ({_line(check.note)})" if check.note else "")
        for check in current_checks(session, complaint)
        if check.state in words["states"]
    ]
    siak = current_siak(session, complaint)
    if siak is not None and siak.result == "mismatch":
        for word in siak.differences:
            label = words["data"].get(word, _line(word))
            items.append(words["phrases"]["differs"].replace("{data}", label))
    return "\n".join(f"{number}. {item}" for number, item in enumerate(items, start=1))


@cache
def _words() -> dict[str, dict[str, str]]:
    """The program's own words in messages; a file of the program, not of the office."""
    path = Path(__file__).with_name("words.toml")
    found: dict[str, dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return found


def _line(text: str) -> str:
    """A value on one line: it can end no header and begin no paragraph of its own."""
    return " ".join(text.split())


def _day(moment: datetime) -> str:
    return format_date(moment.astimezone(OFFICE_ZONE).date(), "d MMMM y", locale="id")
