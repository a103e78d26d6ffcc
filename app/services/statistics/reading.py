"""Numbers for a period and a sort of cases, from the fewest cells that cover it.

Cells are kept for all cases and for each channel, category and kecamatan by itself. A question
about two of them at once is answered from the rows, by the same rules: it concerns few cases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Select,
    String,
    Text,
    and_,
    bindparam,
    cast,
    func,
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
from app.services.statistics.totals import totals

ByItem = dict[str, Counts]
#: Numbers of cells by their names.
Names = tuple[str, ...]


class Asked(NamedTuple):
    """A series and the part of the office's work that is asked about."""

    series: str
    scope: Scope
    #: The numbers that are wanted, where not all of them are; then every question names some.
    only: Names = ()
    #: The one item that is wanted.
    item: str | None = None
    #: Whether the numbers of all items are wanted as one, under no item.
    together: bool = False


_CELL: Final = StatCell.__table__.c


def read(session: Session, series: str, scope: Scope, *, only: Names = ()) -> ByItem:
    """The numbers of a series by item, for the whole period; one statement.

    Args:
        only: the numbers that are wanted, where not all of them are.
    """
    return read_all(session, [Asked(series, scope, only)])[0]


def read_all(session: Session, asked: Sequence[Asked]) -> list[ByItem]:
    """The same for several series or periods at once, still one statement.

    They all ask about the same sorts of cases.
    """
    if len(asked[0].scope.dims) > 1:
        return [_by(session, one, lambda fact: "").get("", {}) for one in asked]
    found = _read(session, asked, _covers(asked), key=lambda row: "")
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
            starts | _by(session, Asked(one, scope), lambda fact: start_of(grain, fact.day))
            for one in series
        ]
    pieces = tuple(piece for _start, piece in stretches_by(grain, scope.first, scope.last))
    asked = [Asked(one, scope) for one in series]
    found = _read(
        session, asked, [pieces] * len(asked), key=lambda row: start_of(grain, row[5]), dated=True
    )
    return [starts | part for part in found]


def read_split(session: Session, series: str, scope: Scope, dim: str) -> dict[str, ByItem]:
    """The same for each channel, category or kecamatan ("" where a case names none)."""
    return read_all_split(session, [Asked(series, scope)], dim)[0]


def read_all_split(
    session: Session, asked: Sequence[Asked], dim: str, values: Sequence[str] | None = None
) -> list[dict[str, ByItem]]:
    """The same for several series or periods at once, still one statement.

    `values` are those that the dimension has, where the caller knows them: a list is looked up
    in the index at once, and needs no plan for each stretch.
    """
    if set(asked[0].scope.dims) - {dim}:
        return [_by(session, one, lambda fact: fact.dims.value(dim)) for one in asked]
    return _read(session, asked, _covers(asked), key=lambda row: row[1], split=dim, values=values)


def _covers(asked: Sequence[Asked]) -> list[tuple[Stretch, ...]]:
    return [cover_of(one.scope) for one in asked]


def cover_of(scope: Scope) -> tuple[Stretch, ...]:
    """The cells that cover the scope's period."""
    return cover(scope.first, scope.last)


def statement_for(series: str, scope: Scope, stretches: Iterable[Stretch], split: str = "") -> Any:
    """The cells of a scope with at most one sort of cases, its values written into it."""
    return statement_of([Asked(series, scope)], [tuple(stretches)], split)


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
    """The cells of each question, added up by item under a key of their rows."""
    statement, parameters = _question(asked, pieces, split, values=values, dated=dated)
    rows = session.execute(statement, parameters).all()
    found: list[dict[Any, Any]] = [{} for _ in asked]
    if names := _names(asked):
        for row in rows:
            items = found[row[0]].setdefault(key(row), {})
            counts = items.get(row[2])
            if counts is None:
                counts = items[row[2]] = dict.fromkeys(names, 0)
            for name, number in zip(names, row[3:], strict=True):
                if number:
                    counts[name] += number
        return [_without_nothing(part) for part in found]
    for row in rows:
        items = found[row[0]].setdefault(key(row), {})
        texts = items.get(row[2])
        if texts is None:
            texts = items[row[2]] = ([], [])
        texts[row[4] < 0].append(row[3])
    return [
        {place: total for place, items in part.items() if (total := totals(items))}
        for part in found
    ]


def _names(asked: Sequence[Asked]) -> Names:
    """Every number that any of the questions names.

    Raises:
        ValueError: some name their numbers and some want all.
    """
    if len({bool(one.only) for one in asked}) > 1:
        raise ValueError("either every question names its numbers or none does")
    return tuple(dict.fromkeys(name for one in asked for name in one.only))


def _without_nothing(part: Mapping[Any, ByItem]) -> dict[Any, ByItem]:
    """Sums without numbers that cancelled out, and what is left without any."""
    found = {
        place: {item: left for item, counts in items.items() if (left := without_zeros(counts))}
        for place, items in part.items()
    }
    return {place: items for place, items in found.items() if items}


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
    chosen = asked[0].scope.dims
    for place, (one, stretches) in enumerate(zip(asked, pieces, strict=True)):
        item = _item(one)
        grains = tuple((piece.grain, piece.sign, piece.first != piece.last) for piece in stretches)
        shapes.append(_Shape(one.series, grains, one.only, item is not None, one.together))
        if item is not None:
            parameters[f"item_{place}"] = item
        for number, piece in enumerate(stretches):
            parameters[f"first_{place}_{number}"] = piece.first
            parameters[f"last_{place}_{number}"] = piece.last
    dim = split or next(iter(chosen), "")
    if dim in chosen:
        parameters["value"] = chosen[dim]
    elif values is not None:
        parameters["values"] = list(values)
    known = "one" if dim in chosen else "many" if values is not None else ""
    return _statement(tuple(shapes), dim, known, _names(asked), dated=dated), parameters


