"""The one way screens read rows: row rule, eager loading and a count that stays cheap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from flask_appbuilder.models.filters import Filters
from flask_appbuilder.models.sqla.filters import FilterRelationOneToManyEqual
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    True_,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.orm import Query, joinedload, selectinload

from app.access import current_actor
from app.extensions import db
from app.remembered import kept
from app.services.actor import Actor
from app.views.paging import Place

#: Counting stops here: "1.000+" costs the same however many rows there are.
COUNT_CAP = 1_000
#: Where it stops when somebody asks for the number.
COUNT_ALL = 1_000_000
MAX_ID = 2**31 - 1
#: Statements of pages that are kept composed; composing one costs as much as running it.
MOST_STATEMENTS = 300

RowRule = Callable[[Actor], ColumnElement[bool]]


@dataclass(frozen=True)
class Rows:
    """One page of a list and whether there is anything before and after it."""

    items: list[Any]
    #: Of all pages, counted to at most one more than was asked for.
    count: int
    before: bool
    after: bool


class _Page(NamedTuple):
    """The statement of a page, and whether the number of all rows stands beside each."""

    rows: Any
    counted: bool


def _written(number: int) -> Any:
    """A bound as it stands in a statement.

    Not knowing it, PostgreSQL would plan for a tenth of the table, see that this is dear, and plan the
    statement anew for each page instead.
    """
    return literal_column(str(int(number)), Integer)


def _is_of_this_request(chosen: Any) -> bool:
    """Whether a filter depends on more than its value: words that are sought, and the time."""
    return bool(getattr(chosen, "of_this_request", False))


def _is_sought(chosen: Any) -> bool:
    """Whether a filter finds what somebody typed: rarely more than a page."""
    return _is_of_this_request(chosen) or bool(getattr(chosen, "statement_key", None))


class FilterByKey(FilterRelationOneToManyEqual):  # type: ignore[misc]
    """Rows that point to a key; FAB reads the other row first, and finds all without one if none."""

    def apply(self, query: Query[Any], value: Any) -> Query[Any]:
        """The query cut to those rows."""
        relation = self.datamodel.list_properties[self.column_name]
        (column,) = relation.local_columns
        key = int(value) if column.type.python_type is int else value
        return query.filter(column == key)


class OfficeFilters(Filters):  # type: ignore[misc]
    """FAB's filters of one request over the table's own list of what can be filtered."""

    def __init__(
        self, datamodel: Any, conversions: dict[str, list[Any]], search_columns: Sequence[str]
    ) -> None:
        self.search_columns = list(search_columns)
        self.filter_converter = datamodel.filter_converter_class
        self.datamodel = datamodel
        self.clear_filters()
        self._search_filters = {
            name: conversions[name] for name in search_columns if name in conversions
        }
        self._all_filters = conversions

    def add(self, chosen: Any, value: Any) -> None:
        """One more filter."""
        self.filters.append(chosen)
        self.values.append(value)

    def get_joined_filters(self, filters: Filters) -> Filters:
        """Both lists in one."""
        joined = OfficeFilters(self.datamodel, self._all_filters, ())
        joined.filters = self.filters + filters.filters
        joined.values = self.values + filters.values
        return joined


class OfficeInterface(SQLAInterface):  # type: ignore[misc]
    """FAB's data access with the office's rules; every screen's queries go through it.

    Args:
        obj: the model.
        row_rule: the condition each query carries for the present actor (design, invariant 7).
        eager: relations that a list shows, loaded with the rows instead of one by one.
        eager_many: collections that a list shows.
    """

    def __init__(
        self,
        obj: type[Any],
        *,
        row_rule: RowRule | None = None,
        eager: Sequence[str] = (),
        eager_many: Sequence[str] = (),
    ) -> None:
        super().__init__(obj, db.session)
        self.row_rule = row_rule
        self.eager = tuple(eager)
        self.eager_many = tuple(eager_many)

    @cached_property
    def _conversions(self) -> dict[str, list[Any]]:
        """What each column can be filtered by: the same for every request, never changed."""
        convert = self.filter_converter_class(self).convert
        found = {column: convert(column) for column in self.get_columns_list()}
        return {
            column: [self._by_key(column, item) for item in filters]
            for column, filters in found.items()
            if filters
        }

    def _by_key(self, column: str, found: Any) -> Any:
        if type(found) is not FilterRelationOneToManyEqual:
            return found
        return FilterByKey(column, self)

    def get_filters(self, search_columns: Any = None, search_filters: Any = None) -> Filters:
        """Fresh filters of a request; FAB's own works out all columns of the table each time."""
        if search_filters:
            return super().get_filters(search_columns, search_filters)
        return OfficeFilters(self, self._conversions, search_columns or [])

    def visible(self, query: Query[Any]) -> Query[Any]:
        """A query cut to the rows that the present actor may know of."""
        rule = None if self.row_rule is None else self.row_rule(current_actor())
        # Who may know of all is asked nothing: a count may then leave the table out.
        return query if rule is None or isinstance(rule, True_) else query.filter(rule)

    def page(
        self,
        filters: Any,
        order: tuple[str, str],
        size: int,
        *,
        page: int = 0,
        place: Place | None = None,
        shape: Callable[[Query[Any]], Query[Any]] | None = None,
        count_to: int = COUNT_CAP,
        values: Mapping[str, Any] | None = None,
    ) -> Rows:
        """One page of rows, from a place in the list or else from a number of rows.

        Args:
            filters: FAB's, applied to rows and count alike.
            order: column and direction, the key deciding between equals.
            size: rows on the page.
            page: how many pages come before it, when no place is named.
            place: the row after or before which the page lies.
            shape: makes of the query one of the columns that the list shows; else whole rows.
            count_to: where counting stops.
            values: what filters have left open.
        """
        forward = None if place is None else place.forward
        skipped = page * size if place is None else place.skip * size

        def make() -> _Page:
            return self._compose(filters, order, size, forward, bool(skipped), shape, count_to)

        key = self._page_key(filters, order, size, forward, bool(skipped), shape, count_to)
        made = self._kept(key, make)
        given: dict[str, Any] = {**(values or {}), **({"skipped": skipped} if skipped else {})}
        if place is not None:
            given |= {"place_key": place.key, "place_value": place.value}
        # Of columns the connection makes rows by itself; objects are the session's.
        source = self.session.connection() if shape else self.session
        found = source.execute(made.rows, given).all()
        more, found = len(found) > size, found[:size]
        items: list[Any] = list(found) if shape else [row[0] for row in found]
        if place is None and not page and not more:
            return Rows(items, len(items), False, False)  # all there are: nothing is left to count
        if made.counted and found:
            count = int(found[0].rows_in_all)
        else:
            count_key = key and ("count", *key)
            counted = self._kept(count_key, lambda: self._counted(filters, count_to))
            count = int(self.session.execute(counted, dict(values or {})).scalar_one())
        if forward is False:
            return Rows(items[::-1], count, more, True)
        return Rows(items, count, place is not None or page > 0, more)

    def _kept(self, key: tuple[Any, ...] | None, make: Callable[[], Any]) -> Any:
        return make() if key is None else kept(key, make, "statements", MOST_STATEMENTS)

    def _page_key(self, filters: Any, *asked: Any) -> tuple[Any, ...] | None:
        """All that the statement of a page depends on; None when it is not worth keeping."""
        chosen = []
        for item, value in zip(filters.filters, filters.values, strict=True) if filters else ():
            if _is_of_this_request(item):
                return None
            values = tuple(value) if isinstance(value, list | tuple) else (value,)
            named = getattr(item, "statement_key", None)
            chosen.append(named or (type(item), item.column_name, *values))
        actor = current_actor()
        # The row rule is the actor's, and nothing of it is kept for another.
        return ("page", self, actor.id, actor.permissions, *chosen, *asked)

    def _compose(
        self,
        filters: Any,
        order: tuple[str, str],
        size: int,
        forward: bool | None,
        skips: bool,
        shape: Callable[[Query[Any]], Query[Any]] | None,
        count_to: int,
    ) -> _Page:
        """The statement of a page, the row it begins at and what it skips left open."""
        base = self._filtered(filters)
        pk, (column, direction) = self.get_pk(), order
        chosen = base
        if forward is not None:
            chosen = chosen.filter(self._beyond(forward, order))
        if forward is False:
            direction = "asc" if direction == "desc" else "desc"
        chosen = self._ordered(chosen, column, direction)
        if skips:
            # The page is found in the index alone, and only its rows are read and joined.
            keys = chosen.with_entities(pk.label("page_key"))
            keys = (
                keys.limit(_written(size + 1))
                .offset(bindparam("skipped", type_=Integer))
                .subquery()
            )
            rows = self.session.query(self.obj).join(keys, pk == keys.c.page_key)
            rows = self._ordered(rows, column, direction)
        else:
            rows = chosen
        rows = shape(rows) if shape else self._with_relations(rows)
        rows = rows.limit(_written(size + 1))
        if any(_is_sought(item) for item in (filters.filters if filters else ())):
            return _Page(rows.statement, counted=False)  # what is sought is counted in need only
        # The number comes with the rows: one way to the database less.
        number = self._counted(filters, count_to).scalar_subquery().label("rows_in_all")
        return _Page(rows.add_columns(number).statement, counted=True)

    def _filtered(self, filters: Any) -> Query[Any]:
        base = self.visible(self.session.query(self.obj))
        filtered: Query[Any] = filters.apply_all(base) if filters is not None else base
        return filtered

    def _counted(self, filters: Any, count_to: int) -> Select[Any]:
        """How many rows there are of all pages, counted to one more than was asked for."""
        plain, box = OfficeFilters(self, {}, ()), None
        for item, value in zip(filters.filters, filters.values, strict=True) if filters else ():
            if box is None and hasattr(item, "keys_to_count"):
                box = item, value
            else:
                plain.add(item, value)
        query = self._filtered(plain)
        keys = query.with_entities(self.get_pk())
        if box is not None:
            keys = box[0].keys_to_count(query, box[1])
        keys = keys.order_by(None)
        return select(func.count()).select_from(keys.limit(_written(count_to + 1)).subquery())

    def _beyond(self, forward: bool, order: tuple[str, str]) -> ColumnElement[bool]:
        """The rows after or before a place, in the order of the list."""
        pk, later = self.get_pk(), forward == (order[1] == "asc")
        key: ColumnElement[Any] = bindparam("place_key", type_=pk.type)
        if order[0] == self.get_pk_name():
            return pk > key if later else pk < key  # type: ignore[no-any-return]
        column = getattr(self.obj, order[0])
        edge, here = tuple_(column, pk), tuple_(bindparam("place_value", type_=column.type), key)
        return edge > here if later else edge < here

    def _with_relations(self, rows: Query[Any]) -> Query[Any]:
        rows = rows.options(*(joinedload(getattr(self.obj, name)) for name in self.eager))
        return rows.options(*(selectinload(getattr(self.obj, name)) for name in self.eager_many))

    def query(
        self,
        filters: Any = None,
        order_column: str = "",
        order_direction: str = "",
        page: int | None = None,
        page_size: int | None = None,
        select_columns: list[str] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> tuple[int, list[Any]]:
        """One page of rows and their number, counted to at most `COUNT_CAP` + 1.

        `values` are those that the conditions have names for.
        """
        base = self.visible(self.session.query(self.obj))
        if filters is not None:
            base = filters.apply_all(base)
        pk = self.get_pk()
        counted: Select[Any] = select(func.count()).select_from(
            base.with_entities(pk).order_by(None).limit(COUNT_CAP + 1).subquery()
        )
        count = int(self.session.execute(counted, values or {}).scalar_one())
        chosen = self._ordered(base, order_column, order_direction)
        rows = chosen
        if page_size:
            # The page is found in the index alone, and only its rows are read and joined: a page
            # deep in a long list costs no more than the first.
            keys = chosen.with_entities(pk.label("page_key"))
            keys = keys.limit(page_size).offset((page or 0) * page_size).subquery()
            rows = self.session.query(self.obj).join(keys, pk == keys.c.page_key)
            rows = self._ordered(rows, order_column, order_direction)
        return count, list(self._with_relations(rows).params(values or {}).all())

    def _ordered(self, query: Query[Any], column: str, direction: str) -> Query[Any]:
        """The same query in the order asked for, the key deciding between equals."""
        if column:
            ordered: Query[Any] = self.apply_order_by(query, column, direction, add_pk=True)
            return ordered
        return query.order_by(self.get_pk())

    def get(
        self,
        pk: Any,
        filters: Any = None,
        select_columns: Any = None,
        *,
        eager: Sequence[str] = (),
    ) -> Any | None:
        """The row of a key from a URL, or None: not there, not a key, or not the actor's to see."""
        key = self.clean_pk(pk)
        if key is None:
            return None
        if filters is not None and filters.filters:
            query = self.visible(self.session.query(self.obj)).filter(self.get_pk() == key)
            query = filters.apply_all(query)
            query = query.options(*(joinedload(getattr(self.obj, name)) for name in eager))
            return query.one_or_none()
        statement = self._of_key
        if self.row_rule is not None:
            statement = statement.where(self.row_rule(current_actor()))
        if eager:
            statement = statement.options(*(joinedload(getattr(self.obj, n)) for n in eager))
        return self.session.execute(statement, {"of_key": key}).scalar_one_or_none()

    @cached_property
    def _of_key(self) -> Select[Any]:
        """The row of a key, for whoever may see it; made once, as every action begins with it."""
        return select(self.obj).where(self.get_pk() == bindparam("of_key"))

    def get_many(self, pks: Sequence[Any], filters: Any = None) -> list[Any]:
        """The visible rows among some keys, in the order of the keys, in one query."""
        keys = {key for key in (self.clean_pk(pk) for pk in pks) if key is not None}
        if not keys:
            return []
        query = self.visible(self.session.query(self.obj)).filter(self.get_pk().in_(keys))
        if filters is not None:
            query = filters.apply_all(query)
        return sorted(query.all(), key=lambda row: getattr(row, self.get_pk_name()))

    def clean_pk(self, pk: Any) -> Any | None:
        """A key from a URL as the column's type; None for anything that cannot be one."""
        column = self.obj.__mapper__.primary_key[0]
        text = str(pk)
        if column.type.python_type is int:
            if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > MAX_ID:
                return None
            return int(text)
        if not text or len(text) > 120 or not text.isprintable():
            return None
        return text
