"""A batch: one passphrase, one result per document, and what is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, Model, Signatory, SigningBatch, StepRun
from app.services.complaints import claim
from app.services.signature import read_signatures
from app.services.transitions import Office
from tests.support import signed
from tests.support.cases import CaseMaker
from tests.support.panel import engine_of
from tests.support.pdftools import run_program
from tests.support.signing import Desk, with_papers

pytestmark = pytest.mark.usefixtures("app")


def replace_draft(store: Any, case: Complaint, data: bytes) -> None:
    """Let the stored draft hold something that cannot be signed, with its checksum."""
    import hashlib

    draft = next(d for d in case.documents if d.stage == "draft")
    store.delete(draft.storage_key)
    store.put(draft.storage_key, data)
    draft.sha256, draft.size = hashlib.sha256(data).hexdigest(), len(data)


@pytest.mark.both
def test_all_chosen_cases_are_signed_and_move_on(
    desk: Desk, waiting: Callable[..., list[Complaint]], papers: Any, store: Any
) -> None:
    cases = waiting(3)
    batch = desk.start(cases)
    assert desk.states() == ["waiting"] * 3
    steps = desk.run(batch)
    assert [(step["done"], step["left"]) for step in steps] == [(1, 2), (2, 1), (3, 0)]
    assert desk.states() == ["signed"] * 3
    assert [desk.step_of(case) for case in cases] == ["printing"] * 3
    for item, case in zip(desk.items(), cases, strict=True):
        assert item.moved
        document = papers(case)[0].documents[-1]
        assert (item.signed_id, document.signature_state) == (document.id, "trusted")
        report = read_signatures(store.get(document.storage_key), signed.trust())
        assert [found.signer for found in report.signatures] == [signed.SIGNER]
    assert desk.items()[0].batch.finished_at is not None
    page = desk.client.get(batch).text
    assert page.count("data-line=") == 3
    assert "data-finished" in page


def test_without_scripts_one_sending_signs_all(
    desk: Desk, waiting: Callable[..., list[Complaint]]
) -> None:
    cases = waiting(2)
    batch = desk.start(cases, passphrase=signed.PASSPHRASE)
    assert desk.states() == ["signed", "signed"]
    assert "data-finished" in desk.client.get(batch).text
    assert {desk.step_of(case) for case in cases} == {"printing"}


@pytest.mark.both
def test_a_failure_of_one_leaves_the_others_signed_and_that_one_where_it_was(
    desk: Desk, waiting: Callable[..., list[Complaint]], store: Any, session: Session
) -> None:
    _first, broken, _last = cases = waiting(3)
    replace_draft(store, broken, b"%PDF-1.7 and nothing more")
    session.commit()
    before = broken.version
    desk.run(desk.start(cases))
    assert desk.states() == ["signed", "failed", "signed"]
    assert [desk.step_of(case) for case in cases] == ["printing", "signing", "printing"]
    assert broken.version == before
    assert not [d for d in broken.documents if d.stage == "signed"]
    failed = desk.items()[1]
    assert failed.error
    assert not failed.moved


def test_one_paper_of_two_fails_and_its_case_stays(
    desk: Desk,
    make_case: CaseMaker,
    waiting: Callable[..., list[Complaint]],
    papers: Any,
    store: Any,
    session: Session,
) -> None:
    case = make_case("signing")
    with_papers(make_case, case, "kk_baru", "biodata_penduduk")
    drafts = [d for d in case.documents if d.stage == "draft"]
    store.delete(drafts[-1].storage_key)
    session.commit()
    desk.run(desk.start([case]))
    assert sorted(desk.states()) == ["failed", "signed"]
    assert desk.step_of(case) == "signing"
    # The signed one stays signed, and is not signed again with the next batch.
    batch = desk.start([case])
    assert len(desk.items()) == 1
    desk.run(batch)
    assert desk.states() == ["failed"]


def test_a_wrong_passphrase_stops_before_anything_moves(
    desk: Desk, waiting: Callable[..., list[Complaint]], make_case: CaseMaker, session: Session
) -> None:
    ready = make_case("signing")
    make_case.record_facts(ready, "sign")
    session.commit()
    cases = [ready, *waiting(2)]
    batch = desk.start(cases)
    steps = desk.run(batch, "salah sekali")
    assert len(steps) == 1
    assert steps[0]["message"]
    assert desk.states() == ["waiting"] * 3
    assert {desk.step_of(case) for case in cases} == {"signing"}
    desk.run(batch)
    assert desk.states() == ["signed"] * 3


@pytest.mark.parametrize("passphrase", ["", " ", "x" * 5000])
def test_no_passphrase_is_no_passphrase(
    desk: Desk, waiting: Callable[..., list[Complaint]], passphrase: str
) -> None:
    batch = desk.start(waiting(1))
    assert desk.next(batch, passphrase)["message"]
    assert desk.states() == ["waiting"]


def test_a_case_that_was_changed_since_is_not_signed(
    desk: Desk, waiting: Callable[..., list[Complaint]], session: Session, office: Office
) -> None:
    before, after = waiting(2)
    data = desk.chosen([before, after])
    claim(session, office, before, None)
    session.commit()
    batch = desk.post(desk.client, "/signing/start", data).location
    claim(session, office, after, None)
    session.commit()
    desk.run(batch)
    assert [(item.state, item.error) for item in desk.items()] == [
        ("failed", "case_changed"),
        ("failed", "case_changed"),
    ]


def test_a_draft_that_was_replaced_since_is_not_signed(
    desk: Desk, waiting: Callable[..., list[Complaint]], session: Session
) -> None:
    (case,) = waiting(1)
    batch = desk.start([case])
    next(d for d in case.documents if d.stage == "draft").replaced_at = datetime.now(UTC)
    session.commit()
    desk.run(batch)
    assert [item.error for item in desk.items()] == ["draft_changed"]


def test_a_paper_without_a_draft_gets_its_line_and_its_reason(
    desk: Desk, make_case: CaseMaker
) -> None:
    case = make_case("signing")
    page = desk.page()
    assert f'value="{case.id}" form="sign-form"' not in page  # it cannot be chosen
    desk.start([case])
    assert [item.error for item in desk.items()] == ["no_draft"]


@pytest.mark.parametrize(
    "dates",
    [{"valid_from": date(2100, 1, 1)}, {"valid_to": date(2020, 6, 1)}],
    ids=["not yet in office", "no longer in office"],
)
def test_who_is_not_in_office_signs_nothing(
    desk: Desk, waiting: Callable[..., list[Complaint]], session: Session, dates: dict[str, date]
) -> None:
    cases = waiting(1)
    data = desk.chosen(cases)
    batch = desk.start(cases)
    row = session.scalars(select(Signatory)).one()
    for name, value in dates.items():
        setattr(row, name, value)
    session.commit()
    assert desk.post(desk.client, "/signing/start", data).status_code == 303
    desk.run(batch)  # taken up while he was in office
    assert desk.states() == ["failed"]
    assert desk.items()[0].error == "signatory_not_in_office"
    assert 'name="case"' not in desk.page()


def test_an_acting_head_signs_by_his_decree_and_is_stamped_so(
    desk: Desk,
    waiting: Callable[..., list[Complaint]],
    papers: Any,
    session: Session,
    store: Any,
    tmp_path: Path,
) -> None:
    row = session.scalars(select(Signatory)).one()
    row.capacity, row.decree_number, row.decree_date = "plt", "821/17", date(2026, 1, 5)
    (case,) = waiting(1)
    desk.run(desk.start([case]))
    document = papers(case)[0].documents[-1]
    file = tmp_path / "signed.pdf"
    file.write_bytes(store.get(document.storage_key))
    assert "Plt. Kepala Dinas" in run_program("pdftotext", "-raw", file, "-")
    event = case.events[-1]
    assert "Plt. Kepala Dinas" in event.details["signed_as"]


def test_nobody_else_signs(
    waiting: Callable[..., list[Complaint]], login: Any, post: Any, session: Session, actor: Any
) -> None:
    (case,) = waiting(1)
    for key in ("petugas", "operator", "subkoordinator", "kabid", "admin"):
        data = {"case": str(case.id), f"version_{case.id}": str(case.version)}
        assert post(login(key), "/signing/start", data).status_code == 403
    assert session.scalars(select(SigningBatch)).all() == []


def test_a_batch_is_its_officials_own(
    desk: Desk, waiting: Callable[..., list[Complaint]], session: Session, user: Any
) -> None:
    batch = desk.start(waiting(1))
    row = session.scalars(select(SigningBatch)).one()
    row.user_id = user("subkoordinator").id
    session.commit()
    assert desk.client.get(batch).status_code == 404
    assert desk.post(desk.client, f"{batch}/next", {}).status_code == 404
    assert desk.post(desk.client, f"{batch}/release/1", {"reason": "x"}).status_code == 404


def test_a_form_sent_twice_makes_one_batch(
    desk: Desk, waiting: Callable[..., list[Complaint]], session: Session
) -> None:
    data = desk.chosen(waiting(2))
    answers = [desk.post(desk.client, "/signing/start", data).location for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(session.scalars(select(SigningBatch)).all()) == 1


def test_two_batches_of_one_paper_sign_it_once(
    desk: Desk, waiting: Callable[..., list[Complaint]]
) -> None:
    (case,) = waiting(1)
    first, second = desk.start([case]), desk.start([case])
    desk.run(first)
    desk.run(second)
    assert desk.states() == ["failed"]
    assert len([d for d in case.documents if d.stage == "signed"]) == 1


def test_a_confidential_case_is_not_known_to_who_may_not(
    desk: Desk, waiting: Callable[..., list[Complaint]], session: Session
) -> None:
    from app.models import PermissionView, Role

    (case,) = waiting(1)
    case.confidential = True
    session.commit()
    assert case.number in desk.page()
    role = session.scalars(select(Role).where(Role.name == "Kepala Dinas")).one()
    role.permissions = [
        one for one in role.permissions if one.permission.name != "see_confidential"
    ]
    session.commit()
    assert case.number not in desk.page()
    data = {"case": str(case.id), f"version_{case.id}": str(case.version)}
    assert desk.post(desk.client, "/signing/start", data).status_code == 404
    assert session.scalars(select(PermissionView.id).limit(1)).one()


def test_the_time_is_shared_among_the_cases(
    waiting: Callable[..., list[Complaint]],
    clock: Any,
    session: Session,
    store: Any,
    login: Any,
    post: Any,
) -> None:
    monday = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 09:00 in the office
    clock(monday)
    cases = waiting(2, at=monday - timedelta(hours=1))
    desk = Desk(session, store, login("kepala"), post)
    data = desk.chosen(cases)
    clock(monday + timedelta(minutes=4))
    batch = desk.post(desk.client, "/signing/start", data).location
    desk.run(batch)
    runs = [
        session.scalars(
            select(StepRun).where(StepRun.complaint_id == case.id, StepRun.step_key == "signing")
        ).one()
        for case in cases
    ]
    assert [run.batch_size for run in runs] == [2, 2]
    assert all(118 <= run.work_seconds <= 140 for run in runs)
    # The clock runs on while the page is made.
    assert all(monday <= run.started_at < monday + timedelta(seconds=20) for run in runs)


def test_the_passphrase_is_in_no_log_no_table_and_no_page(
    desk: Desk,
    waiting: Callable[..., list[Complaint]],
    app: Flask,
    session: Session,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Any,
) -> None:
    secret = "kata-rahasia-yang-dicari"
    with caplog.at_level(logging.DEBUG):
        batch = desk.start(waiting(2), passphrase=secret)
        desk.run(batch, secret)
        desk.post(desk.client, f"{batch}/sign", {"passphrase": secret})
        page = desk.client.get(batch).text
        desk.run(batch)
    printed = capfd.readouterr()
    assert secret not in caplog.text
    assert secret not in printed.out + printed.err
    assert secret not in page
    assert signed.PASSPHRASE not in caplog.text + printed.out + printed.err
    session.commit()
    with engine_of(app).connect() as connection:
        for table in Model.metadata.sorted_tables:
            rows = repr(connection.execute(select(table)).all())
            assert secret not in rows, table.name
            assert signed.PASSPHRASE not in rows, table.name
        assert connection.execute(text("SELECT count(*) FROM signing_item")).scalar() == 2


def test_the_history_says_who_signed_as_what(
    desk: Desk, waiting: Callable[..., list[Complaint]], session: Session
) -> None:
    (case,) = waiting(1)
    desk.run(desk.start([case]))
    event = session.scalars(
        select(CaseEvent).where(CaseEvent.complaint_id == case.id).order_by(CaseEvent.id.desc())
    ).first()
    assert event is not None
    assert event.transition == "sign"
    assert "Kepala Dinas Kependudukan" in event.details["signed_as"]
    assert "Kepala Dinas Kependudukan" in desk.client.get(f"/complaints/show/{case.id}").text
