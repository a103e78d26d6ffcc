"""Signing in, and the users that Admin TI manages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.actions import action
from flask_appbuilder.fields import QuerySelectMultipleField
from flask_appbuilder.fieldwidgets import (
    BS3TextFieldWidget,
    Select2ManyWidget,
)
from flask_appbuilder.security.decorators import has_access
from flask_appbuilder.security.views import (
    UserDBModelView as FabUserDBModelView,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy import select
from wtforms import BooleanField, StringField
from wtforms.validators import (
    Email,
    InputRequired,
    Length,
    Regexp,
    ValidationError,
)

from app.access import account_of, current_actor
from app.extensions import db
from app.formats import local_datetime
from app.models import Role, User
from app.passwords import hash_password
from app.services.rights import (
    ensure_may_manage,
    ensure_may_set_active,
    ensure_may_set_roles,
)
from app.sign_in import end_sessions
from app.views.base import HardenedMixin
from app.views.formpages import beside
from app.views.interface import OfficeInterface
from app.views.own_account import (
    ResetMyPasswordView,
    ResetPasswordView,
    UserInfoEditView,
    new_password,
    printable,
    repeated,
)
from app.views.roles import RoleModelView
from app.views.signing_in import AuthDBView


def _roles() -> list[Role]:
    return list(
        db.session.scalars(
            select(Role).where(Role.name.not_in(("Admin", "Public"))).order_by(Role.name)
        )
    )


def _user_fields() -> dict[str, Any]:
    text = BS3TextFieldWidget
    return {
        "first_name": StringField(
            _l("First name"),
            validators=[InputRequired(), Length(max=64), printable],
            widget=text(),
        ),
        "last_name": StringField(
            _l("Last name"), validators=[InputRequired(), Length(max=64), printable], widget=text()
        ),
        "username": StringField(
            _l("User name"),
            description=_l("For signing in: letters, digits, dot, dash."),
            validators=[
                InputRequired(),
                Length(min=2, max=64),
                Regexp(r"^[A-Za-z0-9._-]+$", message=_l("Only letters, digits, dot and dash.")),
            ],
            widget=text(),
        ),
        "email": StringField(
            _l("Email"), validators=[InputRequired(), Length(max=320), Email()], widget=text()
        ),
        "active": BooleanField(
            _l("May sign in"), default=True, description=_l("Switch off instead of deleting.")
        ),
        "roles": QuerySelectMultipleField(
            _l("Roles"),
            query_func=_roles,
            get_pk_func=lambda role: role.id,
            widget=Select2ManyWidget(),
            validators=[_at_least_one],
        ),
    }


def _at_least_one(form: Any, field: Any) -> None:
    if not field.data:
        raise ValidationError(_("Choose at least one role."))


class UserDBModelView(HardenedMixin, FabUserDBModelView):  # type: ignore[misc]
    """The officers of the panel."""

    datamodel: Any = None
    asks_again = frozenset({"add", "edit"})
    list_title = _l("Users")
    show_title = _l("User")
    add_title = _l("Add a user")
    edit_title = _l("Edit the user")
    label_columns: ClassVar[dict[str, Any]] = {
        "full_name": _l("Name"),
        "get_full_name": _l("Name"),
        "first_name": _l("First name"),
        "last_name": _l("Last name"),
        "username": _l("User name"),
        "email": _l("Email"),
        "active": _l("May sign in"),
        "roles": _l("Roles"),
        "last_login": _l("Last sign-in"),
        "login_count": _l("Sign-ins"),
        "fail_login_count": _l("Failed sign-ins"),
        "password": _l("First password"),
        "conf_password": _l("Repeat the password"),
    }
    list_columns: ClassVar[list[str]] = [
        "username",
        "get_full_name",
        "roles",
        "active",
        "last_login",
    ]
    order_columns: ClassVar[list[str]] = ["username", "last_login"]
    base_order = ("username", "asc")
    search_columns: ClassVar[list[str]] = ["username", "first_name", "last_name", "active"]
    text_columns = ("username", "first_name", "last_name", "email")
    text_label = _l("Search names")
    filter_columns = ("active",)
    show_columns: ClassVar[list[str]] = []
    show_fieldsets: ClassVar[list[Any]] = [
        (_l("Account"), {"fields": ["username", "get_full_name", "email", "roles", "active"]}),
        (_l("Sign-ins"), {"fields": ["last_login", "login_count", "fail_login_count"]}),
    ]
    user_show_fieldsets: ClassVar[list[Any]] = [
        (_l("Account"), {"fields": ["username", "get_full_name", "email", "roles"]}),
    ]
    user_info_title = _l("My profile")
    add_columns: ClassVar[list[str]] = [
        "first_name",
        "last_name",
        "username",
        "email",
        "roles",
        "active",
        "password",
        "conf_password",
    ]
    edit_columns: ClassVar[list[str]] = [
        "first_name",
        "last_name",
        "username",
        "email",
        "roles",
        "active",
    ]
    add_form_extra_fields: ClassVar[dict[str, Any]] = {
        **_user_fields(),
        "password": new_password(_l("First password")),
        "conf_password": repeated(_l("Repeat the password")),
    }
    edit_form_extra_fields: ClassVar[dict[str, Any]] = _user_fields()
    validators_columns: ClassVar[dict[str, Any]] = {}

    def __init__(self, **kwargs: Any) -> None:
        # FAB's manager hands its views its own data access, which fails on a key that is none.
        self.datamodel = OfficeInterface(User, eager_many=("roles",))
        super().__init__(**kwargs)

    @action("resetmypassword", _l("Change my password"), icon="key-round", multiple=False)
    def resetmypassword(self, item: Any) -> ResponseReturnValue:
        return redirect(url_for("ResetMyPasswordView.this_form_get"), 303)

    @action("userinfoedit", _l("Change my name"), icon="pencil", multiple=False)
    def userinfoedit(self, item: Any) -> ResponseReturnValue:
        return redirect(url_for("UserInfoEditView.this_form_get"), 303)

    @action("resetpasswords", _l("Set a new password"), icon="key-round", multiple=False)
    def resetpasswords(self, item: Any) -> ResponseReturnValue:
        return redirect(url_for("ResetPasswordView.this_form_get", pk=item.id), 303)

    @action("signins", _l("Sign-ins and sessions"), icon="monitor", multiple=False)
    def signins(self, item: Any) -> ResponseReturnValue:
        return redirect(url_for("UserSignInView.show", pk=item.id), 303)

    def show_actions(self, item: Any) -> list[Any]:
        """Only these belong to another person's account."""
        return [self.actions[name] for name in ("resetpasswords", "signins") if self.may(name)]

    @expose("/userinfo/")
    @has_access
    def userinfo(self) -> ResponseReturnValue:
        item = db.session.get_one(User, current_user.id)
        actions = [
            self.actions[name] for name in ("resetmypassword", "userinfoedit") if self.may(name)
        ]
        widget = self._show_widget(item, self.user_show_fieldsets, actions)
        widget.template_args["edit_url"] = None
        widget.template_args["delete_url"] = None
        return render_template(
            self.show_template,
            title=self.user_info_title,
            widgets={"show": widget, "related_views": []},
            related_views=[],
            item=item,
            appbuilder=self.appbuilder,
        )

    def cell(self, item: Any, column: str) -> Any:
        """FAB keeps the last sign-in in the server's own naive time; show it as such an instant."""
        if column == "last_login" and item.last_login is not None:
            return local_datetime(item.last_login.astimezone(UTC))
        return super().cell(item, column)

    def pre_add(self, item: Any) -> None:
        item.password = hash_password(item.password)
        item.created_on = item.changed_on = datetime.now(UTC).replace(tzinfo=None)

    def save_new(self, form: Any, item: Any) -> None:
        """A new officer must change his first password when he signs in."""
        with beside("roles"):
            ensure_may_set_roles(current_actor(), None, (), form.roles.data)
        super().save_new(form, item)
        account_of(item.id).must_change_password = True

    def save_changes(self, form: Any, item: Any) -> None:
        """Taking the account or a role away ends the sessions at once."""
        actor = current_actor()
        with beside(""):
            ensure_may_manage(db.session(), actor, item)
        with beside("roles"):
            ensure_may_set_roles(actor, item.id, item.roles, form.roles.data)
        with beside("active"):
            ensure_may_set_active(actor, item.id, active=form.active.data)
        before = (item.active, {role.id for role in item.roles})
        super().save_changes(form, item)
        if before != (item.active, {role.id for role in item.roles}):
            end_sessions(item.id)

    def pre_update(self, item: Any) -> None:
        item.changed_on = datetime.now(UTC).replace(tzinfo=None)


SECURITY_VIEWS: dict[str, Any] = {
    "userdbmodelview": UserDBModelView,
    "rolemodelview": RoleModelView,
    "authdbview": AuthDBView,
    "resetmypasswordview": ResetMyPasswordView,
    "resetpasswordview": ResetPasswordView,
    "userinfoeditview": UserInfoEditView,
}
