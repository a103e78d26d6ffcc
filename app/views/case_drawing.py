"""The parts of a case's page that stand on it for each event and each file, as markup.

Functions and not macros: they are drawn by the dozen. Templates know them by the names of
`aduan/case/parts.html`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask, current_app
from flask_babel import gettext as _
from jinja2 import Template
from markupsafe import Markup, escape

from app.catalogues import language_of_now
from app.models import Document
from app.remembered import kept
from app.views.addresses import address


def event_lists(entries: Iterable[Mapping[str, Any]]) -> Markup:
    """What hangs on an event: each list under its title."""
    return Markup("").join(
        Markup(
            '<div class="event-list"><p class="event-list-title">{}</p><ul>{}</ul></div>\n'
        ).format(entry["title"], Markup("").join(map(Markup("<li>{}</li>").format, entry["rows"])))
        for entry in entries
    )


def timeline(entries: Iterable[Mapping[str, Any]]) -> Markup:
    """What happened, as it stands in `case_history`."""
    icon = _icon()
    found = []
    for item in entries:
        more = []
        if way := item["way"]:
            if item["round"] > 1:
                words = _("Round %(number)s", number=item["round"])
                way = f"{way} · {words}"
            more.append(f'<p class="timeline-way">{escape(way)}</p>')
        if item["text"]:
            more.append(f'<p class="timeline-text">{escape(item["text"])}</p>')
        if item["lists"]:
            more.append(event_lists(item["lists"]))
        if item["meta"]:
            pairs = (
                f"<div><dt>{escape(label)}:</dt><dd>{escape(value)}</dd></div>"
                for label, value in item["meta"]
            )
            more.append(f'<dl class="timeline-meta">{"".join(pairs)}</dl>')
        found.append(
            f'<li class="timeline-{item["tone"]}"><span class="timeline-dot">{icon(item["icon"])}</span>'
            f'<p class="timeline-head"><span class="timeline-title">{escape(item["title"])}</span>'
            f'<time class="timeline-time" datetime="{item["datetime"]}">{item["time"]}</time></p>'
            f"{''.join(more)}</li>\n"
        )
    # Tones, icons and times are words of ours, all else is escaped.
    return Markup(f'<ol class="timeline">\n{"".join(found)}</ol>')  # noqa: S704


def lane(page: Any) -> Markup:
    """The strip of the SOP's steps; cases that have come as far share it."""

    def make() -> Markup:
        items = page.lane
        strip: Markup = _template("aduan/ui.html").module.steps(items, _("Steps of the SOP"))  # type: ignore[attr-defined]
        caption = Markup(
            '<p class="lane-caption" aria-hidden="true"><strong>{}</strong>'
            ' <span class="muted">{}</span></p>'
        )
        here = [item for item in items if item["state"] in ("current", "halted")]
        return strip + Markup("\n").join(
            ["", *(caption.format(item["label"], item["text"]) for item in here)]
        )

    return kept(("lane", language_of_now(), *page.lane_mark), make)


def preview_dialog() -> Markup:
    """What opens a file over the page, the same on every page."""

    def make() -> Markup:
        return Markup(_template("aduan/preview_dialog.html").render())  # noqa: S704

    return kept(("preview dialog", language_of_now()), make)


def _template(name: str) -> Template:
    return current_app.jinja_env.get_template(name)


def preview(document: Document, page: int = 1) -> Markup:
    """What opens a file over the page, as attributes of its link."""
    kind = "image" if document.media_type.startswith("image/") else "pdf"
    drawn = f' data-file-preview="{kind}" data-file-name="{escape(document.original_name)}"'
    if document.media_type == "application/pdf":
        drawn += f' data-file-page="{page:d}" data-file-pages="{escape(document.pages or "")}"'
    return Markup(drawn)  # noqa: S704


def thumb(document: Document, allowed: bool = True) -> Markup:
    """A file as a picture that opens it, or its sign for who may not."""
    if not allowed:
        sign = "image" if document.media_type.startswith("image/") else "file-text"
        return Markup(f'<div class="file-thumb">{_icon()(sign, "icon-xl")}</div>')  # noqa: S704
    picture = address("DocumentView.preview", "public_id", document.public_id, page=1, size="small")
    return Markup(  # noqa: S704
        f'<a class="file-thumb" href="{_file(document)}" target="_blank" rel="noopener" tabindex="-1"'
        f' aria-hidden="true"{preview(document)}>'
        f'<img src="{escape(picture)}" alt="" loading="lazy" width="240" height="128"></a>'
    )


def file_name(document: Document, allowed: bool = True) -> Markup:
    """The name of a file as a link that opens it."""
    name = escape(document.original_name)
    if not allowed:
        return Markup(f'<span class="file-name">{name}</span>')  # noqa: S704
    return Markup(  # noqa: S704
        f'<a class="file-name" href="{_file(document)}" target="_blank" rel="noopener"'
        f"{preview(document)}>{name}</a>"
    )


def _file(document: Document) -> Markup:
    return escape(address("DocumentView.file", "public_id", document.public_id))


def _icon() -> Any:
    return current_app.jinja_env.globals["part_icon"]


def install(app: Flask) -> None:
    """Give them to this application's templates."""
    app.jinja_env.globals.update(
        case_event_lists=event_lists,
        case_timeline=timeline,
        case_lane=lane,
        preview_dialog=preview_dialog,
        case_preview=preview,
        case_thumb=thumb,
        case_file_name=file_name,
    )
