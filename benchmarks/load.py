"""An office full of complaints: schema by the release step, rows by the fastest way there is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import JSON, Table, delete, insert, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from app import create_app
from app.datakeys import ring
from app.extensions import db
from app.models import (
    Account,
    Category,
    CategoryRequirement,
    Channel,
    Courier,
    DocumentKind,
    Model,
    NumberSeries,
    Region,
    User,
)
from app.models.sealed import Digest, Sealed
from app.passwords import hash_password
from app.release import prepare
from app.services.demo_people import add_officers
from app.services.name_index import rebuild as rebuild_words
from app.services.statistics import rebuild
from benchmarks.cases import COLUMNS, YEARS, Maker, Reference, Row
from config import SEED_DATA, load_settings

CHUNK: Final = 1000
PASSWORD: Final = "kata sandi untuk uji beban"


@dataclass(frozen=True)
class Loaded:
    """An application over a full database."""

    app: Flask
    engine: Engine
    cases: int
    rows: int
    seconds: float

    @property
    def backend(self) -> str:
        """sqlite or postgresql."""
        return self.engine.dialect.name


@contextmanager
def loaded(folder: Path, url: str, cases: int) -> Iterator[Loaded]:
    """An application over a new database with so many complaints.

    Args:
        folder: for assets and files; thrown away by the caller.
        url: of an empty database.
        cases: how many complaints.
    """
    app = make_app(folder, url)
    with app.app_context():
        engine = db.engine
        now = datetime.now(UTC).replace(microsecond=0)
        reference = _people_and_reference(now)
    # Outside the context: requests would share its `g`, and with it who is signed in.
    begun = time.perf_counter()
    rows = fill(engine, Maker(reference, cases, now))
    try:
        yield Loaded(app, engine, cases, rows, time.perf_counter() - begun)
    finally:
        engine.dispose()


def make_app(folder: Path, url: str) -> Flask:
    """The panel over a database, with nothing of this machine's environment."""
    settings = load_settings(
        {
            "INSTANCE_PATH": str(folder),
            "DATABASE_URL": url,
            "SECRET_KEY": "signs nothing but the cookies of a benchmark",
            "DEMO": "0",
        }
    )
    app = create_app({**settings, "TESTING": True, "RATELIMIT_ENABLED": False})
    prepare(app)
    return app


def fill(engine: Engine, maker: Maker) -> int:
    """Write all rows, let the database look at them, and answer how many there are."""
    total = 0
    if _postgres(engine):
        _make_years(engine, maker)
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        if engine.dialect.name == "sqlite":
            cursor = raw.cursor()
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA foreign_keys=OFF")
            cursor.execute("PRAGMA cache_size=-1000000")  # a million cases: their indexes
            cursor.execute("BEGIN")
        for chunk in maker.chunks(CHUNK):
            for name, rows in chunk.items():
                total += len(rows)
                sealed = _sealed(name, rows)
                if engine.dialect.name == "sqlite":
                    _write_sqlite(cursor, name, sealed)
                else:
                    _write_postgres(raw, name, sealed)
        raw.commit() if engine.dialect.name != "sqlite" else cursor.execute("COMMIT")
        if engine.dialect.name == "sqlite":
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA cache_size=-2000")
    with engine.begin() as connection:
        for year, last in maker.serials.items():
            connection.execute(insert(NumberSeries).values(prefix="PGD", year=year, last=last))
        if engine.dialect.name == "postgresql":
            for name in COLUMNS:
                sequence = f"pg_get_serial_sequence('{name}', 'id')"
                connection.execute(text(f"SELECT setval({sequence}, {max(maker.ids[name], 1)})"))
    with Session(engine) as session:
        rebuild_words(session)
        rebuild(session)
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if _postgres(engine):
            connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("VACUUM ANALYZE" if _postgres(engine) else "ANALYZE")
    return total


def _make_years(engine: Engine, maker: Maker) -> None:
    """The parts of years that have gone by: an office has made them when they came."""
    this_year = datetime.fromtimestamp(maker.now, UTC).year
    with engine.begin() as connection:
        for year in range(this_year - YEARS, this_year):
            connection.exec_driver_sql(
                f"CREATE TABLE step_run_{year} PARTITION OF step_run FOR VALUES IN ({year})"
            )


