"""Every screen of the panel, registered under FAB's menus; the names are those of the roles file."""

from __future__ import annotations

from typing import Any

from app.sop.definition import Sop


def register_views(appbuilder: Any, sop: Sop) -> None:
    """Add the screens to FAB in the order of the menu."""
    from app.views import registry

    registry.register(appbuilder, sop)
