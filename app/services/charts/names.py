"""What the office calls its channels, papers, couriers and steps, for numbers that only know their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.services.casefile import Shelf


def named(session: Session, model: type[Any], shelf: Shelf | None) -> Mapping[Any, Any]:
    """The rows of a small table by key: off the shelf of who has one, else by a statement."""
    if shelf is not None:
        return shelf(model)
    key = model.__mapper__.primary_key[0].key
    return {getattr(row, key): row for row in session.scalars(select(model))}
