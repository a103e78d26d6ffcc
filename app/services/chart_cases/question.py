"""What a link from a number asks for; nothing in an address can fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.services.statistics import class_bound

#: What can be counted: finished steps, receipts, ends, returns, open cases, legal dates, parcels.
OF: Final = ("run", "arrival", "ended", "return", "open", "due", "parcel", "delivery")
#: What a legal date can be; `missed` and `ahead` are those of cases that are still open.
DUE_STATES: Final = ("met", "late", "missed", "ahead")
#: What an open case can be: nobody has started it or somebody has; with whom it is; what it missed.
OPEN_STATES: Final = ("waiting", "working", "office", "applicant", "past_class", "past_decision")
PARCEL_STATES: Final = ("returned",)
PAPER_STATES: Final = ("missing", "unreadable")
_STATES: Final = {
    "due": DUE_STATES,
    "open": OPEN_STATES,
    "parcel": PARCEL_STATES,
    "return": PAPER_STATES,
}
#: Runs that took longer than the standard they entered the step with, or than nine in ten did.
STANDARD: Final = "standard"
P90: Final = "p90"
MOST_MINUTES: Final = 480
_MOST_DAYS: Final = 36_500


@dataclass(frozen=True)
class Question:
    """Which cases: `item` is what the series counts by (a step, an end, a move, a courier).

    Args:
        over: runs that took longer than `standard`, `p90` or so many whole minutes.
        by: `wait` for the wait instead of the work.
        age: days since receipt, such as `6-14` or `61` for 61 and more.
        paper, differs: returns for this kind of paper, or for this datum in SIAK.
        lane: runs or open cases in the steps of this lane of the SOP.
        person: runs that this user finished; for who may compare persons.
    """

    of: str
    item: str = ""
    over: str = ""
    by: str = ""
    hour: int | None = None
    weekday: int | None = None
    age: str = ""
    state: str = ""
    round: int | None = None
    paper: str = ""
    differs: str = ""
    lane: str = ""
    person: int | None = None

    @property
    def minutes(self) -> int | None:
        """The whole minutes that runs took longer than, where a number was given."""
        return int(self.over) if self.over.isdigit() else None

    @property
    def ages(self) -> tuple[int, int | None]:
        """The first and last number of days; None for no end."""
        first, _dash, last = self.age.partition("-")
        return int(first), int(last) if last else None

    def url_values(self) -> dict[str, str]:
        """The parameters of a link that asks the same."""
        values = {
            "of": self.of, "item": self.item, "over": self.over, "by": self.by,
            "hour": self.hour, "weekday": self.weekday, "age": self.age, "state": self.state,
            "round": self.round, "paper": self.paper, "differs": self.differs,
            "lane": self.lane, "person": self.person,
        }  # fmt: skip
        return {name: str(value) for name, value in values.items() if value not in (None, "")}


def read_question(args: Mapping[str, str], *, persons: bool = False) -> Question:
    """The question of an address; what is not understood is as if it were not there.

    Args:
        persons: whether the asker may see the work of one person.
    """
    of = args.get("of", "")
    of = of if of in OF else "run"
    state = args.get("state", "")
    runs, arrivals, returns = of == "run", of == "arrival", of == "return"
    person = _number(args, "person", 999_999) if runs and persons else None
    return Question(
        of,
        item=_word(args, "item"),
        # How many of a person's runs were slow is not counted.
        over=_over(args) if runs and person is None else "",
        by="wait" if runs and args.get("by") == "wait" else "",
        hour=_number(args, "hour", 23) if arrivals else None,
        weekday=_number(args, "weekday", 6) if arrivals else None,
        age=_age(args) if of == "open" else "",
        state=state if state in _STATES.get(of, ()) else "",
        round=_number(args, "round", 999) if of == "ended" else None,
        paper=_word(args, "paper") if returns else "",
        differs=_word(args, "differs") if returns else "",
        lane=_word(args, "lane") if of in ("run", "open") else "",
        person=person,
    )


def is_standard(minutes: int) -> bool:
    """Whether the classes can tell exactly how many took longer than so many minutes."""
    return 1 <= minutes <= MOST_MINUTES and class_bound(minutes * 60) == minutes * 60


def _word(args: Mapping[str, str], name: str) -> str:
    text = args.get(name, "")
    return text if len(text) <= 40 and text.isprintable() else ""


def _number(args: Mapping[str, str], name: str, most: int) -> int | None:
    text = args.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return None
    return int(text) if int(text) <= most else None


def _over(args: Mapping[str, str]) -> str:
    text = args.get("over", "")
    if text in (STANDARD, P90):
        return text
    minutes = _number(args, "over", MOST_MINUTES)
    return str(minutes) if minutes is not None and is_standard(minutes) else ""


def _age(args: Mapping[str, str]) -> str:
    text = args.get("age", "")
    parts = text.split("-")
    if len(parts) > 2 or not all(
        part.isascii() and part.isdigit() and len(part) <= 5 and int(part) <= _MOST_DAYS
        for part in parts
    ):
        return ""
    return text if len(parts) == 1 or int(parts[0]) <= int(parts[1]) else ""
