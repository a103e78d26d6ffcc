"""What the rows of small reference tables are called, remembered while they stay the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session, make_transient_to_detached

from app.extensions import db
from app.models import Region
from app.models.stamp import STAMPED
from app.remembered import is_remembered, remembered
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


def shelf_at_hand() -> Callable[[type[Any]], Mapping[Any, Any]] | None:
    """`rows_of`, but not for the first page of a process or after a change of the office's data.

    That one reads rights, office and calendar as well, and joins what it needs.
    """
    return rows_of if is_remembered("office") else None


def rows_of(model: type[Any]) -> Mapping[Any, Any]:
    """The rows of a stamped reference table by key, shared by all: to be looked at, never changed.

    They belong to no session, so whatever they do not hold themselves is an error and no query.
    """
    at_hand: dict[Any, Mapping[Any, Any]] = g.setdefault("rows", {})
    found = at_hand.get(model)
    if found is None:
        found = at_hand[model] = remembered(
            ("rows", model.__tablename__), lambda session: _read_rows(session, model)
        )
    return found


def _read_rows(session: Session, model: type[Any]) -> dict[Any, Any]:
    if model.__tablename__ not in STAMPED:
        raise ValueError(f"{model.__tablename__} may change without anybody noticing")
    mapper = model.__mapper__
    names = [(attribute.key, attribute.columns[0].name) for attribute in mapper.column_attrs]
    found = {}
    for row in session.execute(select(model.__table__)).mappings():
        item = model(**{key: row[name] for key, name in names})
        make_transient_to_detached(item)
        found[getattr(item, mapper.primary_key[0].key)] = item
    return found


def kecamatan_choices() -> tuple[tuple[str, str], ...]:
    """The kecamatan of the office with their codes, by name."""

    def load(session: Session) -> tuple[tuple[str, str], ...]:
        rows = session.execute(
            select(Region.code, Region.name).where(Region.kind == "kecamatan").order_by(Region.name)
        )
        return tuple((code, name) for code, name in rows)

    return remembered("kecamatan", load)
