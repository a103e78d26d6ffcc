"""Versions: a replaced file stays, counts no more, and has one successor."""

from __future__ import annotations

import io
import re
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import (
    CaseEvent,
    CaseOutput,
    Complaint,
    Document,
    Signatory,
    SigningBatch,
    SigningItem,
    StagedUpload,
)
from app.services.storage import Store
from app.services.versions import MOST_VERSIONS, replace_document
from app.sop.errors import NotAllowedError, NotFoundError, ReasonRequiredError, RefusedError
from tests.support import samples
from tests.support.documents import attach_file, stage_file, take_away

NOW = datetime.now(UTC)


@pytest.fixture
def case(make_case: Any) -> Complaint:
    found: Complaint = make_case("siak_check")
    return found


@pytest.fixture
def document(session: Session, store: Store, case: Complaint, user: Any) -> Document:
    """A photograph that is to be replaced."""
    return attach_file(session, store, case, user("petugas"), "buram.jpg")


@pytest.fixture
def replace(session: Session, store: Store, user: Any, actor: Any, office: Any) -> Any:
    """Replace a file through the service, as an officer."""

    def put(document: Document, who: str = "petugas", reason: str = "buram", **more: Any) -> Any:
        staged = stage_file(session, store, user(who), **more)
        return replace_document(
            session, office.sop, document, staged, actor(who), reason=reason, now=datetime.now(UTC)
        )

    return put


def draft_of(session: Session, store: Store, case: Complaint, officer: Any) -> Document:
    """The draft of the first paper of a case."""
    output = session.scalars(select(CaseOutput).where(CaseOutput.complaint_id == case.id)).first()
    assert output is not None
    return attach_file(
        session, store, case, officer, "draf.pdf", samples.pdf(), stage="draft",
        kind_id=output.kind_id, output_id=output.id,
    )  # fmt: skip


@pytest.mark.both
def test_the_successor_takes_the_place_and_the_history_says_why(
    session: Session, document: Document, replace: Any
) -> None:
    fresh = replace(document, reason="  terpotong\n di tepi ", name="jelas.jpg")
    session.commit()
    session.expire_all()
    assert (fresh.replaces_id, fresh.revision, fresh.stage) == (document.id, 2, "requirement")
    assert (fresh.complaint_id, fresh.kind_id) == (document.complaint_id, document.kind_id)
    assert document.replaced_at is not None
    assert fresh.replaced_at is None
    event = session.scalars(select(CaseEvent).order_by(CaseEvent.id.desc())).first()
    assert event is not None
    assert (event.kind, event.reason) == ("file_replaced", "terpotong di tepi")
    assert event.details["files"] == ["buram.jpg → jelas.jpg"]


@pytest.mark.both
def test_a_file_has_one_successor(session: Session, document: Document, replace: Any) -> None:
    fresh = replace(document)
    session.commit()
    with pytest.raises(RefusedError) as refused:
        replace(document)
    assert refused.value.code == "file_replaced_already"
    session.rollback()
    assert replace(fresh).revision == 3


