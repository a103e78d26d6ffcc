"""What is seen from outside: the dashboard and the numbers agree, and the database names requests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import psycopg
import pytest
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app import tracing
from app.services.audit import Origin, origin
from tests.support.deployed import DEPLOY

BOARD = json.loads((DEPLOY / "grafana" / "aduan.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
#: Told only where the setting is: REDIS_URL.
BY_SETTING = {"aduan_redis_up"}


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\baduan_[a-z_]+", expression))


def asked() -> set[str]:
    found = {
        name for panel in PANELS for part in panel["targets"] for name in names_in(part["expr"])
    }
    for variable in BOARD["templating"]["list"]:
        found |= names_in(variable.get("definition", ""))
    return found


@pytest.fixture
def told(make_app: Callable[..., Flask]) -> dict[str, Any]:
    """The families of numbers that the panel tells, by name."""
    client = make_app(METRICS_ADDRESSES=("127.0.0.1",)).test_client()
    client.get("/login/")
    found = text_string_to_metric_families(client.get("/metrics").text)
    # When a counter began is told by the library itself.
    return {f.name: f for f in found if not f.name.endswith("_created")}


def family_of(name: str) -> str:
    return re.sub(r"_(total|bucket|sum|count)$", "", name)


def test_the_dashboard_asks_for_nothing_that_is_not_told(told: dict[str, Any]) -> None:
    samples = {sample.name for family in told.values() for sample in family.samples}
    assert asked() - samples - set(told) - BY_SETTING == set()


def test_everything_that_is_told_is_on_the_dashboard(told: dict[str, Any]) -> None:
    assert len(told) >= 9
    assert {family_of(name) for name in told} - {family_of(name) for name in asked()} == set()


def test_alarms_ask_for_what_is_told(told: dict[str, Any]) -> None:
    rules = yaml.safe_load((DEPLOY / "grafana" / "aduan.rules.yml").read_text(encoding="utf-8"))
    alarms = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(alarms) >= 4
    for alarm in alarms:
        assert {family_of(name) for name in names_in(alarm["expr"])} <= set(told), alarm["alert"]
        assert "{{ $labels.office }}" in alarm["annotations"]["summary"]


def test_labels_in_the_questions_are_labels_of_the_numbers(told: dict[str, Any]) -> None:
    known = {"office", "le"} | {
        label for family in told.values() for sample in family.samples for label in sample.labels
    }
    for panel in PANELS:
        for part in panel["targets"]:
            used = set(re.findall(r"([a-z_]+)\s*(?:=~|=|!=)\s*\"", part["expr"]))
            used |= {
                word.strip()
                for group in re.findall(r"by \(([^)]*)\)", part["expr"])
                for word in group.split(",")
            }
            used |= set(re.findall(r"\{\{([a-z_]+)\}\}", part["legendFormat"]))
            # Told only with a case in a step.
            assert used <= known | {"step"}, panel["title"]
            assert part["expr"].count("(") == part["expr"].count(")")


def test_the_panels_lie_side_by_side() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    cells: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        mine = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not mine & cells, panel["title"]
        cells |= mine
    tops = sorted({panel["gridPos"]["y"] for panel in BOARD["panels"]})
    assert all(a < b for a, b in pairwise(tops))


# --- the number of a request in the database ------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "begins"),
    [
        pytest.param("", b"BEGIN", id="a worker has none"),
        pytest.param("x'; DROP TABLE complaint; --", b"BEGIN", id="what is no number is left out"),
        pytest.param("short", b"BEGIN", id="nor is this"),
        pytest.param(
            "0123456789abcdef",
            b"BEGIN; SET LOCAL application_name = 'aduan 0123456789abcdef'",
            id="a request's number",
        ),
        pytest.param(
            "0" * 64,
            b"BEGIN; SET LOCAL application_name = 'aduan " + b"0" * 57 + b"'",
            id="as long as the server keeps it",
        ),
    ],
)
def test_how_a_transaction_begins(number: str, begins: bytes) -> None:
    assert tracing.begin_statement(b"BEGIN", number) == begins


@pytest.fixture
def numbered() -> Iterator[str]:
    mark = origin.set(Origin(request_id="0123456789abcdef"))
    yield "aduan 0123456789abcdef"
    origin.reset(mark)


@pytest.mark.postgres
@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_the_database_tells_which_request_a_statement_is_of(
    app: Flask, database_url: str, numbered: str
) -> None:
    """And it costs no statement: psycopg sends it with its BEGIN."""
    engine = create_engine(database_url, connect_args={"application_name": "aduan"})
    look = text("SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    with Session(engine) as session:
        assert session.scalar(look) == numbered
        session.commit()
        pid = session.connection().connection.dbapi_connection.info.backend_pid
        session.commit()
        with psycopg.connect(database_url.replace("+psycopg", "")) as other:
            named = other.execute(
                "SELECT application_name, query FROM pg_stat_activity WHERE pid = %s", [pid]
            ).fetchone()
    assert named == ("aduan", "COMMIT")
    engine.dispose()
