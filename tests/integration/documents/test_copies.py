"""Working copies: who took it and when stands across it; the original for a reason, told."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pypdfium2
import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AuditEvent, Complaint, Document
from app.services.copies import MARKED_STAGES
from app.services.storage import Store
from tests.support import samples
from tests.support.documents import attach_file, take_away


@pytest.fixture
def case(make_case: Any) -> Complaint:
    found: Complaint = make_case("siak_check")
    return found


@pytest.fixture
def paper(session: Session, store: Store, case: Complaint, user: Any) -> Document:
    """A PDF of two pages that an applicant brought."""
    return attach_file(session, store, case, user("petugas"), "kk.pdf", samples.pdf(2))


@pytest.fixture
def photo(session: Session, store: Store, case: Complaint, user: Any) -> Document:
    return attach_file(session, store, case, user("petugas"), "ktp.jpg", samples.jpeg(900, 600))


def url_of(document: Document, what: str = "file") -> str:
    return f"/documents/{what}/{document.public_id}"


def words_in(data: bytes, page: int) -> str:
    document = pypdfium2.PdfDocument(data)
    try:
        text: str = document[page].get_textpage().get_text_bounded()
        return " ".join(text.split())
    finally:
        document.close()


@pytest.mark.both
@pytest.mark.parametrize("how", ["", "?download=1"], ids=["opened", "downloaded"])
def test_a_copy_says_who_took_it_when_and_of_which_case(
    login: Any,
    user: Any,
    store: Store,
    paper: Document,
    clock: Callable[[datetime], None],
    how: str,
) -> None:
    number, name, key = paper.complaint.number, user("operator").get_full_name(), paper.storage_key
    clock(datetime(2026, 11, 28, 17, 30, tzinfo=UTC))
    answer = login("operator").get(url_of(paper) + how)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    for page in (0, 1):
        text = words_in(answer.data, page)
        assert f"{name} (operator)" in text
        assert "29 Nov 2026 00.30 WIB" in text  # by the office's clock it is the next day
        assert number in text
    assert store.get(key) != answer.data
    headers = answer.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Disposition"].startswith("attachment;" if how else "inline;")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_each_officer_gets_a_copy_of_his_own(login: Any, photo: Document, store: Store) -> None:
    first, second = (login(who).get(url_of(photo)).data for who in ("operator", "petugas"))
    stored = store.get(photo.storage_key)
    assert len({first, second, stored}) == 3
    assert Image.open(io.BytesIO(first)).size == Image.open(io.BytesIO(stored)).size


@pytest.mark.parametrize("stage", ["requirement", "draft", "signed", "proof"])
def test_what_is_signed_or_will_be_is_never_touched(
    login: Any, session: Session, store: Store, paper: Document, stage: str
) -> None:
    paper.stage = stage
    session.commit()
    same = login("operator").get(url_of(paper)).data == store.get(paper.storage_key)
    assert same is (stage not in MARKED_STAGES)


def test_a_page_large_enough_to_read_is_marked_and_a_tile_is_not(
    login: Any, session: Session, paper: Document
) -> None:
    officer = login("operator")
    pages = {}
    for stage in ("draft", "requirement"):
        paper.stage = stage
        session.commit()
        for size in ("page", "small"):
            answer = officer.get(f"/documents/preview/{paper.public_id}/1?size={size}")
            pages[stage, size] = Image.open(io.BytesIO(answer.data)).convert("RGB")
    assert pages["draft", "small"].tobytes() == pages["requirement", "small"].tobytes()
    assert pages["draft", "page"].size == pages["requirement", "page"].size
    assert pages["draft", "page"].tobytes() != pages["requirement", "page"].tobytes()


def test_a_file_that_cannot_be_marked_says_why(
    login: Any, session: Session, store: Store, case: Complaint, user: Any, paper: Document
) -> None:
    # An import of an older release: the door refuses such a file today.
    locked = samples.pdf_encrypted("rahasia")
    other = attach_file(session, store, case, user("petugas"), "b.pdf", samples.pdf(3))
    import hashlib

    store.delete(other.storage_key)
    store.put(other.storage_key, locked)
    other.sha256 = hashlib.sha256(locked).hexdigest()
    session.commit()
    answer = login("operator").get(url_of(other))
    assert answer.status_code == 422
    assert answer.mimetype == "text/html"
    assert "kata sandi" in answer.text
    assert login("operator").get(url_of(paper)).status_code == 200


# --- the original --------------------------------------------------------------------------------


def told(session: Session) -> list[AuditEvent]:
    session.commit()
    return list(
        session.scalars(
            select(AuditEvent).where(AuditEvent.kind == "file_original").order_by(AuditEvent.id)
        )
    )


@pytest.mark.parametrize("reason", ["", "  ", "ok", "....---...", "\x00"])
def test_no_original_without_a_reason(
    login: Any, post: Any, session: Session, paper: Document, reason: str
) -> None:
    answer = post(login("operator"), url_of(paper, "original"), {"reason": reason})
    assert answer.status_code == 422
    assert 'id="reason-errors"' in answer.text
    assert told(session) == []


@pytest.mark.parametrize("who", ["petugas", "subkoordinator", "kepala", "kabid", "admin"])
def test_the_right_to_the_original_is_one_of_its_own(
    login: Any, post: Any, session: Session, paper: Document, who: str
) -> None:
    client = login(who)
    assert client.get(url_of(paper, "original")).status_code == 403
    sent = {"reason": "cetak kartu"}
    assert post(client, url_of(paper, "original"), sent).status_code == 403
    assert told(session) == []
    page = client.get(f"/documents/show/{paper.id}")
    assert url_of(paper, "original") not in page.text


@pytest.mark.both
def test_the_original_comes_unchanged_and_is_told_with_its_reason(
    login: Any, post: Any, session: Session, store: Store, user: Any, paper: Document
) -> None:
    operator = login("operator")
    assert url_of(paper, "original") in operator.get(f"/documents/show/{paper.id}").text
    sent = {"reason": "  Pas foto untuk cetak   KTP-el "}
    answer = post(operator, url_of(paper, "original"), sent)
    assert answer.status_code == 200
    assert answer.data == store.get(paper.storage_key)
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Cache-Control"] == "no-store"
    (row,) = told(session)
    assert (row.actor_id, row.subject) == (user("operator").id, f"document:{paper.public_id}")
    assert row.details == {
        "case": paper.complaint.number, "reason": "Pas foto untuk cetak KTP-el",
    }  # fmt: skip


def test_a_hidden_case_s_original_is_not_there(
    login: Any, post: Any, session: Session, make_case: Any
) -> None:
    secret = make_case("siak_check", hide_identity=True)
    hidden = session.scalars(select(Document).where(Document.complaint_id == secret.id)).first()
    assert hidden is not None
    take_away(session, "Operator", "see_confidential", "Complaint")
    operator = login("operator")
    assert operator.get(url_of(hidden, "original")).status_code == 404
    sent = {"reason": "cetak kartu"}
    assert post(operator, url_of(hidden, "original"), sent).status_code == 404
    assert told(session) == []


def test_what_has_no_mark_has_no_other_original(
    login: Any, session: Session, paper: Document
) -> None:
    paper.stage = "signed"
    session.commit()
    assert login("operator").get(url_of(paper, "original")).status_code == 404
