"""Who asks, in a request that only reads: a few columns of his row instead of the row's object.

Every page begins with it, and making two objects of the session for it took as long as the rest of
the first statement. A request that writes has the objects, as they may be changed there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from app.extensions import db
from app.models import User


class AccountFacts(NamedTuple):
    """What a request looks at of an account."""

    session_version: int
    must_change_password: bool
    unseen_session_id: int | None


class Reader:
    """A user as Flask-Login and pages know one; whatever else is asked of him is read then."""

    is_authenticated = True
    is_anonymous = False

    def __init__(
        self, pk: int, first: str, last: str, username: str, password: str | None, active: bool
    ) -> None:
        self.id = pk
        self.first_name, self.last_name = first, last
        self.username, self.password, self.active = username, password, active

    @property
    def is_active(self) -> bool:
        """Whether he may sign in."""
        return bool(self.active)

    def get_id(self) -> str:
        """The key that stands in the cookie."""
        return str(self.id)

    def get_full_name(self) -> str:
        """As FAB writes it."""
        return f"{self.first_name} {self.last_name}"

    def __repr__(self) -> str:
        return self.get_full_name()

    def __eq__(self, other: object) -> bool:
        return getattr(other, "id", None) == self.id and isinstance(other, Reader | User)

    def __hash__(self) -> int:
        return hash(self.id)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(db.session.get_one(User, self.id), name)
