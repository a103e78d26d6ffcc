"""A province merges its offices' sums: signed, without persons, exact, and of no few cases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.models import Complaint, StatCell
from app.services.province import (
    ExportError,
    MergeError,
    SignedError,
    export_statistics,
    merge_statistics,
    new_key,
    pooled,
    public_of,
    sign,
    signed_body,
)
from app.services.statistics import Scope, check, read, rebuild
from app.services.statistics.cells import add_cells, collect
from app.services.statistics.facts import Dims, arrival_fact, return_fact, run_fact
from tests.support.chart_office import built
from tests.support.commands import run

NOW = datetime(2026, 7, 3, 2, 0, tzinfo=UTC)
JUNE = (date(2026, 6, 1), date(2026, 6, 30))
KEY = new_key()


# --- days put together ----------------------------------------------------------------------------


@given(
    st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 3, 31)), st.integers(1, 9), max_size=40),
    st.integers(5, 12),
)
def test_no_sum_is_of_few_cases_and_none_is_lost_but_what_is_told(
    days: dict[date, int], least: int
) -> None:
    given_days = [(day, {"n": n, "work": 60 * n}) for day, n in sorted(days.items())]
    sums, left_out = pooled(given_days, least)
    assert all(counts["n"] >= least for _day, counts in sums)
    assert sum(counts["n"] for _day, counts in sums) + left_out == sum(days.values())
    assert sum(counts["work"] for _day, counts in sums) + 60 * left_out == 60 * sum(days.values())
    for month in (1, 2, 3):
        whole = sum(n for day, n in days.items() if day.month == month)
        kept = sum(counts["n"] for day, counts in sums if day.month == month)
        assert kept in (whole, 0)
        assert kept == whole or whole < least


# --- from an office to its province ---------------------------------------------------------------


def worked(session: Session, cases: int) -> None:
    """So many cases of June: received, checked, some of them sent back."""
    facts = []
    for number in range(cases):
        dims = Dims(1 + number % 2, 1, None)
        at = datetime(2026, 6, 1, 3, 0, tzinfo=UTC) + timedelta(hours=7 * number)
        facts.append(arrival_fact(dims, at))
        facts.append(run_fact(dims, "intake", at, 60 * (number % 20), 600, 10, 7 + number % 3))
        if number % 9 == 0:
            facts.append(return_fact(dims, "request_completion", at, [("ktp", "missing")], []))
    add_cells(session, collect((fact, 1) for fact in facts))
    session.commit()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Session]:
    with built("sqlite", tmp_path / "office") as engine, Session(engine) as session:
        worked(session, 90)
        yield session


@pytest.fixture
def province(backend: str, tmp_path: Path) -> Iterator[Session]:
    with built(backend, tmp_path / "province") as engine, Session(engine) as session:
        session.execute(delete(Complaint))  # a province has no cases of its own
        session.commit()
        yield session


@pytest.fixture(autouse=True)
def folders(tmp_path: Path) -> None:
    for name in ("office", "province"):
        (tmp_path / name).mkdir(exist_ok=True)


def exported(session: Session, name: str = "batang", **changes: Any) -> str:
    found = export_statistics(
        session, name, f"Dinas {name}", *JUNE, changes.pop("now", NOW), least=5
    )
    return sign({**found.body, **changes}, KEY)


def merged(session: Session, text: str, *, key: str = public_of(KEY)) -> None:
    merge_statistics(session, *signed_body(text), trusted_key=key)
    session.commit()


def shown(session: Session, office: str | None = None) -> dict[str, Any]:
    scope = Scope(*JUNE, office=office)
    return {series: read(session, series, scope) for series in ("run", "arrival", "return")}


@pytest.mark.parametrize(
    ("first", "last", "least"),
    [
        pytest.param(*JUNE, 4, id="fewer cases than may stand alone"),
        pytest.param(date(2026, 6, 1), date(2026, 7, 1), 5, id="a month that has not ended"),
        pytest.param(date(2026, 6, 1), date(2026, 5, 1), 5, id="a period backwards"),
    ],
)
def test_what_is_not_exported(office: Session, first: date, last: date, least: int) -> None:
    with pytest.raises(ExportError):
        export_statistics(office, "batang", "x", first, last, NOW, least=least)


def test_an_export_names_no_person_and_no_sort_of_cases(office: Session) -> None:
    body = json.loads(json.loads(exported(office))["body"])
    names = {name for cell in body["cells"] for name in cell[3]}
    assert {"n", "work", "wait", "within"} <= names
    assert not [name for name in names if name[0] in "pm" and name[1:].isdigit()]
    assert {len(cell) for cell in body["cells"]} == {4}
    assert min(cell[3]["n"] for cell in body["cells"]) >= 5


@pytest.mark.both
def test_the_province_sees_what_its_offices_counted(office: Session, province: Session) -> None:
    merged(province, exported(office))
    merged(province, exported(office, "pekalongan"))
    counted = shown(office)
    for step, counts in shown(province, "batang")["run"].items():
        known = counted["run"][step]
        assert {k: v for k, v in known.items() if k[0] not in "pm"} == counts
    one, both = shown(province, "batang"), shown(province)
    assert one["arrival"][""]["n"] == 90
    assert both["arrival"][""]["n"] == 180
    assert one["return"]["request_completion"]["iktp:missing"] == 10
    assert list(check(province)) == []


@pytest.mark.both
def test_a_month_that_comes_again_takes_its_own_place(office: Session, province: Session) -> None:
    merged(province, exported(office))
    worked(office, 30)
    merged(province, exported(office, now=NOW + timedelta(hours=1)), key="")
    assert shown(province)["arrival"][""]["n"] == 120
    assert list(check(province)) == []
    before = shown(province)
    rebuild(province)
    province.commit()
    assert shown(province) == before
    assert list(check(province)) == []


REFUSED = [
    pytest.param({"cells": [["run", "2026-06-01", "nowhere", {"n": 9}]]}, "no step", id="a step"),
    pytest.param({"cells": [["run", "2026-06-01", "intake", {"n": 4}]]}, "fewer", id="few cases"),
    pytest.param({"cells": [["run", "2026-07-01", "intake", {"n": 9}]]}, "no sum", id="another month"),
    pytest.param({"cells": [["parcel", "2026-06-01", "1", {"n": 9}]]}, "no sum", id="a series"),
    pytest.param({"cells": [["run", "2026-06-01", "intake", {"n": 9, "p7": 9}]]}, "no count", id="an officer"),
    pytest.param({"cells": [["run", "2026-06-01", "intake", {"n": 9, "work": -1}]]}, "no count", id="less than none"),
    pytest.param({"cells": [["run", "2026-06-01", "intake", {"n": 9.5}]]}, "no count", id="half a case"),
    pytest.param({"cells": [["arrival", "2026-06-01", "", {"n": 9}]] * 2}, "twice", id="one sum twice"),
    pytest.param({"cells": "x"}, "no statistic", id="no sums"),
    pytest.param({"office": "../x"}, "no name", id="no name"),
    pytest.param({"label": "a\nb"}, "no label", id="a label of two lines"),
    pytest.param({"least": 1}, "cannot be", id="sums of one case"),
    pytest.param({"made_at": "2026-07-03"}, "cannot be", id="a moment without a zone"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "why"), REFUSED)
def test_a_signed_file_is_looked_at_all_the_same(
    office: Session, province: Session, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(MergeError, match=why):
        merged(province, exported(office, **changes))
    province.rollback()
    assert province.query(StatCell).count() == 0


def test_only_an_offices_own_key_counts(office: Session, province: Session) -> None:
    text = exported(office)
    with pytest.raises(MergeError, match="new here"):
        merged(province, text, key="")
    with pytest.raises(MergeError, match="not signed with the key"):
        merged(province, text, key=public_of(new_key()))
    merged(province, text)
    other = sign(json.loads(json.loads(text)["body"]), new_key())
    with pytest.raises(MergeError, match="not signed with the key"):
        merged(province, other, key="")
    with pytest.raises(MergeError, match="merged already"):
        merged(province, exported(office, now=NOW - timedelta(days=1)), key="")


def test_a_file_that_was_changed_is_noticed(office: Session) -> None:
    text = exported(office)
    with pytest.raises(SignedError, match="changed"):
        signed_body(text.replace('\\"n\\":90', '\\"n\\":91').replace("batang", "patang"))
    for nothing in ("", "{}", "[]", '{"format": "x"}', text[:-9], text.replace("signature", "x")):
        with pytest.raises(SignedError):
            signed_body(nothing)


# --- as the administrator and the head of department meet it --------------------------------------


def test_from_the_command_to_the_chart(
    app: Flask, login: Callable[[str], Any], office: Session, tmp_path: Path
) -> None:
    page = login("kabid").get("/charts/arrivals/?from=2026-06-01&to=2026-06-30").text
    assert 'name="office"' not in page
    (tmp_path / "batang.json").write_text(exported(office))
    first = run(app, "stats", "merge", str(tmp_path / "batang.json"))
    assert first.exit_code == 1
    assert "give its key" in first.output
    done = run(app, "stats", "merge", str(tmp_path / "batang.json"), "--key", public_of(KEY))
    assert done.exit_code == 0, done.output
    assert "batang: merged 2026-06-01 to 2026-06-30" in done.output
    assert run(app, "stats", "check").exit_code == 0
    log = login("admin").get("/audit/list/?kind=statistics_merged").text
    assert "2026-06-01 – 2026-06-30" in log
    asked = "/charts/arrivals/?from=2026-06-01&to=2026-06-30&office=batang"
    page = login("kabid").get(asked).text
    assert 'name="office"' in page
    assert "Dinas batang" in page
    assert "90" in page


def test_the_key_stays_the_same_and_an_export_is_never_written_over(
    app: Flask, tmp_path: Path
) -> None:
    keys = {run(app, "stats", "key").output for _ in range(2)}
    assert len(keys) == 1
    target = str(tmp_path / "out.json")
    words = [
        "stats",
        "export",
        target,
        "--office",
        "batang",
        "--from",
        "2020-01",
        "--to",
        "2020-02",
    ]
    assert run(app, *words).exit_code == 0
    assert run(app, *words).exit_code == 1
    body, public = signed_body((tmp_path / "out.json").read_text())
    assert public == next(iter(keys)).strip()
    assert body["cells"] == []
