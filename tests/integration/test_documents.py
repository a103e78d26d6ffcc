"""Documents: one checked way to their bytes, the row rule of their case, and adding more."""

from __future__ import annotations

import io
import logging
import re
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, Document, PermissionView, Role, StagedUpload, ViewMenu
from app.services.storage import Store
from tests.support import samples

LIST = "/documents/list/"


@pytest.fixture
def case(make_case: Any) -> Complaint:
    found: Complaint = make_case("siak_check")
    return found


@pytest.fixture
def document(session: Session, case: Complaint) -> Document:
    """A photograph of the case's first paper."""
    return session.scalars(
        select(Document).where(Document.complaint_id == case.id).order_by(Document.id)
    ).first()  # type: ignore[return-value]


def url_of(document: Document) -> str:
    return f"/documents/file/{document.public_id}"


def take_away(session: Session, role: str, permission: str, view: str) -> None:
    """What an administrator does in the role screen."""
    found = session.scalars(select(Role).where(Role.name == role)).one()
    found.permissions = [
        item
        for item in found.permissions
        if (item.permission.name, item.view_menu.name) != (permission, view)
    ]
    session.commit()


# --- the bytes -----------------------------------------------------------------------------------


@pytest.mark.both
def test_a_file_comes_unchanged_under_safe_headers(
    login: Any, session: Session, store: Store, document: Document
) -> None:
    # What an applicant brought comes with a mark (`documents/test_copies.py`); what the office made
    # or signed comes byte for byte, and so does the original, whose way that file tests as well.
    document.stage = "draft"
    session.commit()
    answer = login("operator").get(url_of(document))
    assert answer.status_code == 200
    assert answer.data == store.get(document.storage_key)
    headers = answer.headers
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Disposition"].startswith("inline;")
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy


def test_download_saves_it_under_its_name(login: Any, session: Session, document: Document) -> None:
    session.execute(
        update(Document)
        .where(Document.id == document.id)
        .values(original_name='kartu "é";\n/x.jpg')
    )
    session.commit()
    header = login("operator").get(url_of(document) + "?download=1").headers["Content-Disposition"]
    assert header.startswith('attachment; filename="kartu ____')
    assert "\n" not in header
    assert "filename*=UTF-8''kartu%20%22%C3%A9%22%3B_%2Fx.jpg" in header


def test_an_unexpected_type_is_only_ever_saved(
    login: Any, session: Session, document: Document
) -> None:
    session.execute(
        update(Document).where(Document.id == document.id).values(media_type="text/html")
    )
    session.commit()
    answer = login("operator").get(url_of(document))
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize("harm", ["changed", "lost"])
def test_a_damaged_file_is_not_handed_out(
    login: Any,
    store: Store,
    document: Document,
    caplog: pytest.LogCaptureFixture,
    harm: str,
) -> None:
    store.delete(document.storage_key)
    if harm == "changed":
        store.put(document.storage_key, b"something else")
    with caplog.at_level(logging.ERROR):
        answer = login("operator").get(url_of(document))
    assert answer.status_code == 500
    assert b"something else" not in answer.data
    assert answer.mimetype == "text/html"
    assert "cannot be handed out" in caplog.text


@pytest.mark.both
def test_unknown_and_not_yours_look_the_same(login: Any, session: Session, make_case: Any) -> None:
    secret = make_case("siak_check", hide_identity=True)
    hidden = session.scalars(select(Document).where(Document.complaint_id == secret.id)).first()
    assert hidden is not None
    take_away(session, "Operator", "see_confidential", "Complaint")
    operator = login("operator")
    answers = [
        operator.get(f"/documents/file/{name}")
        for name in (hidden.public_id, "A" * 22, "x", "%00" * 10, "a" * 400, "..%2f..%2fetc")
    ]
    assert {answer.status_code for answer in answers} == {404}
    mains = {answer.text.split("<main")[1].split("</main>")[0] for answer in answers}
    assert len(mains) == 1
    assert operator.get(f"/documents/show/{hidden.id}").status_code == 404
    assert secret.number not in operator.get(LIST).text
    assert operator.get(f"/documents/attach/{secret.id}").status_code == 404
    assert login("petugas").get(url_of(hidden)).status_code == 200


def test_the_right_to_download_is_one_of_its_own(
    login: Any, session: Session, document: Document
) -> None:
    take_away(session, "Operator", "can_download", "Document")
    operator = login("operator")
    assert operator.get(url_of(document)).status_code == 403
    page = operator.get(f"/documents/show/{document.id}")
    assert page.status_code == 200
    assert url_of(document) not in page.text
    assert "/documents/preview/" not in page.text


@pytest.mark.parametrize("who", ["kabid", "admin"])
def test_who_handles_no_case_sees_no_file(login: Any, document: Document, who: str) -> None:
    client = login(who)
    urls = (url_of(document), LIST, f"/documents/show/{document.id}", "/documents/attach/1")
    assert {client.get(url).status_code for url in urls} == {403}


