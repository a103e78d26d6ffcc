"""The SOP sheet as its page, and the administrator's first page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models import Channel, Holiday, Signatory, SopStep, User, WorkingHours
from app.models import Office as OfficeRow
from app.release import prepare
from app.services.administration import find_gaps, load_overview, unattended_steps
from app.services.pausing import pause_step
from app.services.transitions import Office
from app.sop.definition import Sop, load_sop
from config import SEED_DATA
from tests.integration.test_sop_sync import SEVENTH_STEP, edited
from tests.support import panel
from tests.support.cases import CaseMaker
from tests.support.panel import OFFICERS, OfficeClient

Login = Callable[[str], FlaskClient]
SUMMER, WINTER = date(2026, 8, 3), date(2026, 11, 3)


def rows_of(page: str) -> list[str]:
    body = re.search(r'<table class="sop-table">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert body is not None
    return re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL)


def counts(page: str) -> list[int]:
    return [int(text) for text in re.findall(r'sop-count-number">(\d+)<', page)]


@pytest.mark.parametrize("key", [*OFFICERS])
def test_everybody_reads_the_sheet(login: Login, key: str) -> None:
    page = login(key).get("/sop/")
    assert page.status_code == 200
    assert len(rows_of(page.text)) == 6


def test_the_words_are_the_offices_own(login: Login) -> None:
    page = login("kabid").get("/sop/").text
    sheet = load_sop(SEED_DATA / "sop.toml")
    for step in sheet.steps:
        for words in (step.activity, step.output, *step.requires):
            assert words in page
    for lane in sheet.lanes:
        assert f">{lane.label.id}</th>" in page
    for heading in ("KEGIATAN", "PELAKSANA", "MUTU BAKU", "Kelengkapan", "TOTAL WAKTU"):
        assert heading in page
    assert "36 menit" in page
    assert "WILLOPO" not in page.upper(), "the signatory of the sheet is never named"


def test_blanks_stay_blank_until_the_office_fills_them(login: Login, session: Session) -> None:
    client = login("kabid")
    blanks = client.get("/sop/").text.count("sop-blank")
    assert blanks == 11, "number, four dates and names, six lists"
    office = session.scalars(select(OfficeRow)).one()
    office.sop_number, office.sop_effective = "067/12/2026", date(2026, 3, 1)
    office.sop_warning = "Data pribadi dilindungi."
    session.commit()
    page = client.get("/sop/").text
    assert page.count("sop-blank") == blanks - 3
    for text in ("067/12/2026", "1 Maret 2026", "Data pribadi dilindungi."):
        assert text in page


def test_the_office_of_today_counts_and_adds_up(
    login: Login, session: Session, make_case: CaseMaker
) -> None:
    make_case("siak_check")
    make_case("siak_check", category="PUNGLI")
    make_case("printing")
    make_case("returned")
    step = session.get_one(SopStep, "siak_check")
    step.standard_minutes = 25
    session.commit()
    page = login("kabid").get("/sop/").text
    assert counts(page) == [0, 2, 0, 0, 1, 0], "confidential cases count as well"
    assert "25 menit" in page
    assert "46 menit" in page
    assert re.search(r'Dikembalikan ke pemohon.*?stat-value">1<', page, re.DOTALL)


def test_no_case_and_nobody_is_named(login: Login, make_case: CaseMaker) -> None:
    case = make_case("siak_check", applicant_name="Rahayu Contoh")
    page = login("kabid").get("/sop/").text
    assert case.number not in page
    assert "Rahayu" not in page


def test_a_stopped_step_is_marked(
    login: Login, session: Session, office: Office, actor: Any, make_case: CaseMaker
) -> None:
    pause_step(
        session, office.sop, "siak_check", actor("operator"), "siak_down", now=make_case.start
    )
    session.commit()
    assert "SIAK tidak dapat diakses" in login("kabid").get("/sop/").text


def test_the_symbols_stand_in_the_lanes(login: Login) -> None:
    rows = rows_of(login("kabid").get("/sop/").text)
    lanes = [re.findall(r'<td class="sop-lane.*?</td>', row, re.DOTALL) for row in rows]
    assert [len(row) for row in lanes] == [4] * 6
    places = [next(n for n, cell in enumerate(row) if "sr-only" in cell) for row in lanes]
    assert places == [0, 1, 2, 3, 1, 0], "the lane of who acts"
    assert "lane-word" in lanes[1][0]
    assert ">tidak<" in lanes[1][0]
    assert ">ya<" in lanes[1][2]


def test_extensions_are_listed_as_ours(login: Login) -> None:
    page = login("kabid").get("/sop/").text
    below = page[page.index("Tambahan dari panel") :]
    for label in ("Minta kelengkapan", "Buka kembali", "Tolak tanda tangan"):
        assert label in below
    assert "Konfirmasi tercetak" not in below


def test_the_head_is_edited_by_who_may(login: Login) -> None:
    assert "/reference/office/edit/" in login("admin").get("/sop/").text
    assert "/reference/office/edit/" not in login("kabid").get("/sop/").text


def test_a_seventh_step_appears_by_itself(
    make_app: Callable[..., Flask], tmp_path: Path, session: Session, user: Any
) -> None:
    app = make_app(SOP_FILE=edited(tmp_path, SEVENTH_STEP))
    prepare(app)
    client: OfficeClient = app.test_client()  # type: ignore[assignment]
    found = user("kabid")
    with client.session_transaction() as kept:
        kept.update(panel.cookie_values(app, found, None))
    page = client.get("/sop/").text
    rows = rows_of(page)
    assert len(rows) == 7
    assert "Memeriksa mutu cetakan" in rows[5]
    assert "39 menit" in page


@pytest.mark.both
def test_the_sheet_takes_at_most_ten_statements(login: Login, sql_count: Any) -> None:
    client = login("kabid")
    client.get("/sop/")
    with sql_count() as statements:
        client.get("/sop/")
    assert len(statements) <= 10


# --- administration ---


@pytest.fixture
def sop(app: Flask) -> Sop:
    found: Sop = app.extensions["sop"]
    return found


def codes(session: Session, sop: Sop, today: date = SUMMER) -> list[str]:
    return [gap.code for gap in find_gaps(session, sop, today=today)]


def test_the_administrator_begins_here(login: Login) -> None:
    client = login("admin")
    answer = client.get("/")
    assert (answer.status_code, answer.location) == (302, "/administration/")
    page = client.get("/administration/").text
    for text in ("/reference/holidays/list/", "/users/list/", "SQLite", "Skema"):
        assert text in page


@pytest.mark.parametrize("key", [key for key in OFFICERS if key != "admin"])
def test_nobody_else_administers(login: Login, key: str) -> None:
    assert login(key).get("/administration/").status_code == 403


@pytest.mark.both
def test_a_complete_office_has_no_gap(session: Session, sop: Sop) -> None:
    assert not [code for code in codes(session, sop) if code != "holidays_expected"]


@pytest.mark.both
def test_a_step_without_anybody_is_found(session: Session, sop: Sop, user: Any) -> None:
    for key in ("operator", "operator2"):
        user(key).active = False
    session.flush()
    assert [step.key for step in unattended_steps(session, sop)] == ["siak_check", "printing"]
    assert codes(session, sop)[:2] == ["step_without_officer"] * 2


def test_missing_hours_holidays_and_channels_are_found(session: Session, sop: Sop) -> None:
    session.execute(delete(WorkingHours))
    session.execute(delete(Holiday).where(Holiday.day >= date(2027, 1, 1)))
    for channel in session.scalars(select(Channel)):
        channel.active = False
    session.flush()
    assert {"no_working_hours", "no_channel"} <= set(codes(session, sop))
    assert "no_holidays" not in codes(session, sop)
    assert "no_holidays" in codes(session, sop, WINTER), "next year's matter from October on"


@pytest.mark.both
def test_a_day_without_a_signatory_is_found(session: Session, sop: Sop) -> None:
    """An acting head's last day counts, the day after it does not."""
    rows = list(session.scalars(select(Signatory)))
    assert rows
    for row in rows:
        row.valid_to = SUMMER
    session.flush()
    assert "no_signatory" not in codes(session, sop)
    assert "no_signatory" in codes(session, sop, SUMMER + timedelta(days=1))
    for row in rows:
        session.delete(row)
    session.flush()
    assert "no_signatory" in codes(session, sop)


def test_gaps_are_said_in_words_with_the_way_to_mend_them(
    login: Login, session: Session, user: Any
) -> None:
    for key in ("operator", "operator2"):
        user(key).active = False
    session.execute(delete(WorkingHours))
    session.commit()
    page = login("admin").get("/administration/").text
    assert "Verifikasi SIAK" in page
    assert "/reference/working_hours/add" in page


def test_users_are_counted(session: Session, user: Any) -> None:
    user("petugas2").roles = []
    user("operator2").active = False
    session.flush()
    overview = load_overview(session)
    assert overview.users_active == len(OFFICERS) - 1
    assert (overview.users_inactive, overview.users_without_role) == (1, 1)
    assert overview.roles == 6
    assert not overview.demo
    assert session.scalars(select(User.id)).all()
