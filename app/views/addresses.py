"""Addresses of pages from a pattern: the router is asked once for each kind, not once for each row."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from flask import request, url_for

from app.remembered import kept

#: Stands in the pattern where the key goes.
_GAP: Final = "0key0"


def address(endpoint: str, name: str, key: int | str, **values: Any) -> str:
    """The address of what has this key; not escaped.

    Args:
        name: of the key in the address.
        values: what is the same for all keys.
    """
    before, after = kept(
        ("address", endpoint, name, request.script_root, *values.items()),
        lambda: url_for(endpoint, **{name: _GAP}, **values).split(_GAP),
    )
    return f"{before}{key if isinstance(key, int) else quote(key, safe='')}{after}"


def place(endpoint: str) -> str:
    """The address of a page that is there once."""
    return kept(("address", endpoint, request.script_root), lambda: url_for(endpoint))
