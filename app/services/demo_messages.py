"""What became of the demo's messages: most were sent, some still ask for an officer.

No mail ever leaves the demo: its applicants' addresses do not exist, and what its own mail worker
would find in the outbox has been sent or refused already.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Message
from app.services.actor import Actor
from app.services.messages.deciding import confirm_sent

#: What was offered within this time may still wait for its officer.
_FRESH: Final = timedelta(hours=30)
_MAIL_TAKES: Final = timedelta(seconds=20)
_OFFICER_TAKES: Final = timedelta(minutes=4)
_SAID: Final = "550 5.1.1 The email account that you tried to reach does not exist"


def settle_messages(session: Session, officer: Actor, *, now: datetime) -> None:
    """Say of every message of the seeded office what became of it; flushes."""
    messages = list(session.scalars(select(Message).order_by(Message.id)))
    mails = [message for message in messages if message.way == "email"]
    for message in mails:
        message.state, message.attempts = "sent", 1
        message.sent_at = min(now, message.created_at + _MAIL_TAKES)
    if mails:
        # One address was misspelt, and one time the server fell silent at the wrong moment.
        _fail(mails[-1], "failed", "mail_refused", _SAID)
    if len(mails) > 1:
        _fail(mails[0], "unclear", "mail_doubtful", "Connection unexpectedly closed")
    session.flush()
    for message in messages:
        if message.way == "whatsapp" and message.created_at < now - _FRESH:
            confirm_sent(session, message, officer, message.created_at + _OFFICER_TAKES)


def _fail(message: Message, state: str, code: str, said: str) -> None:
    message.state, message.sent_at, message.next_at = state, None, None
    message.error, message.error_params = code, {"said": said}
