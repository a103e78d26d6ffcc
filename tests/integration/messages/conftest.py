"""An office with a mail server, and messages in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Complaint, Message
from app.services.messages.compose import Reach
from app.services.messages.mailer import Mailer, MailSettings
from app.services.transitions import Office
from tests.support.cases import CaseMaker
from tests.support.smtp_server import MailServer, mail_server

SENDER = "Kantor <kantor@example.go.id>"
REACH = Reach("https://aduan.example.go.id", email=True)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def mailer(server: MailServer) -> Mailer:
    """The way to the test's server."""
    settings = MailSettings(server.host, server.port, security="none", sender=SENDER)
    return Mailer(settings, timeout=5)


@pytest.fixture
def reaching(office: Office) -> Office:
    """The office, with a mail server and an address on the internet."""
    return replace(office, reach=REACH)


@pytest.fixture
def tell_case(
    session: Session, reaching: Office, store: Any, actor: Callable[[str], Any]
) -> CaseMaker:
    """`make_case` of an office that reaches its applicants."""
    return CaseMaker(session, reaching, store, actor)


@pytest.fixture
def messages(session: Session) -> Callable[..., list[Message]]:
    """`messages(case)`: what its applicant is told, in order."""

    def read(case: Complaint, **wanted: str) -> list[Message]:
        session.commit()
        session.expire_all()
        rows = session.scalars(
            select(Message).where(Message.complaint_id == case.id).order_by(Message.id)
        )
        return [r for r in rows if all(getattr(r, key) == v for key, v in wanted.items())]

    return read


@pytest.fixture
def queue(session: Session, make_case: CaseMaker) -> Callable[..., list[str]]:
    """`queue(200)`: so many e-mails of one case that wait to be sent; their public ids."""

    def fill(count: int, **changes: Any) -> list[str]:
        case, now = make_case("intake", phone=""), datetime.now(UTC)
        values = {
            "complaint_id": case.id, "occasion": "receipt", "way": "email", "subject": "Uji",
            "state": "queued", "next_at": now, "created_at": now, "body": "Isi",
        }  # fmt: skip
        made = [
            Message(
                **{
                    **values,
                    "public_id": f"{number:032d}",
                    "recipient": f"a{number}@example.org",
                    **changes,
                }
            )
            for number in range(count)
        ]
        keys = [message.public_id for message in made]
        session.add_all(made)
        session.commit()
        return keys

    return fill
