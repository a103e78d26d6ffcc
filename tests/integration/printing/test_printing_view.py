"""The pages of printing and of the blank stock: what they ask, refuse, and hand to the printer."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import BlankEntry, BlankWait, Complaint, DocumentKind, PrintBatch, PrintRun
from tests.support.blanks import card_case, leave, paper, stock_of
from tests.support.cases import CaseMaker
from tests.support.panel import BLANKS

Post = Callable[..., Any]


@pytest.fixture
def operator(login: Callable[[str], FlaskClient]) -> FlaskClient:
    return login("operator")


def form_key(page: str) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', page)
    assert found, page[:2000]
    return found[1]


def start(client: FlaskClient, post: Post, session: Session, *cases: Complaint) -> PrintBatch:
    """A batch of all papers of the cases, made on the page."""
    outputs = [str(o.id) for case in cases for o in case.outputs]
    key = form_key(client.get("/printing/").text)
    answer = post(client, "/printing/start", {"output": outputs, "form_key": key})
    assert answer.status_code == 303, answer.text
    session.expire_all()
    return session.scalars(select(PrintBatch).order_by(PrintBatch.id.desc())).first()  # type: ignore[return-value]


def count(session: Session, model: Any) -> int:
    session.commit()
    return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.both
def test_from_the_list_to_the_dispatch(
    operator: FlaskClient, post: Post, session: Session, make_case: CaseMaker
) -> None:
    case = make_case("printing", category="KK")
    assert case.number in operator.get("/printing/").text
    batch = start(operator, post, session, case)
    page = operator.get(f"/printing/batch/{batch.public_id}").text
    key = form_key(page)
    url = f"/printing/answer/{batch.public_id}"
    answer = post(operator, url, {"all": "good", "form_key": key})
    assert (answer.status_code, answer.location) == (303, "/printing/")
    assert post(operator, url, {"all": "good", "form_key": key}).status_code == 303
    session.expire_all()
    assert case.step_key == "dispatch"
    assert count(session, PrintRun) == 1, "sent twice, counted once"


def test_the_pdf_is_for_this_moment_only(
    operator: FlaskClient, post: Post, session: Session, make_case: CaseMaker,
    login: Callable[[str], FlaskClient],
) -> None:  # fmt: skip
    cases = [make_case("printing", category="KK") for _ in range(2)]
    batch = start(operator, post, session, *cases)
    answer = operator.get(f"/printing/file/{batch.public_id}")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("inline")
    with pikepdf.open(io.BytesIO(answer.data)) as pdf:
        assert len(pdf.pages) >= 2
    for path in ("batch", "file"):
        url = f"/printing/{path}/{batch.public_id}"
        assert login("operator2").get(url).status_code == 404
        assert login("petugas").get(url).status_code == 403
    assert operator.get("/printing/file/" + "x" * 22).status_code == 404


def test_a_spoiled_print_wants_its_reason_beside_it(
    operator: FlaskClient, post: Post, session: Session, make_case: CaseMaker
) -> None:
    case = make_case("printing", category="KK")
    batch = start(operator, post, session, case)
    item, url = batch.items[0].id, f"/printing/answer/{batch.public_id}"
    answer = post(operator, url, {f"result_{item}": "spoiled", f"reason_{item}": " "})
    assert answer.status_code == 422
    assert f'href="#reason-{item}"' in answer.text
    assert post(operator, url, {}).status_code == 422, "nothing was answered"
    assert count(session, PrintRun) == 0
    more = {f"result_{item}": "spoiled", f"reason_{item}": "miring"}
    assert post(operator, url, more).status_code == 303
    assert session.scalars(select(PrintRun.reason)).all() == ["miring"]
    assert "miring" in operator.get(f"/complaints/show/{case.id}").text


def test_a_batch_is_put_away_without_counting_anything(
    operator: FlaskClient, post: Post, session: Session, make_case: CaseMaker
) -> None:
    case = make_case("printing", category="KK")
    batch = start(operator, post, session, case)
    assert post(operator, f"/printing/close/{batch.public_id}").status_code == 303
    assert count(session, PrintRun) == 0
    assert case.number in operator.get("/printing/").text


def test_once_more_from_the_page_of_a_finished_case(
    operator: FlaskClient, post: Post, session: Session, make_case: CaseMaker,
    login: Callable[[str], FlaskClient],
) -> None:  # fmt: skip
    case = make_case("done", category="KK")
    url = f"/printing/reprint/{case.outputs[0].id}"
    page = operator.get(f"/complaints/show/{case.id}").text
    assert f'action="{url}"' in page
    assert f'action="{url}"' not in login("petugas").get(f"/complaints/show/{case.id}").text
    assert post(operator, url, {"reason": " "}).status_code == 303, "refused with a sentence"
    assert count(session, PrintBatch) == 0
    key = form_key(page)
    for _ in range(2):
        answer = post(operator, url, {"reason": "KK hilang di jalan", "form_key": key})
        assert "/printing/batch/" in answer.location
    assert count(session, PrintBatch) == 1
    batch = session.scalars(select(PrintBatch)).one()
    post(operator, f"/printing/answer/{batch.public_id}", {"all": "good"})
    page = operator.get(f"/complaints/show/{case.id}").text
    assert page.count("KK hilang di jalan") >= 2, "at the paper and in the history"


# --- every other way to print keeps the same rule ---


def test_the_work_form_refuses_without_a_card_and_keeps_the_place(
    operator: FlaskClient, post: Post, session: Session, make_case: CaseMaker
) -> None:
    case = card_case(make_case)
    leave(session, 0)
    output = paper(session, case)
    answer = post(
        operator,
        f"/complaints/work/{case.id}",
        {"transition": "confirm_printed", "shown": "1", "step": "printing",
         "version": str(case.version), f"print_{output.id}": "good"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "Blangko KTP-el" in answer.text
    session.expire_all()
    assert (case.step_key, count(session, PrintRun), count(session, BlankWait)) == (
        "printing",
        0,
        1,
    )
    assert "Blangko KTP-el" in operator.get("/printing/").text


def test_the_case_s_own_button_refuses_and_keeps_the_place(
    operator: FlaskClient, post: Post, session: Session, make_case: CaseMaker
) -> None:
    case = card_case(make_case)
    leave(session, 0)
    answer = post(operator, f"/complaints/action/confirm_printed/{case.id}")
    assert answer.status_code == 303
    session.expire_all()
    assert (case.step_key, count(session, PrintRun), count(session, BlankWait)) == (
        "printing",
        0,
        1,
    )
    key = form_key(operator.get("/printing/").text)
    chosen = {"output": str(paper(session, case).id), "form_key": key}
    assert post(operator, "/printing/start", chosen).location == "/printing/"
    assert count(session, PrintBatch) == 0
    assert count(session, BlankWait) == 1


# --- the stock ---


def test_booking_on_the_page(operator: FlaskClient, post: Post, session: Session) -> None:
    stock = stock_of(session)
    url = f"/blank-stock/book/{stock.id}"
    page = operator.get(url).text
    lines = count(session, BlankEntry)
    key = form_key(page)
    for _ in range(2):
        more = {"kind": "received", "quantity": "25", "note": "BA 12", "form_key": key}
        assert post(operator, url, more).status_code == 303
    assert (stock_of(session).balance, count(session, BlankEntry)) == (BLANKS + 25, lines + 1)
    page = operator.get(f"/blank-stock/show/{stock.id}").text
    assert "BA 12" in page
    assert "+25" in page
    wrong = {"kind": "counted", "quantity": "3", "seen_balance": str(BLANKS + 25)}
    answer = post(operator, url, wrong)
    assert answer.status_code == 422, "a count that differs says why"
    for seen in ("", "9" * 5000):
        more = {**wrong, "seen_balance": seen, "note": "hitung"}
        assert post(operator, url, more).status_code == 422, "compared with nothing"
    assert stock_of(session).balance == BLANKS + 25


def test_the_line_names_cases_only_to_who_may_list_them(
    login: Callable[[str], FlaskClient], post: Post, session: Session, make_case: CaseMaker
) -> None:
    case = card_case(make_case)
    leave(session, 0)
    post(login("operator"), f"/complaints/action/confirm_printed/{case.id}")
    url = f"/blank-stock/show/{stock_of(session).id}"
    for officer, named in (("operator", True), ("subkoordinator", True), ("admin", False)):
        page = login(officer).get(url)
        assert page.status_code == 200
        assert (case.number in page.text) is named, officer
        assert case.applicant_name not in page.text


def test_an_administrator_says_on_which_card_a_paper_is_printed(
    login: Callable[[str], FlaskClient], post: Post, session: Session
) -> None:
    admin, kind = (
        login("admin"),
        session.scalars(select(DocumentKind).where(DocumentKind.code == "kia")).one(),
    )
    url, stock = f"/reference/document_kinds/edit/{kind.id}", stock_of(session)
    assert post(admin, url, {"blank_id": str(stock.id)}).status_code == 303
    session.refresh(kind)
    assert kind.blank_id == stock.id
    assert "Blangko KTP-el" in admin.get(f"/reference/document_kinds/show/{kind.id}").text
    assert post(admin, url, {"blank_id": ""}).status_code == 303
    session.refresh(kind)
    assert kind.blank_id is None
    assert post(admin, url, {"blank_id": "999"}).status_code == 422
    brought = session.scalars(select(DocumentKind).where(DocumentKind.code == "kk_asli")).one()
    answer = post(
        admin, f"/reference/document_kinds/edit/{brought.id}", {"blank_id": str(stock.id)}
    )
    assert answer.status_code == 422
