"""`flask partitions …`: the tables that lie by years, on PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NoReturn

import click
import pyrage
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.cli.audit import kept_heads
from app.cli.backup import recipients
from app.cli.verifying import faults_of_now
from app.extensions import db, may_write
from app.models import ArchivedYear
from app.services.archive import detach_runs
from app.services.attaching import attach_runs
from app.services.audit import broken_rows
from app.services.audit.partitions import detach
from app.services.backup import BackupError, Encrypted, decrypted, identities_of, recipient
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
    for kept in db.session.scalars(select(ArchivedYear).order_by(ArchivedYear.year)):
        print(
            f"{'step_run_' + str(kept.year):26} {kept.runs:>10} in {kept.file} since {kept.at:%Y-%m-%d}"
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
    """Prove what it is of, write the oldest part NAME into TARGET, encrypted for the backups' key, and
    drop it.

    Of the audit log the log is proved, of the step records everything that `flask verify` looks at but
    the files. It needs the role that owns the tables. `age -d -i KEY TARGET` gives its rows back, as
    JSON lines.
    """
    _need_partitions()
    of_runs = name.startswith("step_run_")
    _prove_office() if of_runs else _prove_log()
    session = db.session()
    session.execute(text("SET LOCAL statement_timeout = 0"))
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
        done = (detach_runs if of_runs else detach)(
            session, name, datetime.now(UTC), write, target.name
        )
        told = (
            f"{name}: {done.runs} runs and {done.pauses} pauses are in {target}"
            if isinstance(done, ArchivedYear)
            else f"{done.name}: rows {done.first} to {done.last} are in {target}"
        )
        told += f"\nsha256 of its lines: {done.sha256}"
        session.commit()
    except (PartitionError, BackupError, ProgrammingError, OperationalError, OSError) as error:
        session.rollback()
        target.unlink(missing_ok=True)
        _stop(_why(error))
    print(told)


@partitions_group.command("attach")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key", "key_file", required=True, type=click.Path(exists=True, path_type=Path),
    help="The key file of `flask backup-key`.",
)  # fmt: skip
@with_appcontext
def attach_command(source: Path, key_file: Path) -> None:
    """Bring a year of step records back from SOURCE, which `detach` wrote of this office.

    Everything is proved before as for `detach`. It needs the role that owns the tables.
    """
    _need_partitions()
    _prove_office()
    session = db.session()
    session.execute(text("SET LOCAL statement_timeout = 0"))
    may_write.set(True)
    try:
        keys = identities_of(key_file.read_text(encoding="utf-8"))
        done = attach_runs(session, lambda: _opened(source, keys), datetime.now(UTC))
        session.commit()
    except (PartitionError, BackupError, ProgrammingError, OperationalError, OSError) as error:
        session.rollback()
        _stop(_why(error))
    print(f"step_run_{done.year}: {done.runs} runs and {done.pauses} pauses are back")


@contextmanager
def _opened(source: Path, keys: list[Any]) -> Iterator[IO[bytes]]:
    try:
        with decrypted(source, keys) as stream:
            yield stream
    except (pyrage.DecryptError, OSError) as error:
        raise BackupError(f"{source} is damaged, or the key is another one ({error})") from None


def _why(error: Exception) -> object:
    if isinstance(error, ProgrammingError):
        return "only the owner of the tables may"
    if isinstance(error, OperationalError):
        return "the table is busy; nothing was changed, try again"
    return error


def _prove_log() -> None:
    broken = next(broken_rows(db.session(), kept_heads()), None)
    if broken is not None:
        _stop(f"the log is not whole, {broken[0]}: {broken[1]}; nothing was changed")


def _prove_office() -> None:
    """In a snapshot of its own: people go on working."""
    fault = next(iter(faults_of_now(kept_heads(), files=False, most=1)), None)
    if fault is not None:
        _stop(f"{fault.rule}: {fault.where}: {fault.what}; nothing was changed")


def _need_partitions() -> None:
    if not is_partitioned(db.session()):
        _stop(
            f"only PostgreSQL has partitions; {current_app.config['APP_NAME']} on SQLite has one table"
        )


def _stop(reason: object) -> NoReturn:
    print(f"aduan: {reason}", file=sys.stderr)
    raise SystemExit(1)
