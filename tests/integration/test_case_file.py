"""The case file agrees with the services' own facts and needs few statements."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete

from app.models import Complaint, RequirementCheck
from app.services.casefile import load_case_file
from app.services.facts import case_facts
from app.services.pausing import pause_run
from app.services.transitions import open_run
from tests.support.cases import PATHS


@pytest.mark.parametrize("step", PATHS)
def test_the_file_knows_what_the_guards_are_told(step, session, make_case, actor, sql_count):
    case = make_case(step)
    facts = case_facts(session, case)
    session.expunge_all()
    operator = actor("operator")
    with sql_count() as statements:
        file = load_case_file(session, operator, case.id)
        assert file.facts() == facts
        assert file.events[0].kind == "registered"
    assert len(statements) <= 5


def test_a_confidential_case_is_not_there_for_who_may_not_know(session, make_case, actor):
    case = make_case("intake", category="PUNGLI")
    assert load_case_file(session, actor("kabid"), case.id) is None
    assert load_case_file(session, actor("operator"), case.id) is not None
    assert load_case_file(session, actor("operator"), case.id + 99) is None


def test_a_case_without_a_list_has_a_file_like_every_other(session, make_case, actor):
    case = make_case("intake", checked=False, files=False)
    pk, operator = case.id, actor("operator")
    session.execute(delete(RequirementCheck).where(RequirementCheck.complaint_id == pk))
    session.commit()
    session.expunge_all()
    file = load_case_file(session, operator, pk)
    assert file is not None
    assert file.checks == []


def test_every_move_of_the_history_finds_the_run_it_closed(session, make_case, actor):
    way = ["request_completion", "resubmit", "verify_file", "siak_match", "submit_certification"]
    case = make_case("signing", path=way[:2])
    make_case.check(case)
    for key in way[2:]:
        make_case.record_facts(case, key)
        make_case.move(case, key)
    session.commit()
    file = load_case_file(session, actor("kepala"), case.id)
    closed = file.run_closed_by()
    pairs = [
        (event.transition, closed[event.id].transition if event.id in closed else None)
        for event in file.events
        if event.kind == "moved"
    ]
    assert pairs == [(key, None if key == "resubmit" else key) for key in way]
    assert file.open_run.step_key == "signing"


def test_a_pause_belongs_to_the_open_run_only(session, make_case, actor, office):
    case = make_case("siak_check")
    now = datetime.now(UTC)
    run = open_run(session, case)
    pause_run(session, office.sop, run, actor("operator"), "siak_down", now=now)
    session.commit()
    file = load_case_file(session, actor("operator"), case.id)
    assert file.standing_pause.reason == "siak_down"
    assert len(file.pauses) == 1
    assert session.get(Complaint, case.id) is file.complaint
