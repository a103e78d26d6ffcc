"""What is open now is counted, and put in order, without looking at what ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.services.actor import Actor
from app.services.charts.openwork import open_by_age, open_by_sort
from app.services.charts.steps import open_counts
from app.services.queue import _run_rows, step_counts
from app.services.statistics import Scope
from app.services.transitions import Office
from tests.support.cases import CaseMaker
from tests.support.moments import MONDAY

EVER = Scope(date(2020, 1, 1), date(2030, 1, 1))
ACTOR = Actor(1, "O", frozenset({("can_list", "Complaint")}))
Ask = Callable[[Session, Office], Any]


def _queue(session: Session, office: Office) -> Any:
    steps = [step for step in office.sop.steps if step.key in ("siak_check", "printing")]
    return _run_rows(session, steps, ACTOR, date(2026, 1, 1), 0)


ASKED: dict[str, tuple[Ask, str]] = {
    "channels": (lambda s, _o: open_by_sort(s, EVER, "channel"), "ix_complaint_open_channel"),
    "categories": (lambda s, _o: open_by_sort(s, EVER, "category"), "ix_complaint_open_category"),
    "kecamatan": (lambda s, _o: open_by_sort(s, EVER, "kecamatan"), "ix_complaint_open_kecamatan"),
    "ages": (lambda s, _o: open_by_age(s, EVER, today=EVER.last), "ix_complaint_open_standing"),
    "steps": (lambda s, o: step_counts(s, o, ACTOR, MONDAY), "ix_complaint_open_standing"),
    "runs": (lambda s, _o: open_counts(s, EVER), "ix_step_run_queue"),
    "queue": (_queue, "ix_complaint_open_standing"),
}


@pytest.mark.both
@pytest.mark.parametrize("name", ASKED)
def test_what_is_open_comes_from_an_index_of_its_own(
    session: Session, office: Office, make_case: CaseMaker, name: str
) -> None:
    for step in ("siak_check", "printing", "done"):
        make_case(step)
    ask, index = ASKED[name]
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        sent.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    ask(session, office)
    event.remove(engine, "before_cursor_execute", note)
    plan = plan_of(session, *sent[0])
    if session.get_bind().dialect.name == "postgresql":
        # Of three cases it may take any index of open ones; a part's index is named by its columns.
        index = "started_at_finished_at_idx" if name == "runs" else "ix_complaint_open_"
    assert index in plan, plan


def plan_of(session: Session, statement: str, parameters: Any) -> str:
    """How the database finds the rows, with the names of the indexes as the models have them."""
    connection = session.connection().connection
    cursor = connection.cursor()
    if session.get_bind().dialect.name == "sqlite":
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        lines = [row[3] for row in cursor.fetchall()]
        return "\n".join(line for line in lines if "COVERING INDEX" in line)
    # Three cases are read as a whole unless that is forbidden.
    cursor.execute("SET LOCAL enable_seqscan = off")
    cursor.execute(f"EXPLAIN {statement}", parameters)
    return "\n".join(row[0] for row in cursor.fetchall())
