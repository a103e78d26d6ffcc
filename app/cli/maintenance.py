"""`flask release`, `flask seed demo`, `flask tidy`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from app.extensions import db
from app.release import NotReadyError, create_demo, prepare
from app.services.reports.jobs import tidy_reports
from app.services.sign_in.sessions import tidy_sessions
from app.services.sign_in.throttle import tidy_throttles
from app.services.storage import delete_after_commit
from app.services.tidying import forget_old_keys
from app.services.uploads import purge_staged

seed_group = AppGroup("seed", help="Data for an empty installation.")
UPLOAD_LIFE = timedelta(hours=24)


@click.command("release")
@with_appcontext
def release_command() -> None:
    """Upgrade the schema, sync SOP, roles and reference data: once per release, before serving."""
    try:
        done = prepare(current_app._get_current_object())  # type: ignore[attr-defined]
    except NotReadyError as error:
        print(f"aduan: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print("Database upgraded." if done.upgraded else "Database is up to date.")
    if done.admin_password:
        print(f"First administrator: admin, password {done.admin_password} (shown only now)")


@seed_group.command("demo")
@with_appcontext
def seed_demo_command() -> None:
    """Fill an EMPTY office with fictional cases, officers and files."""
    from app.services.demo import DemoRefusedError

    if current_app.config["ENV_NAME"] == "production":
        print("A production office takes no demo data.", file=sys.stderr)
        raise SystemExit(1)
    try:
        logins = create_demo()
    except DemoRefusedError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    for role, username, password in logins:
        print(f"{role:20} {username:16} {password}")


@click.command("tidy")
@with_appcontext
def tidy_command() -> None:
    """Drop uploads that no form claimed for a day, old reports, and form keys of the past."""
    session, now = db.session(), datetime.now(UTC)
    reports = tidy_reports(session, current_app.extensions["store"], now)
    keys = purge_staged(session, now - UPLOAD_LIFE)
    delete_after_commit(session, current_app.extensions["store"], keys)
    forgotten = forget_old_keys(session, now)
    sign_ins = tidy_sessions(session, now)
    tidy_throttles(session, now)
    session.commit()
    print(
        f"uploads dropped: {len(keys)}, reports dropped: {reports}, form keys forgotten: {forgotten},"
        f" old sign-ins forgotten: {sign_ins}"
    )
