"""Many transactions add to the same cells at once: every one of them counts, none is in the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app.services.statistics import Scope, check, note, read, rebuild
from app.services.statistics.facts import Dims, Fact, run_fact

MANY, EACH = 8, 12
NOW = datetime(2026, 6, 15, 5, 0, tzinfo=UTC)
DAYS = {"first": date(2026, 1, 1), "last": date(2026, 12, 31)}


def facts_of(worker: int, number: int) -> list[Fact]:
    """Facts whose cells overlap with everybody's, noted in another order by each."""
    steps = ["intake", "siak_check", "certification", "signing", "printing"]
    turned = steps[worker % 5 :] + steps[: worker % 5]
    dims = Dims(1 + worker % 2, 1 + number % 3, None)
    at = NOW + timedelta(days=number % 3)
    return [run_fact(dims, step, at, 60 * worker, 30 * number, 15, worker) for step in turned]


@pytest.mark.both
def test_transactions_that_add_to_the_same_cells_all_count(
    session: Session, database_url: str
) -> None:
    engine = create_engine(database_url, pool_size=MANY)
    start = threading.Barrier(MANY)

    def work(worker: int) -> None:
        start.wait(30)
        for number in range(EACH):
            with Session(engine) as mine, mine.begin():
                note(mine, facts_of(worker, number))

    with ThreadPoolExecutor(MANY) as pool:
        for done in [pool.submit(work, worker) for worker in range(MANY)]:
            done.result(120)
    engine.dispose()
    runs = read(session, "run", Scope(**DAYS))
    assert {step: counts["n"] for step, counts in runs.items()} == dict.fromkeys(
        ("intake", "siak_check", "certification", "signing", "printing"), MANY * EACH
    )
    assert sum(counts["p3"] for counts in runs.values()) == 5 * EACH


@pytest.mark.both
def test_a_count_of_everything_while_cases_move_loses_nothing(
    session: Session, database_url: str, make_case: Callable[..., object]
) -> None:
    """Who moves a case meanwhile waits and then adds to the new cells."""
    cases = [make_case("siak_check") for _ in range(3)]
    engine = create_engine(database_url)
    with Session(engine) as counting:
        rebuild(counting)
        moved = threading.Thread(target=lambda: make_case("certification"))
        if engine.dialect.name == "postgresql":
            moved.start()
            moved.join(1)
            assert moved.is_alive()  # its numbers wait for the count to end
        counting.commit()
        if not moved.is_alive():
            moved.start()
        moved.join(60)
    engine.dispose()
    session.rollback()
    assert len(cases) == 3
    assert read(session, "run", Scope(date(2020, 1, 1), date(2099, 1, 1)))["intake"]["n"] == 4
    assert list(check(session)) == []
