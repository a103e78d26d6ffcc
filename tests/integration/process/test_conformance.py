"""What left the SOP is found and told apart from what the SOP allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint
from app.services.actor import Actor
from app.services.conformance import conformance, judged
from app.services.eventlog import LogEvent, Trace, reading
from app.services.transitions import Office
from app.sop.clock import Calendar
from app.sop.conformance import KINDS, Move, deviations
from app.sop.definition import load_sop
from tests.integration.process.test_event_log import ALWAYS, WAYS
from tests.support.browser import axe_violations, overflow
from tests.support.cases import CaseMaker

SOP = load_sop(Path(__file__).parents[3] / "seed_data" / "sop.toml")
STRAIGHT = [
    Move("intake", "verify_file", "siak_check"),
    Move("siak_check", "siak_match", "certification"),
    Move("certification", "submit_certification", "signing"),
    Move("signing", "sign", "printing"),
    Move("printing", "confirm_printed", "dispatch"),
    Move("dispatch", "send", "done"),
]
BACK = [Move("intake", "request_completion", "returned"), Move("returned", "resubmit", "intake")]


@pytest.mark.parametrize(
    ("moves", "kinds"),
    [
        pytest.param(STRAIGHT, [], id="straight through"),
        pytest.param(BACK + STRAIGHT, [], id="a new round is lawful"),
        pytest.param(
            [*STRAIGHT, Move("done", "reopen", "intake"), *STRAIGHT], [], id="so is a reopening"
        ),
        pytest.param([STRAIGHT[0], *STRAIGHT[2:]], ["skipped"], id="a step left out"),
        pytest.param(STRAIGHT[3:], ["skipped"], id="three steps left out"),
        pytest.param([STRAIGHT[0], STRAIGHT[0], *STRAIGHT[1:]], ["repeated"], id="made twice"),
        pytest.param(
            [STRAIGHT[0], STRAIGHT[2], STRAIGHT[1], *STRAIGHT[3:]],
            ["skipped", "reordered", "skipped"], id="two moves swapped",
        ),
        pytest.param(
            [STRAIGHT[0], Move("siak_check", "approve", "certification"), *STRAIGHT[2:]],
            ["unknown"], id="a move that the SOP does not have",
        ),
        pytest.param(
            [STRAIGHT[0], Move("siak_check", "siak_match", "signing"), *STRAIGHT[3:]],
            ["unknown"], id="a move that leads elsewhere",
        ),
        pytest.param(STRAIGHT[:3], ["unfinished"], id="a history that ends too early"),
    ],
)  # fmt: skip
def test_a_history_is_walked_through_the_table(moves: list[Move], kinds: list[str]) -> None:
    assert [item.kind for item in deviations(SOP, moves, "done")] == kinds
    assert set(kinds) <= set(KINDS)


def test_the_skipped_steps_are_named() -> None:
    (found,) = deviations(SOP, STRAIGHT[3:], "done")
    assert found.steps == ("intake", "siak_check", "certification")


@pytest.mark.both
def test_cases_worked_in_the_panel_all_conform(
    session: Session, office: Office, actor: Callable[[str], Actor], make_case: CaseMaker
) -> None:
    for way in WAYS.values():
        make_case("done", path=way, files=False)
    make_case("signing")
    make_case("intake", files=False)
    found = conformance(session, office.sop, office.calendar, ALWAYS, actor("kepala"))
    assert (found.looked_at, found.conforming, found.fitness) == (7, 7, 1.0)
    assert not set(found.found) & set(KINDS)


def _left_out(session: Session, case: Complaint) -> None:
    event = next(e for e in case.events if e.transition == "siak_match")
    session.execute(delete(CaseEvent).where(CaseEvent.id == event.id))


def _foreign(session: Session, case: Complaint) -> None:
    event = next(e for e in case.events if e.transition == "sign")
    session.execute(
        update(CaseEvent).where(CaseEvent.id == event.id).values(transition="rubber_stamp")
    )


def _elsewhere(session: Session, case: Complaint) -> None:
    session.execute(update(Complaint).where(Complaint.id == case.id).values(step_key="printing"))


@pytest.mark.both
@pytest.mark.parametrize(
    ("tamper", "kind"), [(_left_out, "skipped"), (_foreign, "unknown"), (_elsewhere, "unfinished")]
)
def test_a_case_that_was_tampered_with_is_named(
    tamper: Callable[[Session, Complaint], None], kind: str, session: Session, office: Office,
    actor: Callable[[str], Actor], make_case: CaseMaker,
) -> None:  # fmt: skip
    make_case("done", files=False)
    case = make_case("done", files=False)
    tamper(session, case)
    session.commit()
    found = conformance(session, office.sop, office.calendar, ALWAYS, actor("kepala"))
    assert (found.looked_at, found.conforming) == (2, 1)
    assert [item.number for item in found.found[kind].named] == [case.number]


@pytest.mark.both
def test_a_move_made_while_the_log_is_read_is_no_broken_history(
    session: Session, office: Office, actor: Callable[[str], Actor], make_case: CaseMaker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A colleague moves the case after it was listed and before its moves are read."""
    case = make_case("siak_check")
    session.commit()
    number, officer = case.number, actor("kepala")
    session.commit()
    read_events = reading._events

    def meanwhile(reader: Session, *rest: Any) -> Any:
        with Session(reader.get_bind()) as other:
            moved = other.scalars(
                select(CaseEvent).where(CaseEvent.kind == "moved").order_by(CaseEvent.id.desc())
            ).first()
            assert moved is not None
            row = {
                column.name: getattr(moved, column.name)
                for column in CaseEvent.__table__.columns
                if column.name != "id"
            } | {
                "transition": "siak_match", "from_step": "siak_check", "to_step": "certification",
            }  # fmt: skip
            other.execute(insert(CaseEvent).values(**row))
            other.execute(
                update(Complaint).where(Complaint.number == number).values(step_key="certification")
            )
            other.commit()
        return read_events(reader, *rest)

    monkeypatch.setattr(reading, "_events", meanwhile)
    found = conformance(session, office.sop, office.calendar, ALWAYS, officer)
    assert (found.looked_at, found.conforming) == (1, 1)
    assert "unfinished" not in found.found


