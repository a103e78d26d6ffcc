"""Wrong tries become slow: for each account, device and address, in the database of all servers.

A try is counted before the password is compared, so that a hundred at once are a hundred. While a
key is blocked nothing is counted: a block ends at its time whatever a stranger goes on sending.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models import SignInThrottle


@dataclass(frozen=True)
class Pace:
    """So many tries are free; then each waits twice as long as the one before, up to an end."""

    free: int
    first: timedelta
    most: timedelta
    forget: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long to wait after so many tries."""
        if failures < self.free:
            return timedelta(0)
        doubled: int = 2 ** min(failures - self.free, 20)
        return min(self.first * doubled, self.most)


#: From browsers that the account does not know: a stranger, or the owner somewhere new.
STRANGER: Final = Pace(5, timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=24))
#: From a browser of the owner.
DEVICE: Final = Pace(10, timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=24))
#: From one address, whatever the account: a whole office may sit behind it.
ADDRESS: Final = Pace(30, timedelta(seconds=30), timedelta(minutes=10), timedelta(hours=1))
#: Codes, after the right password: five wrong ones stop for a quarter of an hour.
CODE: Final = Pace(5, timedelta(minutes=15), timedelta(hours=12), timedelta(hours=24))


def key_of(secret: bytes, *parts: object) -> str:
    """The name of a counter; what was typed as a user name stands nowhere in clear."""
    text = "\x1f".join(str(part) for part in parts)
    return hmac.new(secret, b"throttle\x1f" + text.encode(), hashlib.sha256).hexdigest()


def take(session: Session, key: str, pace: Pace, now: datetime) -> bool:
    """Count one try; False, and nothing counted, when the key has to wait. The caller commits."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    made = insert(SignInThrottle).values(key=key, failures=0, last_at=now, blocked_until=None)
    # Makes the row or holds it, in one statement: another try may forget it at the same time.
    row = session.execute(
        made.on_conflict_do_update(
            index_elements=["key"], set_={"key": made.excluded.key}
        ).returning(SignInThrottle.failures, SignInThrottle.last_at, SignInThrottle.blocked_until)
    ).one()
    if row.blocked_until is not None and now < row.blocked_until:
        return False
    failures = 1 if now - row.last_at >= pace.forget else row.failures + 1
    wait = pace.wait(failures)
    session.execute(
        update(SignInThrottle)
        .where(SignInThrottle.key == key)
        .values(failures=failures, last_at=now, blocked_until=now + wait if wait else None)
        .execution_options(synchronize_session=False)
    )
    return True


def blocked_until(session: Session, key: str, now: datetime) -> datetime | None:
    """When a key may be tried again; None when now."""
    until = session.scalar(select(SignInThrottle.blocked_until).where(SignInThrottle.key == key))
    return until if until is not None and now < until else None


def clear(session: Session, *keys: str) -> None:
    """Forget the tries: one was right."""
    session.execute(delete(SignInThrottle).where(SignInThrottle.key.in_(keys)))


def give_back(session: Session, key: str, pace: Pace) -> None:
    """One try was right: it does not count. The others do, so that nobody clears an address by
    signing in himself in between.
    """
    left = session.execute(
        update(SignInThrottle)
        .where(SignInThrottle.key == key, SignInThrottle.failures > 0)
        .values(failures=SignInThrottle.failures - 1)
        .returning(SignInThrottle.failures)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if left is not None and not pace.wait(left):
        session.execute(
            update(SignInThrottle)
            .where(SignInThrottle.key == key)
            .values(blocked_until=None)
            .execution_options(synchronize_session=False)
        )


def tidy_throttles(session: Session, now: datetime) -> int:
    """Forget the counters that count nothing any more; flushes."""
    gone = session.execute(
        delete(SignInThrottle)
        .where(SignInThrottle.last_at < now - timedelta(days=2))
        .returning(SignInThrottle.key)
    ).all()
    return len(gone)
