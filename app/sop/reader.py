"""A strict reader of data files: typed values out of tables, and every mistake noted.

A data file is compiled like code: a reader never stops at the first mistake; it notes
it, hands out a harmless value and goes on. What was never asked for is a typo.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from app.sop.errors import Mistake
from app.sop.text import Text

#: Where something stands in the file: table, item, item within the item.
Place = tuple[int, ...]

_KEY: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that `word` resembles, or nothing."""
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


class Book:
    """One data file being read: gives out its tables and collects its mistakes."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._order = {key: index for index, key in enumerate(data)}
        self._found: list[tuple[Place, Mistake]] = []
        self._tables: list[Table] = []

    def at(self, key: str, *within: int) -> Place:
        """The place of a top-level key, or of an item within it; absent keys come last."""
        return (self._order.get(key, len(self._order)), *within)

    def add(self, place: Place, where: str, message: str) -> None:
        """Note a mistake."""
        self._found.append((place, Mistake(where, message)))

    def table(self, raw: object, where: str, place: Place) -> Table:
        """Read `raw` as a table; anything else is a mistake and reads as an empty one."""
        table = Table(self, raw, where, place)
        self._tables.append(table)
        return table

    def keyed(self, parent: Table, name: str, *, needed: bool = True) -> list[tuple[str, Table]]:
        """Read the `[[name]]` tables of `parent`, each with its own distinct key.

        An item whose key is missing or unusable still comes, under a stand-in key, so that
        the rest of it is checked too.
        """
        raw = parent.take(name, [])
        prefix = parent.place or self.at(name)
        lead = f"{parent.where}, " if parent.place else ""
        if not isinstance(raw, list):
            self.add(prefix, f"{lead}{name}", f"must be written as [[{name}]] tables")
            raw = []
        if needed and not raw:
            self.add(prefix, parent.where, f"has no [[{name}]]")
        items: list[tuple[str, Table]] = []
        seen: set[str] = set()
        for index, item in enumerate(raw):
            key = item.get("key") if isinstance(item, dict) else None
            shown = key if isinstance(key, str) and key else f"number {index + 1}"
            table = self.table(item, f"{lead}{name.replace('_', ' ')} {shown}", (*prefix, index))
            key = table.string("key", needed=True)
            if key and not _KEY.fullmatch(key):
                table.wrong(f"key {key!r} must be lowercase letters, digits and underscores")
            if key in seen:
                table.wrong(f"key {key} is used twice")
            seen.add(key or shown)
            items.append((key or shown, table))
        return items

    def finish(self) -> None:
        """Report every key that nobody asked for."""
        for table in self._tables:
            table.finish()

    @property
    def mistakes(self) -> list[Mistake]:
        """All mistakes, in the order of the file."""
        return [mistake for _, mistake in sorted(self._found, key=lambda found: found[0])]


class Table:
    """One table of a data file; every method notes a value of the wrong type."""

    def __init__(self, book: Book, raw: object, where: str, place: Place) -> None:
        self.book, self.where, self.place = book, where, place
        self._asked: set[str] = set()
        self._raw: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        if not isinstance(raw, Mapping):
            self.wrong("must be a table")

    def __contains__(self, key: str) -> bool:
        return key in self._raw

    def wrong(self, message: str) -> None:
        """Note a mistake in this table."""
        self.book.add(self.place, self.where, message)

    def take(self, key: str, default: object) -> Any:
        """The raw value of a key."""
        self._asked.add(key)
        return self._raw.get(key, default)

    def string(self, key: str, *, needed: bool = False) -> str:
        """A line of text, "" when absent; `needed` asks for one that is not blank."""
        value = self.take(key, "")
        if not isinstance(value, str):
            self.wrong(f"{key} must be text")
            return ""
        if needed and not value.strip():
            self.wrong(f"{key} is missing")
        return value.strip()

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of lines of text, empty when absent."""
        value = self.take(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            self.wrong(f"{key} must be a list of texts")
            return ()
        return tuple(value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """true or false."""
        value = self.take(key, default)
        if not isinstance(value, bool):
            self.wrong(f"{key} must be true or false")
            return default
        return value

    def whole(self, key: str) -> int | None:
        """A positive whole number, None when absent."""
        value = self.take(key, None)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.wrong(f"{key} must be a positive whole number")
            return 1  # harmless: something was there
        return value

    def choice(self, key: str, allowed: Iterable[str], default: str) -> str:
        """One of the allowed words."""
        value = self.take(key, default)
        options = list(allowed)
        if value not in options:
            hint = did_you_mean(str(value), options)
            self.wrong(f"unknown {key} {value!r}: it is one of {', '.join(options)}{hint}")
            return default
        return str(value)

    def text(self, key: str) -> Text:
        """A label in both languages."""
        value = self.take(key, None)
        if not isinstance(value, Mapping):
            self.wrong(f"{key} is missing: it is written {{ id = ..., en = ... }}")
            return Text("", "")
        words = {}
        for code in ("id", "en"):
            word = value.get(code, "")
            if not isinstance(word, str) or not word.strip():
                self.wrong(f"{key} has no {code}")
                word = ""
            words[code] = word.strip()
        for extra in value.keys() - words.keys():
            self.wrong(f"{key} has an unknown language {extra}")
        return Text(**words)

    def finish(self) -> None:
        """Report the keys that nobody asked for."""
        for key in self._raw:
            if key not in self._asked:
                self.wrong(f"unknown key {key}{did_you_mean(key, self._asked)}")
