"""What a release writes, recorded to be played on the schema of the next one.

    python -m tests.support.recorded        # at a release, in its own code: writes tests/data/recorded/

Recorded is each statement that writes, with its values, as it went to the database: first what fills a
new office, then officers at work. Both begin with an empty schema, so that numbers given by the
database come out the same. `tests/integration/test_side_by_side.py` plays them.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from flask import Flask
from flask_migrate import upgrade
from psycopg import Binary
from psycopg.types.json import Json, Jsonb
from sqlalchemy import event, make_url
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from app import create_app
from app.extensions import db
from app.release import revisions
from app.services.actor import load_actor
from app.services.calendar import load_calendar
from app.services.transitions import Office
from tests.support import panel
from tests.support.cases import CaseMaker
from tests.support.postgres import postgres_server

FOLDER: Final = Path(__file__).resolve().parents[1] / "data" / "recorded"
_WRITES: Final = re.compile(r"\s*(INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
#: Places that a case is brought to; together they take every kind of step.
PLACES: Final = ("done", "returned", "resolved", "withdrawn", "signing", "intake")
Statement = tuple[str, Any, bool]


def file_of(kind: str) -> Path:
    """The recording for `sqlite` or `postgresql`."""
    return FOLDER / f"{kind}.json.gz"


def load(kind: str) -> dict[str, Any]:
    """The revision it was made at, and the statements of both parts."""
    found = json.loads(gzip.decompress(file_of(kind).read_bytes()))
    for part in ("filled", "worked"):
        found[part] = [(text, _read(values), many) for text, values, many in found[part]]
    return dict(found)


def play(engine: Engine, statements: list[Statement]) -> int:
    """Run recorded statements as they were, in one transaction; how many there were."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if engine.dialect.name == "sqlite":
            cursor.execute("BEGIN IMMEDIATE")
        for text, values, many in statements:
            (cursor.executemany if many else cursor.execute)(text, values)
        connection.commit()
    finally:
        connection.close()
    return len(statements)


@contextmanager
def _recording() -> Iterator[list[Statement]]:
    found: list[Statement] = []

    def note(
        _connection: Any, _cursor: Any, text: str, values: Any, _context: Any, many: bool
    ) -> None:
        if _WRITES.match(text) and "alembic_version" not in text:
            # Rows that go as one statement are told as many, too, with the values of all in one.
            rows = many and isinstance(values, list | tuple) and isinstance(values[0], dict | tuple)
            found.append((text, values, rows))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _record(url: str, folder: Path) -> None:
    app = create_app(panel.settings_for(folder, url, STORE_URL=str(folder / "files")))
    with app.app_context():
        upgrade(directory=str(app.extensions["migrate"].directory))
        revision = revisions()[0]
        db.engine.dispose()
    with _recording() as filled:
        panel.make_template(folder, url)
    with _recording() as worked:
        _work(app)
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(
        {
            "revision": revision,
            "filled": [(text, _written(values), many) for text, values, many in filled],
            "worked": [(text, _written(values), many) for text, values, many in worked],
        },
        ensure_ascii=False,
    )
    kind = make_url(url).get_backend_name()
    file_of(kind).write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{kind}: {len(filled)} + {len(worked)} statements at {revision}")


def _work(app: Flask) -> None:
    from sqlalchemy import select

    from app.models import User

    with app.app_context(), Session(panel.engine_of(app)) as session:
        office = Office(app.extensions["sop"], load_calendar(session))

        def actor(key: str) -> Any:
            return load_actor(
                session, session.scalars(select(User).where(User.username == key)).one()
            )

        make = CaseMaker(session, office, app.extensions["store"], actor)
        for place in PLACES:
            make(place)
        session.commit()
        panel.engine_of(app).dispose()


def _written(value: Any) -> Any:
    """A value as JSON; what JSON does not know stands under its name."""
    match value:
        case dict():
            return {key: _written(part) for key, part in value.items()}
        case list() | tuple():
            return [_written(part) for part in value]
        case datetime():
            return {"$datetime": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
        case time():
            return {"$time": value.isoformat()}
        case bytes() | memoryview():
            return {"$bytes": base64.b64encode(bytes(value)).decode()}
        case Binary():
            return _written(value.obj)
        case Jsonb():
            return {"$jsonb": value.obj}
        case Json():
            return {"$json": value.obj}
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"no way to write {type(value)}")


_KNOWN: Final[dict[str, Any]] = {
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$bytes": base64.b64decode,
    "$jsonb": Jsonb,
    "$json": Json,
}


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        name = next(iter(value), "")
        if name in _KNOWN:
            return _KNOWN[name](value[name])
        return {key: _read(part) for key, part in value.items()}
    return [_read(part) for part in value] if isinstance(value, list) else value


def main() -> None:
    """Record on both databases."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        _record(f"sqlite:///{one}/aduan.sqlite", Path(one))
        with postgres_server() as server:
            name = server.create_database()
            _record(server.url(name), Path(two))
            server.drop_database(name)


if __name__ == "__main__":
    main()
