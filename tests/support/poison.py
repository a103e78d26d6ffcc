"""An office whose every free text was written by somebody who wants a page to do something.

Put into the database past all forms: what a form would have refused may come by an import, a seed
file or an older release, and no page may believe it either.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.models import Model
from app.models.sealed import Sealed

#: An address with a scheme, ends of a script, a tag and an attribute, a comment, a line separator
#: that ends a line of a script, and the arithmetic of the usual template engines.
POISON: Final = (
    '{scheme}:alert(1)//"\'--></script><b id="poison"><!--<script>\u2028'
    "p{{{{7*191}}}}p p${{7*191}}p p#{{7*191}}p p<%=7*191%>p p{{7*191}}p"
)
SCHEMES: Final = ("javascript", "data")
#: What an engine would have made of the arithmetic.
EVALUATED: Final = "p1337p"
#: Columns of words that the program itself writes and reads; whatever is not here is free text.
WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        "actor agent capacity certainty certificate check_code check_pin code code_hash error format"
        " file_key first_number from_step hint_regex key_hash kind language last_number legal_class"
        " locale mac media_type number occasion password public_id region_code registration_hash"
        " request_id result scopes secret sex sha256 signature_state stage state status storage_key"
        " to_step token_hash transition username value way worker",
    )
)
_TABLES_OF_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        "ab_api_key ab_group ab_permission ab_register_user ab_view_menu audit_event name_word"
        " seed_run sign_in_throttle sop_release stamp used_form_key",
    )
)
#: `pause.reason` and `step_run.transition` name a choice; so does a report's kind.
_CHOICES: Final = frozenset({("pause", "reason")})
_ADDRESSES: Final = frozenset(
    {"href", "src", "action", "formaction", "data", "srcdoc", "xlink:href", "poster", "cite"}
)
_DOES: Final = ("javascript:", "data:", "vbscript:", "file:", "blob:")


def poisoned_columns() -> list[sa.Column[Any]]:
    """Every column that holds what somebody typed."""
    return [
        column
        for table in Model.metadata.sorted_tables
        if table.name not in _TABLES_OF_WORDS
        for column in table.columns
        if isinstance(column.type, (sa.String, Sealed))
        and not (column.primary_key or column.foreign_keys or column.name in WORDS)
        and (table.name, column.name) not in _CHOICES
        and (isinstance(column.type, Sealed) or type(column.type) in (sa.String, sa.Text))
    ]


def poison(engine: Engine, scheme: str) -> None:
    """Write it into every row of every free text."""
    text = POISON.format(scheme=scheme)
    with engine.begin() as connection:
        for column in poisoned_columns():
            value: Any = text
            if column.unique or column.name == "tracking_number":
                table = column.table
                key = next(iter(table.primary_key.columns))
                value = sa.literal(text) + sa.cast(key, sa.String)
            connection.execute(column.table.update().values({column.name: value}))


class Page(HTMLParser):
    """What a browser would make of a page: `faults` that would do something, and its `data`."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.data: list[str] = []
        self._script: list[str] | None = None
        if EVALUATED in html:
            self.faults.append("an expression was evaluated")
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element: where it leads, and what it gives to scripts."""
        for name, value in attrs:
            if name in _ADDRESSES and does_something(value or ""):
                self.faults.append(f"<{tag} {name}={(value or '')[:60]!r}>")
            if name == "id" and value == "poison":
                self.faults.append("stored text became an element")
            if name.startswith("data-") and (value or "")[:1] in ("{", "["):
                self._read(f"<{tag} {name}>", value or "")
        if tag == "script":
            self._script = [] if dict(attrs).get("type") == "application/json" else None

    def handle_data(self, data: str) -> None:
        """Text; of a script, what stands in it."""
        if self._script is not None:
            self._script.append(data)

    def handle_endtag(self, tag: str) -> None:
        """A script of data ends: it must be whole, and nothing in it may end it early."""
        if tag == "script" and self._script is not None:
            text = "".join(self._script)
            self.faults += [
                f"{sign!r} in a script of data"
                for sign in ("<", "\u2028", "\u2029")
                if sign in text
            ]
            self._read("a script of data", text)
            self._script = None

    def _read(self, place: str, text: str) -> None:
        try:
            json.loads(text)
        except ValueError:
            if place.startswith("a script") or "alert(1)" in text:
                self.faults.append(f"{place} is cut off: {text[:60]!r}")
        else:
            self.data.append(text)


def does_something(address: str) -> bool:
    """Whether an address is one that a browser carries out, as browsers read it."""
    plain = "".join(letter for letter in address if letter > " ").lower()
    return plain.startswith(_DOES) and not plain.startswith("data:image/svg+xml,%3c")
