"""When the office works, and how long each step of its SOP may take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from typing import Any, ClassVar

from babel.dates import get_day_names
from flask_appbuilder.forms import DynamicForm
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_

from app.extensions import db
from app.formats import local_date, short_date
from app.models import Holiday, SopStep, WorkingHours
from app.services.actor import Actor
from app.services.reference import hours_of, require_usual_hours
from app.views.base import OfficeModelView
from app.views.formbase import CheckedTogether
from app.views.formpages import EVERY_CHANGE
from app.views.interface import OfficeInterface
from app.views.office import the_sop
from app.views.validators import (
    Unused,
    choice_field,
    clock_field,
    day_field,
    number_field,
    text_field,
)

HOLIDAY_KINDS: tuple[tuple[str, Any], ...] = (
    ("libur_nasional", _l("National holiday")),
    ("cuti_bersama", _l("Collective leave")),
    ("libur_daerah", _l("Local holiday")),
)
CERTAINTIES: tuple[tuple[str, Any], ...] = (
    ("tetap", _l("Certain")),
    ("perkiraan", _l("Expected, not decreed yet")),
)


class HolidayForm(DynamicForm):  # type: ignore[misc]
    """A day on which the office is closed."""

    day = day_field(
        _l("Day"), hint=_l("No office minutes are counted on it, and no due date falls on it.")
    )
    name = text_field(_l("Name"), 120)
    kind = choice_field(_l("Kind"), HOLIDAY_KINDS, default="libur_nasional")
    certainty = choice_field(
        _l("Certainty"),
        CERTAINTIES,
        default="tetap",
        hint=_l("Days of the moon calendar are expected until the government decrees them."),
    )

    def validate_day(self, field: Any) -> None:
        """A day is closed once."""
        Unused(Holiday, "day", _("This day is a holiday already."))(self, field)


class HolidayView(OfficeModelView):
    """Holidays and collective leave."""

    datamodel = OfficeInterface(Holiday)
    asks_again = EVERY_CHANGE
    class_permission_name = "Holiday"
    route_base = "/reference/holidays"
    exclude_route_methods: ClassVar[set[str]] = {"download"}
    list_title = _l("Holidays")
    show_title = _l("Holiday")
    add_title = _l("Add a holiday")
    edit_title = _l("Edit the holiday")
    add_form = edit_form = HolidayForm
    label_columns: ClassVar[dict[str, Any]] = {
        "day": _l("Day"),
        "name": _l("Name"),
        "kind": _l("Kind"),
        "certainty": _l("Certainty"),
    }
    list_columns: ClassVar[list[str]] = ["day", "name", "kind", "certainty"]
    show_columns: ClassVar[list[str]] = ["day", "name", "kind", "certainty"]
    order_columns: ClassVar[list[str]] = ["day", "name"]
    base_order = ("day", "desc")
    page_size = 50
    search_columns: ClassVar[list[str]] = ["kind", "certainty"]
    filter_columns = ("kind", "certainty")
    choices: ClassVar[dict[str, Any]] = {"kind": HOLIDAY_KINDS, "certainty": CERTAINTIES}
    text_columns = ("name",)
    text_label = _l("Search by name or year")
    edit_columns: ClassVar[list[str]] = ["day", "name", "kind", "certainty"]
    add_columns: ClassVar[list[str]] = edit_columns
    empty_title = _l("No holiday yet")
    empty_text = _l("Without holidays the clocks run on every working day of the year.")

    def text_condition(self, model: Any, text: str) -> Any:
        """Part of a name, or a year such as 2027."""
        if text.isascii() and text.isdigit() and len(text) == 4 and "1900" <= text <= "9998":
            year = int(text)
            return and_(Holiday.day >= date(year, 1, 1), Holiday.day <= date(year, 12, 31))
        return super().text_condition(model, text)

    def item_title(self, item: Holiday) -> str:
        """The holiday by its name alone; its day stands below."""
        return item.name

    def cell(self, item: Holiday, column: str) -> Any:
        """The day with its weekday, kinds by their names."""
        if column == "day":
            return f"{weekday_name(item.day.weekday())}, {local_date(item.day)}"
        if column == "kind":
            return str(dict(HOLIDAY_KINDS).get(item.kind, item.kind))
        if column == "certainty":
            return str(dict(CERTAINTIES).get(item.certainty, item.certainty))
        return super().cell(item, column)


# --- working hours ---


def weekday_name(weekday: int) -> str:
    """`Senin` or `Monday`; 0 is Monday."""
    locale = get_locale() or "id"
    return str(get_day_names("wide", locale=locale)[weekday]).capitalize()


def weekday_choices() -> list[tuple[int, str]]:
    """The days of the week, Monday first."""
    return [(number, weekday_name(number)) for number in range(7)]


def clock(value: time | None) -> str:
    """`07.30` in Indonesian, `07:30` in English."""
    if value is None:
        return ""
    english = (get_locale() or "id") != "id" and get_locale().language == "en"
    return f"{value:%H:%M}" if english else f"{value:%H.%M}"


class WorkingHoursForm(CheckedTogether):
    """Opening hours of one weekday, usual or for a span such as Ramadan."""

    weekday = choice_field(_l("Weekday"), weekday_choices, coerce=int, default=0)
    opens = clock_field(_l("Opens"))
    closes = clock_field(_l("Closes"))
    break_from = clock_field(_l("Break from"), needed=False, hint=_l("Empty: no break."))
    break_to = clock_field(_l("Break to"), needed=False)
    valid_from = day_field(
        _l("First day"),
        needed=False,
        hint=_l("Only for a span with hours of its own, such as Ramadan. Empty: always."),
    )
    valid_to = day_field(_l("Last day"), needed=False)

    def mistakes(self) -> Iterator[tuple[str, str]]:
        opens, closes = self.opens.data, self.closes.data
        begins, ends = self.break_from.data, self.break_to.data
        first, last = self.valid_from.data, self.valid_to.data
        if opens and closes and closes <= opens:
            yield "closes", _("The office closes before it opens.")
        if bool(begins) != bool(ends) and not (self.break_from.errors or self.break_to.errors):
            yield "break_to" if begins else "break_from", _("A break needs both its ends.")
        if begins and ends and ends <= begins:
            yield "break_to", _("The break ends before it begins.")
        if begins and opens and begins <= opens:
            yield "break_from", _("The break lies outside the opening hours.")
        if ends and closes and ends >= closes:
            yield "break_to", _("The break lies outside the opening hours.")
        if bool(first) != bool(last) and not (self.valid_from.errors or self.valid_to.errors):
            yield (
                "valid_to" if first else "valid_from",
                _("A span needs its first and its last day."),
            )
        if first and last and last < first:
            yield "valid_to", _("The span ends before it begins.")
        if not (self.weekday.errors or self.valid_from.errors):
            other = hours_of(db.session(), self.weekday.data, first)
            if other is not None and other.id != getattr(self, "_id", None):
                yield "weekday", _("There are hours for this weekday already; edit those.")


class WorkingHoursView(OfficeModelView):
    """Working hours."""

    datamodel = OfficeInterface(WorkingHours)
    asks_again = EVERY_CHANGE
    class_permission_name = "WorkingHours"
    route_base = "/reference/working_hours"
    exclude_route_methods: ClassVar[set[str]] = {"download"}
    list_title = _l("Working hours")
    show_title = _l("Working hours")
    add_title = _l("Add hours of a weekday")
    edit_title = _l("Edit the hours")
    add_form = edit_form = WorkingHoursForm
    label_columns: ClassVar[dict[str, Any]] = {
        "weekday": _l("Weekday"),
        "opens": _l("Opens"),
        "closes": _l("Closes"),
        "pause": _l("Break"),
        "valid_from": _l("Valid"),
    }
    list_columns: ClassVar[list[str]] = ["weekday", "opens", "closes", "pause", "valid_from"]
    show_columns: ClassVar[list[str]] = list_columns
    order_columns: ClassVar[list[str]] = ["weekday", "valid_from"]
    base_order = ("weekday", "asc")
    page_size = 50
    search_columns: ClassVar[list[str]] = ["weekday"]
    filter_columns = ("weekday",)
    choices: ClassVar[dict[str, Any]] = {"weekday": weekday_choices}
    edit_fieldsets: ClassVar[list[Any]] = [
        (_l("Hours"), {"fields": ["weekday", "opens", "closes", "break_from", "break_to"]}),
        (_l("Span"), {"fields": ["valid_from", "valid_to"]}),
    ]
    add_fieldsets: ClassVar[list[Any]] = edit_fieldsets
    edit_columns: ClassVar[list[str]] = [
        "weekday",
        "opens",
        "closes",
        "break_from",
        "break_to",
        "valid_from",
        "valid_to",
    ]
    add_columns: ClassVar[list[str]] = edit_columns
    empty_title = _l("No working hours yet")
    empty_text = _l("A weekday without hours is closed. Add the hours of each working day.")

    def item_title(self, item: WorkingHours) -> str:
        """The row has no name of its own."""
        return f"{weekday_name(item.weekday)} {clock(item.opens)}–{clock(item.closes)}"

    def cell(self, item: WorkingHours, column: str) -> Any:
        """Names of weekdays, times as people write them, and when the row counts."""
        if column == "weekday":
            return weekday_name(item.weekday)
        if column in ("opens", "closes"):
            return clock(getattr(item, column))
        if column == "pause":
            return f"{clock(item.break_from)}–{clock(item.break_to)}" if item.break_from else ""
        if column == "valid_from":
            if item.valid_from is None:
                return _("Always")
            return f"{short_date(item.valid_from)} – {short_date(item.valid_to)}"
        return super().cell(item, column)

    def pre_update(self, item: WorkingHours) -> None:
        """The last day of the ordinary week does not become a span."""
        if item.valid_from is not None:
            require_usual_hours(db.session(), but_not=[item.id])

    def pre_delete(self, item: WorkingHours) -> None:
        """The last day of the ordinary week stays."""
        if item.valid_from is None:
            require_usual_hours(db.session(), but_not=[item.id])


# --- standard minutes ---


def _with_clock(actor: Actor) -> ColumnElement[bool]:
    return and_(SopStep.clock.is_(True), SopStep.active.is_(True))


class SopStepForm(DynamicForm):  # type: ignore[misc]
    """The only thing of a step that the office changes here."""

    standard_minutes = number_field(
        _l("Standard minutes"),
        1,
        480,
        hint=_l("Counts for cases that enter the step from now on; the past keeps its standard."),
    )


class SopStepView(OfficeModelView):
    """Standard minutes of the steps; their structure is the SOP file's."""

    datamodel = OfficeInterface(SopStep, row_rule=_with_clock)
    asks_again = EVERY_CHANGE
    class_permission_name = "SopStep"
    route_base = "/reference/standard_minutes"
    exclude_route_methods: ClassVar[set[str]] = {"add", "delete", "download"}
    list_title = _l("Standard minutes")
    show_title = _l("Step")
    edit_title = _l("Edit the standard minutes")
    edit_form = SopStepForm
    label_columns: ClassVar[dict[str, Any]] = {
        "label_id": _l("Step"),
        "number": _l("No."),
        "actor": _l("Carried out by"),
        "activity": _l("Activity"),
        "output": _l("Output"),
        "standard_minutes": _l("Standard minutes"),
        "file_minutes": _l("On the office's sheet"),
    }
    list_columns: ClassVar[list[str]] = ["label_id", "actor", "standard_minutes", "file_minutes"]
    show_columns: ClassVar[list[str]] = [
        "number",
        "activity",
        "actor",
        "output",
        "standard_minutes",
        "file_minutes",
    ]
    # One that the list does not show: FAB takes an empty list for "all".
    order_columns: ClassVar[list[str]] = ["position"]
    base_order = ("position", "asc")
    search_columns: ClassVar[list[str]] = ["actor"]
    add_columns: ClassVar[list[str]] = ["standard_minutes"]
    edit_columns: ClassVar[list[str]] = ["standard_minutes"]

    def cell(self, item: SopStep, column: str) -> Any:
        """The step as the SOP file has it, the minutes as the office has set them."""
        step = next((step for step in the_sop().steps if step.key == item.key), None)
        if column == "label_id":
            return str(item.label)
        if column == "standard_minutes":
            return _("%(minutes)s min", minutes=item.standard_minutes)
        if step is None:
            return ""
        if column == "actor":
            return str(the_sop().lane(step.actor).label)
        if column == "file_minutes":
            return _("%(minutes)s min", minutes=step.standard_minutes)
        if column in ("number", "activity", "output"):
            return getattr(step, column)
        return super().cell(item, column)
