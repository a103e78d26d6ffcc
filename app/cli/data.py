"""`flask data …`: the keys of personal data and what is sealed with them."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from threading import Event
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from app.datakeys import KeysError, ring
from app.extensions import db, may_write
from app.services import sealing
from app.services.partitions import make_ahead
from app.services.personal import cases_of, export_person
from app.services.retention import erase, erase_due, months_kept
from app.services.rotating import StillSealedError, rotate
from app.services.storage import Store, StoreError

log = logging.getLogger(__name__)
data_group = AppGroup("data", help="Personal data: keys, sealing, retention, one person's rights.")


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


@data_group.command("expire")
@with_appcontext
@honest
def expire_command() -> None:
    """Erase files and personal data of the cases whose retention has ended (Reference > Office)."""
    session = db.session()
    if months_kept(session) is None:
        print("The office keeps everything: no months are set.")
        return
    print(f"cases erased: {expire(current_app.extensions['store'])}")


@data_group.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@with_appcontext
@honest
def export_command(target: Path) -> None:
    """Write all that is kept of one person into TARGET (JSON), for him; asks for the NIK."""
    nik = click.prompt("NIK", hide_input=True)  # not in the list of processes, not in a history
    session = db.session()
    found = export_person(session, nik.strip(), None)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(found, file, ensure_ascii=False, indent=1)
    session.commit()
    print(f"{target}: cases: {len(found['cases'])}")


@data_group.command("erase")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@with_appcontext
@honest
def erase_command(yes: bool) -> None:
    """Erase the data of one person's finished cases, at his request; asks for the NIK."""
    nik = click.prompt("NIK", hide_input=True)
    session, now = db.session(), datetime.now(UTC)
    found = [case for case in cases_of(session, nik.strip()) if case.erased_at is None]
    still = [case.number for case in found if case.closed_at is None]
    if still:
        print(f"not finished, so still needed: {', '.join(still)}", file=sys.stderr)
        raise SystemExit(1)
    if not found or not (yes or click.confirm(f"Erase {len(found)} cases for good?")):
        print("cases erased: 0")
        return
    store = current_app.extensions["store"]
    done = sum(erase(session, store, case, now, why="request") for case in found)
    session.commit()
    db.session.remove()
    _scrub_names()
    print(f"cases erased: {done}")


def expire(store: Store) -> int:
    """Erase what is due in the present application, batch by batch."""
    session = db.session()
    done = sum(erase_due(session, store, datetime.now(UTC), session.commit))
    session.rollback()
    db.session.remove()
    if done:
        _scrub_names()
    return done


def _scrub_names() -> None:
    """Names and texts are in clear, and SQLite would keep them in its freed pages."""
    if db.engine.dialect.name == "sqlite":
        sealing.scrub(db.engine)


def expire_until(app: Flask, stop: Event, *, pause: float = 6 * 3600.0) -> None:
    """Erase what is due some times a day, and make the parts of the years ahead, until stopped.

    Nothing that goes wrong there ends it.
    """
    while not stop.wait(60):
        try:
            may_write.set(False)
            with app.app_context():
                due = months_kept(db.session()) is not None
                db.session.rollback()
                may_write.set(True)
                make_ahead(db.session())
                db.session.commit()
                if due:
                    expire(app.extensions["store"])
        except Exception:
            log.exception("retention: unexpected")
        finally:
            may_write.set(True)
        if stop.wait(pause):
            return


@data_group.command("decrypt")
@with_appcontext
@honest
def decrypt_command() -> None:
    """Put everything back in clear, before going back to a release that knows no keys."""
    session = db.session()
    sealing.require_keys(session)
    print(f"rows in clear: {sealing.unseal(session, session.commit)}")
