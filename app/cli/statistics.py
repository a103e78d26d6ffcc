"""`flask stats …`: the roll-up that charts and reports are read from, and a province's recapitulation."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import NoReturn

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from app.cli.audit import tell_log
from app.extensions import db
from app.models import Office
from app.services.audit import record
from app.services.province import (
    LEAST,
    ExportError,
    MergeError,
    SignedError,
    export_statistics,
    merge_statistics,
    new_key,
    public_of,
    sign,
    signed_body,
)
from app.services.statistics import check, rebuild
from app.services.statistics.rebuilding import lock

#: So many differences are named; the first ones say what is wrong.
MOST_NAMED = 20

stats_group = AppGroup("stats", help="The numbers behind charts and reports.")


@stats_group.command("rebuild")
@with_appcontext
def rebuild_command() -> None:
    """Count every case again, while the panel runs or not."""
    cells = rebuild(db.session())
    db.session.commit()
    print(f"cells counted: {cells}")


@stats_group.command("check")
@with_appcontext
def check_command() -> None:
    """Compare the kept numbers with all rows; ends with 1 when any differs. Changes nothing."""
    session = db.session()
    lock(session)
    found = list(islice(check(session), MOST_NAMED + 1))
    session.rollback()
    for difference in found[:MOST_NAMED]:
        key = " ".join(str(part) or "-" for part in difference.key)
        click.echo(f"{key}: kept {difference.kept}, counted {difference.counted}", err=True)
    if found:
        more = " and more" if len(found) > MOST_NAMED else ""
        print(f"cells that differ: {min(len(found), MOST_NAMED)}{more}", file=sys.stderr)
        raise SystemExit(1)
    print("The kept numbers equal the counted ones.")


# --- a province's recapitulation ------------------------------------------------------------------


@stats_group.command("key")
@with_appcontext
def key_command() -> None:
    """Print the public half of the key that this office's exports are signed with.

    The province is told it once, on paper or by telephone, before the first export is merged.
    """
    print(public_of(_key()))


@stats_group.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--office", "name", required=True, help="This office's name at the province: batang.")
@click.option("--from", "first", required=True, help="First month: 2026-01.")
@click.option("--to", "last", required=True, help="Last month; it must have ended.")
@click.option("--least", default=LEAST, show_default=True, help="The fewest cases in a sum.")
@with_appcontext
def export_command(target: Path, name: str, first: str, last: str, least: int) -> None:
    """Write this office's sums without persons, signed, for its province."""
    session = db.session()
    label = session.scalar(select(Office.name)) or name
    try:
        begin, end = (date.fromisoformat(f"{month}-01") for month in (first, last))
        found = export_statistics(session, name, label, begin, end, datetime.now(UTC), least=least)
        text = sign(found.body, _key())
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except (ExportError, ValueError, OSError) as error:
        _stop(error)
    finally:
        session.rollback()
    tell_log("exported", {"of": f"statistics {first} – {last}", "rows": len(found.body["cells"])})
    print(f"sums: {len(found.body['cells'])}, facts left out, fewer than {least}: {found.left_out}")


@stats_group.command("merge")
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--key", default="", help="The office's key, with its first export.")
@with_appcontext
def merge_command(sources: tuple[Path, ...], key: str) -> None:
    """Merge exports of offices into the charts of this province; a month again replaces itself."""
    session = db.session()
    for source in sources:
        try:
            body, public = signed_body(source.read_text(encoding="utf-8"))
            office = merge_statistics(session, body, public, trusted_key=key.strip())
            months = f"{body['first']} – {body['last']}"
            detail: dict[str, str | int | bool] = {"of": months, "rows": len(body["cells"])}
            record(
                session,
                "statistics_merged",
                actor_id=None,
                subject=f"office:{office}",
                detail=detail,
            )
        except (SignedError, MergeError, ValueError, OSError) as error:
            session.rollback()
            _stop(f"{source.name}: {error}")
        session.commit()
        print(f"{office}: merged {body['first']} to {body['last']}, {len(body['cells'])} sums")


def _key() -> str:
    """The key of this office's exports, made once beside its other keys."""
    path = Path(current_app.instance_path) / "statistics_key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(new_key())
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii").strip()


def _stop(error: object) -> NoReturn:
    print(f"aduan: {error}", file=sys.stderr)
    raise SystemExit(1)