def test_nobody_is_sent_to_the_sign_in_page(client: Any, document: Document) -> None:
    answer = client.get(url_of(document))
    assert answer.status_code in (302, 303)
    assert "/login/" in answer.location


# --- list and page -------------------------------------------------------------------------------


@pytest.mark.both
def test_the_list_is_searched_and_filtered(login: Any, session: Session, make_case: Any) -> None:
    first = make_case("printing", applicant_name="Sulastri Wahyuni")
    second = make_case("siak_check", applicant_name="Bambang Sutrisno")
    officer = login("petugas")

    def shown(**query: str) -> set[str]:
        page = officer.get(LIST, query_string=query)
        assert page.status_code == 200
        return set(re.findall(r">(PGD-\d{4}-\d{6})</a>", page.text))

    assert shown() == {first.number, second.number}
    assert shown(q=second.number) == {second.number}
    assert shown(q=str(int(second.number[-6:]))) == {second.number}
    assert shown(q=first.applicant_name) == {first.number}
    assert shown(q="100%_nothing") == set()
    assert shown(_flt_0_stage="signed") == {first.number}
    kind = session.scalars(
        select(Document.kind_id).where(Document.complaint_id == second.id)
    ).first()
    assert shown(_flt_0_kind=str(kind)) == {first.number, second.number}
    for bad in ("\x00", "x" * 10_000, "😀", "-1", "99999999999999"):
        for name in ("q", "_flt_0_stage", "_flt_0_kind", "_oc_DocumentView", "page_DocumentView"):
            shown(**{name: bad})


def test_list_and_page_take_at_most_ten_statements(
    login: Any, sql_count: Any, make_case: Any, document: Document
) -> None:
    make_case("done")
    officer = login("petugas")
    for url in (LIST, LIST + "?q=req&_flt_0_stage=requirement", f"/documents/show/{document.id}"):
        with sql_count() as statements:
            assert officer.get(url).status_code == 200
        assert len(statements) <= 10, (url, statements)


def test_the_page_shows_preview_facts_and_checksum(login: Any, document: Document) -> None:
    page = login("operator").get(f"/documents/show/{document.id}").text
    assert document.sha256 in page
    assert f'<img src="{url_of(document)}"' in page
    assert document.complaint.number in page


@pytest.mark.parametrize("verb", ["add", "edit/1", "delete/1", "download/x.jpg"])
def test_a_file_is_never_changed_through_the_screen(login: Any, post: Any, verb: str) -> None:
    petugas = login("petugas")
    assert petugas.get(f"/documents/{verb}").status_code == 404
    assert post(petugas, f"/documents/{verb}").status_code == 404


# --- adding --------------------------------------------------------------------------------------


def form_key(client: Any, case: Complaint) -> str:
    page = client.get(f"/documents/attach/{case.id}").text
    found = re.search(r'name="form_key" value="([^"]+)"', page)
    assert found
    return found[1]


def photo(name: str = "kk.jpg") -> tuple[io.BytesIO, str]:
    return io.BytesIO(samples.jpeg()), name


def count(session: Session, model: type[Any]) -> int:
    session.commit()
    return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.both
def test_files_are_added_once_and_written_down(
    login: Any, post: Any, session: Session, case: Complaint
) -> None:
    petugas = login("petugas")
    before = count(session, Document)
    sent = {
        "form_key": form_key(petugas, case),
        "stage": "draft",
        "files": [photo("draf 1.jpg"), photo("draf 2.jpg")],
    }
    url = f"/documents/attach/{case.id}"
    answer = post(petugas, url, sent)
    assert answer.status_code == 303
    assert answer.location == f"/complaints/show/{case.id}"
    again = {**sent, "files": [photo("draf 1.jpg"), photo("draf 2.jpg")]}
    assert post(petugas, url, again).status_code == 303
    assert count(session, Document) == before + 2
    event = session.scalars(select(CaseEvent).order_by(CaseEvent.id.desc())).first()
    assert event is not None
    assert (event.kind, event.details["stage"]) == ("files_added", "draft")
    assert event.details["files"] == ["draf 1.jpg", "draf 2.jpg"]


def test_staged_files_are_taken_over_with_their_kind(
    login: Any, post: Any, session: Session, case: Complaint, document: Document
) -> None:
    petugas = login("petugas")
    token = post(petugas, "/uploads/", {"file": photo()}).get_json()["token"]
    sent = {
        "form_key": form_key(petugas, case),
        "stage": "requirement",
        "upload_token[]": token,
        "upload_kind[]": str(document.kind_id),
    }
    assert post(petugas, f"/documents/attach/{case.id}", sent).status_code == 303
    newest = session.scalars(select(Document).order_by(Document.id.desc())).first()
    assert newest is not None
    assert (newest.stage, newest.kind_id, newest.original_name) == (
        "requirement", document.kind_id, "kk.jpg",
    )  # fmt: skip
    assert count(session, StagedUpload) == 0


