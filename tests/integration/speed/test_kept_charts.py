"""A chart's page is kept without its numbers, for one reader's rights, language and filter alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.formats import number
from app.models import Channel, Courier, Permission, PermissionView, User, ViewMenu
from app.views.charts import figure as cell
from app.views.charts.drawing import table_lines
from app.views.charts.figure import Table
from tests.support.cases import CaseMaker
from tests.support.chart_pages import CHARTS, URL, CaseLinks, Tables, block

EVIL = "</script><!--\"'&<b>"
ROUNDS = "/charts/rounds/"


def told(page: str) -> list[int]:
    """The cases that the chart of rounds says of now, in its drawing and in its table."""
    drawn = sum(sum(item["data"]) for item in block(page)["plots"][0]["series"])
    last = [row for row in Tables(page).tables[0] if row][-1]
    return [int(drawn), sum(int(value) for value, _text in last[1:-2])]


@pytest.mark.both
def test_the_numbers_are_of_now_on_a_page_that_is_kept(
    login: Callable[[str], FlaskClient], make_case: CaseMaker, session: Session
) -> None:
    client = login("kabid")
    for cases in (1, 2, 3):
        make_case("done")
        session.commit()
        assert told(client.get(ROUNDS).text) == [cases, cases]


@pytest.mark.both
def test_another_name_is_told_by_the_next_page(
    login: Callable[[str], FlaskClient], worked: list[Any], session: Session
) -> None:
    client = login("kabid")
    address = f"/charts/channels/?channel={worked[0].channel_id}"
    for name in ("Loket Lama", "Loket Baru", EVIL):
        session.execute(
            update(Channel).where(Channel.id == worked[0].channel_id).values(label_id=name)
        )
        session.commit()
        for _time in range(2):  # read, then at hand
            page = client.get(address).text
            # Drawing and table come from the numbers, the select and the scope from the filter.
            assert block(page)["plots"][0]["categories"] == [name]
            assert block(page)["scope"].endswith(f": {name}")
            assert EVIL not in page
            assert ("Loket Lama" in page) == (name == "Loket Lama")


def test_who_may_less_gets_another_page_for_the_same_filter(
    login: Callable[[str], FlaskClient],
    user: Callable[[str], User],
    worked: list[Any],
    session: Session,
) -> None:
    client = login("kabid")
    for name in CHARTS:
        client.get(f"/charts/{name}/")
    assert CaseLinks(client.get(URL).text).found
    (role,) = user("kabid").roles
    for name, view in (("can_list", "ChartCase"), ("can_chart", "PersonChart")):
        right = session.scalars(
            select(PermissionView)
            .join(Permission, Permission.id == PermissionView.permission_id)
            .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
            .where(Permission.name == name, ViewMenu.name == view)
        ).one()
        role.permissions.remove(right)
    session.commit()
    for name in CHARTS[:-1]:
        page = client.get(f"/charts/{name}/").text
        assert "/charts/cases/" not in page, name
        assert "/charts/people/" not in page, name
    assert client.get("/charts/people/").status_code == 403


def test_each_language_and_filter_has_a_page_of_its_own(
    login: Callable[[str], FlaskClient], worked: list[Any], post: Callable[..., Any]
) -> None:
    client = login("kabid")
    wrong = f"{ROUNDS}?from=kapan"
    for language, heading, error in (
        ("id", "Putaran sampai diterima", "Itu bukan tanggal."),
        ("en", "Rounds until accepted", "That is not a date."),
        ("id", "Putaran sampai diterima", "Itu bukan tanggal."),
    ):
        post(client, f"/lang/{language}")
        for _time in range(2):
            page = client.get(ROUNDS).text
            assert f"<h1>{heading}</h1>" in page
            assert "kapan" not in page
            assert error not in page
            page = client.get(wrong).text
            assert f"<h1>{heading}</h1>" in page
            assert 'value="kapan"' in page
            assert error in page


def test_what_is_kept_of_a_chart_holds_no_number_and_no_person(
    app: Flask, login: Callable[[str], FlaskClient], worked: list[Any]
) -> None:
    client = login("kabid")
    pages = {name: client.get(f"/charts/{name}/").text for name in CHARTS}
    kept = list(app.extensions["memory"]["charts"].values())
    assert len(kept) >= len(CHARTS)
    together = "".join("".join(parts) for parts in kept)
    assert "chart-filter" in together
    person = Tables(pages["people"]).tables[0][1][0][1]
    assert person in pages["people"]
    for secret in (person, "data-value=", "of=run", "chart-total"):
        assert secret not in together, secret


@pytest.mark.parametrize("name", ["delivery", "channels"])
def test_a_name_that_is_markup_ends_no_element(
    login: Callable[[str], FlaskClient], make_case: CaseMaker, session: Session, name: str
) -> None:
    make_case("done")
    session.execute(update(Courier).values(name=EVIL))
    session.execute(update(Channel).values(label_id=EVIL))
    session.commit()
    client = login("kabid")
    for _time in range(2):
        page = client.get(f"/charts/{name}/").text
        assert EVIL not in page
        assert block(page)["plots"][0]["categories"] == [EVIL]
        assert Tables(page).tables[0][1][0] == (EVIL, EVIL)


def test_cells_are_escaped_and_addresses_stay_whole(app: Flask) -> None:
    address = "/charts/cases/?a=1&b='\""
    rows = [
        (cell.words(EVIL, address), cell.count(7, address), cell.count(0, address)),
        (cell.words("b"), cell.count(1234, address, EVIL, late=True), cell.nothing()),
    ]
    with app.test_request_context():
        text = table_lines(Table("t", [EVIL, EVIL, "c"], rows))
    assert EVIL not in text
    assert text.count('href="/charts/cases/?a=1&amp;b=&#39;&#34;"') == 3
    assert text.count("<b>") == 0
    assert Tables(f"<table>{text}</table>").tables == [
        [
            [(EVIL, EVIL), ("7", "7"), ("0", "0")],
            [("b", "b"), ("1234", "1.234"), ("", "–")],
        ]
    ]


def test_an_address_with_a_line_break_is_an_error_and_no_other_link(app: Flask) -> None:
    table = Table("t", ["a", "b"], [(cell.words("a"), cell.count(1, "/x\n/y"))])
    with app.test_request_context(), pytest.raises(ValueError, match="longer"):
        table_lines(table)


def test_a_bar_says_and_leads_where_its_cell_does() -> None:
    rows = [
        (cell.words("a"), cell.count(2, "/two")),
        (cell.words("b"), cell.count(0, "/none")),
        (cell.words("c"), cell.nothing()),
    ]
    series = cell.column("n", rows, 1, "late")
    assert series == cell.Series("n", [2, 0, None], "late", ["/two", None, None])


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0"), (999, "999"), (1000, "1.000"), (-5, "-5"), (-1234, "-1.234")],
)
def test_a_whole_number_is_written_by_the_language(
    app: Flask, value: int | None, text: str
) -> None:
    with app.test_request_context():
        assert number(value) == text
