"""Retention: after its time nothing of a person is left, and every number stays what it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.cli.data import expire
from app.models import (
    AuditEvent,
    CaseWord,
    Dispatch,
    Document,
    Message,
    Office,
    StatCell,
)
from app.services.backup import make_backup
from app.services.retention import cutoff, erase, erase_due
from app.services.search import find_cases
from app.services.statistics import check
from app.services.transitions import apply_transition
from app.services.verifying import verify
from app.sop.errors import RefusedError
from tests.support.panel import engine_of
from tests.support.personal import PERSON, SECRETS

NAME = "Wagimin Pemohonjati"
TEXT = "Nama ayah saya Sastrowiguno salah tulis."
EVERYTHING = [*SECRETS, NAME, "Wagimin", "wagimin", "Sastrowiguno"]
NOW = datetime.now(UTC)


@pytest.fixture
def old(make_case, session):
    """A finished case of long ago."""
    case = make_case("done", at=NOW - timedelta(days=800), applicant_name=NAME, text=TEXT, **PERSON)
    session.commit()
    return case


@pytest.fixture
def keep(session):
    """`keep(12)`: the office's setting."""

    def keep(months):
        session.execute(update(Office).values(retention_months=months))
        session.commit()

    return keep


def cells(session):
    return sorted(
        (tuple(getattr(row, column.name) for column in StatCell.__table__.columns))
        for row in session.scalars(select(StatCell))
    )


def erase_all(session, store):
    return sum(erase_due(session, store, NOW, session.commit))


def test_asvs_b51_without_a_setting_everything_is_kept(session, store, old):
    assert erase_all(session, store) == 0
    assert old.applicant_name == NAME


@pytest.mark.parametrize(
    ("months", "erased"),
    [
        pytest.param(12, True, id="longer ago than it is kept"),
        pytest.param(60, False, id="not so long ago"),
    ],
)
def test_asvs_b51_what_is_due_is_erased_and_nothing_else(
    session, store, old, keep, make_case, months, erased
):
    recent = make_case("done", applicant_name=NAME, **PERSON)
    waiting = make_case("intake", at=NOW - timedelta(days=900), applicant_name=NAME)
    keep(months)
    assert erase_all(session, store) == int(erased)
    session.expire_all()
    assert (old.erased_at is not None) is erased
    assert (recent.applicant_name, waiting.applicant_name) == (NAME, NAME)
    assert erase_all(session, store) == 0


@pytest.mark.both
def test_asvs_b51_nothing_of_the_person_is_left_and_the_statistics_stay(
    app, session, store, old, keep, backend, actor
):
    before, number = cells(session), old.number
    files = [document.storage_key for document in old.documents]
    assert files
    keep(12)
    session.commit()
    with app.app_context():
        assert expire(store) == 1
    session.expire_all()
    assert cells(session) == before
    assert list(check(session)) == []
    assert list(verify(session, store)) == []
    assert [key for key in files if store.exists(key)] == []
    left = [old.applicant_name, old.nik, old.phone, old.email, old.address, old.handle, old.text]
    assert left == [""] * 7
    assert (old.nik_digest, old.phone_digest, old.number) == (None, None, number)
    assert session.scalars(select(CaseWord.word).where(CaseWord.complaint_id == old.id)).all() == []
    for typed in (PERSON["nik"], PERSON["phone"], NAME):
        assert find_cases(session, actor("petugas"), typed, now=NOW).hits == ()
    assert session.scalars(select(Message.body)).all()[0] == ""
    assert session.scalars(select(Dispatch.recipient)).one() == ""
    session.commit()
    if backend == "sqlite":  # nor in the pages that were freed
        engine_of(app).dispose()
        path = Path(str(engine_of(app).url.database))
        found = path.read_bytes()
        assert [secret for secret in EVERYTHING if secret.encode() in found] == []


def test_asvs_b51_the_page_says_so_and_nothing_more_can_be_done(
    session, store, old, login, office, actor
):
    document = session.scalars(select(Document.public_id)).first()
    assert erase(session, store, old, NOW, why="request")
    session.commit()
    page = login("petugas").get(f"/complaints/show/{old.id}")
    assert page.status_code == 200
    assert "Data dihapus sesuai retensi" in page.text
    assert [secret for secret in EVERYTHING if secret in page.text] == []
    assert login("petugas").get(f"/documents/file/{document}").status_code == 404
    with pytest.raises(RefusedError) as refused:
        apply_transition(
            session, office, old, "reopen", actor("subkoordinator"), now=NOW, reason="coba lagi"
        )
    assert refused.value.code == "case_erased"


