"""A list page from its URL: filters, order and page are read per request and capped.

Parameters are FAB's own (`_flt_0_column`, `_oc_View`, `_od_View`, `page_View`, `psize_View`) plus
`q`, the search box. What cannot be understood is ignored: it never shows more rows, never fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from flask import request, url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape
from sqlalchemy import false, or_

from app.remembered import kept
from app.sop.text import language
from app.views.cells import Line, drawn_options, table_lines
from app.views.interface import COUNT_ALL, COUNT_CAP, MAX_ID
from app.views.labels import labels_of
from app.views.paging import MOST_SKIPPED, Place, can_be_a_place, read_place
from app.views.private_words import LONGEST, url_words, words_of

PAGE_SIZES = (10, 25, 50, 100)
MAX_PAGE = 200_000
MAX_TEXT = 100
#: Stands in the pattern of an address where the key goes.
_GAP = "0row0"
#: What may stand in the parameters of an address as it is.
_PLAIN = "!$'()*,/:;?@"
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
    text, model = state.text, view.datamodel.obj

    class SearchBox(view.datamodel.FilterEqual):  # type: ignore[name-defined, misc]
        """Looks into every text column of the view at once."""

        def apply(self, query: Any, value: Any) -> Any:
            if state.unreadable:
                return query.filter(false())
            return query.filter(view.text_condition(model, text))

    state.filters.add_filter(view.text_columns[0], SearchBox, text)


def default_text_condition(view: Any, model: Any, text: str) -> Any:
    """Part of any text column, upper and lower case alike; % and _ are just letters."""
    return or_(
        *(getattr(model, name).icontains(text, autoescape=True) for name in view.text_columns)
    )


class Listing:
    """Everything the list template shows of one page."""

    def __init__(self, view: Any, state: ListState, *, related: bool = False) -> None:
        self.view, self.state, self.related = view, state, related
        rows = view.rows(state)
        if state.place is not None and not state.place.forward and not rows.items:
            state.place, state.page = None, 0  # nothing is left before it: the list begins here
            rows = view.rows(state)
        if state.place is not None and not state.place.forward:
            state.page = max(state.page, 1) if rows.before else 0
        self.items: list[Any] = rows.items
        cap = COUNT_ALL if state.count_all else COUNT_CAP
        self.capped = rows.count > cap
        self.count = min(rows.count, cap)
        self.has_next, self.has_previous = rows.after, rows.before

    def _lines(self, actions: Sequence[Any]) -> Markup:
        """The lines of the table."""
        view, key = self.view, self.view.datamodel.get_pk_name()
        line = Line(
            labels=[self._labels.get(name, "") for name in view.list_columns],
            choose=_("Choose %(name)s") if actions else None,
            show=row_urls(view, "show") if view.may("can_show") else None,
            edit=row_urls(view, "edit") if view.may("can_edit") else None,
        )
        cells = view.cells()
        return table_lines(line, ((getattr(item, key), cells(item)) for item in self.items))

    @cached_property
    def _labels(self) -> Mapping[str, Markup]:
        """What the columns are called, escaped."""
        view = type(self.view)

        def make() -> dict[str, Markup]:
            return {name: escape(label) for name, label in self.view.label_columns.items()}

        return kept(("column labels", view, language.get()), make)

    def context(self) -> dict[str, Any]:
        """The list template's variables."""
        view, state, name = self.view, self.state, type(self.view).__name__
        actions = [] if self.related else view.list_actions()
        size = max(state.page_size, 1)
        return {
            "label_columns": self._labels,
            "include_columns": view.list_columns,
            "rows": len(self.items),
            "lines": self._lines(actions),
            "has_previous": self.has_previous,
            "count_url": self._url(**{f"count_{name}": "all"})
            if self.capped and not state.count_all
            else None,
            "order_columns": [] if self.related else view.order_columns,
            "page": state.page,
            "page_size": state.page_size,
            "page_sizes": PAGE_SIZES,
            "count": self.count,
            "count_capped": self.capped,
            "page_count": -(-self.count // size),
            "has_next": self.has_next,
            "batch_actions": [
                {
                    "name": action.name,
                    "text": action.text,
                    "icon": action.icon,
                    "danger": getattr(action, "danger", False),
                    "confirm": action.confirmation,
                }
                for action in actions
            ],
            "action_url": view._own_url("action_post"),
            "filters": state.filters,
            "filter_bar": None if self.related else self.filter_bar(),
            "modelview_name": name,
            "related": self.related,
            "can": {
                "show": view.may("can_show"),
                "edit": view.may("can_edit"),
                "add": view.may("can_add") and not self.related,
                "delete": view.may("can_delete"),
                "export": view.may("can_export") and not self.related,
            },
            "add_label": str(view.add_title),
            "urls": {
                "add": view._own_url("add") if view.may("can_add") else None,
                "export": self._url(_endpoint="export") if view.may("can_export") else None,
                "list": view._own_url("list"),
            },
            "order_url": self.order_url,
            "order_state": self.order_state,
            "page_url": self.page_url,
            "size_url": lambda size: self._url(**{f"psize_{name}": size, **self._from_the_start()}),
            "empty": self.empty(),
        }

    def order_url(self, column: str) -> str:
        """The same list sorted by a column, the other way round when it is already."""
        name = type(self.view).__name__
        descending = self.order_state(column) == "ascending"
        return self._url(
            **{
                f"_oc_{name}": column,
                f"_od_{name}": "desc" if descending else "asc",
                **self._from_the_start(),
            }
        )

    def page_url(self, page: int) -> str:
        """The same list at another page: near ones lie after or before a row of this one."""
        name = type(self.view).__name__
        away = page - self.state.page
        place = None
        if self.items and away and 0 < abs(away) <= MOST_SKIPPED + 1 and page:
            place = self._place(away)
        if self.items and away == -1 and self.state.place is not None:
            place = self._place(away)  # also to the first page: rows may have come before it
        return self._url(
            **{f"page_{name}": page, f"from_{name}": place.address() if place else None}
        )

    def _place(self, away: int) -> Place | None:
        """After the last row of this page, or before the first."""
        view, order = self.view, self.state.order or self.view.base_order
        column = getattr(view.datamodel.obj, order[0], None) if order else None
        row = self.items[-1 if away > 0 else 0]
        if not can_be_a_place(column) or not hasattr(row, order[0]):
            return None
        key = getattr(row, view.datamodel.get_pk_name())
        return Place(away > 0, abs(away) - 1, key, getattr(row, order[0]))

    def _from_the_start(self) -> dict[str, None]:
        name = type(self.view).__name__
        return {f"page_{name}": None, f"from_{name}": None}

    def order_state(self, column: str) -> str | None:
        """How the list is sorted by a column: ascending, descending or not at all."""
        order = self.state.order or self.view.base_order
        if not order or order[0] != column:
            return None
        return "ascending" if order[1] == "asc" else "descending"

    def filter_bar(self) -> dict[str, Any]:
        """The search box and the choices above the list."""
        view, state = self.view, self.state
        fields = [
            {
                "name": f"_flt_0_{column}",
                "label": self._labels.get(column, column),
                "options": drawn_options(tuple(self.options(column)), state.chosen.get(column, "")),
            }
            for column in view.filter_columns
        ]
        return {
            "q": state.text,
            "q_label": str(view.text_label) if view.text_columns else None,
            "fields": fields,
            "active": len(state.chosen) + bool(state.text),
            "search_url": view._own_url("search") if view.private_search else None,
        }

    def options(self, column: str) -> list[tuple[str, str]]:
        """What a choice offers: declared ones, or the rows of a small reference table."""
        view = self.view
        if column in view.choices:
            offered = view.choices[column]
            pairs = offered() if callable(offered) else offered
            return [(value, str(label)) for value, label in pairs]
        if view.datamodel.is_boolean(column):
            return [("1", _("Yes")), ("0", _("No"))]
        related = view.datamodel.get_related_model(column)
        return [(str(key), words) for key, words in labels_of(related).items()][:200]

    def empty(self) -> dict[str, Any]:
        """Why a list is empty and what to do."""
        view = self.view
        if self.state.unreadable:
            return {
                "title": _("These search words can no longer be read"),
                "text": _(
                    "They are kept for the one who searched, for some hours. Type them again."
                ),
                "url": view._own_url("list"),
                "action": _("Show the whole list"),
            }
        if not self.related and (self.state.chosen or self.state.text):
            return {
                "title": _("Nothing matches"),
                "text": _("No record fits the search and the filters."),
                "url": view._own_url("list"),
                "action": _("Clear the filters"),
            }
        add = view._own_url("add") if view.may("can_add") and not self.related else None
        return {
            "title": str(view.empty_title),
            "text": str(view.empty_text),
            "url": add,
            "action": str(view.add_title) if add else "",
        }

    def _url(self, _endpoint: str | None = None, **changes: Any) -> str:
        """This list with other parameters; None leaves one out."""
        kept = {**self._args, **changes}
        query = urlencode(
            [(key, value) for key, value in kept.items() if value is not None], safe=_PLAIN
        )
        path = url_for(f"{self.view.endpoint}.{_endpoint}") if _endpoint else self._path
        return f"{path}?{query}" if query else path

    @cached_property
    def _args(self) -> Mapping[str, Any]:
        """The parameters of this page's address that its links take along."""
        private = self.view.private_search
        args: dict[str, Any] = {
            key: value
            for key, value in request.args.items()
            if len(value) <= (LONGEST if private and key == "q" else MAX_TEXT)
            and key not in (request.view_args or ())
        }
        if private and "q" in args and not args["q"].startswith("~"):
            # Somebody wrote the address himself: from here on the words are sealed, too.
            args["q"] = url_words(args["q"])
        return args

    @cached_property
    def _path(self) -> str:
        return url_for(str(request.endpoint), **(request.view_args or {}))


def row_urls(view: Any, method: str) -> Callable[[Any], str] | None:
    """The address of each row's page, escaped, built once for all rows; None where there is none."""
    pattern = view._own_url(method, pk=_GAP)
    if pattern is None:
        return None
    before, _gap, after = str(escape(pattern)).partition(_GAP)
    return lambda pk: f"{before}{pk if isinstance(pk, int) else quote(str(pk), safe='')}{after}"


def _clean(text: str) -> str:
    """A parameter without control characters and not longer than anything one searches for."""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:MAX_TEXT]


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 10:
        return None
    return int(text)
