"""The monthly recapitulation: the numbers of the charts, asked for by the charts' own functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.services.charts import (
    CourierDelivery,
    DueDates,
    PauseLoss,
    Returns,
    Rounds,
    SortNumbers,
    StepDuration,
    deliveries,
    due_dates,
    pause_losses,
    returns,
    rounds,
    sort_numbers,
    step_durations,
)
from app.services.reports.tables import Column, Speech, Table, Value, added
from app.services.signatories import office_day
from app.services.statistics import DIMS, UNKNOWN_DIFFERENCE, Scope
from app.sop.clock import Calendar
from app.sop.definition import Sop
from app.sop.text import N_

#: One sign of life for each question that is put to the database.
PARTS: Final = 9
_SORTS: Final[Mapping[str, tuple[str, str]]] = {
    "channel": (N_("By channel"), N_("Channel")),
    "category": (N_("By category"), N_("Category")),
    "kecamatan": (N_("By kecamatan"), N_("Kecamatan")),
}
DUE_KINDS: Final[Mapping[str, str]] = {
    "completeness": N_("File checked (14 days)"),
    "class": N_("Class of the complaint (5, 14 or 60 working days)"),
    "decision": N_("Decision (60 days)"),
}
#: Data that can differ at the SIAK check, by the word that is stored.
SIAK_WORDS: Final[Mapping[str, str]] = {
    "nama": N_("Name"),
    "nik": N_("NIK"),
    "nomor_kk": N_("KK number"),
    "tempat_lahir": N_("Place of birth"),
    "tanggal_lahir": N_("Date of birth"),
    "jenis_kelamin": N_("Sex"),
    "alamat": N_("Address"),
    "nama_ayah": N_("Father's name"),
    "nama_ibu": N_("Mother's name"),
    "status_kawin": N_("Marital status"),
    "agama": N_("Religion"),
    "pekerjaan": N_("Occupation"),
    "golongan_darah": N_("Blood type"),
}


@dataclass(frozen=True)
class Recap:
    """Everything that the recapitulation says, as the chart functions answered it."""

    scope: Scope
    sorts: Mapping[str, tuple[SortNumbers, ...]]
    steps: tuple[StepDuration, ...]
    rounds: Rounds
    returns: Returns
    due: tuple[DueDates, ...]
    pauses: tuple[PauseLoss, ...]
    deliveries: tuple[CourierDelivery, ...]

    @property
    def received(self) -> int:
        """Complaints received in the period."""
        return sum(row.received for row in self.sorts["channel"])

    @property
    def open_now(self) -> int:
        """Complaints open at this moment."""
        return sum(row.open_now for row in self.sorts["channel"])


def collect(
    session: Session,
    sop: Sop,
    calendar: Calendar,
    scope: Scope,
    *,
    now: datetime,
    alive: Callable[[int], None] = lambda done: None,
) -> Recap:
    """Ask every chart's function once; `session` should see one moment of the database.

    `alive` is told how many parts are there, and may raise to stop.
    """
    today = office_day(now)
    count = _counter(alive)
    sorts = {}
    for dim in DIMS:
        sorts[dim] = sort_numbers(session, scope, dim, today=today)
        next(count)
    steps = step_durations(session, sop, scope)
    next(count)
    ended = rounds(session, sop, scope)
    next(count)
    back = returns(session, sop, scope)
    next(count)
    due = due_dates(session, scope, today=today)
    next(count)
    pauses = pause_losses(session, sop, calendar, scope, now=now)
    next(count)
    sent = deliveries(session, scope)
    next(count)
    return Recap(scope, sorts, steps, ended, back, due, pauses, sent)


def _counter(alive: Callable[[int], None]) -> Iterator[None]:
    for done in range(1, PARTS + 1):
        alive(done)
        yield None


def recap_tables(recap: Recap, speech: Speech) -> tuple[Table, ...]:
    """The numbers as tables in the order in which they are read; empty ones are left out."""
    tables = [
        _summary(recap, speech),
        *(_sort(recap.sorts[dim], dim, speech) for dim in DIMS),
        _steps(recap.steps, speech),
        due_table(recap.due, speech),
        *_returns(recap.returns, speech),
        _pauses(recap.pauses, speech),
        _deliveries(recap.deliveries, speech),
    ]
    return tuple(table for table in tables if table.rows or table.key in DIMS)


def _summary(recap: Recap, speech: Speech) -> Table:
    say = speech.say
    ends: dict[str, int] = {}
    for by_end in recap.rounds.by_round.values():
        for key, number in by_end.items():
            ends[key] = ends.get(key, 0) + number
    labels = {step.key: str(step.label) for step in recap.rounds.ends}
    rows: list[tuple[Value, ...]] = [
        (say(N_("Received in the period")), recap.received),
        (say(N_("Finished in the period")), recap.rounds.total),
        *((f"– {labels.get(key, key)}", ends[key]) for key in (*labels, *(set(ends) - set(labels))) if key in ends),
        (say(N_("Returned to the applicant in the period")), recap.returns.total),
        (say(N_("In process when the report was made")), recap.open_now),
    ]  # fmt: skip
    columns = (Column(say(N_("Complaints")), "text"), Column(say(N_("How many"))))
    return Table("summary", say(N_("Summary")), columns, tuple(rows))


def _sort(found: tuple[SortNumbers, ...], dim: str, speech: Speech) -> Table:
    say = speech.say
    title, heading = _SORTS[dim]
    rows = tuple(
        (
            row.label or say(N_("(not named)")),
            row.received, row.finished, row.open_now, row.judged, row.on_time, row.on_time_share,
        )
        for row in found
    )  # fmt: skip
    received, finished, open_now, judged, on_time = added(rows, 1, 2, 3, 4, 5)
    share = on_time / judged if judged else None
    columns = (
        Column(say(heading), "text"),
        Column(say(N_("Received"))),
        Column(say(N_("Finished"))),
        Column(say(N_("In process"))),
        Column(say(N_("Legal dates"))),
        Column(say(N_("On time"))),
        Column(say(N_("On time (%)")), "share"),
    )
    total = (say(N_("Total")), received, finished, open_now, judged, on_time, share)
    return Table(dim, say(title), columns, rows, total)


def _steps(found: tuple[StepDuration, ...], speech: Speech) -> Table:
    say = speech.say
    columns = (
        Column(say(N_("Step")), "text"),
        Column(say(N_("Cases"))),
        Column(say(N_("Standard (min)"))),
        Column(say(N_("Work, median (min)")), "minutes"),
        Column(say(N_("Work, p90 (min)")), "minutes"),
        Column(say(N_("Within the standard (%)")), "share"),
        Column(say(N_("Wait, median")), "duration"),
        Column(say(N_("Wait, p90")), "duration"),
    )
    rows = tuple(
        (
            f"{step.position}. {step.label}",
            step.cases, step.standard_minutes, step.work_median, step.work_p90,
            step.within_share, step.wait_median, step.wait_p90,
        )
        for step in found
    )  # fmt: skip
    note = say(N_(
        "Office time: without breaks, holidays and pauses. A complaint that passes a step twice"
        " counts twice. Each is held to the standard that was in force when it entered the step."
    ))  # fmt: skip
    return Table("steps", say(N_("Steps of the SOP")), columns, rows, note=note)


def due_table(found: tuple[DueDates, ...], speech: Speech) -> Table:
    """Legal due dates by kind: met, late, missed."""
    say = speech.say
    rows = tuple(
        (say(DUE_KINDS[row.kind]), row.due, row.met, row.late, row.missed, row.ahead, row.met_share)
        for row in found
    )
    columns = (
        Column(say(N_("Legal date")), "text"),
        Column(say(N_("Due"))),
        Column(say(N_("Kept"))),
        Column(say(N_("Too late"))),
        Column(say(N_("Missed, still open"))),
        Column(say(N_("Still to come"))),
        Column(say(N_("Kept (%)")), "share"),
    )
    note = say(N_("UU 25/2009, Perpres 76/2013 and Permenpan-RB 62/2018; by the day they fall on."))
    return Table("due", say(N_("Legal due dates")), columns, rows, note=note)


def _returns(found: Returns, speech: Speech) -> Iterator[Table]:
    say = speech.say
    reasons = tuple((str(row.label), row.cases) for row in found.reasons)
    yield Table(
        "returns",
        say(N_("Returned to the applicant")),
        (Column(say(N_("Reason")), "text"), Column(say(N_("Complaints")))),
        reasons,
        (say(N_("Total")), *added(reasons, 1)),
    )
    items = tuple((str(row.label), row.missing, row.unreadable, row.failed) for row in found.items)
    columns = (
        Column(say(N_("Requirement")), "text"),
        Column(say(N_("Missing"))),
        Column(say(N_("Unreadable"))),
        Column(say(N_("Together"))),
    )
    failed: tuple[Value, ...] = (say(N_("Total")), *added(items, 1, 2, 3))
    yield Table("items", say(N_("Requirements that failed")), columns, items, failed)
    yield Table(
        "differences",
        say(N_("Data that differed in SIAK")),
        (Column(say(N_("Datum")), "text"), Column(say(N_("Complaints")))),
        tuple((_datum(row.word, speech), row.cases) for row in found.differences),
    )


def _datum(word: str, speech: Speech) -> str:
    if word == UNKNOWN_DIFFERENCE:
        return speech.say(N_("Other data"))
    return speech.say(SIAK_WORDS[word]) if word in SIAK_WORDS else word


def _pauses(found: tuple[PauseLoss, ...], speech: Speech) -> Table:
    say = speech.say
    columns = (
        Column(say(N_("Reason")), "text"),
        Column(say(N_("Pauses of complaints"))),
        Column(say(N_("Pauses of a step"))),
        Column(say(N_("Complaints held up"))),
        Column(say(N_("Office time lost")), "duration"),
    )
    rows = tuple(
        (str(row.label), row.case_pauses, row.step_pauses, row.held_up, row.seconds)
        for row in found
    )
    sums = added(rows, 1, 2, 4)
    total = (say(N_("Total")), sums[0], sums[1], None, sums[2])
    return Table("pauses", say(N_("Pauses")), columns, rows, total)


def _deliveries(found: tuple[CourierDelivery, ...], speech: Speech) -> Table:
    say = speech.say
    columns = (
        Column(say(N_("Courier")), "text"),
        Column(say(N_("Sent"))),
        Column(say(N_("Came back"))),
        Column(say(N_("Delivered"))),
        Column(say(N_("Median (hours)")), "hours"),
        Column(say(N_("90th percentile (hours)")), "hours"),
    )
    rows = tuple(
        (row.name, row.sent, row.returned, row.delivered, row.hours_median, row.hours_p90)
        for row in found
    )
    total = (say(N_("Total")), *added(rows, 1, 2, 3), None, None)
    return Table("deliveries", say(N_("Dispatch")), columns, rows, total)
