"""Sessions that end: by their owner, by an administrator, by idleness, after a day's work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.models import Account, SignInSession
from app.services.sign_in.tokens import hash_of

#: The time of the last request is written this often at most; until then it is forgotten.
SEEN_EVERY: Final = timedelta(minutes=1)
#: Sign-ins that have ended are listed this long, and their rows kept three times as long.
SHOWN: Final = timedelta(days=30)


@dataclass(frozen=True)
class Limits:
    """How long a session lasts without a request, and at most."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True)
class SignedIn:
    """The session of a request, as its first statement found it."""

    id: int
    started_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    second_factor: bool

    def over(self, limits: Limits, now: datetime) -> Literal["", "ended", "idle", "absolute"]:
        """Why it is over; "" while it is not."""
        if self.ended_at is not None:
            return "ended"
        if now - self.started_at >= limits.absolute:
            return "absolute"
        if now - self.last_seen_at >= limits.idle:
            return "idle"
        return ""

    def left(self, limits: Limits, now: datetime) -> timedelta:
        """How long it lasts when nothing more is asked for."""
        return min(self.last_seen_at + limits.idle, self.started_at + limits.absolute) - now

    def ends_for_good(self, limits: Limits, now: datetime) -> bool:
        """Whether it is the day's work that ends it next, whatever is asked for until then."""
        return self.started_at + limits.absolute <= now + limits.idle


def start_session(
    session: Session,
    user_id: int,
    token: str,
    *,
    second_factor: bool,
    new_device: bool,
    address: str,
    agent: str,
    now: datetime,
) -> SignInSession:
    """A new sign-in; from a device that is new its owner is told at the next page. Flushes."""
    first = session.scalar(
        select(SignInSession.id).where(SignInSession.user_id == user_id).limit(1)
    )
    row = SignInSession(
        user_id=user_id,
        token_hash=hash_of(token),
        started_at=now,
        last_seen_at=now,
        second_factor=second_factor,
        new_device=new_device,
        address=address[:64],
        agent=agent[:300],
    )
    session.add(row)
    session.flush()
    # Somebody's very first sign-in is no news to him.
    if new_device and first is not None:
        session.execute(
            update(Account).where(Account.user_id == user_id).values(unseen_session_id=row.id)
        )
    return row


def note_seen(session: Session, session_id: int, now: datetime) -> None:
    """Write down that a session is in use; nothing else of it is touched. Flushes."""
    session.execute(
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.last_seen_at < now)
        .values(last_seen_at=now)
        .execution_options(synchronize_session=False)
    )


def end_session(session: Session, user_id: int, session_id: int, now: datetime) -> bool:
    """End one session of a user; False when it is none of his, or over already."""
    done = session.execute(
        update(SignInSession)
        .where(
            SignInSession.id == session_id,
            SignInSession.user_id == user_id,
            SignInSession.ended_at.is_(None),
        )
        .values(ended_at=now)
        .returning(SignInSession.id)
    ).first()
    return done is not None


def end_all(session: Session, user_id: int, now: datetime, *, but: int | None = None) -> int:
    """End every session of a user, or every other one; how many there were.

    This alone does not end what an older release has handed out: the session version does.
    """
    query = (
        update(SignInSession)
        .where(SignInSession.user_id == user_id, SignInSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(SignInSession.id)
    )
    if but is not None:
        query = query.where(SignInSession.id != but)
    return len(session.execute(query).all())


def sessions_of(session: Session, user_id: int, now: datetime) -> list[SignInSession]:
    """The sign-ins of a user of the last month, the newest first."""
    return list(
        session.scalars(
            select(SignInSession)
            .where(SignInSession.user_id == user_id, SignInSession.started_at > now - SHOWN)
            .order_by(SignInSession.started_at.desc(), SignInSession.id.desc())
            .limit(60)
        )
    )


def tidy_sessions(session: Session, now: datetime) -> int:
    """Forget the sign-ins that nobody is shown any more; flushes."""
    gone = session.execute(
        delete(SignInSession)
        .where(SignInSession.started_at < now - 3 * SHOWN)
        .returning(SignInSession.id)
    ).all()
    return len(gone)
