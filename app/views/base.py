"""The hardened base of every screen that FAB generates.

Each override answers a line of what is known to go wrong with a stock `ModelView`: actions that
skip the row rule, filters shared by threads, pages of any size, a refused save that looks like a
success or is saved all the same. Nothing on a view object changes during a request.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import ModelView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from app.access import current_actor, current_permissions
from app.errors import error_sentence
from app.extensions import db
from app.formats import value as shown_value
from app.frame import framed
from app.sop.errors import SopError
from app.stepup import fresh_where_asked, require_fresh_sign_in
from app.views import formbase  # noqa: F401  its import gives every form our messages
from app.views.cells import Cells, cell_text
from app.views.formpages import FormsMixin, RefusedForm, item_pk
from app.views.interface import COUNT_ALL, COUNT_CAP, Rows
from app.views.list_state import ListState, default_text_condition, read_state
from app.views.listing import Listing
from app.views.widgets import OfficeFormWidget, OfficeListWidget, OfficeShowWidget

log = logging.getLogger(__name__)

MAX_ACTION_ROWS = 100
#: Rows a related tab shows; more are one click away on the list itself.
RELATED_ROWS = 10


class HardenedMixin(FormsMixin):
    """What every FAB model view of this panel shares; put it before FAB's class."""

    # No delete, no download by name: a screen that may delete says so.
    exclude_route_methods: ClassVar[set[str]] = {"delete", "download"}

    list_widget = OfficeListWidget
    show_widget = OfficeShowWidget
    add_widget = OfficeFormWidget
    edit_widget = OfficeFormWidget

    add_row_message = _l("Saved.")
    edit_row_message = _l("Saved.")
    delete_row_message = _l("Deleted.")

    #: Columns that the search box looks into; text columns of the model only.
    text_columns: ClassVar[Sequence[str]] = ()
    text_label: ClassVar[Any] = _l("Search")
    #: Whether the words are posted and stand sealed in addresses (see `PrivateSearchMixin`).
    private_search: ClassVar[bool] = False
    #: Columns offered as a choice above the list: relations or columns with `choices`. A function
    #: there reads stamped tables alone: what it offers is remembered (`app/models/stamp.py`).
    filter_columns: ClassVar[Sequence[str]] = ()
    choices: ClassVar[Mapping[str, Any]] = {}
    empty_title: ClassVar[Any] = _l("Nothing here yet")
    empty_text: ClassVar[Any] = ""

    # --- state that stock FAB keeps on the view ---

    @property
    def _filters(self) -> Any:
        """Fresh filters for each request: shared ones leak between threads (FAB issue 2366)."""
        if not hasattr(self, "datamodel"):
            return None
        store = g.setdefault("view_filters", {}) if g else {}
        name = type(self).__name__
        if name not in store:
            store[name] = self.datamodel.get_filters(self.search_columns)
        return store[name]

    @_filters.setter
    def _filters(self, value: Any) -> None:
        """FAB assigns one at start-up; it is not kept."""

    def update_redirect(self) -> None:
        """Keep no history of pages: it would put what was searched for into the cookie."""

    def get_redirect(self) -> str:
        """Back to this screen's own list."""
        return self._own_url("list") or url_for("IndexView.index")

    # --- lists ---

    @expose("/list/")
    @has_access
    def list(self) -> ResponseReturnValue:
        # FAB's list widget would draw its template apart, with a context of its own.
        return framed(self.list_title, Listing(self, read_state(self)).body())

    def text_condition(self, model: Any, text: str) -> Any:
        """What the search box means for this screen."""
        return default_text_condition(self, model, text)

    def searched(self, text: str) -> Any:
        """The same as `text_condition`, made once for all texts alike; None where there is none."""
        return None

    #: Makes of a list's query one of the columns that `cell` needs; None loads whole rows.
    row_shape: ClassVar[Any] = None

    def rows(self, state: ListState) -> Rows:
        """The rows of one page of the list."""
        return self.datamodel.page(  # type: ignore[no-any-return]
            state.filters.get_joined_filters(self._base_filters),
            state.order or self.base_order or (self.datamodel.get_pk_name(), "asc"),
            state.page_size,
            page=state.page,
            place=state.place,
            shape=type(self).row_shape,
            values=state.values,
            count_to=COUNT_ALL if state.count_all else COUNT_CAP,
        )

    def query_page(self, state: ListState) -> tuple[int, list[Any]]:
        """The rows of one page as whole records, for an export."""
        column, direction = state.order or self.base_order or ("", "")
        filters = state.filters.get_joined_filters(self._base_filters)
        return self.datamodel.query(  # type: ignore[no-any-return]
            filters,
            column,
            direction,
            page=state.page,
            page_size=state.page_size,
            values=state.values,
        )

    def cell(self, item: Any, column: str) -> Any:
        """One value of a row as it is shown; formatters of the screen come first."""
        raw = getattr(item, column)
        if callable(raw):
            raw = raw()
        formatter = self.formatters_columns.get(column)
        return formatter(raw) if formatter else shown_value(raw)

    def cells(self) -> Cells:
        """What makes the cells of one line; here what is the same for all lines is looked up once."""
        columns = self.list_columns
        return lambda item: [cell_text(self.cell(item, column)) for column in columns]

    def list_actions(self) -> list[Any]:
        """The batch actions the present officer may use on this list."""
        return [
            item
            for name, item in self.actions.items()
            if item.multiple and self.may(self.get_action_permission_name(name))
        ]

    def show_actions(self, item: Any) -> list[Any]:
        """The actions this row and this officer allow now."""
        return [
            action
            for name, action in self.actions.items()
            if action.single and self.may(self.get_action_permission_name(name))
        ]

    def may(self, permission: str) -> bool:
        """Whether the present officer holds a permission on this screen."""
        return (
            permission in self.base_permissions
            and (permission, self.class_permission_name) in current_permissions()
        )

    # --- one record ---

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> ResponseReturnValue:
        item = self.get_or_404(pk)
        widgets = {
            "show": self._show_widget(item),
            "related_views": [self._related(view, item) for view in self._open_related()],
        }
        return render_template(
            self.show_template,
            pk=item_pk(self, item),
            item=item,
            title=self.item_title(item),
            kind_title=self.show_title,
            widgets=widgets,
            related_views=self._open_related(),
            appbuilder=self.appbuilder,
            **self.show_extra(item),
        )

    def item_title(self, item: Any) -> Any:
        """What a record is called on its own page."""
        return str(item) or self.show_title

    def show_extra(self, item: Any) -> dict[str, Any]:
        """What a screen's own show template needs besides."""
        return {}

    def get_or_404(self, pk: Any, *eager: str) -> Any:
        """The row behind a key of the URL, with relations; "not there" and "not yours" look the same."""
        item = self.datamodel.get(pk, self._base_filters, eager=eager)
        if item is None:
            abort(404)
        return item

    def _show_widget(self, item: Any, fieldsets: Any = None, actions: Any = None) -> Any:
        pk = item_pk(self, item)
        columns = self.show_columns
        if fieldsets:
            columns = [name for _title, body in fieldsets for name in body["fields"]]
        return self.show_widget(
            pk=pk,
            label_columns=self.label_columns,
            include_columns=columns,
            value_columns=[self.cell(item, name) for name in columns],
            formatters_columns={},
            fieldsets=fieldsets or self.show_fieldsets,
            modelview_name=type(self).__name__,
            show_actions=[
                {
                    "name": action.name,
                    "text": action.text,
                    "icon": action.icon,
                    "url": self._own_url("action", name=action.name, pk=pk),
                    "danger": False,
                    "primary": False,
                    "confirm": action.confirmation,
                }
                for action in (self.show_actions(item) if actions is None else actions)
            ],
            action_hidden={},
            edit_url=self._own_url("edit", pk=pk) if self.may("can_edit") else None,
            delete_url=self._own_url("delete", pk=pk) if self.may("can_delete") else None,
            back_url=self._own_url("list") if self.may("can_list") else None,
        )

    def _open_related(self) -> list[Any]:
        """The related screens that the officer may list: a tab shows no more than its screen."""
        return [view for view in self._related_views if view.may("can_list")]

    def _related(self, view: Any, item: Any) -> Any:
        """A related screen's rows of this record, under that screen's own row rule."""
        state = ListState.for_related(view, self.datamodel.obj, item_pk(self, item), RELATED_ROWS)
        return view.list_widget(**Listing(view, state, related=True).context())

    # --- deleting ---

    @expose("/delete/<pk>", methods=["POST"])
    @has_access
    @fresh_where_asked
    def delete(self, pk: str) -> ResponseReturnValue:
        item = self.get_or_404(pk)
        try:
            self.pre_delete(item)
            db.session.delete(item)
            db.session.commit()
        except SopError as error:
            db.session.rollback()
            flash(error_sentence(error), "danger")
        except IntegrityError:
            db.session.rollback()
            flash(_("Other records refer to it; it was not deleted."), "danger")
        else:
            flash(self.delete_row_message, "success")
        return redirect(self.get_redirect(), 303)

    # --- actions ---

    @expose("/action/<string:name>/<pk>", methods=["POST"])
    def action(self, name: str, pk: str) -> ResponseReturnValue:
        """One action on one row that the officer may know of."""
        chosen = self._action_or_stop(name, single=True)
        if name in self.asks_again and (answer := require_fresh_sign_in()) is not None:
            return answer
        return self._answer(chosen.func(self.get_or_404(pk)))

    @expose("/action_post", methods=["POST"])
    def action_post(self) -> ResponseReturnValue:
        """One action on the rows ticked in a list; rows of others are simply not among them."""
        chosen = self._action_or_stop(request.form.get("action", ""), single=False)
        pks = request.form.getlist("rowid")
        if len(pks) > MAX_ACTION_ROWS:
            abort(400)
        items = self.datamodel.get_many(pks, self._base_filters)
        if not items:
            flash(_("Choose at least one row."), "warning")
            return redirect(self.get_redirect(), 303)
        return self._answer(chosen.func(items))

    def _action_or_stop(self, name: str, *, single: bool) -> Any:
        if not current_actor().id:
            abort(redirect(url_for("AuthDBView.login", next=self.get_redirect()), 303))
        chosen = self.actions.get(name)
        if chosen is None or not (chosen.single if single else chosen.multiple):
            abort(404)
        if not self.may(self.get_action_permission_name(name)):
            abort(403)
        return chosen

    def _answer(self, answer: Any) -> ResponseReturnValue:
        return (
            answer
            if isinstance(answer, Response | str | tuple)
            else redirect(self.get_redirect(), 303)
        )

    def _own_url(self, method: str, **values: Any) -> str | None:
        """The URL of one of this screen's own routes, None when it has no such route."""
        if method in self.exclude_route_methods:
            return None
        return url_for(f"{self.endpoint}.{method}", **values)


class OfficeModelView(HardenedMixin, ModelView):  # type: ignore[misc]
    """The base class of every screen over a table."""


__all__ = ["HardenedMixin", "OfficeModelView", "RefusedForm", "item_pk"]
