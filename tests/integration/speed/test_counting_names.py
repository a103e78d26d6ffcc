"""A frequent name is counted from the words alone, but only by who may know of every case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.actor import CASE_VIEW, Actor
from app.services.search import listed, listed_cases, rebuild
from app.services.search.listed import Names
from app.views.complaint import ComplaintView
from tests.support.cases import CaseMaker

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.mark.both
def test_the_count_of_a_name_follows_the_row_rule(
    session: Session,
    make_case: CaseMaker,
    actor: Callable[[str], Actor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = make_case("intake", checked=False, files=False)
    table = Complaint.__table__
    row = dict(session.execute(select(table).where(table.c.id == case.id)).mappings().one())
    rows = [
        {**row, "id": case.id + n, "number": f"PGD-2024-{n:06d}", "applicant_name": "Siti Aminah",
         "received_at": NOW - timedelta(hours=n), "confidential": n % 3 == 0}
        for n in range(1, 61)
    ]  # fmt: skip
    session.execute(insert(table), rows)  # type: ignore[arg-type]
    session.execute(update(Complaint).where(Complaint.id == case.id).values(applicant_name="Q"))
    rebuild(session)
    session.commit()
    monkeypatch.setattr(listed, "PAGE", 1)  # looked for along the list
    names = listed_cases(session, "aminah", personal=True, now=NOW)
    assert isinstance(names, Names)
    assert names.along
    seeing = actor("petugas")
    blind = replace(seeing, permissions=seeing.permissions - {("see_confidential", CASE_VIEW)})
    counted = {}
    for who in (seeing, blind):
        monkeypatch.setattr("app.views.interface.current_actor", lambda who=who: who)
        keys = names.keys(ComplaintView.datamodel.visible(session.query(Complaint)))
        statement = select(func.count()).select_from(keys.subquery())
        looks = "FROM complaint" in str(statement) or "JOIN complaint" in str(statement)
        counted[who is blind] = session.scalar(statement, dict(names.values)), looks
    assert counted == {False: (60, False), True: (40, True)}
