"""What the services need of the office, once a request."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import current_app, g

from app.remembered import remembered
from app.services.calendar import load_calendar
from app.services.messages.compose import reach_of
from app.services.signature import (
    SignatureSettings,
    Signer,
    Trust,
    load_trust,
    open_signer,
)
from app.services.storage import Store
from app.services.transitions import Office
from app.services.uploads import Limits
from app.sop.definition import Sop


def case_office() -> Office:
    """The SOP, the office calendar and the ways to applicants; read once a request."""
    if "case_office" not in g:
        calendar, reach = remembered("calendar", load_calendar), reach_of(current_app.config)
        g.case_office = Office(the_sop(), calendar, reach)
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


def signature_settings() -> SignatureSettings:
    """How this office signs, from its settings."""
    config = current_app.config
    return SignatureSettings(
        way=config["SIGNATURE_WAY"],
        certificates=config["SIGNATURE_CERTS"],
        trust=config["SIGNATURE_TRUST"],
        bsre_url=config["BSRE_URL"],
        bsre_user=config["BSRE_USER"],
        bsre_password=config["BSRE_PASSWORD"],
        bsre_timeout=config["BSRE_TIMEOUT"],
        demo=config["DEMO"],
    )


def the_signer() -> Signer | None:
    """What signs here; None where signed PDFs are brought from elsewhere."""
    return open_signer(signature_settings())


def the_trust() -> Trust:
    """The issuers whose signatures this office knows; read once a request."""
    if "trust" not in g:
        g.trust = load_trust(current_app.config["SIGNATURE_TRUST"])
    trust: Trust = g.trust
    return trust


def upload_limits() -> Limits:
    """How large and how many files may be."""
    return Limits(max_bytes=current_app.config["MAX_UPLOAD_BYTES"])


def request_time() -> datetime:
    """One moment for everything that a request does."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    now: datetime = g.now
    return now
