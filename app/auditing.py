"""The audit log as pages use it: who asks, from where and by which request are filled in.

    audit("duties_exception", "complaint:PGD-2026-000001")     # in a request that writes
    db.session.commit()

    audit_now("personal_data_revealed", "complaint:…")         # in a request that reads

The second commits by itself. It is all that a GET ever writes. What is read by its address alone
(files, prints, exports) stands in `READS` and needs no line in its view.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from flask import Flask, Response, current_app, g, request
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.errors import database_away
from app.extensions import db, may_write
from app.logs import request_id_of
from app.services.audit import Origin, origin, record

Detail = Mapping[str, str | int | bool]

#: Endpoint -> kind, sort of subject. Told when the answer is what was asked for.
READS: Final[Mapping[str, tuple[str, str]]] = {
    "BreachView.notice": ("printed", "breach"),
    "ComplaintView.export": ("exported", "complaints"),
    "DispatchView.export": ("exported", "dispatches"),
    "DocumentView.file": ("file_downloaded", "document"),
    "DocumentView.preview": ("file_viewed", "document"),
    "PaperView.draft": ("printed", "case"),
    "PaperView.labels": ("printed", "cases"),
    "PaperView.manifest": ("printed", "courier"),
    "PaperView.processing": ("printed", "case"),
    "PaperView.receipt": ("printed", "case"),
    "PaperView.return_slip": ("printed", "case"),
    "PrintingView.file": ("printed", "print_batch"),
    "ProcessLogView.csv": ("exported", "process_log"),
    "ProcessLogView.xes": ("exported", "process_log"),
    "ReportView.file": ("report_downloaded", "report"),
    "UploadView.preview": ("file_viewed", "upload"),
}
#: The values of an address that say what was read.
_KEYS: Final[tuple[str, ...]] = ("public_id", "pk")
_WORDS: Final[tuple[str, ...]] = ("page", "size", "ids", "courier", "day", "to")


def audit(kind: str, subject: str = "", detail: Detail | None = None) -> None:
    """Tell the log what this request does; it is written when the request's session commits."""
    record(db.session(), kind, actor_id=actor_id(), subject=subject, detail=detail)


def audit_now(kind: str, subject: str = "", detail: Detail | None = None) -> None:
    """Tell the log at once, in a transaction of its own: what was read, refused or failed.

    Not for a request that is in the midst of writing: SQLite would wait for itself.
    """
    _write_alone(kind, subject, detail, actor_id())


def _write_alone(kind: str, subject: str, detail: Detail | None, who: int | None) -> None:
    mark = may_write.set(True)
    try:
        with Session(db.engine) as session:
            record(session, kind, actor_id=who, subject=subject, detail=detail)
            session.commit()
    finally:
        may_write.reset(mark)


def install(app: Flask) -> None:
    """Give every request its number before anything else, and tell what it read at its end."""

    @app.before_request
    def number_request() -> None:
        trusted = bool(app.config["TRUSTED_PROXIES"])
        given = request_id_of(request.headers.get("X-Request-Id", ""), trusted=trusted)
        g.request_id = given or secrets.token_hex(6)
        origin.set(Origin(request.remote_addr or "", g.request_id, actor_id))

    @app.teardown_request
    def forget_request(_error: BaseException | None) -> None:
        # The thread goes on to other work, which nobody asked for by this request.
        origin.set(Origin())

    @app.after_request
    def tell(response: Response) -> Any:
        told = _told(response)
        if told is None:
            return response
        who = actor_id()  # before the rollback: a user that is read again would take a lock
        if may_write.get():
            db.session.rollback()  # a refused request leaves nothing to commit, but may hold a lock
        try:
            _write_alone(*told, who)
        except SQLAlchemyError as error:
            if response.status_code == 403:
                current_app.logger.error("a refusal was not logged: %s", type(error).__name__)
                return response
            # Nobody reads personal data without a trace.
            response.close()
            return app.make_response(database_away(error))
        return response


def actor_id() -> int | None:
    """The user who asks, None outside requests and for nobody in particular."""
    return int(current_user.id) if current_user and current_user.is_authenticated else None


def _told(response: Response) -> tuple[str, str, Detail] | None:
    """What the log is to hear of an answer: kind, subject, detail."""
    endpoint, values = request.endpoint or "", request.view_args or {}
    key = next((str(values[name]) for name in _KEYS if name in values), "")
    if response.status_code == 403 and actor_id() is not None:
        return "refused", "", {"endpoint": endpoint, "method": request.method, "key": key[:60]}
    if response.status_code != 200 or endpoint not in READS:
        return None
    if endpoint == "DocumentView.preview" and request.args.get("size", "page") != "page":
        return None  # too small to be read
    kind, sort = READS[endpoint]
    words = {**values, **request.args.to_dict()}
    detail: dict[str, str | int | bool] = {
        name: str(words[name])[:100] for name in _WORDS if name in words
    }
    if kind != "file_viewed":
        detail["of"] = endpoint.removesuffix("View.file").replace("View.", ".")
    return kind, f"{sort}:{key}" if key else sort, detail


__all__ = ["READS", "actor_id", "audit", "audit_now", "install"]
