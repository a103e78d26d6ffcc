"""One's own account, and the first password of another: small forms of their own."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.fieldwidgets import (
    BS3PasswordFieldWidget,
    BS3TextFieldWidget,
)
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import has_access
from flask_appbuilder.security.views import (
    ResetMyPasswordView as FabResetMyPasswordView,
)
from flask_appbuilder.security.views import (
    ResetPasswordView as FabResetPasswordView,
)
from flask_appbuilder.security.views import (
    UserInfoEditView as FabUserInfoEditView,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_user
from wtforms import PasswordField, StringField
from wtforms.validators import (
    EqualTo,
    InputRequired,
    Length,
    ValidationError,
)

from app.access import account_of, current_actor
from app.extensions import db
from app.models import User
from app.passwords import ONE_TIME_LASTS, check_password, one_time_password, own_words, problem_of
from app.services.password_rules import MOST
from app.services.rights import ensure_may_manage
from app.sign_in import record_sign_in
from app.sign_in_tries import forget_tries
from app.stepup import fresh_where_asked
from app.views.interface import OfficeInterface
from app.views.widgets import OfficeFormWidget


def new_password(label: Any) -> PasswordField:
    """Long rather than complicated, and none that is guessed first (`password_rules`)."""
    return PasswordField(
        label,
        description=_l("At least 12 characters; a short sentence is easy to remember."),
        validators=[
            InputRequired(),
            printable,
            not_guessed_first,
        ],
        widget=BS3PasswordFieldWidget(),
        render_kw={"autocomplete": "new-password", "maxlength": str(MOST)},
    )


def repeated(label: Any) -> PasswordField:
    """The same password once more."""
    return PasswordField(
        label,
        validators=[
            InputRequired(),
            EqualTo("password", message=_l("Both passwords must be the same.")),
        ],
        widget=BS3PasswordFieldWidget(),
        render_kw={"autocomplete": "new-password"},
    )


def not_guessed_first(form: Any, field: Any) -> None:
    """A new password follows the rules, said beside the field."""
    if hasattr(form, "own_words"):
        own = form.own_words()
    else:
        names = ("username", "first_name", "last_name", "email")
        own = [form[name].data for name in names if name in form]
    if problem := problem_of(field.data or "", *own):
        raise ValidationError(_(problem[0], **problem[1]))


def printable(form: Any, field: Any) -> None:
    """Nothing that cannot be seen."""
    if any(ord(letter) < 32 for letter in field.data or ""):
        raise ValidationError(_("Control characters are not possible here."))


class OneTimeForm(DynamicForm):  # type: ignore[misc]
    """Nothing to type: the password is made here."""


class MyPasswordForm(DynamicForm):  # type: ignore[misc]
    """A new password for oneself; the present one is asked for."""

    current = PasswordField(
        _l("Present password"),
        validators=[InputRequired()],
        widget=BS3PasswordFieldWidget(),
        render_kw={"autocomplete": "current-password"},
    )
    password = new_password(_l("New password"))
    conf_password = repeated(_l("Repeat the new password"))

    def validate_current(self, field: Any) -> None:
        """Only who knows the present password sets a new one."""
        if not check_password(current_user.password, field.data or ""):
            raise ValidationError(_("This is not your present password."))

    def own_words(self) -> list[str]:
        """Who changes it is who signs in with it."""
        return own_words(current_user)


class ProfileForm(DynamicForm):  # type: ignore[misc]
    """One's own name."""

    first_name = StringField(
        _l("First name"),
        validators=[InputRequired(), Length(max=64), printable],
        widget=BS3TextFieldWidget(),
    )
    last_name = StringField(
        _l("Last name"),
        validators=[InputRequired(), Length(max=64), printable],
        widget=BS3TextFieldWidget(),
    )


