"""The event log is a true one: pm4py finds the SOP in it, and finds what was tampered with."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint
from app.services.actor import Actor
from app.services.eventlog import reading, traces, xes_pieces
from app.services.eventlog.writing import csv_rows
from app.services.statistics import Scope
from app.services.transitions import Office
from app.sop.bpmn import bpmn_of
from tests.support.cases import CaseMaker
from tests.support.mining import judge, pm4py_or_skip
from tests.support.panel import Statements

ALWAYS = Scope(date(2020, 1, 1), date(2099, 12, 31))
NS = {"x": "http://www.xes-standard.org/"}
#: Ways through the SOP that all end: straight on, returned, without a document, reopened.
WAYS: dict[str, tuple[str, ...]] = {
    "straight": (
        "verify_file", "siak_match", "submit_certification", "sign", "confirm_printed", "send",
    ),
    "returned": (
        "request_completion", "resubmit", "verify_file", "siak_mismatch", "resubmit", "verify_file",
        "siak_match", "submit_certification", "sign", "confirm_printed", "send",
    ),
    "sent back": (
        "verify_file", "siak_match", "send_back_to_check", "siak_match", "submit_certification",
        "refuse_signature", "submit_certification", "sign", "confirm_printed", "send",
    ),
    "withdrawn": ("request_completion", "withdraw"),
    "reopened": (
        "verify_file", "siak_match", "submit_certification", "sign", "confirm_printed", "send",
        "reopen", "verify_file", "siak_match", "submit_certification", "sign", "confirm_printed",
        "send",
    ),
}  # fmt: skip


@pytest.fixture
def walked(make_case: CaseMaker) -> dict[str, Complaint]:
    """One finished case of each way, worked through the services."""
    found = {
        name: make_case("done", path=way, files=False, applicant_name=f"Sulastri {name}")
        for name, way in WAYS.items()
    }
    found["resolved"] = make_case("resolved", files=False)
    return found


def xes_of(session: Session, office: Office, actor: Actor, *, persons: bool = False) -> str:
    found = traces(session, office.sop, ALWAYS, actor)
    return "".join(xes_pieces(found, persons=persons))


def test_pm4py_finds_every_case_to_fit_the_model(
    session: Session, office: Office, actor: Callable[[str], Actor],
    walked: dict[str, Complaint], tmp_path: Path,
) -> None:  # fmt: skip
    python = pm4py_or_skip()
    log, model = tmp_path / "log.xes", tmp_path / "sop.bpmn"
    log.write_text(xes_of(session, office, actor("kepala")), encoding="utf-8")
    model.write_text(bpmn_of(office.sop), encoding="utf-8")
    said = judge(python, log, model)
    assert set(said["cases"]) == {case.number for case in walked.values()}
    moved = select(CaseEvent).where(CaseEvent.kind == "moved")
    assert said["events"] == len(session.scalars(moved).all())
    assert said["fitness"] == 1.0
    assert set(said["replay"]) == {1.0}
    assert set(said["aligned"]) == {1.0}
    assert {"start_timestamp", "time:timestamp", "org:role"} <= set(said["columns"])


def _drop(events: list[ET.Element], trace: ET.Element) -> None:
    trace.remove(events[1])


def _swap(events: list[ET.Element], trace: ET.Element) -> None:
    at = list(trace).index(events[2])
    trace.remove(events[2])
    trace.insert(at + 1, events[2])
    for first, second in ((events[2], events[3]),):
        mine, other = (e.find("x:date[@key='time:timestamp']", NS) for e in (first, second))
        assert mine is not None
        assert other is not None
        one, two = mine.get("value"), other.get("value")
        mine.set("value", str(two))
        other.set("value", str(one))


def _twice(events: list[ET.Element], trace: ET.Element) -> None:
    trace.insert(list(trace).index(events[0]), events[0])


@pytest.mark.parametrize(
    "tamper", [pytest.param(_drop, id="a move left out"), pytest.param(_swap, id="two moves swapped"),
               pytest.param(_twice, id="a move made twice")]
)  # fmt: skip
def test_pm4py_finds_the_case_that_was_tampered_with(
    tamper: Callable[[list[ET.Element], ET.Element], None],
    session: Session, office: Office, actor: Callable[[str], Actor],
    walked: dict[str, Complaint], tmp_path: Path,
) -> None:  # fmt: skip
    python = pm4py_or_skip()
    ET.register_namespace("", NS["x"])
    tree = ET.ElementTree(ET.fromstring(xes_of(session, office, actor("kepala"))))
    victim = walked["straight"].number
    for trace in tree.getroot().findall("x:trace", NS):
        name = trace.find("x:string[@key='concept:name']", NS)
        if name is not None and name.get("value") == victim:
            tamper(trace.findall("x:event", NS), trace)
    log, model = tmp_path / "log.xes", tmp_path / "sop.bpmn"
    tree.write(log, encoding="utf-8", xml_declaration=True)
    model.write_text(bpmn_of(office.sop), encoding="utf-8")
    said = judge(python, log, model)
    fitness = dict(zip(said["cases"], said["aligned"], strict=True))
    assert fitness.pop(victim) < 1.0
    assert set(fitness.values()) == {1.0}
    assert said["fitness"] < 1.0


def test_the_log_says_nothing_of_applicants_and_no_word_that_was_typed(
    session: Session, office: Office, actor: Callable[[str], Actor], make_case: CaseMaker
) -> None:
    case = make_case(
        "returned", files=False, applicant_name="Sulastri Wahyuningsih", nik="3325011203900077",
        kk_number="3325011203900088", phone="+628120000077", email="sulastri@example.org",
        address="Jl. Rahasia 7", handle="@sulastri", text="Keluhan yang panjang",
    )  # fmt: skip
    make_case.move(case, "withdraw", reason="Karena pindah ke Pekalongan")
    session.commit()
    for persons in (False, True):
        xes = xes_of(session, office, actor("kepala"), persons=persons)
        rows = csv_rows(traces(session, office.sop, ALWAYS, actor("kepala")), persons=persons)
        both = xes + str(list(rows))
        for word in (
            "Sulastri", "Wahyuningsih", "3325011203900077", "3325011203900088", "8120000077",
            "sulastri@", "Rahasia", "Keluhan", "Pekalongan",
        ):  # fmt: skip
            assert word not in both
        assert ("officer-" in both) is persons
        assert case.number in both


def test_officers_are_not_named_either(
    session: Session, office: Office, actor: Callable[[str], Actor], walked: dict[str, Complaint]
) -> None:
    xes = xes_of(session, office, actor("kepala"), persons=True)
    for event in session.scalars(select(CaseEvent)):
        assert event.by_name not in xes


@pytest.mark.both
def test_confidential_cases_are_left_out_for_who_may_not_see_them(
    session: Session, office: Office, actor: Callable[[str], Actor], make_case: CaseMaker
) -> None:
    secret, plain = make_case("siak_check", hide_identity=True), make_case("siak_check")
    seen = {trace.number for trace in traces(session, office.sop, ALWAYS, actor("kabid"))}
    assert seen == {plain.number}
    assert reading.hidden_cases(session, ALWAYS, actor("kabid")) == 1
    seen = {trace.number for trace in traces(session, office.sop, ALWAYS, actor("kepala"))}
    assert seen == {plain.number, secret.number}
    assert reading.hidden_cases(session, ALWAYS, actor("kepala")) == 0


@pytest.mark.both
def test_cases_come_in_pieces_each_once(
    session: Session, office: Office, actor: Callable[[str], Actor], make_case: CaseMaker,
    monkeypatch: pytest.MonkeyPatch, sql_count: Callable[[], AbstractContextManager[Statements]],
) -> None:  # fmt: skip
    """Also those received at one and the same moment; three statements a piece."""
    at = datetime(2026, 6, 1, 3, tzinfo=UTC)
    numbers = [
        make_case("intake", files=False, checked=False, at=at + timedelta(minutes=n // 3)).number
        for n in range(8)
    ]
    session.commit()
    monkeypatch.setattr(reading, "CHUNK", 3)
    officer = actor("kepala")
    with sql_count() as seen:
        found = [trace.number for trace in traces(session, office.sop, ALWAYS, officer)]
    assert found == numbers[::-1]
    assert len(seen) == 2 + 3 * 3
    few = traces(session, office.sop, ALWAYS, officer, most=4)
    assert [trace.number for trace in few] == numbers[::-1][:4]


@pytest.mark.parametrize(
    ("received", "inside"),
    [
        pytest.param("2026-05-31T16:59:59+00:00", False, id="the last second of May"),
        pytest.param("2026-05-31T17:00:00+00:00", True, id="midnight of June in the office"),
        pytest.param("2026-06-30T16:59:59+00:00", True, id="the last second of June"),
        pytest.param("2026-06-30T17:00:00+00:00", False, id="midnight of July"),
    ],
)
def test_a_month_is_the_offices(
    received: str, inside: bool, session: Session, office: Office,
    actor: Callable[[str], Actor], make_case: CaseMaker,
) -> None:  # fmt: skip
    make_case("intake", files=False, checked=False, at=datetime.fromisoformat(received))
    june = Scope(date(2026, 6, 1), date(2026, 6, 30))
    assert bool(list(traces(session, office.sop, june, actor("kepala")))) is inside


def test_the_log_is_well_formed_and_typed(
    session: Session, office: Office, actor: Callable[[str], Actor], walked: dict[str, Complaint]
) -> None:
    root = ET.fromstring(xes_of(session, office, actor("kepala"), persons=True))
    assert root.tag == "{http://www.xes-standard.org/}log"
    assert {e.get("prefix") for e in root.findall("x:extension", NS)} == {
        "concept", "time", "lifecycle", "org",
    }  # fmt: skip
    declared = {e.get("key") for e in root.findall("x:global[@scope='event']/*", NS)}
    for classifier in root.findall("x:classifier", NS):
        assert set(str(classifier.get("keys")).split()) <= declared
    for event in root.iterfind(".//x:trace/x:event", NS):
        keys = [child.get("key") for child in event]
        assert len(keys) == len(set(keys))
        assert declared <= set(keys)
        for child in event:
            value = str(child.get("value"))
            kind = child.tag.rpartition("}")[2]
            if kind == "int":
                assert value.isdigit()
            elif kind == "date":
                assert datetime.fromisoformat(value).utcoffset() == timedelta(hours=7)


def test_the_downloads_are_what_the_services_write(
    login: Callable[[str], FlaskClient], walked: dict[str, Complaint], session: Session
) -> None:
    head = login("kepala")
    period = "?from=2020-01-01&to=2099-12-31"
    xes = head.get(f"/process/log.xes{period}")
    assert xes.mimetype == "application/xml"
    assert xes.headers["Content-Disposition"].startswith("attachment")
    assert len(ET.fromstring(xes.text).findall("x:trace", NS)) == len(walked)
    table = list(csv.DictReader(io.StringIO(head.get(f"/process/log.csv{period}").text)))
    moved = session.scalars(select(CaseEvent).where(CaseEvent.kind == "moved")).all()
    assert len(table) == len(moved)
    assert {row["officer"] for row in table} != {""}
    kabid = login("kabid")
    plain = list(csv.DictReader(io.StringIO(kabid.get(f"/process/log.csv{period}").text)))
    assert {row["officer"] for row in plain} == {""}
    assert "officer-" not in kabid.get(f"/process/log.xes{period}").text


@pytest.mark.parametrize("who", ["petugas", "operator", "subkoordinator"])
@pytest.mark.parametrize(
    "path", ["/process/", "/process/log.xes", "/process/log.csv", "/process/sop.bpmn"]
)
def test_others_get_no_log(who: str, path: str, login: Callable[[str], FlaskClient]) -> None:
    answer = login(who).get(path)
    assert answer.status_code in (302, 303, 403)
    assert "<log" not in answer.text


def test_the_model_has_every_transition_in_its_lane(office: Office, app: Flask) -> None:
    root = ET.fromstring(app.test_cli_runner().invoke(args=["sop", "bpmn"]).output)
    space = {"b": "http://www.omg.org/spec/BPMN/20100524/MODEL"}
    tasks: dict[str, Any] = {t.get("id"): t.get("name") for t in root.iterfind(".//b:task", space)}
    assert sorted(tasks.values()) == sorted(move.key for move in office.sop.transitions)
    held = {
        lane.get("id"): {ref.text for ref in lane} for lane in root.iterfind(".//b:lane", space)
    }
    for move in office.sop.transitions:
        assert f"move_{move.source}_{move.key}" in held[f"lane_{move.actor}"]
    nodes = {n.get("id") for n in root.iter() if n.get("id")}
    for flow in root.iterfind(".//b:sequenceFlow", space):
        assert {flow.get("sourceRef"), flow.get("targetRef")} <= nodes


@pytest.mark.both
def test_a_missing_move_does_not_take_the_clocks_of_the_others(
    session: Session, office: Office, actor: Callable[[str], Actor], make_case: CaseMaker
) -> None:
    case = make_case("done", files=False)
    (whole,) = traces(session, office.sop, ALWAYS, actor("kepala"))
    lost = next(event for event in case.events if event.transition == "siak_match")
    session.execute(delete(CaseEvent).where(CaseEvent.id == lost.id))
    session.commit()
    (cut,) = traces(session, office.sop, ALWAYS, actor("kepala"))
    assert cut.events == tuple(event for event in whole.events if event.key != "siak_match")
    assert all(event.work_seconds is not None for event in cut.events)
