"""Changing the keys of personal data while people work; interrupted anywhere, it goes on.

The new key is in the file of keys before anything is sealed with it; the old one leaves it when
nothing needs it any more. Servers that run meanwhile look at the file each time they seal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from app.datakeys import DataKey, ring
from app.models import DataKeyUse
from app.services.sealing import BATCH, note_key, require_keys, rows_outside, sealed_tables, steps
from app.services.storage import MissingFileError, Store

#: So many rounds over rows that others wrote meanwhile; each one is shorter than the one before.
ROUNDS: Final = 20

Say = Callable[[str], None]


@dataclass
class Rotated:
    """What a rotation did."""

    key_id: str
    #: Whether it went on with one that had been interrupted.
    resumed: bool
    rows: int = 0
    files: int = 0
    retired: tuple[str, ...] = ()


class StillSealedError(Exception):
    """Rows keep coming that the old key sealed: a server with an old file of keys is running."""


def rotate(
    session: Session,
    store: Store,
    now: datetime,
    commit: Callable[[], None],
    *,
    batch: int = BATCH,
    say: Say = lambda _: None,
) -> Rotated:
    """Seal every row and every file with a new key and drop the old one.

    A ring that holds several keys already is an interrupted rotation, or a restored backup's keys:
    it is brought to the present key and no further one is made. `commit` ends each batch.

    Raises:
        KeysError, StoreError: a key is missing, a file cannot be read or written.
        StillSealedError: a server keeps sealing with an old key.
    """
    keys = ring()
    require_keys(session)
    resumed = len(keys.ids) > 1
    if not resumed:
        keys.add(DataKey.new(), first=True)
    note_key(session, keys.current.id, now)
    commit()
    done = Rotated(keys.current.id, resumed)
    for _round in range(ROUNDS):
        for changed in steps(session, commit, batch=batch):
            done.rows += changed
            say(f"rows: {done.rows}")
        changed_files = _files(store, done, say)
        if not changed_files and _forget_old(session, commit, done.key_id):
            done.retired = keys.ids[1:]
            keys.retire(done.retired)
            return done
    raise StillSealedError("rows are still being sealed with the old key; restart every server")


def _files(store: Store, done: Rotated, say: Say) -> int:
    """Every file of the store, those that no row names yet included; answers how many changed."""
    changed = 0
    for key in list(store.keys()):
        try:
            again = store.seal_again(key)
        except MissingFileError:  # dropped since we looked
            continue
        if again:
            changed += 1
            done.files += 1
            say(f"files: {done.files}")
    return changed


def _forget_old(session: Session, commit: Callable[[], None], key_id: str) -> bool:
    """Take the old keys off the list of those needed, while nobody can write a row with them."""
    if session.connection().dialect.name == "postgresql":
        for found in sealed_tables():  # SQLite has one writer, and that is us
            session.execute(text(f'LOCK TABLE "{found.name}" IN SHARE ROW EXCLUSIVE MODE'))
    clean = not rows_outside(session, key_id)
    if clean:
        session.execute(delete(DataKeyUse).where(DataKeyUse.key_id != key_id))
    commit()
    return clean
