"""The filter bar of charts and SOP Hidup: everything stands in the URL, and nothing in it can fail."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Category, Channel, Region, SopStep
from app.services.statistics import Scope

DEFAULT_PERIOD: Final = "30d"
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)


@dataclass(frozen=True)
class Period:
    """A stretch of office days that one click chooses."""

    key: str
    label: str
    first: date
    last: date


@dataclass(frozen=True)
class Choice:
    """A select of the filter bar: what it offers and what is chosen ("" for all)."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    value: str

    @property
    def words(self) -> str:
        """The name of what is chosen."""
        return dict(self.options).get(self.value, "")


@dataclass(frozen=True)
class FilterBar:
    """One request's filter: what was understood, what was typed, and what is wrong with it."""

    chosen: Scope
    typed_from: str
    typed_to: str
    periods: tuple[Period, ...]
    choices: tuple[Choice, ...]
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def period(self) -> Period | None:
        """The one-click period that these days are, if any."""
        days = (self.chosen.first, self.chosen.last)
        return next((item for item in self.periods if (item.first, item.last) == days), None)

    def choice(self, name: str) -> Choice:
        """One of the selects."""
        return next(item for item in self.choices if item.name == name)

    def without(self, *names: str) -> FilterBar:
        """The same filter where some selects do not count, such as the step of an arrival."""
        fields = {
            "channel": "channel_id", "category": "category_id", "kecamatan": "kecamatan_code",
            "step": "step_key",
        }  # fmt: skip
        cleared: dict[str, Any] = {fields[name]: None for name in names}
        # A link made from it leads to what was counted: it does not carry the select either.
        choices = tuple(
            replace(item, value="") if item.name in names else item for item in self.choices
        )
        return replace(self, chosen=replace(self.chosen, **cleared), choices=choices)

    def url_values(self, **changes: str | None) -> dict[str, str]:
        """The parameters of this filter for a link, with some of them changed."""
        preset = self.period
        values: dict[str, str | None] = {item.name: item.value or None for item in self.choices}
        if preset is not None:
            values["period"] = preset.key
        else:
            values["from"] = self.chosen.first.isoformat()
            values["to"] = self.chosen.last.isoformat()
        values.update(changes)
        return {name: value for name, value in values.items() if value is not None}


def periods(today: date) -> tuple[Period, ...]:
    """The periods offered, all ending today but for the whole months and the year."""
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    return (
        Period("today", _("Today"), today, today),
        Period("7d", _("7 days"), today - timedelta(days=6), today),
        Period("30d", _("30 days"), today - timedelta(days=29), today),
        Period("month", _("This month"), month, _month_end(month)),
        Period("last-month", _("Last month"), before, _month_end(before)),
        Period("90d", _("90 days"), today - timedelta(days=89), today),
        Period("year", _("This year"), date(today.year, 1, 1), date(today.year, 12, 31)),
    )


def read_filter(session: Session, args: Mapping[str, str], today: date) -> FilterBar:
    """The filter of a URL; dates that are typed win over a one-click period.

    An impossible date leaves the default period standing and is named beside its field; an
    unknown channel, category, kecamatan or step is no filter at all.
    """
    offered = periods(today)
    wanted = {item.key: item for item in offered}
    preset = wanted.get(args.get("period", ""), wanted[DEFAULT_PERIOD])
    errors: dict[str, str] = {}
    typed_from, typed_to = _day(args, "from", errors), _day(args, "to", errors)
    first, last = typed_from or preset.first, typed_to or preset.last
    if typed_from and typed_to and first > last:
        errors["to"] = _("The end lies before the beginning.")
    elif first > last:  # one end was typed, beyond the other one of the preset
        first = last = typed_from or last
    if errors:
        first, last = preset.first, preset.last
    choices = _choices(session, args)
    value = {item.name: item.value for item in choices}
    chosen = Scope(
        first,
        last,
        channel_id=int(value["channel"]) if value["channel"] else None,
        category_id=int(value["category"]) if value["category"] else None,
        kecamatan_code=value["kecamatan"] or None,
        step_key=value["step"] or None,
    )
    shown = {"from": first.isoformat(), "to": last.isoformat()}
    if errors:
        shown = {name: args.get(name, "")[:40] for name in shown}
    return FilterBar(chosen, shown["from"], shown["to"], offered, choices, errors)


def _day(args: Mapping[str, str], name: str, errors: dict[str, str]) -> date | None:
    text = args.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-01-31") else None
    except ValueError:
        day = None
    if day is None:
        errors[name] = _("That is not a date.")
    elif not FIRST_DAY <= day <= LAST_DAY:
        errors[name] = _("Choose a date between 2000 and 2099.")
    return day


def _choices(session: Session, args: Mapping[str, str]) -> tuple[Choice, ...]:
    """Retired channels and places are offered too: past cases came by them."""
    channels = session.scalars(select(Channel).order_by(Channel.position, Channel.id))
    categories = session.scalars(select(Category).order_by(Category.position, Category.id))
    places = session.execute(
        select(Region.code, Region.name).where(Region.kind == "kecamatan").order_by(Region.name)
    )
    steps = session.scalars(select(SopStep).where(SopStep.clock).order_by(SopStep.position))
    offered = (
        ("channel", _("Channel"), tuple((str(row.id), str(row)) for row in channels)),
        ("category", _("Category"), tuple((str(row.id), str(row)) for row in categories)),
        ("kecamatan", _("Kecamatan"), tuple((code, name) for code, name in places)),
        ("step", _("Step"), tuple((row.key, str(row)) for row in steps)),
    )
    found = []
    for name, label, options in offered:
        value = args.get(name, "")
        known = value if value in dict(options) else ""
        found.append(Choice(name, label, options, known))
    return tuple(found)


def _month_end(first: date) -> date:
    return first.replace(day=monthrange(first.year, first.month)[1])
