"""Who does not get a report: another officer, one who lost a right, one who comes too late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import Permission, PermissionView, ReportJob, Role, User, ViewMenu
from app.services.reports import jobs
from app.services.reports.jobs import Asked
from app.services.statistics import Scope
from app.services.storage import Store
from app.sop.errors import NotAllowedError, RefusedError
from tests.support.reports import fill_office, lines, sheets

ASKED = Asked("register", "csv", Scope(date(2026, 2, 1), date(2026, 2, 28)), "id")


@pytest.fixture
def take_away(session: Session) -> Callable[[str, str, str], None]:
    """`take_away("kabid", "can_download", "Report")`: as the role screen does."""

    def run(who: str, permission: str, view: str) -> None:
        roles = session.scalars(select(Role).join(Role.user).where(User.username == who)).all()
        pair = session.scalars(
            select(PermissionView)
            .join(Permission, PermissionView.permission_id == Permission.id)
            .join(ViewMenu, PermissionView.view_menu_id == ViewMenu.id)
            .where(Permission.name == permission, ViewMenu.name == view)
        ).one()
        for role in roles:
            if pair in role.permissions:
                role.permissions.remove(pair)
        session.commit()

    return run


@pytest.mark.parametrize("who", ["operator", "admin"])
def test_without_the_permission_nothing_is_asked_for(
    session: Session, actor: Any, login: Any, post: Any, who: str
) -> None:
    with pytest.raises(NotAllowedError):
        jobs.ask_for(session, actor(who), ASKED, now=datetime.now(UTC))
    assert login(who).get("/reports/").status_code == 403
    assert post(login(who), "/reports/", {"report": "recap.pdf"}).status_code == 403
    assert session.scalars(select(ReportJob)).all() == []


@pytest.mark.parametrize(
    ("report", "values"),
    [
        pytest.param("recap.csv", {}, id="a recapitulation is no CSV"),
        pytest.param("secrets.pdf", {}, id="an unknown report"),
        pytest.param("", {}, id="no report at all"),
        pytest.param("recap.pdf", {"from": "2026-13-01"}, id="an impossible day"),
        pytest.param("recap.pdf", {"from": "2026-03-01", "to": "2026-02-01"}, id="an end before the beginning"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for(
    session: Session, login: Any, post: Any, report: str, values: dict[str, str]
) -> None:
    answer = post(login("kabid"), "/reports/", {"report": report, **values})
    assert answer.status_code == 422
    assert session.scalars(select(ReportJob)).all() == []


def test_the_report_of_another_is_not_there(
    session: Session, login: Any, post: Any, ask: Any, work: Any
) -> None:
    job = ask(login("kabid"), "recap.pdf")
    other = login("subkoordinator")
    for path in ("", "/progress", "/file"):
        assert other.get(f"/reports/{job.public_id}{path}").status_code == 404
    assert post(other, f"/reports/{job.public_id}/cancel").status_code == 404
    session.refresh(job)
    assert job.state == "queued"
    work()
    assert other.get(f"/reports/{job.public_id}/file").status_code == 404
    assert job.public_id not in other.get("/reports/").text


def test_what_is_not_finished_is_not_fetched(login: Any, ask: Any) -> None:
    client = login("kabid")
    job = ask(client, "recap.pdf")
    answer = client.get(f"/reports/{job.public_id}/file")
    assert answer.status_code == 303
    assert "belum selesai" in client.get(answer.location).text


def test_a_cancelled_report_is_neither_made_nor_fetched(
    session: Session, login: Any, post: Any, ask: Any, work: Any, store: Store
) -> None:
    client = login("kabid")
    job = ask(client, "recap.pdf")
    assert post(client, f"/reports/{job.public_id}/cancel").status_code == 303
    assert work() == 0
    session.refresh(job)
    assert (job.state, job.file_key) == ("cancelled", None)
    assert client.get(f"/reports/{job.public_id}/file").status_code == 303
    assert list(store.keys()) == []


def test_a_finished_report_cannot_be_cancelled(
    session: Session, login: Any, post: Any, ask: Any, work: Any
) -> None:
    client = login("kabid")
    job = ask(client, "recap.xlsx")
    work()
    answer = post(client, f"/reports/{job.public_id}/cancel")
    assert "sudah selesai" in client.get(answer.location).text
    session.refresh(job)
    assert job.state == "done"


def test_an_expired_report_is_refused_before_and_after_it_is_thrown_away(
    session: Session, login: Any, ask: Any, work: Any, store: Store
) -> None:
    client = login("kabid")
    job = ask(client, "recap.xlsx")
    work()
    now = datetime.now(UTC)
    session.commit()
    session.execute(update(ReportJob).values(expires_at=now - timedelta(seconds=1)))
    session.commit()
    answer = client.get(f"/reports/{job.public_id}/file")
    assert answer.status_code == 303
    assert "sudah dihapus setelah 7 hari" in client.get(answer.location).text
    assert len(list(store.keys())) == 1
    assert jobs.tidy_reports(session, store, now) == 1
    session.commit()
    assert list(store.keys()) == []
    assert client.get(f"/reports/{job.public_id}/file").status_code == 303
    assert client.get(f"/reports/{job.public_id}").status_code == 200


def test_what_was_asked_for_is_forgotten_after_three_months(
    session: Session, login: Any, ask: Any, work: Any, store: Store
) -> None:
    ask(login("kabid"), "recap.xlsx")
    work()
    jobs.tidy_reports(session, store, datetime.now(UTC) + timedelta(days=91))
    session.commit()
    assert session.scalars(select(ReportJob)).all() == []
    assert list(store.keys()) == []


@pytest.mark.parametrize(
    ("permission", "view"),
    [("see_personal", "Report"), ("see_personal", "Complaint"), ("see_confidential", "Complaint")],
)
def test_who_lost_a_right_since_gets_no_file(
    session: Session, login: Any, ask: Any, work: Any, take_away: Any, permission: str, view: str
) -> None:
    client = login("subkoordinator")
    ready = ask(client, "register.xlsx")
    work()
    waiting = ask(client, "register.xlsx")
    take_away("subkoordinator", permission, view)
    answer = client.get(f"/reports/{ready.public_id}/file")
    assert answer.status_code == 303
    work()
    session.refresh(waiting)
    assert (waiting.state, waiting.error) == ("failed", "report_not_allowed")


def test_download_is_a_permission_of_its_own(
    login: Any, ask: Any, work: Any, take_away: Any
) -> None:
    client = login("kabid")
    job = ask(client, "recap.xlsx")
    work()
    take_away("kabid", "can_download", "Report")
    assert client.get(f"/reports/{job.public_id}/file").status_code == 403
    assert f"{job.public_id}/file" not in client.get(f"/reports/{job.public_id}").text


def test_an_officer_who_was_deactivated_gets_nothing_made(
    session: Session, login: Any, ask: Any, work: Any, user: Any
) -> None:
    job = ask(login("kabid"), "recap.xlsx")
    user("kabid").active = False
    work()
    session.refresh(job)
    assert (job.state, job.error) == ("failed", "report_not_allowed")


def test_at_most_five_at_once(session: Session, actor: Any) -> None:
    now = datetime.now(UTC)
    for _time in range(jobs.MOST_OPEN):
        jobs.ask_for(session, actor("kabid"), ASKED, now=now)
    with pytest.raises(RefusedError) as refused:
        jobs.ask_for(session, actor("kabid"), ASKED, now=now)
    assert refused.value.code == "report_too_many"
    jobs.ask_for(session, actor("petugas"), ASKED, now=now)


def test_a_double_click_asks_once(session: Session, login: Any, post: Any) -> None:
    client = login("kabid")
    page = client.get("/reports/").text
    key = page.split('name="form_key" value="')[1].split('"')[0]
    data = {"report": "recap.pdf", "form_key": key}
    first, second = (post(client, "/reports/", data).location for _time in range(2))
    assert first == second
    assert len(session.scalars(select(ReportJob)).all()) == 1


@pytest.mark.parametrize("report", ["register.xlsx", "register.csv"])
def test_personal_columns_only_for_who_may(
    fetch: Any, session: Session, make_case: Any, report: str
) -> None:
    secret = {
        "applicant_name": "Kartini Pemohonwati", "nik": "3325014107900007",
        "kk_number": "3325010101900009", "phone": "+6281298765432",
        "address": "Jalan Rahasia Tujuh", "text": "Nama Kartini salah tulis",
    }  # fmt: skip
    make_case("returned", at=datetime(2026, 2, 3, 3, tzinfo=UTC), **secret)
    read = (lambda d: str(sheets(d))) if report.endswith("xlsx") else (lambda d: str(lines(d)))
    allowed, refused = read(fetch("petugas", report)), read(fetch("kabid", report))
    for value in secret.values():
        assert value.removeprefix("+") in allowed
        assert value.removeprefix("+") not in refused
    assert "PGD-2026-" in refused


@pytest.mark.parametrize("report", ["register.csv", "due.csv"])
def test_confidential_cases_only_for_who_may_know_of_them(
    fetch: Any, session: Session, report: str
) -> None:
    cases = [case for case in fill_office(session, 3) if case.day.month == 2]
    hidden = {case.number for case in cases if case.confidential}
    assert hidden
    seen = {line[1] for line in lines(fetch("kabid", report))[1:]}
    assert not seen & hidden
    allowed = {line[1] for line in lines(fetch("petugas", report))[1:]}
    assert allowed & hidden


def test_a_store_that_lost_the_file_is_said(
    session: Session, login: Any, ask: Any, work: Any, store: Store
) -> None:
    client = login("kabid")
    job = ask(client, "recap.xlsx")
    work()
    session.refresh(job)
    store.delete(job.file_key)
    answer = client.get(f"/reports/{job.public_id}/file")
    assert "sudah tidak ada" in client.get(answer.location).text


def test_nobody_waits_forever_without_a_word(session: Session, login: Any, ask: Any) -> None:
    client = login("kabid")
    job = ask(client, "recap.pdf")
    old = datetime.now(UTC) - timedelta(minutes=1)
    session.commit()
    session.execute(update(ReportJob).values(requested_at=old))
    session.commit()
    assert "flask worker" in client.get(f"/reports/{job.public_id}").text
