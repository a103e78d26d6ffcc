"""`flask backup`, `flask backup-key`, `flask restore`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click
import pyrage
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy import func, inspect, select

from app.datakeys import KeysError, ring
from app.extensions import db, may_write
from app.formats import local
from app.models import Model, User
from app.release import NotReadyError, revisions
from app.services.backup import (
    BackupError,
    check_backup,
    make_backup,
    restore_files,
    restore_keys,
    restore_rows,
)
from app.services.backup.reading import identities_of
from app.services.storage import StoreError

#: Folders of the installation that a backup takes along. The key of the cookies is not among them:
#: everybody signs in again after a restore.
EXTRA = ("papers", "trust", "certificates")
#: The public half of the key, beside the panel; it opens nothing.
PUBLIC = "backup.pub"


def honest(command: Callable[..., None]) -> Callable[..., None]:
    """One line for the person at the keys instead of a trace."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (BackupError, KeysError, NotReadyError, StoreError) as error:
            print(f"aduan: {error}", file=sys.stderr)
            raise SystemExit(1) from None

    return run


@click.command("backup-key")
@click.argument("key_file", type=click.Path(path_type=Path))
@with_appcontext
@honest
def backup_key_command(key_file: Path) -> None:
    """Make the key of the backups: KEY_FILE opens them and belongs in a safe, not on this machine."""
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    try:
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"# opens the backups of this office; public key: {public}\n{identity}\n")
    except OSError as error:
        raise BackupError(f"{key_file} cannot be written: {error.strerror}") from None
    (Path(current_app.instance_path) / PUBLIC).write_text(public + "\n", encoding="ascii")
    print(
        f"Key written to {key_file}. Without it no backup can be opened: keep it elsewhere, twice."
    )


@click.command("backup")
@click.argument("target", type=click.Path(path_type=Path), required=False)
@click.option("--key", "key_file", type=click.Path(exists=True, path_type=Path))
@with_appcontext
@honest
def backup_command(target: Path | None, key_file: Path | None) -> None:
    """Write rows and files of one moment into one encrypted file, while the panel runs.

    TARGET is a file or a folder (instance/backups without it). With --key an existing TARGET is
    opened and proved instead.
    """
    if key_file is not None:
        if target is None or not target.is_file():
            raise BackupError("name the backup that is to be proved")
        contents = check_backup(target, identities_of(key_file.read_text(encoding="utf-8")))
        print(f"Whole: {contents.rows} rows, {contents.files} files of {contents.created}")
        return
    now = datetime.now(UTC)
    folder = Path(current_app.instance_path)
    if target is None:
        target = folder / "backups"
        target.mkdir(mode=0o700, exist_ok=True)
    if target.is_dir():
        target /= f"aduan-{local(now):%Y%m%d-%H%M%S}.age"
    may_write.set(False)  # on SQLite a reading transaction is a snapshot and stops nobody
    with db.engine.connect() as connection:
        made = make_backup(
            connection,
            Model.metadata,
            current_app.extensions["store"],
            target,
            _recipients(),
            extra=_extra(folder),
            data_keys=ring().text(),
            now=now,
        )
    print(f"{made.path}: {made.rows} rows, {made.files} files, {made.size / 1e6:.1f} MB")


@click.command("restore")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key", "key_file", required=True, type=click.Path(exists=True, path_type=Path),
    help="The key file of `flask backup-key`.",
)  # fmt: skip
@with_appcontext
@honest
def restore_command(source: Path, key_file: Path) -> None:
    """Restore a backup into an EMPTY database and store, of SQLite or PostgreSQL."""
    identities = identities_of(key_file.read_text(encoding="utf-8"))
    _require_empty()
    contents = check_backup(source, identities)
    migrations = str(current_app.extensions["migrate"].directory)
    upgrade(directory=migrations, revision=contents.revision)
    may_write.set(True)
    restore_keys(source, identities)
    with db.engine.begin() as connection:
        restore_rows(connection, source, identities)
        folder = Path(current_app.instance_path)
        files = restore_files(current_app.extensions["store"], source, identities, folder)
    upgrade(directory=migrations)
    print(f"Restored: {contents.rows} rows, {files} files of {contents.created}")


def _require_empty() -> None:
    current, _head = revisions()  # says in a line when the database cannot be reached
    tables = inspect(db.engine).get_table_names()
    if current and "ab_user" in tables and db.session.scalar(select(func.count(User.id))):
        raise BackupError("this database holds an office already; restore into an empty one")
    db.session.rollback()


def _recipients() -> list[str]:
    """The public keys that may open the backup: of the setting, else of `flask backup-key`."""
    if configured := current_app.config["BACKUP_KEYS"]:
        return list(configured)
    path = Path(current_app.instance_path) / PUBLIC
    return path.read_text(encoding="ascii").split() if path.exists() else []


def _extra(folder: Path) -> dict[str, bytes]:
    """The installation's own small files by their place in its folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for name in EXTRA
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }
