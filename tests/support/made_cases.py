"""Made-up cases with their runs, returns and parcels, and an office that holds exactly those."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert
from sqlalchemy.orm import Session

from app.models import (
    CaseEvent,
    Complaint,
    Courier,
    Dispatch,
    Document,
    DocumentKind,
    StepRun,
    User,
)
from app.services.statistics import rebuild
from tests.support.chart_office import FIRST, STEPS, build

ENDS, PLACES = ("done", "withdrawn"), [None, "33.25.01", "33.25.02"]
MOVES = ("request_completion", "siak_mismatch")
KINDS = ("kk", "ktp")


def prepare(url: str) -> Engine:
    engine = build(url)
    with Session(engine) as session, session.begin():
        session.add_all(
            User(
                id=n, first_name="x", last_name=str(n), username=str(n), email=f"{n}@x", active=True
            )
            for n in (1, 2)
        )
        session.add_all(Courier(id=n, code=str(n), name=str(n)) for n in (1, 2))
        session.add_all(
            DocumentKind(id=n, code=code, label_id=code, label_en=code)
            for n, code in enumerate(KINDS, start=1)
        )
        session.flush()
        session.add(
            Document(
                id=1, complaint_id=1, stage="proof", public_id="x" * 22, storage_key="x",
                original_name="x", sha256="0" * 64, size=1, media_type="image/jpeg", uploaded_at=moment(0),
            )
        )  # fmt: skip
    return engine


def moment(minutes: int) -> datetime:
    """So many minutes after midnight of 30 May in the office."""
    return datetime(2026, 5, 29, 17, tzinfo=UTC) + timedelta(minutes=minutes)


DAY = 24 * 60
# Often at the edges: midnight of 1 June and of 1 July in the office, and a minute before.
moments = st.one_of(
    st.integers(0, 34 * DAY), st.sampled_from([2 * DAY - 1, 2 * DAY, 32 * DAY - 1, 32 * DAY])
).map(moment)
days = st.integers(-3, 33).map(lambda n: FIRST + timedelta(days=n))


def _stay(one: datetime, other: datetime) -> dict[str, datetime]:
    return {"entered_at": min(one, other), "finished_at": max(one, other)}


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """A complaint with its runs, returns and parcels."""
    closed = draw(st.none() | moments)
    step = draw(st.sampled_from(ENDS if closed else [*STEPS, "returned"]))
    runs = [
        {
            "step_key": draw(st.sampled_from(STEPS[:2])),
            "work_seconds": draw(st.integers(0, 2_000)),
            "wait_seconds": draw(st.integers(0, 90_000)),
            "standard_minutes": draw(st.sampled_from([None, 5, 10, 15])),
            **_stay(draw(moments), draw(moments)),
            "finished_by_id": draw(st.sampled_from([None, 1, 2])),
        }
        for _ in range(draw(st.integers(0, 2)))
    ]
    returns = [
        {
            "transition": draw(st.sampled_from(MOVES)),
            "at": draw(moments),
            "details": {
                "returned": {
                    "failed": [
                        [code, draw(st.sampled_from(["missing", "unreadable"]))]
                        for code in draw(st.sets(st.sampled_from(KINDS)))
                    ],
                    "differences": draw(
                        st.lists(st.sampled_from(["nama", "nik", "%"]), max_size=2)
                    ),
                }
            },
        }
        for _ in range(draw(st.integers(0, 2)))
    ]
    parcels = [
        {
            "courier_id": draw(st.integers(1, 2)),
            "sent_at": draw(moments),
            "status": draw(st.sampled_from(["sent", "returned"])),
            "delivered_at": draw(st.none() | moments),
        }
        for _ in range(draw(st.integers(0, 1)))
    ]
    return {
        "channel_id": draw(st.integers(1, 2)),
        "category_id": draw(st.integers(1, 3)),
        "kecamatan_code": draw(st.sampled_from(PLACES)),
        "confidential": draw(st.booleans()),
        "received_at": draw(moments),
        "closed_at": closed,
        "told_at": draw(st.none() | moments),
        "step_key": step,
        "round": draw(st.integers(1, 3)),
        "completeness_due": draw(days),
        "decision_due": draw(days),
        "class_due": draw(days),
        "started": draw(st.booleans()),
        "runs": runs,
        "returns": returns,
        "parcels": parcels,
    }


offices = st.lists(cases(), max_size=6)


@contextmanager
def filled(engine: Engine, office: list[dict[str, Any]]) -> Iterator[Session]:
    """A session over exactly these cases; nothing of it stays."""
    with Session(engine) as session:
        for table in (Dispatch, StepRun, CaseEvent):
            session.execute(delete(table))
        session.execute(delete(Complaint).where(Complaint.id > 100))
        # The cases that the office was built with lie elsewhere in time and are not open.
        session.execute(
            Complaint.__table__.update().values(
                received_at=moment(-90 * DAY), closed_at=moment(-80 * DAY),
                completeness_due=date(2026, 1, 1), decision_due=date(2026, 1, 1),
                class_due=date(2026, 1, 1),
            )
        )  # fmt: skip
        for number, case in enumerate(office, start=101):
            _insert_case(session, number, case)
        rebuild(session)
        yield session
        session.rollback()


def _insert_case(session: Session, number: int, case: dict[str, Any]) -> None:
    facts = {k: v for k, v in case.items() if k not in ("runs", "returns", "parcels", "started")}
    session.execute(
        insert(Complaint),
        [
            {
                "id": number, "number": f"PGD-2026-{number:06d}", "text": "x",
                "applicant_name": "x", "registered_at": moment(0), "step_since": moment(0),
                **facts,
            }
        ],
    )  # fmt: skip
    rows = [{"complaint_id": number, "round": 1, "transition": "x", **run} for run in case["runs"]]
    if case["closed_at"] is None and case["step_key"] in STEPS:
        rows.append(
            {
                "complaint_id": number, "round": 1, "entered_at": moment(0), "transition": None,
                "step_key": case["step_key"], "work_seconds": None, "wait_seconds": None,
                "standard_minutes": 5, "finished_at": None,
                "started_at": moment(1) if case["started"] else None,
            }
        )  # fmt: skip
    for row in rows:
        session.execute(insert(StepRun), [row])
    for event in case["returns"]:
        session.execute(
            insert(CaseEvent),
            [
                {
                    "complaint_id": number, "kind": "moved", "from_step": "intake",
                    "to_step": "returned", "version": 1, **event,
                }
            ],
        )  # fmt: skip
    for place, parcel in enumerate(case["parcels"]):
        session.execute(
            insert(Dispatch),
            [
                {
                    "complaint_id": number, "tracking_number": f"{number}-{place}", "proof_id": 1,
                    "recipient": "x", "address": "x", **parcel,
                }
            ],
        )  # fmt: skip
