"""Codes, the papers of a category, and what a paper is used for."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Category, Channel, DocumentKind
from tests.support.cases import CaseMaker
from tests.support.reference import MODELS, RIGHT, Data, Login, add, edit, errors, ids


@pytest.mark.parametrize("screen", ["document_kinds", "categories", "channels", "couriers"])
def test_a_code_is_not_changed_afterwards(
    admin: FlaskClient, post: Any, session: Session, screen: str
) -> None:
    row = session.scalars(select(MODELS[screen]).order_by(MODELS[screen].id)).first()
    assert row is not None
    code, pk = row.code, row.id
    assert 'name="code"' not in admin.get(f"/reference/{screen}/edit/{pk}").text
    edit(post, admin, screen, pk, {**RIGHT[screen], "code": "anders"})
    session.expire_all()
    assert session.get_one(MODELS[screen], pk).code == code


@pytest.mark.both
def test_a_category_keeps_its_papers_in_rows(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    answer = add(
        post,
        admin,
        "categories",
        required_kinds=ids(session, "kk_asli", "ktp_asli"),
        supporting_kinds=ids(session, "ijazah"),
        output_kinds=ids(session, "kk_baru"),
    )
    assert answer.status_code == 303
    category = session.scalars(select(Category).where(Category.code == "UJI")).one()
    assert [(row.kind.code, row.required) for row in category.requirements] == [
        ("kk_asli", True),
        ("ktp_asli", True),
        ("ijazah", False),
    ]
    assert [row.kind.code for row in category.outputs] == ["kk_baru"]
    kept = {row.kind.code: (row.id, row.position) for row in category.requirements}

    answer = edit(
        post,
        admin,
        "categories",
        category.id,
        {
            **RIGHT["categories"],
            "required_kinds": ids(session, "ktp_asli", "ijazah"),
            "output_kinds": ids(session, "kk_baru", "ktp_el"),
        },
    )
    assert answer.status_code == 303
    session.expire_all()
    now = {row.kind.code: row for row in category.requirements}
    assert set(now) == {"ktp_asli", "ijazah"}
    assert now["ijazah"].required, "the same row, now needed"
    assert {code: (row.id, row.position) for code, row in now.items()} == {
        code: kept[code] for code in now
    }
    assert {row.kind.code for row in category.outputs} == {"kk_baru", "ktp_el"}
    page = admin.get(f"/reference/categories/show/{category.id}").text
    assert "Foto ijazah" in page


def test_a_paper_is_needed_or_welcome_not_both(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    twice = ids(session, "kk_asli")
    answer = add(post, admin, "categories", required_kinds=twice, supporting_kinds=twice)
    assert answer.status_code == 422
    assert "Foto KK asli" in errors(answer.text, "supporting_kinds")


def test_a_short_post_leaves_the_papers_alone(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    category = session.scalars(select(Category).where(Category.code == "BEDA_DATA")).one()
    before = [(row.kind_id, row.required) for row in category.requirements]
    assert before
    url = f"/reference/categories/edit/{category.id}"
    assert post(admin, url, {"label_en": "Another name"}).status_code == 303
    session.expire_all()
    assert [(row.kind_id, row.required) for row in category.requirements] == before
    assert category.label_en == "Another name"
    assert category.label_id


def test_a_paper_keeps_the_use_that_categories_name_it_for(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    (pk,) = ids(session, "kk_asli")
    data = {"label_id": "Foto KK asli", "is_output": "y", "position": "10", "active": "y"}
    answer = edit(post, admin, "document_kinds", pk, data)
    assert answer.status_code == 422
    assert errors(answer.text, "is_requirement")
    session.expire_all()
    assert session.get_one(DocumentKind, int(pk)).is_requirement


@pytest.mark.parametrize(
    ("ticks", "field"),
    [
        pytest.param({}, "is_output", id="neither brought nor issued"),
        pytest.param(
            {"is_requirement": "y", "needs_signature": "y"}, "needs_signature", id="signed"
        ),
    ],
)
def test_a_paper_has_a_use(admin: FlaskClient, post: Any, ticks: Data, field: str) -> None:
    answer = add(post, admin, "document_kinds", **{"is_requirement": None, **ticks})
    assert answer.status_code == 422
    assert errors(answer.text, field)


def test_an_entry_not_in_use_stays_with_old_cases(
    admin: FlaskClient, login: Login, post: Any, session: Session, make_case: CaseMaker
) -> None:
    case = make_case()
    row = session.get_one(Channel, case.channel_id)
    data = {"label_id": row.label_id, "position": "20"}
    assert edit(post, admin, "channels", row.id, data).status_code == 303
    session.expire_all()
    assert not row.active
    page = login("petugas").get(f"/complaints/show/{case.id}")
    assert page.status_code == 200
    assert str(row) in page.text
