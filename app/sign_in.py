"""Signing in and staying signed in, as requests see it (ADR 0026).

The cookie holds a secret of this sign-in, and the stamp of password and session version; the row
of the sign-in says when it began, when it was last used and whether it was ended. The statement
that finds the user brings the row along.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Final, NamedTuple

from flask import Flask, after_this_request, current_app, g, request, session
from flask_login import user_logged_in
from sqlalchemy import Select, and_, bindparam, select, true, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.access import STAMP, account_of, second_factor_demanded, session_stamp
from app.auditing import audit
from app.extensions import db, may_write
from app.models import Account, SignInSession, Stamp, User
from app.reader import AccountFacts, Reader
from app.services.audit import record
from app.services.sign_in import devices
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
#: What a page's script asks for by itself does not keep anybody signed in.
NO_ACTIVITY: Final = ("SessionView.state", "ReportView.progress")


def limits() -> Limits:
    """How long a sign-in lasts here."""
    config = current_app.config
    return Limits(
        idle=timedelta(minutes=config["SESSION_IDLE_MINUTES"]),
        absolute=config["PERMANENT_SESSION_LIFETIME"],
    )


# --- each request --------------------------------------------------------------------------------


class Found(NamedTuple):
    """What the first statement of a request finds."""

    user: User | Reader
    account: Account | AccountFacts | None
    stamp: str
    sign_in: SignedIn | None


def find_signed_in(user_id: int) -> Found | None:
    """Who asks, with account, stamp and sign-in, in one statement; objects only for who writes."""
    values = {"of_user": user_id, "of_token": hash_of(session.get(SID))}
    writes = may_write.get()
    row = db.session.execute(_signed_in_statement(writes), values).first()
    if row is None:
        return None
    stamp, *sign_in = row[:6]
    here = SignedIn(*sign_in) if sign_in[0] is not None else None
    if writes:
        return Found(row[6], row[7], stamp or "", here)
    account = AccountFacts(*row[12:15]) if row[12] is not None else None
    return Found(Reader(*row[6:12]), account, stamp or "", here)


@cache
def _signed_in_statement(writes: bool) -> Select[Any]:
    # Made once: composing it costs as much as running it, and every request begins with it.
    user, account, stamp, here = (
        model.__table__ for model in (User, Account, Stamp, SignInSession)
    )
    of_user = (
        (User, Account)
        if writes
        else (
            *(user.c[name] for name in ("id", "first_name", "last_name", "username", "password")),
            user.c.active,
            account.c.session_version,
            account.c.must_change_password,
            account.c.unseen_session_id,
        )
    )
    names = ("id", "started_at", "last_seen_at", "ended_at", "second_factor")
    return (
        select(stamp.c.value, *(here.c[name] for name in names), *of_user)
        .select_from(user)
        .outerjoin(account, account.c.user_id == user.c.id)
        .outerjoin(stamp, true())
        .outerjoin(
            here,
            and_(here.c.user_id == user.c.id, here.c.token_hash == bindparam("of_token")),
        )
        .where(user.c.id == bindparam("of_user"))
    )


def is_going_on(found: SignedIn | None) -> bool:
    """Whether the sign-in of this request still counts; notes for later that it is in use."""
    if found is None:
        return False
    # A request that is refused before it has begun has no time yet.
    now: datetime = g.setdefault("now", datetime.now(UTC))
    g.over = found.over(limits(), now)
    if g.over:
        return False
    g.sign_in = found
    if now - found.last_seen_at >= SEEN_EVERY and request.endpoint not in NO_ACTIVITY:
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
    record_sign_in("signed_in", user, second_factor=bool(g.get("second_factor")))
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


def record_sign_in(
    kind: str, user: User | None, *, by_himself: bool = True, **detail: str | int | bool
) -> None:
    """Tell the audit log, in the transaction of what happened.

    Args:
        user: whom it is about; None for a name that nobody has (what was typed is not kept).
        by_himself: he did it, or tried to; else who is signed in did.
    """
    subject = f"user:{user.id}" if user is not None else ""
    if by_himself:
        # Who failed to sign in is not known, whatever name he typed.
        known = user is not None and kind not in ("sign_in_failed", "sign_in_held_up")
        actor_id = user.id if user is not None and known else None
        record(db.session(), kind, actor_id=actor_id, subject=subject, detail=detail)
    else:
        audit(kind, subject, detail)


def make_strong(*, strong: bool = True) -> None:
    """This session has seen the second factor, or a new one is still to come; commits."""
    here: SignedIn = g.sign_in
    if here.second_factor == strong:
        return
    db.session.execute(
        update(SignInSession).where(SignInSession.id == here.id).values(second_factor=strong)
    )
    db.session.commit()
    g.sign_in = replace(here, second_factor=strong)


def demanded() -> bool:
    """Whether a role of who asks demands a second factor."""
    return second_factor_demanded()
