"""Step durations: the database's numbers are those a slow loop over all runs arrives at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, insert
from sqlalchemy.orm import Session

from app.models import SopStep, StepRun
from app.services.charts import StepDuration, bins_of, last_day, step_durations
from app.services.statistics import Scope, rebuild
from tests.support.chart_office import CASES, FIRST, JUNE, LAST, NOON, SOP, STEPS, WIB, built


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with built(request.param, tmp_path_factory.mktemp("charts")) as made:
        yield made


@contextmanager
def filled(engine: Engine, runs: list[dict[str, Any]]) -> Iterator[Session]:
    """A session over exactly these runs; nothing of it stays."""
    with Session(engine) as session:
        session.execute(delete(StepRun))
        if runs:
            session.execute(insert(StepRun), runs)
        rebuild(session)
        yield session
        session.rollback()


def run(
    step: str = "intake",
    *,
    case: int = 1,
    work: int = 60,
    wait: int = 0,
    finished: datetime | None = NOON,
    started: bool = True,
    standard: int | None = 10,
) -> dict[str, Any]:
    return {
        "complaint_id": case,
        "step_key": step,
        "round": 1,
        "batch_size": 1,
        "reason": "",
        "entered_at": NOON,
        "started_at": NOON if started else None,
        "finished_at": finished,
        "standard_minutes": standard,
        "work_seconds": work if finished else None,
        "wait_seconds": wait if finished else None,
    }


# --- the slow way --------------------------------------------------------------------------------


def percentile(values: list[int], share: Fraction) -> int | None:
    """The nearest rank: the smallest value that this share of the values does not exceed."""
    ordered = sorted(values)
    return next(
        (value for place, value in enumerate(ordered, 1) if place >= len(ordered) * share), None
    )


def rounded_up(seconds: int | None) -> int | None:
    """Durations are kept to a tenth of a minute up to 20 minutes, coarser beyond."""
    if seconds is None:
        return None
    hour = 3600
    steps = [(20 * 60, 6), (hour, 30), (2 * hour, 60), (10 * hour, 300), (50 * hour, 1800)]
    step = next((width for limit, width in steps if seconds <= limit), 5 * hour)
    return math.ceil(Fraction(seconds, step)) * step


def slowly(runs: list[dict[str, Any]], chosen: Scope) -> list[dict[str, Any]]:
    """What `step_durations` has to answer, with loops alone."""
    wanted = {
        "channel_id": chosen.channel_id,
        "category_id": chosen.category_id,
        "kecamatan_code": chosen.kecamatan_code,
    }
    fitting = [
        item
        for item in runs
        if all(
            value is None or CASES[item["complaint_id"]][name] == value
            for name, value in wanted.items()
        )
    ]
    answer = []
    for step in STEPS:
        here = [item for item in fitting if item["step_key"] == step]
        closed = [
            item
            for item in here
            if item["finished_at"]
            and chosen.first <= (item["finished_at"] + WIB).date() <= chosen.last
        ]
        judged = [item for item in closed if item["standard_minutes"] is not None]
        work = [item["work_seconds"] for item in closed]
        wait = [item["wait_seconds"] for item in closed]
        answer.append(
            {
                "key": step,
                "cases": len(closed),
                "work_median": rounded_up(percentile(work, Fraction(1, 2))),
                "work_p90": rounded_up(percentile(work, Fraction(9, 10))),
                "wait_median": rounded_up(percentile(wait, Fraction(1, 2))),
                "wait_p90": rounded_up(percentile(wait, Fraction(9, 10))),
                "judged": len(judged),
                "within": sum(
                    item["work_seconds"] <= item["standard_minutes"] * 60 for item in judged
                ),
                "here_now": sum(item["finished_at"] is None for item in here),
                "waiting_now": sum(
                    item["finished_at"] is None and item["started_at"] is None for item in here
                ),
            }
        )
    return answer


def same(found: tuple[StepDuration, ...], expected: list[dict[str, Any]]) -> None:
    assert [step.key for step in found] == STEPS
    for step, wanted in zip(found, expected, strict=True):
        got = {name: getattr(step, name) for name in wanted}
        assert got == {
            name: pytest.approx(value, abs=1e-6) if isinstance(value, float) else value
            for name, value in wanted.items()
        }


# --- random data ---------------------------------------------------------------------------------

#: The month and some days around it.
moments = st.integers(-3 * 86_400, 33 * 86_400).map(
    lambda seconds: datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@st.composite
def some_runs(draw: Any) -> list[dict[str, Any]]:
    closed = draw(
        st.lists(
            st.builds(
                run,
                st.sampled_from(STEPS[:3]),
                case=st.sampled_from(list(CASES)),
                work=st.one_of(st.integers(0, 900), st.sampled_from([599, 600, 601])),
                wait=st.integers(0, 40_000),
                finished=moments,
                standard=st.sampled_from([None, 10, 10, 15]),
            ),
            max_size=40,
        )
    )
    # A case has one open run at most.
    waiting = draw(
        st.dictionaries(
            st.sampled_from(list(CASES)), st.tuples(st.sampled_from(STEPS), st.booleans())
        )
    )
    return closed + [
        run(step, case=case, finished=None, started=started)
        for case, (step, started) in waiting.items()
    ]


filters = st.builds(
    Scope,
    st.just(FIRST),
    st.just(LAST),
    channel_id=st.sampled_from([None, None, 1, 2]),
    category_id=st.sampled_from([None, None, 1, 3]),
    kecamatan_code=st.sampled_from([None, None, "33.25.01", "33.25.99"]),
)


@settings(max_examples=40, deadline=None)
@given(runs=some_runs(), chosen=filters)
def test_sql_and_the_slow_loop_agree(
    engine: Engine, runs: list[dict[str, Any]], chosen: Scope
) -> None:
    with filled(engine, runs) as session:
        same(step_durations(session, SOP, chosen), slowly(runs, chosen))


# --- edges ---------------------------------------------------------------------------------------


def test_an_empty_office_has_every_step_with_no_case(engine: Engine) -> None:
    with filled(engine, []) as session:
        found = step_durations(session, SOP, JUNE)
        assert last_day(session, "run", JUNE, LAST) is None
    assert [(step.key, step.cases, step.work_median, step.within_share) for step in found] == [
        (key, 0, None, None) for key in STEPS
    ]
    assert [step.standard_minutes for step in found] == [10, 15, 5, 2, 2, 2]


def test_a_single_case_is_its_own_median_and_percentile(engine: Engine) -> None:
    with filled(engine, [run(work=725, wait=31)]) as session:
        step = step_durations(session, SOP, JUNE)[0]
    assert (step.work_median, step.work_p90, step.wait_median, step.wait_p90) == (726, 726, 36, 36)
    assert (step.cases, step.within_share, step.median_share) == (1, 0.0, 726 / 600)


@pytest.mark.parametrize(
    ("finished", "counts"),
    [
        pytest.param(datetime(2026, 5, 31, 16, 59, 59, tzinfo=UTC), False, id="last second of May"),
        pytest.param(datetime(2026, 5, 31, 17, 0, tzinfo=UTC), True, id="midnight in Jakarta"),
        pytest.param(datetime(2026, 6, 30, 16, 59, 59, 999999, tzinfo=UTC), True, id="end of June"),
        pytest.param(datetime(2026, 6, 30, 17, 0, tzinfo=UTC), False, id="July has begun"),
    ],
)
def test_a_month_ends_at_midnight_in_jakarta(
    engine: Engine, finished: datetime, counts: bool
) -> None:
    with filled(engine, [run(finished=finished)]) as session:
        assert step_durations(session, SOP, JUNE)[0].cases == int(counts)


def test_the_standard_frozen_in_a_run_judges_it_and_a_change_is_told(engine: Engine) -> None:
    runs = [run(work=12 * 60, standard=15), run(work=12 * 60, standard=10, case=2)]
    with filled(engine, runs) as session:
        step = step_durations(session, SOP, JUNE)[0]
    assert (step.within, step.judged, step.frozen_minutes) == (1, 2, (10, 15))
    assert step.standard_changed
    assert step.standard_minutes == 10


def test_a_step_that_left_the_sop_is_shown_last_while_it_has_runs(engine: Engine) -> None:
    with filled(engine, []) as session:
        session.add(
            SopStep(
                key="old_step",
                position=2,
                kind="activity",
                clock=True,
                actor="operator",
                label_id="Lama",
                label_en="Old",
                active=False,
            )
        )
        session.flush()
        assert [step.key for step in step_durations(session, SOP, JUNE)] == STEPS
        session.execute(insert(StepRun), [run("old_step", standard=None)])
        rebuild(session)
        found = step_durations(session, SOP, JUNE)
    assert [step.key for step in found] == [*STEPS, "old_step"]
    assert found[-1].median_share is None


@pytest.mark.parametrize(
    ("more", "statements"), [({}, 3), ({"channel_id": 2, "category_id": 1}, 3)]
)
def test_three_statements_whatever_the_filter(
    engine: Engine, more: dict[str, Any], statements: int
) -> None:
    seen: list[str] = []
    with filled(engine, [run()]) as session:
        event.listen(engine, "before_cursor_execute", note := lambda *args: seen.append(args[2]))
        step_durations(session, SOP, Scope(FIRST, LAST, **more))
        event.remove(engine, "before_cursor_execute", note)
    assert len(seen) == statements


def test_the_last_day_with_a_finished_step_follows_the_filters(engine: Engine) -> None:
    later = NOON + timedelta(days=400)
    with filled(engine, [run(case=1), run("siak_check", case=2, finished=later)]) as session:
        assert last_day(session, "run", JUNE, later.date()) == later.date()
        assert last_day(session, "run", JUNE, LAST) == NOON.date()
        assert last_day(session, "run", replace(JUNE, channel_id=2), later.date()) == NOON.date()
        assert (
            last_day(session, "run", replace(JUNE, step_key="intake"), later.date()) == NOON.date()
        )
        two = replace(JUNE, channel_id=2, category_id=2)
        assert last_day(session, "run", two, later.date()) is None


@pytest.mark.parametrize("standard", [2, 5, 7, 10, 15, 33, 40])
def test_bars_of_the_distribution_have_an_edge_at_the_standard_and_lose_nothing(
    engine: Engine, standard: int
) -> None:
    works = [0, 1, standard * 60, standard * 60 + 1, standard * 180, standard * 180 + 1, 99_999]
    with filled(engine, [run(work=work) for work in works]) as session:
        session.get_one(SopStep, "intake").standard_minutes = standard
        session.flush()
        bins = bins_of(step_durations(session, SOP, JUNE)[0])
    assert sum(item.cases for item in bins) == len(works)
    assert sum(item.cases for item in bins if item.up_to and item.up_to <= standard * 60) == 3
    assert bins[-1].cases == 2
