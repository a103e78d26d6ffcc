"""What the rows of small reference tables are called, remembered while they stay the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Region
from app.models.stamp import STAMPED
from app.remembered import remembered
from app.sop.text import language


def labels_of(model: type[Any]) -> Mapping[Any, str]:
    """The name of each row in the reader's language by its key, in the office's order."""
    at_hand: dict[Any, Mapping[Any, str]] = g.setdefault("labels", {})
    found = at_hand.get(model)
    if found is None:
        found = at_hand[model] = _labels(model)
    return found


def _labels(model: type[Any]) -> Mapping[Any, str]:
    def load(session: Session) -> dict[Any, str]:
        statement = select(model)
        order = getattr(model, "position", None)
        if order is not None:
            statement = statement.order_by(order)
        key = model.__mapper__.primary_key[0].key
        return {getattr(row, key): str(row) for row in session.scalars(statement)}

    if model.__tablename__ not in STAMPED:
        return load(db.session())
    return remembered(("labels", model.__tablename__, language.get()), load)


def kecamatan_choices() -> tuple[tuple[str, str], ...]:
    """The kecamatan of the office with their codes, by name."""

    def load(session: Session) -> tuple[tuple[str, str], ...]:
        rows = session.execute(
            select(Region.code, Region.name).where(Region.kind == "kecamatan").order_by(Region.name)
        )
        return tuple((code, name) for code, name in rows)

    return remembered("kecamatan", load)
