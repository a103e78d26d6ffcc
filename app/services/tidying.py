"""Throwing away what nobody can use any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.models import UsedFormKey

KEY_LIFE = timedelta(days=7)


def forget_old_keys(session: Session, now: datetime) -> int:
    """Drop form keys that nobody can send again; answers how many."""
    result = session.execute(delete(UsedFormKey).where(UsedFormKey.used_at < now - KEY_LIFE))
    assert isinstance(result, CursorResult)
    return int(result.rowcount)
