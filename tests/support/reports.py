"""An office of bare rows for reports, and reports read back from their files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from python_calamine import CalamineWorkbook
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Category, Channel, Complaint, Pause, Region, StepRun, User
from app.services.statistics import rebuild

WIB: Final = ZoneInfo("Asia/Jakarta")
STEPS: Final = ("intake", "siak_check", "certification", "signing", "printing", "dispatch")
ENDS: Final = ("done", "resolved", "withdrawn")
#: Half an hour before a Thursday of the office.
BEGIN: Final = datetime(2026, 1, 28, 16, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """What was written down of one case."""

    number: str
    received: datetime
    closed: datetime | None
    end: str
    channel: int
    category: int
    kecamatan: str | None
    class_due: date
    confidential: bool
    runs: tuple[tuple[str, datetime, int], ...]
    returned: datetime | None

    @property
    def day(self) -> date:
        """The office's day of receipt."""
        return self.received.astimezone(WIB).date()


def fill_office(
    session: Session, seed: int, count: int = 60, *, first: int = 1, days: int = 70
) -> list[Case]:
    """Cases near the edges of months and days, with runs, returns and pauses; roll-up rebuilt."""
    random = Random(seed)
    channels = session.scalars(select(Channel.id).order_by(Channel.id).limit(3)).all()
    categories = session.scalars(select(Category.id).order_by(Category.id).limit(3)).all()
    named = select(Region.code).where(Region.kind == "kecamatan").order_by(Region.code).limit(2)
    places = [None, *session.scalars(named)]
    user = session.scalars(select(User.id).limit(1)).one()
    found = []
    for number in range(first, first + count):
        received = BEGIN + timedelta(minutes=random.randrange(60 * 24 * days))
        closed = (
            received + timedelta(hours=random.randrange(1, 900)) if random.random() < 0.6 else None
        )
        end = random.choice(ENDS) if closed else random.choice((*STEPS, "returned"))
        case = Case(
            f"PGD-2026-{number:06d}", received, closed, end,
            random.choice(channels), random.choice(categories), random.choice(places),
            received.date() + timedelta(days=random.randrange(1, 40)),
            random.random() < 0.2,
            _runs(random, received),
            received + timedelta(hours=5) if random.random() < 0.4 else None,
        )  # fmt: skip
        found.append(case)
    _write(session, first, found, user)
    session.execute(
        insert(Pause).values(
            step_key="siak_check", reason="siak_down", note="",
            from_at=datetime(2026, 2, 10, 2, tzinfo=UTC), to_at=datetime(2026, 2, 10, 4, tzinfo=UTC),
        )
    )  # fmt: skip
    session.flush()
    rebuild(session)
    session.commit()
    return found


def _runs(random: Random, received: datetime) -> tuple[tuple[str, datetime, int], ...]:
    at, found = received, []
    for step in STEPS[: random.randrange(1, 7)]:
        at += timedelta(minutes=random.randrange(1, 60 * 30))
        found.append((step, at, random.randrange(5_000)))
    return tuple(found)


def _write(session: Session, first: int, cases: Sequence[Case], user: int) -> None:
    numbered = list(enumerate(cases, start=first))
    for table_, rows in (
        (Complaint, [_complaint(number, case) for number, case in numbered]),
        (StepRun, [run for number, case in numbered for run in _finished(number, case, user)]),
        (CaseEvent, [_return(number, case) for number, case in numbered if case.returned]),
    ):
        if rows:
            session.execute(insert(table_), rows)


def _complaint(number: int, case: Case) -> dict[str, Any]:
    return {
        "id": number, "number": case.number,
        "received_at": case.received, "registered_at": case.received,
        "applicant_name": f"Pemohon {number}", "nik": f"33250112039{number:05d}", "text": "x",
        "step_key": case.end, "step_since": case.received, "closed_at": case.closed,
        "completeness_due": case.received.date() + timedelta(days=14),
        "decision_due": case.received.date() + timedelta(days=60), "class_due": case.class_due,
        "channel_id": case.channel, "category_id": case.category,
        "kecamatan_code": case.kecamatan, "confidential": case.confidential,
    }  # fmt: skip


def _finished(number: int, case: Case, user: int) -> list[dict[str, Any]]:
    return [
        {
            "complaint_id": number, "step_key": step, "entered_at": case.received,
            "started_at": case.received, "finished_at": at, "work_seconds": work,
            "wait_seconds": work * 3, "standard_minutes": 15,
            "started_by_id": user, "finished_by_id": user,
        }
        for step, at, work in case.runs
    ]  # fmt: skip


def _return(number: int, case: Case) -> dict[str, Any]:
    return {
        "complaint_id": number, "kind": "moved", "at": case.returned, "version": 2, "details": {},
        "transition": "request_completion", "from_step": "intake", "to_step": "returned",
    }  # fmt: skip


def sheets(data: bytes) -> dict[str, list[list[Any]]]:
    """The worksheets of a workbook by name, read by a program that is not ours."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return {
        name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for name in book.sheet_names
    }


def table(rows: Sequence[Sequence[Any]], title: str) -> list[list[Any]]:
    """The rows of the table below a title, without its heading, up to the empty line."""
    start = next(at for at, row in enumerate(rows) if row and row[0] == title)
    found = []
    for row in rows[start + 2 :]:
        if not any(cell != "" for cell in row):
            break
        found.append(list(row))
    return found


def lines(data: bytes, delimiter: str = ";") -> list[list[str]]:
    """The lines of a CSV file with their heading."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=delimiter))