REFUSALS = {
    "nothing was chosen": {"stage": "draft"},
    "a signed paper belongs to its step": {"stage": "signed", "files": True},
    "no such stage": {"stage": "x" * 10_000, "files": True},
    "a kind that is none": {"stage": "draft", "token": True, "upload_kind[]": "\x00"},
    "a kind that is gone": {"stage": "draft", "token": True, "upload_kind[]": "999999"},
    "another's upload": {"stage": "draft", "upload_token[]": "abc"},
}


@pytest.mark.both
def test_a_refused_form_loses_nothing(
    login: Any, post: Any, session: Session, case: Complaint
) -> None:
    petugas = login("petugas")
    before = count(session, Document)
    for why, wanted in REFUSALS.items():
        sent: dict[str, Any] = dict(wanted)
        if sent.pop("files", False):
            sent["files"] = photo()
        if sent.pop("token", False):
            sent["upload_token[]"] = post(petugas, "/uploads/", {"file": photo()}).get_json()[
                "token"
            ]
        answer = post(petugas, f"/documents/attach/{case.id}", sent)
        assert answer.status_code == 422, why
        assert "field-errors" in answer.text, why
        if "upload_kind[]" in wanted:
            assert sent["upload_token[]"] in answer.text, why
        if "files" in wanted:
            assert "kk.jpg" in answer.text, why
    assert count(session, Document) == before


def test_a_file_that_lies_is_refused_beside_the_field(
    login: Any, post: Any, session: Session, case: Complaint
) -> None:
    before = count(session, Document)
    liar = (io.BytesIO(b"<html><script>1</script>"), "kk.jpg")
    answer = post(login("petugas"), f"/documents/attach/{case.id}", {"files": liar})
    assert answer.status_code == 422
    assert count(session, Document) == before


@pytest.mark.parametrize("step", ["done", "resolved", "withdrawn"])
def test_a_finished_case_takes_no_more(
    login: Any, post: Any, session: Session, make_case: Any, step: str
) -> None:
    finished = make_case(step)
    petugas = login("petugas")
    before = count(session, Document)
    url = f"/documents/attach/{finished.id}"
    assert "data-dropzone" not in petugas.get(url).text
    assert post(petugas, url, {"stage": "draft", "files": photo()}).status_code == 422
    assert count(session, Document) == before


@pytest.mark.parametrize("pk", ["0", "-1", "abc", "99999999999", "%00", "2147483648"])
def test_no_such_case(login: Any, post: Any, pk: str) -> None:
    petugas = login("petugas")
    assert petugas.get(f"/documents/attach/{pk}").status_code == 404
    assert post(petugas, f"/documents/attach/{pk}").status_code == 404


def test_the_permissions_are_those_of_the_roles_file(session: Session, app: Any) -> None:
    held = {
        item.permission.name
        for item in session.scalars(
            select(PermissionView).join(ViewMenu).where(ViewMenu.name == "Document")
        )
    }
    assert held == {
        "can_list", "can_show", "can_add", "can_download", "can_replace", "can_original",
    }  # fmt: skip


# --- in a browser --------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_pdf_is_drawn_inside_the_page(page: Any, session: Session, case: Complaint) -> None:
    pdf = session.scalars(
        select(Document).where(
            Document.complaint_id == case.id, Document.media_type == "application/pdf"
        )
    ).first()
    assert pdf is not None
    window = page("operator")
    window.goto(f"/documents/show/{pdf.id}")
    drawn = window.locator(".document-page img.is-drawn").first
    drawn.wait_for()
    assert drawn.evaluate("image => image.naturalHeight") == 1600
    assert window.watched.problems == []


@pytest.mark.browser
def test_a_photo_dropped_on_the_page_is_added(page: Any, session: Session, case: Complaint) -> None:
    before = count(session, Document)
    window = page("petugas")
    window.goto(f"/documents/attach/{case.id}")
    photo_file = {"name": "kk.jpg", "mimeType": "image/jpeg", "buffer": samples.jpeg()}
    window.locator("input[type=file]#files").set_input_files(photo_file)
    drawn(window)
    assert looked_at(window) == [], "drawn from the file itself: nothing is on its way back"
    window.locator(".form-buttons button.btn-primary").click()
    window.wait_for_url(f"**/complaints/show/{case.id}")
    assert count(session, Document) == before + 1


@pytest.mark.browser
def test_what_the_browser_cannot_read_is_drawn_by_the_server(page: Any, case: Complaint) -> None:
    window = page("petugas")
    window.goto(f"/documents/attach/{case.id}")
    telephone = {"name": "kk.heic", "mimeType": "image/heic", "buffer": samples.heic()}
    window.locator("input[type=file]#files").set_input_files(telephone)
    drawn(window)
    assert len(looked_at(window)) == 1


def drawn(window: Any) -> None:
    """Wait until the picture of a staged file is on the page."""
    window.wait_for_function("() => document.querySelector('img.staged-thumb')?.naturalWidth > 0")


def looked_at(window: Any) -> list[str]:
    """The staged files that the page has fetched."""
    return [url for url in window.watched.requests if re.search("/uploads/[^/]+$", url)]
