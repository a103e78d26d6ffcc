"""The page of a case: where it is, what it lacks, what this officer may do now, what happened."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.models import Account, Complaint, Role, User
from app.release import prepare
from app.services.facts import current_checks, current_outputs
from app.services.pausing import pause_run, pause_step
from app.services.transitions import open_run, start_work
from tests.support import panel
from tests.support.cases import PATHS

SOP_FILE = Path(__file__).resolve().parents[2] / "seed_data" / "sop.toml"
OFFICERS = ("petugas", "operator", "subkoordinator", "kepala")


def shown(client, case_id: int) -> str:
    answer = client.get(f"/complaints/show/{case_id}")
    assert answer.status_code == 200, answer.text[:2000]
    return answer.text


def actions(html: str, case_id: int) -> set[str]:
    """The transitions that the page offers at once."""
    return set(re.findall(rf'action="/complaints/action/([a-z_]+)/{case_id}"', html))


@pytest.mark.parametrize("step", PATHS)
@pytest.mark.parametrize("who", OFFICERS)
def test_every_officer_can_read_a_case_at_every_step(who, step, make_case, login, sql_count):
    pk = make_case(step).id
    client = login(who)
    with sql_count() as statements:
        html = shown(client, pk)
    assert len(statements) <= 10
    assert len(html) < 150_000
    assert "None" not in re.sub(r"<[^>]+>", "", html)


def test_a_long_history_needs_no_more_statements(make_case, login, sql_count, session):
    way = ["request_completion", "resubmit"] * 6
    case = make_case("intake", path=())
    for key in way:
        if key == "request_completion":
            make_case.record_facts(case, key)
        make_case.move(case, key)
        if key == "resubmit":
            make_case.add_papers(case)
    session.commit()
    pk = case.id
    client = login("petugas")
    with sql_count() as statements:
        html = shown(client, pk)
    assert len(statements) <= 10
    assert html.count('class="timeline-head"') == len(way) + 1


@pytest.mark.parametrize(
    ("step", "who", "offered"),
    [
        ("certification", "subkoordinator", {"submit_certification"}),
        ("certification", "operator", set()),
        ("printing", "operator", {"confirm_printed"}),
        ("printing", "petugas", set()),
        ("signing", "kepala", set()),  # nothing is signed yet
        ("intake", "petugas", set()),  # its transitions need the form
        ("done", "subkoordinator", set()),
    ],
)
def test_only_what_case_and_officer_allow_is_offered(
    step, who, offered, make_case, login, session, office, actor
):
    case = make_case(step)
    if step == "certification":
        make_case.record_facts(case, "submit_certification")
        session.commit()
    assert actions(shown(login(who), case.id), case.id) == offered


def test_signing_is_offered_once_every_paper_is_signed(make_case, login, session):
    case = make_case("signing")
    make_case.record_facts(case, "sign")
    session.commit()
    pk = case.id
    html = shown(login("kepala"), pk)
    assert actions(html, pk) == {"sign"}
    assert 'name="version"' in html
    assert 'name="form_key"' in html


def test_a_spoiled_print_is_not_confirmed_from_the_page(make_case, login, session, actor, post):
    case = make_case("printing")
    output = current_outputs(session, case)[0]
    client = login("operator")
    pk, field = case.id, f"print_{output.id}"
    answer = post(
        client,
        f"/complaints/work/{pk}",
        {field: "spoiled", f"spoiled_{output.id}": "macet", "step": "printing", "shown": "1"},
    )
    assert answer.status_code == 303
    assert actions(shown(client, pk), pk) == set()


@pytest.mark.parametrize(
    ("step", "who", "missing"),
    [
        ("siak_check", "operator", True),
        ("siak_check", "petugas", True),
        ("signing", "kepala", True),
        ("returned", "petugas", False),
        ("done", "petugas", False),
    ],
)
def test_what_is_missing_is_said(step, who, missing, make_case, login):
    html = shown(login(who), make_case(step).id)
    assert ('id="missing"' in html) is missing


def test_a_missing_paper_and_a_missing_phone_are_named(make_case, login):
    html = shown(login("petugas"), make_case("intake", checked=False, phone="", email="").id)
    missing = html.split('id="missing"')[1].split("</section>")[0]
    assert "Foto KK asli" in missing
    assert missing.count("<li>") == 3


# --- who works on it -------------------------------------------------------------------------------


def test_a_waiting_case_is_taken_by_one_button(make_case, login, post):
    pk = make_case("siak_check").id
    client = login("operator")
    html = shown(client, pk)
    assert f'action="/complaints/start/{pk}"' in html
    answer = post(client, f"/complaints/start/{pk}")
    assert answer.location.endswith(f"/complaints/work/{pk}")
    html = shown(client, pk)
    assert f'href="/complaints/work/{pk}"' in html
    assert f'action="/complaints/start/{pk}"' not in html
    assert f'action="/complaints/start/{pk}"' not in shown(login("petugas"), pk)


def test_a_colleagues_case_is_only_taken_over_on_purpose(make_case, login, session, office, actor):
    case = make_case("siak_check")
    start_work(session, office.sop, case, actor("operator"), now=datetime.now(UTC))
    session.commit()
    pk = case.id
    html = shown(login("operator2"), pk)
    assert 'name="take_over" value="1"' in html
    assert "Agus Prasetyo" in html
    assert "Agus Prasetyo" in login("operator2").get(f"/complaints/work/{pk}").text


# --- the clock ---------------------------------------------------------------------------------------


def test_both_clocks_are_shown_beside_the_standard(make_case, login, session, office, actor, clock):
    monday = datetime(2026, 8, 3, 2, 0, tzinfo=UTC)  # 09.00 at the office
    clock(monday)
    case = make_case("siak_check", at=monday - timedelta(minutes=30))
    start_work(session, office.sop, case, actor("operator"), now=monday)
    session.commit()
    pk = case.id
    clock(monday + timedelta(minutes=12))
    html = shown(login("operator"), pk)
    assert re.search(r"12 (dari|of) 15", html)
    assert "share-warn" in html


def test_a_case_that_stands_still_says_why(make_case, login, session, office, actor):
    case = make_case("siak_check")
    now = datetime.now(UTC)
    pause_run(session, office.sop, open_run(session, case), actor("operator"), "siak_down", now=now)
    session.commit()
    pk = case.id
    html = shown(login("operator"), pk)
    assert "SIAK tidak dapat diakses" in html
    assert f'action="/complaints/resume/{pk}"' in html
    assert f'action="/complaints/resume/{pk}"' not in shown(login("petugas"), pk)


def test_a_pause_of_the_whole_step_is_not_ended_from_one_case(
    make_case, login, session, office, actor
):
    case = make_case("siak_check")
    pause_step(
        session, office.sop, "siak_check", actor("operator"), "siak_down", now=datetime.now(UTC)
    )
    session.commit()
    pk = case.id
    html = shown(login("operator"), pk)
    assert "SIAK tidak dapat diakses" in html
    assert f'action="/complaints/resume/{pk}"' not in html


# --- personal data ---------------------------------------------------------------------------------


def test_without_the_permission_personal_data_are_masked(make_case, login, session, user, post):
    case = make_case("done", email="pemohon@example.org", handle="0812-0000-0001")
    secrets = (case.applicant_name, case.nik, case.phone, case.email, case.address, case.handle)
    pk = case.id
    client = login("petugas")
    html = shown(client, pk)
    assert [secret for secret in secrets if secret in html] == [case.applicant_name]
    post(client, f"/complaints/reveal/{pk}", {"reason": "mencocokkan di loket"})
    html = shown(client, pk)
    assert all(secret in html for secret in secrets)
    role = next(role for role in user("petugas").roles if role.name == "Petugas Pengaduan")
    _take(session, role, "see_personal")
    html = shown(login("petugas"), pk)
    assert [secret for secret in secrets if secret in html] == []


def _take(session, role: Role, permission: str) -> None:
    role.permissions = [p for p in role.permissions if p.permission.name != permission]
    session.commit()


def test_what_is_confidential_is_marked(make_case, login):
    html = shown(login("petugas"), make_case("intake", hide_identity=True).id)
    assert html.count("badge-late") >= 2


def test_a_complaint_is_text_not_markup(make_case, login):
    text = '<script>alert(1)</script> & "kutip"'
    html = shown(login("petugas"), make_case("intake", text=text, applicant_name="<b>A</b> B").id)
    assert "<script>alert" not in html
    assert "<b>A</b>" not in html


@pytest.mark.parametrize("pk", ["0", "999999", "abc", "1e3", "-1", "%00", "9" * 40])
def test_a_case_that_is_not_there(pk, login):
    client = login("petugas")
    assert client.get(f"/complaints/show/{pk}").status_code == 404
    assert client.get(f"/complaints/work/{pk}").status_code == 404


# --- history --------------------------------------------------------------------------------------


def test_the_history_says_who_why_and_how_long(make_case, login, session):
    case = make_case("returned")
    make_case.move(case, "withdraw", reason="sudah selesai di desa")
    session.commit()
    html = shown(login("operator"), case.id)
    history = html.split('id="history"')[1]
    assert history.index("sudah selesai di desa") < history.index("timeline-accent")
    assert "Siti Rahmawati" in history
    assert re.search(r"standar 10|standard 10", history)


def test_the_failed_papers_stand_in_the_history(make_case, login, session, post):
    case = make_case("intake")
    kind = next(c.kind_id for c in current_checks(session, case) if c.required)
    pk, client = case.id, login("petugas")
    post(
        client,
        f"/complaints/work/{pk}",
        {
            "transition": "request_completion",
            "step": "intake",
            f"state_{kind}": "missing",
            f"note_{kind}": "halaman dua tidak ada",
        },
    )
    html = shown(client, pk)
    assert "halaman dua tidak ada" in html.split('id="history"')[1]
    assert "halaman dua tidak ada" in html.split('class="notice notice-warn"')[1][:1500]


def test_the_page_is_read_in_english_too(make_case, login, post):
    client = login("petugas")
    post(client, "/lang/en")
    html = shown(client, make_case("done").id)
    assert "Done, document sent" in html
    assert "History" in html


# --- steps nobody has written code for -------------------------------------------------------------


DESK_REVIEW = """
[[step]]
key = "desk_review"
kind = "activity"
actor = "petugas_pengaduan"
standard_minutes = 3
label = { id = "Telaah meja", en = "Desk review" }
activity = "Menelaah berkas sekali lagi"
output = "Berkas yang telah ditelaah"

