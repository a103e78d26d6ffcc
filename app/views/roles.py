"""The roles that Admin TI manages: who may do what."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import g
from flask_appbuilder.fields import QuerySelectMultipleField
from flask_appbuilder.fieldwidgets import BS3TextFieldWidget, Select2ManyWidget
from flask_appbuilder.security.views import RoleModelView as FabRoleModelView
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from app.access import current_actor
from app.extensions import db
from app.models import Permission, PermissionView, Role, ViewMenu
from app.services.rights import ensure_may_set_permissions, holds_role
from app.views.base import HardenedMixin
from app.views.formpages import beside
from app.views.interface import OfficeInterface
from app.views.own_account import printable
from app.views.permission_labels import permission_label


def _permission_views() -> list[PermissionView]:
    return list(
        db.session.scalars(
            select(PermissionView)
            .join(PermissionView.view_menu)
            .join(PermissionView.permission)
            .options(joinedload(PermissionView.permission), joinedload(PermissionView.view_menu))
            .order_by(ViewMenu.name, Permission.name)
        )
    )


class RoleModelView(HardenedMixin, FabRoleModelView):  # type: ignore[misc]
    """Who may do what: an edit here takes effect at the next request."""

    datamodel: Any = None
    asks_again = frozenset({"add", "edit"})
    list_title = _l("Roles")
    show_title = _l("Role")
    add_title = _l("Add a role")
    edit_title = _l("Edit the role")
    list_columns: ClassVar[list[str]] = ["name", "permissions"]
    show_columns: ClassVar[list[str]] = ["name", "permissions"]
    search_columns: ClassVar[list[str]] = ["name"]
    order_columns: ClassVar[list[str]] = ["name"]
    base_order = ("name", "asc")
    text_columns = ("name",)
    text_label = _l("Search roles")
    label_columns: ClassVar[dict[str, Any]] = {"name": _l("Name"), "permissions": _l("Permissions")}
    edit_columns: ClassVar[list[str]] = ["name", "permissions"]
    add_columns: ClassVar[list[str]] = ["name", "permissions"]
    edit_form_extra_fields: ClassVar[dict[str, Any]] = {}

    def __init__(self, **kwargs: Any) -> None:
        fields = {
            "name": lambda: StringField(
                _l("Name"),
                validators=[InputRequired(), Length(max=64), printable],
                widget=BS3TextFieldWidget(),
            ),
            "permissions": lambda: QuerySelectMultipleField(
                _l("Permissions"),
                query_func=_permission_views,
                get_pk_func=lambda row: row.id,
                get_label=permission_label,
                widget=Select2ManyWidget(),
                description=_l("What an officer with this role may do, by screen."),
            ),
        }
        self.add_form_extra_fields = {name: make() for name, make in fields.items()}
        self.edit_form_extra_fields = {name: make() for name, make in fields.items()}
        self.datamodel = OfficeInterface(Role, eager_many=("permissions",))
        super().__init__(**kwargs)
        self.actions = {}

    def save_new(self, form: Any, item: Any) -> None:
        """A new role holds nothing that its maker may not give."""
        with beside("permissions"):
            ensure_may_set_permissions(
                current_actor(), form.name.data, (), form.permissions.data, own=False
            )
        super().save_new(form, item)

    def save_changes(self, form: Any, item: Any) -> None:
        """Nobody adds to a role of his own, nor moves a right that he may not give."""
        actor = current_actor()
        with beside("permissions"):
            ensure_may_set_permissions(
                actor,
                item.name,
                item.permissions,
                form.permissions.data,
                own=holds_role(db.session(), actor.id, item),
            )
        super().save_changes(form, item)

    def cell(self, item: Any, column: str) -> Any:
        """A list shows how many permissions there are, the page which."""
        if column == "permissions":
            if g.get("role_list"):
                return str(len(item.permissions))
            return ", ".join(sorted(permission_label(row) for row in item.permissions))
        return super().cell(item, column)

    def rows(self, state: Any) -> Any:
        """The rows of the list, which shows numbers where the page shows names."""
        g.role_list = True
        return super().rows(state)
