"""The demo office: everything the panel knows is in it, and nothing of it breaks a rule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import DateTime, func, select
from sqlalchemy.orm import Session

from app import create_app
from app.models import (
    Account,
    CaseEvent,
    CaseOutput,
    Complaint,
    Dispatch,
    Document,
    DocumentKind,
    Model,
    Pause,
    PrintRun,
    SeedRun,
    SiakCheck,
    StepRun,
    User,
)
from app.release import NotReadyError, prepare, require_ready
from app.services import demo
from app.services.calendar import load_calendar
from app.services.demo import DEMO_LOGINS, DemoRefusedError, seed_demo
from app.services.demo_people import read_people
from app.services.demo_signing import DemoSigning
from app.services.dispatching import fits_hint
from app.services.transitions import Office
from app.services.uploads import verify_store
from app.sop.definition import load_sop
from app.sop.identity import check_name, check_nik, check_phone
from config import SEED_DATA
from tests.support import panel

FOLDER = SEED_DATA / "demo"
SOP = load_sop(SEED_DATA / "sop.toml")


@pytest.fixture(scope="module")
def demo_app(shared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A demo office as `make run` makes it."""
    folder = tmp_path_factory.mktemp("demo")
    url = f"sqlite:///{(folder / 'aduan.sqlite').as_posix()}"
    files = str(folder / "files")
    app = create_app(panel.settings_for(shared_folder, url, STORE_URL=files, DEMO=True))
    app.extensions["done"] = prepare(app)
    yield app
    panel.engine_of(app).dispose()


@pytest.fixture
def looked_at(demo_app: Flask) -> Iterator[Session]:
    with Session(panel.engine_of(demo_app)) as session:
        yield session


def count(session: Session, model: type[Any], *conditions: Any) -> int:
    return session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def test_every_step_and_every_ending_holds_cases(looked_at: Session) -> None:
    held = Counter(looked_at.scalars(select(Complaint.step_key)))
    assert set(held) == {step.key for step in SOP.steps}
    assert sum(held.values()) == 40
    assert held["certification"] >= 3
    assert held["signing"] >= 4
    assert held["done"] >= 10


def test_the_unusual_is_there_too(looked_at: Session) -> None:
    moves = looked_at.execute(
        select(CaseEvent.complaint_id, CaseEvent.transition).where(CaseEvent.kind == "moved")
    ).all()
    taken = Counter(move for _case, move in moves)
    assert set(taken) == set(SOP.permissions)
    back = Counter(case for case, move in moves if move in ("request_completion", "siak_mismatch"))
    assert max(back.values()) == 2
    assert set(looked_at.scalars(select(Dispatch.status))) == {"sent", "delivered", "returned"}
    assert count(looked_at, PrintRun, PrintRun.result == "spoiled") == 1
    assert count(looked_at, Complaint, Complaint.confidential) == 1
    assert count(looked_at, Pause, Pause.step_key == "siak_check") == 1
    assert count(looked_at, Pause, Pause.step_run_id.is_not(None)) == 2
    assert count(looked_at, StepRun, StepRun.batch_size == 3) == 3
    assert count(looked_at, Complaint, Complaint.assignee_id.is_not(None)) >= 3
    assert set(looked_at.scalars(select(Document.media_type))) == {"image/jpeg", "application/pdf"}


def test_some_signatures_can_be_given_at_once(looked_at: Session) -> None:
    waiting = looked_at.scalars(select(Complaint).where(Complaint.step_key == "signing")).all()
    ready = [
        case
        for case in waiting
        if all(
            not output.kind.needs_signature
            or any(document.stage == "signed" for document in output.documents)
            for output in case.outputs
        )
    ]
    assert 2 <= len(ready) < len(waiting)


