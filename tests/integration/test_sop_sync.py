"""The SOP file rules the structure: syncing again changes nothing, a step that holds complaints
stays, and a seventh step is an edit of the file alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Complaint, PermissionView, Role, SopStep, User
from app.release import NotReadyError, prepare, require_ready, sync
from app.services.sop_sync import sync_steps
from app.services.transitions import Office
from app.sop.definition import load_sop
from app.sop.errors import RefusedError, SopMistakes
from config import SEED_DATA
from tests.support import panel
from tests.support.cases import CaseMaker
from tests.support.panel import post

SOP_FILE = SEED_DATA / "sop.toml"
NOW = datetime(2026, 8, 3, 2, 0, tzinfo=UTC)

#: Edits of the file, as an office would make them: a text that is replaced by another.
SEVENTH_STEP = [
    (
        'key = "confirm_printed"\ntarget = "dispatch"',
        'key = "confirm_printed"\ntarget = "quality_check"',
    ),
    (
        "# --- 6 ---",
        """# --- the new one ---

[[step]]
key = "quality_check"
kind = "activity"
actor = "sub_koordinator"
standard_minutes = 3
symbol = "process"
label = { id = "Pemeriksaan mutu", en = "Quality check" }
activity = "Memeriksa mutu cetakan"
requires = ["Dokumen yang telah dicetak"]
output = "Dokumen yang telah diperiksa"

[[step.transition]]
key = "approve_quality"
target = "dispatch"
label = { id = "Mutu baik", en = "Quality is good" }

[[step.transition]]
key = "reject_quality"
target = "printing"
label = { id = "Cetak ulang", en = "Print again" }
reason = "required"
danger = true

# --- 6 ---""",
    ),
]
WITHOUT_DISPATCH = [
    (
        'key = "confirm_printed"\ntarget = "dispatch"',
        'key = "confirm_printed"\ntarget = "done"',
    ),
]


def edited(folder: Path, edits: list[tuple[str, str]], *, drop: str = "") -> Path:
    """A copy of the office's SOP file with some edits, and without one step."""
    text = SOP_FILE.read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    if drop:
        parts = text.split("\n[[step]]\n")
        kept = [part for part in parts if not part.startswith(f'key = "{drop}"')]
        assert len(kept) == len(parts) - 1
        text = "\n[[step]]\n".join(kept)
    path = folder / "sop.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.both
def test_syncing_again_changes_nothing(app: Flask, session: Session) -> None:
    def rows() -> tuple[Any, ...]:
        session.rollback()
        grants = session.scalars(
            select(func.count()).select_from(Role).join(Role.permissions)
        ).one()
        steps = session.execute(select(SopStep.__table__).order_by(SopStep.position)).all()
        pairs = session.scalar(select(func.count()).select_from(PermissionView))
        session.rollback()
        return grants, pairs, steps

    before = rows()
    with app.app_context():
        report = sync(app.extensions["sop"])
    assert not report["steps"].anything
    assert not any(report["reference"].values())
    assert report["roles"] == {"permissions": 0, "roles": 0, "granted": 0, "absent": 0}
    assert rows() == before


def test_the_office_s_own_minutes_survive(app: Flask, session: Session) -> None:
    session.get_one(SopStep, "intake").standard_minutes = 42
    session.commit()
    with app.app_context():
        sync(app.extensions["sop"])
    session.expire_all()
    assert session.get_one(SopStep, "intake").standard_minutes == 42


def test_a_permission_the_administrator_took_away_stays_away(
    app: Flask, session: Session, actor: Callable[[str], Any]
) -> None:
    role = session.scalars(select(Role).where(Role.name == "Operator")).one()
    role.permissions = [p for p in role.permissions if p.permission.name != "siak_match"]
    session.commit()
    with app.app_context():
        sync(app.extensions["sop"])
    session.expire_all()
    assert not actor("operator").can("siak_match")
    assert actor("operator").can("siak_mismatch")


@pytest.mark.both
def test_a_step_that_holds_complaints_is_not_dropped(
    make_case: CaseMaker, session: Session, tmp_path: Path
) -> None:
    make_case("dispatch")
    shorter = load_sop(edited(tmp_path, WITHOUT_DISPATCH, drop="dispatch"))
    with pytest.raises(RefusedError) as caught:
        sync_steps(session, shorter, now=NOW)
    assert (caught.value.code, caught.value.params) == (
        "step_holds_cases",
        {"step": "dispatch", "count": 1},
    )
    session.rollback()
    assert session.get_one(SopStep, "dispatch").active


@pytest.mark.both
def test_a_step_that_was_left_is_retired_and_its_past_stays(
    make_case: CaseMaker, session: Session, tmp_path: Path
) -> None:
    case = make_case("done")
    shorter = load_sop(edited(tmp_path, WITHOUT_DISPATCH, drop="dispatch"))
    report = sync_steps(session, shorter, now=NOW)
    session.commit()
    assert report.retired == ["dispatch"]
    assert not session.get_one(SopStep, "dispatch").active
    assert [run.step_key for run in case.runs][-1] == "dispatch"
    again = sync_steps(session, shorter, now=NOW)
    assert not again.anything


