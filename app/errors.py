"""Errors as sentences: the one place that turns a refusal into a message and an answer."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from flask import Flask, Response, current_app, flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, SecurityError

from app.extensions import db
from app.failover import is_unsure
from app.formats import local_datetime
from app.navigation import safe_back
from app.services.administrators import MESSAGES as ADMINISTRATOR_MESSAGES
from app.services.archive import MESSAGES as ARCHIVE_MESSAGES
from app.services.blanks import MESSAGES as BLANK_MESSAGES
from app.services.blanks import note_waiting
from app.services.copies import MESSAGES as COPY_MESSAGES
from app.services.dispatching import MESSAGES as DISPATCH_MESSAGES
from app.services.documents import MESSAGES as DOCUMENT_MESSAGES
from app.services.ended import MESSAGES as ENDED_MESSAGES
from app.services.filecheck import MESSAGES as FILE_MESSAGES
from app.services.importing import MESSAGES as IMPORT_MESSAGES
from app.services.messages.deciding import MESSAGES as DECISION_MESSAGES
from app.services.messages.mailer import MESSAGES as MAIL_MESSAGES
from app.services.messages.texts import MESSAGES as TEXT_MESSAGES
from app.services.papers import MESSAGES as PAPER_MESSAGES
from app.services.personal import MESSAGES as PERSON_MESSAGES
from app.services.previews import MESSAGES as PREVIEW_MESSAGES
from app.services.printing import MESSAGES as PRINTING_MESSAGES
from app.services.prints import MESSAGES as PRINT_MESSAGES
from app.services.reports import MESSAGES as REPORT_MESSAGES
from app.services.retention import MESSAGES as RETENTION_MESSAGES
from app.services.revealing import MESSAGES as REVEAL_MESSAGES
from app.services.rights import MESSAGES as RIGHTS_MESSAGES
from app.services.signature import MESSAGES as SIGNATURE_MESSAGES
from app.services.signing import MESSAGES as SIGNING_MESSAGES
from app.services.storage import DamagedFileError, MissingFileError, StoreError
from app.services.uploads import MESSAGES as UPLOAD_MESSAGES
from app.services.versions import MESSAGES as VERSION_MESSAGES
from app.sop.errors import (
    MESSAGES as SOP_MESSAGES,
)
from app.sop.errors import (
    GuardFailedError,
    NotAllowedError,
    NotFoundError,
    SopError,
    WrongStepError,
)
from app.sop.guards import MESSAGES as GUARD_MESSAGES
from app.sop.guards import Problem
from app.sop.identity import MESSAGES as IDENTITY_MESSAGES
from app.sop.text import N_, language

#: What never stands in a page, not even to be sent again.
SECRETS: Final = frozenset({"password", "conf_password", "current", "passphrase", "confirm_secret"})
#: Forms of one-time codes: nothing of them is sent again.
_CODES: Final = ("AuthDBView.code", "SecondFactorView.")
#: PostgreSQL only reads, is full, or is going down.
_AWAY: Final = frozenset({"25006", "53100", "57P01", "57P02", "57P03"})
_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
_SERVICE_MESSAGES: Final[Mapping[str, str]] = {
    "held_by_other": N_("%(who)s has been working on this case since %(at)s."),
    "changed_by_other": N_(
        "%(who)s changed this case at %(at)s while you had it open. Look at it again."
    ),
    "record_changed": N_("Somebody else changed this record while you had it open."),
    "received_in_future": N_("The time of receipt lies in the future."),
    "requirement_unknown": N_("That item is not on the list of this case."),
    "requirement_closed": N_("%(label)s was accepted in an earlier round and stays as it is."),
    "requirement_state_unknown": N_("Choose whether the item is there, unreadable or missing."),
    "not_an_output": N_("That kind of document is not one the office issues."),
    "output_signed_already": N_("%(label)s is signed already and cannot be taken off the case."),
    "output_of_other_case": N_("That document belongs to another case."),
    "spoiled_needs_reason": N_("Say why the print of %(label)s was spoiled."),
    "proof_missing": N_("Attach the proof of dispatch: a photo or a PDF."),
    "tracking_number_taken": N_("Tracking number %(number)s already belongs to case %(case)s."),
    "dispatch_status_unknown": N_("Choose sent, delivered or returned."),
    "recipient_missing": N_("Write who received the parcel."),
    "return_reason_missing": N_("Write why the parcel came back."),
    "delivered_at_impossible": N_("The delivery lies before the dispatch or in the future."),
    "standard_out_of_range": N_(
        "A standard is a whole number of minutes from %(least)s to %(most)s."
    ),
    "standard_changed": N_(
        "Somebody else changed the standard of %(step)s meanwhile: it is %(now)s min now, you wanted"
        " %(wanted)s min. Nothing was published; look at the numbers again."
    ),
    "pause_reason_unknown": N_("Choose a reason for the pause."),
    "pause_of_closed_run": N_("This step is finished; there is no clock to pause."),
    "pause_without_clock": N_("This step has no clock to pause."),
    "paused_already": N_("The clock stands still already."),
    "not_a_batch_action": N_("This action is done case by case."),
    "batch_too_large": N_("At most %(most)s cases at once."),
    "step_holds_cases": N_("Step %(step)s cannot go: %(count)s complaints still stand in it."),
    "demo_role_missing": N_("The demo data need the role %(role)s, which is not there."),
    "demo_nobody_can": N_("No officer of the demo data holds %(permission)s."),
    "direct_move": N_("A case is moved by its SOP actions only."),
    "paper_needed_and_welcome": N_("%(label)s is among the needed papers already."),
    "paper_of_wrong_sort": N_("%(label)s cannot be used here; look at its document kind."),
    "last_working_day": N_("The ordinary week needs at least one working day; this is the last."),
    "form_used": N_("This form was sent already."),
}
MESSAGES: Final[Mapping[str, str]] = {
    **SOP_MESSAGES,
    **GUARD_MESSAGES,
    **IDENTITY_MESSAGES,
    **ADMINISTRATOR_MESSAGES,
    **ARCHIVE_MESSAGES,
    **ENDED_MESSAGES,
    **RIGHTS_MESSAGES,
    **FILE_MESSAGES,
    **UPLOAD_MESSAGES,
    **COPY_MESSAGES,
    **PERSON_MESSAGES,
    **DOCUMENT_MESSAGES,
    **IMPORT_MESSAGES,
    **PAPER_MESSAGES,
    **SIGNATURE_MESSAGES,
    **PREVIEW_MESSAGES,
    **VERSION_MESSAGES,
    **TEXT_MESSAGES,
    **MAIL_MESSAGES,
    **DECISION_MESSAGES,
    **DISPATCH_MESSAGES,
    **BLANK_MESSAGES,
    **PRINT_MESSAGES,
    **REPORT_MESSAGES,
    **RETENTION_MESSAGES,
    **REVEAL_MESSAGES,
    **PRINTING_MESSAGES,
    **SIGNING_MESSAGES,
    **_SERVICE_MESSAGES,
}


def sentence(code: str, params: Mapping[str, Any] | None = None) -> str:
    """The sentence of a code in the reader's language, its parameters shown as people write."""
    shown = {
        name: local_datetime(value) if isinstance(value, datetime) else str(value)
        for name, value in (params or {}).items()
        if value is not None
    }
    template = gettext(MESSAGES.get(code, SOP_MESSAGES["guard_failed"]))
    try:
        return template % shown
    except (KeyError, ValueError):
        return template


