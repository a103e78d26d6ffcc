"""Fixtures of the report tests: ask as an officer, work as a worker."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli.reports import make_one
from app.models import ReportJob
from app.views.reports import ReportView

FEBRUARY = {"from": "2026-02-01", "to": "2026-02-28"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works beside these tests, so no answer waits for a worker."""
    monkeypatch.setattr(ReportView, "patience", 0.0)


@pytest.fixture
def work(app: Flask, session: Session) -> Callable[[], int]:
    """`work()`: one worker makes all that waits; how many."""

    def run(worker: str = "test-worker") -> int:
        made = 0
        session.commit()  # else it would look at the past afterwards
        with app.app_context():
            while make_one(worker):
                made += 1
        return made

    return run


@pytest.fixture
def ask(post: Callable[..., Any], session: Session) -> Callable[..., ReportJob]:
    """`ask(client, "recap.pdf", channel="1")`: the job that the form makes."""

    def send(client: FlaskClient, report: str, **values: Any) -> ReportJob:
        page = client.get("/reports/").text
        key = re.search(r'name="form_key" value="([^"]+)"', page)
        assert key
        data = {**FEBRUARY, **values, "report": report, "form_key": key[1]}
        answer = post(client, "/reports/", data)
        assert answer.status_code == 303, answer.text
        session.commit()
        public_id = answer.location.rsplit("/", 1)[1]
        return session.scalars(select(ReportJob).where(ReportJob.public_id == public_id)).one()

    return send


@pytest.fixture
def fetch(ask: Any, work: Any, login: Any) -> Callable[..., bytes]:
    """`fetch("kabid", "recap.xlsx")`: ask, let it be made, download."""

    def get(who: str, report: str, **values: Any) -> bytes:
        client = login(who)
        job = ask(client, report, **values)
        assert work() == 1
        answer = client.get(f"/reports/{job.public_id}/file")
        assert answer.status_code == 200, answer.location
        return bytes(answer.data)

    return get
