"""Numbers for a period and a sort of cases, from the fewest cells that cover it.

Cells are kept for all cases and for each channel, category and kecamatan by itself. A question
about two of them at once is answered from the rows, by the same rules: it concerns few cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

import orjson
from sqlalchemy import (
    Select,
    String,
    Text,
    and_,
    bindparam,
    cast,
    literal,
    literal_column,
    select,
    union_all,
)
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
#: Cells that are added up, and cells that are taken away from them.
_Texts = tuple[list[str], list[str]]
#: A series and the part of the office's work that is asked about.
Asked = tuple[str, Scope]
_CELL: Final = StatCell.__table__.c


def read(session: Session, series: str, scope: Scope) -> ByItem:
    """The numbers of a series by item, for the whole period; one statement."""
    return read_all(session, ((series, scope),))[0]


def read_all(session: Session, asked: Sequence[Asked]) -> list[ByItem]:
    """The same for several series or periods at once, still one statement.

    They all ask about the same sorts of cases.
    """
    if len(asked[0][1].dims) > 1:
        return [
            _by(_rows_facts(session, series, scope), lambda fact: "").get("", {})
            for series, scope in asked
        ]
    pieces = [cover_of(scope) for _series, scope in asked]
    found = _read(session, asked, pieces, key=lambda row: "")
    return [part.get("", {}) for part in found]


def read_by(session: Session, series: str, scope: Scope, grain: str) -> dict[date, ByItem]:
    """The same for each day, week or month by the first day of each, in order; one statement.

    The first and the last one hold only what lies in the period. Stretches without any fact are
    there too, empty.
    """
    return read_all_by(session, (series,), scope, grain)[0]


def read_all_by(
    session: Session, series: Sequence[str], scope: Scope, grain: str
) -> list[dict[date, ByItem]]:
    """The same for several series at once, still one statement."""
    starts: dict[date, ByItem] = {start: {} for start in _starts(grain, scope)}
    if len(scope.dims) > 1:
        return [
            starts | _by(_rows_facts(session, one, scope), lambda fact: start_of(grain, fact.day))
            for one in series
        ]
    pieces = tuple(piece for _start, piece in stretches_by(grain, scope.first, scope.last))
    asked = [(one, scope) for one in series]
    found = _read(
        session, asked, [pieces] * len(asked), key=lambda row: start_of(grain, row[5]), dated=True
    )
    return [starts | part for part in found]


def read_split(session: Session, series: str, scope: Scope, dim: str) -> dict[str, ByItem]:
    """The same for each channel, category or kecamatan ("" where a case names none)."""
    return read_all_split(session, ((series, scope),), dim)[0]


def read_all_split(
    session: Session, asked: Sequence[Asked], dim: str, values: Sequence[str] | None = None
) -> list[dict[str, ByItem]]:
    """The same for several series or periods at once, still one statement.

    `values` are those that the dimension has, where the caller knows them: a list is looked up
    in the index at once, and needs no plan for each stretch.
    """
    if set(asked[0][1].dims) - {dim}:
        return [
            _by(_rows_facts(session, series, scope), lambda fact: fact.dims.value(dim))
            for series, scope in asked
        ]
    pieces = [cover_of(scope) for _series, scope in asked]
    return _read(session, asked, pieces, key=lambda row: row[1], split=dim, values=values)


def cover_of(scope: Scope) -> tuple[Stretch, ...]:
    """The cells that cover the scope's period."""
    return cover(scope.first, scope.last)


def statement_for(series: str, scope: Scope, stretches: Iterable[Stretch], split: str = "") -> Any:
    """The cells of a scope with at most one sort of cases, its values written into it."""
    return statement_of([(series, scope)], [tuple(stretches)], split)


def statement_of(
    asked: Sequence[Asked],
    pieces: Sequence[tuple[Stretch, ...]],
    split: str = "",
    *,
    values: Sequence[str] | None = None,
    dated: bool = False,
) -> Any:
    """The same for several questions at once."""
    statement, parameters = _question(asked, pieces, split, values=values, dated=dated)
    return statement.params(parameters)


def _read(
    session: Session,
    asked: Sequence[Asked],
    pieces: Sequence[tuple[Stretch, ...]],
    *,
    key: Callable[[Any], Any],
    split: str = "",
    values: Sequence[str] | None = None,
    dated: bool = False,
) -> list[dict[Any, ByItem]]:
    """The cells of each question, added up by item under a key of their rows.

    Cells come as text: all that are added up are parsed at once.
    """
    statement, parameters = _question(asked, pieces, split, values=values, dated=dated)
    found: list[dict[Any, dict[str, _Texts]]] = [{} for _ in asked]
    for row in session.execute(statement, parameters):
        items = found[row[0]].setdefault(key(row), {})
        texts = items.get(row[2])
        if texts is None:
            texts = items[row[2]] = ([], [])
        texts[row[4] < 0].append(row[3])
    return [
        {place: total for place, items in part.items() if (total := totals(items))}
        for part in found
    ]


