"""The smallest parts of a page, which stand on it by the dozen: an icon, a badge, a value, a fact.

A macro costs some ten times as much as a function. `aduan/ui.html` hands these on to page authors
under the names they have there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from flask import Flask
from flask_babel import gettext as _
from jinja2 import Undefined
from markupsafe import Markup, escape

#: FAB's own menu and actions carry Font Awesome names; the ones it uses have an icon of ours.
_FONT_AWESOME: Final = {
    "fa-users": "users", "fa-user": "user", "fa-group": "users", "fa-user-plus": "user-plus",
    "fa-cogs": "settings", "fa-cog": "settings", "fa-lock": "lock", "fa-key": "key-round",
    "fa-edit": "pencil", "fa-pencil": "pencil", "fa-trash": "trash-2", "fa-rocket": "trash-2",
    "fa-search": "search", "fa-plus": "plus", "fa-table": "list", "fa-envelope": "mail",
    "fa-bar-chart-o": "chart-column", "fa-dashboard": "chart-column", "fa-list": "list",
    "fa-chain-broken": "shield", "fa-user-secret": "shield-check", "fa-sign-out": "log-out",
}  # fmt: skip
_NOTHING: Final = Markup('<span class="none">–</span>')
_COMMA: Final = Markup(", ")


def icon_of(sprite: str) -> Callable[..., Markup]:
    """Draw icons of a sprite.

    Args:
        sprite: address of the file that holds them.
    """

    @lru_cache(maxsize=1000)
    def icon(name: str | None, class_: str = "") -> Markup:
        if not name:
            return Markup("")
        key = _FONT_AWESOME.get(name, "circle-dot") if name.startswith("fa-") else name
        css = f"icon {class_}" if class_ else "icon"
        return Markup(
            '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>'
        ).format(css, sprite, key)

    return icon


def shown(v: Any) -> Markup:
    """What a page shows of a value: a dash for nothing, Ya or Tidak, lists with commas."""
    if v is None or isinstance(v, Undefined):
        return _NOTHING
    if isinstance(v, bool):
        return escape(_("Yes") if v else _("No"))
    if isinstance(v, str):
        return escape(v) if v.strip() not in ("", "–") else _NOTHING
    if isinstance(v, Mapping):
        return _COMMA.join(f"{key}: {item}" for key, item in v.items()) or _NOTHING
    if isinstance(v, Iterable):
        return _COMMA.join(v) or _NOTHING
    return escape(v)


def fact(
    label: Any,
    value: Any = None,
    caller: Callable[[], Any] | None = None,
) -> Markup:
    """One pair of a list of facts; a call block is markup as its value."""
    words = escape(caller()) if caller is not None else shown(value)
    # All three pieces are markup or escaped.
    return Markup(f"<div><dt>{escape(label)}</dt><dd>{words}</dd></div>")  # noqa: S704


def install(app: Flask, sprite: str) -> None:
    """Give them to this application's templates."""
    draw = icon_of(sprite)

    def badge(text: Any, tone: str = "neutral", icon: str | None = None) -> Markup:
        drawn = draw(icon, "icon-sm") if icon else ""
        return Markup(  # noqa: S704 - all pieces are markup or escaped
            f'<span class="badge badge-{escape(tone)}">{drawn}{escape(text)}</span>'
        )

    app.jinja_env.globals.update(part_icon=draw, part_badge=badge, part_value=shown, part_fact=fact)
