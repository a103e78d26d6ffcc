"""`flask audit …`: proving the audit log, keeping its head, the two roles of PostgreSQL."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from itertools import islice
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.extensions import db, may_write
from app.services.audit import Head, broken_rows, current_head, record
from app.services.audit.grants import grant_statements

audit_group = AppGroup("audit", help="The audit log: proof, head, rights of the database.")
MOST_NAMED = 50


@audit_group.command("verify")
@click.option("--head", "given", multiple=True, help="A head kept elsewhere, as `flask audit head` prints it.")  # fmt: skip
@with_appcontext
def verify_command(given: tuple[str, ...]) -> None:
    """Find changed, removed, moved, slipped-in and cut-off rows; changes nothing in the database."""
    try:
        heads = [*kept_heads(), *map(Head.read, given)]
    except ValueError as error:
        print(f"aduan: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    with closing(_reading()) as session:
        found = list(islice(broken_rows(session, heads), MOST_NAMED + 1))
        head = current_head(session)
    for where, what in found[:MOST_NAMED]:
        print(f"audit: {where}: {what}", file=sys.stderr)
    if found:
        raise SystemExit(1)
    keep_head(head)
    print(f"Whole: {head.number} rows. Head, to be kept elsewhere:\n{head}")


@audit_group.command("head")
@with_appcontext
def head_command() -> None:
    """Print the last row's number and seal: on paper or in a mail they prove that nothing was cut off."""
    with closing(_reading()) as session:
        print(current_head(session))


@audit_group.command("grants")
@click.option("--owner", required=True, help="The role that owns the tables and runs releases.")
@click.option("--app", "panel", required=True, help="The role that the panel signs in as.")
@click.option("--apply", "now", is_flag=True, help="Run them here instead of printing them.")
@with_appcontext
def grants_command(owner: str, panel: str, now: bool) -> None:
    """PostgreSQL: rights that let the panel add to the audit log and never change it."""
    if db.engine.dialect.name != "postgresql":
        print("aduan: only PostgreSQL has roles; on SQLite triggers guard the log", file=sys.stderr)
        raise SystemExit(1)
    try:
        statements = grant_statements(owner, panel, database=str(db.engine.url.database))
    except ValueError as error:
        print(f"aduan: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    if not now:
        print("".join(f"{statement};\n" for statement in statements), end="")
        return
    with db.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    print(f"{panel} adds to the audit log and can change nothing of it; {owner} owns the tables.")


def kept_heads() -> list[Head]:
    """The head that this installation kept of its last proof or backup."""
    path = Path(current_app.config["AUDIT_HEAD"])
    return [Head.read(path.read_text(encoding="ascii"))] if path.exists() else []


def keep_head(head: Head) -> None:
    """Keep a head beside the database; an older one is replaced."""
    path = Path(current_app.config["AUDIT_HEAD"])
    draft = path.with_suffix(".part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{head}\n")
    draft.replace(path)


def tell_log(kind: str, detail: dict[str, str | int | bool]) -> None:
    """Tell the log of what a command did, which nobody who is signed in has asked for."""
    may_write.set(True)
    for last in (False, False, False, True):
        try:
            with Session(db.engine) as session:
                record(session, kind, actor_id=None, detail=detail, address="terminal")
                session.commit()
            return
        except OperationalError:
            # SQLite gives nobody his turn: a busy office may keep a writer waiting to the end.
            if last:
                raise


def _reading() -> Session:
    may_write.set(False)
    session = Session(db.engine)
    if db.engine.dialect.name == "postgresql":
        session.execute(text("SET LOCAL statement_timeout = 0"))
    return session
