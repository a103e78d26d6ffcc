"""`flask papers`: copy a template into the office's folder, and try all of them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from app.services.papers import PAPERS, PaperError, render
from app.services.papers.engine import OWN
from app.services.papers.samples import SAMPLES

papers_group = AppGroup("papers", help="The templates of what the office prints.")


#: The mark of a signature is not among them: its wording is part of what is signed.
CHANGEABLE = sorted(part.name for part in OWN.glob("*.typ") if part.name != "stamp.typ")


@papers_group.command("check")
def check() -> None:
    """Draw every paper with made-up data and name every mistake."""
    folder = Path(current_app.config["PAPERS_PATH"])
    wrong = 0
    for paper, template in PAPERS.items():
        ours = "" if (folder / template).is_file() else " (as delivered)"
        try:
            render(paper, SAMPLES[paper], folder=folder)
        except PaperError as error:
            wrong += 1
            at = f", line {error.params['line']}" if "line" in error.params else ""
            what = error.params.get("message", "asks for a package from the internet")
            click.echo(f"{template}: {error.params['file']}{at}: {what}")
        else:
            click.echo(f"{template}: fine{ours}")
    sys.exit(1 if wrong else 0)


@papers_group.command("copy")
@click.argument("template", type=click.Choice(CHANGEABLE))
def copy(template: str) -> None:
    """Copy a template into the office's folder, to be changed there; one that is there stays."""
    folder = Path(current_app.config["PAPERS_PATH"])
    target = folder / template
    if target.exists():
        raise click.ClickException(f"{target} is there already.")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(OWN / template, target)
    click.echo(str(target))