class _OwnForm:
    """FAB's simple forms without its history of pages, with the status of a refused form."""

    form: Any
    back_endpoint = "UserDBModelView.userinfo"
    #: The routes that ask again who it is (`app.stepup`).
    asks_again: frozenset[str] = frozenset()

    @expose("/form", methods=["GET"])
    @has_access
    @fresh_where_asked
    def this_form_get(self) -> ResponseReturnValue:
        form = self.form()
        self.fill(form)
        return self._page(form)

    @expose("/form", methods=["POST"])
    @has_access
    @fresh_where_asked
    def this_form_post(self) -> ResponseReturnValue:
        form = self.form()
        if not form.validate():
            return self._page(form), 422
        return self.save(form)

    def fill(self, form: Any) -> None:
        """Put what is known into the empty form."""

    def save(self, form: Any) -> ResponseReturnValue:
        """Do what the valid form asks for."""
        raise AssertionError("every form saves something")

    def _page(self, form: Any) -> str:
        widget = OfficeFormWidget(
            form=form,
            include_cols=[name for name in form._fields if name != "csrf_token"],
            exclude_cols=[],
            fieldsets=None,
            back_url=url_for(self.back_endpoint),
            submit_label=_("Save"),
            multipart=False,
            hidden={},
        )
        return render_template(
            "appbuilder/general/model/edit.html",
            title=self.form_title,  # type: ignore[attr-defined]
            widgets={"edit": widget},
            form=form,
            related_views=[],
            hidden={},
            back_url=url_for(self.back_endpoint),
            appbuilder=self.appbuilder,  # type: ignore[attr-defined]
        )


class ResetMyPasswordView(_OwnForm, FabResetMyPasswordView):  # type: ignore[misc]
    """Change one's own password; the other sessions end, this one goes on."""

    form = MyPasswordForm
    form_title = _l("Change my password")

    def save(self, form: Any) -> ResponseReturnValue:
        manager = self.appbuilder.sm
        account_of(current_user.id).must_change_password = False
        record_sign_in("password_changed", current_user)
        manager.reset_password(current_user.id, form.password.data)
        g.second_factor = g.sign_in.second_factor
        login_user(db.session.get_one(User, current_user.id), remember=False)
        flash(_("Your password was changed."), "success")
        return redirect(url_for("IndexView.index"), 303)


class ResetPasswordView(_OwnForm, FabResetPasswordView):  # type: ignore[misc]
    """Give somebody a password for one use: made here, shown once, changed at the next sign-in."""

    form = OneTimeForm
    form_title = _l("New password for a user")
    asks_again = frozenset({"this_form_get", "this_form_post"})
    back_endpoint = "UserDBModelView.list"

    def save(self, form: Any) -> ResponseReturnValue:
        user = self._user()
        secret = one_time_password()
        account = account_of(user.id)
        account.must_change_password = True
        forget_tries(user)
        record_sign_in("password_reset", user, by_himself=False)
        self.appbuilder.sm.reset_password(user.id, secret, expires=ONE_TIME_LASTS)
        return self._shown(user, secret)

    def _page(self, form: Any) -> str:
        return self._shown(self._user())

    def _shown(self, user: User, secret: str = "") -> str:
        return render_template(
            "aduan/one_time_password.html",
            title=self.form_title,
            user=user,
            secret=secret,
            days=ONE_TIME_LASTS.days,
            back_url=url_for("UserDBModelView.show", pk=user.id),
            appbuilder=self.appbuilder,
        )

    def _user(self) -> User:
        user = OfficeInterface(User).get(request.args.get("pk", ""))
        if user is None:
            abort(404)
        # Who sets a password can sign in with it.
        ensure_may_manage(db.session(), current_actor(), user)
        return user


class UserInfoEditView(_OwnForm, FabUserInfoEditView):  # type: ignore[misc]
    """Change one's own name."""

    form = ProfileForm
    form_title = _l("Change my name")

    def fill(self, form: Any) -> None:
        form.first_name.data, form.last_name.data = current_user.first_name, current_user.last_name

    def save(self, form: Any) -> ResponseReturnValue:
        user = db.session.get_one(User, current_user.id)
        user.first_name, user.last_name = form.first_name.data.strip(), form.last_name.data.strip()
        db.session.commit()
        flash(_("Saved."), "success")
        return redirect(url_for("UserDBModelView.userinfo"), 303)
