"""What a list of cases is about in words, and the columns that each kind of number needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.formats import duration, local, local_datetime, minutes, number, percent, short_date
from app.models import Courier, DocumentKind, User
from app.services.chart_cases import CaseRow, Question
from app.services.chart_cases.question import P90, STANDARD
from app.sop.definition import Sop
from app.views.chart_filter import FilterBar
from app.views.export import Cell
from app.views.forms.work_siak import DATA
from app.views.reference_time import weekday_name

DUE_KINDS: Final[Mapping[str, Any]] = {
    "completeness": _l("Completeness told (14 days)"),
    "class": _l("Answered (working days by class)"),
    "decision": _l("Decided (60 days)"),
}
STATES: Final[Mapping[str, Any]] = {
    "met": _l("kept"),
    "late": _l("too late"),
    "missed": _l("over and still open"),
    "ahead": _l("still to come"),
    "waiting": _l("nobody has started"),
    "working": _l("being worked on"),
    "office": _l("with the office"),
    "applicant": _l("waiting for the applicant"),
    "past_class": _l("past the working days of its class"),
    "past_decision": _l("past the 60 days"),
    "missing": _l("missing"),
    "unreadable": _l("unreadable"),
}
_PARCEL: Final[Mapping[str, Any]] = {
    "sent": _l("Sent"),
    "delivered": _l("Delivered"),
    "returned": _l("Came back"),
}


@dataclass(frozen=True)
class Shown:
    """One value of a row as the page shows it."""

    text: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Column:
    """One column: its heading, how a row is shown in it, and what an export holds."""

    key: str
    label: str
    shown: Callable[[CaseRow], Shown]
    raw: Callable[[CaseRow], Cell]
    num: bool = False


@dataclass
class Names:
    """Names of what rows refer to by key; asked for once a page."""

    session: Session
    sop: Sop
    bar: FilterBar
    _couriers: dict[int, str] | None = None
    _choices: dict[str, dict[str, str]] = field(default_factory=dict)

    def step(self, key: str | None) -> str:
        """A step of the SOP; one that has left it by its key."""
        found = next((step.label for step in self.sop.steps if step.key == key), None)
        return str(found or key or "")

    def move(self, key: str | None) -> str:
        """A transition by the words of its button."""
        found = next((move.label for move in self.sop.transitions if move.key == key), None)
        return str(found or key or "")

    def lane(self, key: str) -> str:
        """A lane of the SOP; one that has left it by its key."""
        return str(next((lane.label for lane in self.sop.lanes if lane.key == key), key))

    def person(self, key: int) -> str:
        """An officer, also one who has left."""
        found = self.session.get(User, key)
        return found.get_full_name() if found is not None else str(key)

    def choice(self, name: str, value: object) -> str:
        """A channel, category or kecamatan, as the filter bar calls it."""
        if name not in self._choices:
            self._choices[name] = dict(self.bar.choice(name).options)
        return self._choices[name].get(str(value), "") if value is not None else ""

    def courier(self, key: int | None) -> str:
        """A courier, also one that is not used any more."""
        if self._couriers is None:
            rows = self.session.execute(select(Courier.id, Courier.name))
            self._couriers = {row[0]: row[1] for row in rows}
        return self._couriers.get(key or 0, "")

    def paper(self, code: str) -> str:
        """A kind of paper by its code."""
        kind = self.session.scalars(select(DocumentKind).where(DocumentKind.code == code)).first()
        return str(kind.label) if kind is not None else code


def question_title(question: Question, names: Names) -> str:
    """What the cases of a page have in common, as its heading."""
    return _TITLES[question.of](question, names)


def _run(question: Question, names: Names) -> str:
    step = names.step(question.item) if question.item else _("All steps")
    if question.lane:
        step = names.lane(question.lane)
    if question.person is not None:
        words = _("%(step)s: finished", step=step)
        return f"{words}, {names.person(question.person)}"
    if question.over == STANDARD:
        return _("%(step)s: over the standard", step=step)
    if question.over == P90 and question.by:
        return _("%(step)s: the tenth with the longest wait", step=step)
    if question.over == P90:
        return _("%(step)s: the slowest tenth", step=step)
    if question.minutes is not None:
        return _("%(step)s: more than %(minutes)s min", step=step, minutes=question.minutes)
    return _("%(step)s: finished", step=step)


def _arrival(question: Question, names: Names) -> str:
    day = "" if question.weekday is None else weekday_name(question.weekday)
    if question.hour is None:
        return _("Received on %(day)s", day=day) if day else _("Received")
    first, last = f"{question.hour:02d}.00", f"{question.hour:02d}.59"
    if day:
        return _("Received on %(day)s, %(first)s–%(last)s", day=day, first=first, last=last)
    return _("Received at %(first)s–%(last)s", first=first, last=last)


def _ended(question: Question, names: Names) -> str:
    text = names.step(question.item) if question.item else _("Ended")
    if question.round is None:
        return text
    words = _("round %(n)s", n=question.round)
    return f"{text}: {words}"


def _return(question: Question, names: Names) -> str:
    text = names.move(question.item) if question.item else _("Returned to the applicant")
    if question.paper:
        text = f"{text}: {names.paper(question.paper)}"
        return f"{text}, {STATES[question.state]}" if question.state else text
    if question.differs:
        word = dict(DATA).get(question.differs, _("something else"))
        words = _("differs in SIAK: %(word)s", word=word)
        return f"{text}: {words}"
    return text


def _open(question: Question, names: Names) -> str:
    text = names.step(question.item) if question.item else _("Open cases")
    if question.lane:
        text = names.lane(question.lane)
    if question.age:
        first, last = question.ages
        days = _("%(first)s days and more", first=first)
        if last is not None:
            days = _("%(first)s–%(last)s days", first=first, last=last)
        text = f"{text}: {days}"
    return f"{text}: {STATES[question.state]}" if question.state else text


def _due(question: Question, names: Names) -> str:
    text = str(DUE_KINDS.get(question.item, DUE_KINDS["decision"]))
    return f"{text}: {STATES[question.state]}" if question.state else text


def _parcel(question: Question, names: Names) -> str:
    text = _("Parcels came back") if question.state else _("Parcels sent")
    return f"{text}: {_courier(question, names)}" if question.item else text


def _delivery(question: Question, names: Names) -> str:
    text = _("Parcels delivered")
    return f"{text}: {_courier(question, names)}" if question.item else text


def _courier(question: Question, names: Names) -> str:
    known = question.item.isascii() and question.item.isdigit()
    return names.courier(int(question.item)) if known else question.item


_TITLES: Final[Mapping[str, Callable[[Question, Names], str]]] = {
    "run": _run,
    "arrival": _arrival,
    "ended": _ended,
    "return": _return,
    "open": _open,
    "due": _due,
    "parcel": _parcel,
    "delivery": _delivery,
}


# --- columns -------------------------------------------------------------------------------------


def columns_of(question: Question, names: Names, today: date) -> list[Column]:
    """The columns of a question's table behind the number of the case; none is personal."""
    own = _OWN[question.of](question, names, today)
    return [
        *own,
        _words("category", _("Category"), lambda row: names.choice("category", row.category_id)),
        _words("channel", _("Channel"), lambda row: names.choice("channel", row.channel_id)),
        _words(
            "kecamatan", _("Kecamatan"), lambda row: names.choice("kecamatan", row.kecamatan_code)
        ),
    ]


