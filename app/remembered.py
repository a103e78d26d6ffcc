"""What a process may remember between requests: only what can never be wrong.

Two kinds. `remembered` keeps what was read from the database together with the stamp it was read
under; triggers renew the stamp in the transaction of each change (`app/models/stamp.py`), and the
first statement of every request reads it, so a change counts from the next request on, in every
process. `kept` keeps the result of a pure function under all its inputs. Either may be lost at any
time. Values are shared by threads: they are never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from flask import current_app, g
from flask.globals import _cv_app
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.extensions import db, may_write
from app.models.stamp import STAMPED, Stamp

T = TypeVar("T")

#: Entries of one kind; when there are more, all are forgotten and read again.
MOST = 2000


def remembered(key: Hashable, load: Callable[[Session], T]) -> T:
    """What `load` reads of the stamped tables, from memory while the stamp is the same."""
    store = _store("remembered")
    stamp = current_stamp()
    found = store.get(key)
    if found is not None and found[0] == stamp:
        return cast(T, found[1])
    session = db.session()
    value = load(session)
    if stamp and _unchanged_since(session, stamp):
        _put(store, key, (stamp, value))
    return value


def is_remembered(key: Hashable) -> bool:
    """Whether `remembered` would answer without a statement of its own."""
    found = _store("remembered").get(key)
    return found is not None and found[0] == current_stamp()


def kept(key: Hashable, make: Callable[[], T], kind: str = "kept", most: int = MOST) -> T:
    """The result of `make`, which depends on nothing but what stands in the key.

    Args:
        kind: what is large, or made of what people send, has a store of its own.
        most: entries of that store.
    """
    store = _store(kind)
    found = store.get(key)
    if found is None:
        found = make()
        _put(store, key, found, most)
    return cast(T, found)


def current_stamp() -> str:
    """The stamp under which this request reads; the statement that finds the user brings it."""
    stamp: str | None = g.get("stamp")
    if stamp is None:
        stamp = g.stamp = _read_stamp(db.session())
    return stamp


def _unchanged_since(session: Session, stamp: str) -> bool:
    """Whether what was just read is what the stamp stands for.

    A reading transaction of SQLite sees one moment. On PostgreSQL each statement sees what was
    committed before it, and a request that writes sees what it wrote itself: there the stamp is
    read again, and as no two are alike, the same one means that nothing changed in between.
    """
    if session.get_bind().dialect.name == "sqlite" and not may_write.get():
        return True
    g.stamp = _read_stamp(session)
    return bool(g.stamp == stamp)


def _read_stamp(session: Session) -> str:
    return session.execute(select(Stamp.value)).scalar_one_or_none() or ""


def _store(kind: str) -> dict[Hashable, Any]:
    """Of this application alone: another in the same process may be another office."""
    # Some fifty times a page: past the proxy, which is there to say that there is no application.
    here = _cv_app.get(None)
    extensions = (current_app if here is None else here.app).extensions
    stores: dict[str, dict[Hashable, Any]] = extensions.setdefault("memory", {})
    return stores.setdefault(kind, {})


def _put(store: dict[Hashable, Any], key: Hashable, value: Any, most: int = MOST) -> None:
    if len(store) >= most:
        store.clear()
    store[key] = value


def _forget_stamp(session: Session, *rest: Any) -> None:
    """A request that changes stamped rows, or begins a new transaction, reads the stamp anew."""
    if g and "stamp" in g:
        g.pop("stamp")


def _after_flush(session: Session, context: Any) -> None:
    changed = (*session.new, *session.dirty, *session.deleted)
    # A user row stands for the roles that were given to him through it.
    if any(getattr(item, "__tablename__", "") in (*STAMPED, "ab_user") for item in changed):
        _forget_stamp(session)


def install() -> None:
    """Put the listeners on every session; calling it twice changes nothing."""
    if not event.contains(Session, "after_flush", _after_flush):
        event.listen(Session, "after_flush", _after_flush)
        event.listen(Session, "after_rollback", _forget_stamp)
        event.listen(Session, "after_commit", _forget_stamp)


install()
