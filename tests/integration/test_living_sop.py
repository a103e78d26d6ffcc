"""SOP Hidup: the chart's numbers beside the sheet, standards tried exactly, published with care."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from html.parser import HTMLParser
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import SopStep, StepRun
from app.services.actor import Actor
from app.services.charts import step_durations
from app.services.living import can_be_tried, load_living, publish_standards
from app.services.sheet import cases_by_step
from app.services.statistics import Scope, rebuild
from app.services.transitions import Office
from app.sop.errors import NotAllowedError, NotFoundError, RefusedError
from tests.support.browser import axe_violations, overflow
from tests.support.cases import PATHS, CaseMaker
from tests.support.panel import Statements

URL = "/sop/hidup/"
YEAR = Scope(date(2020, 1, 1), date(2099, 12, 31))
WHOLE = "from=2020-01-01&to=2099-12-31"


@pytest.fixture
def worked(session: Session, make_case: CaseMaker) -> list[StepRun]:
    """Finished cases whose runs took other times, set as if they had been so from the start."""
    random = Random(5)
    for _ in range(5):
        make_case("done", files=False)
    runs = list(session.scalars(select(StepRun).where(StepRun.finished_at.is_not(None))))
    for run in runs:
        session.execute(
            update(StepRun)
            .where(StepRun.id == run.id)
            .values(work_seconds=random.randrange(1, 4_000), wait_seconds=random.randrange(90_000))
        )
    rebuild(session)
    session.commit()
    session.expire_all()
    return list(session.scalars(select(StepRun).where(StepRun.finished_at.is_not(None))))


class _Cells(HTMLParser):
    """The table as a list of rows, each cell its words; and its hidden values."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.values: list[list[str]] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "tr":
            self.rows.append([])
            self.values.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self.values[-1].append(found.get("data-value") or "")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def values_of(page: str) -> list[list[str]]:
    """The hidden values of each activity's cells that have one, in order."""
    table = page[page.index("living-table") : page.index("</table>", page.index("living-table"))]
    parser = _Cells()
    parser.feed(table)
    return [" ".join(row).split() for row in parser.values if any(row)]


# --- who ---


@pytest.mark.parametrize("who", ["petugas", "operator"])
def test_who_may_not_see_charts_sees_no_numbers(
    who: str, login: Callable[[str], FlaskClient]
) -> None:
    answer = login(who).get(URL)
    assert answer.status_code in (302, 303, 403)
    assert "living-table" not in answer.text


@pytest.mark.parametrize("who", ["kabid", "kepala", "subkoordinator"])
def test_who_sees_charts_but_not_the_settings_publishes_nothing(
    who: str, login: Callable[[str], FlaskClient], post: Callable[..., Any], session: Session
) -> None:
    client = login(who)
    assert "data-living-publish" not in client.get(URL).text
    before = standards(session)
    answer = post(
        client, f"{URL}publish", {"std_intake": "20", "old_intake": "10", "confirmed": "1"}
    )
    assert answer.status_code in (303, 403)
    assert standards(session) == before


def standards(session: Session) -> dict[str, int | None]:
    session.rollback()
    rows = session.execute(select(SopStep.key, SopStep.standard_minutes).where(SopStep.clock))
    return {row[0]: row[1] for row in rows}


# --- numbers ---


@pytest.mark.both
def test_the_sheet_says_what_the_chart_says(
    session: Session, office: Office, login: Callable[[str], FlaskClient], worked: list[StepRun]
) -> None:
    page = login("kabid").get(f"{URL}?{WHOLE}").text
    wanted = [
        [
            str(value)
            for value in (
                step.cases, step.work_median, step.work_p90, step.wait_median, step.wait_p90,
                step.waiting_now,
            )
        ]
        for step in step_durations(session, office.sop, YEAR)
    ]  # fmt: skip
    assert values_of(page) == wanted
    assert len(wanted) == 6


