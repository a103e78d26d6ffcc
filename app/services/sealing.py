"""Bringing every sealed column to the present key: rows from before there were keys, and rotation.

Rows are walked in batches, each in a transaction of its own, and what is in order already is
passed over: an interrupted run is simply started again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Engine,
    LargeBinary,
    Table,
    Text,
    bindparam,
    column,
    insert,
    or_,
    select,
    table,
    text,
    update,
)
from sqlalchemy.orm import Session

from app.datakeys import MARK, Keyring, KeysError, ring, sealed_by
from app.models import DataKeyUse, Model, SeedRun
from app.models.sealed import Digest, Sealed

BATCH: Final = 1_000
#: In `seed_run`, once every row from before there were keys has been sealed.
SEALED_ROWS: Final = "sealed_rows"


@dataclass(frozen=True)
class SealedTable:
    """A table with sealed columns, as plain text and bytes, so that nothing is sealed twice."""

    name: str
    key: str
    #: Sealed columns with their places, and digests with their sources and purposes.
    sealed: dict[str, str]
    digests: dict[str, tuple[str, str]]
    raw: Any

    @classmethod
    def of(cls, model: Table) -> SealedTable:
        """From a table of the models."""
        key = next(iter(model.primary_key.columns))
        sealed = {c.name: c.type.place for c in model.columns if isinstance(c.type, Sealed)}
        digests = {
            c.name: (c.type.source, c.type.purpose)
            for c in model.columns
            if isinstance(c.type, Digest)
        }
        raw = table(
            model.name,
            column(key.name, key.type),
            *(column(name, Text()) for name in sealed),
            *(column(name, LargeBinary()) for name in digests),
        )
        return cls(model.name, key.name, sealed, digests, raw)

    def outside(self, key_id: str) -> Any:
        """That one of the columns holds something which this key did not seal."""
        begins = f"{MARK}{key_id}$%"
        return or_(
            *((self.raw.c[name] != "") & ~self.raw.c[name].like(begins) for name in self.sealed)
        )


def sealed_tables() -> list[SealedTable]:
    """Every table with a sealed column."""
    return [
        SealedTable.of(found)
        for found in Model.metadata.sorted_tables
        if any(isinstance(c.type, Sealed) for c in found.columns)
    ]


def prepare_keys(session: Session, now: datetime) -> None:
    """Make the keys of a new office, and refuse to go on without those that the database needs.

    Raises:
        KeysError: rows are sealed with a key that is not there. A new key would not open them.
    """
    keys, wanted = ring(), set(session.scalars(select(DataKeyUse.key_id)))
    if not keys.exists:
        if wanted:
            raise KeysError(
                f"the keys of personal data ({keys.path}) are not there, and the database needs"
                " them: put the file back (it is in every backup)."
            )
        keys.make()
    require_keys(session)
    note_key(session, keys.current.id, now)


def require_keys(session: Session) -> None:
    """Every key that the database needs is in the ring.

    Raises:
        KeysError: one is missing.
    """
    keys, wanted = ring(), set(session.scalars(select(DataKeyUse.key_id)))
    missing = wanted - set(keys.ids)
    if missing:
        raise KeysError(
            f"{keys.path} lacks the key {min(missing)} that this database is sealed with:"
            " put the right file back (it is in every backup)."
        )


def note_key(session: Session, key_id: str, now: datetime) -> None:
    """Remember that rows may be sealed with a key, before the first one is."""
    if session.get(DataKeyUse, key_id) is None:
        session.execute(insert(DataKeyUse).values(key_id=key_id, since=now))


def seal_old_rows(session: Session, now: datetime, commit: Callable[[], None]) -> int:
    """Seal what stands in clear from before there were keys; answers how many rows there were."""
    if session.get(SeedRun, SEALED_ROWS) is not None:
        return 0
    changed = reseal(session, commit)
    session.add(SeedRun(name=SEALED_ROWS, at=now))
    session.flush()
    return changed


def reseal(session: Session, commit: Callable[[], None], *, batch: int = BATCH) -> int:
    """Seal every row with the present key; answers how many changed. `commit` ends each batch."""
    return sum(changed for changed in steps(session, commit, batch=batch))


def steps(session: Session, commit: Callable[[], None], *, batch: int = BATCH) -> Iterator[int]:
    """The same one batch after the other, for who wants to say how far it is."""
    keys = ring()
    for found in sealed_tables():
        last: Any = 0
        while True:
            rows = _rows(session, found, last, batch, found.outside(keys.current.id))
            if not rows:
                commit()
                break
            last = getattr(rows[-1], found.key)
            _write(session, found, [_sealed(row, found, keys) for row in rows])
            commit()
            yield len(rows)


def unseal(session: Session, commit: Callable[[], None], *, batch: int = BATCH) -> int:
    """Put everything back in clear, for a release that knows no keys; answers how many rows."""
    keys, changed = ring(), 0
    for found in sealed_tables():
        anything = or_(*(found.raw.c[name].like(f"{MARK}%") for name in found.sealed))
        last: Any = 0
        while rows := _rows(session, found, last, batch, anything):
            last = getattr(rows[-1], found.key)
            _write(session, found, [_opened(row, found, keys) for row in rows])
            changed += len(rows)
            commit()
    session.query(DataKeyUse).delete()
    session.query(SeedRun).filter(SeedRun.name == SEALED_ROWS).delete()
    commit()
    return changed


def rows_outside(session: Session, key_id: str) -> int:
    """How many rows the key did not seal wholly."""
    return sum(
        len(_rows(session, found, 0, BATCH, found.outside(key_id))) for found in sealed_tables()
    )


def faults(session: Session, *, batch: int = BATCH) -> Iterator[tuple[str, str]]:
    """Rows with personal data in clear, that no key opens, or that cannot be found: (row, what)."""
    keys = ring()
    for found in sealed_tables():
        last: Any = 0
        while rows := _rows(session, found, last, batch, None):
            last = getattr(rows[-1], found.key)
            for row in rows:
                what = _fault(row, found, keys)
                if what:
                    yield f"{found.name} {getattr(row, found.key)}", what


def scrub(engine: Engine) -> None:
    """Let the database write its files anew, so that no freed page keeps what stood in clear."""
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.close()
        finally:
            raw.close()
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SET lock_timeout = 0"))
        for found in sealed_tables():
            connection.execute(text(f'VACUUM FULL "{found.name}"'))
        connection.execute(text("RESET ALL"))


def forget_freed(engine: Engine) -> None:
    """Cut off SQLite's log of writes, where what was overwritten stands until it is.

    Enough after writing with `secure_delete`, and quick; busy readers may put it off.
    """
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()
    finally:
        raw.close()


def _rows(session: Session, found: SealedTable, last: Any, most: int, condition: Any) -> Any:
    key = found.raw.c[found.key]
    columns = [found.raw.c[name] for name in (*found.sealed, *found.digests)]
    statement = select(key, *columns).where(key > last).order_by(key).limit(most)
    if condition is not None:
        # Nobody changes a row between our reading and our writing it (SQLite has one writer).
        statement = statement.where(condition).with_for_update()
    return session.execute(statement).all()


def _clear(row: Any, found: SealedTable, keys: Keyring) -> dict[str, str]:
    return {
        name: keys.open(getattr(row, name) or "", place) for name, place in found.sealed.items()
    }


def _sealed(row: Any, found: SealedTable, keys: Keyring) -> dict[str, Any]:
    """A row's values under the present key; what it sealed already stays as it is."""
    clear, present = _clear(row, found, keys), keys.current.id
    values: dict[str, Any] = {"row_key": getattr(row, found.key)}
    for name, place in found.sealed.items():
        before = getattr(row, name)
        fresh = not before or sealed_by(before) == present
        values[f"new_{name}"] = before if fresh else keys.seal(clear[name], place)
    for name, (source, purpose) in found.digests.items():
        values[f"new_{name}"] = keys.digest(purpose, clear[source]) if clear[source] else None
    return values


def _opened(row: Any, found: SealedTable, keys: Keyring) -> dict[str, Any]:
    clear = _clear(row, found, keys)
    values: dict[str, Any] = {f"new_{name}": clear[name] for name in found.sealed}
    return (
        values
        | {f"new_{name}": None for name in found.digests}
        | {"row_key": getattr(row, found.key)}
    )


def _write(session: Session, found: SealedTable, rows: Sequence[dict[str, Any]]) -> None:
    names = (*found.sealed, *found.digests)
    statement = (
        update(found.raw)
        .where(found.raw.c[found.key] == bindparam("row_key"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )
    session.connection().execute(statement, list(rows))


def _fault(row: Any, found: SealedTable, keys: Keyring) -> str:
    for name in found.sealed:
        value = getattr(row, name)
        if value and not sealed_by(value):
            return f"{name} stands in clear"
    try:
        clear = _clear(row, found, keys)
    except KeysError as error:
        return str(error)
    for name, (source, purpose) in found.digests.items():
        kept = getattr(row, name)
        right = keys.digests(purpose, [clear[source]]) if clear[source] else [None]
        if (bytes(kept) if kept is not None else None) not in right:
            return f"{name} does not fit {source}"
    return ""
