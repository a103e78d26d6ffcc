"""From every number of a chart to its cases: there are exactly so many."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chart_pages import CHARTS, CaseLinks, around, rows_of


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({}, id="everything"),
        pytest.param({"step": "intake"}, id="a step, also where a chart knows none"),
    ],
)
def test_every_number_leads_to_as_many_cases(
    login: Any, make_case: Any, query: dict[str, str]
) -> None:
    for step in ("done", "siak_check", "returned", "resolved", "withdrawn"):
        make_case(step)
    kabid = login("kabid")
    followed = []
    for name in CHARTS:
        page = kabid.get(f"/charts/{name}/", query_string={**around(), **query}).text
        for number, url in CaseLinks(page).found:
            rows = rows_of(kabid.get(f"{url}&format=csv"))
            assert len(rows) - 1 == number, (name, url)
            followed.append(url)
    assert len(followed) > 20
    # Also from a requirement to its returns, and from a round to the cases that ended in it; from
    # a lane to its steps, and from a person to what he finished.
    for asked in (
        "of=return&paper=", "of=ended&item=done&round=1", "of=run&lane=petugas_pengaduan", "of=run&person=",
    ):  # fmt: skip
        assert any(all(part in url for part in asked.split("&")) for url in followed), asked