def test_the_command_line_refuses_it_in_one_line(
    make_app: Callable[..., Flask], make_case: CaseMaker, tmp_path: Path
) -> None:
    make_case("dispatch")
    other = make_app(SOP_FILE=edited(tmp_path, WITHOUT_DISPATCH, drop="dispatch"))
    done = other.test_cli_runner().invoke(args=["sop", "sync"])
    assert done.exit_code == 1
    assert "dispatch" in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_the_check_lists_every_mistake_at_once(app: Flask, tmp_path: Path) -> None:
    broken = edited(
        tmp_path,
        [
            (
                'target = "certification"\nlabel = { id = "Ya',
                'target = "certifcation"\nlabel = { id = "Ya',
            ),
            ('"signatory_in_office", "outputs_signed"', '"signatory_in_office", "outputs_sined"'),
        ],
    )
    with pytest.raises(SopMistakes):
        load_sop(broken)
    done = app.test_cli_runner().invoke(args=["sop", "check", str(broken)])
    assert done.exit_code == 1
    assert "certifcation" in done.output
    assert "outputs_sined" in done.output
    assert "Traceback" not in done.output


def test_the_check_finds_nothing_in_the_office_s_file(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["sop", "check"])
    assert (done.exit_code, done.output.strip()) == (
        0,
        "sop.toml: 10 steps, 16 transitions, 36 minutes",
    )


# --- a seventh step ------------------------------------------------------------------------------


@pytest.fixture
def seven(make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """The panel with a seventh step; nothing but the SOP file differs."""
    app = make_app(SOP_FILE=edited(tmp_path, SEVENTH_STEP))
    with pytest.raises(NotReadyError, match="SOP"):
        require_ready(app)
    assert prepare(app).synced
    require_ready(app)
    return app


@pytest.fixture
def enter(seven: Flask, session: Session, user: Callable[[str], User]) -> Callable[[str], Any]:
    """Sign in to the panel with the seventh step."""
    from app.models import Account

    seven.extensions["before_test_request"].append(session.commit)

    def sign_in(key: str) -> FlaskClient:
        found = user(key)
        client = seven.test_client()
        with client.session_transaction() as kept:
            kept.update(panel.cookie_values(seven, found, session.get(Account, found.id)))
        return client

    return sign_in


def test_a_seventh_step_brings_its_permission_to_its_actor(
    seven: Flask, actor: Callable[[str], Any]
) -> None:
    holders = {key for key in panel.OFFICERS if actor(key).can("approve_quality")}
    assert holders == {"subkoordinator"}
    assert actor("subkoordinator").can("reject_quality")


def test_a_seventh_step_is_worked_like_the_others(
    seven: Flask,
    enter: Callable[[str], FlaskClient],
    make_case: CaseMaker,
    session: Session,
) -> None:
    make_case.office = Office(seven.extensions["sop"], make_case.office.calendar)
    case: Complaint = make_case("dispatch")  # the same moves lead one step less far now
    assert case.step_key == "quality_check"
    page, show = enter("subkoordinator"), f"/complaints/show/{case.id}"

    # Its button stands on the page of the case, for its actor alone.
    assert "/complaints/action/approve_quality/" in page.get(show).text
    assert "approve_quality" not in enter("operator").get(show).text

    # Kerjakan opens its work form.
    answer = post(page, f"/complaints/start/{case.id}")
    assert (answer.status_code, answer.location) == (303, f"/complaints/work/{case.id}")
    form = page.get(answer.location)
    assert form.status_code == 200
    assert "Pemeriksaan mutu" in form.text

    # And its action moves the case on.
    answer = post(
        page,
        f"/complaints/action/approve_quality/{case.id}",
        {"version": str(session.get_one(Complaint, case.id).version)},
    )
    assert answer.status_code == 303
    session.expire_all()
    assert case.step_key == "dispatch"
    assert [run.step_key for run in case.runs][-2:] == ["quality_check", "dispatch"]
    assert case.runs[-2].standard_minutes == 3
    assert case.runs[-2].work_seconds is not None


def test_a_seventh_step_goes_back_with_a_reason(
    seven: Flask, enter: Callable[[str], FlaskClient], make_case: CaseMaker, session: Session
) -> None:
    make_case.office = Office(seven.extensions["sop"], make_case.office.calendar)
    case = make_case("dispatch")
    page = enter("subkoordinator")
    answer = post(page, f"/complaints/action/reject_quality/{case.id}")
    assert answer.status_code == 303
    assert f"/complaints/work/{case.id}" in answer.location
    data = {
        "transition": "reject_quality",
        "reason": "Tinta luntur",
        "version": str(session.get_one(Complaint, case.id).version),
    }
    answer = post(page, f"/complaints/work/{case.id}", data)
    assert answer.status_code == 303
    session.expire_all()
    assert case.step_key == "printing"
    assert case.events[-1].reason == "Tinta luntur"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/queue/", "Pemeriksaan mutu"),
        ("/complaints/list/", "Pemeriksaan mutu"),
        ("/sop/", "Memeriksa mutu cetakan"),
        ("/charts/steps/", "Pemeriksaan mutu"),
    ],
)
def test_a_seventh_step_is_on_every_overview(
    seven: Flask,
    enter: Callable[[str], FlaskClient],
    make_case: CaseMaker,
    path: str,
    words: str,
) -> None:
    make_case.office = Office(seven.extensions["sop"], make_case.office.calendar)
    case = make_case("dispatch")
    make_case.move(case, "approve_quality")
    make_case("dispatch")
    answer = enter("subkoordinator").get(path)
    assert answer.status_code == 200
    assert words in answer.text
