"""Every number of every chart is what loops in plain Python arrive at, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from app.models import Pause, StepRun
from app.services import charts
from app.services.statistics import Scope
from app.sop.clock import Calendar
from app.views.charts import MORE, StepChartView
from tests.support.chart_office import FIRST, JUNE, LAST, SOP, STEPS, WIB, built
from tests.support.made_cases import DAY, filled, moment, offices, prepare
from tests.support.slow_numbers import Loops, day

TODAY = date(2026, 6, 20)


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with built(request.param, tmp_path_factory.mktemp("charts"), prepare) as made:
        yield made


# --- what the charts show, as plain values -------------------------------------------------------


def _steps(session: Session, scope: Scope, today: date) -> Any:
    return {
        row.key: (
            row.cases, row.work_median, row.work_p90, row.wait_median, row.wait_p90, row.within,
            row.judged, row.work_total, row.wait_total, row.here_now, row.waiting_now,
        )
        for row in charts.step_durations(session, SOP, scope)
    }  # fmt: skip


def _trend(session: Session, scope: Scope, today: date) -> Any:
    return [
        (
            row.first, row.last, row.received, row.ended, row.runs, row.within, row.judged, row.work,
            row.standard_minutes,
        )
        for row in charts.trend(session, scope)
    ]  # fmt: skip


def _arrivals(session: Session, scope: Scope, today: date) -> Any:
    found = charts.arrivals(session, scope)
    return found.total, dict(found.by_hour)


def _rounds(session: Session, scope: Scope, today: date) -> Any:
    found = charts.rounds(session, SOP, scope)
    by_round = {number: dict(ends) for number, ends in found.by_round.items()}
    return by_round, found.total, found.accepted_total


def _returns(session: Session, scope: Scope, today: date) -> Any:
    found = charts.returns(session, SOP, scope)
    return (
        found.total,
        {row.key: row.cases for row in found.reasons},
        {row.code: (row.missing, row.unreadable) for row in found.items},
        {row.word: row.cases for row in found.differences},
    )


def _sorts(dim: str) -> Callable[[Session, Scope, date], Any]:
    def shown(session: Session, scope: Scope, today: date) -> Any:
        return {
            row.value: (row.received, row.finished, row.open_now, row.judged, row.on_time)
            for row in charts.sort_numbers(session, scope, dim, today=today)
        }

    return shown


def _dues(session: Session, scope: Scope, today: date) -> Any:
    return {
        row.kind: (row.due, row.met, row.late, row.missed, row.ahead)
        for row in charts.due_dates(session, scope, today=today)
    }


def _ages(session: Session, scope: Scope, today: date) -> Any:
    return {
        row.age.key: (row.office, row.applicant, row.past_class, row.past_decision)
        for row in charts.open_by_age(session, scope, today=today)
    }


def _couriers(session: Session, scope: Scope, today: date) -> Any:
    return {
        row.courier_id: (
            row.sent, row.returned, row.delivered, row.hours_median, row.hours_p90, row.hours_total,
        )
        for row in charts.deliveries(session, scope)
    }  # fmt: skip


def _lanes(session: Session, scope: Scope, today: date) -> Any:
    return {
        row.key: (row.runs, row.work, row.wait, row.here_now, row.waiting_now)
        for row in charts.lane_load(session, SOP, scope)
    }


def _people(session: Session, scope: Scope, today: date) -> Any:
    return {
        row.user_id: (row.runs, row.work, row.by_step) for row in charts.person_load(session, scope)
    }


#: By the last word of the chart's address: what it shows, and what the loops say.
CHARTS: dict[str, tuple[Callable[[Session, Scope, date], Any], Callable[[Loops], Any]]] = {
    "steps": (_steps, Loops.steps),
    "waits": (_steps, Loops.steps),
    "trend": (_trend, Loops.trend),
    "delivery": (_couriers, Loops.couriers),
    "open": (_ages, Loops.ages),
    "arrivals": (_arrivals, Loops.arrivals),
    "channels": (_sorts("channel"), lambda loops: loops.sorts("channel_id")),
    "categories": (_sorts("category"), lambda loops: loops.sorts("category_id")),
    "kecamatan": (_sorts("kecamatan"), lambda loops: loops.sorts("kecamatan_code")),
    "returns": (_returns, Loops.returns),
    "rounds": (_rounds, Loops.rounds),
    "due": (_dues, Loops.dues),
    "roles": (_lanes, Loops.lanes),
    "people": (_people, Loops.people),
}


def same(session: Session, office: list[dict[str, Any]], scope: Scope, today: date) -> None:
    loops = Loops(office, scope, today)
    for name, (shown, wanted) in CHARTS.items():
        assert shown(session, scope, today) == wanted(loops), name


# --- random data ---------------------------------------------------------------------------------


def _period(first: int, length: int) -> tuple[date, date]:
    begin = FIRST + timedelta(days=first)
    return begin, begin + timedelta(days=length)


#: Months, days and stretches across their edges, long ones (by month), and one with nothing in it.
periods = st.one_of(
    st.just((FIRST, LAST)),
    st.builds(_period, st.integers(-3, 33), st.integers(0, 40)),
    st.builds(_period, st.integers(-3, 33), st.just(0)),
    st.builds(_period, st.integers(-60, -1), st.integers(370, 500)),
    st.just((date(2027, 1, 1), date(2027, 1, 31))),
)
scopes = st.builds(
    lambda period, **more: Scope(*period, **more),
    periods,
    channel_id=st.sampled_from([None, None, None, 1]),
    category_id=st.sampled_from([None, None, None, 2]),
    kecamatan_code=st.sampled_from([None, None, None, "33.25.01", "33.25.99"]),
    step_key=st.sampled_from([None, None, "intake", "siak_check"]),
)
todays = st.sampled_from([FIRST, TODAY, LAST, date(2026, 7, 5), date(2026, 9, 1)])


def test_no_chart_is_left_out() -> None:
    views = [StepChartView, *MORE]
    names = {view.route_base.rpartition("/")[2] for view in views}
    assert names == {*CHARTS, "pauses"}


@given(office=offices, chosen=st.lists(scopes, min_size=1, max_size=3), today=todays)
@settings(max_examples=20, deadline=None)
def test_every_chart_shows_what_the_loops_count(
    engine: Engine, office: list[dict[str, Any]], chosen: list[Scope], today: date
) -> None:
    with filled(engine, office) as session:
        for scope in chosen:
            same(session, office, scope, today)


# --- edges ---------------------------------------------------------------------------------------


def a_case(at: datetime) -> dict[str, Any]:
    """A case to which everything happened at one instant."""
    run = {"work_seconds": 725, "wait_seconds": 31, "standard_minutes": 10, "finished_by_id": 1}
    said = {"failed": [["kk", "missing"]], "differences": ["nama", "%"]}
    return {
        "channel_id": 1, "category_id": 2, "kecamatan_code": None, "confidential": True,
        "received_at": at, "closed_at": at, "told_at": at, "step_key": "done", "round": 2,
        "completeness_due": day(at), "decision_due": day(at), "class_due": day(at), "started": True,
        "runs": [{**run, "step_key": "intake", "entered_at": at, "finished_at": at}],
        "returns": [
            {"transition": "request_completion", "at": at, "details": {"returned": said}}
        ],
        "parcels": [{"courier_id": 1, "sent_at": at, "status": "returned", "delivered_at": at}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "inside"),
    [
        pytest.param(2 * DAY - 1, False, id="the last minute of May"),
        pytest.param(2 * DAY, True, id="midnight in Jakarta, still May in London"),
        pytest.param(32 * DAY - 1, True, id="the last minute of June"),
        pytest.param(32 * DAY, False, id="July has begun, not so in London"),
    ],
)
def test_a_single_case_at_the_edge_of_a_month(engine: Engine, minutes: int, inside: bool) -> None:
    office = [a_case(moment(minutes))]
    with filled(engine, office) as session:
        for scope in (JUNE, Scope(FIRST, LAST, channel_id=1, category_id=2)):
            same(session, office, scope, TODAY)
            assert charts.rounds(session, SOP, scope).total == int(inside)
            assert charts.arrivals(session, scope).total == int(inside)
        on_the_day = Scope(day(moment(minutes)), day(moment(minutes)))
        same(session, office, on_the_day, TODAY)
        assert charts.returns(session, SOP, on_the_day).total == 1


def test_an_empty_office_and_an_empty_period(engine: Engine) -> None:
    with filled(engine, []) as session:
        same(session, [], JUNE, TODAY)
    office = [a_case(moment(5 * DAY))]
    with filled(engine, office) as session:
        empty = Scope(date(2027, 1, 1), date(2027, 1, 31))
        same(session, office, empty, TODAY)
        assert [row.cases for row in charts.step_durations(session, SOP, empty)] == [0] * len(STEPS)


# --- pauses --------------------------------------------------------------------------------------

REASONS = ("siak_down", "printer_down")
#: Of the how-many-th run, or of a step; why; from which minute, for how many (None: still).
pauses = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 11), st.sampled_from(STEPS[:2])),
        st.sampled_from(REASONS),
        st.integers(0, 34 * DAY),
        st.one_of(st.integers(0, 3 * DAY), st.integers(0, 90), st.none()),
    ),
    max_size=5,
    # Of one run or step there is at most one pause that still lasts.
    unique_by=lambda pause: (pause[0], None) if pause[3] is None else pause,
)


def works(minute: datetime) -> bool:
    """Whether the office works in that minute of its clock: the hours of Perpres 21/2023."""
    clock, friday = minute.hour * 60 + minute.minute, minute.weekday() == 4
    if minute.weekday() > 4:
        return False
    opens, closes = 7 * 60 + 30, (16 * 60 + 30 if friday else 16 * 60)
    rest = 11 * 60 + 30 if friday else 12 * 60
    return opens <= clock < closes and not rest <= clock < 13 * 60


def lost(first: datetime, last: datetime) -> int:
    """Seconds, minute by minute; overtime within one day counts in full."""
    minutes, at = [], first
    while at < last:
        minutes.append(at + WIB)
        at += timedelta(minutes=1)
    worked = sum(works(minute) for minute in minutes)
    overtime = not worked and len({minute.date() for minute in minutes}) == 1
    return 60 * (len(minutes) if overtime else worked)


@given(
    office=offices,
    drawn=pauses,
    scope=scopes,
    now=st.integers(10 * DAY, 34 * DAY).map(moment),
)
@settings(max_examples=15, deadline=None)
def test_minutes_lost_are_those_that_were_lost(
    engine: Engine, office: list[dict[str, Any]], drawn: list[Any], scope: Scope, now: datetime
) -> None:
    with filled(engine, office) as session:
        runs = session.scalars(select(StepRun).order_by(StepRun.id)).all()
        rows = []
        for place, reason, begin, length in drawn:
            of = {"step_key": place, "step_run_id": None}
            if isinstance(place, int):
                if place >= len(runs):
                    continue
                of = {"step_key": None, "step_run_id": runs[place].id}
            end = None if length is None else moment(begin + length)
            rows.append({"reason": reason, "from_at": moment(begin), "to_at": end, **of})
        if rows:
            session.execute(insert(Pause), rows)
        found = charts.pause_losses(session, SOP, Calendar(), scope, now=now)
        assert {
            row.reason: (
                row.case_pauses, row.cases, row.case_seconds, row.step_pauses, row.step_seconds,
                row.held_up,
            )
            for row in found
        } == slow_pauses(office, rows, runs, scope, now)  # fmt: skip


def slow_pauses(
    office: list[dict[str, Any]], rows: list[Any], runs: Any, scope: Scope, now: datetime
) -> dict[str, Any]:
    chosen = {id(case) for case in Loops(office, scope, TODAY).cases}
    mine = {n for n, case in enumerate(office, start=101) if id(case) in chosen}
    start = datetime.combine(scope.first, datetime.min.time(), UTC) - WIB
    end = min(datetime.combine(scope.last, datetime.min.time(), UTC) - WIB + timedelta(days=1), now)
    stays = {run.id: run for run in runs}
    found: dict[str, list[Any]] = {}
    long = (scope.last - scope.first).days >= 92
    steps_paused = False
    for row in rows:
        first, last = max(row["from_at"], start), min(row["to_at"] or end, end)
        if (
            not (row["from_at"] < end and (row["to_at"] is None or row["to_at"] > start))
            or end <= start
        ):
            continue
        run = stays.get(row["step_run_id"])
        step = row["step_key"] if run is None else run.step_key
        if scope.step_key not in (None, step) or (run and run.complaint_id not in mine):
            continue
        sums = found.setdefault(row["reason"], [0, set(), 0, 0, 0, set()])
        if run is not None:
            sums[0] += 1
            sums[1].add(run.complaint_id)
            sums[2] += lost(first, last)
            continue
        steps_paused = True
        sums[3] += 1
        sums[4] += lost(first, last)
        for stay in runs:
            touched = stay.entered_at < last and (
                stay.finished_at is None or stay.finished_at > first
            )
            if stay.step_key == step and stay.complaint_id in mine and touched:
                sums[5].add(stay.complaint_id)
    return {
        reason: (
            n, len(cases), seconds, steps, lost_there, None if long and steps_paused else len(held),
        )
        for reason, (n, cases, seconds, steps, lost_there, held) in found.items()
    }  # fmt: skip