def test_asvs_b51_it_is_logged_without_saying_whom(session, store, old, keep):
    keep(12)
    erase_all(session, store)
    row = session.scalars(select(AuditEvent).where(AuditEvent.kind == "personal_data_erased")).one()
    assert (row.subject, json.loads(row.detail)) == (
        f"complaint:{old.number}", {"why": "retention"},
    )  # fmt: skip
    assert row.actor_id is None


def test_an_open_case_is_never_erased(session, store, make_case):
    case = make_case("intake", applicant_name=NAME)
    with pytest.raises(RefusedError) as refused:
        erase(session, store, case, NOW, why="request")
    assert refused.value.code == "case_open"
    session.rollback()
    session.refresh(case)
    assert case.applicant_name == NAME


def test_a_rollback_keeps_files_and_data(session, store, old):
    keys = set(store.keys())
    erase(session, store, old, NOW, why="request")
    session.rollback()
    assert set(store.keys()) == keys
    assert old.applicant_name == NAME


def test_a_backup_can_be_made_of_what_is_left(app, session, store, old, tmp_path):
    import pyrage

    erase(session, store, old, NOW, why="request")
    session.commit()
    from app.models import Model

    key = pyrage.x25519.Identity.generate()
    with engine_of(app).connect() as connection:
        made = make_backup(
            connection, Model.metadata, store, tmp_path / "b.age", [str(key.to_public())], now=NOW
        )
    assert made.files == 0


@pytest.mark.parametrize(
    ("now", "months", "day"),
    [
        pytest.param("2026-03-31", 1, "2026-02-28", id="a shorter month"),
        pytest.param("2026-01-15", 1, "2025-12-15", id="over the new year"),
        pytest.param("2028-02-29", 12, "2027-02-28", id="a leap day"),
        pytest.param("2026-11-28", 24, "2024-11-28", id="two years"),
    ],
)
def test_months_are_those_of_the_calendar(now, months, day):
    moment = datetime.fromisoformat(f"{now}T05:00:00+00:00")
    assert cutoff(moment, months).isoformat() == f"{day}T00:00:00+07:00"


# --- one person's rights -------------------------------------------------------------------------


def test_one_person_gets_everything_that_is_kept_of_him(app, session, old, make_case, tmp_path):
    make_case("intake", applicant_name="Orang Lain", nik="3325011203901111")
    session.commit()
    target = tmp_path / "data.json"
    done = app.test_cli_runner().invoke(
        args=["data", "export", str(target)], input=PERSON["nik"] + "\n"
    )
    assert done.exit_code == 0, done.output
    assert PERSON["nik"] not in done.output
    assert target.stat().st_mode & 0o077 == 0
    [case] = json.loads(target.read_text())["cases"]
    assert {name: case[name] for name in PERSON} == PERSON
    assert case["text"] == TEXT
    assert case["parcels"]
    assert case["messages"]
    assert case["files"]
    assert case["history"]
    assert "Orang Lain" not in target.read_text()
    row = session.scalars(
        select(AuditEvent).where(AuditEvent.kind == "personal_data_exported")
    ).one()
    assert PERSON["nik"] not in row.detail


def test_one_person_is_erased_at_his_request(app, session, store, old):
    session.commit()
    done = app.test_cli_runner().invoke(args=["data", "erase", "--yes"], input=PERSON["nik"] + "\n")
    assert (done.exit_code, "cases erased: 1" in done.output) == (0, True), done.output
    session.expire_all()
    assert old.applicant_name == ""
    assert list(verify(session, store)) == []


def test_who_has_an_open_case_is_not_erased(app, session, old, make_case):
    case = make_case("intake", **PERSON)
    session.commit()
    done = app.test_cli_runner().invoke(args=["data", "erase", "--yes"], input=PERSON["nik"] + "\n")
    assert (done.exit_code, case.number in done.stderr) == (1, True)
    session.expire_all()
    assert old.applicant_name == NAME
