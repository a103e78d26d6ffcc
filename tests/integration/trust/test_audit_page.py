"""The page of the audit log: who finds what, page by page, and that it is told what was taken along."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AuditEvent, User
from app.services.audit import record
from app.views.audit import PAGE
from tests.support.cases import CaseMaker

NOW = datetime(2026, 3, 5, 3, 0, tzinfo=UTC)


@pytest.fixture
def log(session: Session, user: Callable[[str], User]) -> None:
    """Five rows of two people on two days."""
    operator, head = user("operator").id, user("kepala").id
    for kind, who, subject, at in (
        ("signed_in", operator, f"user:{operator}", NOW),
        ("refused", operator, "", NOW + timedelta(minutes=1)),
        ("case_moved", head, "complaint:PGD-2026-000777", NOW + timedelta(minutes=2)),
        ("file_viewed", head, "document:abc", NOW + timedelta(days=1)),
        ("sign_in_failed", None, "user:999", NOW + timedelta(days=1, minutes=1)),
    ):
        record(session, kind, actor_id=who, subject=subject, address="198.51.100.4", at=at)
    session.commit()


def kinds_of(client: FlaskClient, **query: Any) -> list[str]:
    answer = client.get("/audit/export", query_string=query)
    assert answer.status_code == 200
    rows = csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff")), delimiter=";")
    return [row[4] for row in list(rows)[1:]]


@pytest.mark.both
@pytest.mark.parametrize(("query", "expected"), [
    pytest.param({"person": "kepala"}, ["Berkas dilihat", "Pengaduan dipindahkan"], id="by person"),
    pytest.param({"kind": "refused"}, ["Ditolak: tidak berhak"], id="by kind"),
    pytest.param({"kind": "group-0", "to": "2026-03-06"}, ["Gagal masuk", "Masuk"], id="by group"),
    pytest.param({"subject": "PGD-2026-000777"}, ["Pengaduan dipindahkan"], id="by a case's number"),
    pytest.param({"subject": "user:999"}, ["Gagal masuk"], id="by a whole subject"),
    pytest.param({"subject": "PGD-2026"}, [], id="part of a subject is none"),
    pytest.param({"from": "2026-03-06", "to": "2026-03-06"}, ["Gagal masuk", "Berkas dilihat"],
                 id="by day of the office"),
    pytest.param({"to": "2026-03-05"}, ["Pengaduan dipindahkan", "Ditolak: tidak berhak", "Masuk"],
                 id="until a day"),
])  # fmt: skip
def test_the_filter_finds(
    log: None,
    login: Callable[[str], FlaskClient],
    user: Callable[[str], User],
    query: dict[str, str],
    expected: list[str],
) -> None:
    if "person" in query:
        query = {"person": str(user(query["person"]).id)}
    client = login("admin")
    assert kinds_of(client, **query) == expected
    page = client.get("/audit/list/", query_string=query).get_data(as_text=True)
    assert page.count("<tr>") == (len(expected) + 1 if expected else 0)


@pytest.mark.parametrize("query", [
    "person=abc", "person=99999999999999", "kind=nothing", "kind=group-9", "kind=group-x",
    "from=2026-13-45", "to=0001-01-01", "below=x", "below=-1", "subject=%00", "subject=" + "a" * 500,
])  # fmt: skip
def test_what_cannot_be_understood_is_left_out(
    log: None, login: Callable[[str], FlaskClient], query: str
) -> None:
    assert login("admin").get(f"/audit/list/?{query}").status_code == 200


@pytest.mark.both
def test_pages_go_on_behind_the_last_row_and_none_is_missing(
    session: Session, login: Callable[[str], FlaskClient], sql_count: Callable[[], Any]
) -> None:
    for number in range(PAGE + 5):
        record(session, "printed", actor_id=None, subject=f"case:{number}")
    session.commit()
    client = login("admin")
    client.get("/audit/list/?kind=printed")
    with sql_count() as statements:
        first = client.get("/audit/list/?kind=printed").get_data(as_text=True)
    assert len(statements) == 3, statements
    newest = session.scalars(select(AuditEvent.id).order_by(AuditEvent.id.desc())).first() or 0
    behind = newest - PAGE + 1
    assert f"kind=printed&amp;below={behind}" in first
    second = client.get(f"/audit/list/?kind=printed&below={behind}").get_data(as_text=True)
    assert second.count("<tr>") == 5 + 1
    assert "below=" not in second


def test_asvs_b19_the_number_of_a_confidential_case_is_left_out_and_not_found(
    session: Session, make_case: CaseMaker, login: Callable[[str], FlaskClient]
) -> None:
    case = make_case("certification")
    case.confidential = True
    number = case.number
    session.commit()
    client = login("admin")
    query = {"kind": "case_moved"}
    page = client.get("/audit/list/", query_string=query).text
    assert number not in page
    assert "Pengaduan rahasia" in page
    assert number not in client.get("/audit/export", query_string=query).text
    assert kinds_of(client, subject=number) == []
    assert kinds_of(client, subject=f"complaint:{number}") == []


def test_taking_the_log_along_is_told_itself(
    log: None, session: Session, login: Callable[[str], FlaskClient], user: Callable[[str], User]
) -> None:
    who = user("admin").id
    assert kinds_of(login("admin"), kind="refused") == ["Ditolak: tidak berhak"]
    session.rollback()
    row = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert row is not None
    assert (row.kind, row.actor_id, row.details) == ("audit_exported", who, {"kind": "refused"})


@pytest.mark.parametrize("key", ["kepala", "kabid", "operator", "petugas", "subkoordinator"])
def test_nobody_but_it_sees_the_log(login: Callable[[str], FlaskClient], key: str) -> None:
    assert login(key).get("/audit/list/").status_code == 403
    assert login(key).get("/audit/export").status_code == 403


def test_a_cell_of_the_log_is_no_formula(
    session: Session, login: Callable[[str], FlaskClient]
) -> None:
    record(session, "refused", actor_id=None, subject="=cmd|' /C calc'!A0")
    session.commit()
    text = login("admin").get("/audit/export").get_data(as_text=True)
    assert ";'=cmd" in text.replace('"', "")


def test_facts_are_in_words_and_what_the_sop_has_not_is_shown_as_it_stands(
    session: Session, user: Callable[[str], User], login: Callable[[str], FlaskClient]
) -> None:
    move = {"from": "siak_check", "move": "siak_match", "to": "certification"}
    for detail in (move, {"what": "registered"}, {"from": "a_step_of_before", "move": "gone"}):
        record(session, "case_moved", actor_id=user("operator").id, detail=detail)
    session.commit()
    page = login("admin").get("/audit/list/?kind=case_moved").text
    for words in ("dari: Verifikasi SIAK", "tindakan: Ya, sesuai", "ke: Pengajuan sertifikasi"):
        assert words in page
    assert "apa: Pengaduan didaftarkan" in page
    assert "dari: a_step_of_before" in page
    assert "siak_check" not in page