def problem_sentence(problem: Problem) -> str:
    """One guard's complaint as a sentence."""
    return sentence(problem.code, problem.params)


def error_sentence(error: SopError) -> str:
    """What an officer reads for a refusal: every missing thing of a failed guard."""
    if isinstance(error, GuardFailedError):
        return " ".join(problem_sentence(problem) for problem in error.problems)
    return sentence(error.code, error.params)


def status_of(error: SopError) -> int:
    """The HTTP status that says the same as the error."""
    if isinstance(error, NotAllowedError):
        return 403
    if isinstance(error, NotFoundError):
        return 404
    if isinstance(error, WrongStepError):
        return 409
    return 422


def install(app: Flask) -> None:
    """Register the handlers; nothing else in the panel handles an error."""
    app.register_error_handler(SopError, _refused)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, database_away)
    app.register_error_handler(PoolTimeoutError, database_away)
    app.register_error_handler(DBAPIError, _database_refused)
    app.register_error_handler(StoreError, _store_away)
    app.register_error_handler(OSError, _disk)

    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    """Whether the asker is one of our scripts rather than a person."""
    return (
        request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json"
    )


def _refused(error: SopError) -> ResponseReturnValue:
    _rollback()
    if note_waiting(db.session(), error, now=datetime.now(UTC)):
        db.session.commit()
    status, text = status_of(error), error_sentence(error)
    if wants_json():
        return {"error": error.code, "message": text}, status
    if status in (403, 404):
        return _page(status, text if status == 403 else "")
    flash(text, "danger")
    return redirect(safe_back(), 303)


def _stale_form(error: CSRFError) -> ResponseReturnValue:
    text = gettext("This form is too old or came from another page. Open it again and resend.")
    if wants_json():
        return {"error": "csrf", "message": text}, 400
    return _page(400, text)


def _http(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, SecurityError):  # an unknown Host: no page, it would need our address
        return "400\n", 400, {"Content-Type": "text/plain; charset=utf-8"}
    if isinstance(error.response, Response) or (error.code or 500) < 400:
        return error
    _rollback()
    code = error.code or 500
    if wants_json():
        return {"error": str(code), "message": _advice(code) or _title(code)}, code
    answer = _page(code, _advice(code))
    if isinstance(answer, tuple) and code == 405:
        methods = getattr(error, "valid_methods", None)
        return (*answer, {"Allow": ", ".join(methods)}) if methods else answer
    return answer


