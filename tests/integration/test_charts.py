"""The chart page: its numbers three times over, its filters from the URL, its statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.models import SopStep, StepRun
from app.services.calendar import OFFICE_ZONE
from app.services.statistics import rebuild
from app.views.chart_filter import periods
from tests.support.chart_pages import (
    CHARTS,
    URL,
    Tables,
    around,
    block,
    drawn,
    rows_of,
    same_cell,
)  # fmt: skip
from tests.support.moments import office_day


@pytest.mark.pooled
@pytest.mark.both
def test_every_table_equals_its_csv_cell_by_cell(
    login: Any, worked: list[Any], make_case: Any
) -> None:
    make_case("returned")
    kabid = login("kabid")
    wide = {"from": "2020-01-01", "to": f"{office_day().year + 4}-12-31"}
    for query in (wide, {**wide, "step": "intake"}):
        for name in CHARTS:
            page = kabid.get(f"/charts/{name}/", query_string=query)
            assert page.status_code == 200, name
            shown = Tables(page.text)
            for place, (head, rows) in enumerate(zip(shown.heads, shown.tables, strict=True)):
                answer = kabid.get(
                    f"/charts/{name}/", query_string={**query, "format": "csv", "table": place}
                )
                assert answer.mimetype == "text/csv"
                exported = rows_of(answer)
                assert exported[0] == head, name
                filled = [row for row in rows if row]
                assert [len(row) for row in filled] == [len(row) for row in exported[1:]], name
                for row, line in zip(filled, exported[1:], strict=True):
                    assert row[0][1] == line[0].removeprefix("'") or same_cell(*row[0], line[0])
                    for (value, text), cell in zip(row[1:], line[1:], strict=True):
                        assert same_cell(value, text, cell), (name, value, text, cell)


@pytest.mark.both
def test_page_script_and_csv_say_the_same(login: Any, worked: list[Any]) -> None:
    kabid = login("kabid")
    page = kabid.get(URL)
    assert page.status_code == 200
    assert (drawn(page.text, 0), drawn(page.text, 1)) == (10.0, 20.0)
    assert block(page.text)["plots"][0]["marks"][0] == 10
    answer = kabid.get(URL, query_string={"format": "csv"})
    assert rows_of(answer)[1][1:7] == ["10", "3", "10,0", "20,0", "66,7", "1"]
    assert len(rows_of(answer)) == 7


def test_a_download_s_name_says_chart_and_period(login: Any, worked: list[Any]) -> None:
    query = {"from": "2026-06-01", "to": "2026-06-30", "format": "csv", "table": "1"}
    answer = login("kabid").get("/charts/trend/", query_string=query)
    assert "tren_2026-06-01_2026-06-30.csv" in answer.headers["Content-Disposition"]


def test_a_filter_cuts_page_and_csv_alike(login: Any, session: Session, worked: list[Any]) -> None:
    channel = worked[2].channel_id
    kabid = login("kabid")
    assert drawn(kabid.get(URL, query_string={"channel": channel}).text, 0) == 20
    answer = kabid.get(URL, query_string={"channel": channel, "format": "csv"})
    assert rows_of(answer)[1][2:4] == ["1", "20,0"]


def test_a_chosen_step_stands_alone_with_its_distribution(login: Any, worked: list[Any]) -> None:
    page = login("kabid").get(URL, query_string={"step": "intake"}).text
    spread = block(page)["plots"][1]
    assert spread["kind"] == "columns"
    within, over = (series["data"] for series in spread["series"])
    assert sum(n or 0 for n in within) == 2
    assert sum(n or 0 for n in over) == 1


#: Statements of an officer's first page (his own six included), of the next one with two filters, and
#: of the first one again: who asks, the cells, what is open now; names are at hand.
STATEMENTS = {
    "steps": (10, 4, 3), "waits": (10, 4, 3), "trend": (8, 4, 2), "pauses": (12, 3, 4),
    "delivery": (9, 4, 2), "open": (8, 2, 2), "arrivals": (8, 2, 2), "channels": (10, 7, 3),
    "categories": (10, 7, 3), "kecamatan": (10, 7, 3), "returns": (9, 4, 2), "rounds": (8, 2, 2),
    "due": (8, 3, 2), "roles": (10, 4, 3), "people": (9, 3, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", CHARTS)
def test_few_statements_and_150_kb(
    login: Any, sql_count: Any, worked: list[Any], make_case: Any, name: str
) -> None:
    make_case("returned")
    kabid = login("kabid")
    filters = {"channel": worked[0].channel_id, "category": worked[0].category_id}
    wide = around()
    for place, query in enumerate((wide, {**wide, **filters}, wide)):
        with sql_count() as statements:
            page = kabid.get(f"/charts/{name}/", query_string=query)
        assert len(statements) == STATEMENTS[name][place], statements
        assert len(page.data) < 150_000


def test_an_empty_period_says_when_there_was_something(login: Any, worked: list[Any]) -> None:
    page = login("kabid").get(URL, query_string={"from": "2020-01-01", "to": "2020-01-31"}).text
    assert "chart-data" not in page
    day = worked[0].received_at.astimezone(OFFICE_ZONE).date()
    assert f"from={day:%Y-%m}-01" in page


@pytest.mark.parametrize("name", CHARTS)
def test_an_empty_office_says_so_and_keeps_the_table(login: Any, name: str) -> None:
    page = login("kabid").get(f"/charts/{name}/")
    assert page.status_code == 200
    assert "chart-data" not in page.text
    assert "empty-title" in page.text
    assert "<table" in page.text


@pytest.mark.parametrize("name", CHARTS)
def test_a_single_case_is_shown_as_it_is(login: Any, make_case: Any, name: str) -> None:
    make_case("done")
    page = login("kabid").get(f"/charts/{name}/")
    assert page.status_code == 200
    assert len(Tables(page.text).tables) >= 1


BAD = [
    {"from": "2026-13-45"},
    {"from": "x" * 10_000},
    {"from": "2026-06-30", "to": "2026-06-01"},
    {"from": "0001-01-01", "to": "9999-12-31"},
    {"from": "\x00", "to": "😀"},
    {"from": "２０２６-01-01"},
    {"period": "forever"},
    {"channel": "99999999999999999999"},
    {"channel": "1 OR 1=1", "category": "-1", "kecamatan": "\x00"},
    {"kecamatan": "33.25.99"},
    {"format": "pdf"},
    {"format": "csv", "table": "99"},
    {"format": "csv", "table": "-1"},
    {"step": "no_such_step"},
    {"step": "done"},
    {"of": "x", "item": "\x00"},
]


@pytest.mark.both
def test_a_bad_url_is_never_an_error(login: Any) -> None:
    kabid = login("kabid")
    for name in CHARTS:
        for query in BAD:
            page = kabid.get(f"/charts/{name}/", query_string=query)
            assert page.status_code == 200, (name, query)
    for query in BAD:
        page = kabid.get(URL, query_string=query)
        assert ('aria-invalid="true"' in page.text) == ("from" in query), query


def test_the_filter_stays_in_every_link(login: Any, worked: list[Any]) -> None:
    channel = str(worked[0].channel_id)
    page = login("kabid").get(
        URL, query_string={"from": "2026-01-01", "to": "2026-01-31", "channel": channel}
    )
    assert f"{URL}?channel={channel}&amp;period=7d" in page.text
    assert "from=2026-01-01&amp;to=2026-01-31&amp;format=csv" in page.text


def test_one_end_alone_is_enough(login: Any) -> None:
    page = login("kabid").get(URL, query_string={"to": "2020-05-05"})
    assert page.text.count('value="2020-05-05"') == 2
    assert "aria-invalid" not in page.text


@pytest.mark.parametrize(
    ("key", "first", "last"),
    [
        ("today", date(2026, 3, 1), date(2026, 3, 1)),
        ("7d", date(2026, 2, 23), date(2026, 3, 1)),
        ("30d", date(2026, 1, 31), date(2026, 3, 1)),
        ("month", date(2026, 3, 1), date(2026, 3, 31)),
        ("last-month", date(2026, 2, 1), date(2026, 2, 28)),
        ("90d", date(2025, 12, 2), date(2026, 3, 1)),
        ("year", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_periods_count_today_in(key: str, first: date, last: date) -> None:
    found = {item.key: item for item in periods(date(2026, 3, 1))}[key]
    assert (found.first, found.last) == (first, last)


def test_today_is_the_office_s_day(login: Any, clock: Callable[[datetime], None]) -> None:
    clock(datetime(2026, 6, 30, 18, 0, tzinfo=UTC))  # one o'clock at night of 1 July in Jakarta
    page = login("kabid").get(URL, query_string={"period": "today"})
    assert page.text.count('value="2026-07-01"') == 2


def test_the_standard_is_today_s_and_a_change_is_told(
    login: Any, session: Session, worked: list[Any]
) -> None:
    session.get_one(SopStep, "intake").standard_minutes = 4
    session.commit()
    page = login("kabid").get(URL).text
    assert block(page)["plots"][0]["marks"][0] == 4
    assert "250%" in page  # the headline: 10 of 4 minutes
    assert "66,7%" in page  # but judged by the standard of their day


@pytest.mark.parametrize(
    ("who", "status"), [("petugas", 403), ("subkoordinator", 200), ("admin", 200)]
)
def test_only_who_may_chart_sees_it(login: Any, who: str, status: int) -> None:
    answers = {login(who).get(f"/charts/{name}/").status_code for name in CHARTS[:-1]}
    assert answers == {status}


@pytest.mark.parametrize(
    ("who", "status"),
    [("petugas", 403), ("subkoordinator", 403), ("admin", 403), ("kepala", 200), ("kabid", 200)],
)
def test_who_did_how_much_asks_for_a_permission_of_its_own(
    login: Any, who: str, status: int
) -> None:
    client = login(who)
    assert client.get("/charts/people/").status_code == status
    if who != "petugas":
        assert ("/charts/people/" in client.get(URL).text) == (status == 200)


def test_the_way_to_another_chart_keeps_the_filter(login: Any, worked: list[Any]) -> None:
    query = {"period": "7d", "step": "intake", "channel": worked[0].channel_id}
    page = login("kabid").get("/charts/arrivals/", query_string=query).text
    kept = f"channel={query['channel']}&amp;step=intake&amp;period=7d"
    assert f"/charts/waits/?{kept}" in page
    # Arrivals know no step: it is kept for the next chart and not offered here.
    assert '<input type="hidden" name="step" value="intake">' in page
    assert 'id="chart-step"' not in page


def test_the_head_of_department_lands_here_and_sees_nobody(login: Any, worked: list[Any]) -> None:
    kabid = login("kabid")
    assert kabid.get("/").location == "/sop/hidup/"
    for address in ("/sop/hidup/", URL):
        page = kabid.get(address).text
        assert not any(case.number in page or case.applicant_name in page for case in worked)


def test_a_long_wait_is_read_in_hours(login: Any, session: Session, worked: list[Any]) -> None:
    session.execute(
        update(StepRun)
        .where(StepRun.finished_at.is_not(None))
        .values(wait_seconds=int(timedelta(hours=30).total_seconds()))
    )
    rebuild(session)
    session.commit()
    page = login("kabid").get("/charts/waits/").text
    assert block(page)["plots"][0]["unit"] == "jam kerja"
    assert drawn(page, 0, step=1) == 30.0
    assert "30 jam" in page
