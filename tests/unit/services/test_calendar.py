"""The office's calendar: what its tables say is what the clock counts."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session

from app.models import Holiday, Model, WorkingHours
from app.services.calendar import OFFICE_ZONE, HoursRow, load_calendar, special_spans, usual_week
from app.services.seeding import seed_reference
from app.sop.clock import DEFAULT_WEEK, Calendar, DayHours, office_seconds

SEEDS = Path(__file__).parents[3] / "seed_data"
SHORT = {"opens": time(8), "closes": time(14)}
FIRST, LAST = date(2026, 2, 18), date(2026, 3, 19)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    engine = create_engine(f"sqlite:///{tmp_path / 'office.db'}")
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    Model.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def seeded(session: Session) -> Session:
    seed_reference(session, SEEDS, now=datetime.now(UTC))
    return session


def minutes(calendar: Calendar, day: date) -> int:
    start = datetime.combine(day, time(0), tzinfo=OFFICE_ZONE)
    return office_seconds(calendar, start, start + timedelta(days=1)) // 60


def test_the_seeded_week_is_37_and_a_half_hours(session):
    calendar = load_calendar(seeded(session))
    monday = date(2026, 7, 6)
    week = [minutes(calendar, monday + timedelta(days=n)) for n in range(7)]
    assert week == [450, 450, 450, 450, 450, 0, 0]


def test_the_seed_file_and_the_clocks_default_agree(session):
    assert load_calendar(seeded(session)).weekly == DEFAULT_WEEK


@pytest.mark.parametrize(
    "day",
    [
        pytest.param(date(2026, 8, 17), id="a national holiday"),
        pytest.param(date(2026, 12, 24), id="a cuti bersama"),
        pytest.param(date(2026, 7, 11), id="a Saturday"),
    ],
)
def test_the_office_is_closed(session, day):
    assert minutes(load_calendar(seeded(session)), day) == 0


def test_a_holiday_that_is_added_counts_at_the_next_reading(session):
    seeded(session)
    day = date(2026, 7, 8)
    assert minutes(load_calendar(session), day) == 450
    session.add(Holiday(day=day, name="Hari jadi", kind="libur_daerah"))
    session.flush()
    assert minutes(load_calendar(session), day) == 0


def test_an_office_without_any_hours_works_the_default_week(session):
    assert load_calendar(session).weekly == DEFAULT_WEEK


def test_a_weekday_without_hours_is_closed(session):
    session.add(WorkingHours(weekday=0, **SHORT))
    session.flush()
    calendar = load_calendar(session)
    assert [minutes(calendar, date(2026, 7, 6) + timedelta(days=n)) for n in range(7)] == [
        360, 0, 0, 0, 0, 0, 0,
    ]  # fmt: skip


def test_of_two_rows_for_a_weekday_the_newer_counts():
    """The tables hold one; a database from elsewhere may hold two."""
    rows = [
        HoursRow(0, time(7), time(9), None, None, None, None),
        HoursRow(0, time(8), time(14), None, None, None, None),
    ]
    assert usual_week(rows)[0] == DayHours(time(8), time(14))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(date(2026, 2, 17) - timedelta(days=6), 450, id="before it"),
        pytest.param(FIRST, 360, id="its first day"),
        pytest.param(date(2026, 2, 20), 450, id="a weekday it does not name"),
        pytest.param(date(2026, 2, 21), 0, id="a Saturday in it"),
        pytest.param(LAST, 0, id="a holiday in it"),
        pytest.param(date(2026, 3, 25), 450, id="after it"),
    ],
)
def test_ramadan_has_hours_of_its_own(session, day, expected):
    seeded(session)
    for weekday in range(4):
        row = WorkingHours(weekday=weekday, valid_from=FIRST, valid_to=LAST, **SHORT)
        session.add(row)
    session.flush()
    assert minutes(load_calendar(session), day) == expected


def test_it_is_read_in_two_selects(session):
    seeded(session).commit()
    statements: list[str] = []
    event.listen(
        session.get_bind(), "before_cursor_execute", lambda *args: statements.append(args[2])
    )
    load_calendar(session)
    assert len([sql for sql in statements if sql.startswith("SELECT")]) == 2


days = st.dates(date(2026, 1, 1), date(2026, 2, 28))
rows = st.lists(
    st.builds(
        lambda weekday, hour, ends: HoursRow(
            weekday, time(hour), time(20), None, None, min(ends), max(ends)
        ),
        st.integers(0, 6),
        st.integers(0, 19),
        st.tuples(days, days),
    ),
    max_size=8,
)


@given(rows, days)
def test_where_spans_overlap_the_one_that_begins_later_counts(rows, day):
    calendar = Calendar(weekly={}, special=special_spans(rows))
    covering = [
        (row.valid_from, -row.valid_to.toordinal(), place, row)
        for place, row in enumerate(rows)
        if row.weekday == day.weekday() and row.valid_from <= day <= row.valid_to
    ]
    expected = max(covering)[-1].hours if covering else None
    assert calendar.hours(day) == expected
    assert expected is None or isinstance(expected, DayHours)
