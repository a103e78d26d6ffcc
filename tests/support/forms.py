"""A page's form as a browser would send it: every field with the value that it shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

Fields = dict[str, list[str]]


class PageForm(HTMLParser):
    """The form with an id or a class: `fields` as they would be sent, `buttons` as (name, value)."""

    def __init__(self, html: str, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.fields: Fields = {}
        self.buttons: list[tuple[str, str]] = []
        self._inside = False
        self._templates = 0  # what stands in a <template> is not sent
        self._area: str | None = None
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self.feed(html)

    @property
    def transitions(self) -> list[str]:
        """The keys of the transitions that have a button."""
        return [value for name, value in self.buttons if name == "transition" and value]

    def sent(self, **changes: Any) -> Fields:
        """What would be sent after some fields were changed (None takes a field out)."""
        fields = {name: list(values) for name, values in self.fields.items()}
        for name, value in changes.items():
            if value is None:
                fields.pop(name, None)
            else:
                fields[name] = value if isinstance(value, list) else [str(value)]
        return fields

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One opening tag."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = self.form_id in (given.get("id"), *given.get("class", "").split())
        self._templates += tag == "template"
        if not self._inside or self._templates:
            return
        name = given.get("name", "")
        if tag == "option" and self._select is not None:
            self._options.append((given.get("value", ""), "selected" in given))
        elif tag == "button" and name:
            self.buttons.append((name, given.get("value", "")))
        elif tag == "input" and name and "disabled" not in given:
            kind = given.get("type", "text")
            if "checked" in given if kind in ("radio", "checkbox") else kind != "file":
                self.fields.setdefault(name, []).append(given.get("value", "on"))
        elif tag == "textarea":
            self._area, self.fields[name] = name, [""]
        elif tag == "select":
            self._select, self._options = name, []

    def handle_data(self, data: str) -> None:
        """The text of a text area."""
        if self._area is not None:
            self.fields[self._area][0] += data

    def handle_endtag(self, tag: str) -> None:
        """One closing tag."""
        self._templates -= tag == "template"
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._area is not None:
            text = self.fields[self._area][0].replace("\r\n", "\n")
            self.fields[self._area] = [text.removeprefix("\n")]  # HTML drops the first line break
            self._area = None
        elif tag == "select" and self._select is not None:
            chosen = [value for value, selected in self._options if selected]
            first = [value for value, _selected in self._options[:1]]
            self.fields[self._select] = chosen or first
            self._select = None


def largest_form(page: str) -> dict[str, list[str]]:
    """The fields of a page's own form, beside the small ones of the frame."""
    names = set(re.findall(r'<form[^>]* (?:id|class)="([^"\s]+)', page))
    forms = [PageForm(page, name).sent() for name in names]
    fields = max(forms, key=len)
    fields.pop("csrf_token", None)
    return fields
