"""`flask sop check`, `flask sop sync`, `flask sop bpmn`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from app.errors import error_sentence
from app.release import sync
from app.sop.bpmn import bpmn_of
from app.sop.definition import load_sop
from app.sop.errors import SopError, SopMistakes

sop_group = AppGroup("sop", help="The SOP as data.")


@sop_group.command("check")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def check(file: Path | None) -> None:
    """Compile the SOP file and list all its mistakes at once."""
    path = file or Path(current_app.config["SOP_FILE"])
    try:
        sop = load_sop(path)
    except SopMistakes as error:
        for mistake in error.mistakes:
            print(mistake, file=sys.stderr)
        print(f"{path.name}: {len(error.mistakes)} mistakes", file=sys.stderr)
        raise SystemExit(1) from None
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        raise SystemExit(1) from None
    print(
        f"{path.name}: {len(sop.steps)} steps, {len(sop.transitions)} transitions,"
        f" {sop.total_minutes} minutes"
    )


@sop_group.command("bpmn")
@with_appcontext
def bpmn_command() -> None:
    """Print the SOP as BPMN 2.0, for process-mining programs."""
    print(bpmn_of(current_app.extensions["sop"]), end="")


@sop_group.command("sync")
@with_appcontext
def sync_command() -> None:
    """Bring the database in line with the SOP file; again and again if you like."""
    try:
        report = sync(current_app.extensions["sop"])
    except SopError as error:
        print(error_sentence(error) if error.code != "seed_mistakes" else error, file=sys.stderr)
        raise SystemExit(1) from None
    steps, roles = report["steps"], report["roles"]
    if not steps.anything and not roles["granted"] and not any(report["reference"].values()):
        print("Nothing to do.")
        return
    for word, keys in (
        ("added", steps.added),
        ("changed", steps.changed),
        ("retired", steps.retired),
    ):
        if keys:
            print(f"steps {word}: {', '.join(keys)}")
    print(f"roles created: {roles['roles']}, permissions granted: {roles['granted']}")
