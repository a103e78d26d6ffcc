"""Erasing what an office need not keep: files and personal data go, the history of work stays.

What stays is what the statistics count: number, channel, category, kecamatan, steps, times, officers,
which kinds of papers failed. Names, numbers, addresses, texts, reasons, notes, messages and files
go, and with them what they were found by (law 27/2022, art. 16 and 43).
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.orm import Session

from app.models import (
    ArchivedPause,
    CaseEvent,
    CaseOutput,
    CaseWord,
    Complaint,
    Dispatch,
    Document,
    Message,
    NameWord,
    Office,
    Pause,
    RequirementCheck,
    SiakCheck,
    StepRun,
)
from app.services.audit import record
from app.services.calendar import OFFICE_ZONE
from app.services.guarding import claim_version
from app.services.statistics.counting import RETURNED
from app.services.storage import Store, delete_after_commit
from app.sop.errors import RefusedError
from app.sop.text import N_
from app.sop.words import name_words

BATCH: Final = 100
#: What stands in the place of the key of a file that was erased; no key of the store begins so.
GONE: Final = "erased-"
MESSAGES: Final[dict[str, str]] = {
    "case_erased": N_("The data of this case were erased when their retention ended."),
    "case_open": N_("Case %(number)s is not finished; its data are still needed."),
}


def months_kept(session: Session) -> int | None:
    """For how many months after its end the data of a case are kept; None: for ever."""
    return session.scalar(select(Office.retention_months).limit(1))


def cutoff(now: datetime, months: int) -> datetime:
    """The moment so many calendar months ago, at the office's midnight."""
    local = now.astimezone(OFFICE_ZONE)
    count = local.year * 12 + local.month - 1 - months
    year, month = divmod(count, 12)
    day = min(local.day, _days_of(year, month + 1))
    return local.replace(
        year=year, month=month + 1, day=day, hour=0, minute=0, second=0, microsecond=0
    )


def erase_due(
    session: Session, store: Store, now: datetime, commit: Callable[[], None]
) -> Iterator[int]:
    """Erase what the office's setting says, some cases in each transaction; interrupted, it goes on.

    Yields how many cases each batch held.
    """
    months = months_kept(session)
    if months is None:
        return
    before = cutoff(now, months)
    due = (
        select(Complaint)
        .where(
            Complaint.closed_at.is_not(None),
            Complaint.closed_at < before,
            Complaint.erased_at.is_(None),
        )
        .order_by(Complaint.closed_at)
        .limit(BATCH)
    )
    while cases := session.scalars(due).all():
        done = sum(erase(session, store, case, now, why="retention") for case in cases)
        commit()
        if not done:  # each of them was changed at this moment; another time, then
            return
        yield done


def erase(
    session: Session,
    store: Store,
    complaint: Complaint,
    now: datetime,
    *,
    why: str,
    actor_id: int | None = None,
    reason: str = "",
) -> bool:
    """Erase the data of one finished case; flushes. False: somebody changed it at this moment.

    Files leave the store after the commit.

    Raises:
        RefusedError: the case is not finished.
    """
    if complaint.closed_at is None:
        raise RefusedError("case_open", number=complaint.number)
    if not claim_version(session, complaint):
        return False
    key, number, words = complaint.id, complaint.number, set(name_words(complaint.applicant_name))
    for name in ("applicant_name", "nik", "kk_number", "phone", "email", "address", "handle"):
        setattr(complaint, name, "")
    complaint.external_ticket = complaint.text = complaint.answer = complaint.sex = ""
    complaint.birth_date = complaint.region_code = None
    complaint.erased_at = now
    session.flush()
    # A word that no other name holds would say that there was somebody of that name.
    held = exists().where(CaseWord.word == NameWord.word)
    session.execute(
        delete(NameWord)
        .where(NameWord.word.in_(words), ~held)
        .execution_options(synchronize_session=False)
    )
    of_case: Any
    for model, values in _BLANKED:
        of_case = model.complaint_id == key
        _write(session, model, of_case, values)
    runs = select(StepRun.id).where(StepRun.complaint_id == key)
    _write(session, Pause, Pause.step_run_id.in_(runs), {"note": ""})
    open_states = Message.state.in_(("queued", "offered", "failed", "unclear"))
    _write(session, Message, (Message.complaint_id == key) & open_states, {"state": "cancelled"})
    events = session.execute(
        select(CaseEvent.id, CaseEvent.details).where(CaseEvent.complaint_id == key)
    ).all()
    for event_id, details in events:
        if (kept := _counted(details)) != details:
            _write(session, CaseEvent, CaseEvent.id == event_id, {"details": kept})
    _erase_files(session, store, key)
    record(
        session,
        "personal_data_erased",
        actor_id=actor_id,
        subject=f"complaint:{number}",
        detail={"why": why, **({"reason": reason} if reason else {})},
        at=now,
    )
    session.expire_all()
    return True


#: What goes with a case, table by table.
_BLANKED: Final[tuple[tuple[Any, dict[str, Any]], ...]] = (
    (RequirementCheck, {"note": ""}),
    (SiakCheck, {"note": "", "draft_reference": ""}),
    (StepRun, {"reason": ""}),
    (ArchivedPause, {"note": ""}),
    (CaseEvent, {"reason": ""}),
    (CaseOutput, {"reference": ""}),
    (
        Dispatch,
        {
            "recipient": "", "address": "", "phone": "", "received_by": "", "relation": "",
            "return_reason": "", "news": "",
        },
    ),
    (
        Message,
        {
            "recipient": "", "recipient_digest": None, "subject": "", "body": "", "error": "",
            "error_params": {}, "next_at": None,
        },
    ),
)  # fmt: skip


def _counted(details: Mapping[str, Any]) -> dict[str, Any]:
    """What the statistics read of a history: which kinds of papers failed, which data differed."""
    if RETURNED in details:
        return {RETURNED: details[RETURNED]}
    kept: dict[str, Any] = {}
    items = [item for item in details.get("items") or () if isinstance(item, Mapping)]
    if items:
        kept["items"] = [
            {name: item[name] for name in ("label", "state") if name in item} for item in items
        ]
    if isinstance(details.get("differences"), list):
        kept["differences"] = [
            word for word in details["differences"] if isinstance(word, str) and word.isidentifier()
        ]
    return kept


def _erase_files(session: Session, store: Store, complaint_id: int) -> None:
    """The files go; their rows stay, because signatures, parcels and prints refer to them."""
    rows = session.execute(
        select(Document.id, Document.storage_key).where(Document.complaint_id == complaint_id)
    ).all()
    for document_id, _key in rows:
        values = {"storage_key": f"{GONE}{document_id}", "original_name": "-"}
        _write(session, Document, Document.id == document_id, values)
    keys = [key for _id, key in rows if not key.startswith(GONE)]
    delete_after_commit(session, store, keys)


def _write(session: Session, model: Any, where: ColumnElement[bool], values: Any) -> None:
    session.execute(
        update(model).where(where).values(**values).execution_options(synchronize_session=False)
    )


def _days_of(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]