@pytest.mark.both
def test_a_tried_standard_is_answered_exactly(
    session: Session, office: Office, worked: list[StepRun]
) -> None:
    for minutes in (1, 2, 7, 15, 20, 33, 60, 61):
        tried = {step.key: minutes for step in office.sop.clock_steps}
        living = load_living(session, office.sop, YEAR, tried)
        for row in living.rows:
            mine = [run.work_seconds for run in worked if run.step_key == row.numbers.key]
            kept = sum(seconds is not None and seconds <= 60 * minutes for seconds in mine)
            assert row.tried_share == kept / len(mine)


def test_the_standard_of_today_gives_the_share_that_is_shown(
    session: Session, office: Office, worked: list[StepRun]
) -> None:
    living = load_living(session, office.sop, YEAR, standards(session))  # type: ignore[arg-type]
    assert all(row.tried_share == row.numbers.within_share for row in living.rows)
    assert living.changed == {}
    assert living.standard_total == living.tried_total == 36


@given(st.integers(-5, 700))
def test_what_can_be_tried(minutes: int) -> None:
    wanted = 1 <= minutes <= 120 or (minutes <= 480 and minutes > 120 and minutes % 5 == 0)
    assert can_be_tried(minutes) == wanted


def test_the_slow_step_is_named(
    session: Session, login: Callable[[str], FlaskClient], worked: list[StepRun]
) -> None:
    session.execute(update(StepRun).values(work_seconds=30))
    session.execute(
        update(StepRun).where(StepRun.step_key == "certification").values(work_seconds=900)
    )
    rebuild(session)
    session.commit()
    page = login("kabid").get(f"{URL}?{WHOLE}").text
    assert "Pengajuan sertifikasi adalah tahap yang lambat" in page
    assert page.count("Paling lambat") == 1


def test_an_empty_period_says_so(login: Callable[[str], FlaskClient]) -> None:
    page = login("kabid").get(f"{URL}?from=2021-01-01&to=2021-01-02").text
    assert "Tidak ada tahap yang selesai" in page


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        pytest.param("0", "Bilangan bulat", id="none"),
        pytest.param("481", "Bilangan bulat", id="more than eight hours"),
        pytest.param("7,5", "Bilangan bulat", id="half a minute"),
        pytest.param("-3", "Bilangan bulat", id="less than nothing"),
        pytest.param("<b>", "Bilangan bulat", id="markup"),
        pytest.param("121", "kelipatan lima", id="finer than is kept"),
    ],
)
def test_a_standard_that_cannot_be_tried_is_named_beside_its_field(
    typed: str, message: str, login: Callable[[str], FlaskClient]
) -> None:
    answer = login("kabid").get(URL, query_string={"std_signing": typed, "std_intake": "7"})
    assert answer.status_code == 422
    place = answer.text[answer.text.index('id="try-signing"') :][:300]
    assert message in place
    assert 'value="7"' in answer.text
    assert "<b>" not in place


@pytest.mark.parametrize(
    "query", ["period=nonsense", "from=2026-13-99", "channel=9999&kecamatan=x", "std_nothing=5"]
)
def test_nothing_in_the_address_breaks_the_page(
    query: str, login: Callable[[str], FlaskClient]
) -> None:
    assert login("kabid").get(f"{URL}?{query}").status_code == 200


def test_the_page_takes_few_statements_whatever_the_period(
    login: Callable[[str], FlaskClient],
    sql_count: Callable[[], AbstractContextManager[Statements]],
    worked: list[StepRun],
) -> None:
    client = login("kabid")
    counts = []
    for query in (WHOLE, "period=today"):
        client.get(f"{URL}?{query}")
        with sql_count() as seen:
            client.get(f"{URL}?{query}")
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert counts[0] <= 10


@pytest.mark.both
def test_the_sheet_counts_ended_cases_from_the_roll_up(
    session: Session, make_case: CaseMaker
) -> None:
    for step in PATHS:
        make_case(step, files=False)
    again = make_case("done", files=False)
    make_case.move(again, "reopen")
    session.commit()
    assert cases_by_step(session) == {**dict.fromkeys(PATHS, 1), "intake": 2}


# --- publishing ---


