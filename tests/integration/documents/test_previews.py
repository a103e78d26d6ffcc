"""Previews: pages drawn here, behind the rules of the file, never kept by the browser."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import Complaint, Document
from app.services.previews import Preview, PreviewCache
from app.services.storage import Store
from app.sop.errors import NotFoundError
from tests.support import samples
from tests.support.documents import attach_file, take_away


@pytest.fixture
def case(make_case: Any) -> Complaint:
    found: Complaint = make_case("siak_check")
    return found


@pytest.fixture
def paper(session: Session, store: Store, case: Complaint, user: Any) -> Document:
    """A PDF of three pages."""
    return attach_file(session, store, case, user("petugas"), "kk.pdf", samples.pdf(3))


@pytest.fixture
def photo(session: Session, store: Store, case: Complaint, user: Any) -> Document:
    """A photograph, larger than any preview."""
    return attach_file(session, store, case, user("petugas"), "k.jpg", samples.jpeg(2000, 1000))


def url_of(document: Document, page: object = 1, size: str = "") -> str:
    return f"/documents/preview/{document.public_id}/{page}" + (f"?size={size}" if size else "")


def image(answer: Any) -> Image.Image:
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.data))


@pytest.mark.both
def test_a_page_comes_as_an_image_under_safe_headers(login: Any, paper: Document) -> None:
    answer = login("operator").get(url_of(paper, 2))
    assert image(answer).size == (1131, 1600)
    headers = answer.headers
    assert headers["Content-Type"] == "image/png"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "ETag" not in headers


def test_small_ones_are_small(login: Any, paper: Document, photo: Document) -> None:
    officer = login("operator")
    assert max(image(officer.get(url_of(paper, 1, "small"))).size) == 480
    small = officer.get(url_of(photo, 1, "small"))
    assert image(small).size == (480, 240)
    assert small.mimetype == "image/jpeg"
    assert image(officer.get(url_of(photo))).size == (1600, 800)


def test_a_clear_picture_stands_on_white(
    login: Any, session: Session, store: Store, case: Complaint, user: Any
) -> None:
    clear = Image.new("RGBA", (90, 90), (0, 0, 0, 0))
    out = io.BytesIO()
    clear.save(out, "PNG")
    stamp = attach_file(session, store, case, user("petugas"), "cap.png", out.getvalue())
    assert image(login("operator").get(url_of(stamp))).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("page", [0, 4, 99999999999999999999, "-1", "x", "1.0", "%00", "1/2"])
def test_no_such_page(login: Any, paper: Document, page: object) -> None:
    assert login("operator").get(url_of(paper, page)).status_code == 404


def test_a_picture_has_one_page_and_sizes_have_names(
    login: Any, paper: Document, photo: Document
) -> None:
    officer = login("operator")
    assert officer.get(url_of(photo, 2)).status_code == 404
    for size in ("huge", "9999", "\x00", "x" * 5000):
        assert officer.get(url_of(paper), query_string={"size": size}).status_code == 404


def test_pages_that_were_never_counted_end_where_the_file_ends(
    login: Any, session: Session, paper: Document
) -> None:
    session.execute(update(Document).where(Document.id == paper.id).values(pages=None))
    session.commit()
    officer = login("operator")
    assert officer.get(url_of(paper, 3)).status_code == 200
    assert officer.get(url_of(paper, 4)).status_code == 404


@pytest.mark.both
def test_a_preview_is_for_who_may_open_the_file(
    login: Any, session: Session, paper: Document, make_case: Any
) -> None:
    secret = make_case("siak_check", hide_identity=True)
    hidden = session.scalars(select(Document).where(Document.complaint_id == secret.id)).first()
    assert hidden is not None
    assert login("petugas").get(url_of(hidden)).status_code == 200  # it is at hand from now on
    take_away(session, "Operator", "see_confidential", "Complaint")
    assert login("operator").get(url_of(hidden)).status_code == 404
    assert login("operator").get(url_of(paper)).status_code == 200
    take_away(session, "Operator", "can_download", "Document")
    assert login("operator").get(url_of(paper)).status_code == 403
    assert login("kabid").get(url_of(paper)).status_code == 403


@pytest.mark.parametrize("harm", ["changed", "lost"])
def test_a_damaged_file_is_not_drawn(
    login: Any, store: Store, photo: Document, caplog: pytest.LogCaptureFixture, harm: str
) -> None:
    store.delete(photo.storage_key)
    if harm == "changed":
        store.put(photo.storage_key, samples.jpeg())
    with caplog.at_level(logging.ERROR):
        answer = login("operator").get(url_of(photo))
    assert answer.status_code == 422
    assert answer.mimetype == "text/plain"
    assert "cannot be drawn" in caplog.text


def test_what_was_stored_as_anything_else_is_not_drawn(
    login: Any, session: Session, photo: Document
) -> None:
    for media_type in ("text/html", "application/pdf", "image/png"):
        session.execute(
            update(Document).where(Document.id == photo.id).values(media_type=media_type)
        )
        session.commit()
        answer = login("operator").get(url_of(photo))
        assert (answer.status_code, answer.mimetype) == (422, "text/plain")


def test_the_pages_are_counted_when_a_file_is_added(paper: Document, photo: Document) -> None:
    assert (paper.pages, photo.pages) == (3, None)


def test_the_page_of_a_file_shows_each_page(login: Any, paper: Document) -> None:
    page = login("operator").get(f"/documents/show/{paper.id}").text
    for number in (1, 2, 3):
        assert f'src="{url_of(paper, number)}"' in page
    assert "<iframe" not in page


# --- what is kept in the process ------------------------------------------------------------------


def test_a_preview_at_hand_is_not_drawn_again_and_the_oldest_goes() -> None:
    cache = PreviewCache(most_bytes=100)
    drawn = []

    def draw(name: str) -> Preview:
        drawn.append(name)
        return Preview(bytes(25), "image/png")

    for name in ("a", "b", "c", "d", "a", "e", "a", "b"):
        cache.get(name, 1, "small", lambda name=name: draw(name))
    assert drawn == ["a", "b", "c", "d", "e", "b"]


def test_what_is_too_large_or_fails_is_not_kept() -> None:
    cache = PreviewCache(most_bytes=100)
    for _ in range(2):
        assert len(cache.get("large", 1, "page", lambda: Preview(bytes(99), "x")).data) == 99
    assert cache._bytes == 0

    def fail() -> Preview:
        raise NotFoundError("page", 9)

    with pytest.raises(NotFoundError):
        cache.get("a", 9, "page", fail)
    assert cache._bytes == 0
