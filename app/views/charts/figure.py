"""What a chart page shows, as data: a headline, drawings, tables. Page, CSV and script read it.

A cell of a table carries its value (as the CSV has it) beside its text (as the page says it), so
that no number can differ between the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from flask_babel import gettext as _

from app.formats import decimal, duration, number

Value = str | int | float | None
#: From this many seconds on a duration is said in hours as well.
LONG: Final = 3 * 3600
#: So many categories are read aloud; the table holds them all.
SPOKEN: Final = 12


class Entry(NamedTuple):
    """One cell: its value, its text, and the way to the cases behind it."""

    value: Value
    text: str
    url: str | None = None
    note: str = ""
    late: bool = False


Row = Sequence[Entry]


@dataclass(frozen=True)
class Table:
    """The numbers of a drawing; the first cell of each row names it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    total: Row | None = None
    #: On a phone each row is a card; a matrix scrolls sideways instead.
    cards: bool = True

    def csv_rows(self) -> Iterator[list[Value]]:
        """The same cells for a spreadsheet."""
        for row in (*self.rows, *([self.total] if self.total else [])):
            yield [entry.value for entry in row]


@dataclass(frozen=True)
class Series:
    """One kind of bars or one line; `look` is a colour with a pattern, so that either tells it."""

    name: str
    data: Sequence[float | int | None]
    look: str = "main"
    links: Sequence[str | None] = ()


@dataclass(frozen=True)
class Plot:
    """One drawing. Kinds: bars, columns, lines, boxes, heat."""

    kind: str
    title: str
    categories: Sequence[str]
    series: Sequence[Series]
    unit: str = ""
    subtitle: str = ""
    stacked: bool = False
    #: A line across each bar, such as the standard.
    marks: Sequence[float | None] = ()
    marks_name: str = ""
    #: Names of the other direction of a heat map, or of the five numbers of a box.
    across: Sequence[str] = ()
    digits: int = 0
    quiet: bool = False

    def data(self) -> dict[str, Any]:
        """For the script that draws it."""
        return {
            "kind": self.kind,
            "title": self.title,
            "unit": self.unit,
            "categories": list(self.categories),
            "across": list(self.across),
            "stacked": self.stacked,
            "marks": list(self.marks),
            "marksName": self.marks_name,
            "series": [
                {
                    "name": item.name,
                    "data": list(item.data),
                    "look": item.look,
                    "links": list(item.links),
                }
                for item in self.series
            ],
            "words": self.words(),
        }

    def words(self) -> str:
        """The drawing read aloud, in the page's language."""
        if self.kind == "heat":
            return _("%(title)s. The table holds the numbers.", title=self.title)
        parts = []
        for place, category in enumerate(self.categories[:SPOKEN]):
            said = [
                f"{item.name} {self._said(item.data[place])}"
                for item in self.series
                if item.data[place] is not None
            ]
            if self.marks and self.marks[place] is not None:
                said.append(f"{self.marks_name} {self._said(self.marks[place])}")
            if said:
                parts.append(f"{category}: {', '.join(said)}.")
        if len(self.categories) > SPOKEN:
            parts.append(_("The table holds the rest."))
        unit = f" ({self.unit})" if self.unit else ""
        return " ".join([f"{self.title}{unit}.", *parts])

    def _said(self, value: float | int | Sequence[float] | None) -> str:
        if isinstance(value, list | tuple):
            return "–".join(decimal(item, self.digits) for item in value)
        return decimal(float(value or 0), self.digits)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Figure:
    """A whole chart page; without `plots` the period is empty."""

    headline: str
    plots: Sequence[Plot]
    tables: Sequence[Table]
    tone: str = "info"
    #: How the numbers are counted, in plain sentences.
    notes: Sequence[str] = field(default_factory=tuple)
    #: Where nothing can be drawn, and the period is not to blame.
    empty_title: str = ""
    empty_text: str = ""

    def outline(self) -> Outline:
        """The same without numbers."""
        return Outline(
            bool(self.headline),
            self.tone,
            tuple([PlotHead(plot.kind, plot.title, plot.subtitle) for plot in self.plots]),
            tuple([TableHead(item.title, tuple(item.columns), item.cards) for item in self.tables]),
            tuple(self.notes),
            self.empty_title,
            self.empty_text,
        )


class PlotHead(NamedTuple):
    """What stands around a drawing."""

    kind: str
    title: str
    subtitle: str


class TableHead(NamedTuple):
    """What stands around the lines of a table."""

    title: str
    columns: tuple[str, ...]
    cards: bool


class Outline(NamedTuple):
    """What a page says of a figure whatever its numbers are; all of it can stand in a key."""

    headline: bool
    tone: str
    plots: tuple[PlotHead, ...]
    tables: tuple[TableHead, ...]
    notes: tuple[str, ...]
    empty_title: str
    empty_text: str


# --- cells ---


def words(text: str, url: str | None = None, note: str = "") -> Entry:
    """A name."""
    return Entry(text, text, url, note)


def count(value: int, url: str | None = None, note: str = "", *, late: bool = False) -> Entry:
    """A whole number; nothing leads nowhere."""
    return Entry(value, number(value), url if value else None, note, late)


def minutes(seconds: float | None, note: str = "", *, late: bool = False, url: str | None = None) -> Entry:  # fmt: skip
    """Seconds as minutes to one decimal; a long time is said in hours beside it."""
    if seconds is None:
        return nothing()
    value = round(seconds / 60, 1)
    note = note or (duration(seconds) if seconds >= LONG else "")
    return Entry(value, decimal(value, 1), url, note, late)


def hours(value: float | None, url: str | None = None) -> Entry:
    """Hours to one decimal."""
    return nothing() if value is None else Entry(round(value, 1), decimal(round(value, 1), 1), url)


def share(value: float | None, *, late: bool = False) -> Entry:
    """A share of one as a percentage to one decimal."""
    if value is None:
        return nothing()
    percent = round(value * 100, 1)
    return Entry(percent, f"{decimal(percent, 1)}%", late=late)


def nothing() -> Entry:
    """No number, which is not the number nought."""
    return Entry(None, "–")


def column(name: str, rows: Sequence[Row], place: int, look: str = "main") -> Series:
    """A column of a table as bars: the same numbers, and the same ways to the cases behind them."""
    entries = [row[place] for row in rows]
    return Series(name, [entry.value for entry in entries], look, [entry.url for entry in entries])  # type: ignore[misc]


def in_minutes(seconds: float | None) -> float | None:
    """For a drawing: as the table says it."""
    return None if seconds is None else round(seconds / 60, 1)
