"""Trying to sign in: what is counted, what is compared, and who gets in all the same (ADR 0026)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import current_app, g, request, session
from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from app.access import account_of, session_stamp
from app.extensions import db
from app.models import Account, KnownDevice, User
from app.passwords import check_password
from app.services.sign_in import devices, second_factor, throttle
from app.sign_in import device_token, end_sessions, make_strong, record_sign_in

#: In the session cookie: a password was right, the code is still to come.
HALF: Final = "half"
HALF_LASTS: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Attempt:
    """What came of a try: a user who is in, one whose code is still to come, or neither."""

    user: User | None = None
    code_wanted: bool = False
    #: The password was right, but it was given out for a few days that are over.
    run_out: bool = False


def attempt(manager: Any, name: str, password: str, code: str = "") -> Attempt:
    """Try to sign in; commits what is counted. Whoever may not is told nothing but that.

    Every try is counted first and its password compared in every case, so that an unknown name, a
    wrong password, a deactivated account and one that has to wait look and last alike. While an
    account has to wait, its owner gets in from a browser of his, or with password and code at once.
    """
    own, now = db.session(), g.now
    found = find_user(name)
    keys = Keys(found, name)
    free = keys.take(own, now)
    own.commit()
    user = manager.authenticate(found, name, password, waiting=not free)
    failed = "sign_in_failed" if free else "sign_in_held_up"
    if user is None:
        record_sign_in(failed, found)
        own.commit()
        return Attempt()
    account = account_of(user.id)
    if account.password_expires_at is not None and account.password_expires_at <= now:
        record_sign_in("sign_in_failed", user)
        own.commit()
        return Attempt(run_out=free)
    if manager.asks_for_codes and second_factor.has_second_factor(own, user.id):
        if code:
            if not _code_is_right(user.id, code, keys.code):
                return Attempt()
            g.second_factor = True
        elif free:
            session[HALF] = {
                "user": user.id,
                "at": int(now.timestamp()),
                "stamp": session_stamp(user, account),
            }
            own.commit()
            return Attempt(code_wanted=True)
    if not free and not g.get("second_factor"):
        record_sign_in(failed, user)
        own.commit()
        return Attempt()
    keys.clear(own)
    return Attempt(user=user)


def half_signed_in() -> User | None:
    """Whose password was right a moment ago; None when that is too long ago or worth nothing now."""
    half = session.get(HALF)
    if not isinstance(half, dict) or not isinstance(half.get("at"), int):
        return None
    if not 0 <= g.now.timestamp() - half["at"] < HALF_LASTS.total_seconds() + 1:
        return None
    user = db.session.get(User, half.get("user"))
    if user is None or not user.is_active:
        return None
    stamp = session_stamp(user, db.session.get(Account, user.id))
    return user if half.get("stamp") == stamp else None


def finish(user: User, code: str) -> Attempt:
    """The code after the password; five wrong ones, and it begins again after a while."""
    keys = Keys(user, "")
    if not _code_is_right(user.id, code, keys.code):
        if throttle.blocked_until(db.session(), keys.code, g.now):
            session.pop(HALF, None)
        return Attempt()
    g.second_factor = True
    keys.clear(db.session())
    return Attempt(user=user)


def prove(user: User, right: Callable[[], bool]) -> bool:
    """Whether an answer proves who is signed in; five wrong ones sign him out. Commits."""
    own, key = db.session(), throttle.key_of(_secret(), "confirm", f"user {user.id}")
    free = throttle.take(own, key, throttle.CODE, g.now)
    own.commit()
    proved = free and right()
    record_sign_in("confirmed" if proved else "confirm_failed", user)
    if proved:
        throttle.clear(own, key)
    elif throttle.blocked_until(own, key, g.now):
        end_sessions(user.id)
        record_sign_in("session_ended", user)
    own.commit()
    return proved


def prove_by_code(user: User, code: str) -> bool:
    """Whether a code proves who is signed in; his session has seen the second factor then."""
    right = bool(second_factor.use_code(db.session(), user.id, code, g.now))
    db.session.commit()
    if right:
        make_strong()
    return right


def confirm_second_factor(user: User, code: str) -> list[str] | None:
    """Take the first code of a new app; its recovery codes, None when the code is wrong. Commits."""
    own, key = db.session(), Keys(user, "").code
    shown = None
    if throttle.take(own, key, throttle.CODE, g.now):
        shown = second_factor.confirm(own, user.id, code, g.now)
    if shown is not None:
        throttle.clear(own, key)
        record_sign_in("second_factor_set", user)
    own.commit()
    if shown is not None:
        make_strong()
    return shown


def waits_until(user: User) -> datetime | None:
    """Until when a stranger, or the user somewhere new, has to wait with his next try."""
    found = (throttle.blocked_until(db.session(), key, g.now) for key in _keys_of(user, None))
    return max((until for until in found if until is not None), default=None)


def forget_tries(user: User) -> None:
    """Forget the wrong tries of a user, from wherever they came; flushes."""
    owned = db.session.scalars(select(KnownDevice.id).where(KnownDevice.user_id == user.id))
    keys = [key for device in (None, *owned) for key in _keys_of(user, device)]
    keys.append(throttle.key_of(_secret(), "confirm", f"user {user.id}"))
    throttle.clear(db.session(), *keys)


def _keys_of(user: User, device: int | None) -> tuple[str, str]:
    """The counters of passwords and of codes, from one device or from strangers."""
    who, where = f"user {user.id}", "stranger" if device is None else f"device {device}"
    return (
        throttle.key_of(_secret(), "password", who, where),
        throttle.key_of(_secret(), "code", who, where),
    )


def find_user(name: str) -> User | None:
    """Who signs in under a name, or under an e-mail address."""
    return db.session.scalars(
        select(User)
        .where(or_(User.username == name, User.email == name))
        .order_by(case((User.username == name, 0), else_=1))
        .limit(1)
    ).first()


class Keys:
    """The counters of one try."""

    def __init__(self, user: User | None, name: str) -> None:
        token = device_token()
        device = (
            devices.known_device(db.session(), user.id, token, g.now)
            if user is not None and token
            else None
        )
        self.known = device is not None
        if user is not None:
            self.account, self.code = _keys_of(user, device)
        else:
            who = f"name {name.strip().casefold()}"
            self.account = throttle.key_of(_secret(), "password", who, "stranger")
            self.code = throttle.key_of(_secret(), "code", who, "stranger")
        self.address = throttle.key_of(_secret(), "address", request.remote_addr or "")

    def take(self, own: Session, now: datetime) -> bool:
        """Count a try of the account, and of the address unless the browser is the owner's."""
        pace = throttle.DEVICE if self.known else throttle.STRANGER
        free = throttle.take(own, self.account, pace, now)
        if not self.known:
            free = throttle.take(own, self.address, throttle.ADDRESS, now) and free
        return free

    def clear(self, own: Session) -> None:
        """The try was right."""
        throttle.clear(own, self.account, self.code)
        if not self.known:
            throttle.give_back(own, self.address, throttle.ADDRESS)


def _code_is_right(user_id: int, code: str, key: str) -> bool:
    """Count a try of a code, then compare; commits."""
    own, now = db.session(), g.now
    right = throttle.take(own, key, throttle.CODE, now)
    kind = second_factor.use_code(own, user_id, code, now) if right else ""
    if not kind:
        record_sign_in("second_factor_failed", db.session.get(User, user_id))
    elif kind == "recovery":
        record_sign_in("recovery_code_used", db.session.get(User, user_id))
    own.commit()
    return bool(kind)


def is_known_browser() -> bool:
    """Whether somebody has signed in with this browser: no flood from its address keeps it out."""
    token = device_token()
    return bool(token) and devices.is_known(db.session(), token, g.now)


def password_is_right(found: User | None, password: str) -> bool:
    """Whether it is the password of a user who may sign in; as slow for nobody as for somebody."""
    right = check_password(found.password if found is not None else None, password)
    return right and found is not None and bool(found.is_active)


def _secret() -> bytes:
    key = current_app.secret_key
    return key.encode() if isinstance(key, str) else key or b""
