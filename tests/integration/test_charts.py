"""The chart page: its numbers three times over, its filters from the URL, its statements."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import Channel, SopStep, StepRun
from app.services.statistics import rebuild
from app.views.chart_filter import periods
from app.views.export import csv_response, safe_cell

URL = "/charts/steps/"


@pytest.fixture
def worked(session: Session, make_case: Any) -> list[Any]:
    """Three cases, one of them by Instagram; what they took in step 1 is 5, 10 and 20 minutes."""
    instagram = session.scalars(select(Channel.id).where(Channel.code == "instagram")).one()
    cases = [make_case("done"), make_case("siak_check"), make_case("done", channel_id=instagram)]
    for case, minutes in zip(cases, (5, 10, 20), strict=True):
        session.execute(
            update(StepRun)
            .where(StepRun.complaint_id == case.id, StepRun.step_key == "intake")
            .values(work_seconds=minutes * 60, wait_seconds=0)
        )
    rebuild(session)
    session.commit()
    return cases


def block(page: str) -> dict[str, Any]:
    """What the drawing script is given."""
    found = re.search(
        r'<script type="application/json" id="chart-data">(.*?)</script>', page, re.DOTALL
    )
    assert found
    return dict(json.loads(found[1]))


def rows_of(answer: Any) -> list[dict[str, str]]:
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))


@pytest.mark.both
def test_page_script_and_csv_say_the_same(login: Any, worked: list[Any]) -> None:
    kabid = login("kabid")
    page = kabid.get(URL)
    assert page.status_code == 200
    first = block(page.text)["steps"][0]
    assert (first["median"], first["p90"], first["standard"]) == (10.0, 20.0, 10)
    assert "10,0" in page.text
    assert "67%" in page.text
    answer = kabid.get(URL, query_string={"format": "csv"})
    assert answer.mimetype == "text/csv"
    row = list(rows_of(answer)[0].values())
    assert row[1:6] == ["10", "3", "10,0", "20,0", "66,7"]
    assert len(rows_of(answer)) == 6


def test_a_filter_cuts_page_and_csv_alike(login: Any, session: Session, worked: list[Any]) -> None:
    channel = worked[2].channel_id
    kabid = login("kabid")
    assert block(kabid.get(URL, query_string={"channel": channel}).text)["steps"][0]["median"] == 20
    answer = kabid.get(URL, query_string={"channel": channel, "format": "csv"})
    assert list(rows_of(answer)[0].values())[2:4] == ["1", "20,0"]


def test_at_most_eleven_statements_and_150_kb(
    login: Any, sql_count: Any, worked: list[Any]
) -> None:
    kabid = login("kabid")
    with sql_count() as statements:
        page = kabid.get(URL, query_string={"period": "year", "channel": worked[0].channel_id})
    assert len(statements) <= 11
    assert len(page.data) < 150_000


def test_an_empty_period_says_when_there_was_something(login: Any, worked: list[Any]) -> None:
    page = login("kabid").get(URL, query_string={"from": "2020-01-01", "to": "2020-01-31"}).text
    assert "chart-data" not in page
    day = worked[0].received_at.date()
    assert f"from={day:%Y-%m}-01" in page


def test_an_empty_office_says_so_and_keeps_the_table(login: Any) -> None:
    page = login("kabid").get(URL).text
    assert "chart-data" not in page
    assert page.count('scope="row"') == 6


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
]


@pytest.mark.both
def test_a_bad_url_is_never_an_error(login: Any) -> None:
    kabid = login("kabid")
    for query in BAD:
        page = kabid.get(URL, query_string=query)
        assert page.status_code == 200, query
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
    assert block(page)["steps"][0]["standard"] == 4
    assert "250%" in page  # the headline: 10 of 4 minutes
    assert "67%" in page  # but judged by the standard of their day


@pytest.mark.parametrize(
    ("who", "status"), [("petugas", 403), ("subkoordinator", 200), ("admin", 200)]
)
def test_only_who_may_chart_sees_it(login: Any, who: str, status: int) -> None:
    assert login(who).get(URL).status_code == status


def test_the_head_of_department_lands_here_and_sees_nobody(login: Any, worked: list[Any]) -> None:
    kabid = login("kabid")
    assert kabid.get("/").location == URL
    page = kabid.get(URL).text
    assert not any(case.number in page or case.applicant_name in page for case in worked)


# --- cells of an export --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+62812", "'+62812"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("Siti, a-b=c", "Siti, a-b=c"),
        (None, ""),
        (-3, "-3"),
        (2.5, "2,5"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 1, 18, 30, tzinfo=UTC), "2026-01-02 01:30"),
    ],
)
def test_no_cell_is_a_formula(value: Any, text: str) -> None:
    assert safe_cell(value, ",") == text


@pytest.mark.parametrize(("locale", "line"), [("id", "a;2,5\r\n"), ("en", "a,2.5\r\n")])
def test_csv_speaks_the_spreadsheet_s_language(app: Any, locale: str, line: str) -> None:
    with app.test_request_context() as context:
        context.session["locale"] = locale
        app.preprocess_request()
        answer = csv_response('é;"x.csv', ["h", "i"], [["a", 2.5]] * 1200)
        text = answer.get_data(as_text=True)
    assert text.count(line) == 1200
    assert "filename*=UTF-8''%C3%A9%3B%22x.csv" in answer.headers["Content-Disposition"]


# --- in a browser --------------------------------------------------------------------------------


@pytest.mark.browser
def test_the_chart_is_drawn_follows_the_theme_and_says_what_it_shows(
    page: Any, worked: list[Any]
) -> None:
    window = page("kabid")
    window.goto(URL)
    bars = window.locator(".chart-work svg path[fill]")
    assert bars.count() > 3
    words = window.locator(".chart-work").get_attribute("aria-label")
    assert "10,0" in words
    before = window.locator(".chart-work").inner_html()
    window.evaluate("document.querySelector('[data-theme-value=dark]').click()")
    window.wait_for_timeout(600)
    assert window.locator(".chart-work").inner_html() != before
    window.hover(".chart-work svg", position={"x": 300, "y": 80})
    window.wait_for_timeout(300)
    assert window.watched.problems == []  # the tooltip keeps to the policy as well


@pytest.mark.browser
def test_on_a_phone_the_table_is_cards(page: Any, worked: list[Any]) -> None:
    window = page("kabid", width=390, height=844)
    window.goto(URL)
    assert window.evaluate("document.documentElement.scrollWidth") <= 390
    assert window.locator(".chart-table thead").bounding_box()["height"] <= 2


def test_a_long_wait_is_read_in_hours(login: Any, session: Session, worked: list[Any]) -> None:
    session.execute(
        update(StepRun)
        .where(StepRun.finished_at.is_not(None))
        .values(wait_seconds=int(timedelta(hours=30).total_seconds()))
    )
    rebuild(session)
    session.commit()
    assert block(login("kabid").get(URL).text)["steps"][1]["waitMedian"] == 30.0
