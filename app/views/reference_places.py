"""Kecamatan, desa and kelurahan; and who the office is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from flask import abort, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms.validators import Optional, ValidationError

from app.auditing import audit
from app.extensions import db
from app.formats import local
from app.models import Office, Region
from app.views.base import OfficeModelView
from app.views.formpages import EVERY_CHANGE
from app.views.interface import OfficeInterface
from app.views.office import request_time
from app.views.reference import ACTIVE_HINT, active_badge
from app.views.validators import (
    Matches,
    Unused,
    WholeNumberField,
    choice_field,
    day_field,
    long_text_field,
    mail_address,
    number_field,
    text_field,
    tick_field,
    web_address,
)

REGION_KINDS: tuple[tuple[str, Any], ...] = (
    ("kecamatan", _l("Kecamatan")),
    ("desa", _l("Desa")),
    ("kelurahan", _l("Kelurahan")),
)


def kecamatan_choices() -> list[tuple[str, str]]:
    """The kecamatan by name; a regency has a few dozen at most."""
    rows = db.session.execute(
        select(Region.code, Region.name)
        .where(Region.kind == "kecamatan")
        .order_by(Region.name)
        .limit(100)
    )
    return [(code, name) for code, name in rows]


def _parent_choices() -> list[tuple[str, Any]]:
    return [("", _l("None: it is a kecamatan itself")), *kecamatan_choices()]


class RegionEditForm(DynamicForm):  # type: ignore[misc]
    """A place; its code and its kecamatan belong together and stay."""

    name = text_field(_l("Name"), 80)
    postal_code = text_field(
        _l("Postal code"),
        5,
        needed=False,
        checks=[Matches(r"\d{5}", _l("Five digits, please."))],
        inputmode="numeric",
        **{"class": "input-short"},
    )
    active = tick_field(_l("In use"), hint=ACTIVE_HINT, default=True)


class RegionAddForm(RegionEditForm):
    """A new place."""

    code = text_field(
        _l("Kemendagri code"),
        13,
        checks=[
            Matches(
                r"\d{2}\.\d{2}\.\d{2}(\.\d{4})?",
                _l("A code such as 33.25.11 (kecamatan) or 33.25.11.1015 (desa, kelurahan)."),
            ),
            Unused(Region, "code"),
        ],
        hint=_l("33.25.11 for a kecamatan, 33.25.11.1015 for a desa or kelurahan in it."),
        **{"class": "input-mid"},
    )
    kind = choice_field(_l("Kind"), REGION_KINDS, default="desa")
    parent_code = choice_field(_l("Kecamatan"), _parent_choices, default="")

    def validate_parent_code(self, field: Any) -> None:
        """A desa or kelurahan lies in the kecamatan of its code."""
        code = self.code.data or ""
        if self.code.errors or not code:
            return
        if self.kind.data == "kecamatan":
            if field.data or len(code) != 8:
                raise ValidationError(
                    _("A kecamatan has a code such as 33.25.11 and lies in no other.")
                )
        elif len(code) != 13 or field.data != code[:8]:
            raise ValidationError(
                _("Code %(code)s lies in kecamatan %(parent)s.", code=code, parent=code[:8])
            )


class RegionView(OfficeModelView):
    """Places."""

    datamodel = OfficeInterface(Region, eager=("parent",))
    asks_again = EVERY_CHANGE
    class_permission_name = "Region"
    route_base = "/reference/regions"
    list_title = _l("Kecamatan and desa")
    show_title = _l("Place")
    add_title = _l("Add a place")
    edit_title = _l("Edit the place")
    add_form, edit_form = RegionAddForm, RegionEditForm
    label_columns: ClassVar[dict[str, Any]] = {
        "code": _l("Code"),
        "name": _l("Name"),
        "kind": _l("Kind"),
        "parent": _l("Kecamatan"),
        "parent_code": _l("Kecamatan"),
        "postal_code": _l("Postal code"),
        "active": _l("In use"),
    }
    list_columns: ClassVar[list[str]] = ["name", "kind", "parent", "code", "postal_code", "active"]
    order_columns: ClassVar[list[str]] = ["name", "code", "postal_code"]
    show_columns: ClassVar[list[str]] = [
        "name",
        "kind",
        "parent",
        "code",
        "postal_code",
        "active",
    ]
    base_order = ("code", "asc")
    search_columns: ClassVar[list[str]] = ["parent_code", "kind", "active"]
    filter_columns = ("parent_code", "kind", "active")
    choices: ClassVar[dict[str, Any]] = {"parent_code": kecamatan_choices, "kind": REGION_KINDS}
    text_columns = ("name", "code", "postal_code")
    text_label = _l("Search by name, code or postal code")
    edit_columns: ClassVar[list[str]] = ["name", "postal_code", "active"]
    add_columns: ClassVar[list[str]] = [
        "kind",
        "parent_code",
        "code",
        "name",
        "postal_code",
        "active",
    ]

    def cell(self, item: Region, column: str) -> Any:
        """Kinds by their names, the badge of use."""
        if column == "kind":
            return str(dict(REGION_KINDS).get(item.kind, item.kind))
        if column == "active":
            return active_badge(item.active)
        return super().cell(item, column)

    def pre_add(self, item: Region) -> None:
        """A kecamatan lies in no other."""
        item.parent_code = item.parent_code or None


# --- the office ---


class OfficeForm(DynamicForm):  # type: ignore[misc]
    """Who the office is, and the head of its SOP sheet; what is blank stays blank there."""

    government = text_field(_l("Government"), 160, hint=_l("For example: Pemerintah Kabupaten …"))
    name = text_field(_l("Office"), 160)
    unit = text_field(_l("Division"), 200, needed=False)
    address = text_field(_l("Address"), 300, needed=False)
    phone = text_field(
        _l("Telephone"),
        40,
        needed=False,
        checks=[Matches(r"[0-9 +()/.-]{5,40}", _l("Digits, blanks and + ( ) / . - only."))],
        inputmode="tel",
        **{"class": "input-mid"},
    )
    email = text_field(_l("Email"), 120, needed=False, checks=[mail_address], inputmode="email")
    website = text_field(_l("Website"), 160, needed=False, checks=[web_address], inputmode="url")
    region_code = text_field(
        _l("Code of the regency"),
        13,
        checks=[Matches(r"\d{2}\.\d{2}", _l("A Kemendagri code such as 33.25."))],
        hint=_l("The NIK of the office's own residents begins with it."),
        **{"class": "input-short"},
    )
    quiet_days = number_field(
        _l("Days without news of a parcel"),
        1,
        90,
        hint=_l("After so many days the dispatch desk asks after it."),
    )
    retention_months = WholeNumberField(
        _l("Months for which finished cases are kept"),
        low=1,
        high=600,
        description=_l(
            "After so many months names, numbers, texts and files of a case are erased for good;"
            " its place in the statistics stays. Empty: nothing is erased."
        ),
        validators=[Optional()],
    )
    same_person_reason = text_field(
        _l("Why one officer may check and sign the same case"),
        300,
        needed=False,
        hint=_l(
            "For an office too small for two. Empty: who checked a case at SIAK never signs it."
            " What is written here stands on the signing page and in the history of each case."
        ),
    )
    same_person_until = day_field(_l("Exception until"), needed=False)
    sop_number = text_field(_l("SOP number"), 80, needed=False)
    sop_created = day_field(_l("Made on"), needed=False)
    sop_revised = day_field(_l("Revised on"), needed=False)
    sop_effective = day_field(_l("In force from"), needed=False)
    sop_approved_by = text_field(
        _l("Approved by"), 160, needed=False, hint=_l("Name and office of who signed the SOP.")
    )
    sop_legal_basis = long_text_field(_l("Legal basis"), 4000, hint=_l("One item a line."))
    sop_qualification = long_text_field(_l("Qualification of those who carry it out"), 4000)
    sop_related = long_text_field(_l("Related SOPs"), 4000)
    sop_equipment = long_text_field(_l("Equipment"), 4000)
    sop_warning = long_text_field(_l("Warning"), 4000)
    sop_recording = long_text_field(_l("Recording and data"), 4000)

    def validate_same_person_reason(self, field: Any) -> None:
        """An exception has an end."""
        if (field.data or "").strip() and not self.same_person_until.data:
            raise ValidationError(_("Say until which day the exception holds."))

    def validate_same_person_until(self, field: Any) -> None:
        """An exception has a reason, and its end lies within a year."""
        if field.data and not (self.same_person_reason.data or "").strip():
            raise ValidationError(_("Write the reason as well, or leave both empty."))
        today = local(request_time()).date()
        if field.data and field.data > today + timedelta(days=366):
            raise ValidationError(_("An exception holds for a year at most; then it is looked at."))

    def validate_sop_revised(self, field: Any) -> None:
        """A sheet is revised after it was made."""
        made = self.sop_created.data
        if field.data and made and field.data < made:
            raise ValidationError(_("This lies before the day the SOP was made."))


class OfficeView(OfficeModelView):
    """The office: one row, edited and never added."""

    datamodel = OfficeInterface(Office)
    asks_again = EVERY_CHANGE
    class_permission_name = "Office"
    route_base = "/reference/office"
    exclude_route_methods: ClassVar[set[str]] = {"add", "delete", "download"}
    list_title = show_title = _l("Office")
    edit_title = _l("Edit the office")
    edit_form = OfficeForm
    label_columns: ClassVar[dict[str, Any]] = {
        "government": _l("Government"),
        "name": _l("Office"),
        "unit": _l("Division"),
        "address": _l("Address"),
        "phone": _l("Telephone"),
        "email": _l("Email"),
        "website": _l("Website"),
        "region_code": _l("Code of the regency"),
        "quiet_days": _l("Days without news of a parcel"),
        "retention_months": _l("Months for which finished cases are kept"),
        "same_person_reason": _l("Why one officer may check and sign the same case"),
        "same_person_until": _l("Exception until"),
        "sop_number": _l("SOP number"),
        "sop_created": _l("Made on"),
        "sop_revised": _l("Revised on"),
        "sop_effective": _l("In force from"),
        "sop_approved_by": _l("Approved by"),
        "sop_legal_basis": _l("Legal basis"),
        "sop_qualification": _l("Qualification of those who carry it out"),
        "sop_related": _l("Related SOPs"),
        "sop_equipment": _l("Equipment"),
        "sop_warning": _l("Warning"),
        "sop_recording": _l("Recording and data"),
    }
    list_columns: ClassVar[list[str]] = ["name"]
    add_columns: ClassVar[list[str]] = ["name"]
    search_columns: ClassVar[list[str]] = ["name"]
    order_columns: ClassVar[list[str]] = ["name"]
    edit_columns: ClassVar[list[str]] = list(label_columns)
    show_columns: ClassVar[list[str]] = list(label_columns)
    show_fieldsets: ClassVar[list[Any]] = [
        (
            _l("Identity"),
            {
                "fields": [
                    "government",
                    "name",
                    "unit",
                    "address",
                    "phone",
                    "email",
                    "website",
                    "region_code",
                    "quiet_days",
                    "retention_months",
                ]
            },
        ),
        (
            _l("Separation of duties"),
            {"fields": ["same_person_reason", "same_person_until"]},
        ),
        (
            _l("Head of the SOP sheet"),
            {
                "fields": [
                    "sop_number",
                    "sop_created",
                    "sop_revised",
                    "sop_effective",
                    "sop_approved_by",
                    "sop_legal_basis",
                    "sop_qualification",
                    "sop_related",
                    "sop_equipment",
                    "sop_warning",
                    "sop_recording",
                ]
            },
        ),
    ]
    edit_fieldsets: ClassVar[list[Any]] = show_fieldsets

    @expose("/list/")
    @has_access
    def list(self) -> ResponseReturnValue:
        """There is one office, so its list is its page."""
        pk = db.session.execute(select(Office.id).order_by(Office.id).limit(1)).scalar()
        if pk is None:
            abort(404)
        return redirect(url_for(f"{self.endpoint}.show", pk=pk))

    def save_changes(self, form: Any, item: Any) -> None:
        """An exception from the separation of duties is told to the audit log with its reason."""
        before = (item.same_person_reason, item.same_person_until)
        super().save_changes(form, item)
        if before != (item.same_person_reason, item.same_person_until):
            until = item.same_person_until
            audit(
                "duties_exception",
                "office",
                {"reason": item.same_person_reason, "until": until.isoformat() if until else ""},
            )

    def _show_widget(self, item: Any, fieldsets: Any = None, actions: Any = None) -> Any:
        widget = super()._show_widget(item, fieldsets or self.show_fieldsets, actions)
        widget.template_args["back_url"] = url_for("IndexView.index")
        return widget