def database_away(error: SQLAlchemyError) -> ResponseReturnValue:
    """The answer when the database can't be asked, or can't be written."""
    current_app.logger.error(
        "database not available: %s", type(getattr(error, "orig", error)).__name__
    )
    if is_unsure(error):
        text = gettext(
            "The database went away in the moment of saving. It may have been saved or not: look"
            " before you send it again."
        )
    else:
        text = gettext(
            "The database does not answer or is busy. Nothing was saved; please try again in a"
            " moment."
        )
    return _not_now("database", text)


def _database_refused(error: DBAPIError) -> ResponseReturnValue:
    """A database that only reads, or a connection that broke, is away; all else is a fault."""
    state = getattr(error.orig, "sqlstate", None) or ""
    if error.connection_invalidated or state in _AWAY:
        return database_away(error)
    return _unexpected(error)


def _store_away(error: Exception) -> ResponseReturnValue:
    """The answer when files can't be kept or read: a full or broken disk, an unreachable bucket."""
    if isinstance(error, MissingFileError | DamagedFileError):
        return _unexpected(error)
    current_app.logger.error("store not available: %s", type(error.__cause__ or error).__name__)
    text = gettext(
        "Files cannot be stored or read at this moment: the disk is full or does not answer."
        " Nothing was saved. Tell your administrator."
    )
    return _not_now("store", text)


def _disk(error: OSError) -> ResponseReturnValue:
    return _store_away(error) if error.errno in _DISK else _unexpected(error)


def _not_now(code: str, text: str) -> ResponseReturnValue:
    """503 without asking the database: what was typed stays in the page and can be sent again."""
    _rollback()
    later = {"Retry-After": "5", "Cache-Control": "no-store"}
    if wants_json():
        return {"error": code, "message": text}, 503, later
    kept = []
    if request.method == "POST" and not (request.endpoint or "").startswith(_CODES):
        kept = [(n, v) for n, v in request.form.items(multi=True) if n.lower() not in SECRETS]
    page = current_app.jinja_env.get_template("aduan/away.html").render(
        lang=language.get(),
        theme=request.cookies.get("theme", "auto"),
        title=_title(503),
        text=text,
        kept=kept,
        kept_words=gettext("What you typed is kept in this page. Files have to be chosen again."),
        again=gettext("Try again"),
        # A form goes to where it was sent; a page is asked for again.
        url=request.full_path.rstrip("?"),
        reference=gettext("Reference for the administrator: %(reference)s", reference=_reference()),
    )
    return page, 503, later


def _unexpected(error: Exception) -> ResponseReturnValue:
    _rollback()
    reference = _reference()
    current_app.logger.exception("unexpected error %s", reference)
    text = gettext("Reference for the administrator: %(reference)s", reference=reference)
    if wants_json():
        return {"error": "unexpected", "message": text}, 500
    return _page(500, text)


def _reference() -> str:
    """The number of the request: the same in the page, in the log and in the audit log."""
    return str(g.get("request_id") or uuid4().hex[:12])


def _rollback() -> None:
    if not db.session.registry.has():
        return
    try:
        db.session.rollback()
    except SQLAlchemyError:  # the connection is gone, and with it what it had not committed
        with suppress(SQLAlchemyError):
            db.session().invalidate()
        db.session.registry.clear()


def _title(code: int) -> str:
    titles = {
        400: gettext("The request could not be understood"),
        403: gettext("This is not yours to open"),
        404: gettext("There is nothing here"),
        405: gettext("This address does not work that way"),
        409: gettext("Somebody was faster"),
        413: gettext("The file is too large"),
        429: gettext("Too many attempts; wait a moment"),
        503: gettext("Not available right now"),
    }
    return titles.get(code, gettext("Something went wrong"))


def _advice(code: int) -> str:
    """What a person can do about an answer that no rule of ours gave."""
    if code == 413:
        return gettext(
            "What was sent at once is too large. Go back: what you typed is still there."
            " Send fewer or smaller files."
        )
    if g.get("refused") == "other_site":
        return gettext("This form was sent from another site. Open it here and send it again.")
    if g.get("refused") == "too_many":
        return gettext(
            "You asked for very many lists in a short time. Wait a minute and go on; nothing is lost."
        )
    return ""


def _page(code: int, text: str) -> tuple[str, int]:
    try:
        return render_template("aduan/error.html", code=code, title=_title(code), text=text), code
    except Exception:  # the page itself needs what is broken: answer without it
        current_app.logger.exception("error page failed")
        return f"{_title(code)}\n{text}", code
