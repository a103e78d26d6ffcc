"""The menu: which screen stands where, under the names of `seed_data/roles.toml`."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.sop.definition import Sop
from app.views.complaint import make_complaint_view

#: The order of the menu's first level, whatever the order of registration.
ORDER = (
    "Queue", "Register", "Complaints", "Documents", "Dispatches", "SOP", "Charts", "Reference",
    "Administration",
)


def register(appbuilder: Any, sop: Sop) -> None:
    """Register every screen; menu names must be those of `seed_data/roles.toml`."""
    appbuilder.add_view(
        make_complaint_view(sop), "Complaints", label=_l("Complaints"), icon="clipboard-list"
    )
    appbuilder.add_link(
        "Register", href="ComplaintView.add", label=_l("Register a complaint"), icon="file-plus"
    )
    appbuilder.menu.menu.sort(key=_place)


def _place(item: Any) -> int:
    return ORDER.index(item.name) if item.name in ORDER else len(ORDER)
