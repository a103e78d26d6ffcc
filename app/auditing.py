"""The audit log as pages use it: who asks, from where and by which request are filled in.

    audit("printed", "complaint:PGD-2026-000001", {"paper": "receipt"})   # in a request that writes
    db.session.commit()

    audit_now("file_downloaded", f"document:{public_id}")                 # in a request that reads

The second commits by itself. It is all that a GET ever writes.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from flask import Flask, g, request
from flask_login import current_user
from sqlalchemy.orm import Session

from app.extensions import db, may_write
from app.services.audit import Origin, origin, record


def audit(
    kind: str, subject: str = "", detail: Mapping[str, str | int | bool] | None = None
) -> None:
    """Tell the log what this request does; it is written when the request's session commits."""
    record(db.session(), kind, actor_id=_actor_id(), subject=subject, detail=detail)


def audit_now(
    kind: str, subject: str = "", detail: Mapping[str, str | int | bool] | None = None
) -> None:
    """Tell the log at once, in a transaction of its own: what was read, refused or failed.

    Not for a request that is in the midst of writing: SQLite would wait for itself.
    """
    actor_id = _actor_id()
    mark = may_write.set(True)
    try:
        with Session(db.engine) as session:
            record(session, kind, actor_id=actor_id, subject=subject, detail=detail)
            session.commit()
    finally:
        may_write.reset(mark)


def install(app: Flask) -> None:
    """Give every request its number, before anything else happens in it."""

    @app.before_request
    def number_request() -> None:
        g.request_id = secrets.token_hex(8)
        origin.set(Origin(request.remote_addr or "", g.request_id))


def _actor_id() -> int | None:
    return int(current_user.id) if current_user and current_user.is_authenticated else None