def _words(key: str, label: str, text: Callable[[CaseRow], str]) -> Column:
    return Column(key, label, lambda row: Shown(text(row)), text)


def _moment(key: str, label: str) -> Column:
    return Column(
        key, label, lambda row: Shown(local_datetime(getattr(row, key))),
        lambda row: getattr(row, key),
    )  # fmt: skip


def _count(key: str, label: str) -> Column:
    return Column(
        key, label, lambda row: Shown(number(getattr(row, key))), lambda row: getattr(row, key),
        num=True,
    )  # fmt: skip


def _minutes(key: str) -> Callable[[CaseRow], Cell]:
    return lambda row: None if getattr(row, key) is None else round(getattr(row, key) / 60, 1)


def _run_columns(question: Question, names: Names, today: date) -> list[Column]:
    work = Column(
        "work", _("Work (min)"), _shown_work, _minutes("work"), num=True
    )  # fmt: skip
    wait = Column(
        "wait", _("Wait"), lambda row: Shown(duration(row.wait)), _minutes("wait"), num=True
    )
    share = Column(
        "share", _("Share of the standard"), _shown_share,
        lambda row: None if row.share is None else round(row.share * 100), num=True,
    )  # fmt: skip
    first = [wait, work, share] if question.by == "wait" else [work, share, wait]
    step = [_words("run_step", _("Step"), lambda row: names.step(row.run_step))]
    return [
        *([] if question.item else step),
        *first,
        _moment("entered_at", _("Arrived in the step")),
        _moment("at", _("Finished")),
        _count("round", _("Round")),
        _words("outcome", _("Outcome"), lambda row: names.move(row.outcome)),
    ]


