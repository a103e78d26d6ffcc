"""E-mails leave the outbox once, are tried again for now, given up for good, or left unclear."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Message
from app.services.messages.mailer import Mailer, MailSettings
from app.services.messages.outbox import (
    LEASE,
    WAITS,
    something_due,
)
from tests.support.outbox import claim, recover, work_once
from tests.support.panel import engine_of
from tests.support.smtp_server import PASSWORD, USER, MailServer, mail_server
from tests.support.visitor import at_once

SENDER = "Kantor <kantor@example.go.id>"


def rows(session: Session) -> list[Message]:
    session.commit()
    session.expire_all()
    return list(session.scalars(select(Message).order_by(Message.id)))


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.both
def test_what_is_queued_is_sent_and_noted(
    session: Session, queue: Any, mailer: Mailer, server: MailServer
) -> None:
    keys = queue(3)
    done = work_once(session, mailer, "w", now())
    assert (done.sent, done.waiting, done.failed, done.unclear) == (3, 0, 0, 0)
    assert server.keys() == keys
    assert {(row.state, row.attempts, row.error) for row in rows(session)} == {("sent", 1, "")}
    assert all(row.sent_at is not None for row in rows(session))
    assert not something_due(session, now())
    assert work_once(session, mailer, "w", now()).handled == 0


def test_what_is_not_due_stays(
    session: Session, queue: Any, mailer: Mailer, server: MailServer
) -> None:
    queue(1, next_at=now() + timedelta(minutes=5))
    assert work_once(session, mailer, "w", now()).handled == 0
    assert server.received == []


def test_whatsapp_is_never_mailed(
    session: Session, queue: Any, mailer: Mailer, server: MailServer
) -> None:
    queue(1, way="whatsapp", state="offered", next_at=None, recipient="6281200000017")
    assert work_once(session, mailer, "w", now()).handled == 0


@pytest.mark.both
def test_not_now_is_tried_again_and_once_only(
    session: Session, queue: Any, mailer: Mailer, server: MailServer
) -> None:
    queue(1)
    server.on_data = lambda address: "451 4.3.0 come back later"
    start = now()
    assert work_once(session, mailer, "w", start).waiting == 1
    (row,) = rows(session)
    assert (row.state, row.attempts, row.error) == ("queued", 1, "mail_later")
    assert row.error_params["said"] == "451 4.3.0 come back later"
    assert row.next_at is not None
    assert row.next_at >= start + WAITS[0]
    server.on_data = lambda address: None
    assert work_once(session, mailer, "w", start).handled == 0, "too early"
    assert work_once(session, mailer, "w", row.next_at).sent == 1
    (row,) = rows(session)
    assert (row.state, row.attempts, row.error) == ("sent", 2, "")
    assert len(server.received) == 1


def test_a_refusal_for_good_keeps_its_reason_and_stops_nobody_else(
    session: Session, queue: Any, mailer: Mailer, server: MailServer
) -> None:
    keys = queue(3)
    server.on_rcpt = lambda a: "550 5.1.1 no such\tmailbox" if a.startswith("a1@") else None
    done = work_once(session, mailer, "w", now())
    assert (done.sent, done.failed) == (2, 1)
    assert server.keys() == [keys[0], keys[2]]
    failed = rows(session)[1]
    assert (failed.state, failed.error) == ("failed", "mail_refused")
    assert failed.error_params["said"] == "550 5.1.1 no such mailbox"
    assert not something_due(session, now() + timedelta(days=9))


def test_after_the_last_attempt_it_has_failed(
    session: Session, queue: Any, mailer: Mailer, server: MailServer
) -> None:
    queue(1, attempts=len(WAITS))
    server.on_data = lambda address: "451 later"
    assert work_once(session, mailer, "w", now()).failed == 1
    assert rows(session)[0].state == "failed"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"recipient": "a@example.org\r\nBcc: x@example.org"}, id="address"),
        pytest.param({"subject": "Halo\r\nBcc: x@example.org"}, id="subject"),
    ],
)
def test_a_header_that_would_break_is_refused(
    session: Session, queue: Any, mailer: Mailer, server: MailServer, changes: dict[str, str]
) -> None:
    queue(1, **changes)
    assert work_once(session, mailer, "w", now()).failed == 1
    assert (rows(session)[0].state, rows(session)[0].error) == ("failed", "mail_unwritable")
    assert server.received == []


def test_silence_after_the_last_byte_is_unclear_and_never_sent_again(
    session: Session, queue: Any, mailer: Mailer, server: MailServer
) -> None:
    keys = queue(3)
    server.fall_silent = True
    done = work_once(session, mailer, "w", now())
    assert (done.unclear, done.sent) == (1, 0)
    states = [row.state for row in rows(session)]
    assert states == ["unclear", "queued", "queued"]
    assert rows(session)[0].error == "mail_doubtful"
    server.fall_silent = False
    later = now() + LEASE
    assert work_once(session, mailer, "w", later).sent == 2
    assert server.keys() == keys, "each came once"
    assert [row.state for row in rows(session)] == ["unclear", "sent", "sent"]


def test_a_server_that_is_away_is_no_messages_fault(session: Session, queue: Any) -> None:
    queue(2)
    with mail_server() as gone:
        pass
    settings = MailSettings(gone.host, gone.port, security="none", sender=SENDER)
    done = work_once(session, Mailer(settings, timeout=2), "w", now())
    assert done.server == "mail_server_away"
    assert [(row.state, row.attempts) for row in rows(session)] == [("queued", 0)] * 2
    assert not something_due(session, now())


@pytest.mark.parametrize(
    ("password", "state", "reason"),
    [
        pytest.param("salah", "queued", "mail_login_refused", id="a wrong password is told"),
        pytest.param(PASSWORD, "sent", "", id="the right one opens"),
    ],
)
def test_signing_in(session: Session, queue: Any, password: str, state: str, reason: str) -> None:
    queue(1)
    with mail_server(login=True) as server:
        settings = MailSettings(
            server.host, server.port, USER, password, security="none", sender=SENDER
        )
        done = work_once(session, Mailer(settings, timeout=5), "w", now())
    assert done.server == reason
    (row,) = rows(session)
    assert (row.state, row.error) == (state, reason)
    assert "salah" not in str(row.error_params)


@pytest.mark.both
def test_what_a_dead_worker_claimed_is_sent_and_what_it_handed_is_unclear(
    session: Session, queue: Any, mailer: Mailer, server: MailServer
) -> None:
    keys = queue(4)
    start = now()
    assert len(claim(session, "dead", start, most=3)) == 3
    first = rows(session)[0]
    first.state = "handing"
    session.commit()
    assert recover(session, start + LEASE) == (0, 0), "it may still be alive"
    later = start + LEASE + timedelta(seconds=1)
    assert something_due(session, later)
    assert recover(session, later) == (2, 1)
    assert work_once(session, mailer, "other", later).sent == 3
    assert server.keys() == [keys[1], keys[2], keys[3]] or set(server.keys()) == set(keys[1:])
    assert rows(session)[0].error == "worker_died"


def test_a_slow_worker_does_not_send_what_another_took_over(
    session: Session, queue: Any, mailer: Mailer, server: MailServer, app: Any
) -> None:
    """The first worker is held up between claiming and sending for longer than a lease."""
    queue(2, next_at=now() - timedelta(hours=1))
    with Session(engine_of(app)) as slow:
        held = claim(slow, "slow", now() - LEASE - timedelta(minutes=1))
        assert len(held) == 2
        assert work_once(session, mailer, "quick", now()).sent == 2
        from app.services.messages import outbox

        done = outbox.Round()
        with mailer.connected() as connection:
            for key in held:
                outbox._deliver(slow, connection, key, "slow", done, slow.commit)
    assert done.handled == 0
    assert len(server.received) == 2


def test_stopping_finishes_the_message_in_hand_and_frees_the_rest(
    session: Session, queue: Any, mailer: Mailer, server: MailServer
) -> None:
    queue(5)
    done = work_once(session, mailer, "w", now(), stopping=lambda: len(server.received) >= 2)
    assert done.sent == 2
    assert [row.state for row in rows(session)] == ["sent", "sent"] + ["queued"] * 3
    assert something_due(session, now()), "at once, not after the lease"


@pytest.mark.pooled
@pytest.mark.both
def test_workers_at_once_send_each_message_once(
    app: Any, session: Session, queue: Any, mailer: Mailer, server: MailServer
) -> None:
    keys = queue(60)
    session.commit()

    def worker(number: int) -> Callable[[], int]:
        def run() -> int:
            sent = 0
            with Session(engine_of(app)) as own:
                while done := work_once(own, mailer, f"w{number}", now()).handled:
                    sent += done
            return sent

        return run

    counts = at_once([worker(number) for number in range(3)])
    assert sum(counts) == 60
    assert sorted(server.keys()) == sorted(keys)
    assert {row.state for row in rows(session)} == {"sent"}


def test_a_server_that_talks_without_end_loses_nothing(
    session: Session, queue: Any, mailer: Mailer, server: MailServer
) -> None:
    """Its answer to the envelope is no SMTP: nothing was handed over, all of it waits."""
    queue(2)
    server.on_rcpt = lambda address: "250 " + "ya " * 5000
    done = work_once(session, mailer, "w", now())
    assert (done.server, done.unclear) == ("mail_server_away", 0)
    assert {row.state for row in rows(session)} == {"queued"}
    assert server.received == []
