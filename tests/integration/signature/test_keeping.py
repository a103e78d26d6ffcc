"""A signed PDF as a document of its case: what is refused, what is stored, what it replaces."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint, Document, DocumentSignature, StagedUpload
from app.services.actor import Actor
from app.services.signature import Trust, bring_signed, keep_signed
from app.services.storage import Store, StoreError
from app.services.uploads import Limits, stage_upload
from app.sop.errors import FileRefusedError, NotFoundError, RefusedError, SopError
from tests.support import panel, samples, signed, tampering
from tests.support.cases import CaseMaker
from tests.support.signed import STRANGE_CERTIFICATE, trust

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def case(make_case: CaseMaker) -> Complaint:
    return make_case("signing")


@pytest.fixture
def output(session: Session, case: Complaint) -> CaseOutput:
    """A paper of the case that bears a signature."""
    query = select(CaseOutput).where(CaseOutput.complaint_id == case.id)
    return next(row for row in session.scalars(query) if row.kind.needs_signature)


@pytest.fixture
def head(actor: Callable[[str], Actor]) -> Actor:
    return actor("kepala")


@pytest.fixture
def stage(session: Session, store: Store, head: Actor) -> Callable[..., StagedUpload]:
    """`stage(data)`: a file the head has just uploaded."""

    def upload(data: bytes, name: str = "kk-bertanda-tangan.pdf") -> StagedUpload:
        return stage_upload(session, store, user_id=head.id or 0, filename=name, data=data, now=NOW)

    return upload


@pytest.fixture
def bring(
    session: Session,
    store: Store,
    case: Complaint,
    output: CaseOutput,
    head: Actor,
    stage: Callable[..., StagedUpload],
) -> Callable[..., Document]:
    """`bring(data)`: the file brought as the signed form of the paper."""

    def do(data: bytes, **changes: Any) -> Document:
        staged = changes.pop("staged", None) or stage(data, changes.pop("name", "kk.pdf"))
        facts = {
            "trust": trust(),
            "complaint": case,
            "output": output,
            "actor": head,
            "now": NOW,
            **changes,
        }
        return bring_signed(session, store, facts.pop("trust"), staged, **facts)

    return do


def _papers(session: Session, output: CaseOutput) -> list[Document]:
    query = select(Document).where(Document.output_id == output.id, Document.stage == "signed")
    return list(session.scalars(query.order_by(Document.id)))


# --- refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        pytest.param(samples.pdf(), "kk.pdf", "signature_missing", id="an unsigned PDF"),
        pytest.param(samples.jpeg(), "kk.jpg", "signature_not_pdf", id="a photograph"),
        pytest.param(signed.changed_pdf(), "kk.pdf", "signature_changed", id="one changed byte"),
        pytest.param(
            tampering.saved_anew(signed.signed_pdf()),
            "kk.pdf",
            "signature_changed",
            id="saved anew by another program",
        ),
        pytest.param(
            tampering.CHANGES["a picture over the page"](signed.signed_pdf()),
            "kk.pdf",
            "signature_changed",
            id="a picture over the page",
        ),
    ],
)
def test_what_is_not_signed_is_not_taken(
    data: bytes,
    name: str,
    code: str,
    bring: Callable[..., Document],
    session: Session,
    output: CaseOutput,
    stage: Callable[..., StagedUpload],
) -> None:
    before = len(_papers(session, output))
    staged = stage(data, name)
    with pytest.raises(RefusedError) as refused:
        bring(data, staged=staged)
    assert refused.value.code == code
    assert len(_papers(session, output)) == before
    # The upload is still the officer's own, to look at or to throw away.
    assert session.get(StagedUpload, staged.token) is not None


def test_the_paper_has_to_be_one_of_the_case(
    bring: Callable[..., Document], make_case: CaseMaker
) -> None:
    with pytest.raises(NotFoundError):
        bring(signed.signed_pdf(), complaint=make_case("signing"))


def test_a_paper_withdrawn_from_the_case_is_not_signed(
    bring: Callable[..., Document], output: CaseOutput, session: Session
) -> None:
    output.dropped_at = NOW
    session.flush()
    with pytest.raises(RefusedError, match="not_an_output"):
        bring(signed.signed_pdf())


def test_somebody_else_s_upload_is_not_taken(
    bring: Callable[..., Document], actor: Callable[[str], Actor]
) -> None:
    with pytest.raises(RefusedError) as refused:
        bring(signed.signed_pdf(), actor=actor("operator"))
    assert refused.value.code == "upload_expired"


def test_a_case_holds_only_so_many_files(bring: Callable[..., Document]) -> None:
    with pytest.raises(RefusedError) as refused:
        bring(signed.signed_pdf(), limits=Limits(max_files_per_case=1))
    assert refused.value.code == "too_many_files"


def test_a_file_that_changed_in_the_store_is_not_taken(
    bring: Callable[..., Document], stage: Callable[..., StagedUpload], store: Store
) -> None:
    staged = stage(signed.signed_pdf())
    store.delete(staged.storage_key)
    store.put(staged.storage_key, signed.signed_pdf(STRANGE_CERTIFICATE))
    with pytest.raises(RefusedError) as refused:
        bring(b"", staged=staged)
    assert refused.value.code == "upload_expired"


def test_a_file_that_is_lost_is_not_taken(
    bring: Callable[..., Document], stage: Callable[..., StagedUpload], store: Store
) -> None:
    staged = stage(signed.signed_pdf())
    store.delete(staged.storage_key)
    with pytest.raises(RefusedError) as refused:
        bring(b"", staged=staged)
    assert refused.value.code == "upload_expired"


# --- brought -----------------------------------------------------------------------------------


@pytest.mark.both
def test_a_brought_paper_keeps_its_bytes_and_says_who_signed(
    bring: Callable[..., Document], store: Store, output: CaseOutput, session: Session
) -> None:
    data = signed.twice_signed_pdf()
    document = bring(data)
    session.commit()
    session.expire_all()
    assert store.get(document.storage_key) == data
    assert document.sha256 == hashlib.sha256(data).hexdigest()
    assert (document.stage, document.signature_state) == ("signed", "trusted")
    assert (document.output_id, document.kind_id) == (output.id, output.kind_id)
    assert document.pages == 1
    assert [(row.position, row.signer, row.issuer_known) for row in document.signatures] == [
        (1, signed.SIGNER, True),
        (2, signed.SECOND_SIGNER, True),
    ]
    assert all(row.intact and row.issuer == signed.ISSUER for row in document.signatures)


@pytest.mark.parametrize(
    ("known", "certificate"),
    [
        pytest.param(trust(), STRANGE_CERTIFICATE, id="an issuer of somewhere else"),
        pytest.param(Trust(), signed.CERTIFICATE, id="no issuer is configured"),
    ],
)
def test_an_unknown_issuer_is_taken_and_said(
    known: Trust, certificate: str, bring: Callable[..., Document]
) -> None:
    document = bring(signed.signed_pdf(certificate), trust=known)
    assert document.signature_state == "unknown_issuer"
    assert [row.issuer_known for row in document.signatures] == [False]


@pytest.mark.both
def test_a_second_file_takes_the_place_of_the_first(
    bring: Callable[..., Document], session: Session, output: CaseOutput
) -> None:
    first = bring(signed.signed_pdf())
    second = bring(signed.twice_signed_pdf())
    session.commit()
    session.expire_all()
    assert first.replaced_at == NOW
    assert (second.replaces_id, second.revision) == (first.id, first.revision + 1)
    present = [row for row in _papers(session, output) if row.replaced_at is None]
    assert present == [second]


def test_bringing_the_same_upload_twice_changes_nothing(
    bring: Callable[..., Document],
    stage: Callable[..., StagedUpload],
    session: Session,
    output: CaseOutput,
) -> None:
    staged = stage(signed.signed_pdf())
    first = bring(b"", staged=staged)
    again = bring(b"", staged=staged)
    assert again.id == first.id
    assert again.replaced_at is None
    rows = session.scalar(
        select(func.count())
        .select_from(DocumentSignature)
        .where(DocumentSignature.document_id == first.id)
    )
    assert (rows, len([row for row in _papers(session, output) if not row.replaced_at])) == (1, 1)


# --- signed here -------------------------------------------------------------------------------


@pytest.fixture
def keep(
    session: Session, store: Store, case: Complaint, output: CaseOutput, head: Actor
) -> Callable[..., Document]:
    def do(data: bytes, **changes: Any) -> Document:
        facts = {"name": "draf.pdf", "complaint": case, "output": output, **changes}
        kept = facts.pop("store", store)
        return keep_signed(session, kept, trust(), data, user_id=head.id or 0, now=NOW, **facts)

    return do


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"<html>OK</html>", "signature_missing", id="no PDF at all"),
        pytest.param(samples.pdf(), "signature_missing", id="the draft itself"),
        pytest.param(signed.changed_pdf(), "signature_changed", id="damaged on its way"),
    ],
)
def test_what_came_back_unsigned_is_not_kept(
    data: bytes, code: str, keep: Callable[..., Document], store: Store
) -> None:
    before = set(store.keys())
    with pytest.raises(RefusedError) as refused:
        keep(data)
    assert refused.value.code == code
    assert set(store.keys()) == before


def test_a_paper_of_another_case_is_not_kept(
    keep: Callable[..., Document], make_case: CaseMaker
) -> None:
    with pytest.raises(NotFoundError):
        keep(signed.signed_pdf(), complaint=make_case("signing"))


class _FullStore:
    folder = None

    def put(self, key: str, data: bytes) -> None:
        raise StoreError("no space left")


def test_without_a_place_to_keep_it_there_is_no_row(
    keep: Callable[..., Document], session: Session, output: CaseOutput
) -> None:
    before = len(_papers(session, output))
    with pytest.raises(FileRefusedError) as refused:
        keep(signed.signed_pdf(), store=_FullStore())
    assert refused.value.code == "storage_unavailable"
    assert len(_papers(session, output)) == before


@pytest.mark.both
def test_what_was_signed_here_is_kept_and_replaces_what_was_there(
    keep: Callable[..., Document],
    bring: Callable[..., Document],
    store: Store,
    session: Session,
    head: Actor,
) -> None:
    first = bring(signed.signed_pdf(STRANGE_CERTIFICATE))
    second = keep(signed.signed_pdf(), name="../KK <asli>.PDF")
    session.commit()
    session.expire_all()
    assert store.get(second.storage_key) == signed.signed_pdf()
    assert second.original_name == "KK _asli_.pdf"
    assert (second.signature_state, second.uploaded_by_id) == ("trusted", head.id)
    assert (second.replaces_id, first.replaced_at) == (first.id, NOW)
    assert [row.signer for row in second.signatures] == [signed.SIGNER]


def test_every_refusal_has_its_sentence(app: Any) -> None:
    from app.errors import MESSAGES, error_sentence
    from app.services.signature import MESSAGES as OURS

    assert set(OURS) <= set(MESSAGES)
    with app.test_request_context():
        for code in OURS:
            params = {"file": "a.p12", "at": NOW, "text": "x", "reason": "y"}
            assert "%(" not in error_sentence(SopError(code, **params))


@pytest.mark.both
def test_two_who_bring_the_same_paper_leave_one_present_file(
    app: Any,
    session: Session,
    store: Store,
    case: Complaint,
    output: CaseOutput,
    head: Actor,
    stage: Callable[..., StagedUpload],
) -> None:
    tokens = [stage(signed.signed_pdf()).token, stage(signed.twice_signed_pdf()).token]
    session.commit()
    ready = threading.Barrier(2)

    def work(token: str) -> None:
        with Session(panel.engine_of(app)) as mine:
            ready.wait(10)
            staged = mine.get_one(StagedUpload, token)
            bring_signed(
                mine,
                store,
                trust(),
                staged,
                complaint=mine.get_one(Complaint, case_id),
                output=mine.get_one(CaseOutput, output_id),
                actor=head,
                now=NOW,
            )
            mine.commit()

    case_id, output_id = case.id, output.id
    session.commit()
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work, token) for token in tokens]:
            done.result()
    papers = _papers(session, output)
    assert len([row for row in papers if row.replaced_at is None]) == 1
    assert len(papers) == 2
