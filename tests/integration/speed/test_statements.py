"""How many SQL statements each page takes, once the process knows the office: exactly so many.

A number that grows is a page that became slower for everybody; one that shrinks is written down
here. The first statement finds the user and the stamp of what is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.cases import CaseMaker

#: Page, officer, statements.
PAGES = [
    ("/complaints/list/", "petugas", 2),
    ("/complaints/list/?psize_ComplaintView=1", "petugas", 2),  # the number comes with the rows
    ("/complaints/list/?_flt_0_step=signing", "petugas", 2),
    ("/complaints/list/?_oc_ComplaintView=number&_od_ComplaintView=asc", "petugas", 2),
    ("/complaints/list/?page_ComplaintView=1&psize_ComplaintView=1", "petugas", 2),
    ("/complaints/show/{case}", "petugas", 6),
    ("/complaints/show/{case}", "operator", 6),
    ("/queue/", "operator", 4),
    ("/documents/list/", "petugas", 2),
    ("/dispatches/list/", "petugas", 2),
    ("/messages/list/", "petugas", 2),
    ("/users/list/", "admin", 3),
    ("/reference/regions/list/", "admin", 2),
]


@pytest.mark.both
def test_each_page_takes_exactly_so_many_statements(
    login: Callable[[str], FlaskClient],
    make_case: CaseMaker,
    sql_count: Callable[[], Any],
) -> None:
    case = make_case("certification")
    make_case("done")
    make_case("signing")
    make_case.session.commit()
    counted = []
    for pattern, key, _expected in PAGES:
        url, client = pattern.format(case=case.id), login(key)
        assert client.get(url).status_code == 200
        with sql_count() as statements:
            assert client.get(url).status_code == 200
        counted.append((pattern, key, len(statements)))
    assert counted == PAGES


#: Pages that read a piece of a table that grows.
BOUNDED = [
    ("/complaints/list/", "petugas"),
    ("/complaints/list/?q=PGD-2026-000001&_flt_0_step=signing", "petugas"),
    ("/documents/list/", "petugas"),
    ("/dispatches/list/", "petugas"),
    ("/queue/", "operator"),
]


@pytest.mark.both
def test_no_page_leaves_open_how_much_it_reads(
    login: Callable[[str], FlaskClient],
    make_case: CaseMaker,
    csrf: Callable[[FlaskClient], str],
    sql_count: Callable[[], Any],
) -> None:
    """PostgreSQL plans for a tenth of the table where a bound is a value, and then each time anew."""
    make_case("siak_check")
    make_case.session.commit()
    sent: list[str] = []
    for url, key in BOUNDED:
        client = login(key)
        with sql_count() as statements:
            assert client.get(url).status_code == 200
        assert any("LIMIT" in statement for statement in statements), url
        sent += statements
    client = login("petugas")
    for words in ("PGD-2026-000001", "siti nugroho", "3325010101900001"):
        data = {"csrf_token": csrf(client), "q": words}
        with sql_count() as statements:
            assert client.post("/search/find", data=data).status_code == 200
        sent += statements
    assert [sql for sql in sent if re.search(r"LIMIT\s+[?%]", sql)] == []


#: Who asks, the case, the claim, the papers with what is asked of them, the open run with its
#: pauses, its end, the event, the next run, the key of the form, the cells of the statistics, and the
#: last row of the audit log with the row that follows it.
TRANSITION = 12


@pytest.mark.both
def test_a_transition_takes_exactly_so_many_statements(
    login: Callable[[str], FlaskClient],
    make_case: CaseMaker,
    csrf: Callable[[FlaskClient], str],
    sql_count: Callable[[], Any],
) -> None:
    cases = [make_case("certification") for _number in range(2)]
    for case in cases:
        make_case.record_facts(case, "submit_certification")
    keys = [case.id for case in cases]
    make_case.session.commit()
    client = login("subkoordinator")
    data, counted = {"csrf_token": csrf(client)}, []
    for key in keys:
        with sql_count() as statements:
            answer = client.post(f"/complaints/action/submit_certification/{key}", data=data)
        assert answer.status_code == 303
        counted.append(len(statements))
    # The first case has the process learn what it remembers from then on.
    assert counted[1] == TRANSITION, "\n".join(statements)
