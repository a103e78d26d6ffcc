"""Twenty officers press at once: one is first, the others are told who and when, nobody sees 500.

Over the real server and its threads, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.formats import local
from app.models import CaseEvent, Category, Channel, Complaint, PrintRun, StepRun, User
from tests.support.cases import CaseMaker
from tests.support.forms import PageForm
from tests.support.panel import OFFICERS
from tests.support.serving import served
from tests.support.visitor import Answer, Visitor, at_once

pytestmark = pytest.mark.both
MANY = 20


@pytest.fixture
def visit(app: Flask, live_server: str, session: Session) -> Callable[[str], Visitor]:
    """`visit("operator")`: a browser of that officer."""

    def enter(key: str) -> Visitor:
        session.commit()
        return Visitor(app, live_server, key)

    return enter


def moved(session: Session, case: Complaint) -> list[CaseEvent]:
    session.rollback()
    statement = select(CaseEvent).where(
        CaseEvent.complaint_id == case.id, CaseEvent.kind == "moved"
    )
    return list(session.scalars(statement.order_by(CaseEvent.id)))


def assert_told(answer: Answer, winner: CaseEvent) -> None:
    """The words of a loser name who was first, when, and where the case is now."""
    words = answer.json["message"]
    assert winner.by_name in words
    assert f"{local(winner.at):%H.%M}" in words or f"{local(winner.at):%H:%M}" in words


def test_one_of_twenty_moves_the_case(
    make_case: CaseMaker, session: Session, visit: Callable[[str], Visitor]
) -> None:
    case = make_case("printing")
    before, version = len(moved(session, case)), case.version
    officers = [visit("operator" if number % 2 else "operator2") for number in range(MANY)]
    path = f"/complaints/action/confirm_printed/{case.id}"

    def press(officer: Visitor) -> Callable[[], Answer]:
        return lambda: officer.post(path, {"version": str(version)}, Accept="application/json")

    answers = at_once([press(officer) for officer in officers])
    assert Counter(answer.status for answer in answers) == {303: 1, 409: MANY - 1}
    events = moved(session, case)
    assert len(events) == before + 1
    assert (case.step_key, case.version) == ("dispatch", version + 1)
    for answer in answers:
        if answer.status == 409:
            assert_told(answer, events[-1])
    first = next(n for n, answer in enumerate(answers) if answer.status == 303)
    assert events[-1].by_name == OFFICERS["operator" if first % 2 else "operator2"].name
    open_runs = select(func.count()).where(
        StepRun.complaint_id == case.id, StepRun.finished_at.is_(None)
    )
    assert session.scalar(open_runs) == 1
    assert [run.step_key for run in case.runs][-2:] == ["printing", "dispatch"]
    # What the losers' transactions had written before they lost is gone with them.
    prints = session.scalars(select(PrintRun)).all()
    assert len(prints) == len({run.output_id for run in prints})


def test_a_loser_reads_who_was_first_on_the_page(
    make_case: CaseMaker, session: Session, visit: Callable[[str], Visitor]
) -> None:
    case = make_case("printing")
    version = {"version": str(case.version)}
    winner, loser = visit("operator"), visit("operator2")
    path, page = f"/complaints/action/confirm_printed/{case.id}", f"/complaints/show/{case.id}"
    assert winner.post(path, version).status == 303
    late = loser.post(path, version, Referer=f"http://{loser.address.netloc}{page}")
    assert (late.status, late.location) == (303, page)
    assert OFFICERS["operator"].name in unescape(loser.get(page).text)


def test_one_of_twenty_work_forms_is_saved(
    make_case: CaseMaker, session: Session, visit: Callable[[str], Visitor]
) -> None:
    """Each has the form open; each form is another one."""
    case = make_case("intake")
    officers = [visit("petugas" if number % 2 else "petugas2") for number in range(MANY)]
    path = f"/complaints/work/{case.id}"
    pages = [PageForm(officer.get(path).text, "work").sent() for officer in officers]
    version = case.version

    def save(officer: Visitor, fields: dict[str, list[str]]) -> Callable[[], Answer]:
        data = {**fields, "transition": ["verify_file"]}
        return lambda: officer.post(path, data)

    answers = at_once([save(*pair) for pair in zip(officers, pages, strict=True)])
    assert Counter(answer.status for answer in answers) == {303: 1, 409: MANY - 1}
    events = moved(session, case)
    assert [(event.from_step, event.to_step) for event in events] == [("intake", "siak_check")]
    assert case.version > version
    for answer in answers:
        if answer.status == 409:
            assert events[-1].by_name in unescape(answer.text)


def test_a_double_click_is_one_click(
    make_case: CaseMaker, session: Session, visit: Callable[[str], Visitor]
) -> None:
    """The same form sent twenty times has one effect, and every sending leads to the case."""
    case = make_case("intake")
    path, officer = f"/complaints/work/{case.id}", visit("petugas")
    fields = {**PageForm(officer.get(path).text, "work").sent(), "transition": ["verify_file"]}
    answers = at_once([lambda: visit_again(officer).post(path, fields) for _ in range(MANY)])
    assert {answer.status for answer in answers} == {303}
    assert len(moved(session, case)) == 1


def visit_again(officer: Visitor) -> Visitor:
    """Another tab of the same browser."""
    tab = object.__new__(Visitor)
    tab.__dict__ = {**officer.__dict__, "cookies": dict(officer.cookies)}
    return tab


def test_a_batch_and_a_button_never_move_a_case_twice(
    make_case: CaseMaker, session: Session, visit: Callable[[str], Visitor]
) -> None:
    cases = [make_case("printing") for _ in range(6)]
    listed = {"action": "confirm_printed", "rowid": [str(case.id) for case in cases]}
    listed |= {f"version_{case.id}": str(case.version) for case in cases}
    batches = [visit("operator2") for _ in range(4)]
    single = [(visit("operator"), case) for case in cases]
    jobs = [lambda v=visitor: v.post("/complaints/batch", listed) for visitor in batches]
    jobs += [
        lambda v=visitor, c=case: v.post(
            f"/complaints/action/confirm_printed/{c.id}", {"version": str(c.version)}
        )
        for visitor, case in single
    ]
    session.commit()
    for case in cases:
        assert case.version  # read before the threads start: a session is not theirs to use
    answers = at_once(jobs)
    assert all(answer.status < 500 for answer in answers), [a.status for a in answers]
    for case in cases:
        assert [event.transition for event in moved(session, case)].count("confirm_printed") == 1
        assert case.step_key == "dispatch"
    assert session.scalar(select(func.count()).select_from(PrintRun)) == sum(
        len(case.outputs) for case in cases
    )


def test_twenty_registrations_get_twenty_numbers_without_a_gap(
    make_case: CaseMaker, session: Session, visit: Callable[[str], Visitor]
) -> None:
    channel = make_case.id_of(Channel, "tatap_muka")
    category = make_case.id_of(Category, "INFORMASI")
    officers = [visit("petugas" if number % 2 else "petugas2") for number in range(MANY)]
    page = officers[0].get("/complaints/add").text
    received = PageForm(page, "intake-form").fields["received_at"][0]

    def register(number: int, officer: Visitor) -> Callable[[], Answer]:
        data = {
            "channel": str(channel),
            "category": str(category),
            "received_at": received,
            "applicant_name": f"Pemohon {number}",
            "phone": "081234567890",
            "address": "Jl. Contoh No. 1",
            "kecamatan": "33.25.01",
            "text": "Bertanya tentang syarat.",
            "then": "save",
        }
        return lambda: officer.post("/complaints/add", data)

    answers = at_once([register(*pair) for pair in enumerate(officers)])
    assert [answer.status for answer in answers] == [303] * MANY, answers[0].text[:3000]
    numbers = session.scalars(select(Complaint.number).order_by(Complaint.number)).all()
    assert [int(number.rpartition("-")[2]) for number in numbers] == list(range(1, MANY + 1))


def test_of_two_editors_the_later_is_told(
    make_case: CaseMaker, session: Session, visit: Callable[[str], Visitor]
) -> None:
    case = make_case("siak_check")
    path = f"/complaints/edit/{case.id}"
    first, second = visit("petugas"), visit("petugas2")
    pages = [officer.get(path).text for officer in (first, second)]
    forms = [PageForm(page, "intake-form").sent() for page in pages]
    saved = first.post(path, {**forms[0], "address": "Jl. Pertama No. 1"})
    late = second.post(path, {**forms[1], "address": "Jl. Kedua No. 2"})
    assert (saved.status, late.status) == (303, 409)
    text = unescape(late.text)
    assert OFFICERS["petugas"].name in text
    assert "Jl. Kedua No. 2" in text  # what he typed is still there
    assert "Jl. Pertama No. 1" in text  # and what is stored now beside it
    session.rollback()
    assert case.address == "Jl. Pertama No. 1"


def test_of_twenty_editors_one_is_saved(
    make_case: CaseMaker, session: Session, visit: Callable[[str], Visitor]
) -> None:
    case = make_case("siak_check")
    path = f"/complaints/edit/{case.id}"
    officers = [visit("petugas" if number % 2 else "petugas2") for number in range(MANY)]
    page = officers[0].get(path).text
    form = PageForm(page, "intake-form").sent()
    jobs = [
        lambda v=visitor, n=number: v.post(path, {**form, "address": f"Jl. Nomor {n}"})
        for number, visitor in enumerate(officers)
    ]
    answers = at_once(jobs)
    assert Counter(answer.status for answer in answers) == {303: 1, 409: MANY - 1}
    session.rollback()
    first = next(n for n, answer in enumerate(answers) if answer.status == 303)
    assert case.address == f"Jl. Nomor {first}"
    assert [event.kind for event in case.events].count("edited") == 1


def test_one_of_twenty_starts_the_work(
    make_case: CaseMaker,
    session: Session,
    visit: Callable[[str], Visitor],
    user: Callable[..., User],
) -> None:
    case = make_case("siak_check")
    officers = [visit("operator" if number % 2 else "operator2") for number in range(MANY)]
    path = f"/complaints/start/{case.id}"
    answers = at_once(
        [lambda v=visitor: v.post(path, {}, Accept="application/json") for visitor in officers]
    )
    assert {answer.status for answer in answers} <= {303, 409}
    session.rollback()
    holder = case.assignee.username
    for number, answer in enumerate(answers):
        mine = holder == ("operator" if number % 2 else "operator2")
        assert answer.status == (303 if mine else 409) or mine, answer.text
    assert case.runs[-1].started_by_id == user(holder).id


def test_two_servers_over_one_database(
    make_app: Callable[..., Flask], make_case: CaseMaker, session: Session
) -> None:
    """Nothing that decides is remembered in a process: two of them decide alike."""
    case = make_case("printing")
    version = str(case.version)
    session.commit()
    apps = [make_app(), make_app()]
    with served(apps[0]) as one, served(apps[1]) as two:
        officers = [
            Visitor(apps[number % 2], (one, two)[number % 2], "operator") for number in range(10)
        ]
        path = f"/complaints/action/confirm_printed/{case.id}"
        answers = at_once(
            [
                lambda v=visitor: v.post(path, {"version": version}, Accept="application/json")
                for visitor in officers
            ]
        )
    assert Counter(answer.status for answer in answers) == {303: 1, 409: 9}
    session.rollback()
    assert case.step_key == "dispatch"
