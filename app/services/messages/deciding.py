"""What an officer decides about a message: it was sent, send it again, it is not needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.models import Message
from app.services.actor import Actor
from app.services.messages.compose import mobile_number
from app.services.visibility import ensure_visible
from app.sop.errors import RefusedError
from app.sop.text import N_

#: What may be decided about a message of a way in a state; nothing else is offered or accepted.
CHOICES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("whatsapp", "offered"): ("sent", "cancel"),
    ("whatsapp", "cancelled"): ("again",),
    ("email", "queued"): ("cancel",),
    ("email", "failed"): ("again", "cancel"),
    ("email", "unclear"): ("sent", "again"),
    ("email", "cancelled"): ("again",),
}
MESSAGES: Final[Mapping[str, str]] = {
    "message_changed": N_("Meanwhile something else happened to this message; look at it again."),
    "message_no_address": N_(
        "This case has no e-mail address or mobile number any more; correct the case first."
    ),
    "message_cancelled": N_("%(who)s decided that it is not needed."),
}


def choices_of(message: Message) -> tuple[str, ...]:
    """What may be decided about a message now."""
    return CHOICES.get((message.way, message.state), ())


def confirm_sent(session: Session, message: Message, actor: Actor, now: datetime) -> None:
    """The officer says that it went out: he sent it on WhatsApp, or the applicant has the e-mail.

    Raises:
        NotAllowedError, NotFoundError: not his to decide, or not his to know of.
        RefusedError: it is not waiting for that.
    """
    _decide(
        session,
        message,
        actor,
        "sent",
        {"state": "sent", "sent_at": now, "sent_by_id": actor.id, "error": "", "error_params": {}},
    )


def send_again(session: Session, message: Message, actor: Actor, now: datetime) -> None:
    """Into the queue once more, to the address that the case has now.

    Raises:
        NotAllowedError, NotFoundError: not his to decide, or not his to know of.
        RefusedError: it is not waiting for that, or the case has no address any more.
    """
    case = message.complaint
    email = message.way == "email"
    recipient = case.email.strip() if email else mobile_number(case.phone)
    if not recipient:
        raise RefusedError("message_no_address")
    _decide(
        session,
        message,
        actor,
        "again",
        {
            "state": "queued" if email else "offered",
            "recipient": recipient,
            "recipient_digest": recipient,
            "attempts": 0,
            "next_at": now if email else None,
            "worker": "",
            "claimed_at": None,
            "error": "",
            "error_params": {},
        },
    )


def cancel(session: Session, message: Message, actor: Actor) -> None:
    """It is not needed any more.

    Raises:
        NotAllowedError, NotFoundError: not his to decide, or not his to know of.
        RefusedError: it is not waiting for that; a worker may just have it in hand.
    """
    values = {
        "state": "cancelled",
        "next_at": None,
        "error": "message_cancelled",
        "error_params": {"who": actor.name},
    }
    _decide(session, message, actor, "cancel", values)


def _decide(
    session: Session, message: Message, actor: Actor, choice: str, values: dict[str, Any]
) -> None:
    """Write a decision, only where the message still waits for it; flushes."""
    ensure_visible(actor, message.complaint)
    actor.require("can_edit", "Message")
    if choice not in choices_of(message):
        raise RefusedError("message_changed")
    result = session.execute(
        update(Message)
        .where(Message.id == message.id, Message.state == message.state)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    session.expire(message)
    if result.rowcount != 1:
        raise RefusedError("message_changed")