@pytest.mark.both
def test_one_person_who_checks_and_signs_is_named_in_his_round_alone(
    session: Session, office: Office, actor: Callable[[str], Actor], make_case: CaseMaker
) -> None:
    case = make_case("done", files=False)
    head = actor("kepala").id
    check = select(CaseEvent.id).where(
        CaseEvent.complaint_id == case.id, CaseEvent.transition == "siak_match"
    )
    session.execute(update(CaseEvent).where(CaseEvent.id.in_(check)).values(by_id=head, round=2))
    session.commit()
    found = conformance(session, office.sop, office.calendar, ALWAYS, actor("kepala"))
    assert "same_person" not in found.found
    session.execute(update(CaseEvent).where(CaseEvent.id.in_(check)).values(round=1))
    session.commit()
    found = conformance(session, office.sop, office.calendar, ALWAYS, actor("kepala"))
    (mine,) = found.found["same_person"].named
    assert (mine.number, mine.move, mine.officer) == (case.number, "sign", head)
    assert found.conforming == 1  # the path itself was lawful


@pytest.mark.parametrize(
    ("at", "outside"),
    [
        pytest.param("2026-06-03T09:00:00+07:00", False, id="a Wednesday morning"),
        pytest.param("2026-06-03T12:30:00+07:00", True, id="in the lunch break"),
        pytest.param("2026-06-03T20:00:00+07:00", True, id="in the evening"),
        pytest.param("2026-06-07T09:00:00+07:00", True, id="on a Sunday"),
        pytest.param("2026-06-02T09:00:00+07:00", True, id="on a holiday"),
    ],
)
def test_work_outside_office_hours_is_named(at: str, outside: bool) -> None:
    moment = datetime.fromisoformat(at)
    event = LogEvent(
        "verify_file", "intake", "siak_check", moment, "petugas_pengaduan", 1, 1,
        entered_at=moment, started_at=moment,
    )  # fmt: skip
    trace = Trace(1, "PGD-2026-000001", "", "", "", moment, "siak_check", (event,))
    calendar = Calendar(holidays=frozenset({date(2026, 6, 2)}))
    found = judged(SOP, calendar, [trace])
    assert ("after_hours" in found.found) is outside
    waiting = replace(trace, events=(replace(event, started_at=None, entered_at=None),))
    assert "after_hours" not in judged(SOP, calendar, [waiting]).found


def test_only_so_many_cases_are_looked_at_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, login: Callable[[str], FlaskClient], make_case: CaseMaker
) -> None:
    for _ in range(3):
        make_case("intake", files=False, checked=False)
    monkeypatch.setattr("app.services.conformance.MOST_CASES", 2)
    page = login("kabid").get("/process/").text
    assert "terbaru" in page
    assert 'data-cases="2"' in page or ">2<" in page


def test_the_page_names_cases_but_nobody(
    session: Session, login: Callable[[str], FlaskClient], make_case: CaseMaker
) -> None:
    case = make_case("done", files=False, applicant_name="Sulastri Wahyuningsih")
    hidden = make_case("done", files=False, hide_identity=True)
    _left_out(session, case)
    session.commit()
    page = login("kabid").get("/process/").text
    assert case.number in page
    assert hidden.number not in page
    assert "1 pengaduan rahasia" in page
    assert f"/complaints/show/{case.id}" not in page
    assert "Sulastri" not in page
    assert f"/complaints/show/{case.id}" in login("kepala").get("/process/").text


def test_an_empty_period_says_so(login: Callable[[str], FlaskClient]) -> None:
    page = login("kabid").get("/process/?from=2021-01-01&to=2021-01-31").text
    assert "Tidak ada pengaduan yang diterima" in page


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_clean(
    width: int, theme: str, page: Callable[..., Any], make_case: CaseMaker, session: Session
) -> None:
    case = make_case("done", files=False)
    _left_out(session, case)
    session.commit()
    opened = page("kepala", width=width, height=800, color_scheme=theme)
    opened.goto("/process/")
    assert axe_violations(opened) == []
    assert overflow(opened) == []
