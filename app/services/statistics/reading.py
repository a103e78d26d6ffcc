"""Numbers for a period and a sort of cases, from the fewest cells that cover it.

Cells are kept for all cases and for each channel, category and kecamatan by itself. A question
about two of them at once is answered from the rows, by the same rules: it concerns few cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import String, cast, literal, select, union_all
from sqlalchemy.orm import Session

from app.models import Category, Channel, Region, StatCell
from app.services.statistics.cells import merge, without_zeros
from app.services.statistics.counting import facts
from app.services.statistics.facts import Counts, Fact
from app.services.statistics.scope import (
    Scope,
    Stretch,
    cover,
    end_of,
    start_of,
    stretches_by,
)

ByItem = dict[str, Counts]


def read(session: Session, series: str, scope: Scope) -> ByItem:
    """The numbers of a series by item, for the whole period; one statement."""
    if len(scope.dims) > 1:
        return _by(_rows_facts(session, series, scope), lambda fact: "").get("", {})
    found: dict[str, ByItem] = {}
    for _value, item, _start, counts in _cells(session, series, scope, cover_of(scope)):
        merge(found.setdefault("", {}).setdefault(item, {}), counts)
    return _clean(found).get("", {})


def read_by(session: Session, series: str, scope: Scope, grain: str) -> dict[date, ByItem]:
    """The same for each day, week or month by the first day of each, in order; one statement.

    The first and the last one hold only what lies in the period. Stretches without any fact are
    there too, empty.
    """
    pieces = list(stretches_by(grain, scope.first, scope.last))
    found: dict[date, ByItem] = {start: {} for start in _starts(grain, scope)}
    if len(scope.dims) > 1:
        made = _by(_rows_facts(session, series, scope), lambda fact: start_of(grain, fact.day))
        return found | made
    rows = _cells(session, series, scope, (piece for _start, piece in pieces))
    for _value, item, start, counts in rows:
        merge(found[start_of(grain, start)].setdefault(item, {}), counts)
    return _clean(found)


def read_split(session: Session, series: str, scope: Scope, dim: str) -> dict[str, ByItem]:
    """The same for each channel, category or kecamatan ("" where a case names none)."""
    if set(scope.dims) - {dim}:
        return _by(_rows_facts(session, series, scope), lambda fact: fact.dims.value(dim))
    found: dict[str, ByItem] = {}
    for value, item, _start, counts in _cells(session, series, scope, cover_of(scope), split=dim):
        merge(found.setdefault(value, {}).setdefault(item, {}), counts)
    return _clean(found)


def cover_of(scope: Scope) -> Iterator[Stretch]:
    """The cells that cover the scope's period."""
    return cover(scope.first, scope.last)


def statement_for(series: str, scope: Scope, stretches: Iterable[Stretch], split: str = "") -> Any:
    """The cells of a scope with at most one sort of cases, one stretch of the index each."""
    chosen = scope.dims
    dim = split or next(iter(chosen), "")
    parts: list[Any] = []
    for piece in stretches:
        part = select(StatCell.value, StatCell.item, StatCell.start, StatCell.counts).where(
            StatCell.series == series,
            StatCell.dim == dim,
            StatCell.grain == piece.grain,
            StatCell.start.between(piece.first, piece.last),
        )
        if dim in chosen:
            part = part.where(StatCell.value == chosen[dim])
        elif dim:
            part = part.where(StatCell.value.in_(_values(dim)))
        else:
            part = part.where(StatCell.value == "")
        if scope.step_key is not None and series == "run":
            part = part.where(StatCell.item == scope.step_key)
        parts.append(part)
    return parts[0] if len(parts) == 1 else union_all(*parts)


def _values(dim: str) -> Any:
    """Every value a dimension can have: with them each is one stretch of the index."""
    if dim == "kecamatan":
        named = select(Region.code).where(Region.kind == "kecamatan")
        return named.union_all(select(literal("")))
    model = Channel if dim == "channel" else Category
    return select(cast(model.id, String))


def _cells(
    session: Session, series: str, scope: Scope, stretches: Iterable[Stretch], split: str = ""
) -> Iterator[tuple[str, str, date, Counts]]:
    pieces = list(stretches)
    if not pieces:
        return
    statement = statement_for(series, scope, pieces, split)
    for row in session.execute(statement):
        yield row[0], row[1], row[2], row[3]


def _rows_facts(session: Session, series: str, scope: Scope) -> Iterator[Fact]:
    for fact in facts(session, series, scope=scope):
        if scope.step_key is None or series != "run" or fact.item == scope.step_key:
            yield fact


def _by(found: Iterable[Fact], key: Callable[[Fact], Any]) -> dict[Any, ByItem]:
    groups: dict[Any, ByItem] = {}
    for fact in found:
        merge(groups.setdefault(key(fact), {}).setdefault(fact.item, {}), fact.counts)
    return groups


def _clean(found: dict[Any, ByItem]) -> dict[Any, ByItem]:
    """Without numbers that cancelled out, and without items that thereby have none."""
    cleaned = {
        key: {item: without_zeros(counts) for item, counts in items.items()}
        for key, items in found.items()
    }
    return {key: {item: c for item, c in items.items() if c} for key, items in cleaned.items()}


def _starts(grain: str, scope: Scope) -> Iterator[date]:
    start = start_of(grain, scope.first)
    while start <= scope.last:
        yield start
        start = end_of(grain, start) + timedelta(days=1)
