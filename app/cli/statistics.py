"""`flask stats …`: the roll-up that charts and reports are read from."""

from __future__ import annotations

import sys
from itertools import islice

import click
from flask.cli import AppGroup, with_appcontext

from app.extensions import db
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
