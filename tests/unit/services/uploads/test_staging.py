"""Uploads: the file is there before the row, and only its uploader finds it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.models import StagedUpload
from app.services.storage import Store, StoreError
from app.services.uploads import (
    Limits,
    claim_staged,
    delete_after_commit,
    discard_staged,
    purge_staged,
    verify_store,
)
from app.sop.errors import FileRefusedError, RefusedError
from tests.support import samples
from tests.support.uploads import AGUS, NOW, SITI, attach, count, make_case, stage


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
