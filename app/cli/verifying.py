"""`flask verify`: is anything lost or half done?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.cli.audit import kept_heads
from app.extensions import db, may_write
from app.services.audit import Head
from app.services.verifying import Fault, verify

#: So many faults are named; the first ones say what is wrong.
MOST_NAMED = 50


@click.command("verify")
@click.option("--files/--no-files", default=True, help="Read every stored file (slow) or none.")
@with_appcontext
def verify_command(files: bool) -> None:
    """Look for anything lost or half done, also while people work; changes nothing."""
    may_write.set(False)
    found = faults_of_now(kept_heads(), files=files, most=MOST_NAMED + 1)
    for fault in found[:MOST_NAMED]:
        print(f"{fault.rule}: {fault.where}: {fault.what}", file=sys.stderr)
    if found:
        more = " and more" if len(found) > MOST_NAMED else ""
        print(f"faults: {min(len(found), MOST_NAMED)}{more}", file=sys.stderr)
        raise SystemExit(1)
    print("Nothing is lost and nothing half done.")


def faults_of_now(heads: Sequence[Head], *, files: bool, most: int) -> list[Fault]:
    """The first faults of one moment, while people work."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with Session(connection) as session:
            if connection.dialect.name == "postgresql":
                session.execute(text("SET LOCAL statement_timeout = 0"))
            store = current_app.extensions["store"] if files else None
            found = list(islice(verify(session, store, heads), most))
            session.rollback()
    return found