def _shown_work(row: CaseRow) -> Shown:
    note = _("of %(minutes)s", minutes=number(row.standard)) if row.standard else ""
    return Shown(minutes(row.work), note)


def _shown_share(row: CaseRow) -> Shown:
    if row.share is None:
        return Shown("")
    over = row.share > 1
    return Shown(percent(row.share), _("over the standard") if over else "", "late" if over else "")


def _arrival_columns(question: Question, names: Names, today: date) -> list[Column]:
    return [_moment("at", _("Received")), _now_in(names), _moment("closed_at", _("Closed"))]


def _ended_columns(question: Question, names: Names, today: date) -> list[Column]:
    end = _words("step_key", _("End"), lambda row: names.step(row.step_key))
    return [
        *([] if question.item else [end]),
        _moment("at", _("Closed")),
        _moment("received_at", _("Received")),
        _count("round", _("Round")),
    ]


def _return_columns(question: Question, names: Names, today: date) -> list[Column]:
    return [
        _moment("at", _("Returned")),
        _words("run_step", _("Step"), lambda row: names.step(row.run_step)),
        _words("outcome", _("Action"), lambda row: names.move(row.outcome)),
        _count("round", _("Round")),
        _now_in(names),
    ]


def _open_columns(question: Question, names: Names, today: date) -> list[Column]:
    def age(row: CaseRow) -> int:
        return (today - local(row.received_at).date()).days

    return [
        _moment("received_at", _("Received")),
        Column("age", _("Age (days)"), lambda row: Shown(number(age(row))), age, num=True),
        *([] if question.item else [_now_in(names)]),
        _moment("since", _("Here since")),
    ]


def _due_columns(question: Question, names: Names, today: date) -> list[Column]:
    def state(row: CaseRow) -> str:
        if row.at is None:
            late = row.due is not None and row.due < today
            return str(STATES["missed" if late else "ahead"])
        kept = row.due is not None and local(row.at).date() <= row.due
        return str(STATES["met" if kept else "late"])

    return [
        Column("due", _("Due"), lambda row: Shown(short_date(row.due)), lambda row: row.due),
        _moment("at", _("Done")),
        *([] if question.state else [_words("state", _("State"), state)]),
        _moment("received_at", _("Received")),
        _now_in(names),
    ]


def _parcel_columns(question: Question, names: Names, today: date) -> list[Column]:
    def hours(row: CaseRow) -> int | None:
        if row.sent_at is None or row.delivered_at is None:
            return None
        return -(-max(0, int((row.delivered_at - row.sent_at).total_seconds())) // 3600)

    def took(row: CaseRow) -> Shown:
        found = hours(row)
        return Shown("" if found is None else _("%(hours)s h", hours=number(found)))

    courier = _words("courier_id", _("Courier"), lambda row: names.courier(row.courier_id))
    status = _words("status", _("Status"), lambda row: str(_PARCEL.get(row.status or "", "")))
    return [
        *([] if question.item else [courier]),
        _moment("sent_at", _("Sent")),
        _moment("delivered_at", _("Delivered")),
        Column("hours", _("Took (hours)"), took, hours, num=True),
        status,
    ]


def _now_in(names: Names) -> Column:
    return _words("step_key", _("Now in"), lambda row: names.step(row.step_key))


_OWN: Final[Mapping[str, Callable[[Question, Names, date], list[Column]]]] = {
    "run": _run_columns,
    "arrival": _arrival_columns,
    "ended": _ended_columns,
    "return": _return_columns,
    "open": _open_columns,
    "due": _due_columns,
    "parcel": _parcel_columns,
    "delivery": _parcel_columns,
}
