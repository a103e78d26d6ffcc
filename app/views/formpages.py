"""Adding and editing on the hardened base: a form is saved whole, or it is shown again whole."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import inspect
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from app.errors import error_sentence
from app.extensions import db
from app.models.base import Model
from app.sop.errors import SopError
from app.stepup import fresh_where_asked
from app.views.formkeys import check_form_key, new_form_key, result_of_key, spend_form_key

#: For `asks_again`: settings, on which every later case depends.
EVERY_CHANGE: Final = frozenset({"add", "edit", "delete"})
#: The hidden field that says which state of a record a form was opened over.
SEEN_STATE: Final = "seen_state"


class RefusedForm(Exception):  # noqa: N818 - it is an answer to a form, not a failure
    """A form that validated is still refused: messages by field, "" for the whole form."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__(str(self.errors))


@contextlib.contextmanager
def beside(field: str) -> Iterator[None]:
    """Show what a service refuses beside this field of the form."""
    try:
        yield
    except SopError as error:
        raise RefusedForm({field: error_sentence(error)}) from error


class FormsMixin:
    """The two forms of a table's screen; the class that mixes it in says which columns."""

    #: A column that two editors of one record are told apart by, when the model has one.
    version_column: ClassVar[str | None] = None
    submit_label: ClassVar[Any] = _l("Save")
    #: The routes of this screen (`add`, `edit`, `delete`) and the names of its actions that ask
    #: again who it is (`app.stepup`).
    asks_again: ClassVar[frozenset[str]] = frozenset()

    @expose("/add", methods=["GET", "POST"])
    @has_access
    @fresh_where_asked
    def add(self) -> ResponseReturnValue:
        if request.method == "GET":
            form = self.add_form.refresh()
            self.prefill_add(form)
            return self._form_page(form, new=True)
        form = self.add_form.refresh(request.form)
        key = check_form_key()
        if result_of_key(db.session, key):  # before a "there is one already" of its own row
            return redirect(self._result_again(key), 303)
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
    @fresh_where_asked
    def edit(self, pk: str) -> ResponseReturnValue:
        item = self.get_or_404(pk)
        if request.method == "GET":
            form = self.edit_form.refresh(obj=item)
            self.prefill_form(form, pk)
            return self._form_page(form, item=item)
        # Held while it is compared and written: of two editors the second waits, then is told.
        db.session.refresh(item, with_for_update={"of": type(item)})
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
                raise RefusedForm({"": changed_by_another()})
        seen_state = request.form.get(SEEN_STATE)
        if seen_state is not None and seen_state != self._state_of(item):
            raise RefusedForm({"": changed_by_another()})
        with db.session.no_autoflush:
            form.populate_obj(item)
            self.pre_update(item)
        if self.version_column:
            setattr(item, self.version_column, getattr(item, self.version_column) + 1)
        db.session.flush()

    def _state_of(self, item: Any) -> str:
        """A sum of what the edit form shows of a record: another one when somebody changed it."""
        form = self.edit_form(formdata=None, obj=item)
        self.prefill_form(form, item_pk(self, item))
        seen = [(name, _plain(form[name].data)) for name in sorted(self.edit_columns)]
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:32]

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
        except (IntegrityError, DataError, StaleDataError) as error:
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
        if item is not None:
            hidden[SEEN_STATE] = request.form.get(SEEN_STATE) or self._state_of(item)
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


def changed_by_another() -> str:
    """What the second of two editors reads."""
    return _("Somebody else changed this record while you had it open.")


def _plain(value: Any) -> Any:
    """A field's value without the rows behind it, always in one order."""
    if isinstance(value, list | tuple | set):
        return sorted(str(_plain(each)) for each in value)
    if isinstance(value, Model):
        return inspect(value).identity
    return value


def item_pk(view: Any, item: Any) -> Any:
    """The key of a row."""
    return getattr(item, view.datamodel.get_pk_name())
