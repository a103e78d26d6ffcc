"""The page of my sessions, and the news of a sign-in from a new device (asvs 7.5, B14)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Account, User
from tests.support.panel import post
from tests.support.sign_ins import browser, is_in, rows
from tests.support.signing_in import sign_in

# --- 7.5: my sessions ----------------------------------------------------------------------------


Login = Callable[[str], FlaskClient]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/150.0.0.0 Mobile Safari/537.36"
)


@pytest.mark.both
def test_asvs_b14_my_sessions_are_listed_and_others_can_be_ended(
    app: Flask, session: Session, login: Login
) -> None:
    here = browser(app, headers={"User-Agent": FIREFOX})
    phone = browser(app, headers={"User-Agent": PHONE})
    browser(app, "operator2")
    page = here.get("/sessions/").text
    assert "Firefox" in page
    assert "Android" in page
    assert page.count("/sessions/end/") == 1
    mine, other = (row.id for row in rows(session))
    stranger = rows(session, "operator2")[0].id
    for pk in (mine, stranger, 999999):
        assert post(here, f"/sessions/end/{pk}").status_code == 404
    assert is_in(phone)
    assert post(here, f"/sessions/end/{other}").status_code == 303
    assert not is_in(phone)
    assert is_in(here)
    assert post(here, f"/sessions/end/{other}").status_code == 404
    assert rows(session, "operator2")[0].ended_at is None


def test_asvs_b14_all_other_sessions_end_with_one_button(app: Flask, session: Session) -> None:
    here, others = browser(app), [browser(app) for _number in range(3)]
    assert post(here, "/sessions/end-others").status_code == 303
    assert [is_in(client) for client in (here, *others)] == [True, False, False, False]


def test_asvs_b14_a_sign_in_from_a_new_device_is_shown_at_the_next_page(
    app: Flask, session: Session
) -> None:
    words = "dari perangkat baru"
    here = browser(app, headers={"User-Agent": FIREFOX})
    assert words not in here.get("/sessions/").text
    intruder = browser(app, headers={"User-Agent": PHONE})
    unseen = rows(session)[-1].id
    page = here.get("/queue/").text
    assert words in page
    assert "Android" in page
    # The new device is not told, and cannot wave it away.
    assert words not in intruder.get("/queue/").text
    assert post(intruder, f"/sessions/seen/{unseen}").status_code == 404
    assert words in here.get("/queue/").text
    assert post(here, f"/sessions/seen/{unseen}").status_code == 303
    assert words not in here.get("/queue/").text
    # The same browser again is no news.
    post(here, "/logout/")
    assert sign_in(here, "operator").status_code == 303
    assert words not in here.get("/queue/").text
    account = session.scalars(
        select(Account.unseen_session_id)
        .join(User, User.id == Account.user_id)
        .where(User.username == "operator")
    ).one()
    assert account is None


def test_asvs_b14_a_device_known_to_one_officer_is_new_to_another(
    app: Flask, session: Session
) -> None:
    shared = browser(app, "operator")
    first = browser(app, "operator2")
    post(shared, "/logout/")
    assert sign_in(shared, "operator2").status_code == 303
    assert "dari perangkat baru" in first.get("/queue/").text
