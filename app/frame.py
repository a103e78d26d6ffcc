"""The frame around every page: top bar, menu, footer and dialogs, drawn once for the same reader.

It depends on what stands in the keys below and on nothing else. The CSRF token is of one session:
the kept text has a gap where it goes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

from flask import current_app, g, render_template, request, session
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import current_permissions, role_names
from app.catalogues import language_of_now
from app.gaps import Gapped, new_gap
from app.models import Office
from app.navigation import NavItem, best_fit, build_nav
from app.remembered import kept, remembered
from app.sign_in import limits, news

#: Stands in kept text where the token of the session goes; nobody can guess it and put it in.
_GAP: Final = f"csrf-{secrets.token_hex(16)}"
_GAPS: Final = tuple(
    map(new_gap, ("title", "body", "token", "nonce", "lasting", "news", "flashes"))
)
_TITLE, _BODY, _TOKEN, _NONCE, _LASTING, _NEWS, _FLASHES = _GAPS
#: Whole frames that are kept: one for each reader and screen.
_MOST: Final = 300


def office_identity() -> dict[str, str]:
    """Name of the office for the frame of the page."""

    def load(session: Session) -> dict[str, str]:
        row = session.execute(select(Office.name, Office.government)).first()
        return {"name": row[0] if row else "", "regency": row[1] if row else ""}

    return remembered("office", load)


def theme_of_now() -> str:
    """The theme that the browser asks for."""
    theme = request.cookies.get("theme", "auto")
    return theme if theme in ("auto", "light", "dark") else "auto"


class Frame:
    """The parts of the frame for who asks, each drawn when a template wants it."""

    def __init__(self) -> None:
        self._menu = not g.get("no_nav") and bool(current_user.is_authenticated)
        office = office_identity()
        self._base = (language_of_now(), request.script_root, theme_of_now(), *office.items())

    @property
    def key(self) -> tuple[Any, ...]:
        """All that the frame depends on but what is of one request."""
        return (self._base, self.has_menu, best_fit(self._places), *self._who)

    @cached_property
    def has_menu(self) -> bool:
        """Whether there is anything to go to."""
        return bool(self._places)

    @property
    def top(self) -> Markup:
        """The bar above the page."""
        return self._part("top", (self.has_menu, *self._who))

    @property
    def side(self) -> Markup:
        """The menu, the present page marked in it."""
        if not self.has_menu:
            return Markup("")
        return self._part("side", (current_permissions(), best_fit(self._places)), self._marked)

    @property
    def foot(self) -> Markup:
        """The footer of the page."""
        return self._part("foot", (self.has_menu,))

    @property
    def dialogs(self) -> Markup:
        """What scripts open over any page."""
        return self._part("dialogs", ())

    @property
    def words(self) -> Markup:
        """The words that scripts say, as attributes of the page's body."""
        return self._part("words", ())

    @property
    def lasting(self) -> Markup:
        """How long the session lasts from now on, for the warning before its end."""
        here = g.get("sign_in")
        if here is None or not current_user.is_authenticated:
            return Markup("")
        left = int(here.left(limits(), g.now).total_seconds())
        idle = int(limits().idle.total_seconds())
        left = min(left, idle) if g.get("seen") is None else idle
        who = escape(current_user.get_id())
        return Markup(f' data-left="{left}" data-idle="{idle}" data-who="{who}"')  # noqa: S704

    @property
    def news(self) -> Markup:
        """What its owner has to know of his account: a sign-in from a device that was not known."""
        row = news() if current_user.is_authenticated else None
        if row is None:
            return Markup("")
        return Markup(render_template("aduan/frame/news.html", row=row))  # noqa: S704

    @property
    def _who(self) -> tuple[Any, ...]:
        user = current_user._get_current_object()
        if not user.is_authenticated:
            return ()
        names = (user.first_name, user.last_name, user.username, *role_names())
        return (current_permissions(), *names)

    @cached_property
    def _places(self) -> tuple[tuple[str, str], ...]:
        """Where the menu of the reader leads."""
        if not self._menu:
            return ()
        permissions = current_permissions()

        def make() -> tuple[tuple[str, str], ...]:
            urls = [
                leaf.url for item in build_nav(permissions) for leaf in (item.children or [item])
            ]
            return tuple((url, urlsplit(url).path) for url in urls)

        return kept(("places", self._base[:2], permissions), make)

    def _marked(self) -> list[NavItem]:
        return build_nav(current_permissions(), best_fit(self._places))

    def _part(
        self, name: str, key: tuple[Any, ...], nav: Callable[[], list[NavItem]] | None = None
    ) -> Markup:
        def make() -> tuple[str, ...]:
            text = render_template(
                f"aduan/frame/{name}.html",
                nav=nav() if nav else [True] * self.has_menu,
                csrf_token=lambda: _GAP,
                appbuilder=current_app.extensions["appbuilder"],
            )
            return tuple(text.split(_GAP))

        parts = kept((name, self._base, key), make)
        return Markup(parts[0] if len(parts) == 1 else generate_csrf().join(parts))  # noqa: S704


class _Outline(Frame):
    """The frame with gaps for what is of one request."""

    lasting = property(lambda self: Markup(_LASTING))  # noqa: S704
    news = property(lambda self: Markup(_NEWS))  # noqa: S704


def framed(title: Any, body: Markup, scripts: tuple[str, ...] = ()) -> Markup:
    """A whole page: this body in its frame, which is drawn once for the same reader and screen.

    For a page whose template would say nothing of `aduan/base.html` but the title and the content,
    and which scripts of ours it needs besides.
    """
    frame = Frame()

    def draw() -> Gapped:
        text = render_template(
            "aduan/framed.html",
            title=_TITLE,
            body=_BODY,
            flashes=_FLASHES,
            scripts=scripts,
            frame=_Outline(),
            csrf_token=lambda: _TOKEN,
            csp_nonce=lambda: _NONCE,
        )
        return Gapped.cut(text.replace(generate_csrf(), _TOKEN), _GAPS)

    jinja = current_app.jinja_env
    nonce: Any = jinja.globals["csp_nonce"]
    flashes = jinja.get_template("appbuilder/flash.html").render() if "_flashes" in session else ""
    drawn = kept((frame.key, scripts), draw, "frames", _MOST)
    return drawn.filled(
        {
            _TITLE: escape(title),
            _BODY: body,
            _TOKEN: escape(generate_csrf()),
            _NONCE: nonce(),
            _LASTING: frame.lasting,
            _NEWS: frame.news,
            _FLASHES: flashes,
        }
    )
