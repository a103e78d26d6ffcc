"""An office with some people whose names are alike, and one search for the tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.actor import Actor
from app.services.search import Found, find_cases, rebuild
from tests.support.cases import CaseMaker

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
Find = Callable[..., Found]


@pytest.fixture
def find(session: Session, actor: Callable[[str], Actor]) -> Find:
    """`find("siti")`: what the box answers an officer."""

    who = actor("petugas")

    def ask(words: str, limit: int = 8) -> Found:
        return find_cases(session, who, words, now=NOW, limit=limit)

    return ask


@pytest.fixture
def people(make_case: CaseMaker, session: Session) -> dict[str, Complaint]:
    """Cases by a short name, the first received first."""
    facts = {
        "siti": {"applicant_name": "Siti", "nik": "3325014107900007"},
        "rahma": {"applicant_name": "Siti Rahmawati", "phone": "081298765432"},
        "aini": {"applicant_name": "Nur'aini Sitompul", "external_ticket": "LAPOR-77"},
        "budi": {"applicant_name": "Budi Rahman", "kk_number": "3325010101900009"},
        "ani": {"applicant_name": "Ani Rahman", "kk_number": "3325010101900009"},
        "jose": {"applicant_name": "José Wasito", "handle": "@jose.w"},
    }
    found = {}
    for days, (key, values) in enumerate(facts.items()):
        at = NOW - timedelta(days=30 - days)
        done = key == "ani"
        found[key] = make_case(
            "withdrawn" if done else "intake", at=at, checked=done, files=done, **values
        )
    return found


@pytest.fixture
def crowd(make_case: CaseMaker, session: Session) -> int:
    """Three thousand cases of two names, as rows alone; answers how many."""
    case = make_case("intake", checked=False, files=False)
    session.refresh(case)
    table = Complaint.__table__
    row = dict(session.execute(select(table).where(table.c.id == case.id)).mappings().one())
    rows = []
    for number in range(2, 3002):
        name = f"Siti Pamungkas {'Wati' if number % 50 else 'Zulaikah'}"
        rows.append(
            {
                **row,
                "id": case.id + number,
                "number": f"PGD-2025-{number:06d}",
                "applicant_name": name,
                "nik": f"33250141079{number:05d}",
                "kk_number": f"33250101019{number:05d}",
                "phone": f"0812{number:08d}",
                "nik_digest": f"33250141079{number:05d}",
                "kk_digest": f"33250101019{number:05d}",
                "phone_digest": f"0812{number:08d}",
                "confidential": False,
                "received_at": NOW - timedelta(days=400) + timedelta(hours=number),
            }
        )
    session.execute(insert(table), rows)  # type: ignore[arg-type]
    rebuild(session)
    session.commit()
    return len(rows)
