"""Pages of a list lie after or before a row: every row once, both ways, also while others write."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import Complaint, Role
from tests.support.cases import CaseMaker

NUMBER = re.compile(r"PGD-\d{4}-\d{6}")
SIZE = "psize_ComplaintView=10"


@pytest.fixture
def cases(session: Session, make_case: CaseMaker) -> list[str]:
    """Thirty-four cases that were received at three moments: most are equal in order."""
    made = [make_case("intake") for _number in range(34)]
    start = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    for place, case in enumerate(made):
        session.execute(
            update(Complaint)
            .where(Complaint.id == case.id)
            .values(received_at=start + timedelta(days=place // 12))
        )
    session.commit()
    ordered = session.query(Complaint).order_by(Complaint.received_at.desc(), Complaint.id.desc())
    return [case.number for case in ordered]


def rows(page: str) -> list[str]:
    body = page[page.index("<tbody>") : page.index("</tbody>")] if "<tbody>" in page else ""
    return NUMBER.findall("".join(re.findall(r'class="row-title".*?</td>', body, re.DOTALL)))


def link(page: str, rel: str) -> str | None:
    found = re.search(rf'<a href="([^"]+)" rel="{rel}"', page)
    return unescape(found[1]) if found else None


def walk(client: FlaskClient, url: str | None, rel: str) -> list[list[str]]:
    """The pages from one on, along its links of one kind."""
    found = []
    while url is not None:
        page = client.get(url).text
        found.append(rows(page))
        url = link(page, rel)
        assert len(found) < 20
    return found


@pytest.mark.both
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("column", ["received_at", "number"])
def test_every_row_is_met_once_forwards_and_backwards(
    login: Callable[[str], FlaskClient], cases: list[str], column: str, direction: str
) -> None:
    client = login("petugas")
    order = f"_oc_ComplaintView={column}&_od_ComplaintView={direction}"
    forwards = walk(client, f"/complaints/list/?{SIZE}&{order}", "next")
    assert [len(page) for page in forwards] == [10, 10, 10, 4]
    met = [number for page in forwards for number in page]
    expected = sorted(cases) if column == "number" else cases[::-1]
    assert met == (expected if direction == "asc" else expected[::-1])

    last = client.get(f"/complaints/list/?{SIZE}&{order}&page_ComplaintView=3").text
    backwards = walk(client, link(last, "prev"), "prev")
    assert [*backwards[::-1], rows(last)] == forwards


@pytest.mark.both
def test_the_links_of_page_numbers_lead_where_the_numbers_say(
    login: Callable[[str], FlaskClient], cases: list[str]
) -> None:
    client = login("petugas")
    second = client.get(f"/complaints/list/?{SIZE}&page_ComplaintView=1").text
    links = dict(
        re.findall(r'<li><a href="([^"]+)"[^>]*><span class="sr-only">[^<]*</span>(\d)', second)
    )
    pages = {int(number): rows(client.get(unescape(url)).text) for url, number in links.items()}
    assert pages == {1: cases[:10], 2: cases[10:20], 3: cases[20:30], 4: cases[30:]}


@pytest.mark.both
def test_who_walks_on_meets_every_row_once_while_others_are_added(
    login: Callable[[str], FlaskClient],
    cases: list[str],
    make_case: CaseMaker,
    session: Session,
) -> None:
    client, met = login("petugas"), []
    url: str | None = f"/complaints/list/?{SIZE}"
    while url is not None:
        page = client.get(url).text
        met += rows(page)
        make_case("intake")  # received now: it stands before everything
        session.commit()
        url = link(page, "next")
    assert met == cases


@pytest.mark.both
def test_who_walks_back_meets_what_was_added_as_well(
    login: Callable[[str], FlaskClient], cases: list[str], make_case: CaseMaker, session: Session
) -> None:
    client = login("petugas")
    last = client.get(f"/complaints/list/?{SIZE}&page_ComplaintView=3").text
    added = [make_case("intake").number for _number in range(14)]
    session.commit()
    met = rows(last)
    for page in walk(client, link(last, "prev"), "prev"):
        met = page + met
    assert sorted(met) == sorted([*cases, *added])
    assert len(met) == len(set(met))


def test_a_row_that_is_gone_is_still_a_place(
    login: Callable[[str], FlaskClient], cases: list[str], session: Session
) -> None:
    client = login("petugas")
    following = link(client.get(f"/complaints/list/?{SIZE}").text, "next")
    assert following is not None
    gone = re.search(r"from_ComplaintView=a0~(\d+)~", following.replace("%7E", "~"))
    assert gone is not None
    moved = following.replace(f"a0~{gone[1]}~", f"a0~{int(gone[1])}~")
    assert rows(client.get(moved).text) == cases[10:20]


NO_PLACES = (
    "",
    "a",
    "a0",
    "a0~1",
    "a0~1~",
    "a0~x~2026-01-01T00:00:00+00:00",
    "a0~1~2026-01-01T00:00:00",
    "a0~1~yesterday",
    "a0~1~0001-01-01T00:00:00+14:00",
    "a0~1~9999-12-31T23:59:59-14:00",
    "a0~99999999999~2026-01-01T00:00:00+00:00",
    "a9~1~2026-01-01T00:00:00+00:00",
    "c0~1~2026-01-01T00:00:00+00:00",
    "a0~1~" + "9" * 3000,
    "a0~-1~2026-01-01T00:00:00+00:00",
    "a٣~1~2026-01-01T00:00:00+00:00",
)


@pytest.mark.both
def test_what_is_no_place_is_ignored(login: Callable[[str], FlaskClient], cases: list[str]) -> None:
    client = login("petugas")
    for place in NO_PLACES:
        asked = {"psize_ComplaintView": 10, "from_ComplaintView": place}
        answer = client.get("/complaints/list/", query_string=asked)
        assert answer.status_code == 200, place
        assert rows(answer.text) == cases[:10], place


def test_a_place_shows_no_row_that_the_list_would_not(
    login: Callable[[str], FlaskClient], cases: list[str], session: Session
) -> None:
    session.execute(
        update(Complaint).where(Complaint.number == cases[12]).values(confidential=True)
    )
    role = session.scalars(select(Role).where(Role.name == "Operator")).one()
    role.permissions = [
        row for row in role.permissions if row.permission.name != "see_confidential"
    ]
    session.commit()
    pages = walk(login("operator"), f"/complaints/list/?{SIZE}", "next")
    assert cases[12] not in [number for page in pages for number in page]
    assert sum(map(len, pages)) == 33


@pytest.mark.both
def test_a_deep_page_runs_the_statements_of_the_first(
    login: Callable[[str], FlaskClient],
    cases: list[str],
    sql_count: Callable[[], Any],
) -> None:
    client = login("petugas")
    first = client.get(f"/complaints/list/?{SIZE}").text
    url = link(client.get(link(first, "next") or "").text, "next")
    assert url is not None
    with sql_count() as statements:
        client.get(url)
    assert "(complaint.received_at, complaint.id) <" in statements[-1]
    assert "page_key" not in "".join(statements)  # what a page found by counting rows is joined to
    assert len(statements) == 2


def test_a_long_list_says_so_and_counts_on_request(
    login: Callable[[str], FlaskClient], cases: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.views.base.COUNT_CAP", 20)
    monkeypatch.setattr("app.views.listing.COUNT_CAP", 20)
    client = login("petugas")
    page = client.get(f"/complaints/list/?{SIZE}").text
    assert "1–10 dari 20+" in page
    found = re.search(r'class="count-all" href="([^"]+)"', page)
    assert found is not None
    assert "1–10 dari 34" in client.get(unescape(found[1])).text
