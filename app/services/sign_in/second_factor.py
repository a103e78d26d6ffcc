"""The second factor: codes of an authenticator app (RFC 6238), and codes for when it is lost.

A code counts once: the step of the last one that was taken is kept, and no code of it or before it
counts again. The clock of the telephone may be one step off.
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime
from typing import Final, Literal

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.models import RecoveryCode, SecondFactor
from app.services.sign_in.tokens import hash_of

STEP: Final = 30
#: Steps that a telephone's clock may be off, either way.
DRIFT: Final = 1
RECOVERY_CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_LONGEST: Final = 64


def begin(session: Session, user_id: int, now: datetime) -> str:
    """A new secret that waits for its first code; one that counts already stays. Flushes.

    Raises:
        LookupError: the user has a second factor that counts.
    """
    row = session.get(SecondFactor, user_id)
    if row is not None and row.confirmed_at is not None:
        raise LookupError("a second factor is there")
    secret: str = pyotp.random_base32()
    closed = f"{user_id}:{secret}"
    if row is None:
        session.add(SecondFactor(user_id=user_id, secret=closed, created_at=now, last_step=0))
    else:
        row.secret, row.created_at = closed, now
    session.flush()
    return secret


def waiting_secret(session: Session, user_id: int) -> str | None:
    """The secret that waits for its first code."""
    row = session.get(SecondFactor, user_id)
    if row is None or row.confirmed_at is not None:
        return None
    return _opened(row.secret, user_id)


def confirm(session: Session, user_id: int, typed: str, now: datetime) -> list[str] | None:
    """From its first right code on the second factor counts; the recovery codes, or None. Flushes."""
    secret = waiting_secret(session, user_id)
    step = _step_of(secret, typed, now) if secret else None
    if step is None:
        return None
    row = session.get_one(SecondFactor, user_id)
    row.confirmed_at, row.last_step = now, step
    return renew_recovery_codes(session, user_id)


def renew_recovery_codes(session: Session, user_id: int) -> list[str]:
    """New recovery codes in place of all earlier ones; they are shown once. Flushes."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(16)) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user_id, code_hash=_hash(code, user_id)) for code in codes)
    session.flush()
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in codes]


def has_second_factor(session: Session, user_id: int) -> bool:
    """Whether a user has a second factor that counts."""
    return (
        session.scalar(
            select(SecondFactor.user_id).where(
                SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None)
            )
        )
        is not None
    )


def use_code(
    session: Session, user_id: int, typed: str, now: datetime
) -> Literal["", "app", "recovery"]:
    """Use up a code of the app or a recovery code; what it was, "" when it is none. Flushes.

    Two requests with the same code at once: one of them is right.
    """
    text = re.sub(r"[\s-]+", "", typed[:_LONGEST]).casefold()
    if re.fullmatch(r"[0-9]{6}", text):
        return "app" if _use_step(session, user_id, text, now) else ""
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == _hash(text, user_id),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    ).first()
    return "recovery" if used else ""


def recovery_codes_left(session: Session, user_id: int) -> int:
    """How many recovery codes still work."""
    return int(
        session.scalar(
            select(func.count()).where(
                RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
            )
        )
        or 0
    )


def remove(session: Session, user_id: int) -> bool:
    """Take the second factor and its recovery codes away; False when there was none. Flushes."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    gone = session.execute(
        delete(SecondFactor).where(SecondFactor.user_id == user_id).returning(SecondFactor.user_id)
    ).first()
    return gone is not None


def app_address(secret: str, username: str, office: str) -> str:
    """What the QR code says to an authenticator app."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=office))


def _use_step(session: Session, user_id: int, text: str, now: datetime) -> bool:
    row = session.execute(
        select(SecondFactor.secret).where(
            SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None)
        )
    ).first()
    secret = _opened(row[0], user_id) if row else None
    step = _step_of(secret, text, now) if secret else None
    if step is None:
        return False
    used = session.execute(
        update(SecondFactor)
        .where(SecondFactor.user_id == user_id, SecondFactor.last_step < step)
        .values(last_step=step)
        .returning(SecondFactor.user_id)
    ).first()
    return used is not None


def _step_of(secret: str, typed: str, now: datetime) -> int | None:
    """The step whose code was typed."""
    text = re.sub(r"\s+", "", typed[:_LONGEST])
    if not re.fullmatch(r"[0-9]{6}", text):
        return None
    codes, present, found = pyotp.TOTP(secret), int(now.timestamp()) // STEP, None
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(codes.generate_otp(step), text):
            found = step
    return found


def _opened(text: str, user_id: int) -> str | None:
    """The secret of this user: one that was copied from another row is none."""
    whose, _, secret = text.partition(":")
    return secret if whose == str(user_id) else None


def _hash(code: str, user_id: int) -> str:
    """What is kept of a recovery code; it is as long as a key, so a plain hash is enough."""
    return hash_of(f"{user_id}:{code}")
