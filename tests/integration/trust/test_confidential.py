"""Confidential cases are there for who holds `see_confidential`, and on no page of anybody else."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import Complaint, Document, Role
from tests.integration.access_matrix import LETTERS, routes
from tests.integration.test_access_matrix import client_of
from tests.support.panel import engine_of
from tests.support.world import APPLICANT

OFFICERS = {letter: key for letter, key in LETTERS.items() if key}


@pytest.fixture
def secrets(world_app, world):
    """What tells of a case: every case is confidential, and no role may see such."""
    with Session(engine_of(world_app)) as session:
        session.execute(update(Complaint).values(confidential=True))
        for role in session.scalars(select(Role)):
            role.permissions = [
                row for row in role.permissions if row.permission.name != "see_confidential"
            ]
        session.commit()
        numbers = session.scalars(select(Complaint.number)).all()
        names = session.scalars(select(Document.original_name)).unique().all()
    assert numbers
    return {*numbers, *names, *APPLICANT.values()}


@pytest.mark.parametrize("letter", OFFICERS, ids=lambda letter: OFFICERS[letter])
def test_asvs_b19_no_page_tells_of_a_confidential_case(world_app, world, secrets, letter):
    """Lists, charts' cases, files, previews, downloads, exports, papers, batches, desks, logs."""
    client = client_of(world_app, OFFICERS[letter])
    told, seen = [], 0
    for (method, rule), answered in routes().items():
        # The public page shows a made-up number as its example; it reads no case on a GET.
        if method != "GET" or letter not in answered or rule == "/check/":
            continue
        url = answered[letter].url(world.places)
        answer = client.get(url)
        seen += 1
        assert answer.status_code < 500, url
        text = answer.text if answer.mimetype.startswith(("text/", "application/xml")) else ""
        told += [f"{url} tells {secret}" for secret in secrets if secret and secret in text]
        # The notice of a data breach is of no case.
        of_a_case = not rule.startswith("/breaches/notice/")
        if of_a_case and answer.mimetype.startswith(("image/", "application/pdf")):
            told.append(f"{url} hands out a {answer.mimetype}")
    assert seen > 20
    assert told == []


def test_who_holds_the_permission_sees_them(world_app, world):
    with Session(engine_of(world_app)) as session:
        session.execute(update(Complaint).values(confidential=True))
        session.commit()
    assert "PGD-" in client_of(world_app, "operator").get("/complaints/list/").text