@pytest.mark.both
def test_published_standards_count_from_now_on(
    session: Session, make_case: CaseMaker, actor: Callable[[str], Actor]
) -> None:
    finished, waiting = make_case("siak_check"), make_case("intake")
    assert publish_standards(session, actor("admin"), {"intake": (10, 12), "signing": (2, 4)})
    session.commit()
    assert {run.standard_minutes for run in finished.runs if run.step_key == "intake"} == {10}
    assert [run.standard_minutes for run in waiting.runs] == [10]
    assert [run.standard_minutes for run in make_case("intake").runs] == [12]


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        pytest.param(
            {"intake": (9, 12)}, RefusedError, "standard_changed", id="somebody was first"
        ),
        pytest.param({"intake": (None, 12)}, RefusedError, "standard_changed", id="none was seen"),
        pytest.param({"intake": (10, 0)}, RefusedError, "standard_out_of_range", id="no minutes"),
        pytest.param({"intake": (10, 481)}, RefusedError, "standard_out_of_range", id="too many"),
        pytest.param({"done": (None, 5)}, NotFoundError, None, id="a step without a clock"),
        pytest.param({"nowhere": (1, 5)}, NotFoundError, None, id="no step"),
    ],
)
def test_what_is_not_published(
    changes: Any, error: type[Exception], code: str | None, session: Session,
    actor: Callable[[str], Actor],
) -> None:  # fmt: skip
    before = standards(session)
    with pytest.raises(error) as refused:
        publish_standards(session, actor("admin"), {"certification": (5, 6), **changes})
    assert code is None or getattr(refused.value, "code", None) == code
    session.rollback()
    assert standards(session) == before


def test_a_head_publishes_nothing_by_the_service_either(
    session: Session, actor: Callable[[str], Actor]
) -> None:
    with pytest.raises(NotAllowedError):
        publish_standards(session, actor("kabid"), {"intake": (10, 12)})


def test_publishing_shows_first_what_changes(
    session: Session, login: Callable[[str], FlaskClient], post: Callable[..., Any],
    worked: list[StepRun],
) -> None:  # fmt: skip
    admin = login("admin")
    sent = {
        "std_siak_check": "20",
        "old_siak_check": "15",
        "from": "2020-01-01",
        "to": "2099-12-31",
    }
    page = post(admin, f"{URL}publish", sent)
    assert page.status_code == 200
    assert "15 menit" in page.text
    assert "20 menit" in page.text
    assert standards(session)["siak_check"] == 15
    done = post(admin, f"{URL}publish", {**sent, "confirmed": "1"})
    assert done.status_code == 303
    assert standards(session)["siak_check"] == 20
    assert "ditetapkan" in admin.get(done.location).text
    late = post(admin, f"{URL}publish", {**sent, "std_siak_check": "25", "confirmed": "1"})
    told = admin.get(late.location).text
    assert "sekarang 20 menit" in told
    assert "25 menit" in told
    assert standards(session)["siak_check"] == 20


def test_nothing_to_publish_is_said(
    login: Callable[[str], FlaskClient], post: Callable[..., Any]
) -> None:
    page = post(login("admin"), f"{URL}publish", {"std_intake": "10"})
    assert "Tidak ada standar yang diubah" in page.text


# --- in the browser ---


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_head_tries_a_standard_while_typing(
    width: int, theme: str, page: Callable[..., Any], worked: list[StepRun], session: Session
) -> None:
    session.commit()
    opened = page("kabid", width=width, height=800, color_scheme=theme)
    opened.goto(f"{URL}?{WHOLE}")
    field = opened.locator("#std-signing")
    field.fill("30")
    mine = [run.work_seconds or 0 for run in worked if run.step_key == "signing"]
    share = round(100 * sum(seconds <= 1_800 for seconds in mine) / len(mine))
    said = opened.locator("#try-signing").inner_text()
    assert re.sub(r"\s", "", said).startswith(f"{share}%")
    assert "64" in opened.locator("[data-try-total]").inner_text()
    field.fill("999")
    assert "Bilangan bulat" in opened.locator("#try-signing").inner_text()
    assert axe_violations(opened) == []
    assert overflow(opened) == []
