"""Changes of settings, users and roles tell the log by themselves, whoever makes them.

A listener on every session: no screen has to remember it, and none can forget it. What was changed
is told by the names of columns; values only of settings, never of persons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from app.models import (
    Category,
    CategoryOutput,
    CategoryRequirement,
    Channel,
    Courier,
    DocumentKind,
    Holiday,
    MessageText,
    Office,
    Region,
    Role,
    Signatory,
    SopStep,
    User,
    WorkingHours,
)
from app.services.audit.recording import origin, record

_SETTINGS: Final = (
    Category, CategoryOutput, CategoryRequirement, Channel, Courier, DocumentKind, Holiday,
    MessageText, Office, Region, Signatory, SopStep, WorkingHours,
)  # fmt: skip
#: Settings whose columns hold persons: their values stay out of the log.
_PERSONS: Final = (Signatory,)
#: Of a user: written at every sign-in, or told by a word of its own.
_UNTOLD: Final = frozenset(
    {
        "login_count", "fail_login_count", "last_login", "password", "changed_on", "changed_fk",
        "created_on", "created_fk", "created", "changed", "created_by", "changed_by",
    }
)  # fmt: skip
_MOST_NAMED: Final = 12


def _tell_changes(session: Session, flush_context: object) -> None:
    here = origin.get()
    if not here.request_id:
        return  # the release step and the demo: what they do stands in the seed files
    for kind, items in (
        ("added", session.new), ("changed", session.dirty), ("removed", session.deleted),
    ):  # fmt: skip
        for item in items:
            if isinstance(item, User):
                _tell_user(session, item, kind, here.who())
            elif isinstance(item, Role):
                _tell_role(session, item, kind, here.who())
            elif isinstance(item, _SETTINGS):
                changed = dict(_changed(item)) if kind == "changed" else {}
                if changed or kind != "changed":
                    _tell(session, f"record_{kind}", item, changed, here.who())


def _tell_user(session: Session, item: User, kind: str, actor_id: int | None) -> None:
    changed = dict(_changed(item))
    words = {"columns": ",".join(name for name in changed if name not in ("roles", "active"))}
    words |= _lists(item, "roles", "name")
    words = {name: value for name, value in words.items() if value}
    told = kind
    if kind == "changed" and "active" in changed:
        told = "activated" if item.active else "deactivated"
    if kind != "changed" or changed:
        record(session, f"user_{told}", actor_id=actor_id, subject=_subject(item), detail=words)


def _tell_role(session: Session, item: Role, kind: str, actor_id: int | None) -> None:
    words = _lists(item, "permissions", "")
    if kind == "changed" and not words and not dict(_changed(item)):
        return
    detail = {"name": str(item.name), **words}
    record(session, f"role_{kind}", actor_id=actor_id, subject=_subject(item), detail=detail)


def _tell(
    session: Session, kind: str, item: Any, changed: Mapping[str, Any], actor_id: int | None
) -> None:
    private = isinstance(item, _PERSONS)
    detail: dict[str, str | int | bool] = {}
    for name, (old, new) in list(changed.items())[:_MOST_NAMED]:
        detail[name] = "changed" if private else f"{str(old)[:90]} → {str(new)[:90]}"
    record(session, kind, actor_id=actor_id, subject=_subject(item), detail=detail)


def _changed(item: Any) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """The columns and lists that this flush writes, with what stood there and what stands there."""
    state = inspect(item)
    for attribute in state.mapper.attrs:
        if attribute.key in _UNTOLD:
            continue
        history = state.attrs[attribute.key].history
        if not history.has_changes():
            continue
        column = attribute.key in state.mapper.column_attrs
        if not column and attribute.key not in ("roles", "permissions"):
            continue
        old = history.deleted[0] if history.deleted else ""
        new = history.added[0] if history.added else ""
        yield attribute.key, (old, new)


def _lists(item: Any, name: str, column: str) -> dict[str, str]:
    """What was put on a list of a record and what was taken off it, by name."""
    history = inspect(item).attrs[name].history
    found = {"given": history.added, "taken": history.deleted}
    return {
        word: ", ".join(sorted(str(getattr(row, column) if column else row) for row in rows))
        for word, rows in found.items()
        if rows
    }


def _subject(item: Any) -> str:
    name = {"ab_user": "user", "ab_role": "role"}.get(item.__tablename__, item.__tablename__)
    return f"{name}:{'/'.join(str(key) for key in inspect(item).mapper.primary_key_from_instance(item))}"


def install() -> None:
    """Put the listener on every session; calling it twice changes nothing."""
    if not event.contains(Session, "after_flush", _tell_changes):
        event.listen(Session, "after_flush", _tell_changes)


install()
