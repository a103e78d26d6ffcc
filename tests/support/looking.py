"""Looking at a database and at a page from outside."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final

from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from app.models import Model

_HANDLER: Final = re.compile(r"on[a-z]+")
_LOADING: Final = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "embed": "src",
    "object": "data",
    "source": "src",
    "form": "action",
    "button": "formaction",
}


def dump(engine: Engine) -> dict[str, str]:
    """Every table as the number of its rows and a sum of all their values."""
    found: dict[str, str] = {}
    with engine.connect() as connection:
        for table in Model.metadata.sorted_tables:
            order = list(table.primary_key.columns) or list(table.columns)
            rows = connection.execute(select(table).order_by(*order)).all()
            digest = hashlib.sha256(repr(rows).encode()).hexdigest()[:12]
            found[table.name] = f"{len(rows)} rows, {digest}"
    return found


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables that are not as they were.

    But for the audit log: it tells of looks and refusals, too, and only ever grows (its triggers).
    """
    return [
        f"{name}: {before[name]} → {after[name]}"
        for name in before
        if before[name] != after[name] and name != "audit_event"
    ]


def besides_the_log(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The same but for the audit log: that somebody was refused is told there, and only there."""
    return [one for one in changes(before, after) if not one.startswith("audit_event:")]


@contextlib.contextmanager
def statements_with(engine: Engine, word: str) -> Iterator[list[str]]:
    """Collect the statements in whose text a word stands; as a parameter it may."""
    told: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if word in statement:
            told.append(statement[:500])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(engine, "before_cursor_execute", note)


class _Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: set[str] = set()
        self.language = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "html":
            self.language = values.get("lang") or ""
        for name, value in attrs:
            if name == "style":
                self.found.append(f"<{tag} style={value!r}>")
            if _HANDLER.fullmatch(name):
                self.found.append(f"<{tag} {name}=…>")
            if name == "href" and (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"<{tag} href={value!r}>")
        address = values.get(_LOADING.get(tag, ""), "") or ""
        if re.match(r"(https?:)?//", address):
            self.found.append(f"<{tag}> leads to {address}")
        data = values.get("type") == "application/json"
        if tag == "script" and "nonce" not in values and not values.get("src") and not data:
            self.found.append("<script> without a nonce")
        if tag == "style" and "nonce" not in values:
            self.found.append("<style>")
        if identity := values.get("id"):
            if identity in self.ids:
                self.found.append(f"id {identity} twice")
            self.ids.add(identity)


def page_faults(html: str) -> list[str]:
    """What our pages never hold: inline styles and handlers, foreign hosts, an id twice."""
    checker = _Checker()
    checker.feed(html)
    # A part of a page, fetched by a script, has the language of the page that it comes into.
    if "<html" in html.lower() and checker.language not in ("id", "en"):
        checker.found.append("no language")
    return checker.found
