"""Where a person can go: the menu of his permissions, and the way back, always on our host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, request, url_for
from flask_babel import gettext


@dataclass
class NavItem:
    """One line of the menu."""

    name: str
    label: str
    icon: str
    url: str
    active: bool = False
    badge: int | None = None
    children: list[NavItem] = field(default_factory=list)


def build_nav(permissions: frozenset[tuple[str, str]], active: str = "") -> list[NavItem]:
    """FAB's menu, cut to what the officer's roles open (`menu_access`), without any query.

    It depends on the permissions, the language and where the panel is mounted, nothing else.

    Args:
        active: the address of the entry that is marked as the present one, "" for none.
    """
    found: list[NavItem] = []
    for item in current_app.appbuilder.menu.get_list():  # type: ignore[attr-defined]
        if ("menu_access", item.name) not in permissions:
            continue
        children = [
            _leaf(child)
            for child in item.childs
            if child.name != "-" and ("menu_access", child.name) in permissions
        ]
        if item.childs and not children:
            continue
        found.append(_group(item, children) if item.childs else _leaf(item))
    for item in found:
        for leaf in item.children or [item]:
            leaf.active = bool(active) and leaf.url == active
        item.active = item.active or any(leaf.active for leaf in item.children)
    return found


def best_fit(places: Iterable[tuple[str, str]]) -> str:
    """The one address that fits the page best: the page itself, else the screen it is of.

    Args:
        places: each address of the menu with its path.
    """
    best, length, here = "", 0, request.path
    for url, path in places:
        fit = _fit(path, here)
        if fit > length:
            best, length = url, fit
    return best


def _fit(path: str, here: str) -> int:
    """How well a path fits the present page: the length of what they share, 0 for nothing."""
    if here == path:
        return 1000
    stem = path.removesuffix("list/").rstrip("/") + "/"
    return len(stem) if stem != "/" and here.startswith(stem) else 0


def _leaf(item: Any) -> NavItem:
    return NavItem(item.name, gettext(str(item.label)), item.icon or "", item.get_url())


def _group(item: Any, children: list[NavItem]) -> NavItem:
    return NavItem(item.name, gettext(str(item.label)), item.icon or "", "", children=children)


def safe_path(target: str | None) -> str | None:
    """A target on this host as a path, or None: whatever `next` or Referer say, we stay here."""
    if not target or any(ord(letter) < 32 for letter in target) or "\\" in target:
        return None
    parts = urlsplit(target)
    if parts.netloc and (parts.scheme not in ("http", "https") or parts.netloc != request.host):
        return None
    if parts.scheme and not parts.netloc:
        return None
    path = parts.path or "/"
    if not path.startswith("/") or path.startswith("//"):
        return None
    return path + (f"?{parts.query}" if parts.query else "")


def safe_back() -> str:
    """The page the person came from, when it is one of ours and not the failing one; else home."""
    came_from = safe_path(request.referrer)
    if came_from is None or (request.method == "GET" and came_from.split("?")[0] == request.path):
        return url_for("IndexView.index")
    return came_from
