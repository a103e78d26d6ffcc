"""`flask data …`: the keys of personal data and what is sealed with them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from app.datakeys import KeysError, ring
from app.extensions import db, may_write
from app.services import sealing
from app.services.rotating import StillSealedError, rotate
from app.services.storage import StoreError

data_group = AppGroup("data", help="Personal data: keys, sealing.")


def honest(command: Callable[..., None]) -> Callable[..., None]:
    """One line for the person at the keys instead of a trace."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        may_write.set(True)
        try:
            command(*args, **kwargs)
        except (KeysError, StillSealedError, StoreError) as error:
            print(f"aduan: {error}", file=sys.stderr)
            raise SystemExit(1) from None

    return run


@data_group.command("encrypt")
@with_appcontext
@honest
def encrypt_command() -> None:
    """Seal what stands in clear from before there were keys; can be interrupted and run again."""
    session, now = db.session(), datetime.now(UTC)
    sealing.prepare_keys(session, now)
    session.commit()
    rows = sealing.reseal(session, session.commit)
    sealing.seal_old_rows(session, now, session.commit)
    session.commit()
    db.session.remove()
    if rows:
        sealing.scrub(db.engine)
    print(f"rows sealed: {rows}")


@data_group.command("rotate")
@click.option("--batch", default=sealing.BATCH, show_default=True, help="Rows in one transaction.")
@with_appcontext
@honest
def rotate_command(batch: int) -> None:
    """Seal every row and file with a new key and drop the old one, while the panel runs.

    Can be interrupted: run again, it goes on where it stopped. Make a backup first.
    """
    session, store = db.session(), current_app.extensions["store"]
    done = rotate(
        session, store, datetime.now(UTC), session.commit, batch=batch,
        say=lambda line: print(line, flush=True),
    )  # fmt: skip
    begun = "went on to" if done.resumed else "new key"
    print(
        f"{begun} {done.key_id}; rows: {done.rows}, files: {done.files},"
        f" dropped: {', '.join(done.retired) or 'none'}. Copy {ring().path} to where you keep it."
    )


@data_group.command("decrypt")
@with_appcontext
@honest
def decrypt_command() -> None:
    """Put everything back in clear, before going back to a release that knows no keys."""
    session = db.session()
    sealing.require_keys(session)
    print(f"rows in clear: {sealing.unseal(session, session.commit)}")
