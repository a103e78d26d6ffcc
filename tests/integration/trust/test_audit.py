"""The audit log: what it takes, what it refuses, and that it goes with the transaction it tells of.

Ids name the lines of the checks that were promised: "asvs 52" to "asvs 56".
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.auditing import READS
from app.models import AuditEvent, Courier, Role, User
from app.services.actor import Actor
from app.services.audit import GROUPS, KINDS, Origin, origin, record
from app.services.audit.chain import BEGINNING, seal
from app.services.transitions import Office, apply_transition
from tests.support import panel
from tests.support.cases import CaseMaker

KEY = bytes.fromhex(panel.AUDIT_KEY)


def rows_of(session: Session) -> list[AuditEvent]:
    return list(session.scalars(select(AuditEvent).order_by(AuditEvent.id)))


def last_number(session: Session) -> int:
    return session.scalar(select(func.max(AuditEvent.id))) or 0


@pytest.mark.both
def test_rows_follow_each_other_and_each_is_sealed_with_the_one_before(session: Session) -> None:
    first = last_number(session)
    for number in range(3):
        record(session, "signed_in", actor_id=number, subject=f"user:{number}")
        session.commit()
    record(session, "signed_out", actor_id=1)
    record(session, "exported", actor_id=None, detail={"rows": 3, "all": True, "of": "berkas é"})
    session.commit()
    rows = rows_of(session)
    assert [row.id for row in rows] == list(range(1, first + 6))
    before = BEGINNING
    for row in rows:
        values = {column.name: getattr(row, column.name) for column in row.__table__.columns}
        assert row.mac == seal(KEY, before, values)
        before = row.mac
    assert rows[-1].details == {"rows": 3, "all": True, "of": "berkas é"}


def test_a_kind_that_is_not_on_the_list_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="knows no 'moved_by_magic'"):
        record(session, "moved_by_magic", actor_id=1)


def test_every_kind_fits_its_column_and_has_both_labels() -> None:
    assert all(len(kind) <= 40 and label.id and label.en for kind, label in KINDS.items())
    assert sum(len(kinds) for _group, kinds in GROUPS) == len(KINDS)


@pytest.mark.both
def test_what_is_rolled_back_is_not_told(session: Session) -> None:
    before = last_number(session)
    record(session, "signed_in", actor_id=1)
    session.rollback()
    session.commit()
    record(session, "signed_in", actor_id=2)
    session.close()
    session.commit()
    record(session, "signed_in", actor_id=3, subject="kept")
    with session.begin_nested():
        record(session, "signed_in", actor_id=4, subject="kept too")
    savepoint = session.begin_nested()
    record(session, "signed_in", actor_id=5, subject="lost")
    savepoint.rollback()
    session.commit()
    told = [row.subject for row in rows_of(session)[before:]]
    assert told == ["kept", "kept too"]


@pytest.mark.both
@pytest.mark.parametrize("statement", [
    pytest.param(update(AuditEvent).values(kind="signed_out"), id="asvs 53: a row is not rewritten"),
    pytest.param(delete(AuditEvent), id="asvs 53: a row is not removed"),
])  # fmt: skip
def test_the_database_refuses_to_change_the_log(session: Session, statement: Any) -> None:
    record(session, "signed_in", actor_id=1)
    session.commit()
    before = last_number(session)
    with pytest.raises(DBAPIError, match="the audit log is never changed"):
        session.execute(statement)
    session.rollback()
    assert last_number(session) == before


@pytest.mark.parametrize("backend", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)  # fmt: skip
def test_postgres_refuses_to_empty_the_log(session: Session) -> None:
    record(session, "signed_in", actor_id=1)
    session.commit()
    with pytest.raises(DBAPIError, match="the audit log is never changed"):
        session.execute(text("TRUNCATE audit_event"))
    session.rollback()
    assert last_number(session) >= 1


@pytest.mark.both
def test_writers_at_once_make_one_chain(app: Flask, session: Session) -> None:
    engine, before = panel.engine_of(app), last_number(session)
    session.commit()
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for turn in range(10):
                with Session(engine) as own:
                    record(own, "signed_in", actor_id=number, detail={"turn": turn})
                    own.commit()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert [row.id for row in rows_of(session)] == list(range(1, before + 61))


@pytest.mark.parametrize(("given", "kept"), [
    pytest.param("3325010101900001", "[16 digits]", id="asvs 52: a NIK is blotted out"),
    pytest.param("KK 3325010101900001.", "KK [16 digits].", id="also inside a sentence"),
    pytest.param("a\r\nb\x1b[31m\u2028c", "a b [31m c", id="asvs 54: control characters go"),
    pytest.param("x" * 300, "x" * 200, id="long words are cut"),
    pytest.param(3325010101900001, "[16 digits]", id="also as a number"),
    pytest.param("PGD-2026-000001", "PGD-2026-000001", id="a case's number stays"),
])  # fmt: skip
def test_a_detail_holds_no_person_and_no_line(session: Session, given: Any, kept: str) -> None:
    record(session, "personal_data_revealed", actor_id=1, detail={"reason": given})
    session.commit()
    assert rows_of(session)[-1].details == {"reason": kept}


def test_where_from_is_that_of_the_request(session: Session) -> None:
    mark = origin.set(Origin("203.0.113.9", "abc123"))
    record(session, "signed_in", actor_id=1)
    record(session, "signed_in", actor_id=1, address="198.51.100.7", request_id="other")
    origin.reset(mark)
    session.commit()
    told = [(row.address, row.request_id) for row in rows_of(session)[-2:]]
    assert told == [("203.0.113.9", "abc123"), ("198.51.100.7", "other")]


@pytest.mark.both
def test_asvs_52_a_transition_is_told_with_its_moment(
    session: Session, make_case: CaseMaker, office: Office, actor: Callable[[str], Actor]
) -> None:
    case = make_case("certification")
    make_case.record_facts(case, "submit_certification")
    session.commit()
    who, now = actor("subkoordinator"), make_case.now(case)
    apply_transition(session, office, case, "submit_certification", who, now=now)
    session.commit()
    row = rows_of(session)[-1]
    assert (row.kind, row.subject, row.actor_id, row.at) == (
        "case_moved", f"complaint:{case.number}", who.id, now,
    )  # fmt: skip
    assert row.details["to"] == "signing"


# --- what pages tell -----------------------------------------------------------------------------


def told(session: Session, since: int) -> list[tuple[str, str, int | None]]:
    session.rollback()
    rows = session.scalars(select(AuditEvent).where(AuditEvent.id > since).order_by(AuditEvent.id))
    return [(row.kind, row.subject, row.actor_id) for row in rows]


@pytest.mark.both
def test_asvs_52_a_download_a_preview_a_print_and_an_export_are_told(
    session: Session,
    make_case: CaseMaker,
    login: Callable[[str], FlaskClient],
    user: Callable[[str], User],
) -> None:
    case = make_case("certification")
    document = case.documents[0]
    session.commit()
    client, since = login("petugas"), last_number(session)
    who, key, number = user("petugas").id, document.public_id, case.id
    for url in (
        f"/documents/file/{key}",
        f"/documents/preview/{key}/1?size=small",
        f"/documents/preview/{key}/1",
        f"/papers/receipt/{number}",
        "/complaints/export",
        "/complaints/list/",
        f"/complaints/show/{number}",
    ):
        assert client.get(url).status_code == 200, url
    assert told(session, since) == [
        ("file_downloaded", f"document:{key}", who),
        ("file_viewed", f"document:{key}", who),
        ("printed", f"case:{number}", who),
        ("exported", "complaints", who),
    ]
    row = rows_of(session)[-1]
    assert row.address == "127.0.0.1"
    assert len(row.request_id) == 12


@pytest.mark.both
def test_asvs_52_a_refusal_is_told_and_nobody_in_particular_is_not(
    session: Session,
    login: Callable[[str], FlaskClient],
    client: FlaskClient,
    user: Callable[[str], User],
    post: Callable[..., Any],
) -> None:
    operator, since = login("operator"), last_number(session)
    assert operator.get("/users/list/").status_code == 403
    assert post(operator, "/roles/add", {"name": "x"}).status_code == 403
    assert client.get("/users/list/").status_code in (302, 303)
    who = user("operator").id
    assert told(session, since) == [("refused", "", who), ("refused", "", who)]
    assert rows_of(session)[-1].details == {
        "endpoint": "RoleModelView.add", "key": "", "method": "POST",
    }  # fmt: skip


def test_every_endpoint_that_is_told_exists(app: Flask) -> None:
    assert set(READS) <= {rule.endpoint for rule in app.url_map.iter_rules()}


def test_a_file_is_not_handed_out_when_the_log_cannot_be_written(
    app: Flask, session: Session, make_case: CaseMaker, login: Callable[[str], FlaskClient]
) -> None:
    case = make_case("certification")
    key = case.documents[0].public_id
    session.execute(
        text(
            "CREATE TRIGGER full BEFORE INSERT ON audit_event"
            " BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    )
    session.commit()
    client = login("petugas")
    assert client.get(f"/documents/file/{key}").status_code == 503
    assert client.get("/users/list/").status_code == 403
    assert client.get("/complaints/list/").status_code == 200
    session.execute(text("DROP TRIGGER full"))
    session.commit()
    assert client.get(f"/documents/file/{key}").status_code == 200


@pytest.mark.both
def test_asvs_52_changes_of_settings_users_and_roles_tell_themselves(
    session: Session, user: Callable[[str], User]
) -> None:
    who = user("admin").id
    since = last_number(session)
    mark = origin.set(Origin("203.0.113.9", "abc", lambda: who))
    courier = session.scalars(select(Courier).limit(1)).one()
    old = courier.name
    courier.name = "Kurir Baru"
    session.flush()
    role = session.scalars(select(Role).where(Role.name == "Sub Koordinator")).one()
    someone = user("operator2")
    assert [role.name for role in someone.roles] == ["Operator"]
    someone.active, someone.email, someone.roles = False, "baru@example.org", [role]
    session.commit()
    origin.reset(mark)
    rows = {row.kind: row for row in rows_of(session)[since:]}
    assert set(rows) == {"record_changed", "user_deactivated"}
    assert rows["record_changed"].details == {"name": f"{old} → Kurir Baru"}
    assert rows["record_changed"].subject == f"courier:{courier.id}"
    told_of_user = rows["user_deactivated"]
    assert (told_of_user.subject, told_of_user.actor_id) == (f"user:{someone.id}", who)
    assert told_of_user.details == {
        "columns": "email", "given": "Sub Koordinator", "taken": "Operator",
    }  # fmt: skip
    assert "example.org" not in told_of_user.detail


def test_what_the_release_step_seeds_is_not_told(
    session: Session, login: Callable[[str], FlaskClient]
) -> None:
    login("admin").get("/users/list/")  # a request before it in the same thread leaves no mark
    since = last_number(session)
    session.scalars(select(Courier).limit(1)).one().name = "Dari berkas"
    session.commit()
    assert told(session, since) == []
