"""Answers that never came: not sent twice, shown, fetched, brought or released."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, SigningItem
from tests.support import signed
from tests.support.esign_server import PASSWORD, USER, EsignServer, esign_server
from tests.support.signing import Desk


@pytest.fixture
def service() -> Iterator[EsignServer]:
    """The signature service on this machine."""
    with esign_server() as running:
        yield running


@pytest.fixture
def app(make_app: Callable[..., Flask], service: EsignServer) -> Flask:
    """An office that signs through the service."""
    return make_app(
        SIGNATURE_WAY="bsre",
        BSRE_URL=service.url,
        BSRE_USER=USER,
        BSRE_PASSWORD=PASSWORD,
        BSRE_TIMEOUT=1,
    )


def test_the_service_signs_a_batch(
    desk: Desk, waiting: Callable[..., list[Complaint]], service: EsignServer
) -> None:
    cases = waiting(2)
    desk.run(desk.start(cases))
    assert desk.states() == ["signed", "signed"]
    assert len(service.signed) == 2
    assert {desk.step_of(case) for case in cases} == {"printing"}


@pytest.mark.parametrize("silence", ["hang", "drop", "garbage"])
def test_a_paper_whose_answer_never_came_is_not_sent_again(
    desk: Desk, waiting: Callable[..., list[Complaint]], service: EsignServer, silence: str
) -> None:
    silent, other = waiting(2)
    service.next = [silence]
    batch = desk.start([silent, other])
    desk.run(batch)
    assert desk.states() == ["unknown", "signed"]
    assert [desk.step_of(case) for case in (silent, other)] == ["signing", "printing"]
    sent = len(service.requests)
    # Going on, a new batch, everything at once: nothing leaves for the service any more.
    desk.run(batch)
    desk.post(desk.client, f"{batch}/sign", {"passphrase": signed.PASSPHRASE})
    desk.run(desk.start([silent]))
    assert desk.items()[0].error == "signing_outstanding"
    assert len(service.requests) == sent
    assert f'value="{silent.id}" form="sign-form"' not in desk.page()
    assert "/release/1" in desk.client.get(batch).text
    assert f'href="{batch}#line-1"' in desk.page(), "there it is decided about"


def test_it_is_released_only_with_what_was_seen_at_the_service(
    desk: Desk,
    waiting: Callable[..., list[Complaint]],
    service: EsignServer,
    session: Session,
) -> None:
    (case,) = waiting(1)
    service.next = ["hang"]
    batch = desk.start([case])
    desk.run(batch)
    for reason in ("", "   "):
        desk.post(desk.client, f"{batch}/release/1", {"reason": reason})
        assert desk.states() == ["unknown"]
    desk.post(desk.client, f"{batch}/release/1", {"reason": "Tidak ada di layanan"})
    assert desk.states() == ["released"]
    events = session.scalars(select(CaseEvent).where(CaseEvent.complaint_id == case.id)).all()
    assert events[-1].reason == "Tidak ada di layanan"
    assert "Tidak ada di layanan" in desk.client.get(f"/complaints/show/{case.id}").text
    desk.run(desk.start([case]))
    assert desk.states() == ["signed"]
    assert desk.step_of(case) == "printing"
    # Released is released: there is nothing to release any more.
    desk.post(desk.client, f"{batch}/release/1", {"reason": "Sekali lagi"})
    assert session.scalars(select(SigningItem.state).where(SigningItem.batch_id == 1)).all() == [
        "released"
    ]


def test_the_signed_file_is_brought_instead(
    desk: Desk, waiting: Callable[..., list[Complaint]], service: EsignServer, papers: Any
) -> None:
    (case,) = waiting(1)
    service.next = ["hang"]
    batch = desk.start([case])
    desk.run(batch)
    (paper,) = papers(case)
    files = {f"signed_{paper.id}": (io.BytesIO(signed.signed_pdf()), "tte.pdf")}
    answer = desk.post(
        desk.client, f"/signing/bring/{case.id}", files, content_type="multipart/form-data"
    )
    assert answer.status_code == 303
    assert desk.states() == ["signed"]
    assert desk.step_of(case) == "printing"


def test_a_file_that_the_service_keeps_is_fetched_and_never_signed_again(
    desk: Desk, waiting: Callable[..., list[Complaint]], service: EsignServer
) -> None:
    (case,) = waiting(1)
    service.next, service.next_fetch = ["json"], ["busy"] * 9
    batch = desk.start([case])
    desk.run(batch)
    (item,) = desk.items()
    assert item.state == "remote"
    assert item.remote_id
    assert desk.step_of(case) == "signing"
    assert "/fetch/1" in desk.client.get(batch).text
    service.next_fetch = []
    desk.post(desk.client, f"{batch}/fetch/1", {})
    assert desk.states() == ["signed"]
    assert len(service.signed) == len(service.requests) == 1
    assert desk.step_of(case) == "printing"


def test_a_sender_that_died_leaves_no_answer_behind(
    desk: Desk, waiting: Callable[..., list[Complaint]], service: EsignServer, session: Session
) -> None:
    """The process ended between the commit of `sending` and the answer."""
    died, other = waiting(2)
    batch = desk.start([died, other])
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    session.execute(
        update(SigningItem)
        .where(SigningItem.position == 1)
        .values(state="sending", started_at=long_ago)
    )
    session.commit()
    desk.run(batch)
    assert desk.states() == ["unknown", "signed"]
    assert len(service.requests) == 1


def test_sending_is_kept_before_anything_leaves(
    desk: Desk,
    waiting: Callable[..., list[Complaint]],
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from app.services.signature.bsre import BsreSigner

    seen: list[str] = []

    def die(self: Any, *args: Any) -> Any:
        session.rollback()
        seen.extend(session.scalars(select(SigningItem.state)))
        session.rollback()
        raise KeyboardInterrupt

    monkeypatch.setattr(BsreSigner, "sign", die)
    batch = desk.start(waiting(1))
    with pytest.raises(KeyboardInterrupt):
        desk.next(batch)
    assert seen == ["sending"]
    assert desk.states() == ["sending"]


@pytest.mark.parametrize("way", ["busy", "unavailable"])
def test_a_service_that_took_nothing_in_stops_the_batch_and_all_still_waits(
    desk: Desk, waiting: Callable[..., list[Complaint]], service: EsignServer, way: str
) -> None:
    cases = waiting(2)
    service.next = [way] * 9
    batch = desk.start(cases)
    steps = desk.run(batch)
    assert steps[-1]["message"]
    assert desk.states() == ["waiting", "waiting"]
    service.next = []
    desk.run(batch)
    assert desk.states() == ["signed", "signed"]
    assert len(service.signed) == 2


def test_a_wrong_passphrase_goes_to_the_service_once(
    desk: Desk, waiting: Callable[..., list[Complaint]], service: EsignServer
) -> None:
    batch = desk.start(waiting(3))
    desk.run(batch, "salah")
    assert len(service.requests) == 1
    assert desk.states() == ["waiting"] * 3