@pytest.mark.both
def test_of_two_officers_at_once_one_replaces(
    session: Session, document: Document, app: Any, store: Store, user: Any, actor: Any, office: Any
) -> None:
    officers = ("petugas", "operator")
    tokens = {who: stage_file(session, store, user(who)).token for who in officers}
    actors = {who: actor(who) for who in officers}
    pk = document.id
    session.commit()
    ready, results = threading.Barrier(2), []

    def run(who: str) -> None:
        with app.app_context():
            staged = db.session.get(StagedUpload, tokens[who])
            mine = db.session.get(Document, pk)
            assert mine.complaint.number
            db.session.rollback()  # both have looked; now both write
            ready.wait()
            try:
                replace_document(
                    db.session(), office.sop, mine, staged, actors[who], reason="x", now=NOW
                )
                db.session.commit()
                results.append("done")
            except RefusedError as error:
                db.session.rollback()
                results.append(error.code)

    threads = [threading.Thread(target=run, args=(who,)) for who in officers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["done", "file_replaced_already"]
    made = select(func.count()).select_from(Document).where(Document.replaces_id == pk)
    assert session.scalar(made) == 1


@pytest.mark.parametrize(
    ("who", "error"), [("kepala", NotAllowedError), ("kabid", NotAllowedError)]
)
def test_who_may_not_replace(
    document: Document, replace: Any, who: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        replace(document, who)


def test_a_confidential_case_is_not_there(
    session: Session, store: Store, make_case: Any, replace: Any, user: Any
) -> None:
    secret = make_case("siak_check", hide_identity=True)
    hidden = attach_file(session, store, secret, user("petugas"))
    take_away(session, "Operator", "see_confidential", "Complaint")
    with pytest.raises(NotFoundError):
        replace(hidden, "operator")


@pytest.mark.parametrize(
    ("stage", "code"),
    [("signed", "signed_not_replaceable"), ("proof", "proof_not_replaceable")],
)
def test_a_signed_paper_and_a_proof_stay(
    session: Session, document: Document, replace: Any, stage: str, code: str
) -> None:
    session.execute(update(Document).where(Document.id == document.id).values(stage=stage))
    session.commit()
    with pytest.raises(RefusedError) as refused:
        replace(document)
    assert refused.value.code == code


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_a_reason_is_needed(document: Document, replace: Any, reason: str) -> None:
    with pytest.raises(ReasonRequiredError):
        replace(document, reason=reason)


def test_a_finished_case_keeps_its_files(
    session: Session, store: Store, make_case: Any, user: Any, replace: Any
) -> None:
    kept = attach_file(session, store, make_case("done"), user("petugas"))
    with pytest.raises(RefusedError) as refused:
        replace(kept)
    assert refused.value.code == "case_finished"


def test_a_file_is_not_replaced_for_ever(
    session: Session, document: Document, replace: Any
) -> None:
    session.execute(
        update(Document).where(Document.id == document.id).values(revision=MOST_VERSIONS)
    )
    session.commit()
    with pytest.raises(RefusedError) as refused:
        replace(document)
    assert refused.value.code == "too_many_versions"


def test_anothers_upload_replaces_nothing(
    session: Session, document: Document, store: Store, user: Any, actor: Any, office: Any
) -> None:
    staged = stage_file(session, store, user("operator"))
    with pytest.raises(RefusedError) as refused:
        replace_document(
            session, office.sop, document, staged, actor("petugas"), reason="x", now=NOW
        )
    assert refused.value.code == "upload_expired"


def test_earlier_versions_do_not_fill_the_case(
    session: Session, document: Document, replace: Any, case: Complaint, store: Store, user: Any
) -> None:
    while session.scalar(select(func.count()).where(Document.complaint_id == case.id)) < 40:  # type: ignore[operator]
        attach_file(session, store, case, user("petugas"))
    fresh = replace(document)
    session.commit()
    assert fresh.revision == 2
    with pytest.raises(RefusedError) as refused:
        attach_file(session, store, case, user("petugas"))
    assert refused.value.code == "too_many_files"


# --- drafts and what is signed -------------------------------------------------------------------


def test_who_looked_at_the_old_draft_is_stopped(
    session: Session, store: Store, make_case: Any, user: Any, replace: Any
) -> None:
    case = make_case("signing")
    draft = draft_of(session, store, case, user("subkoordinator"))
    seen = case.version
    fresh = replace(draft, "subkoordinator", name="draf2.pdf", data=samples.pdf(2))
    session.commit()
    session.refresh(case)
    assert case.version == seen + 1
    assert fresh.output_id == draft.output_id


def test_a_draft_that_was_signed_stays(
    session: Session, store: Store, make_case: Any, user: Any, replace: Any
) -> None:
    case = make_case("printing")
    signed = session.scalars(
        select(Document).where(Document.complaint_id == case.id, Document.stage == "signed")
    ).first()
    assert signed is not None
    draft = attach_file(
        session, store, case, user("petugas"), stage="draft", output_id=signed.output_id
    )
    with pytest.raises(RefusedError) as refused:
        replace(draft)
    assert refused.value.code == "draft_signed_already"


@pytest.mark.parametrize("loose", [False, True], ids=["of a paper", "of none"])
@pytest.mark.parametrize("state", ["sending", "remote", "unknown"])
def test_a_draft_at_the_signature_service_stays(
    session: Session, store: Store, make_case: Any, user: Any, replace: Any, state: str, loose: bool
) -> None:
    case = make_case("signing")
    draft = draft_of(session, store, case, user("subkoordinator"))
    paper = draft.output_id
    if loose:  # attached without saying for which paper: the desk found it all the same
        draft.output_id = None
    head = user("kepala")
    signatory = session.scalars(select(SigningBatch.signatory_id)).first() or _signatory(
        session, head
    )
    batch = SigningBatch(
        public_id="x" * 22, user_id=head.id, signatory_id=signatory, way="bsre",
        opened_at=NOW, started_at=NOW,
    )  # fmt: skip
    batch.items = [
        SigningItem(
            position=1,
            complaint_id=case.id,
            case_version=case.version,
            output_id=paper,
            draft_id=draft.id,
            state=state,
        )
    ]
    session.add(batch)
    session.commit()
    with pytest.raises(RefusedError) as refused:
        replace(draft, "subkoordinator")
    assert refused.value.code == "draft_being_signed"


def _signatory(session: Session, head: Any) -> int:
    found = session.scalars(select(Signatory).where(Signatory.user_id == head.id)).first()
    if found is None:
        found = Signatory(
            user_id=head.id, name="Contoh", position="Kepala Dinas", valid_from=NOW.date()
        )
        session.add(found)
        session.flush()
    return found.id


# --- the screen ----------------------------------------------------------------------------------


def form_key(page: Any) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', page.text)
    assert found
    return found[1]


@pytest.mark.both
def test_the_form_replaces_once(
    login: Any, post: Any, session: Session, document: Document
) -> None:
    petugas = login("petugas")
    url = f"/documents/replace/{document.public_id}"
    sent = {"form_key": form_key(petugas.get(url)), "reason": "buram"}
    for _ in range(2):  # a double click
        answer = post(petugas, url, {**sent, "files": (io.BytesIO(samples.jpeg()), "jelas.jpg")})
        assert answer.status_code == 303
        assert answer.location == f"/complaints/show/{document.complaint_id}#files"
    made = session.scalars(select(Document).where(Document.replaces_id == document.id)).all()
    assert [item.original_name for item in made] == ["jelas.jpg"]
    page = petugas.get(f"/complaints/show/{document.complaint_id}").text
    files = page.split('id="files"')[1].split("</section>")[0]
    assert "jelas.jpg" in files
    assert "file-earlier" in files
    assert f"/documents/replace/{made[0].public_id}" in files
    assert url not in page
    assert "buram" in page.split('id="history"')[1]
    old = petugas.get(f"/documents/show/{document.id}").text
    assert f"/documents/show/{made[0].id}" in old
    assert url not in old


def test_a_refused_form_loses_nothing(
    login: Any, post: Any, session: Session, document: Document
) -> None:
    petugas = login("petugas")
    url = f"/documents/replace/{document.public_id}"
    answer = post(petugas, url, {"files": (io.BytesIO(samples.jpeg()), "jelas.jpg")})
    assert answer.status_code == 422
    assert "jelas.jpg" in answer.text
    assert 'id="reason-errors"' in answer.text
    answer = post(petugas, url, {"reason": "terpotong"})
    assert answer.status_code == 422
    assert 'value="terpotong"' in answer.text
    two = [(io.BytesIO(samples.jpeg()), f"{n}.jpg") for n in "ab"]
    assert post(petugas, url, {"reason": "x", "files": two}).status_code == 422
    bad = (io.BytesIO(b"<html>"), "a.jpg")
    assert post(petugas, url, {"reason": "x", "files": bad}).status_code == 422
    session.refresh(document)
    assert document.replaced_at is None


def test_the_page_says_why_a_file_stays(
    login: Any, post: Any, session: Session, make_case: Any
) -> None:
    case = make_case("done")
    petugas = login("petugas")
    for item in session.scalars(select(Document).where(Document.complaint_id == case.id)):
        url = f"/documents/replace/{item.public_id}"
        assert "data-dropzone" not in petugas.get(url).text
        sent = {"reason": "x", "files": (io.BytesIO(samples.jpeg()), "a.jpg")}
        assert post(petugas, url, sent).status_code == 422
    assert "/documents/replace/" not in petugas.get(f"/complaints/show/{case.id}").text


@pytest.mark.parametrize("name", ["x", "A" * 22, "..%2f..%2fetc", "%00" * 10])
def test_no_such_file(login: Any, post: Any, name: str) -> None:
    petugas = login("petugas")
    assert petugas.get(f"/documents/replace/{name}").status_code == 404
    assert post(petugas, f"/documents/replace/{name}").status_code == 404