def _item(asked: Asked) -> str | None:
    """The item that a question is cut to; a chosen step is the item of its runs."""
    return asked.scope.step_key if asked.series == "run" else asked.item


class _Shape(NamedTuple):
    """What the statement for a question depends on."""

    series: str
    #: Of each stretch its grain, its sign, and whether it is of more than one cell.
    grains: tuple[tuple[str, int, bool], ...]
    only: Names
    of_item: bool
    together: bool


@lru_cache(maxsize=512)
def _statement(
    shapes: tuple[_Shape, ...], dim: str, known: str, names: Names, *, dated: bool
) -> Any:
    """The cells of some questions, one stretch of the index each.

    Made once for each shape (which grains, which sort of cases); the values come with each call.
    Numbers that are asked for by name are added up in the database: the classes beside them are
    many more, and stay where they are.

    Series, dimension, grain and the values of a dimension are written into it: not knowing them, PostgreSQL would take any for
    as frequent as the next, and plan the statement anew at each question.
    """
    parts: list[Select[Any]] = []
    for place, (series, grains, only, of_item, together) in enumerate(shapes):
        of_part = [_CELL.series == _written(series), _CELL.dim == _written(dim)]
        if known == "one":
            of_part.append(_CELL.value == bindparam("value", type_=String))
        elif known == "many":
            of_part.append(_CELL.value.in_(_VALUES))
        else:
            of_part.append(_CELL.value.in_(_values(dim)) if dim else _CELL.value == _written(""))
        if of_item:
            of_part.append(_CELL.item == bindparam(f"item_{place}", type_=String))
        for number, (grain, sign, many) in enumerate(grains):
            columns: list[Any] = [
                literal_column(str(place)).label("place"),
                _CELL.value,
                _written("").label("item") if together else _CELL.item,
            ]
            if names:
                numbers = [
                    _number(name, sign, many or together) if name in only else _ZERO
                    for name in names
                ]
                columns += [one.label(f"number_{at}") for at, one in enumerate(numbers)]
            else:
                columns.append(cast(_CELL.counts, Text).label("counts"))
                columns.append(literal_column(str(sign)).label("sign"))
            if dated:
                columns.append(_CELL.start)
            days = _CELL.start.between(
                bindparam(f"first_{place}_{number}"), bindparam(f"last_{place}_{number}")
            )
            part = select(*columns).where(and_(*of_part, _CELL.grain == _written(grain), days))
            if names and together:
                part = part.group_by(_CELL.value)
            elif names and many:
                part = part.group_by(_CELL.value, _CELL.item)
            parts.append(part)
    return parts[0] if len(parts) == 1 else union_all(*parts)


def _written(word: str) -> Any:
    """One of our own words (a series, a dimension, a grain) as it stands in a statement."""
    if not re.fullmatch("[a-z]*", word):
        raise ValueError(word)
    return literal_column(f"'{word}'", String)


#: Channels, categories, kecamatan: few, and the same until somebody changes them.
_VALUES: Final = bindparam("values", type_=String, expanding=True, literal_execute=True)
_ZERO: Final[Any] = literal_column("0")


def _number(name: str, sign: int, many: bool) -> Any:
    """One number of a stretch: of its one cell, or the sum of all; less where it is taken away."""
    number = cast(_CELL.counts[name].as_string(), BigInteger)
    return cast((func.sum(number) if many else number) * literal_column(str(sign)), BigInteger)


def _values(dim: str) -> Any:
    """Every value a dimension can have: with them each is one stretch of the index."""
    if dim == "kecamatan":
        named = select(Region.code).where(Region.kind == "kecamatan")
        return named.union_all(select(literal("")))
    model = Channel if dim == "channel" else Category
    return select(cast(model.id, String))


def _rows_facts(session: Session, asked: Asked) -> Iterator[Fact]:
    if asked.scope.office is not None:  # its cases are elsewhere
        return
    item = _item(asked)
    for fact in facts(session, asked.series, scope=asked.scope):
        if item is None or fact.item == item:
            yield fact


def _by(session: Session, asked: Asked, key: Callable[[Fact], Any]) -> dict[Any, ByItem]:
    """The facts of a question added up like its cells."""
    groups: dict[Any, ByItem] = {}
    for fact in _rows_facts(session, asked):
        counts = fact.counts
        if asked.only:
            counts = {name: counts[name] for name in asked.only if name in counts}
        item = "" if asked.together else fact.item
        merge(groups.setdefault(key(fact), {}).setdefault(item, {}), counts)
    return _without_nothing(groups) if asked.only else groups


def _starts(grain: str, scope: Scope) -> Iterator[date]:
    start = start_of(grain, scope.first)
    while start <= scope.last:
        yield start
        start = end_of(grain, start) + timedelta(days=1)
