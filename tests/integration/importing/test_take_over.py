"""Taking a register over: all of it or nothing, numbers without gaps, no invented steps."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import python_calamine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import (
    CaseEvent,
    Category,
    Complaint,
    Document,
    ImportRun,
    Message,
    NumberSeries,
    RequirementCheck,
    StepRun,
)
from app.services.importing import writing
from app.services.importing.runs import look_through, stage_import, take_over
from app.services.importing.sheet import read_sheet
from app.services.storage import Store
from tests.support.looking import page_faults
from tests.support.panel import post
from tests.support.registers import RIGHT, csv_file, row, xlsx

Send = Callable[..., Any]


def taken(client: FlaskClient, send: Send, data: bytes, name: str = "register.xlsx") -> str:
    url = str(send(client, data, name).location)
    answer = post(client, f"{url}/take")
    assert answer.status_code == 303
    return url


def cases(session: Session) -> list[Complaint]:
    session.rollback()
    return list(session.scalars(select(Complaint).order_by(Complaint.id)))


def count(session: Session, model: type[Any]) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.both
def test_every_row_becomes_a_complaint(
    petugas: FlaskClient, send: Send, session: Session, store: Store, make_case: Any
) -> None:
    before = make_case("intake", at=datetime.now(UTC)).number  # of the year of those that follow
    url = taken(petugas, send, csv_file([dict(RIGHT), row(1), row(2)]), "Buku 2026.csv")
    first, *rest = cases(session)[1:]
    assert first.applicant_name == RIGHT["Nama"]
    assert (first.nik, first.kk_number) == (RIGHT["NIK"], RIGHT["No KK"])
    assert first.phone == "081200000017"
    assert (first.channel.code, first.category.code) == ("whatsapp", "BEDA_DATA")
    assert (first.kecamatan_code, first.region_code) == ("33.25.01", "33.25.01.2001")
    assert first.received_at == datetime(2026, 7, 3, 1, 15, tzinfo=UTC)
    assert first.external_ticket == "17"
    assert f"{first.decision_due}" == "2026-09-01"
    last = int(before[-6:])
    assert [case.number for case in (first, *rest)] == [
        f"{before[:-6]}{number:06d}" for number in range(last + 1, last + 4)
    ]
    run = session.scalars(select(ImportRun)).one()
    assert (run.state, run.storage_key) == ("done", None)
    assert (run.first_number, run.last_number) == (first.number, rest[-1].number)
    assert run.storage_key is None
    assert len(list(store.keys())) == count(session, Document), "the register itself is gone"
    page = petugas.get(url).text
    assert first.number in page
    after = make_case("intake", at=datetime.now(UTC))
    assert after.number == f"{before[:-6]}{last + 4:06d}", "no gap"


def test_an_open_one_waits_at_the_first_step_since_now(
    petugas: FlaskClient, send: Send, session: Session, office: Any
) -> None:
    begun = datetime.now(UTC)
    taken(petugas, send, xlsx([row(1)]))
    case = cases(session)[0]
    run = session.scalars(select(StepRun)).one()
    assert case.step_key == run.step_key == office.sop.entry
    assert run.entered_at >= begun - timedelta(seconds=1)
    assert (run.started_at, run.finished_at, case.assignee_id) == (None, None, None)
    assert run.standard_minutes == 10
    assert case.received_at < begun - timedelta(days=30), "the old date stays the legal one"
    assert count(session, RequirementCheck) > 0
    assert case.closed_at is None


@pytest.mark.parametrize(
    ("status", "step"),
    [
        ("Selesai", "done"),
        ("SELESAI TANPA DOKUMEN", "resolved"),
        ("Ditolak", "withdrawn"),
        ("dicabut", "withdrawn"),
    ],
)
def test_a_finished_one_stands_at_its_end_without_steps(
    petugas: FlaskClient, send: Send, session: Session, status: str, step: str
) -> None:
    one = row(1, Status=status, Tanggal_selesai="05/07/2026", Tindak_lanjut="Sudah dijelaskan.")
    taken(petugas, send, xlsx([one]))
    case = cases(session)[0]
    assert case.step_key == step
    assert case.closed_at == case.step_since == datetime(2026, 7, 4, 17, tzinfo=UTC)
    assert count(session, StepRun) == 0
    assert [event.kind for event in case.events] == ["imported"]
    assert case.answer == "Sudah dijelaskan."
    page = petugas.get(f"/complaints/show/{case.id}")
    assert page.status_code == 200
    assert page_faults(page.text) == []
    assert "steps-todo" in page.text
    assert not {"steps-done", "steps-halted"} & set(re.findall(r"steps-\w+", page.text))


def test_finished_on_the_day_it_came_is_not_before_it_came(
    petugas: FlaskClient, send: Send, session: Session
) -> None:
    taken(petugas, send, xlsx([row(1, Status="selesai", Tanggal_selesai="03/07/2026")]))
    case = cases(session)[0]
    assert case.closed_at == case.received_at


def test_what_has_no_field_of_its_own_stands_in_the_history(
    petugas: FlaskClient, send: Send, session: Session
) -> None:
    one = row(4, No_resi="P0000000000017", Status="selesai", Tanggal_selesai="05/07/2026")
    taken(petugas, send, xlsx([row(1), one], title=["BUKU"]), "..\\rahasia/buku\u202e2026.xlsx")
    case = cases(session)[1]
    post(petugas, "/lang/en")
    page = petugas.get(f"/complaints/show/{case.id}").text
    for text in ("Taken over from a register", "row 4", "Petugas: Ibu Tini", "P0000000000017"):
        assert text in page
    assert session.scalars(select(ImportRun)).one().file_name == "buku2026.xlsx"
    assert case.events[0].by_name == "Siti Rahmawati"


def test_an_imported_case_goes_its_way_through_the_sop(
    petugas: FlaskClient, send: Send, session: Session, make_case: Any
) -> None:
    taken(petugas, send, xlsx([row(1), row(2, Status="selesai", Tanggal_selesai="05/07/2026")]))
    opened, closed = cases(session)
    for case in (opened, closed):
        make_case.set_next(case, datetime.now(UTC) + timedelta(minutes=1))
    make_case.move(closed, "reopen")
    for case in (opened, closed):
        make_case.check(case)
        make_case.move(case, "verify_file")
    session.commit()
    assert [run.finished_at is None for run in opened.runs] == [False, True]
    assert closed.round == 2


def test_nobody_is_written_to_because_of_an_old_register(
    petugas: FlaskClient, send: Send, session: Session
) -> None:
    head = [*RIGHT, "Email"]
    one = {**row(1), "Email": "wahyuni@example.org"}
    taken(petugas, send, xlsx([one], head=head))
    assert cases(session)[0].email == "wahyuni@example.org"
    assert count(session, Message) == 0


def test_an_oversight_complaint_is_confidential_as_ever(
    petugas: FlaskClient, send: Send, session: Session
) -> None:
    code = session.scalars(
        select(Category.code).where(Category.legal_class == "oversight").limit(1)
    ).one()
    taken(petugas, send, xlsx([row(1, Jenis=code)]))
    assert cases(session)[0].confidential


# --- all or nothing ------------------------------------------------------------------------------


@pytest.mark.both
def test_one_bad_row_and_nothing_is_taken_over(
    petugas: FlaskClient, send: Send, session: Session
) -> None:
    taken(petugas, send, xlsx([*(row(n) for n in range(1, 9)), row(9, NIK="1")]))
    assert cases(session) == []
    assert count(session, NumberSeries) == 0
    assert session.scalars(select(ImportRun)).one().state == "checked"


@pytest.mark.both
def test_a_failure_in_the_middle_leaves_nothing(
    petugas: FlaskClient, send: Send, session: Session, store: Store, monkeypatch: Any, app: Flask
) -> None:
    """The database goes away after the complaints were written, before their histories were."""

    def fail(*rest: Any) -> None:
        raise RuntimeError("the power is gone")

    url = send(petugas, xlsx([row(n) for n in range(1, 6)])).location
    with monkeypatch.context() as patch:
        patch.setattr(writing, "_event", fail)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.testing = False
        assert post(petugas, f"{url}/take").status_code == 500
    assert cases(session) == []
    assert count(session, NumberSeries) == 0
    run = session.scalars(select(ImportRun)).one()
    assert run.state == "checked"
    assert list(store.keys()) == [run.storage_key]
    assert post(petugas, f"{url}/take").status_code == 303
    assert len(cases(session)) == 5


def test_a_complaint_registered_meanwhile_stops_the_whole_file(
    petugas: FlaskClient, send: Send, session: Session, make_case: Any
) -> None:
    url = send(petugas, xlsx([dict(RIGHT), row(1)])).location
    make_case("intake", at=datetime(2026, 7, 3, 1, tzinfo=UTC), nik=RIGHT["NIK"])
    post(petugas, "/lang/en")
    post(petugas, f"{url}/take")
    assert len(cases(session)) == 1
    assert "registered already" in petugas.get(url).text


@pytest.mark.both
def test_a_person_in_capitals_is_the_same_person(
    petugas: FlaskClient, send: Send, session: Session, make_case: Any
) -> None:
    """Without a NIK the name decides, however the register spells it."""
    make_case(
        "intake", at=datetime(2026, 7, 3, 1, tzinfo=UTC), nik="", applicant_name="Contoh Satu"
    )
    post(petugas, "/lang/en")
    url = send(petugas, xlsx([{**RIGHT, "NIK": "", "Nama": "CONTOH  SATU"}])).location
    assert "registered already" in petugas.get(url).text


def test_a_complaint_registered_between_the_look_and_the_writing(
    session: Session, store: Store, office: Any, actor: Any, make_case: Any
) -> None:
    """The same rows are looked for once more where the numbers are given."""
    now, petugas = datetime.now(UTC), actor("petugas")
    data = xlsx([dict(RIGHT), row(1)])
    found = look_through(session, office, data, petugas, now=now)
    run = stage_import(session, store, data, found, petugas, file_name="a.xlsx", now=now)
    session.commit()
    make_case("intake", at=datetime(2026, 7, 3, 1, tzinfo=UTC), nik=RIGHT["NIK"])
    last = session.scalars(select(NumberSeries.last)).one()
    problems = take_over(session, office, store, run.id, found, petugas, now=now)
    assert [(one.row, one.code) for one in problems] == [(2, "import_known")]
    session.rollback()
    assert session.scalars(select(NumberSeries.last)).one() == last
    assert len(cases(session)) == 1


@pytest.mark.both
def test_two_clicks_take_it_over_once(
    app: Flask, login: Any, petugas: FlaskClient, send: Send, session: Session
) -> None:
    url = send(petugas, xlsx([row(n) for n in range(1, 21)])).location
    clients = [login("petugas") for _ in range(4)]
    session.commit()
    gate = threading.Barrier(len(clients))
    statuses = []

    def click(client: FlaskClient) -> None:
        gate.wait()
        statuses.append(post(client, f"{url}/take").status_code)

    threads = [threading.Thread(target=click, args=(client,)) for client in clients]
    app.extensions["before_test_request"].clear()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {303}
    assert len(cases(session)) == 20
    assert session.scalars(select(NumberSeries.last)).one() == 20


def test_the_same_file_is_not_taken_over_twice(
    petugas: FlaskClient, send: Send, session: Session
) -> None:
    data = xlsx([row(1)])
    taken(petugas, send, data)
    post(petugas, "/lang/en")
    again = send(petugas, data)
    assert again.status_code == 422
    assert "taken over already" in again.text
    assert cases(session)[0].number in again.text
    assert len(cases(session)) == 1


def test_the_form_sent_twice_makes_one_run(
    petugas: FlaskClient, send: Send, session: Session, store: Store
) -> None:
    page = petugas.get("/import/").text
    found = re.search(r'name="form_key" value="([^"]+)"', page)
    assert found
    answers = [send(petugas, xlsx([row(1)]), form_key=found[1]) for _ in range(2)]
    assert answers[0].location == answers[1].location
    assert count(session, ImportRun) == 1
    assert len(list(store.keys())) == 1


def test_a_register_whose_file_is_lost_says_so(
    petugas: FlaskClient, send: Send, session: Session, store: Store
) -> None:
    url = send(petugas, xlsx([row(1)])).location
    store.delete(session.scalars(select(ImportRun.storage_key)).one() or "")
    assert petugas.get(url).status_code == 200
    assert post(petugas, f"{url}/take").status_code == 303
    assert cases(session) == []


# --- the template --------------------------------------------------------------------------------


def test_the_template_is_a_register_that_only_needs_rows(
    petugas: FlaskClient, send: Send, session: Session
) -> None:
    answer = petugas.get("/import/template")
    assert answer.status_code == 200
    assert "register-pengaduan.xlsx" in answer.headers["Content-Disposition"]
    refused = send(petugas, answer.data)
    post(petugas, "/lang/en")
    assert refused.status_code == 422
    with python_calamine.load_workbook(io.BytesIO(answer.data)) as book:
        head = book.get_sheet_by_name("Register").to_python()[0]
        lists = book.get_sheet_by_name("Pilihan").to_python(skip_empty_area=False)
    assert set(RIGHT) <= set(head)
    listed = {str(cell) for line in lists for cell in line}
    assert {"WhatsApp", "Wonotunggal", "L", "selesai tanpa dokumen"} <= listed
    filled = {name: RIGHT.get(str(name), "") for name in head}
    taken(petugas, send, xlsx([{**filled, "Kanal": "Tatap muka (datang langsung)"}], head=head))
    assert cases(session)[0].channel.code == "tatap_muka"


# --- size ----------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_large_register_takes_few_statements(
    session: Session, store: Store, office: Any, actor: Any, sql_count: Any
) -> None:
    now, petugas = datetime.now(UTC), actor("petugas")

    def statements(rows: int, first: int) -> int:
        data = csv_file([row(first + n) for n in range(rows)])
        found = look_through(session, office, data, petugas, now=now)
        assert found.clean, found.problems[:3]
        run = stage_import(session, store, data, found, petugas, file_name="a.csv", now=now)
        with sql_count() as seen:
            assert take_over(session, office, store, run.id, found, petugas, now=now) == []
        session.commit()
        return len(seen)

    few = statements(10, 1)
    many = statements(1_000, 1_000)
    assert few < 30
    assert many < few + 80, "a statement for each row would be thousands"
    assert count(session, CaseEvent) == 1_010


def test_reading_five_thousand_rows_takes_seconds(
    session: Session, office: Any, actor: Any
) -> None:
    data = xlsx([row(n) for n in range(1, 5_001)])
    begun = time.process_time()
    found = look_through(session, office, data, actor("petugas"), now=datetime.now(UTC))
    assert found.clean, found.problems[:3]
    assert time.process_time() - begun < 15
    assert len(read_sheet(data).rows) == 5_000
