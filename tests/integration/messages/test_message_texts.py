"""The office's texts: placeholders are checked on saving, and the preview follows the typing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.models import MessageText

LIST = "/reference/message-texts/list/"


@pytest.fixture
def text(session: Any) -> Any:
    """`text("receipt", "email")`: the row of an occasion and way."""

    def read(occasion: str, way: str) -> MessageText:
        session.commit()
        session.expire_all()
        return session.scalars(
            select(MessageText).where(MessageText.occasion == occasion, MessageText.way == way)
        ).one()

    return read


def url(row: MessageText) -> str:
    return f"/reference/message-texts/edit/{row.id}"


@pytest.mark.parametrize(
    ("way", "data", "said"),
    [
        pytest.param("email", {"body": "Nomor {nomer}"}, "{nomer}", id="unknown placeholder"),
        pytest.param(
            "email", {"subject": "{resi}"}, "{resi}", id="of another occasion, in subject"
        ),
        pytest.param("email", {"body": "{nama"}, "nama", id="a brace alone"),
        pytest.param("email", {"subject": ""}, "subject", id="an e-mail without subject"),
        pytest.param("whatsapp", {"body": "  "}, "body", id="nothing to say"),
        pytest.param("whatsapp", {"body": "x" * 2001}, "body", id="too long"),
        pytest.param("whatsapp", {"body": "a\x00b"}, "body", id="a control character"),
    ],
)
def test_a_text_with_a_mistake_is_not_saved(
    text: Any, login: Any, post: Any, way: str, data: dict[str, str], said: str
) -> None:
    row = text("receipt", way)
    before = (row.subject, row.body)
    whole = {"subject": row.subject, "body": row.body, "active": "y", "shown": "1", **data}
    answer = post(login("admin"), url(row), whole)
    assert answer.status_code == 422
    assert "has-error" in answer.text
    assert said in answer.text
    row = text("receipt", way)
    assert (row.subject, row.body) == before


def test_a_good_text_is_saved_with_its_lines(text: Any, login: Any, post: Any) -> None:
    row = text("finished", "email")
    data = {"subject": "Selesai {nomor}", "body": "Yth. {nama},\r\n\r\nResi {resi}", "shown": "1"}
    assert post(login("admin"), url(row), data).status_code == 303
    row = text("finished", "email")
    assert (row.subject, row.body) == ("Selesai {nomor}", "Yth. {nama},\n\nResi {resi}")
    assert row.active is False, "the box was not ticked"


def test_a_whatsapp_text_never_gets_a_subject(text: Any, login: Any, post: Any) -> None:
    row = text("receipt", "whatsapp")
    data = {"subject": "Hai", "body": "Nomor {nomor}", "active": "y", "shown": "1"}
    assert post(login("admin"), url(row), data).status_code == 303
    assert text("receipt", "whatsapp").subject == ""


def test_the_pages_show_what_the_applicant_reads(text: Any, login: Any) -> None:
    admin = login("admin")
    row = text("returned", "whatsapp")
    assert admin.get(LIST).status_code == 200
    page = admin.get(url(row)).text
    assert "Yth. Sri Wahyuni," in page
    assert 'name="subject"' not in page
    assert "1. Foto KK asli: belum ada" in admin.get(f"/reference/message-texts/show/{row.id}").text


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1366])
def test_the_preview_follows_the_typing(page: Any, text: Any, width: int) -> None:
    from tests.support.browser import axe_violations, overflow

    window = page("admin", width=width, height=844)
    window.goto(url(text("receipt", "email")))
    body, preview = window.locator("#body"), window.locator("[data-preview=body]")
    unknown = window.locator("[data-preview-unknown]")
    body.fill("Nomor {nomor} <b>")
    assert preview.inner_text() == "Nomor PGD-2026-000123 <b>"
    assert not unknown.is_visible()
    body.fill("Nomor {nomer}")
    assert "{nomer}" in unknown.inner_text()
    body.fill("")
    window.locator("[data-insert='{pin}']").click()
    assert body.input_value() == "{pin}"
    assert preview.inner_text() == "481205"
    assert axe_violations(window) == []
    assert overflow(window) == []
    window.locator(".form-buttons button.btn-primary").click()
    window.wait_for_url("**/reference/message-texts/show/*")
    assert text("receipt", "email").body == "{pin}"
