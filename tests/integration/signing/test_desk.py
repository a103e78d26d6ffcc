"""The page of what waits: a look at each, what is missing, and a bounded number of statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.models import Complaint
from tests.support.cases import CaseMaker
from tests.support.looking import page_faults
from tests.support.signing import Desk


def test_an_empty_desk_says_why(desk: Desk, make_case: CaseMaker) -> None:
    make_case("certification")
    page = desk.page()
    assert 'class="empty"' in page
    assert 'name="passphrase"' not in page
    assert page_faults(page) == []


def test_each_paper_can_be_looked_at_before_it_is_signed(
    desk: Desk, waiting: Callable[..., list[Complaint]], papers: Any
) -> None:
    (case,) = waiting(1)
    page = desk.page()
    for paper in papers(case):
        (draft,) = [d for d in paper.documents if d.stage == "draft"]
        assert f"/documents/file/{draft.public_id}" in page
    assert case.number in page
    assert 'autocomplete="off"' in page
    assert page_faults(page) == []


def test_a_draft_of_the_kind_counts_for_the_paper(
    desk: Desk, make_case: CaseMaker, papers: Any, session: Session
) -> None:
    """As it is added beside the work forms: of a kind, not of a paper."""
    case = make_case("signing")
    for paper in papers(case):
        make_case.attach(case, "draft", "subkoordinator", kind=paper.kind, scan=True)
    session.commit()
    desk.run(desk.start([case]))
    assert desk.step_of(case) == "printing"


def test_a_picture_is_no_draft_to_be_signed(
    desk: Desk, make_case: CaseMaker, papers: Any, session: Session
) -> None:
    case = make_case("signing")
    for paper in papers(case):
        make_case.attach(case, "draft", "subkoordinator", output_id=paper.id)
    session.commit()
    desk.start([case])
    assert {item.error for item in desk.items()} == {"no_draft"}


def test_a_case_whose_papers_are_all_signed_just_moves_on(
    desk: Desk, make_case: CaseMaker, session: Session
) -> None:
    case = make_case("signing")
    make_case.record_facts(case, "sign")
    session.commit()
    files = len(case.documents)
    desk.run(desk.start([case]))
    assert desk.step_of(case) == "printing"
    assert len(case.documents) == files


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"case": ""},
        {"case": "x"},
        {"case": "999999999"},
        {"case": "99999999999999999999"},
        {"case": "1", "version_1": "-1"},
        {"case": ["1", "1"], "version_1": "\0"},
        {"form_key": "made up", "case": "\u0661"},
    ],
)
def test_a_malformed_choice_is_refused_and_starts_nothing(
    desk: Desk, session: Session, data: dict[str, Any]
) -> None:
    answer = desk.post(desk.client, "/signing/start", data)
    assert answer.status_code in (303, 404)
    assert "/signing/batch/" not in (answer.location or "")


@pytest.mark.both
@pytest.mark.parametrize("part", ["", "/next", "/sign"])
@pytest.mark.parametrize("name", ["x", "..", "%00", "a" * 300, "%F0%9F%98%80"])
def test_a_made_up_batch_is_not_there(desk: Desk, name: str, part: str) -> None:
    url = f"/signing/batch/{name}{part}"
    answer = desk.post(desk.client, url, {}) if part else desk.client.get(url)
    assert answer.status_code in (404, 405)


def test_more_cases_need_no_more_statements(
    desk: Desk, waiting: Callable[..., list[Complaint]], sql_count: Any
) -> None:
    waiting(1)
    desk.page()
    with sql_count() as one:
        desk.page()
    waiting(4)
    with sql_count() as five:
        desk.page()
    assert len(five) == len(one) <= 16


def test_an_onlooker_is_not_told_that_he_is_no_signatory(
    waiting: Callable[..., list[Complaint]], login: Any, post: Any
) -> None:
    (case,) = waiting(1)
    client = login("petugas")
    post(client, "/lang/en", {})
    page = client.get(f"/complaints/show/{case.id}").text
    assert "is not signed yet" in page
    assert "signatory" not in page
