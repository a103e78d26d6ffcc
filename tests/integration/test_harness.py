"""What the other tests stand on does what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Complaint, Document, StepRun, User
from tests.support.cases import PATHS, CaseMaker
from tests.support.panel import OFFICERS, PASSWORD


@pytest.mark.both
def test_a_test_begins_with_an_office_without_cases(session: Session, backend: str) -> None:
    assert session.get_bind().dialect.name.startswith(backend)
    assert session.scalar(select(func.count()).select_from(User)) == len(OFFICERS)
    assert session.scalar(select(func.count()).select_from(Complaint)) == 0


@pytest.mark.parametrize("step", PATHS)
def test_a_case_is_made_in_any_step(make_case: CaseMaker, session: Session, step: str) -> None:
    case = make_case(step)
    assert case.step_key == step
    runs = session.scalars(select(StepRun).where(StepRun.complaint_id == case.id)).all()
    assert sum(run.finished_at is None for run in runs) == (
        1 if case.closed_at is None and step != "returned" else 0
    )
    assert session.scalar(select(func.count()).select_from(Document)) >= 2


@pytest.mark.both
def test_a_case_goes_all_the_way_on_both_databases(make_case: CaseMaker) -> None:
    assert make_case("done").closed_at is not None


def test_an_officer_is_signed_in(login: Callable[[str], Any]) -> None:
    answer = login("admin").get("/users/userinfo/")
    assert answer.status_code == 200
    assert OFFICERS["admin"].name in answer.text


def test_an_officer_signs_in_through_the_form(client: Any, post: Callable[..., Any]) -> None:
    answer = post(client, "/login/", {"username": "admin", "password": PASSWORD})
    assert answer.status_code == 303
    assert client.get("/users/userinfo/").status_code == 200


def test_a_form_without_its_token_is_refused(client: Any) -> None:
    answer = client.post("/login/", data={"username": "admin", "password": PASSWORD})
    assert answer.status_code == 400


@pytest.mark.browser
def test_a_browser_is_signed_in(page: Callable[..., Any]) -> None:
    window = page("admin")
    window.goto("/users/userinfo/")
    assert OFFICERS["admin"].name in window.content()
