"""Signing in and staying signed in, as requests see it (ADR 0026).

The cookie holds a secret of this sign-in, and the stamp of password and session version; the row
of the sign-in says when it began, when it was last used and whether it was ended. The statement
that finds the user brings the row along.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Final

from flask import Flask, after_this_request, current_app, g, request, session
from flask_login import user_logged_in
from sqlalchemy import Select, and_, bindparam, case, or_, select, true
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.access import STAMP, account_of, session_stamp
from app.extensions import db, may_write
from app.models import Account, SignInSession, Stamp, User
from app.passwords import check_password
from app.services.sign_in import devices, second_factor, throttle
from app.services.sign_in.sealing import Seal
from app.services.sign_in.sessions import (
    SEEN_EVERY,
    Limits,
    SignedIn,
    end_all,
    note_seen,
    start_session,
)
from app.services.sign_in.tokens import hash_of, new_token
from app.stepup import note_proof

log = logging.getLogger(__name__)

#: In the session cookie: the secret of this sign-in.
SID: Final = "sid"
#: In the session cookie: a password was right, the code is still to come.
HALF: Final = "half"
HALF_LASTS: Final = timedelta(minutes=5)
#: What a page's script asks for by itself does not keep anybody signed in.
NO_ACTIVITY: Final = ("SessionView.state", "ReportView.progress")


@dataclass(frozen=True)
class Attempt:
    """What came of a try: a user who is in, one whose code is still to come, or neither."""

    user: User | None = None
    code_wanted: bool = False
    #: The password was right, but it was given out for a few days that are over.
    run_out: bool = False


def limits() -> Limits:
    """How long a sign-in lasts here."""
    config = current_app.config
    return Limits(
        idle=timedelta(minutes=config["SESSION_IDLE_MINUTES"]),
        absolute=config["PERMANENT_SESSION_LIFETIME"],
    )


def the_seal() -> Seal:
    """What encrypts the secrets of authenticator apps."""
    return Seal(_secret())


# --- each request --------------------------------------------------------------------------------


def find_signed_in(user_id: int) -> Any:
    """What the first statement of a request finds: user, account, stamp, sign-in."""
    values = {"of_user": user_id, "of_token": hash_of(session.get(SID))}
    return db.session.execute(_signed_in_statement(), values).first()


@cache
def _signed_in_statement() -> Select[Any]:
    # Made once: composing it costs as much as running it, and every request begins with it.
    return (
        select(
            User,
            Account,
            Stamp.value,
            SignInSession.id,
            SignInSession.started_at,
            SignInSession.last_seen_at,
            SignInSession.ended_at,
            SignInSession.second_factor,
        )
        .outerjoin(Account, Account.user_id == User.id)
        .outerjoin(Stamp, true())
        .outerjoin(
            SignInSession,
            and_(
                SignInSession.user_id == User.id,
                SignInSession.token_hash == bindparam("of_token"),
            ),
        )
        .where(User.id == bindparam("of_user"))
    )


def is_going_on(found: SignedIn | None) -> bool:
    """Whether the sign-in of this request still counts; notes for later that it is in use."""
    if found is None or g.now is None:
        return False
    g.over = found.over(limits(), g.now)
    if g.over:
        return False
    g.sign_in = found
    if g.now - found.last_seen_at >= SEEN_EVERY and request.endpoint not in NO_ACTIVITY:
        g.seen = found.id
    return True


def keep_awake() -> None:
    """A person says that he is still here: noted in any case."""
    found: SignedIn = g.sign_in
    g.seen = found.id
    g.sign_in = replace(found, last_seen_at=g.now)


def news() -> SignInSession | None:
    """A sign-in from a device that was not known, until its owner has seen it.

    It is told in every session but that one: who signed in there does not need it, or must not be
    the one to wave it away.
    """
    unseen = g.get("unseen_session_id")
    here: SignedIn | None = g.get("sign_in")
    if unseen is None or here is None or unseen == here.id:
        return None
    return db.session.get(SignInSession, unseen)


def install(app: Flask) -> None:
    """Begin a session whenever somebody signs in, and note after an answer that it is in use."""
    user_logged_in.connect(_begin, app)

    @app.after_request
    def note_later(response: Any) -> Any:
        if g.get("seen"):
            # After the answer was sent: nobody waits for it.
            response.call_on_close(partial(_note_seen, db.engine, g.pop("seen"), g.now))
        return response


def _note_seen(engine: Any, session_id: int, now: datetime) -> None:
    mark = may_write.set(True)
    try:
        with Session(engine) as own:
            note_seen(own, session_id, now)
            own.commit()
    except SQLAlchemyError as error:  # a database that is busy or away: the next request notes it
        log.info("the use of a session was not noted: %s", type(error).__name__)
    finally:
        may_write.reset(mark)


# --- trying --------------------------------------------------------------------------------------


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
    if user is None:
        _record("sign_in_failed", found)
        own.commit()
        return Attempt()
    account = account_of(user.id)
    if account.password_expires_at is not None and account.password_expires_at <= now:
        _record("sign_in_failed", user)
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
        _record("sign_in_failed", user)
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


def prove_by_code(user: User, code: str) -> bool:
    """Whether a code proves who is signed in; five wrong ones sign him out."""
    key = Keys(user, "").code
    if _code_is_right(user.id, code, key):
        throttle.clear(db.session(), key)
        db.session.commit()
        return True
    return False


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
        who = f"user {user.id}" if user is not None else f"name {name.strip().casefold()}"
        where = f"device {device}" if self.known else "stranger"
        self.account = throttle.key_of(_secret(), "password", who, where)
        self.code = throttle.key_of(_secret(), "code", who, where)
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
    kind = second_factor.use_code(own, user_id, code, the_seal(), now) if right else ""
    if not kind:
        _record("sign_in_failed", db.session.get(User, user_id), code=True)
    elif kind == "recovery":
        _record("recovery_code_used", db.session.get(User, user_id))
    own.commit()
    return bool(kind)


# --- sessions ------------------------------------------------------------------------------------


def _begin(sender: Flask, user: User, **more: Any) -> None:
    """A fresh session of this person: nothing of the anonymous one stays but the language."""
    own, now = db.session(), g.now
    kept = {
        name: session[name] for name in ("_user_id", "_fresh", "_id", "locale") if name in session
    }
    session.clear()
    session.update(kept)
    session.permanent = True
    account = account_of(user.id)
    before: SignedIn | None = g.get("sign_in")
    token, device = new_token(), device_token()
    known = bool(device) and devices.known_device(own, user.id, device, now) is not None
    row = start_session(
        own,
        user.id,
        token,
        second_factor=bool(g.get("second_factor")),
        new_device=not known and before is None,
        address=request.remote_addr or "",
        agent=request.user_agent.string,
        now=now,
    )
    if before is not None and account.unseen_session_id == before.id:
        account.unseen_session_id = row.id
    device = device or new_token()
    devices.remember_device(own, user.id, device, now)
    _keep_device(device)
    session[SID] = token
    session[STAMP] = session_stamp(user, account)
    note_proof(now)
    g.account = account
    g.sign_in = SignedIn(row.id, now, now, None, bool(g.get("second_factor")))
    _record("signed_in", user, second_factor=bool(g.get("second_factor")))
    own.commit()


def end_sessions(user_id: int) -> None:
    """Make every cookie of a user worthless; flushes, the caller commits."""
    account_of(user_id).session_version += 1
    end_all(db.session(), user_id, g.get("now") or datetime.now(UTC))
    db.session.flush()


def device_token() -> str:
    """The secret of this browser, "" when it brings none."""
    return request.cookies.get(_device_cookie(), "")[:200]


def _device_cookie() -> str:
    return "__Host-aduan-device" if current_app.config["HTTPS"] else "aduan-device"


def _keep_device(token: str) -> None:
    name, secure = _device_cookie(), current_app.config["HTTPS"]

    @after_this_request
    def keep(response: Any) -> Any:
        response.set_cookie(
            name,
            token,
            max_age=devices.LASTS,
            secure=secure,
            httponly=True,
            samesite="Lax",
            path="/",
        )
        return response


def _secret() -> bytes:
    key = current_app.secret_key
    return key.encode() if isinstance(key, str) else key or b""


def password_is_right(found: User | None, password: str) -> bool:
    """Whether it is the password of a user who may sign in; as slow for nobody as for somebody."""
    right = check_password(found.password if found is not None else None, password)
    return right and found is not None and bool(found.is_active)


def _record(kind: str, user: User | None, **detail: bool) -> None:
    """Tell the audit log; in the transaction of what happened."""
