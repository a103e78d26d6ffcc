"""The buttons of a case are drawn once for cases alike: what is one case's or one session's is not kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import Complaint, User
from tests.support.cases import CaseMaker

HOLDERS = ("operator", "kepala")
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def buttons(client: FlaskClient, pk: int) -> str:
    """The head of a case's page, where the buttons are."""
    page = client.get(f"/complaints/show/{pk}").text
    found = re.search(r'<div class="page-actions">.*?<p class="case-badges">', page, re.DOTALL)
    assert found is not None
    return found[0]


def kept_text(app: Flask) -> str:
    """All that the process has drawn of pages."""
    return repr(app.extensions["memory"].get("kept", {}))


@pytest.fixture
def held(make_case: CaseMaker, session: Session) -> list[tuple[Complaint, User]]:
    """Two cases at the same step, each with a colleague of its own."""
    found = []
    for name in HOLDERS:
        case = make_case("intake")
        holder = session.scalars(select(User).where(User.username == name)).one()
        holder.first_name, holder.last_name = f"<i>{name}</i>", "& Co"
        case.assignee_id = holder.id
        found.append((case, holder))
    session.commit()
    return found


def test_each_case_has_its_own_holder_and_key(
    app: Flask,
    login: Callable[[str], FlaskClient],
    held: list[tuple[Complaint, User]],
) -> None:
    client = login("petugas")
    for (case, _holder), name in zip(held, HOLDERS, strict=True):
        shown = buttons(client, case.id)
        assert f'action="/complaints/start/{case.id}"' in shown
        assert f"&lt;i&gt;{name}&lt;/i&gt; &amp; Co" in shown
        assert "<i>" not in shown
        others = [one for one, _who in held if one is not case]
        assert all(f"/{one.id}" not in shown for one in others)
    kept = kept_text(app)
    assert "take_over" in kept
    assert all(name not in kept for name in HOLDERS)


def test_each_session_sends_its_own_token_from_buttons_that_both_share(
    app: Flask, login: Callable[[str], FlaskClient], held: list[tuple[Complaint, User]]
) -> None:
    pk = held[0][0].id
    clients = [login("petugas"), login("petugas")]
    tokens = [set(TOKEN.findall(buttons(client, pk))) for client in clients]
    assert all(len(found) == 1 for found in tokens)
    assert tokens[0] != tokens[1]
    assert all(token not in kept_text(app) for found in tokens for token in found)
    for client, found in zip(clients, tokens, strict=True):
        data = {"csrf_token": found.pop(), "take_over": "1"}
        assert client.post(f"/complaints/start/{pk}", data=data).status_code == 303


def test_buttons_that_are_kept_are_offered_to_nobody_else(
    login: Callable[[str], FlaskClient], held: list[tuple[Complaint, User]]
) -> None:
    pk = held[0][0].id
    assert "/complaints/start/" in buttons(login("petugas"), pk)
    for name in ("subkoordinator", "kepala"):
        assert "/complaints/start/" not in buttons(login(name), pk)


def test_a_case_that_was_taken_over_or_moved_offers_other_buttons(
    login: Callable[[str], FlaskClient],
    post: Callable[..., Any],
    make_case: CaseMaker,
    held: list[tuple[Complaint, User]],
    session: Session,
) -> None:
    case = held[0][0]
    client = login("petugas")
    assert f'action="/complaints/start/{case.id}"' in buttons(client, case.id)
    post(client, f"/complaints/start/{case.id}", {"take_over": "1"})
    taken = buttons(client, case.id)
    assert f'href="/complaints/work/{case.id}"' in taken
    assert "/complaints/start/" not in taken
    session.expire_all()
    make_case.move(case, "verify_file")
    session.commit()
    moved = buttons(client, case.id)
    assert "/complaints/work/" not in moved
    assert "/complaints/start/" not in moved


def test_the_version_that_a_button_sends_is_the_case_s_own(
    login: Callable[[str], FlaskClient], make_case: CaseMaker, session: Session
) -> None:
    cases = [make_case("certification"), make_case("certification")]
    for case, version in zip(cases, (71, 72), strict=True):
        make_case.record_facts(case, "submit_certification")
        session.flush()
        session.execute(update(Complaint).where(Complaint.id == case.id).values(version=version))
    session.commit()
    client = login("subkoordinator")
    for case, version in zip(cases, (71, 72), strict=True):
        shown = buttons(client, case.id)
        assert f'action="/complaints/action/submit_certification/{case.id}"' in shown
        assert f'name="version" value="{version}"' in shown