def _postgres(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


def _columns_of(name: str) -> tuple[list[str], list[Any]]:
    """The columns of the rows, and those that a row does not name but the table insists on."""
    table: Table = Model.metadata.tables[name]
    given = [*COLUMNS[name], *_digests(name)]
    missing = [
        column for column in table.columns if column.name not in given and not column.nullable
    ]
    constants = []
    for column in missing:
        default = getattr(column.default, "arg", "")
        constants.append(
            ("[]" if isinstance(column.type, JSON) else "") if callable(default) else default
        )
    return [*given, *(column.name for column in missing)], constants


def _digests(name: str) -> dict[str, tuple[int, str]]:
    """The columns that sealed ones are found by: where in a row their source stands, and its kind."""
    return {
        column.name: (COLUMNS[name].index(column.type.source), column.type.purpose)
        for column in Model.metadata.tables[name].columns
        if isinstance(column.type, Digest)
    }


def _sealed(name: str, rows: Sequence[Row]) -> Sequence[Row]:
    """Rows as the database keeps them: personal data sealed, with what it is found by behind."""
    keys, table = ring(), Model.metadata.tables[name]
    kinds = [table.columns[column].type for column in COLUMNS[name]]
    places = [(at, kind.place) for at, kind in enumerate(kinds) if isinstance(kind, Sealed)]
    if not places:
        return rows
    found = []
    for row in rows:
        values = list(row)
        values += [keys.digest(kind, row[at]) for at, kind in _digests(name).values()]
        for at, place in places:
            values[at] = keys.seal(row[at], place)
        found.append(tuple(values))
    return found


def _write_sqlite(cursor: Any, name: str, rows: Sequence[Row]) -> None:
    columns, constants = _columns_of(name)
    marks = ", ".join("?" * len(columns))
    cursor.executemany(
        f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})",
        ((*map(_as_sqlite, row), *constants) for row in rows),
    )


def _as_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None).isoformat(' ')}.000000"
    if isinstance(value, date):
        return value.isoformat()
    return value


def _write_postgres(raw: Any, name: str, rows: Sequence[Row]) -> None:
    columns, constants = _columns_of(name)
    # The rows of one chunk refer to each other crosswise, so the checks wait for the end.
    with raw.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        with cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((*row, *constants))


def _people_and_reference(now: datetime) -> Reference:
    session = db.session()
    session.execute(delete(Account))
    first = session.scalars(select(User)).all()
    for user in first:  # the release step's own administrator makes room for ours
        user.roles = []
        session.delete(user)
    session.flush()
    officers = add_officers(
        session, SEED_DATA, now=now, password=PASSWORD, hash_password=hash_password
    )
    by_role: dict[str, list[int]] = {}
    names: dict[int, str] = {}
    for officer in officers:
        assert officer.actor.id is not None
        by_role.setdefault(officer.role, []).append(officer.actor.id)
        names[officer.actor.id] = officer.actor.name
    reference = _reference(session, by_role, names)
    session.commit()
    return reference


def _reference(
    session: Session, officers: dict[str, list[int]], names: dict[int, str]
) -> Reference:
    papers: dict[int, list[tuple[int, bool, int]]] = {}
    for item in session.scalars(select(CategoryRequirement).order_by(CategoryRequirement.id)):
        papers.setdefault(item.category_id, []).append((item.kind_id, item.required, item.position))
    outputs = select(DocumentKind.id).where(DocumentKind.is_output).order_by(DocumentKind.id)
    places = select(Region.parent_code, Region.code).where(Region.kind != "kecamatan")
    return Reference(
        channels=list(session.scalars(select(Channel.id).order_by(Channel.id))),
        categories=list(session.scalars(select(Category.id).order_by(Category.id))),
        papers=papers,
        outputs=list(session.scalars(outputs)),
        kinds=list(
            session.scalars(
                select(DocumentKind.code)
                .where(DocumentKind.is_requirement)
                .order_by(DocumentKind.id)
            )
        ),
        couriers=list(session.scalars(select(Courier.id).order_by(Courier.id))),
        places=[(str(row[0]), row[1]) for row in session.execute(places.order_by(Region.code))],
        officers=officers,
        names=names,
    )
