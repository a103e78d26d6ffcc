"""Every form of a page as a browser knows it: where it goes, its fields with their kinds, its buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

#: A request's form: names with their values, in the page's order.
Sent = list[tuple[str, str]]
TYPED = frozenset(
    {"text", "textarea", "search", "email", "tel", "url", "number", "date", "time",
     "datetime-local", "month"}
)  # fmt: skip


@dataclass
class WebField:
    """One control of a form."""

    name: str
    kind: str
    value: str = ""
    #: Whether it would be sent as the page is.
    sent: bool = True
    options: list[str] = field(default_factory=list)


@dataclass
class WebForm:
    """A form of a page."""

    page: str
    action: str
    method: str
    multipart: bool
    fields: list[WebField] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)

    def sent(self) -> Sent:
        """What a browser would send if somebody pressed the button at once."""
        return [(one.name, one.value) for one in self.fields if one.sent and one.kind != "file"]

    @property
    def files(self) -> list[str]:
        """The names of its fields for files."""
        return [one.name for one in self.fields if one.kind == "file"]

    def has(self, *names: str) -> bool:
        """Whether it has fields of these names."""
        return set(names) <= {one.name for one in self.fields}


class _Forms(HTMLParser):
    def __init__(self, page: str, html: str) -> None:
        super().__init__()
        self.page, self.forms = page, list[WebForm]()
        self.by_id: dict[str, WebForm] = {}
        self.stray: list[tuple[str, WebField]] = []
        self._form: WebForm | None = None
        self._templates = 0
        self._area: WebField | None = None
        self._select: WebField | None = None
        self.feed(html)
        for form_id, control in self.stray:
            if form_id in self.by_id:
                self.by_id[form_id].fields.append(control)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._templates += tag == "template"
        if self._templates:
            return
        if tag == "form":
            action = urljoin(self.page, given.get("action") or self.page)
            multipart = given.get("enctype", "") == "multipart/form-data"
            method = given.get("method", "get").upper()
            self._form = WebForm(self.page, action, method, multipart)
            self.forms.append(self._form)
            if "id" in given:
                self.by_id[given["id"]] = self._form
        elif tag == "input":
            self._input(given)
        elif tag == "button" and self._form is not None:
            pressed = (given.get("name", ""), given.get("value", ""), given.get("formaction", ""))
            self._form.buttons.append(pressed)
        elif tag == "textarea":
            self._area = WebField(given.get("name", ""), "textarea")
            self._add(given, self._area)
        elif tag == "select":
            kind = "select-multiple" if "multiple" in given else "select"
            self._select = WebField(given.get("name", ""), kind, sent="multiple" not in given)
            self._add(given, self._select)
        elif tag == "option" and self._select is not None:
            self._option(given)

    def _input(self, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        ticked = kind not in ("radio", "checkbox") or "checked" in given
        value = given.get("value", "on" if kind in ("radio", "checkbox") else "")
        if kind not in ("submit", "button", "reset", "image"):
            self._add(given, WebField(given.get("name", ""), kind, value, ticked))

    def _option(self, given: dict[str, str]) -> None:
        assert self._select is not None
        value = given.get("value", "")
        first = not self._select.options
        self._select.options.append(value)
        if "selected" in given or (first and self._select.kind == "select"):
            self._select.value, self._select.sent = value, True

    def _add(self, given: dict[str, str], control: WebField) -> None:
        if not control.name or "disabled" in given:
            return
        if "form" in given:
            self.stray.append((given["form"], control))
        elif self._form is not None:
            self._form.fields.append(control)

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.value += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._templates -= 1
        elif tag == "form":
            self._form = None
        elif tag == "textarea" and self._area is not None:
            self._area.value = self._area.value.replace("\r\n", "\n").removeprefix("\n")
            self._area = None
        elif tag == "select":
            self._select = None


def forms_of(page: str, html: str) -> list[WebForm]:
    """The forms of a page at an address."""
    return _Forms(page, html).forms
