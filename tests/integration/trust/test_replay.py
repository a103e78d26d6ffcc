"""Every form of each role, sent again by each other role and by nobody, and with what is not theirs.

ASVS 8.2.1, 8.2.2, 8.3.1, b18, b19. What is sent is what the pages really hold (`day_work`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models import Complaint, Model, Role
from tests.conftest import new_app
from tests.integration.access_matrix import LETTERS, routes
from tests.integration.test_access_matrix import ACTORS
from tests.support.busy_office import BusyOffice, at_work
from tests.support.day_work import TRACES, Sent, a_day, changed, fingerprint
from tests.support.panel import engine_of
from tests.support.world import World

#: Routes that no form of this day leads to, with the tests that send to them.
ELSEWHERE = {
    "/breaches/add": "test_breaches: by the head and Admin TI, and refused to the others",
    "/personal-data/erase": "test_person_data",
    "/personal-data/export": "test_person_data",
    "/personal-data/find": "test_person_data",
    "/check/": "test_asking: a number and a PIN",
    "/complaints/identity": "tests of registration: JSON, no form",
    "/login/": "test_sign_in",
    "/login/code/": "test_second_factor",
    "/second-factor/confirm": "test_second_factor: needs a code of this minute",
    "/second-factor/recovery": "test_second_factor",
    "/second-factor/remove": "test_second_factor",
    "/second-factor/replace": "test_second_factor",
    "/sessions/seen/<int:pk>": "test_my_sessions: a new device",
    "/signing/batch/<public_id>/fetch/<int:position>": "tests of signing: a service that was silent",
    "/signing/batch/<public_id>/release/<int:position>": "tests of signing",
}
#: Routes that only tell, remember a wish, or lead on: they change no row of the office.
ONLY_TELL = {
    "/complaints/reveal/<pk>", "/complaints/search",
    "/complaints/tracking", "/complaints/action_post", "/confirm/", "/desk/check",
    "/dispatches/search", "/documents/original/<public_id>", "/documents/search", "/lang/<string:locale>", "/messages/search",
    "/search/", "/search/find", "/sessions/end-others", "/sessions/end/<int:pk>",
    "/sessions/stay", "/users/action/<string:name>/<pk>", "/user-sign-ins/<pk>/let-in",
}  # fmt: skip


@pytest.fixture(scope="module")
def office(
    world: World, shared_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BusyOffice]:
    with at_work(new_app, world, shared_folder, tmp_path_factory.mktemp("busy")) as made:
        yield made


@pytest.fixture(scope="module")
def day(office: BusyOffice) -> list[Sent]:
    return a_day(office)


def test_the_day_is_a_whole_one(day: list[Sent]) -> None:
    """Every route was sent to by somebody and taken, and what is to change something did."""
    there = {rule for method, rule in routes() if method == "POST"}
    # Lists of reference rows have no actions: `test_access_matrix` has them answer 404 to all.
    there = {rule for rule in there if "/action" not in rule or rule.startswith("/complaints")}
    assert there - {sent.rule for sent in day} == set(ELSEWHERE)
    assert {sent.rule for sent in day} - {s.rule for s in day if s.changed} == ONLY_TELL
    moved = {move_of(sent) for sent in day if {"complaint", "case_event"} <= sent.changed}
    assert set().union(*ACTORS.values()) - moved == set()


def move_of(sent: Sent) -> str:
    """The transition that a form asked for."""
    button = dict(sent.request.data).get("transition", "")
    return button or (
        "send" if "/desk/send/" in sent.request.url else sent.request.url.split("/")[-2]
    )


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: LETTERS[letter] or "nobody")
def test_asvs_b18_what_another_role_sends_changes_nothing(
    office: BusyOffice, day: list[Sent], letter: str
) -> None:
    """With his own token and the right versions: a refusal, and every table as it was."""
    office.reset()
    before, wrong, number = fingerprint(office), [], 0
    for sent in day:
        if letter in (sent.letter, *routes()[("POST", sent.rule)]) or leads_to_oneself(sent):
            continue
        answer = office.send(sent.request.replaced(who=LETTERS[letter]))
        number += 1
        if not refused(answer, letter) or changed(before, fingerprint(office)):
            wrong.append(said(sent, answer, changed(before, fingerprint(office))))
            office.reset()
    assert not wrong, "\n".join(wrong)
    assert number >= 40


def leads_to_oneself(sent: Sent) -> bool:
    """Whoever presses it, and whatever number stands in it, comes to his own account."""
    return sent.request.url.startswith(
        ("/users/action/resetmypassword/", "/users/action/userinfoedit/")
    )


def refused(answer: TestResponse, letter: str) -> bool:
    if letter == "-":
        led = answer.status_code in (302, 303) and (answer.location or "").startswith("/login/")
        return led or answer.status_code == 401
    return answer.status_code == 403


def said(sent: Sent, answer: TestResponse, tables: frozenset[str]) -> str:
    what = {name: value for name, value in sent.request.data if name in ("action", "transition")}
    return f"{sent.letter} {sent.request.url} {what}: {answer.status} {sorted(tables)}"


#: Routes that several roles have, where a row belongs to one of them or to the step of one.
OF_SOMEBODY = (
    "/complaints/action/", "/complaints/work/", "/complaints/start/", "/complaints/pause/",
    "/complaints/resume/", "/complaints/batch", "/complaints/action_post", "/import/<",
    "/reports/<", "/uploads/<", "/signing/batch/", "/printing/", "/sessions/end/<",
)  # fmt: skip


@pytest.mark.parametrize("letter", "POSKBA")
def test_asvs_b19_nor_who_has_the_route_but_not_the_row(
    office: BusyOffice, day: list[Sent], letter: str
) -> None:
    """The step of another lane; another officer's report, batch, upload and session."""
    office.reset()
    before, wrong = fingerprint(office), []
    sessions = sessions_that_run(office)
    for sent in day:
        if sent.letter == letter or letter not in routes()[("POST", sent.rule)]:
            continue
        if not sent.rule.startswith(OF_SOMEBODY):
            continue
        answer = office.send(sent.request.replaced(who=LETTERS[letter]))
        tables = changed(before, fingerprint(office))
        # A batch answers with its result: refused by name, nothing done.
        if tables or (answer.status_code in (200, 201, 204) and "batch" not in sent.rule):
            wrong.append(said(sent, answer, tables))
            office.reset()
    assert not wrong, "\n".join(wrong)
    assert sessions_that_run(office) == sessions


