"""Whatever is asked, cells and rows give one answer; and it is the one a plain loop arrives at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.models import Category, Channel, Complaint, Region, StepRun, User
from app.services.statistics import (
    Asked,
    Scope,
    check,
    percentile,
    read,
    read_all,
    read_all_split,
    read_by,
    read_split,
    rebuild,
)
from app.services.statistics.classes import class_bound
from tests.support.panel import Statements

WIB = ZoneInfo("Asia/Jakarta")
STEPS = ("intake", "siak_check", "certification", "signing", "printing", "dispatch")
BEGIN = datetime(2026, 1, 28, 16, 30, tzinfo=UTC)  # half an hour before a Thursday of the office
PERIODS = {
    "one day": (date(2026, 2, 1), date(2026, 2, 1)),
    "thirty days over two months": (date(2026, 1, 20), date(2026, 2, 18)),
    "a month": (date(2026, 2, 1), date(2026, 2, 28)),
    "a year": (date(2025, 12, 15), date(2026, 12, 14)),
    "nothing": (date(2027, 1, 1), date(2027, 1, 31)),
}


@pytest.fixture
def rows(session: Session) -> list[dict[str, Any]]:
    """An office of forty cases as bare rows, near month and day edges; what was counted of each."""
    random = Random(17)
    channels = session.scalars(select(Channel.id).order_by(Channel.id).limit(3)).all()
    categories = session.scalars(select(Category.id).order_by(Category.id).limit(2)).all()
    places = [None, *session.scalars(
        select(Region.code).where(Region.kind == "kecamatan").order_by(Region.code).limit(2)
    )]  # fmt: skip
    user = session.scalars(select(User.id).limit(1)).one()
    found = []
    for number in range(1, 41):
        received = BEGIN + timedelta(minutes=random.randrange(60 * 24 * 90))
        sort = {
            "channel_id": random.choice(channels),
            "category_id": random.choice(categories),
            "kecamatan_code": random.choice(places),
        }
        session.execute(
            insert(Complaint).values(
                id=number, number=f"PGD-2026-{number:06d}", received_at=received,
                registered_at=received, applicant_name="x", text="x", step_key="done",
                step_since=received, completeness_due=received.date(),
                decision_due=received.date(), class_due=received.date(), **sort,
            )
        )  # fmt: skip
        at = received
        for step in STEPS[: random.randrange(1, 7)]:
            at += timedelta(minutes=random.randrange(1, 60 * 30))
            run = {
                "step_key": step,
                "finished_at": at,
                "work_seconds": random.randrange(5_000),
                "wait_seconds": random.randrange(90_000),
                "standard_minutes": random.choice([None, 2, 15, 40]),
            }
            session.execute(
                insert(StepRun).values(
                    complaint_id=number, entered_at=received, started_at=received,
                    finished_by_id=user, started_by_id=user, **run,
                )
            )  # fmt: skip
            found.append({**sort, **run, "received": received})
    rebuild(session)
    session.commit()
    return found


def scopes() -> Iterator[tuple[str, Scope]]:
    for name, (first, last) in PERIODS.items():
        yield name, Scope(first, last)


def chosen(rows: list[dict[str, Any]], scope: Scope) -> list[dict[str, Any]]:
    """The runs a scope is about, by a plain loop."""
    found = []
    for row in rows:
        day = row["finished_at"].astimezone(WIB).date()
        if not scope.first <= day <= scope.last:
            continue
        wanted = {
            "channel_id": scope.channel_id,
            "category_id": scope.category_id,
            "kecamatan_code": scope.kecamatan_code,
            "step_key": scope.step_key,
        }
        if all(value is None or row[name] == value for name, value in wanted.items()):
            found.append(row)
    return found


def summary(rows: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Per step: number, sums, share within, median and 90th percentile, by definition."""
    found = {}
    for step in STEPS:
        mine = [row for row in rows if row["step_key"] == step]
        if not mine:
            continue
        work = sorted(row["work_seconds"] for row in mine)
        kept = [
            row for row in mine
            if row["standard_minutes"] and row["work_seconds"] <= 60 * row["standard_minutes"]
        ]  # fmt: skip
        found[step] = (
            len(mine),
            sum(work),
            len(kept),
            class_bound(work[(len(work) + 1) // 2 - 1]),
            class_bound(work[-(-len(work) * 9 // 10) - 1]),
        )
    return found


def answered(items: dict[str, dict[str, int]]) -> dict[str, tuple[Any, ...]]:
    """The same from what the service read."""
    return {
        step: (
            counts["n"],
            counts.get("work", 0),
            counts.get("within", 0),
            percentile(counts, "w", 1, 2),
            percentile(counts, "w", 9, 10),
        )
        for step, counts in items.items()
    }


FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "a channel": {"channel_id": 0},
    "a category": {"category_id": 0},
    "a kecamatan": {"kecamatan_code": 0},
    "a channel and a category": {"channel_id": 0, "category_id": 0},
    "all three": {"channel_id": 0, "category_id": 0, "kecamatan_code": 0},
    "a step": {"step_key": "siak_check"},
    "a step of two sorts": {"step_key": "intake", "channel_id": 0, "kecamatan_code": 0},
}


def filled(rows: list[dict[str, Any]], wanted: dict[str, Any]) -> dict[str, Any]:
    """The filter with values that occur."""
    some = next(row for row in rows if row["kecamatan_code"])
    return {name: some[name] if value == 0 else value for name, value in wanted.items()}


@pytest.mark.both
def test_a_loop_over_all_rows_arrives_at_the_same(
    session: Session, rows: list[dict[str, Any]]
) -> None:
    assert list(check(session)) == []
    for period, (first, last) in PERIODS.items():
        for name, wanted in FILTERS.items():
            scope = Scope(first, last, **filled(rows, wanted))
            where = (period, name)
            mine = chosen(rows, scope)
            assert (where, answered(read(session, "run", scope))) == (where, summary(mine))
            weeks: dict[date, list[dict[str, Any]]] = {}
            for row in mine:
                day = row["finished_at"].astimezone(WIB).date()
                weeks.setdefault(day - timedelta(days=day.weekday()), []).append(row)
            by_week = read_by(session, "run", scope, "week")
            assert list(by_week) == sorted(by_week)
            assert {start: answered(items) for start, items in by_week.items() if items} == {
                start: summary(runs) for start, runs in weeks.items()
            }
            for dim, column in (
                ("channel", "channel_id"),
                ("category", "category_id"),
                ("kecamatan", "kecamatan_code"),
            ):
                groups: dict[str, list[dict[str, Any]]] = {}
                for row in mine:
                    value = row[column]
                    groups.setdefault("" if value is None else str(value), []).append(row)
                split = read_split(session, "run", scope, dim)
                assert {value: answered(items) for value, items in split.items()} == {
                    value: summary(runs) for value, runs in groups.items()
                }


@pytest.mark.both
def test_arrivals_count_by_the_offices_clock(session: Session, rows: list[dict[str, Any]]) -> None:
    received = {row["received"] for row in rows}
    local = [moment.astimezone(WIB) for moment in received]
    wanted = Counter(f"h{moment.weekday()}-{moment.hour}" for moment in local)
    counts = read(session, "arrival", Scope(date(2026, 1, 1), date(2026, 12, 31)))[""]
    assert {key: n for key, n in counts.items() if key != "n"} == wanted
    assert counts["n"] == len(received)


def only(items: Any, *names: str) -> Any:
    """Of each item the numbers that were asked for, and no item without any."""
    cut = {
        item: {name: counts[name] for name in names if name in counts}
        for item, counts in items.items()
    }
    return {item: counts for item, counts in cut.items() if counts}


@pytest.mark.both
def test_a_few_numbers_are_those_of_the_whole_cells(
    session: Session, rows: list[dict[str, Any]]
) -> None:
    """Added up in the database or from the rows: of all cases, of one sort, of two, of a step."""
    first, sorts = rows[0], {"channel_id", "category_id", "kecamatan_code"}
    names = ("n", "work", "within", "w60", "nothing")
    for _name, whole in scopes():
        asked = [
            whole,
            replace(whole, step_key="siak_check"),
            replace(whole, channel_id=first["channel_id"]),
            replace(whole, **{name: first[name] for name in sorts}),
        ]
        for scope in asked:
            assert read(session, "run", scope, only=names) == only(
                read(session, "run", scope), *names
            )


@pytest.mark.both
def test_each_question_names_its_own_numbers_and_item(
    session: Session, rows: list[dict[str, Any]]
) -> None:
    for _name, scope in scopes():
        for cut in (scope, replace(scope, channel_id=rows[0]["channel_id"])):
            found = read_all_split(
                session,
                [Asked("arrival", cut, ("n",)), Asked("due", cut, ("n", "met"), "class")],
                "category",
            )
            arrivals, dues = (
                read_split(session, series, cut, "category") for series in ("arrival", "due")
            )
            assert found[0] == {key: only(items, "n") for key, items in arrivals.items()}
            (merged,) = read_all_split(
                session, [Asked("run", cut, ("n", "work"), together=True)], "category"
            )
            for category, items in read_split(session, "run", cut, "category").items():
                sums = {
                    name: sum(counts.get(name, 0) for counts in items.values())
                    for name in ("n", "work")
                }
                assert merged.pop(category) == {"": sums}
            assert merged == {}
            wanted = {
                key: only({"class": items.get("class", {})}, "n", "met")
                for key, items in dues.items()
            }
            assert found[1] == {key: items for key, items in wanted.items() if items}


def test_questions_that_want_all_and_some_are_refused_together(session: Session) -> None:
    scope = Scope(*PERIODS["a month"])
    with pytest.raises(ValueError, match="either every question"):
        read_all(session, [Asked("arrival", scope, ("n",)), Asked("ended", scope)])


@pytest.mark.parametrize("period", PERIODS)
def test_a_period_is_one_statement_however_long(
    period: str,
    session: Session,
    rows: list[dict[str, Any]],
    sql_count: Callable[[], AbstractContextManager[Statements]],
) -> None:
    with sql_count() as seen:
        read(session, "run", Scope(*PERIODS[period]))
    assert len(seen) == 1


@pytest.mark.both
def test_every_stretch_is_read_from_the_key_alone(
    session: Session, rows: list[dict[str, Any]]
) -> None:
    """The plan seeks series, sort, grain and days in the primary key; nothing reads the table."""
    from app.services.statistics.reading import cover_of, statement_for

    channel = rows[0]["channel_id"]
    period = PERIODS["a year"]
    for scope, split in (
        (Scope(*period), ""),
        (Scope(*period, channel_id=channel), ""),
        (Scope(*period), "category"),
        (Scope(*period), "kecamatan"),
    ):
        statement = statement_for("run", scope, cover_of(scope), split)
        sql = str(statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
        if session.get_bind().dialect.name == "sqlite":
            plan = [
                row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")
            ]
            reads = [line for line in plan if "stat_cell" in line]
            assert reads
            assert all(
                "USING PRIMARY KEY (series=? AND dim=? AND value=? AND grain=? AND start>?" in line
                for line in reads
            ), plan
        else:
            session.connection().exec_driver_sql("SET LOCAL enable_seqscan = off")
            session.connection().exec_driver_sql("SET LOCAL enable_bitmapscan = off")
            plan = [row[0] for row in session.connection().exec_driver_sql(f"EXPLAIN {sql}")]
            found = "\n".join(plan)
            assert "Seq Scan on stat_cell" not in found
            assert "stat_cell_pkey" in found
            conditions = [line for line in plan if "Index Cond" in line and "series" in line]
            assert conditions
            assert all("grain" in line and "start" in line for line in conditions), found
