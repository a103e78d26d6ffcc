"""What is open now is counted without walking over what ended."""

from __future__ import annotations

import pytest
from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.charts.openwork import _open
from tests.support.cases import CaseMaker


@pytest.mark.both
@pytest.mark.parametrize("column", ["channel_id", "category_id", "kecamatan_code", "step_key"])
def test_open_cases_come_from_an_index(session: Session, make_case: CaseMaker, column: str) -> None:
    make_case("siak_check")
    sort = cast(getattr(Complaint, column), String)
    statement = select(sort, func.count()).where(*_open()).group_by(sort)
    sql = str(statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
    connection = session.connection()
    if session.get_bind().dialect.name == "sqlite":
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
        assert any(line.startswith("SEARCH complaint USING INDEX") for line in plan), plan
    else:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {sql}")]
        assert any("ix_complaint_open" in line or "ix_complaint_step" in line for line in plan)
        assert not any("Seq Scan on complaint" in line for line in plan), plan