def test_nothing_happens_in_the_future_or_before_its_time(looked_at: Session) -> None:
    seeded = looked_at.get_one(SeedRun, "demo").at
    for mapper in Model.registry.mappers:
        for column in mapper.columns:
            if column.name in ("changed_on", "created_on", "synced_at") or not isinstance(
                column.type, DateTime | type(StepRun.__table__.c.entered_at.type)
            ):
                continue
            if mapper.class_.__module__.startswith("app."):
                latest = looked_at.scalar(select(func.max(column)))
                assert latest is None or latest <= seeded, column
    for run in looked_at.scalars(select(StepRun)):
        assert run.started_at is None or run.entered_at <= run.started_at
        assert run.finished_at is None or run.started_at <= run.finished_at
    for case in looked_at.scalars(select(Complaint)):
        assert seeded - timedelta(days=61) <= case.received_at <= case.registered_at
        times = [event.at for event in case.events]
        assert times == sorted(times)


def test_numbers_run_with_the_time_of_registration(looked_at: Session) -> None:
    rows = looked_at.execute(
        select(Complaint.number, Complaint.registered_at).order_by(Complaint.number)
    ).all()
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert [row[0][-6:] for row in rows] == [f"{serial:06}" for serial in range(1, 41)]


def test_the_work_is_done_in_office_hours(looked_at: Session) -> None:
    calendar = load_calendar(looked_at)
    for at in looked_at.scalars(select(CaseEvent.at)):
        second = at.timestamp()
        spans = calendar.spans(calendar.day_of(at))
        assert any(start <= second <= end for start, end in spans), at


def test_siak_is_visibly_the_slow_step(looked_at: Session) -> None:
    work: dict[str, list[float]] = {}
    for run in looked_at.scalars(select(StepRun).where(StepRun.finished_at.is_not(None))):
        work.setdefault(run.step_key, []).append(run.work_seconds / 60 / run.standard_minutes)
    mean = {step: sum(shares) / len(shares) for step, shares in work.items()}
    assert mean["siak_check"] > 1.2
    assert all(len(shares) >= 10 for shares in work.values())
    within = [share <= 1 for shares in work.values() for share in shares]
    assert 0.3 < sum(within) / len(within) < 0.9


def test_files_are_in_the_store_and_unchanged(demo_app: Flask, looked_at: Session) -> None:
    report = verify_store(looked_at, demo_app.extensions["store"])
    assert report.ok
    assert report.orphans == ()
    assert report.checked == count(looked_at, Document)


def test_people_are_fictional(looked_at: Session) -> None:
    people = read_people(FOLDER / "people.csv")
    assert len({person.nik for person in people}) == 40
    for case in looked_at.scalars(select(Complaint)):
        assert re.fullmatch(r"0812000000\d\d", case.phone)
        assert not check_phone(case.phone)
        if case.nik:
            findings = check_nik(
                case.nik,
                birth_date=case.birth_date,
                sex=case.sex,
                region_code=case.region_code,
            )
            assert findings == []
            assert 9900 <= int(case.nik[12:]) <= 9999
        assert all(finding.level == "warning" for finding in check_name(case.applicant_name))
    names = list(looked_at.scalars(select(Complaint.applicant_name)))
    names += [user.get_full_name() for user in looked_at.scalars(select(User))]
    assert not any("willopo" in name.lower() for name in names)
    assert len(set(names)) == len(names)


def test_parcels_are_numbered_as_their_couriers_do(looked_at: Session) -> None:
    for parcel in looked_at.scalars(select(Dispatch)):
        assert fits_hint(parcel.courier, parcel.tracking_number), parcel.tracking_number


def test_papers_fit_the_matter(looked_at: Session) -> None:
    ended = looked_at.scalars(select(Complaint).where(Complaint.step_key == "done")).all()
    assert all(case.outputs for case in ended)
    assert count(looked_at, SiakCheck, SiakCheck.result == "mismatch") >= 3
    kinds = select(DocumentKind.code).join(CaseOutput, CaseOutput.kind_id == DocumentKind.id)
    assert {"ktp_el", "kk_baru", "kutipan_akta_kelahiran"} <= set(looked_at.scalars(kinds))


