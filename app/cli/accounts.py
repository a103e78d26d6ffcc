"""`flask account reset NAME`: for the day nobody can sign in as administrator any more."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click
from flask import current_app, g
from flask.cli import AppGroup, with_appcontext

from app.access import account_of
from app.extensions import db
from app.passwords import ONE_TIME_LASTS, one_time_password
from app.services.audit import record
from app.services.sign_in.second_factor import remove
from app.sign_in_tries import find_user, forget_tries

account_group = AppGroup("account", help="Help for who cannot sign in.")


@account_group.command("reset")
@click.argument("name")
@with_appcontext
def reset_command(name: str) -> None:
    """Print a password for one use of a user, and take his second factor and wrong tries away."""
    g.now = datetime.now(UTC)
    user = find_user(name)
    if user is None:
        print("aduan: there is no user of that name", file=sys.stderr)
        raise SystemExit(1)
    secret = one_time_password()
    remove(db.session(), user.id)
    forget_tries(user)
    account_of(user.id).must_change_password = True
    record(db.session(), "password_reset", actor_id=None, subject=f"user:{user.id}")
    manager = current_app.extensions["appbuilder"].sm
    manager.reset_password(user.id, secret, expires=ONE_TIME_LASTS)
    print(f"{user.username}: {secret}")
    print(f"It works for {ONE_TIME_LASTS.days} days and must be changed at the first sign-in.")
    if not user.active:
        print("The account is switched off: it lets nobody in until it is switched on again.")
