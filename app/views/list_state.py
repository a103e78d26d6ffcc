"""What a list page is asked by its URL: filters, order and page are read per request and capped.

Parameters are FAB's own (`_flt_0_column`, `_oc_View`, `_od_View`, `page_View`, `psize_View`) plus
`q`, the search box. What cannot be understood is ignored: it never shows more rows, never fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask_appbuilder.models.sqla.filters import FilterEqual
from sqlalchemy import false, or_

from app.views.interface import MAX_ID
from app.views.paging import Place, can_be_a_place, read_place
from app.views.private_words import words_of

PAGE_SIZES = (10, 25, 50, 100)
MAX_PAGE = 200_000
MAX_TEXT = 100
_FILTER = re.compile(r"_flt_(\d)_([a-z_]{1,40})")


@dataclass
class ListState:
    """What one request asks of a list."""

    filters: Any
    text: str = ""
    order: tuple[str, str] | None = None
    page: int = 0
    page_size: int = 25
    chosen: dict[str, str] = field(default_factory=dict)
    #: The search words stood sealed in the address and can no longer be read.
    unreadable: bool = False
    #: Where the page begins, when the address says so by a row.
    place: Place | None = None
    count_all: bool = False
    #: Values of the statement: the numbers that were searched for.
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def for_related(cls, view: Any, parent: type[Any], pk: Any, rows: int) -> ListState:
        """The rows of `view` that belong to one parent record."""
        filters = view.datamodel.get_filters()
        relation = view.datamodel.get_related_fk(parent)
        filters.add_filter_related_view(relation, view.datamodel.FilterRelationOneToManyEqual, pk)
        return cls(filters=filters, page_size=rows)


def read_state(view: Any) -> ListState:
    """The list state of this request for one view."""
    name = type(view).__name__
    state = ListState(filters=view._filters, page_size=view.page_size)
    args = request.args
    state.page = min(_number(args.get(f"page_{name}")) or 0, MAX_PAGE)
    size = _number(args.get(f"psize_{name}"))
    if size is not None:
        state.page_size = max(1, min(size, PAGE_SIZES[-1]))
    column, direction = args.get(f"_oc_{name}", ""), args.get(f"_od_{name}", "asc")
    if column in view.order_columns and direction in ("asc", "desc"):
        state.order = (column, direction)
    order = state.order or view.base_order
    column_of_order = getattr(view.datamodel.obj, order[0], None) if order else None
    if can_be_a_place(column_of_order):
        text = args.get(f"from_{name}", "")
        state.place = read_place(text, column_of_order, view.datamodel.clean_pk)
    state.count_all = args.get(f"count_{name}") == "all"
    words = words_of(args.get("q", "")) if view.private_search else _clean(args.get("q", ""))
    state.text, state.unreadable = words or "", words is None
    if (state.text or state.unreadable) and view.text_columns:
        _add_text_filter(view, state)
    for key in sorted(args):
        match = _FILTER.fullmatch(key)
        if match:
            _add_filter(view, state, int(match[1]), match[2], args.get(key, ""))
    return state


def _add_filter(view: Any, state: ListState, index: int, column: str, raw: str) -> None:
    """One filter of the URL, only on offered columns and with a value that fits the column."""
    text = _clean(raw)
    if column not in view.search_columns or not text:
        return
    offered = state.filters.get_search_filters().get(column) or []
    if index >= len(offered):
        return
    model = view.datamodel
    if model.is_relation(column):
        related = model.get_related_model(column).__mapper__.primary_key[0]
        if related.type.python_type is int and (_number(text) or MAX_ID + 1) > MAX_ID:
            return
    elif model.is_integer(column):
        if (_number(text) or MAX_ID + 1) > MAX_ID:
            return
    elif model.is_boolean(column):
        if text not in ("0", "1"):
            return
        text = "" if text == "0" else "1"
    elif model.is_date(column) or model.is_datetime(column):
        return
    state.filters.add_filter_index(column, index, [text])
    state.chosen[column] = _clean(raw)


def _add_text_filter(view: Any, state: ListState) -> None:
    """The search box: any of the view's text columns holds the words."""
    text = state.text
    found = None if state.unreadable else view.searched(text)
    state.values = found.values if found is not None else {}

    state.filters.add(SearchBox(view, state, found), text)


class SearchBox(FilterEqual):  # type: ignore[misc]
    """Looks into every text column of a view at once.

    `found` is what the view makes of the words where the statement is the same for all words alike.
    """

    def __init__(self, view: Any, state: ListState, found: Any) -> None:
        super().__init__(view.text_columns[0], view.datamodel)
        self._view, self._state, self._found = view, state, found
        self._made: Any = None
        #: Else it depends on words and time: no statement with it is kept.
        self.of_this_request = found is None
        self.statement_key = found and found.key

    def apply(self, query: Any, value: Any) -> Any:
        """The query cut to what was searched for."""
        if self._state.unreadable:
            return query.filter(false())
        if self._found is not None:
            return query.filter(self._found.condition())
        if self._made is None:  # asked once, for the rows and for their number
            self._made = self._view.text_condition(self._view.datamodel.obj, value)
        return query.filter(self._made)

    def keys_to_count(self, query: Any, value: Any) -> Any:
        """The keys of what was searched for, for counting, where no order matters."""
        if self._found is not None:
            return self._found.keys(query)
        return self.apply(query, value).with_entities(self._view.datamodel.get_pk())


def default_text_condition(view: Any, model: Any, text: str) -> Any:
    """Part of any text column, upper and lower case alike; % and _ are just letters."""
    return or_(
        *(getattr(model, name).icontains(text, autoescape=True) for name in view.text_columns)
    )


def _clean(text: str) -> str:
    """A parameter without control characters and not longer than anything one searches for."""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:MAX_TEXT]


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 10:
        return None
    return int(text)
