"""How passwords are kept: Argon2id; hashes of earlier releases still count and are renewed.

The cost stands in the settings (`PASSWORD_COST`); at the next sign-in a hash of another cost, or
of another method, is replaced by one of today's.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from werkzeug.security import check_password_hash

from app.extensions import db
from app.models import Office, User
from app.remembered import kept
from app.services.password_rules import MESSAGES, load_common, password_problem

_ARGON = "$argon2id$"
#: A password that was given out works so long.
ONE_TIME_LASTS = timedelta(days=3)


def hash_password(password: str) -> str:
    """What is kept of a password."""
    return _hasher().hash(password)


def check_password(stored: str | None, password: str) -> bool:
    """Whether it is the password; takes as long when there is none to compare with."""
    if not stored:
        waste_time(password)
        return False
    if not stored.startswith(_ARGON):
        return check_password_hash(stored, password)
    try:
        return _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def waste_time(password: str) -> None:
    """Compare with a password that nobody has: an unknown name answers no sooner than a known one."""
    hasher = _hasher()
    nobody = kept(("nobody's password", _cost()), lambda: hasher.hash("nobody has this one"))
    try:
        hasher.verify(nobody, password)
    except VerificationError:
        pass


def needs_renewal(stored: str) -> bool:
    """Whether a hash is of an earlier method or cost."""
    return not stored.startswith(_ARGON) or _hasher().check_needs_rehash(stored)


def problem_of(password: str, *own: str | None) -> tuple[str, dict[str, str]] | None:
    """Why a new password is refused here, as a message and its parameters; None when it is not."""
    row = db.session.execute(db.select(Office.name, Office.government)).first()
    found = password_problem(
        password,
        load_common(current_app.config["COMMON_PASSWORDS"]),
        own=[word for word in own if word],
        office=[word for word in row or () if word],
    )
    return None if found is None else (MESSAGES[found[0]], found[1])


def own_words(user: User) -> list[str]:
    """What a user's own password does not hold."""
    return [user.username or "", user.first_name or "", user.last_name or "", user.email or ""]


def one_time_password() -> str:
    """A password for one use, easy to say on the telephone: sixteen letters in fours, 77 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    text = "".join(secrets.choice(letters) for _ in range(16))
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


def _cost() -> tuple[int, int, int]:
    memory, passes, lanes = current_app.config["PASSWORD_COST"]
    return int(memory), int(passes), int(lanes)


def _hasher() -> PasswordHasher:
    memory, passes, lanes = _cost()
    settings: dict[str, Any] = {"memory_cost": memory, "time_cost": passes, "parallelism": lanes}
    return PasswordHasher(**settings)
