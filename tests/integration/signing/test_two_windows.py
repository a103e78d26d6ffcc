"""One batch in two windows, or left behind by one: nothing is signed twice, nothing is stuck."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import Complaint, Signatory, SigningItem
from app.services.signature import SigningError
from app.services.signature.pkcs12 import Pkcs12Signer
from tests.support import signed
from tests.support.panel import engine_of
from tests.support.signing import Desk

pytestmark = pytest.mark.usefixtures("app")


def left_sending(session: Session, minutes: float) -> None:
    """Every paper is being signed since then, and nobody is there any more."""
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    session.execute(update(SigningItem).values(state="sending", started_at=since))
    session.commit()


@pytest.mark.pooled
@pytest.mark.both
def test_a_second_window_takes_the_next_paper_and_leaves_the_first_alone(
    desk: Desk,
    waiting: Callable[..., list[Complaint]],
    login: Any,
    post: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other window asks while the first paper is at the signer."""
    cases = waiting(2)
    batch = desk.start(cases)
    other, really = login("kepala"), Pkcs12Signer.sign
    during: list[Any] = []

    def sign(self: Pkcs12Signer, *args: Any) -> Any:
        if not during:
            during.append("first")
            answer = post(
                other,
                f"{batch}/next",
                {"passphrase": signed.PASSPHRASE},
                headers={"Accept": "application/json"},
            )
            during.append(answer.get_json()["id"])
        return really(self, *args)

    monkeypatch.setattr(Pkcs12Signer, "sign", sign)
    assert desk.next(batch)["id"] == 1
    assert during == ["first", 2]
    assert desk.states() == ["signed", "signed"]
    assert {desk.step_of(case) for case in cases} == {"printing"}


@pytest.mark.both
def test_a_paper_that_another_window_is_just_taking_up_is_passed_over(
    desk: Desk, waiting: Callable[..., list[Complaint]], app: Flask
) -> None:
    """On PostgreSQL its row is held; on SQLite there is one writer at a time anyway."""
    batch = desk.start(waiting(2))
    first = desk.items()[0].id
    desk.session.commit()
    with engine_of(app).connect() as connection:
        row = select(SigningItem.state).where(SigningItem.id == first).with_for_update()
        connection.execute(row)
        held = connection.dialect.name == "postgresql"
        if not held:
            connection.rollback()
        assert desk.next(batch)["id"] == (2 if held else 1)
    assert desk.states() == (["waiting", "signed"] if held else ["signed", "waiting"])


@pytest.mark.both
def test_what_is_signed_stays_signed_whatever_a_late_answer_says(
    desk: Desk,
    waiting: Callable[..., list[Complaint]],
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The signed file was brought while the signer still kept silent."""
    (case,) = waiting(1)
    batch = desk.start([case])

    def silent(self: Pkcs12Signer, *args: Any) -> Any:
        with engine_of(app).begin() as connection:
            connection.execute(update(SigningItem).values(state="signed"))
        raise SigningError("service_no_answer", outcome="unknown")

    monkeypatch.setattr(Pkcs12Signer, "sign", silent)
    desk.next(batch)
    assert [(item.state, item.error) for item in desk.items()] == [("signed", "")]


def test_a_batch_whose_window_died_can_be_gone_on_with(
    desk: Desk, waiting: Callable[..., list[Complaint]], session: Session
) -> None:
    """Signed here, what was not kept does not exist: the paper waits again."""
    (case,) = waiting(1)
    batch = desk.start([case])
    left_sending(session, 1)
    page = desk.client.get(batch).text
    assert f'action="{batch}/sign"' in page
    assert '<button type="submit"' in page.split("data-sign-go")[1].split("</form>")[0]
    desk.post(desk.client, f"{batch}/sign", {})
    assert desk.states() == ["sending"], "it may still be at work"
    left_sending(session, 60)
    desk.post(desk.client, f"{batch}/sign", {})
    assert desk.states() == ["waiting"]
    desk.run(batch)
    assert desk.states() == ["signed"]
    assert desk.step_of(case) == "printing"


def test_a_forgotten_batch_holds_no_paper_back(
    desk: Desk, waiting: Callable[..., list[Complaint]], session: Session
) -> None:
    (case,) = waiting(1)
    desk.start([case])
    left_sending(session, 60)
    desk.start([case])  # settles what nobody waits for any more
    desk.run(desk.start([case]))
    assert desk.states() == ["signed"]
    assert desk.step_of(case) == "printing"


def test_a_batch_begun_in_another_capacity_is_not_signed_in_it(
    desk: Desk, waiting: Callable[..., list[Complaint]], session: Session
) -> None:
    """Begun as acting head, gone on with after the appointment."""
    (case,) = waiting(1)
    batch = desk.start([case])
    acting = session.scalars(select(Signatory)).one()
    acting.capacity, acting.valid_to = "plt", date(2026, 1, 31)
    session.add(
        Signatory(
            user_id=acting.user_id,
            name=acting.name,
            position=acting.position,
            capacity="definitif",
            valid_from=date(2026, 2, 1),
            certificate=acting.certificate,
        )
    )
    session.commit()
    desk.run(batch)
    assert [(item.state, item.error) for item in desk.items()] == [("failed", "capacity_changed")]
    assert desk.step_of(case) == "signing"
    desk.run(desk.start([case]))
    assert desk.states() == ["signed"]


@pytest.mark.both
def test_a_signed_file_that_cannot_be_kept_is_no_answer_lost_for_ever(
    desk: Desk,
    waiting: Callable[..., list[Complaint]],
    store: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Signed here and not kept is not signed; the paper can be chosen again."""
    from app.services.signing import running

    def broken(*args: Any, **more: Any) -> Any:
        raise RuntimeError("the disk is full")

    (case,) = waiting(1)
    batch = desk.start([case])
    with monkeypatch.context() as patched:
        patched.setattr(running, "keep_signed", broken)
        desk.next(batch)
    assert [(item.state, item.error) for item in desk.items()] == [("failed", "signing_stopped")]
    desk.run(desk.start([case]))
    assert desk.states() == ["signed"]
    assert desk.step_of(case) == "printing"


@pytest.mark.both
def test_a_reason_with_a_null_byte_is_a_reason(
    desk: Desk, waiting: Callable[..., list[Complaint]], session: Session
) -> None:
    batch = desk.start(waiting(1))
    session.execute(update(SigningItem).values(state="unknown"))
    session.commit()
    desk.post(desk.client, f"{batch}/release/1", {"reason": "tidak\x00 ada"})
    assert desk.states() == ["released"]
    assert desk.items()[0].error_params == {"reason": "tidak ada"}
