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
from sqlalchemy.orm import Session

from app.cli.audit import keep_head, tell_log
from app.datakeys import KeysError, ring
from app.extensions import db, may_write
from app.formats import local
from app.models import Model, User
from app.release import NotReadyError, revisions
from app.services.audit import Head, broken_rows, current_head
from app.services.backup import (
    BackupError,
    Contents,
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
#: Proves the audit log that a backup holds; one that is given by the environment stays out.
AUDIT_KEY = "instance/audit_key"
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
            recipients(),
            extra=_extra(folder),
            data_keys=ring().text(),
            now=now,
        )
    if made.head is not None:
        keep_head(made.head)
    tell_log("backup_made", {"rows": made.rows, "files": made.files})
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
    folder = Path(current_app.instance_path)
    if AUDIT_KEY in contents.sums and not current_app.config["AUDIT_KEY_GIVEN"]:
        # The one of this place is new and has sealed nothing yet.
        (folder / "audit_key").unlink(missing_ok=True)
    with db.engine.begin() as connection:
        restore_rows(connection, source, identities)
        files = restore_files(current_app.extensions["store"], source, identities, folder)
    upgrade(directory=migrations)
    _go_on_with_log(folder, contents)
    print(f"Restored: {contents.rows} rows, {files} files of {contents.created}")


def _go_on_with_log(folder: Path, contents: Contents) -> None:
    """Prove the restored audit log with the key that came along, and add to it."""
    if AUDIT_KEY in contents.sums and not current_app.config["AUDIT_KEY_GIVEN"]:
        key = bytes.fromhex((folder / "audit_key").read_text(encoding="ascii").strip())
        db.engine.update_execution_options(audit_key=key)
        db.engine.dispose()
    heads = [Head.read(contents.audit_head)] if contents.audit_head else []
    with Session(db.engine) as session:
        broken = next(broken_rows(session, heads), None)
        head = current_head(session)
    if broken is not None:
        print(f"aduan: audit log, row {broken[0]}: {broken[1]}; is it the same AUDIT_KEY?", file=sys.stderr)  # fmt: skip
        return
    keep_head(head)
    tell_log("restored", {"of": contents.created})


def _require_empty() -> None:
    current, _head = revisions()  # says in a line when the database cannot be reached
    tables = inspect(db.engine).get_table_names()
    if current and "ab_user" in tables and db.session.scalar(select(func.count(User.id))):
        raise BackupError("this database holds an office already; restore into an empty one")
    db.session.rollback()


def recipients() -> list[str]:
    """The public keys that may open the backup: of the setting, else of `flask backup-key`."""
    if configured := current_app.config["BACKUP_KEYS"]:
        return list(configured)
    path = Path(current_app.instance_path) / PUBLIC
    return path.read_text(encoding="ascii").split() if path.exists() else []


def _extra(folder: Path) -> dict[str, bytes]:
    """The installation's own small files by their place in its folder."""
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for name in EXTRA
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }
    if not current_app.config["AUDIT_KEY_GIVEN"]:
        found["audit_key"] = (folder / "audit_key").read_bytes()
    return found
