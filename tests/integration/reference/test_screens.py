"""Every reference screen: who may change it, lists, searches, and what is never deleted."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.panel import OFFICERS
from tests.support.reference import MODELS, Login, add, count


@pytest.mark.parametrize("key", [key for key in OFFICERS if key != "admin"])
def test_only_the_administrator_changes_reference_data(
    login: Login, post: Any, session: Session, key: str
) -> None:
    client = login(key)
    for screen in (*MODELS, "office", "standard_minutes"):
        assert client.get(f"/reference/{screen}/list/").status_code == 403
    for screen, model in MODELS.items():
        before = count(session, model)
        assert add(post, client, screen).status_code == 403
        assert count(session, model) == before


@pytest.mark.parametrize("screen", MODELS)
def test_a_screen_lists_adds_shows_and_edits(
    admin: FlaskClient, post: Any, session: Session, screen: str
) -> None:
    before = count(session, MODELS[screen])
    assert admin.get(f"/reference/{screen}/list/").status_code == 200
    assert admin.get(f"/reference/{screen}/add").status_code == 200
    answer = add(post, admin, screen)
    assert answer.status_code == 303, answer.text[:2000]
    assert count(session, MODELS[screen]) == before + 1
    page = admin.get(answer.location)
    assert page.status_code == 200
    assert "None" not in page.text
    assert admin.get(answer.location.replace("show", "edit")).status_code == 200


@pytest.mark.parametrize("screen", [s for s in MODELS if s not in ("holidays", "working_hours")])
def test_what_cases_may_name_is_never_deleted(
    admin: FlaskClient, post: Any, session: Session, screen: str
) -> None:
    before = count(session, MODELS[screen])
    key = session.scalars(select(MODELS[screen].__mapper__.primary_key[0])).first()
    assert post(admin, f"/reference/{screen}/delete/{key}").status_code in (404, 405)
    assert count(session, MODELS[screen]) == before


@pytest.mark.parametrize("screen", MODELS)
def test_a_list_is_searched_filtered_and_sorted(admin: FlaskClient, screen: str) -> None:
    for query in (
        "q=a",
        "q=%25",
        "q=2026",
        "q=0000",
        "_flt_0_active=1",
        "_flt_0_kind=desa",
        "_flt_0_parent_code=33.25.01",
        "_flt_0_weekday=1",
        "_flt_0_legal_class=complaint",
        "_flt_0_certainty=perkiraan",
        "_flt_0_nothing=1",
        "_flt_9_active=1",
        "_flt_0_weekday=x",
    ):
        assert admin.get(f"/reference/{screen}/list/?{query}").status_code == 200, query


@pytest.mark.both
@pytest.mark.parametrize("screen", [*MODELS, "standard_minutes"])
def test_a_list_takes_at_most_ten_statements(
    admin: FlaskClient, sql_count: Any, screen: str
) -> None:
    with sql_count() as statements:
        assert admin.get(f"/reference/{screen}/list/").status_code == 200
    assert len(statements) <= 10
