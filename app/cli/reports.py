"""The part of a worker that makes reports; it has nothing to do with the mail server."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event

from flask import Flask, current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db, may_write
from app.formats import decimal, duration, local_date, local_datetime, minutes, number
from app.models import ReportJob
from app.services.reports import jobs
from app.services.reports.making import Workshop, make, snapshot_of
from app.services.reports.tables import Kind, Speech, Value
from app.sop.text import language
from app.standby import reading_engine

log = logging.getLogger(__name__)

#: Seconds between two looks when nothing waits: a small report should feel immediate.
PAUSE = 0.7
#: Old reports are thrown away so often, whether or not somebody runs `flask tidy`.
TIDY_EVERY = timedelta(hours=1)


def report_until(app: Flask, stop: Event, worker: str, *, pause: float = PAUSE) -> None:
    """Make what is asked for, until stopped; nothing that goes wrong there ends it."""
    tidied = datetime.min.replace(tzinfo=UTC)
    while not stop.is_set():
        handled = False
        try:
            with app.app_context():
                handled = make_one(worker, stopping=stop.is_set)
                if datetime.now(UTC) - tidied > TIDY_EVERY:
                    tidied = datetime.now(UTC)
                    tidy()
        except SQLAlchemyError as error:  # the database is away: later, then
            log.error("reports: %s", type(error).__name__)
        except Exception:
            log.exception("reports: unexpected")
        if not handled:
            stop.wait(pause)


def make_one(worker: str, *, stopping: Callable[[], bool] = lambda: False) -> bool:
    """Take the oldest waiting report and make it; whether there was one."""
    session = db.session()
    try:
        # Merely looking takes no write lock on SQLite, where officers would wait for it.
        may_write.set(False)
        waits = jobs.job_waits(session, datetime.now(UTC))
        session.rollback()
        may_write.set(True)
        if not waits:
            return False
        jobs.recover(session, datetime.now(UTC))
        job_id = jobs.claim(session, worker, datetime.now(UTC))
        session.commit()
        if job_id is None:
            return False
        spoken = session.get_one(ReportJob, job_id).language
        session.rollback()
        with current_app.test_request_context(), force_locale(spoken):
            token = language.set(spoken)
            try:
                make(
                    session, workshop(spoken), job_id, worker,
                    commit=session.commit, stopping=stopping,
                )  # fmt: skip
            finally:
                language.reset(token)
        return True
    finally:
        may_write.set(True)
        session.rollback()


def tidy() -> int:
    """Throw away what nobody can fetch any more; answers how many files."""
    session = db.session()
    try:
        dropped = jobs.tidy_reports(session, current_app.extensions["store"], datetime.now(UTC))
        session.commit()
        return dropped
    finally:
        session.rollback()


def workshop(spoken: str) -> Workshop:
    """What this application makes reports with."""
    return Workshop(
        sop=current_app.extensions["sop"],
        store=current_app.extensions["store"],
        speech=Speech(spoken, _, shown, local_date, local_datetime),
        papers=current_app.config["PAPERS_PATH"],
        demo=bool(current_app.config["DEMO"]),
        snapshot=lambda: snapshot_of(
            reading_engine(), lambda reading: may_write.set(not reading) and None
        ),
        clock=lambda: datetime.now(UTC),
    )


def shown(kind: Kind, value: Value) -> str:
    """A value as the pages write it."""
    if kind == "text" or value is None:
        return str(value) if value is not None else "–"
    if kind == "share":
        return f"{decimal(float(value) * 100, 1)}%"
    if kind == "minutes":
        return minutes(float(value))
    if kind == "duration":
        return duration(float(value))
    return number(int(value))
