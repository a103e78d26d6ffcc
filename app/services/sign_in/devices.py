"""Known devices: a browser from which somebody has signed in completely is his.

Its cookie opens nothing. It only has wrong tries from it counted apart from those of strangers, so
that no stranger can keep its owner out; and a sign-in without it is shown to the owner.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.models import KnownDevice
from app.services.sign_in.tokens import hash_of

LASTS: Final = timedelta(days=180)

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def known_device(session: Session, user_id: int, token: str, now: datetime) -> int | None:
    """The device of a token if this user has signed in from it lately."""
    if not token:
        return None
    return session.scalar(
        select(KnownDevice.id).where(
            KnownDevice.user_id == user_id,
            KnownDevice.token_hash == hash_of(token),
            KnownDevice.last_seen_at > now - LASTS,
        )
    )


def is_known(session: Session, token: str, now: datetime) -> bool:
    """Whether anybody has signed in lately from the device of a token."""
    query = select(KnownDevice.id).where(
        KnownDevice.token_hash == hash_of(token), KnownDevice.last_seen_at > now - LASTS
    )
    return session.scalar(query.limit(1)) is not None


def remember_device(session: Session, user_id: int, token: str, now: datetime) -> None:
    """From now on this browser is one of the user's; flushes."""
    hashed = hash_of(token)
    seen = session.execute(
        update(KnownDevice)
        .where(KnownDevice.user_id == user_id, KnownDevice.token_hash == hashed)
        .values(last_seen_at=now)
        .returning(KnownDevice.id)
    ).first()
    if seen is None:
        session.add(
            KnownDevice(user_id=user_id, token_hash=hashed, first_seen_at=now, last_seen_at=now)
        )
        session.flush()


def forget_devices(session: Session, user_id: int) -> None:
    """No browser is a known one of this user any more."""
    session.execute(delete(KnownDevice).where(KnownDevice.user_id == user_id))


def device_parts(agent: str) -> tuple[str, str]:
    """Browser and system as people call them, "" where it cannot be told."""
    browser = next((name for key, name in _BROWSERS if re.search(rf"{key}/", agent)), "")
    system = next((name for key, name in _SYSTEMS if key in agent), "")
    return browser, system
