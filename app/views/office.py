"""What the services need of the office, once a request."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import current_app, g

from app.extensions import db
from app.services.calendar import load_calendar
from app.services.storage import Store
from app.services.transitions import Office
from app.services.uploads import Limits
from app.sop.definition import Sop


def case_office() -> Office:
    """The SOP and the office calendar; the calendar is read once a request."""
    if "case_office" not in g:
        g.case_office = Office(the_sop(), load_calendar(db.session()))
    office: Office = g.case_office
    return office


def the_sop() -> Sop:
    """The SOP this application runs."""
    sop: Sop = current_app.extensions["sop"]
    return sop


def the_store() -> Store:
    """Where files are kept."""
    store: Store = current_app.extensions["store"]
    return store


def upload_limits() -> Limits:
    """How large and how many files may be."""
    return Limits(max_bytes=current_app.config["MAX_UPLOAD_BYTES"])


def request_time() -> datetime:
    """One moment for everything that a request does."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    now: datetime = g.now
    return now
