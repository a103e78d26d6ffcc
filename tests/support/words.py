"""What a person reads on a page: its text and its spoken labels, without what is data."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

#: Attributes that are shown or read out.
SPOKEN: Final = (
    "title", "aria-label", "placeholder", "alt", "data-label", "data-confirm", "data-confirm-ok",
    "data-copied", "data-text", "data-show", "data-hide", "data-words", "data-none",
)  # fmt: skip
_VOID: Final = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "use"}
#: A scan, a script, and what somebody typed.
_SILENT: Final = {"script", "style", "textarea", "code"}


class PageWords(HTMLParser):
    """Collects `words`, and the `links` of a page; text in another `lang` than the page's is data.

    The office's SOP sheet and the names of the languages are marked that way.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.language = ""
        self._silent: list[tuple[str, bool]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element opens: it may be silent, with all that is in it."""
        found = dict(attrs)
        lang = found.get("lang") or ""
        if tag == "html":
            self.language = lang
        silent = tag in _SILENT or bool(lang and lang != self.language) or self._is_silent()
        if not silent:
            for name, value in found.items():
                if value and (name in SPOKEN or name.startswith("data-t-")):
                    self.words.append(value)
            if tag == "input" and found.get("type") == "submit":
                self.words.append(found.get("value") or "")
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if tag not in _VOID:
            self._silent.append((tag, silent))

    def handle_endtag(self, tag: str) -> None:
        """An element closes, and with it what was left open in it."""
        if any(open_tag == tag for open_tag, _silent in self._silent):
            while self._silent.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        text = " ".join(data.split())
        if text and not self._is_silent():
            self.words.append(text)

    def _is_silent(self) -> bool:
        return bool(self._silent and self._silent[-1][1])

    def with_words_of(self, foreign: frozenset[str]) -> list[str]:
        """The texts in which one of the words stands; a {placeholder} is none."""
        return [
            text
            for text in self.words
            if foreign & set(re.findall(r"(?<![{a-z])[a-z]+(?:-[a-z]+)?", text.lower()))
        ]
