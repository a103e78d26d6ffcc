"""The outbox as a worker uses it: each step committed by the session it is done in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.services.messages import outbox
from app.services.messages.mailer import Mailer


def work_once(
    session: Session, mailer: Mailer, worker: str, now: datetime, **more: Any
) -> outbox.Round:
    """One look into the outbox, and what is due sent."""
    return outbox.work_once(session, mailer, worker, now, commit=session.commit, **more)


def claim(session: Session, worker: str, now: datetime, most: int = outbox.AT_ONCE) -> list[int]:
    """Take messages for a worker."""
    ids = outbox.claim(session, worker, now, most)
    session.commit()
    return ids


def recover(session: Session, now: datetime) -> tuple[int, int]:
    """Take over from the dead."""
    counts = outbox.recover(session, now)
    session.commit()
    return counts
