"""The reference screens: an entry that is right for each, and sending their forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Category, Channel, Courier, DocumentKind, Holiday, Region, WorkingHours

Login = Callable[[str], FlaskClient]
Data = dict[str, Any]

MODELS: dict[str, type[Any]] = {
    "document_kinds": DocumentKind,
    "categories": Category,
    "channels": Channel,
    "couriers": Courier,
    "regions": Region,
    "holidays": Holiday,
    "working_hours": WorkingHours,
}
#: A right entry of each screen.
RIGHT: dict[str, Data] = {
    "document_kinds": {
        "code": "surat_uji",
        "label_id": "Surat uji",
        "is_requirement": "y",
        "position": "5",
        "active": "y",
    },
    "categories": {
        "code": "UJI",
        "label_id": "Pengaduan uji",
        "legal_class": "complaint",
        "position": "5",
        "active": "y",
    },
    "channels": {"code": "radio", "label_id": "Radio", "position": "5", "active": "y"},
    "couriers": {
        "code": "antar",
        "name": "Antar Cepat",
        "hint_regex": r"^AC\d{8}$",
        "tracking_page": "https://antar.example/lacak",
        "position": "5",
        "active": "y",
    },
    "regions": {
        "code": "33.25.01.2099",
        "name": "Desa Uji",
        "kind": "desa",
        "parent_code": "33.25.01",
        "postal_code": "51253",
        "active": "y",
    },
    "holidays": {
        "day": "2026-08-18",
        "name": "Libur uji",
        "kind": "libur_daerah",
        "certainty": "tetap",
    },
    "working_hours": {
        "weekday": "5",
        "opens": "08:00",
        "closes": "12:00",
        "break_from": "",
        "break_to": "",
        "valid_from": "",
        "valid_to": "",
    },
}
#: What every text field of every screen refuses, and a word of the message.
BAD_TEXTS = (
    ("", ""),
    ("   ", ""),
    ("x" * 10_000, "Paling banyak"),
    ("a\x00b", "kendali"),
    ("surat \U0001f600", "Gambar"),
    ("a\u202eb", "kendali"),
)
#: The text that each screen cannot do without.
NEEDED = {
    "document_kinds": "label_id",
    "categories": "label_id",
    "channels": "label_id",
    "couriers": "name",
    "regions": "name",
    "holidays": "name",
}


def count(session: Session, model: type[Any]) -> int:
    """How many rows of a table there are now."""
    session.rollback()
    return session.scalar(select(func.count()).select_from(model)) or 0


def errors(page: str, field: str) -> str:
    """The messages beside a field."""
    found = re.search(rf'<ul class="field-errors" id="{field}-errors">(.*?)</ul>', page, re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", found[1])).strip() if found else ""


def add(post: Any, client: FlaskClient, screen: str, **changes: Any) -> Any:
    """Send the form of a new entry: a right one but for the changes (None leaves a field out)."""
    data = {**RIGHT[screen], "shown": "1", **changes}
    sent = {name: value for name, value in data.items() if value is not None}
    return post(client, f"/reference/{screen}/add", sent)


def edit(post: Any, client: FlaskClient, screen: str, pk: Any, data: Data) -> Any:
    """Send the form of an entry that is there."""
    return post(client, f"/reference/{screen}/edit/{pk}", {"shown": "1", **data})


def ids(session: Session, *found: str) -> list[str]:
    """Keys of document kinds, by their codes, as a form sends them."""
    rows = {kind.code: str(kind.id) for kind in session.scalars(select(DocumentKind))}
    return [rows[code] for code in found]
