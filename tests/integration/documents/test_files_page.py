"""The files of a case on its page: by requirement, by paper from draft to print, and the proofs."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint, Dispatch, Document, DocumentKind
from app.services.casefile import load_case_file
from app.services.documents import NewFile, attach_to_case
from app.services.facts import current_outputs, signed_document
from app.services.storage import Store
from app.services.versions import replace_document
from app.views.case_files import group_files
from tests.support import samples
from tests.support.documents import attach_file, stage_file, take_away


@pytest.fixture
def groups(session: Session, actor: Any) -> Any:
    """How the page groups the files of a case now."""

    def read(case: Complaint, *, may_replace: bool = True) -> Any:
        session.commit()
        session.expire_all()
        file = load_case_file(session, actor("petugas"), case.id)
        assert file is not None
        return group_files(file, may_replace=may_replace)

    return read


def outputs_of(session: Session, case: Complaint) -> list[CaseOutput]:
    query = select(CaseOutput).where(CaseOutput.complaint_id == case.id).order_by(CaseOutput.id)
    return list(session.scalars(query))


def test_a_finished_case_shows_each_paper_from_draft_to_parcel(
    make_case: Any, groups: Any, session: Session
) -> None:
    case = make_case("done")
    found = groups(case)
    assert {row.document.stage for row in found.requirements} == {"requirement"}
    assert [paper.output.id for paper in found.papers] == [o.id for o in outputs_of(session, case)]
    paper = next(paper for paper in found.papers if paper.output.kind.needs_signature)
    assert [row.document.stage for row in paper.signed] == ["signed"]
    assert [run.result for run in paper.prints] == ["good"]
    assert [row.title for row in found.proofs] == [
        parcel.tracking_number for parcel in _parcels(session, case)
    ]


def _parcels(session: Session, case: Complaint) -> list[Any]:
    return list(session.scalars(select(Dispatch).where(Dispatch.complaint_id == case.id)))


def test_every_file_stands_in_one_place(
    make_case: Any, groups: Any, session: Session, store: Store, user: Any
) -> None:
    case = make_case("done")
    kind = session.scalars(select(DocumentKind).where(DocumentKind.is_output)).first()
    assert kind is not None
    for more in ({}, {"stage": "draft"}, {"stage": "draft", "kind_id": kind.id}):
        attach_file(session, store, case, user("petugas"), **more)
    found = groups(case)
    rows = [*found.requirements, *found.drafts, *found.signed, *found.proofs]
    for paper in found.papers:
        rows += [*paper.drafts, *paper.signed]
    places = [row.document.id for row in rows]
    query = select(Document.id).where(Document.complaint_id == case.id)
    assert sorted(places) == sorted(session.scalars(query))


def test_earlier_versions_lie_under_the_present_one(
    make_case: Any, groups: Any, session: Session, store: Store, user: Any, actor: Any, office: Any
) -> None:
    case = make_case("siak_check")
    document = attach_file(session, store, case, user("petugas"), "v1.jpg")
    for name in ("v2.jpg", "v3.jpg"):
        document = replace_document(
            session,
            office.sop,
            document,
            stage_file(session, store, user("petugas"), name),
            actor("petugas"),
            reason="buram",
            now=datetime.now(UTC),
        )
    rows = {row.document.original_name: row for row in groups(case).requirements}
    assert "v1.jpg" not in rows
    assert "v2.jpg" not in rows
    assert [item.original_name for item in rows["v3.jpg"].earlier] == ["v2.jpg", "v1.jpg"]
    assert rows["v3.jpg"].may_replace
    assert not any(row.may_replace for row in groups(case, may_replace=False).requirements)


def test_a_signed_draft_is_not_offered_for_replacing(
    make_case: Any, groups: Any, session: Session, store: Store, user: Any
) -> None:
    for step, offered in (("signing", True), ("printing", False)):
        case = make_case(step)
        output = next(o for o in outputs_of(session, case) if o.kind.needs_signature)
        attach_file(
            session, store, case, user("petugas"), "d.pdf", samples.pdf(),
            stage="draft", output_id=output.id,
        )  # fmt: skip
        paper = next(p for p in groups(case).papers if p.output.id == output.id)
        assert {row.may_replace for row in paper.drafts} == {offered}, step


@pytest.mark.both
def test_a_draft_finds_its_paper(
    make_case: Any, session: Session, store: Store, user: Any, actor: Any, office: Any
) -> None:
    case = make_case("certification")
    make_case.record_facts(case, "submit_certification")
    session.commit()
    output = outputs_of(session, case)[0]
    for stage, kind, belongs in (
        ("draft", output.kind_id, output.id),
        ("draft", None, None),
        ("requirement", output.kind_id, None),
    ):
        staged = stage_file(session, store, user("petugas"))
        (document,) = attach_to_case(
            session,
            office.sop,
            case,
            [NewFile(staged, kind)],
            stage,
            actor("petugas"),
            now=datetime.now(UTC),
        )
        assert document.output_id == belongs


def test_a_replaced_signature_counts_no_more(make_case: Any, session: Session) -> None:
    case = make_case("printing")
    output = next(o for o in current_outputs(session, case) if o.kind.needs_signature)
    signed = signed_document(output)
    assert signed is not None
    signed.replaced_at = datetime.now(UTC)
    session.commit()
    output = next(o for o in current_outputs(session, case) if o.kind.needs_signature)
    assert signed_document(output) is None


def test_the_work_form_shows_present_files_only(
    make_case: Any, login: Any, session: Session, store: Store, user: Any, actor: Any, office: Any
) -> None:
    case = make_case("siak_check")
    old = attach_file(session, store, case, user("petugas"), "lama.jpg")
    staged = stage_file(session, store, user("petugas"), "baru.jpg")
    replace_document(
        session, office.sop, old, staged, actor("petugas"), reason="x", now=datetime.now(UTC)
    )
    page = login("operator").get(f"/complaints/work/{case.id}").text
    assert "baru.jpg" in page
    assert "lama.jpg" not in page


def test_the_page_offers_what_the_officer_may_do(
    make_case: Any, login: Any, session: Session
) -> None:
    case = make_case("siak_check")

    def files(who: str) -> str:
        page = login(who).get(f"/complaints/show/{case.id}").text
        return page.split('id="files"')[1].split('id="history"')[0]

    assert "/documents/replace/" in files("petugas")
    assert "/documents/preview/" in files("kepala")
    assert "/documents/replace/" not in files("kepala")
    take_away(session, "Petugas Pengaduan", "can_download", "Document")
    seen = files("petugas")
    assert not re.search(r"/documents/(file|preview)/", seen)
    take_away(session, "Petugas Pengaduan", "can_list", "Document")
    assert 'id="files"' not in login("petugas").get(f"/complaints/show/{case.id}").text
