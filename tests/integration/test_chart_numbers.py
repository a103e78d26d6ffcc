"""What the charts count, against plain loops over the rows: no code of theirs is used here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import User
from app.services import charts
from app.services.statistics import Scope
from app.services.transitions import Office
from tests.support.reports import WIB, Case, fill_office

TODAY = date(2026, 4, 10)
NOW = datetime(2026, 4, 10, 5, tzinfo=UTC)
PERIODS = {
    "a month": (date(2026, 2, 1), date(2026, 2, 28)),
    "thirty days over two months": (date(2026, 2, 10), date(2026, 3, 11)),
    "one day": (date(2026, 2, 11), date(2026, 2, 11)),
    "nothing": (date(2027, 1, 1), date(2027, 1, 31)),
}
LANES = {
    "petugas_pengaduan": {"intake", "dispatch"},
    "operator": {"siak_check", "printing"},
    "sub_koordinator": {"certification"},
    "kepala_dinas": {"signing"},
}


def day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.astimezone(WIB).date()


@pytest.fixture(params=[1, 2, 3])
def cases(request: pytest.FixtureRequest, session: Session) -> list[Case]:
    return fill_office(session, request.param)


Inside = Callable[[datetime | None], bool]


def questions(cases: list[Case]) -> Iterable[tuple[Scope, list[Case], Inside]]:
    """Every period, with no filter, one and two; the cases of the filter; what lies in the period."""
    some = next(case for case in cases if case.kecamatan)
    for first, last in PERIODS.values():
        for scope in (
            Scope(first, last),
            Scope(first, last, channel_id=some.channel),
            Scope(first, last, channel_id=some.channel, kecamatan_code=some.kecamatan),
        ):
            mine = [
                case
                for case in cases
                if scope.channel_id in (None, case.channel)
                and scope.kecamatan_code in (None, case.kecamatan)
            ]

            def inside(moment: datetime | None, first: date = first, last: date = last) -> bool:
                found = day(moment)
                return found is not None and first <= found <= last

            yield scope, mine, inside


@pytest.mark.both
def test_arrivals_by_hour_and_weekday(session: Session, cases: list[Case]) -> None:
    for scope, mine, inside in questions(cases):
        local = [case.received.astimezone(WIB) for case in mine if inside(case.received)]
        wanted = Counter((moment.weekday(), moment.hour) for moment in local)
        found = charts.arrivals(session, scope)
        assert (found.total, dict(found.by_hour)) == (len(local), dict(wanted))


@pytest.mark.both
def test_ends_and_rounds(session: Session, office: Office, cases: list[Case]) -> None:
    for scope, mine, inside in questions(cases):
        ended = Counter(case.end for case in mine if inside(case.closed))
        found = charts.rounds(session, office.sop, scope)
        assert {key: n for key, n in found.by_round.get(1, {}).items() if n} == dict(ended)
        assert found.total == sum(ended.values())
        assert found.accepted_total == ended["done"] + ended["resolved"]


@pytest.mark.both
def test_returns(session: Session, office: Office, cases: list[Case]) -> None:
    for scope, mine, inside in questions(cases):
        found = charts.returns(session, office.sop, scope)
        assert found.total == sum(inside(case.returned) for case in mine)
        assert sum(reason.cases for reason in found.reasons) == found.total


@pytest.mark.both
def test_channels_categories_and_kecamatan(session: Session, cases: list[Case]) -> None:
    for scope, mine, inside in questions(cases):
        for dim in ("channel", "category", "kecamatan"):
            wanted: dict[str, list[int]] = {}
            for case in mine:
                value = getattr(case, dim)
                row = wanted.setdefault("" if value is None else str(value), [0, 0, 0])
                row[0] += inside(case.received)
                row[1] += inside(case.closed)
                row[2] += case.closed is None
            found = {
                row.value: [row.received, row.finished, row.open_now]
                for row in charts.sort_numbers(session, scope, dim, today=TODAY)
            }
            assert {key: row for key, row in found.items() if any(row)} == {
                key: row for key, row in wanted.items() if any(row)
            }


@pytest.mark.both
def test_legal_dates(session: Session, cases: list[Case]) -> None:
    for scope, mine, _inside in questions(cases):
        met = late = missed = ahead = 0
        for case in mine:
            if not scope.first <= case.class_due <= scope.last:
                continue
            closed = day(case.closed)
            if closed is not None:
                met, late = met + (closed <= case.class_due), late + (closed > case.class_due)
            elif case.class_due < TODAY:
                missed += 1
            else:
                ahead += 1
        found = {row.kind: row for row in charts.due_dates(session, scope, today=TODAY)}["class"]
        assert (found.met, found.late, found.missed, found.ahead) == (met, late, missed, ahead)
        assert found.due == met + late + missed + ahead


@pytest.mark.both
def test_open_cases_by_age(session: Session, cases: list[Case]) -> None:
    for scope, mine, _inside in questions(cases):
        ages = [(TODAY - case.day).days for case in mine if case.closed is None]
        for row in charts.open_by_age(session, scope, today=TODAY):
            last = 10**6 if row.age.last is None else row.age.last
            assert row.cases == sum(row.age.first <= age <= last for age in ages)


@pytest.mark.both
def test_load_of_lanes_and_persons(session: Session, office: Office, cases: list[Case]) -> None:
    user = session.scalars(select(User.id).limit(1)).one()
    for scope, mine, inside in questions(cases):
        runs = [run for case in mine for run in case.runs if inside(run[1])]
        for lane in charts.lane_load(session, office.sop, scope):
            works = [work for step, _at, work in runs if step in LANES[lane.key]]
            assert (lane.runs, lane.work, lane.wait) == (len(works), sum(works), 3 * sum(works))
        people = {row.user_id: (row.runs, row.work) for row in charts.person_load(session, scope)}
        wanted = {user: (len(runs), sum(run[2] for run in runs))} if runs else {}
        assert people == wanted


@pytest.mark.both
def test_the_trend_by_week(session: Session, cases: list[Case]) -> None:
    for scope, mine, inside in questions(cases):
        for point in charts.trend(session, scope):
            assert scope.first <= point.first <= point.last <= scope.last
            assert point.last - point.first < timedelta(days=7)

            def here(moment: datetime | None, point: Any = point) -> bool:
                found = day(moment)
                return found is not None and point.first <= found <= point.last

            runs = [run for case in mine for run in case.runs if here(run[1])]
            assert point.received == sum(here(case.received) for case in mine)
            assert point.ended == sum(here(case.closed) for case in mine)
            assert point.runs == len(runs)
            assert point.within == sum(work <= 900 for _step, _at, work in runs)
        points = charts.trend(session, scope)
        assert sum(p.received for p in points) == sum(inside(case.received) for case in mine)


@pytest.mark.both
def test_minutes_lost_by_pauses(session: Session, office: Office, cases: list[Case]) -> None:
    """The office's one pause: Tuesday 10 February 2026, 09.00 to 11.00, of the whole SIAK check."""
    for scope, _mine, _inside in questions(cases):
        found = charts.pause_losses(session, office.sop, office.calendar, scope, now=NOW)
        touched = scope.first <= date(2026, 2, 10) <= scope.last
        assert [(row.reason, row.step_seconds) for row in found] == (
            [("siak_down", 7_200)] if touched else []
        )
