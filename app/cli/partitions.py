"""`flask partitions …`: the tables that lie by years, on PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.cli.audit import kept_heads
from app.cli.backup import recipients
from app.extensions import db, may_write
from app.services.audit import broken_rows
from app.services.audit.partitions import detach
from app.services.backup import BackupError, Encrypted, recipient
from app.services.partitions import (
    AHEAD,
    BY_YEARS,
    PartitionError,
    is_partitioned,
    make_ahead,
    partitions,
)

partitions_group = AppGroup("partitions", help="Audit log and step records by years (PostgreSQL).")


@partitions_group.command("list")
@with_appcontext
def list_command() -> None:
    """Each part with its rows, their numbers, its size, and the time it is for."""
    _need_partitions()
    for part in (part for table in BY_YEARS for part in partitions(db.session(), table)):
        numbers = f"{part.first} to {part.last}" if part.rows else "-"
        print(
            f"{part.name:26} {part.rows:>10} {numbers:>22} {part.size / 1e6:>9.1f} MB  {part.span}"
        )
    db.session.rollback()


@partitions_group.command("ahead")
@click.option("--years", default=AHEAD, show_default=True, type=click.IntRange(0, 10))
@with_appcontext
def ahead_command(years: int) -> None:
    """Make the parts of this year and the next ones; worker and release step do it, too."""
    _need_partitions()
    may_write.set(True)
    made = make_ahead(db.session(), years)
    db.session.commit()
    print(f"partitions made: {made}")


@partitions_group.command("detach")
@click.argument("name")
@click.argument("target", type=click.Path(path_type=Path))
@with_appcontext
def detach_command(name: str, target: Path) -> None:
    """Prove the log, write the oldest part NAME into TARGET, encrypted for the backups' key, and drop it.

    It needs the role that owns the tables. `age -d -i KEY TARGET` gives its rows back, as JSON lines.
    """
    _need_partitions()
    session = db.session()
    session.execute(text("SET LOCAL statement_timeout = 0"))
    broken = next(broken_rows(session, kept_heads()), None)
    if broken is not None:
        _stop(f"the log is not whole, {broken[0]}: {broken[1]}; nothing was detached")
    may_write.set(True)

    def write(lines: Iterator[bytes]) -> None:
        keys = [recipient(key) for key in recipients()]
        if not keys:
            raise BackupError("there is no key to encrypt for: `flask backup-key` makes one")
        with Encrypted(target, keys) as stream:
            for line in lines:
                stream.write(line)

    if target.exists():
        _stop(f"{target} is there already")
    try:
        done = detach(session, name, datetime.now(UTC), write, target.name)
        session.commit()
    except (PartitionError, BackupError, ProgrammingError, OSError) as error:
        session.rollback()
        target.unlink(missing_ok=True)
        reason = (
            "only the owner of the tables may" if isinstance(error, ProgrammingError) else error
        )
        _stop(reason)
    print(
        f"{done.name}: rows {done.first} to {done.last} are in {target}\nsha256 of its lines: {done.sha256}"
    )


def _need_partitions() -> None:
    if not is_partitioned(db.session()):
        _stop(
            f"only PostgreSQL has partitions; {current_app.config['APP_NAME']} on SQLite has one table"
        )


def _stop(reason: object) -> NoReturn:
    print(f"aduan: {reason}", file=sys.stderr)
    raise SystemExit(1)
