"""A list page as it is shown: its lines, and around them what is the same for the same reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from app.access import current_permissions
from app.gaps import Gapped, new_gap
from app.models.stamp import STAMPED
from app.parts import words
from app.remembered import kept, remembered
from app.sop.text import language
from app.views.cells import Line, drawn_options, table_lines
from app.views.interface import COUNT_ALL, COUNT_CAP
from app.views.labels import labels_of
from app.views.list_state import MAX_TEXT, PAGE_SIZES, ListState
from app.views.paging import MOST_SKIPPED, Place, can_be_a_place
from app.views.private_words import LONGEST, url_words

#: Letters of parameters with which a page is still kept, and the pages that are kept.
MOST_KEPT = 300
MOST_DRAWN = 300
_GAPS = tuple(map(new_gap, ("lines", "token", "after", "before", "words", "query")))
_LINES, _TOKEN, _AFTER, _BEFORE, _WORDS, _QUERY = _GAPS
#: Stands in the pattern of an address where the key goes.
_GAP = "0row0"
#: What may stand in the parameters of an address as it is.
_PLAIN = "!$'()*,/:;?@"


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
        #: While a page is drawn to be kept: gaps for the rows that pages lie after and before, and
        #: for the words that were searched for.
        self._gaps: dict[Any, str] = {}

    def _lines(self, actions: Sequence[Any]) -> Markup:
        """The lines of the table."""
        _ = words()
        view, key = self.view, self.view.datamodel.get_pk_name()
        line = Line(
            labels=[self._labels.get(name, "") for name in view.list_columns],
            choose=str(_("Choose %(name)s")) if actions else None,
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

    def body(self) -> Markup:
        """All of a list page but its frame, drawn once for the same reader, choices and counts.

        Only lines, places, words and the session's token differ then: they go into gaps, and nothing
        of them is kept.
        """
        view, state = self.view, self.state
        can, actions = kept(
            ("list rights", type(view), current_permissions()),
            lambda: (self._can(), tuple(view.list_actions())),
        )
        fields, token = self._fields(), generate_csrf()

        def draw() -> Gapped:
            self._gaps = {1: _AFTER, -1: _BEFORE, "q": _QUERY}
            context = {**self._context(can, actions, fields), "lines": _LINES}
            if state.text:
                context["filter_bar"]["q"] = _WORDS
            text = render_template(
                "aduan/list_body.html",
                **context,
                header_actions=True,
                title=view.list_title,
            )
            self._gaps = {}
            # Imported macros take it from the application, whatever they are handed.
            return Gapped.cut(text.replace(token, _TOKEN), _GAPS)

        args = tuple(pair for pair in request.args.items(multi=True) if pair[0] != "q")
        if sum(len(value) for _key, value in args) > MOST_KEPT:
            drawn = draw()
        else:
            key = (
                type(view), language.get(), request.script_root, request.path, args,
                bool(state.text), state.unreadable, "q" in self._args,
                state.page, state.page_size, state.order, state.place is None, len(self.items),
                self.count, self.capped, self.has_next, self.has_previous,
                *can.values(), *(action.name for action in actions),
                *(field["options"] for field in fields),
            )  # fmt: skip
            drawn = kept(key, draw, "lists", MOST_DRAWN)
        values = {
            _LINES: self._lines(actions),
            _TOKEN: escape(token),
            _WORDS: escape(state.text),
            _QUERY: escape(quote_plus(self._args.get("q", ""), safe=_PLAIN)),
        }
        for gap, away in ((_AFTER, 1), (_BEFORE, -1)):
            place = self._place(away) if gap in drawn.pieces else None
            values[gap] = escape(quote(place.row(), safe=_PLAIN)) if place else Markup("")
        return drawn.filled(values)

    def _can(self) -> dict[str, bool]:
        """What the officer may do from this list."""
        view = self.view
        return {
            "show": view.may("can_show"),
            "edit": view.may("can_edit"),
            "add": view.may("can_add") and not self.related,
            "delete": view.may("can_delete"),
            "export": view.may("can_export") and not self.related,
        }

    def context(self) -> dict[str, Any]:
        """The list template's variables, for a list within another page."""
        actions = [] if self.related else self.view.list_actions()
        fields = [] if self.related else self._fields()
        return {**self._context(self._can(), actions, fields), "lines": self._lines(actions)}

    def _context(
        self, can: Mapping[str, bool], actions: Sequence[Any], fields: Sequence[Any]
    ) -> dict[str, Any]:
        view, state, name = self.view, self.state, type(self.view).__name__
        size = max(state.page_size, 1)
        return {
            "label_columns": self._labels,
            "include_columns": view.list_columns,
            "rows": len(self.items),
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
            "filter_bar": None if self.related else self.filter_bar(fields),
            "modelview_name": name,
            "related": self.related,
            "can": can,
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
            **{f"page_{name}": page, f"from_{name}": self._address(place) if place else None}
        )

    def _address(self, place: Place) -> str:
        """A place as a parameter; of a page that is kept, with a gap where the row goes."""
        return place.address(self._gaps.get(1 if place.forward else -1))

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

    def _fields(self) -> list[dict[str, Any]]:
        """The choices above the list."""
        view, state = self.view, self.state
        return [
            {
                "name": f"_flt_0_{column}",
                "label": self._labels.get(column, column),
                "options": self._drawn_options(column, state.chosen.get(column, "")),
            }
            for column in view.filter_columns
        ]

    def _drawn_options(self, column: str, chosen: str) -> Markup:
        """A choice as it stands on the page; most of the time none of its options is chosen."""
        view = type(self.view)

        def draw(_session: Any) -> Markup:
            return drawn_options(tuple(self.options(column)), chosen)

        if chosen or not _of_stamped_tables(view, column):
            return draw(None)
        return remembered(("drawn options", view, column, language.get()), draw)

    def filter_bar(self, fields: Sequence[Any]) -> dict[str, Any]:
        """The search box and the choices above the list."""
        view, state = self.view, self.state
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
        if "q" in kept and "q" in self._gaps:
            kept["q"] = self._gaps["q"]
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


@lru_cache(maxsize=500)
def _of_stamped_tables(view: type[Any], column: str) -> bool:
    """Whether what a column can be filtered by is declared, or changes with the stamp alone."""
    if column in view.choices or view.datamodel.is_boolean(column):
        return True
    return view.datamodel.get_related_model(column).__tablename__ in STAMPED


def row_urls(view: Any, method: str) -> Callable[[Any], str] | None:
    """The address of each row's page, escaped, built once for all rows; None where there is none."""
    key = ("row url", type(view), method, request.script_root)
    pattern = kept(key, lambda: view._own_url(method, pk=_GAP) or "")
    if not pattern:
        return None
    before, _gap, after = str(escape(pattern)).partition(_GAP)
    return lambda pk: f"{before}{pk if isinstance(pk, int) else quote(str(pk), safe='')}{after}"
