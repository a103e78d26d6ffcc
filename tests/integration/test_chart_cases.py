"""The page of the cases behind a number: who sees what, its table as CSV, its links and plans."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from sqlalchemy import select

from app.models import Role
from tests.support.cases import CaseMaker

URL = "/charts/cases/"


def numbers(page: str) -> list[str]:
    return re.findall(r"PGD-\d{4}-\d{6}", re.sub(r"<a [^>]*>", "", page))


@pytest.fixture
def worked(make_case: CaseMaker) -> list[Any]:
    """Two ordinary cases and a confidential one, all past the SIAK check."""
    return [
        make_case("done", applicant_name="Rahayu Contoh"),
        make_case("certification"),
        make_case("certification", category="PUNGLI"),
    ]


@pytest.mark.parametrize("who", ["petugas", "operator"])
def test_who_has_no_charts_has_no_cases_behind_them(login: Any, who: str) -> None:
    assert login(who).get(URL).status_code == 403


@pytest.mark.both
def test_a_confidential_case_is_counted_and_only_listed_for_who_may_see_it(
    login: Any, worked: list[Any]
) -> None:
    assert worked[2].confidential
    page = login("kabid").get(f"{URL}?of=run&item=siak_check").text
    assert "<strong>3 pengaduan</strong>" in page
    assert "1 pengaduan rahasia" in page
    assert sorted(numbers(page)) == [worked[0].number, worked[1].number]
    page = login("kepala").get(f"{URL}?of=run&item=siak_check").text
    assert "pengaduan rahasia" not in page
    assert len(numbers(page)) == 3


def test_only_confidential_cases_leave_an_honest_page(login: Any, worked: list[Any]) -> None:
    category = worked[2].category_id
    page = login("kabid").get(f"{URL}?of=run&item=siak_check&category={category}").text
    assert "<strong>1 pengaduan</strong>" in page
    assert "1 pengaduan rahasia" in page
    assert numbers(page) == []
    assert "Tidak ada pengaduan" not in page


def test_whose_work_it_was_is_for_who_may_compare_persons(
    app: Any, session: Any, login: Any, user: Any, worked: list[Any]
) -> None:
    operator = user("operator")
    url = f"{URL}?of=run&item=siak_check&person={operator.id}"
    name = operator.get_full_name()
    kabid = login("kabid")
    assert f": selesai, {name}" in kabid.get(url).text
    role = session.scalars(select(Role).where(Role.name == "Kepala Bidang")).one()
    role.permissions = [p for p in role.permissions if p.view_menu.name != "PersonChart"]
    page = login("kabid").get(url).text
    assert name not in page
    assert "<strong>3 pengaduan</strong>" in page


def test_nothing_says_whose_case_it_is(login: Any, worked: list[Any]) -> None:
    kabid = login("kabid")
    for of in ("run", "arrival", "ended", "return", "open", "due", "parcel", "delivery"):
        page = kabid.get(f"{URL}?of={of}").text
        table = kabid.get(f"{URL}?of={of}&format=csv").text
        for secret in ("Rahayu", worked[0].nik, worked[0].phone, worked[0].address):
            assert secret not in page
            assert secret not in table


def test_the_number_leads_to_the_case_for_who_may_open_it(login: Any, worked: list[Any]) -> None:
    way = f"/complaints/show/{worked[0].id}"
    assert way not in login("kabid").get(URL).text
    assert way in login("kepala").get(URL).text


@pytest.mark.both
def test_the_csv_is_the_table(login: Any, worked: list[Any]) -> None:
    kepala = login("kepala")
    page = kepala.get(f"{URL}?of=run").text
    answer = kepala.get(f"{URL}?of=run&format=csv")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    heads = re.findall(r"<th scope=\"col\"[^>]*>([^<]*)</th>", page)
    assert rows[0] == heads
    assert [row[0] for row in rows[1:]] == numbers(page)


def test_a_long_list_goes_on_where_the_page_ended(
    login: Any, worked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.chart_cases.listing.load_page.__kwdefaults__", {"after": "", "limit": 2})  # fmt: skip
    client, seen, url = login("kepala"), [], f"{URL}?of=arrival"
    while url:
        page = client.get(url).text
        seen += numbers(page)
        found = re.search(r'href="([^"]*)" rel="next"', page)
        url = found[1].replace("&amp;", "&") if found else ""
    assert sorted(seen) == [case.number for case in worked]
    assert "Tidak ada lagi" in client.get(f"{URL}?of=arrival&after=2000-01-01_1").text


@pytest.mark.both
def test_at_most_twelve_statements(login: Any, worked: list[Any], sql_count: Any) -> None:
    client = login("kabid")
    client.get(URL)
    for of in ("run&item=intake&over=p90", "open", "due", "parcel", "return&paper=kk"):
        with sql_count() as statements:
            client.get(f"{URL}?of={of}")
        assert len(statements) <= 13, of
