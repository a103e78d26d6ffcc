"""The smallest parts of a page, which stand on it by the dozen: an icon, a badge, a value, a fact.

A macro costs some ten times as much as a function. `aduan/ui.html` hands these on to page authors
under the names they have there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from flask import Flask, current_app
from flask_babel import gettext as _
from jinja2 import Undefined
from markupsafe import Markup, escape

from app.catalogues import catalogue_of_now, language_of_now
from app.remembered import kept

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


class _Words(dict[str, Markup]):
    """What messages of the program are called in one language, each looked up once."""

    def __init__(self, catalogue: Any) -> None:
        super().__init__()
        self._catalogue = catalogue

    def __missing__(self, message: str) -> Markup:
        # Catalogues are part of the program: their words are safe on a page.
        found = self[message] = Markup(self._catalogue.ugettext(message))  # noqa: S704
        return found


def words() -> Callable[[str], Markup]:
    """Says messages in the request's language, as templates do; for what draws many at once.

    Whoever calls it names it `_`, for messages are collected under that name.
    """
    found = kept(("words", language_of_now()), lambda: _Words(catalogue_of_now()))
    return found.__getitem__


def page_header(
    title: Any,
    subtitle: Any = None,
    back_url: str | None = None,
    back_label: Any = None,
    eyebrow: Any = None,
    caller: Callable[[], Any] | None = None,
    actions: Any = "",
) -> Markup:
    """The page's only h1 with what belongs to it; a call block holds buttons."""
    back = ""
    if back_url:
        draw: Any = current_app.jinja_env.globals["part_icon"]
        icon = draw("arrow-left", "icon-sm")
        said = escape(back_label or _("Back"))
        back = f'<a class="page-back" href="{escape(back_url)}">{icon}{said}</a>'
    above = f'<p class="page-eyebrow">{escape(eyebrow)}</p>' if eyebrow else ""
    below = f'<p class="page-subtitle">{escape(subtitle)}</p>' if subtitle else ""
    drawn = escape(caller() if caller is not None else actions)
    buttons = f'<div class="page-actions">{drawn}</div>' if drawn.strip() else ""
    return Markup(  # noqa: S704 - all pieces are markup or escaped
        f'<div class="page-header">\n  <div class="page-header-words">\n{back}{above}'
        f"    <h1>{escape(title)}</h1>\n{below}  </div>\n{buttons}</div>\n"
    )


def card(
    title: Any = None,
    subtitle: Any = None,
    id: str | None = None,
    level: int = 2,
    flush: bool = False,
    cls: str = "",
    tools: Any = None,
    caller: Callable[[], Any] | None = None,
    body: Any = "",
) -> Markup:
    """A card; a call block is its body, or what is handed in, which must be markup."""
    css = f"card{' card-flush' if flush else ''}{f' {escape(cls)}' if cls else ''}"
    safe = escape(id) if id else ""
    named = f' id="{safe}"' if id else ""
    head = label = ""
    if title:
        mark = ""
        if id:
            label, mark = f' aria-labelledby="{safe}-title"', f' id="{safe}-title"'
        below = f'<p class="card-subtitle">{escape(subtitle)}</p>' if subtitle else ""
        head = (
            f'<div class="card-head"><h{level} class="card-title"{mark}>{escape(title)}</h{level}>'
            f"{escape(tools or '')}{below}</div>"
        )
    inner = escape(caller() if caller is not None else body)
    return Markup(  # noqa: S704 - all pieces are markup or escaped
        f'<section class="{css}"{named}{label}>\n{head}  <div class="card-body">{inner}</div>\n</section>\n'
    )


def facts(
    pairs: Iterable[tuple[Any, Any]] = (),
    narrow: bool = False,
    caller: Callable[[], Any] | None = None,
) -> Markup:
    """A list of facts; a call block holds more of them."""
    drawn = "".join([fact(label, value) for label, value in pairs])
    more = escape(caller()) if caller is not None else ""
    css = "facts facts-narrow" if narrow else "facts"
    return Markup(f'<dl class="{css}">{drawn}{more}</dl>\n')  # noqa: S704


def share(used: float, standard: float, label: Any = None, tone: str | None = None) -> Markup:
    """Minutes used beside the standard: fine below 80 %, close up to 100 %, then late."""
    _ = words()
    percent = int(round(100 * used / standard, 0)) if standard else 0
    if not tone:
        near = "ok" if percent < 80 else "warn" if percent <= 100 else "late"
        tone = near if standard else "none"
    numbers = {"used": int(round(used, 0)), "standard": int(round(standard, 0))}
    said = _("%(used)s of %(standard)s min") if standard else _("%(used)s min")
    name = f"{escape(label)}: " if label else ""
    state = ""
    if standard:
        spoken = {
            "ok": _("within the standard"),
            "warn": _("close to the standard"),
            "late": _("over the standard"),
        }.get(tone, "")
        state = f'<span class="share-state">{percent}%<span class="sr-only"> {spoken}</span></span>'
    return Markup(  # noqa: S704 - all pieces are markup or numbers
        f'<div class="share share-{escape(tone)}">\n'
        f'  <div class="share-words"><span>{name}{said % numbers}</span>{state}</div>\n'
        f'  <div class="share-track" aria-hidden="true"><span class="share-bar w-{min(percent, 100)}"></span></div>\n'
        "</div>\n"
    )


def install(app: Flask, sprite: str) -> None:
    """Give them to this application's templates."""
    draw = icon_of(sprite)

    def badge(text: Any, tone: str = "neutral", icon: str | None = None) -> Markup:
        drawn = draw(icon, "icon-sm") if icon else ""
        return Markup(  # noqa: S704 - all pieces are markup or escaped
            f'<span class="badge badge-{escape(tone)}">{drawn}{escape(text)}</span>'
        )

    app.jinja_env.globals.update(
        part_icon=draw, part_badge=badge, part_value=shown, part_fact=fact, part_facts=facts,
        part_card=card, part_share=share, part_page_header=page_header,
    )  # fmt: skip
