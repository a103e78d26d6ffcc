"""The menu: which screen stands where."""

from __future__ import annotations

from typing import Any

from app.sop.definition import Sop


def register(appbuilder: Any, sop: Sop) -> None:
    """Register every screen; menu names must be those of `seed_data/roles.toml`."""
