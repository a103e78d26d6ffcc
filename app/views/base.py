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
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.wrappers import Response

from app.access import current_actor, current_permissions
from app.errors import error_sentence
from app.extensions import db
from app.formats import value as shown_value
from app.sop.errors import SopError
from app.views import formbase  # noqa: F401  its import gives every form our messages
from app.views.formkeys import check_form_key, new_form_key, result_of_key, spend_form_key
from app.views.listing import Listing, ListState, default_text_condition, read_state
from app.views.widgets import OfficeFormWidget, OfficeListWidget, OfficeShowWidget

log = logging.getLogger(__name__)

MAX_ACTION_ROWS = 100
#: Rows a related tab shows; more are one click away on the list itself.
RELATED_ROWS = 10


class RefusedForm(Exception):  # noqa: N818 - it is an answer to a form, not a failure
    """A form that validated is still refused: messages by field, "" for the whole form."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__(str(self.errors))


class HardenedMixin:
    """What every FAB model view of this panel shares; put it before FAB's class."""

    # No delete, no download by name: a screen that may delete says so.
    exclude_route_methods: ClassVar[set[str]] = {"delete", "download"}

    list_widget = OfficeListWidget
    show_widget = OfficeShowWidget
    add_widget = OfficeFormWidget
    edit_widget = OfficeFormWidget
    list_template = "appbuilder/general/model/list.html"

    add_row_message = _l("Saved.")
    edit_row_message = _l("Saved.")
    delete_row_message = _l("Deleted.")

    #: Columns that the search box looks into; text columns of the model only.
    text_columns: ClassVar[Sequence[str]] = ()
    text_label: ClassVar[Any] = _l("Search")
    #: Columns offered as a choice above the list: relations or columns with `choices`.
    filter_columns: ClassVar[Sequence[str]] = ()
    choices: ClassVar[Mapping[str, Any]] = {}
    empty_title: ClassVar[Any] = _l("Nothing here yet")
    empty_text: ClassVar[Any] = ""
    #: A column that two editors of one record are told apart by, when the model has one.
    version_column: ClassVar[str | None] = None
    submit_label: ClassVar[Any] = _l("Save")

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
        state = read_state(self)
        listing = Listing(self, state)
        widgets = {"list": self.list_widget(**listing.context())}
        return render_template(
            self.list_template,
            title=self.list_title,
            widgets=widgets,
            appbuilder=self.appbuilder,
            listing=listing,
            **self.list_extra(),
        )

    def list_extra(self) -> dict[str, Any]:
        """What a screen's own list template needs besides."""
        return {}

    def text_condition(self, model: Any, text: str) -> Any:
        """What the search box means for this screen."""
        return default_text_condition(self, model, text)

    def query_page(self, state: ListState) -> tuple[int, list[Any]]:
        """The rows of one page."""
        column, direction = state.order or self.base_order or ("", "")
        filters = state.filters.get_joined_filters(self._base_filters)
        return self.datamodel.query(  # type: ignore[no-any-return]
            filters, column, direction, page=state.page, page_size=state.page_size
        )

    def cell(self, item: Any, column: str) -> Any:
        """One value of a row as it is shown; formatters of the screen come first."""
        raw = getattr(item, column)
        if callable(raw):
            raw = raw()
        formatter = self.formatters_columns.get(column)
        return formatter(raw) if formatter else shown_value(raw)

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

    def get_or_404(self, pk: Any) -> Any:
        """The row behind a key of the URL; "not there" and "not yours" look the same."""
        item = self.datamodel.get(pk, self._base_filters)
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

    # --- adding and editing ---

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> ResponseReturnValue:
        if request.method == "GET":
            form = self.add_form.refresh()
            self.prefill_add(form)
            return self._form_page(form, new=True)
        form = self.add_form.refresh(request.form)
        key = check_form_key()
        if form.validate():
            item = self.datamodel.obj()
            refusal = self._try(lambda: self.save_new(form, item), form)
            if refusal is None:
                if not spend_form_key(db.session, key, self._result_of(item)):
                    return redirect(self._result_again(key), 303)
                refusal = self._commit(form)
            if refusal is None:
                flash(self.add_row_message, "success")
                return redirect(self.after_add(item), 303)
        return self._form_page(form, new=True), 422

    @expose("/edit/<pk>", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: str) -> ResponseReturnValue:
        item = self.get_or_404(pk)
        if request.method == "GET":
            form = self.edit_form.refresh(obj=item)
            self.prefill_form(form, pk)
            return self._form_page(form, item=item)
        form = self._posted(item)
        if form.validate():
            # The row is written only when nothing refuses it: FAB fills it in first and commits
            # a refused change with the next one.
            refusal = self._try(lambda: self.save_changes(form, item), form)
            if refusal is None:
                refusal = self._commit(form)
            if refusal is None:
                flash(self.edit_row_message, "success")
                return redirect(self.after_edit(item), 303)
            item = self.get_or_404(pk)
        return self._form_page(form, item=item), 422

    def _posted(self, item: Any) -> Any:
        """The posted form over the record: a field that was not sent keeps its value.

        A browser sends nothing for an empty tick box, so those count only when the form says
        that it showed them (`shown`).
        """
        form = self.edit_form(obj=item)
        form._id = item_pk(self, item)
        if "shown" not in request.form:
            untouched = self.edit_form(formdata=None, obj=item)
            for name, field in form._fields.items():
                if name not in request.form and name != "csrf_token":
                    field.data = untouched._fields[name].data
        return form

    def save_new(self, form: Any, item: Any) -> None:
        """Write a new record from a valid form; flushes, the caller commits."""
        form.populate_obj(item)
        self.pre_add(item)
        db.session.add(item)
        db.session.flush()

    def save_changes(self, form: Any, item: Any) -> None:
        """Write a valid form into a record; flushes, the caller commits.

        Raises:
            RefusedForm: another editor was faster.
        """
        if self.version_column:
            seen = request.form.get("seen_version", "")
            if seen != str(getattr(item, self.version_column)):
                raise RefusedForm(
                    {"": _("Somebody else changed this record while you had it open.")}
                )
        with db.session.no_autoflush:
            form.populate_obj(item)
            self.pre_update(item)
        if self.version_column:
            setattr(item, self.version_column, getattr(item, self.version_column) + 1)
        db.session.flush()

    def prefill_add(self, form: Any) -> None:
        """Fill an empty form before it is shown."""

    def prefill_form(self, form: Any, pk: Any) -> None:
        """Fill what an edit form shows beyond the model's columns."""

    def after_add(self, item: Any) -> str:
        """Where a saved new record leads to."""
        pk = item_pk(self, item)
        return (self.may("can_show") and self._own_url("show", pk=pk)) or self.get_redirect()

    def after_edit(self, item: Any) -> str:
        """Where a saved change leads to."""
        return self.after_add(item)

    def _try(self, save: Any, form: Any) -> bool | None:
        """Save, or put the refusal beside its field and undo everything; None when it went well."""
        try:
            save()
        except RefusedForm as refusal:
            db.session.rollback()
            self._refuse(form, refusal.errors)
            return True
        except SopError as error:
            db.session.rollback()
            self._refuse(form, {"": error_sentence(error)})
            return True
        except (IntegrityError, StaleDataError) as error:
            db.session.rollback()
            self._refuse(form, self.integrity_messages(form, error))
            return True
        return None

    def _commit(self, form: Any) -> bool | None:
        return self._try(db.session.commit, form)

    def integrity_messages(self, form: Any, error: Exception) -> dict[str, str]:
        """What a refused row means, in words without the database's own."""
        text = str(getattr(error, "orig", "")).lower()
        if "unique" in text:
            for column in self.datamodel.obj.__mapper__.columns:
                if column.unique and column.key in form._fields and column.key in text:
                    return {column.key: _("Already exists.")}
            return {"": _("Such a record exists already.")}
        if "foreign key" in text:
            return {"": _("Other records refer to it.")}
        return {"": _("These values do not fit together; look at them again.")}

    def _refuse(self, form: Any, errors: Mapping[str, str]) -> None:
        for name, text in errors.items():
            field = form._fields.get(name)
            if field is not None:
                field.errors = [*field.errors, text]
            else:
                form.form_errors = [*form.form_errors, text]

    def _form_page(self, form: Any, *, new: bool = False, item: Any = None) -> str:
        hidden = {"form_key": request.form.get("form_key") or new_form_key()} if new else {}
        if item is not None and self.version_column:
            hidden["seen_version"] = request.form.get("seen_version") or str(
                getattr(item, self.version_column)
            )
        hidden["shown"] = "1"
        widget_class = self.add_widget if new else self.edit_widget
        back = self._own_url("list") if self.may("can_list") else None
        if item is not None and self.may("can_show"):
            back = self._own_url("show", pk=item_pk(self, item)) or back
        widget = widget_class(
            form=form,
            include_cols=self.add_columns if new else self.edit_columns,
            exclude_cols=[],
            fieldsets=self.add_fieldsets if new else self.edit_fieldsets,
            back_url=back or url_for("IndexView.index"),
            submit_label=self.submit_label,
            multipart=False,
            hidden=hidden,
        )
        return render_template(
            self.add_template if new else self.edit_template,
            title=self.add_title if new else self.edit_title,
            widgets={"add" if new else "edit": widget},
            form=form,
            item=item,
            related_views=[],
            appbuilder=self.appbuilder,
            hidden=hidden,
            back_url=back,
        )

    def _result_of(self, item: Any) -> str:
        return str(item_pk(self, item))

    def _result_again(self, key: str) -> str:
        """A form sent twice leads to the record that its first sending made."""
        pk = result_of_key(db.session, key)
        if pk and self.may("can_show"):
            return self._own_url("show", pk=pk) or self.get_redirect()
        return self.get_redirect()

    # --- deleting ---

    @expose("/delete/<pk>", methods=["POST"])
    @has_access
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


def item_pk(view: Any, item: Any) -> Any:
    """The key of a row."""
    return getattr(item, view.datamodel.get_pk_name())
