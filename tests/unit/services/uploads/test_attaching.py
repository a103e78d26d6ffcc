"""An upload becomes a document of one case, only once; the store is verified against the rows."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint, Document, StagedUpload
from app.services.storage import Store
from app.services.uploads import MESSAGES, Limits, claim_staged, verify_store
from app.sop.errors import NotFoundError, RefusedError
from tests.support import samples
from tests.support.uploads import NOW, SITI, attach, count, make_case, stage


def test_an_upload_becomes_a_document_of_its_case(session: Session, store: Store) -> None:
    staged = stage(session, store, filename="../KK Budi.PDF")
    session.commit()
    token, key = staged.token, staged.storage_key
    case = make_case(session, round_=3)
    [claimed] = claim_staged(session, [token], SITI)
    document = attach(session, claimed, case, kind_id=1)
    session.commit()
    session.expire_all()
    assert (document.storage_key, document.complaint_id, document.kind_id) == (key, case.id, 1)
    assert (document.original_name, document.media_type) == ("KK Budi.pdf", "application/pdf")
    assert (document.round, document.stage, document.uploaded_by_id) == (3, "requirement", SITI)
    assert document.uploaded_at == NOW
    assert len(document.public_id) >= 20
    data = store.get(key)
    assert (document.size, document.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert case.documents == [document]
    assert count(session, StagedUpload) == 0
    assert verify_store(session, store).ok


def test_attaching_twice_gives_one_document(session: Session, store: Store) -> None:
    staged = stage(session, store)
    case = make_case(session)
    first = attach(session, staged, case)
    again = attach(session, staged, case, limits=Limits(max_files_per_case=1))
    assert again is first
    assert attach(session, staged, case) is first
    assert count(session, Document) == 1
    with pytest.raises(RefusedError) as refused:
        attach(session, staged, make_case(session, "PGD-2026-000002"))
    assert refused.value.code == "upload_expired"


def test_of_many_forms_with_one_upload_one_gets_it(
    engine: Engine, session: Session, store: Store
) -> None:
    cases = [make_case(session, f"PGD-2026-{number:06}").id for number in range(1, 4)]
    token = stage(session, store).token
    session.commit()

    def submit(case_id: int) -> int | str:
        with Session(engine) as mine:
            try:
                case = mine.get_one(Complaint, case_id)
                [staged] = claim_staged(mine, [token], SITI)
                document = attach(mine, staged, case)
                mine.commit()
            except RefusedError as refused:
                return refused.code
            return document.id

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(submit, cases * 4))
    documents = session.scalars(select(Document)).all()
    assert len(documents) == 1
    assert set(answers) <= {documents[0].id, "upload_expired"}
    assert store.exists(documents[0].storage_key)


def test_a_case_holds_so_many_files(session: Session, store: Store) -> None:
    case = make_case(session)
    limits = Limits(max_files_per_case=2)
    for _ in range(2):
        attach(session, stage(session, store), case, limits=limits)
    extra = stage(session, store)
    with pytest.raises(RefusedError) as refused:
        attach(session, extra, case, limits=limits)
    assert (refused.value.code, refused.value.params) == ("too_many_files", {"max_files": 2})
    assert MESSAGES["too_many_files"] % refused.value.params == "A case holds at most 2 files."
    assert claim_staged(session, [extra.token], SITI) == [extra]


def test_a_paper_of_another_case_takes_no_file(session: Session, store: Store) -> None:
    case, other = make_case(session), make_case(session, "PGD-2026-000002")
    outputs = [CaseOutput(complaint_id=c.id, kind_id=1, named_at=NOW) for c in (case, other)]
    session.add_all(outputs)
    session.flush()
    staged = stage(session, store)
    for foreign in (outputs[1].id, 999):
        with pytest.raises(NotFoundError):
            attach(session, staged, case, stage="signed", output_id=foreign)
    document = attach(session, staged, case, stage="signed", output_id=outputs[0].id)
    assert document.output is outputs[0]


def test_a_rolled_back_attachment_leaves_the_upload_staged(session: Session, store: Store) -> None:
    case = make_case(session)
    staged = stage(session, store)
    session.commit()
    attach(session, staged, case)
    session.rollback()
    assert claim_staged(session, [staged.token], SITI) == [staged]
    assert count(session, Document) == 0
    assert attach(session, staged, case).id


def test_the_store_is_verified_against_the_rows(session: Session, store: Store) -> None:
    case = make_case(session)
    good, changed, missing = (attach(session, stage(session, store), case) for _ in range(3))
    waiting = stage(session, store)
    session.commit()
    assert verify_store(session, store).ok
    assert store.folder is not None
    (store.folder / changed.storage_key).write_bytes(samples.pdf(2))
    store.delete(missing.storage_key)
    store.delete(waiting.storage_key)
    report = verify_store(session, store)
    assert not report.ok
    assert report.checked == 4
    assert [f.public_id for f in report.changed] == [changed.public_id]
    assert [(f.table, f.public_id) for f in report.missing] == [
        ("document", missing.public_id),
        ("staged_upload", ""),
    ]
    assert not report.orphans
    assert store.exists(good.storage_key)
