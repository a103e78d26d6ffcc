"""`flask search rebuild`."""

from __future__ import annotations

from flask.cli import AppGroup, with_appcontext

from app.extensions import db
from app.services.search import rebuild

search_group = AppGroup("search", help="What the search box looks into.")


@search_group.command("rebuild")
@with_appcontext
def rebuild_command() -> None:
    """Make the words of all names anew, after rows came by another way than the panel."""
    words = rebuild(db.session())
    db.session.commit()
    print(f"words of names: {words}")