[[step.transition]]
key = "pass_review"
target = "siak_check"
label = { id = "Lolos telaah", en = "Passes the review" }

[[step.transition]]
key = "fail_review"
target = "returned"
label = { id = "Tidak lolos", en = "Fails the review" }
reason = "required"
needs_form = true
danger = true

# --- 2 ---
"""


def test_a_new_step_of_the_sop_file_has_its_form_and_its_buttons(
    make_app, tmp_path, session, make_case, post, csrf
):
    text = SOP_FILE.read_text(encoding="utf-8")
    text = text.replace(
        'key = "verify_file"\ntarget = "siak_check"', 'key = "verify_file"\ntarget = "desk_review"'
    )
    text = text.replace("# --- 2 ---", DESK_REVIEW)
    path = tmp_path / "sop.toml"
    path.write_text(text, encoding="utf-8")
    case_id = make_case("intake").id
    session.commit()
    app = make_app(SOP_FILE=path)
    prepare(app)
    client = app.test_client()
    officer = session.query(User).filter_by(username="petugas").one()
    session.commit()
    with client.session_transaction() as kept:
        kept.update(panel.cookie_values(app, officer, session.get(Account, officer.id)))
    session.commit()
    data = {"transition": "verify_file", "step": "intake"}
    assert post(client, f"/complaints/work/{case_id}", data).status_code == 303
    html = shown(client, case_id)
    assert "Telaah meja" in html
    assert actions(html, case_id) == {"pass_review"}
    form = client.get(f"/complaints/work/{case_id}").text
    assert "Menelaah berkas sekali lagi" in form
    data = {"transition": "fail_review", "step": "desk_review"}
    assert post(client, f"/complaints/work/{case_id}", data).status_code == 422
    data["reason"] = "kurang jelas"
    assert post(client, f"/complaints/work/{case_id}", data).status_code == 303
    session.expire_all()
    assert session.get(Complaint, case_id).step_key == "returned"