def totals(items: Mapping[str, _Texts]) -> ByItem:
    """Cells of each item, added and taken away, without numbers that cancelled out and items left without any."""
    found: ByItem = {}
    for item, (added, taken) in items.items():
        total: Counts = {}
        for counts in orjson.loads(f"[{','.join(added)}]"):
            if total:
                for name, number in counts.items():
                    total[name] = total.get(name, 0) + number
            else:
                total = counts
        for text in taken:
            for name, number in orjson.loads(text).items():
                total[name] = total.get(name, 0) - number
        if 0 in total.values():
            total = without_zeros(total)
        if total:
            found[item] = total
    return found


def _question(
    asked: Sequence[Asked],
    pieces: Sequence[tuple[Stretch, ...]],
    split: str = "",
    *,
    values: Sequence[str] | None = None,
    dated: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """The statement for the shape of a question, and the values that go into it."""
    parameters: dict[str, Any] = {}
    shapes = []
    chosen = asked[0][1].dims
    for place, ((series, scope), stretches) in enumerate(zip(asked, pieces, strict=True)):
        step = scope.step_key if series == "run" else None
        shapes.append((tuple((piece.grain, piece.sign) for piece in stretches), step is not None))
        parameters[f"series_{place}"] = series
        if step is not None:
            parameters[f"item_{place}"] = step
        for number, piece in enumerate(stretches):
            parameters[f"first_{place}_{number}"] = piece.first
            parameters[f"last_{place}_{number}"] = piece.last
    dim = split or next(iter(chosen), "")
    if dim in chosen:
        parameters["value"] = chosen[dim]
    elif values is not None:
        parameters["values"] = list(values)
    known = "one" if dim in chosen else "many" if values is not None else ""
    return _statement(tuple(shapes), dim, known, dated=dated), parameters


@lru_cache(maxsize=512)
def _statement(
    shapes: tuple[tuple[tuple[tuple[str, int], ...], bool], ...],
    dim: str,
    known: str,
    *,
    dated: bool,
) -> Any:
    """The cells of some questions, one stretch of the index each.

    Made once for each shape (which grains, which sort of cases); the values come with each call.
    """
    parts: list[Select[Any]] = []
    for place, (grains, of_step) in enumerate(shapes):
        of_part = [_CELL.series == bindparam(f"series_{place}", type_=String), _CELL.dim == dim]
        if known == "one":
            of_part.append(_CELL.value == bindparam("value", type_=String))
        elif known == "many":
            of_part.append(_CELL.value.in_(bindparam("values", type_=String, expanding=True)))
        else:
            of_part.append(_CELL.value.in_(_values(dim)) if dim else _CELL.value == "")
        if of_step:
            of_part.append(_CELL.item == bindparam(f"item_{place}", type_=String))
        for number, (grain, sign) in enumerate(grains):
            columns: list[Any] = [
                literal_column(str(place)).label("place"),
                _CELL.value,
                _CELL.item,
                cast(_CELL.counts, Text).label("counts"),
                literal_column(str(sign)).label("sign"),
            ]
            if dated:
                columns.append(_CELL.start)
            days = _CELL.start.between(
                bindparam(f"first_{place}_{number}"), bindparam(f"last_{place}_{number}")
            )
            parts.append(select(*columns).where(and_(*of_part, _CELL.grain == grain, days)))
    return parts[0] if len(parts) == 1 else union_all(*parts)


def _values(dim: str) -> Any:
    """Every value a dimension can have: with them each is one stretch of the index."""
    if dim == "kecamatan":
        named = select(Region.code).where(Region.kind == "kecamatan")
        return named.union_all(select(literal("")))
    model = Channel if dim == "channel" else Category
    return select(cast(model.id, String))


def _rows_facts(session: Session, series: str, scope: Scope) -> Iterator[Fact]:
    if scope.office is not None:  # its cases are elsewhere
        return
    for fact in facts(session, series, scope=scope):
        if scope.step_key is None or series != "run" or fact.item == scope.step_key:
            yield fact


def _by(found: Iterable[Fact], key: Callable[[Fact], Any]) -> dict[Any, ByItem]:
    groups: dict[Any, ByItem] = {}
    for fact in found:
        merge(groups.setdefault(key(fact), {}).setdefault(fact.item, {}), fact.counts)
    return groups


def _starts(grain: str, scope: Scope) -> Iterator[date]:
    start = start_of(grain, scope.first)
    while start <= scope.last:
        yield start
        start = end_of(grain, start) + timedelta(days=1)