def sessions_that_run(office: BusyOffice) -> int:
    from app.models import SignInSession

    with Session(engine_of(office.app)) as session:
        return len(
            session.scalars(select(SignInSession).where(SignInSession.ended_at.is_(None))).all()
        )


def test_asvs_b19_a_colleague_of_the_same_role_neither(office: BusyOffice, day: list[Sent]) -> None:
    """Two of a role share cases, not what one of them has in his hands."""
    office.reset()
    before, wrong, number = fingerprint(office), [], 0
    own = ("/import/<", "/reports/<", "/uploads/<", "/sessions/end/<")
    for sent in day:
        if sent.letter == "P" and sent.rule.startswith(own):
            number += 1
            answer = office.send(sent.request.replaced(who="petugas2"))
            tables = changed(before, fingerprint(office))
            if answer.status_code != 404 or tables:
                wrong.append(said(sent, answer, tables))
                office.reset()
    for url in (
        "import/{import}",
        "reports/{report}",
        "reports/{report}/progress",
        "uploads/{upload}",
    ):
        number += 1
        page = office.client("petugas2").get("/" + url.format(**office.places))
        if page.status_code != 404:
            wrong.append(f"GET {url}: {page.status}")
    assert not wrong, "\n".join(wrong)
    assert number >= 7


# --- more than the form has ----------------------------------------------------------------------

MARK = "424242"
#: Words that some routes ask for without a form around them, when no reason is wanted.
ASKED_FOR = frozenset({"reason", "note", "from", "to"})


def test_asvs_15_3_3_a_field_that_the_form_has_not_reaches_no_row(
    office: BusyOffice, day: list[Sent]
) -> None:
    """Every column there is, sent along with every form: step, version, number, owner, role."""
    columns = {column.name for table in Model.metadata.tables.values() for column in table.columns}
    assert {"id", "step_key", "version", "number", "assignee_id", "confidential"} <= columns
    wrong, number = [], 0
    for sent in day:
        if not sent.changed:
            continue
        names = {name for name, _value in sent.request.data} | ASKED_FOR
        more = tuple((name, MARK) for name in sorted(columns - names))
        office.reset()
        answer = office.send(sent.request.replaced(data=(*sent.request.data, *more)))
        number += answer.status_code == sent.status  # it was taken as it was without them
        wrong += [f"{sent.letter} {sent.request.url}: {cell}" for cell in cells_with(office, MARK)]
    assert not wrong, "\n".join(wrong)
    assert number >= 60


def cells_with(office: BusyOffice, mark: str) -> list[str]:
    """The columns in which it stands, besides the log of who was there."""
    found = set()
    with closing(sqlite3.connect(office.file)) as connection:
        for table in set(Model.metadata.tables) - TRACES:
            rows = connection.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in rows.description]
            for row in rows:
                found |= {f"{table}.{name}" for name, cell in zip(names, row, strict=True) if str(cell) == mark}  # fmt: skip
    return sorted(found)


# --- confidential cases --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hidden(office: BusyOffice, day: list[Sent]) -> Iterator[BusyOffice]:
    """The same moment, but every case is confidential, and nobody may see such."""
    office.reset()
    with Session(engine_of(office.app)) as session:
        session.execute(update(Complaint).values(confidential=True))
        for role in session.scalars(select(Role)):
            role.permissions = [
                row for row in role.permissions if row.permission.name != "see_confidential"
            ]
        session.commit()
    yield office
    office.reset()


#: What of a case a form may change: nothing of it, when the case is not there for him.
OF_CASES = frozenset(
    {
        "complaint", "case_event", "requirement_check", "siak_check", "document", "dispatch",
        "case_output", "step_run", "print_run", "message", "document_signature", "pause", "case_word",
    }
)  # fmt: skip
#: They make a new case, or stop a whole step without naming a case.
NAMES_NO_CASE = ("/complaints/add", "/import/<", "/queue/")


@pytest.mark.parametrize("letter", "POSK")
def test_asvs_b19_no_form_reaches_a_confidential_case(
    hidden: BusyOffice, day: list[Sent], letter: str
) -> None:
    """Every form that an officer sent about cases, when they are confidential: not there."""
    before, wrong, number = fingerprint(hidden), [], 0
    for sent in day:
        touched = sent.changed & OF_CASES
        if sent.letter != letter or not touched or sent.rule.startswith(NAMES_NO_CASE):
            continue
        number += 1
        answer = hidden.send(sent.request)
        tables = changed(before, fingerprint(hidden)) & OF_CASES
        # A batch is his own, and says of each case that it is not there.
        named = "<pk>" in sent.rule or "/documents/" in sent.rule
        if tables or (named and answer.status_code != 404):
            wrong.append(said(sent, answer, tables))
    assert not wrong, "\n".join(wrong)
    assert number >= 5
