"""One-time form keys: a form sent twice (double click, reload) has one effect.

The key also says when the form was opened, which is when the work on it began.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import current_app, request
from flask_login import current_user
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models import UsedFormKey

_KEYS: Final[Any] = UsedFormKey.__table__
_SPEND, _SPEND_POSTGRES = (
    insert(_KEYS).on_conflict_do_nothing().returning(_KEYS.c.key)
    for insert in (sqlite.insert, postgresql.insert)
)
#: A form may stay open this long; afterwards its key still works, its opening time does not.
LONGEST_WORK = timedelta(hours=12)


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="form-key")


def new_form_key() -> str:
    """A fresh key for the form that is about to be shown to the present officer."""
    return _serializer().dumps([secrets.token_hex(12), current_user.get_id()])


def check_form_key(field: str = "form_key") -> str:
    """The nonce of the posted key; a made-up or foreign one is replaced, never trusted."""
    return read_form_key(request.form.get(field, ""))[0]


def read_form_key(text: str) -> tuple[str, datetime]:
    """The nonce of a key and when its form was opened; now when the key is not ours."""
    now = datetime.now(UTC)
    try:
        (nonce, user_id), signed = _serializer().loads(text, return_timestamp=True)
    except (BadData, ValueError, TypeError):
        return secrets.token_hex(12), now
    if user_id != current_user.get_id():
        return secrets.token_hex(12), now
    opened = signed.astimezone(UTC)
    return str(nonce), opened if now - opened <= LONGEST_WORK else now


def spend_form_key(session: Session, nonce: str, result: str = "") -> bool:
    """Use up a key in the transaction of its effect; False when it was used before.

    Of two simultaneous sendings the second waits for the first to commit and then finds the key.
    """
    session.flush()
    statement = _SPEND_POSTGRES if session.get_bind().dialect.name == "postgresql" else _SPEND
    values = {"key": nonce, "used_at": datetime.now(UTC), "result": result[:200]}
    if session.execute(statement, values).first() is None:
        session.rollback()
        return False
    return True


def result_of_key(session: Session, nonce: str) -> str:
    """What the first sending of a form led to."""
    return (
        session.execute(
            select(UsedFormKey.result).where(UsedFormKey.key == nonce)
        ).scalar_one_or_none()
        or ""
    )
