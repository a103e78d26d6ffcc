"""Reading from a hot standby what may be some seconds old: charts and reports, nothing else.

Without `DATABASE_READ_URL` there is none, and everything is read from the one database. A standby
that is away, or too far behind, is left alone for a while and the primary answers instead: slower
for everybody, wrong for nobody. A page that must see its own write never asks here.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, current_app, g
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.extensions import db

log = logging.getLogger(__name__)

#: What the standby may be behind before the primary is asked instead.
MOST_SECONDS_BEHIND: Final = 60
#: How long one that did not answer is not asked again.
REST_SECONDS: Final = 30

#: Zero for a primary, and for a standby that has replayed all it received and still receives. The
#: process of the receiver is the one thing about it that any role may see.
_BEHIND: Final = text(
    "SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0"
    " WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()"
    " AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL) THEN 0"
    " ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END"
)


@dataclass
class _Standby:
    engine: Engine
    #: On the monotonic clock; this process alone remembers it, and may forget it.
    rests_until: float = 0.0


def install(app: Flask) -> None:
    """Open the standby that the settings name; sessions of a request are closed with it."""
    url = app.config.get("DATABASE_READ_URL")
    if not url:
        return
    options: dict[str, Any] = app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    app.extensions["standby"] = _Standby(create_engine(url, **options))

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        session = g.pop("standby_session", None)
        if session is not None:
            session.close()


def reading_session() -> Session:
    """A session for numbers: of the standby if it is well, else the request's own."""
    standby: _Standby | None = current_app.extensions.get("standby")
    if standby is None:
        return db.session()
    found: Session | None = g.get("standby_session")
    if found is None and _is_well(standby):
        found = g.standby_session = Session(standby.engine, autoflush=False)
    return found if found is not None else db.session()


def reading_engine() -> Engine:
    """The same for who opens its own session."""
    standby: _Standby | None = current_app.extensions.get("standby")
    return standby.engine if standby is not None and _is_well(standby) else db.engine


def _is_well(standby: _Standby) -> bool:
    """Whether it answers and is near enough; one that is not rests."""
    if time.monotonic() < standby.rests_until:
        return False
    try:
        with standby.engine.connect() as connection:
            behind = connection.execute(_BEHIND).scalar()
    except SQLAlchemyError as error:
        log.warning("standby: away (%s), the primary answers", type(error).__name__)
    else:
        # Null: it has replayed nothing yet.
        if behind is not None and behind <= MOST_SECONDS_BEHIND:
            return True
        log.warning("standby: %s seconds behind, the primary answers", behind)
    standby.rests_until = time.monotonic() + REST_SECONDS
    return False
