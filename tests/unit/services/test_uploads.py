"""Uploads: the file is there before the row; only its uploader may take it, and only once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.orm import Session

from app.models import (
    CaseOutput,
    Category,
    Channel,
    Complaint,
    Document,
    DocumentKind,
    Model,
    SopStep,
    StagedUpload,
    User,
)
from app.services.storage import Store, StoreError, open_store
from app.services.uploads import (
    MESSAGES,
    Limits,
    attach_staged,
    claim_staged,
    delete_after_commit,
    discard_staged,
    purge_staged,
    stage_upload,
    verify_store,
)
from app.sop.errors import FileRefusedError, NotFoundError, RefusedError
from tests.support import samples
from tests.support.postgres import Server, postgres_or_skip

NOW = datetime(2026, 8, 3, 2, 0, tzinfo=UTC)
SITI, AGUS = 1, 2


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "files")


def fill(url: str) -> None:
    """Make the tables and what a case leans on."""
    engine = create_engine(url)
    Model.metadata.create_all(engine)
    names = {"label_id": "x", "label_en": "x"}
    with Session(engine) as session, session.begin():
        for number, name in ((SITI, "siti"), (AGUS, "agus")):
            mail = f"{name}@example.org"
            session.add(User(id=number, first_name=name, last_name="C", username=name, email=mail))
        session.add(Channel(id=1, code="wa", **names))
        session.add(Category(id=1, code="KK", **names))
        session.add(DocumentKind(id=1, code="kk", **names))
        session.add(
            SopStep(key="intake", position=1, kind="activity", clock=True, actor="p", **names)
        )
    engine.dispose()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_or_skip() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'aduan.sqlite'}"
        fill(url)
    else:
        server: Server = request.getfixturevalue("server")
        name = server.create_database(template=server.template("uploads", fill))
        url = server.url(name)
    engine = create_engine(url)
    if request.param == "sqlite":
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    yield engine
    engine.dispose()
    if request.param == "postgres":
        server.drop_database(name)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def make_case(session: Session, number: str = "PGD-2026-000001", *, round_: int = 1) -> Complaint:
    case = Complaint(
        number=number,
        channel_id=1,
        category_id=1,
        received_at=NOW,
        registered_at=NOW,
        applicant_name="Budi Contoh",
        text="KK saya salah",
        step_key="intake",
        step_since=NOW,
        round=round_,
        completeness_due=date(2026, 8, 17),
        decision_due=date(2026, 10, 2),
        class_due=date(2026, 8, 17),
    )
    session.add(case)
    session.flush()
    return case


def stage(
    session: Session,
    store: Store,
    *,
    user_id: int = SITI,
    filename: str = "kk.pdf",
    data: bytes = b"",
    limits: Limits | None = None,
    now: datetime = NOW,
) -> StagedUpload:
    return stage_upload(
        session,
        store,
        user_id=user_id,
        filename=filename,
        data=data or samples.pdf(),
        limits=limits or Limits(),
        now=now,
    )


def attach(session: Session, staged: StagedUpload, case: Complaint, **more: object) -> Document:
    options: dict[str, object] = {"stage": "requirement", "user_id": SITI, "now": NOW, **more}
    return attach_staged(session, staged, complaint=case, **options)  # type: ignore[arg-type]


def count(session: Session, model: type[Model]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


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


def test_a_stored_photo_is_the_cleaned_one(session: Session, store: Store) -> None:
    staged = stage(session, store, filename="IMG.jpg", data=samples.phone_photo())
    assert b"Exif" not in store.get(staged.storage_key)
    assert staged.size == len(store.get(staged.storage_key))


def test_the_file_is_there_before_its_row(session: Session, store: Store) -> None:
    there: list[bool] = []

    def before_flush(session: Session, *_: object) -> None:
        there.extend(store.exists(new.storage_key) for new in session.new)

    event.listen(session, "before_flush", before_flush)
    stage(session, store)
    assert there == [True]


def test_a_rollback_leaves_an_orphan_that_is_reported(session: Session, store: Store) -> None:
    key = stage(session, store).storage_key
    session.rollback()
    assert store.exists(key)
    report = verify_store(session, store)
    assert [finding.storage_key for finding in report.orphans] == [key]
    assert report.ok
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert not verify_store(session, store, orphans_before=hour_ago).orphans


def test_a_refused_file_leaves_nothing(session: Session, store: Store) -> None:
    with pytest.raises(FileRefusedError) as refused:
        stage(session, store, data=samples.EXE)
    assert refused.value.code == "file_type_mismatch"
    assert list(store.keys()) == []
    assert count(session, StagedUpload) == 0


def test_a_store_that_fails_is_told_to_the_officer(
    session: Session, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(key: str, data: bytes) -> None:
        raise StoreError("full")

    monkeypatch.setattr(store, "put", put)
    with pytest.raises(FileRefusedError) as refused:
        stage(session, store)
    assert refused.value.code == "storage_unavailable"
    assert count(session, StagedUpload) == 0


def test_only_the_uploader_finds_his_upload(session: Session, store: Store) -> None:
    staged = stage(session, store)
    for attempt in (
        lambda: claim_staged(session, [staged.token], AGUS),
        lambda: discard_staged(session, staged.token, AGUS),
        lambda: attach(session, staged, make_case(session), user_id=AGUS),
    ):
        with pytest.raises(RefusedError) as refused:
            attempt()
        assert refused.value.code == "upload_expired"
    assert count(session, StagedUpload) == 1


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param(["x" * 43], id="an unknown token"),
        pytest.param([""], id="an empty token"),
        pytest.param(["a\0b"], id="a null byte"),
        pytest.param(["😀"], id="an emoji"),
        pytest.param(["x" * 10_000], id="10,000 characters"),
        pytest.param([f"t{number}" for number in range(400)], id="400 tokens"),
    ],
)
def test_a_bad_token_is_an_expired_one(session: Session, tokens: list[str]) -> None:
    with pytest.raises(RefusedError) as refused:
        claim_staged(session, tokens, SITI)
    assert refused.value.code == "upload_expired"
    with pytest.raises(RefusedError):
        discard_staged(session, tokens[0], SITI)


def test_uploads_come_in_the_forms_order_and_once(session: Session, store: Store) -> None:
    first, second = stage(session, store), stage(session, store)
    order = [second.token, first.token, second.token]
    assert claim_staged(session, order, SITI) == [second, first]
    assert claim_staged(session, [], SITI) == []


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


@pytest.mark.parametrize(
    ("limits", "age", "refused"),
    [
        pytest.param(Limits(max_staged_per_user_day=2), timedelta(0), True, id="too many"),
        pytest.param(Limits(max_staged_per_user_day=3), timedelta(0), False, id="just enough"),
        pytest.param(Limits(max_staged_per_user_day=2), timedelta(days=1), False, id="old ones"),
        pytest.param(
            Limits(max_staged_bytes_per_user_day=len(samples.pdf()) * 3 - 1),
            timedelta(0),
            True,
            id="bytes",
        ),
    ],
)
def test_unclaimed_uploads_do_not_pile_up(
    session: Session, store: Store, limits: Limits, age: timedelta, refused: bool
) -> None:
    for _ in range(2):
        stage(session, store, now=NOW - age)
    if refused:
        with pytest.raises(FileRefusedError) as error:
            stage(session, store, limits=limits)
        assert error.value.code == "too_many_uploads"
    else:
        stage(session, store, limits=limits)
    assert stage(session, store, user_id=AGUS, limits=limits)


def test_a_discarded_upload_goes_after_the_commit(session: Session, store: Store) -> None:
    staged = stage(session, store)
    session.commit()
    token = staged.token
    key = discard_staged(session, token, SITI)
    delete_after_commit(session, store, [key])
    session.rollback()
    assert store.exists(key)
    assert claim_staged(session, [token], SITI)
    delete_after_commit(session, store, [discard_staged(session, token, SITI)])
    session.commit()
    assert list(store.keys()) == []
    with pytest.raises(RefusedError):
        discard_staged(session, token, SITI)


def test_a_rolled_back_attachment_leaves_the_upload_staged(session: Session, store: Store) -> None:
    case = make_case(session)
    staged = stage(session, store)
    session.commit()
    attach(session, staged, case)
    session.rollback()
    assert claim_staged(session, [staged.token], SITI) == [staged]
    assert count(session, Document) == 0
    assert attach(session, staged, case).id


def test_old_uploads_are_purged_and_documents_stay(session: Session, store: Store) -> None:
    attached = stage(session, store, now=NOW - timedelta(days=3))
    document = attach(session, attached, make_case(session))
    old = stage(session, store, now=NOW - timedelta(days=2)).storage_key
    fresh = stage(session, store).storage_key
    keys = purge_staged(session, NOW - timedelta(days=1))
    assert keys == [old]
    delete_after_commit(session, store, keys)
    session.commit()
    assert set(store.keys()) == {fresh, document.storage_key}
    assert purge_staged(session, NOW - timedelta(days=1)) == []


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
