"""The filter bar of charts and SOP Hidup: everything stands in the URL, and nothing in it can fail."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Any, Final
from urllib.parse import urlencode

from flask_babel import gettext as _
from markupsafe import Markup, escape
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app.models import Category, Channel, MergedOffice, Region, SopStep
from app.remembered import kept, remembered
from app.services.statistics import Scope
from app.sop.text import language

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
    # Not hashed again for each page that is looked for: what is drawn says the same.
    options: tuple[tuple[str, str], ...] = field(hash=False)
    value: str

    #: The options as a page draws them, none of them chosen.
    drawn: Markup = field(default_factory=Markup)

    @property
    def words(self) -> str:
        """The name of what is chosen."""
        return next((words for value, words in self.options if value == self.value), "")

    @property
    def html(self) -> Markup:
        """The options as a page draws them."""
        if not self.value:
            return self.drawn
        chosen = f'<option value="{escape(self.value)}"'
        drawn = str(self.drawn).replace(f"{chosen}>", f"{chosen} selected>", 1)
        return Markup(drawn)  # noqa: S704


@dataclass(frozen=True)
class FilterBar:
    """One request's filter: what was understood, what was typed, and what is wrong with it.

    It can stand in a key: all of it is compared, though not all is hashed.
    """

    chosen: Scope
    typed_from: str
    typed_to: str
    periods: tuple[Period, ...] = field(hash=False)
    choices: tuple[Choice, ...]
    errors: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: How links to cases begin, by what they count: the same for all of a page (`chart_links.py`).
    begins: dict[str, str] = field(init=False, default_factory=dict, compare=False, repr=False)

    @cached_property
    def period(self) -> Period | None:
        """The one-click period that these days are, if any."""
        days = (self.chosen.first, self.chosen.last)
        return next((item for item in self.periods if (item.first, item.last) == days), None)

    def choice(self, name: str) -> Choice:
        """One of the selects."""
        return next(item for item in self.choices if item.name == name)

    def without(self, *names: str) -> FilterBar:
        """The same filter where some selects do not count, such as the step of an arrival."""
        if not any(item.value for item in self.choices if item.name in names):
            return self
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

    @cached_property
    def pairs(self) -> dict[str, str]:
        """The parameters of this filter, each as it stands in a URL."""
        return {name: pair(name, value) for name, value in self.url_values().items()}

    def url(self, path: str, changes: Mapping[str, str | None]) -> str:
        """A path of the panel with this filter, some parameters changed or (None) left out.

        The same as `url_for` with `url_values`; a page makes hundreds of these.
        """
        pairs = self.pairs
        if changes:
            pairs = pairs.copy()
            for name, value in changes.items():
                if value is None:
                    pairs.pop(name, None)
                else:
                    pairs[name] = pair(name, value)
        return f"{path}?{'&'.join(pairs.values())}" if pairs else path


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
    offered = kept(("periods", today, language.get()), lambda: periods(today))
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
    choices = _choices(args)
    value = {item.name: item.value for item in choices}
    chosen = Scope(
        first,
        last,
        channel_id=int(value["channel"]) if value["channel"] else None,
        category_id=int(value["category"]) if value["category"] else None,
        kecamatan_code=value["kecamatan"] or None,
        step_key=value["step"] or None,
        office=value.get("office") or None,
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


def _choices(args: Mapping[str, str]) -> tuple[Choice, ...]:
    """The selects as the URL has them set."""
    found = []
    for choice in remembered(("chart choices", language.get()), _offered):
        value = args.get(choice.name, "")
        known = any(value == offered for offered, _words in choice.options)
        found.append(replace(choice, value=value) if known else choice)
    return tuple(found)


def _offered(session: Session) -> tuple[Choice, ...]:
    """Retired channels and places are offered too: past cases came by them."""
    channels = session.scalars(select(Channel).order_by(Channel.position, Channel.id))
    categories = session.scalars(select(Category).order_by(Category.position, Category.id))
    # Of both in one statement: most have no offices, and pages are measured by their statements.
    place = select(literal("kecamatan"), Region.code, Region.name.label("words"))
    office = select(literal("office"), MergedOffice.name, MergedOffice.label)
    named = place.where(Region.kind == "kecamatan").union_all(office).order_by("words")
    places: dict[str, list[tuple[str, str]]] = {"kecamatan": [], "office": []}
    for kind, key, words in session.execute(named):
        places[kind].append((key, words))
    steps = session.scalars(select(SopStep).where(SopStep.clock).order_by(SopStep.position))
    offered = (
        ("channel", _("Channel"), tuple((str(row.id), str(row)) for row in channels)),
        ("category", _("Category"), tuple((str(row.id), str(row)) for row in categories)),
        ("kecamatan", _("Kecamatan"), tuple(places["kecamatan"])),
        ("step", _("Step"), tuple((row.key, str(row)) for row in steps)),
        # A province's alone: no other has merged any.
        ("office", _("Office"), tuple(places["office"])),
    )
    return tuple(
        Choice(name, label, options, "", _drawn(options))
        for name, label, options in offered
        if options or name != "office"
    )


def _drawn(options: tuple[tuple[str, str], ...]) -> Markup:
    lines = [
        f'<option value="{escape(value)}">{escape(words)}</option>' for value, words in options
    ]
    return Markup("".join(lines))  # noqa: S704 - made of escaped parts


@lru_cache(maxsize=4096)
def pair(name: str, value: str) -> str:
    """A parameter as the router writes it; the same few come again in every link."""
    return urlencode({name: value}, safe="!$'()*,/:;?@")


def _month_end(first: date) -> date:
    return first.replace(day=monthrange(first.year, first.month)[1])