@pytest.mark.parametrize(("role", "username", "password"), DEMO_LOGINS)
def test_one_officer_of_each_role_signs_in(
    demo_app: Flask, role: str, username: str, password: str
) -> None:
    client = demo_app.test_client()
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/login/").text)
    assert token
    answer = client.post(
        "/login/", data={"username": username, "password": password, "csrf_token": token[1]}
    )
    assert answer.status_code in (302, 303)
    assert client.get("/users/userinfo/").status_code == 200
    with Session(panel.engine_of(demo_app)) as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        assert [item.name for item in user.roles] == [role]


def test_a_second_start_changes_nothing_and_shows_the_same_logins(demo_app: Flask) -> None:
    before = _fingerprint(demo_app)
    again = prepare(demo_app)
    assert again.demo_logins == demo_app.extensions["done"].demo_logins == list(DEMO_LOGINS)
    assert not again.admin_password
    assert _fingerprint(demo_app) == before


def test_a_changed_password_is_not_shown_any_more(demo_app: Flask, looked_at: Session) -> None:
    account = looked_at.scalars(
        select(Account).join(User, User.id == Account.user_id).where(User.username == "operator")
    ).one()
    account.password_changed_at = datetime.now(UTC)
    looked_at.commit()
    try:
        shown = {username for _role, username, _password in prepare(demo_app).demo_logins}
        assert shown == {login[1] for login in DEMO_LOGINS} - {"operator"}
    finally:
        account.password_changed_at = None
        looked_at.commit()


def test_production_does_not_start_on_a_demo_office(demo_app: Flask) -> None:
    demo_app.config["ENV_NAME"] = "production"
    try:
        with pytest.raises(NotReadyError, match="demo office"):
            prepare(demo_app)
        with pytest.raises(NotReadyError, match="demo office"):
            require_ready(demo_app)
    finally:
        demo_app.config["ENV_NAME"] = "office"


def _fingerprint(app: Flask) -> dict[str, int]:
    with Session(panel.engine_of(app)) as session:
        return {
            model.__tablename__: count(session, model)
            for model in (Complaint, CaseEvent, StepRun, Document, Dispatch, User)
        }


# --- refusals and failures -----------------------------------------------------------------------


def seed(session: Session, app: Flask, store: Any, now: datetime | None = None) -> Any:
    office = Office(app.extensions["sop"], load_calendar(session))
    return seed_demo(
        session,
        office,
        store,
        SEED_DATA,
        now=now or datetime.now(UTC),
        hash_password=lambda password: f"hash of {password}",
        signing=DemoSigning.open(
            Path(app.instance_path) / "trust",
            Path(app.instance_path) / "certificates",
            "http://localhost",
        ),
    )


def test_an_office_in_use_is_refused(app: Flask, session: Session, store: Any) -> None:
    with pytest.raises(DemoRefusedError, match="empty"):
        seed(session, app, store)


def test_a_failure_leaves_an_empty_office(
    make_app: Callable[..., Flask], empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(url=empty_database_url, DEMO=True)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the courier's page is down")

    monkeypatch.setattr(demo, "set_status", fail)
    with pytest.raises(RuntimeError, match="courier"):
        prepare(app)
    assert not list(app.extensions["store"].keys())
    with Session(panel.engine_of(app)) as session:
        assert all(count(session, model) == 0 for model in (User, Complaint, Document, CaseEvent))
        assert session.get(SeedRun, "demo") is None


@pytest.mark.postgres
def test_the_same_office_on_postgresql(
    postgres: Any, shared_folder: Path, tmp_path: Path, demo_app: Flask
) -> None:
    name = postgres.create_database()
    settings = panel.settings_for(
        shared_folder, postgres.url(name), STORE_URL=str(tmp_path / "files"), DEMO=True
    )
    app = create_app(settings)
    prepare(app)
    try:
        assert _fingerprint(app) == _fingerprint(demo_app)
    finally:
        panel.engine_of(app).dispose()
        postgres.drop_database(name)
