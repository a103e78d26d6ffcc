"""The queue as its page: tabs, buttons, batch, stopping the clocks, and who gets what."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Complaint, Pause, Permission, PermissionView, Role, ViewMenu
from app.services.pausing import open_step_pause, pause_step
from app.services.transitions import Office, start_work
from tests.support.cases import CaseMaker

Login = Callable[[str], FlaskClient]


def take_away(session: Session, role: str, permission: str, view: str = "Complaint") -> None:
    """What an administrator does on the role's page."""
    row = session.scalars(select(Role).where(Role.name == role)).one()
    pair = session.scalars(
        select(PermissionView)
        .join(PermissionView.permission)
        .join(PermissionView.view_menu)
        .where(Permission.name == permission, ViewMenu.name == view)
    ).one()
    row.permissions.remove(pair)
    session.commit()


def tabs(page: str) -> list[str]:
    found = re.search(r'<ul class="tabs">.*?</ul>', page, re.DOTALL)
    return re.findall(r"<a[^>]*>([^<]+)<span", found[0]) if found else []


# --- who lands here ---


@pytest.mark.parametrize("key", ["petugas", "operator", "subkoordinator", "kepala"])
def test_the_queue_is_the_home_of_whoever_acts(login: Login, key: str) -> None:
    answer = login(key).get("/")
    assert (answer.status_code, answer.location) == (302, "/queue/")


@pytest.mark.parametrize("key", ["kabid", "admin"])
def test_who_acts_in_no_case_has_no_queue(login: Login, key: str) -> None:
    assert login(key).get("/queue/").status_code == 403


def test_nobody_is_sent_to_sign_in(client: FlaskClient) -> None:
    answer = client.get("/queue/")
    assert answer.status_code == 302
    assert "/login/" in answer.location


# --- what it shows ---


def test_the_tabs_are_my_steps_and_the_applicants(login: Login, make_case: CaseMaker) -> None:
    make_case("returned")
    page = login("petugas").get("/queue/").text
    assert tabs(page) == [
        "Semua tahap saya",
        "Penerimaan berkas",
        "Pengiriman",
        "Menunggu pemohon",
    ]
    assert tabs(login("kepala").get("/queue/").text) == [], "one step needs no tabs"


def test_a_row_says_what_whose_since_and_by_when(login: Login, make_case: CaseMaker) -> None:
    case = make_case("siak_check", applicant_name="Rahayu Contoh")
    page = login("operator").get("/queue/").text
    for text in (case.number, "Rahayu Contoh", str(case.category), "belum dimulai", "Kerjakan"):
        assert text in page
    assert f'formaction="/complaints/start/{case.id}"' in page


def test_a_name_is_for_those_who_may_see_it(
    login: Login, make_case: CaseMaker, session: Session
) -> None:
    make_case("siak_check", applicant_name="Rahayu Contoh")
    take_away(session, "Operator", "see_personal")
    page = login("operator").get("/queue/").text
    assert "Rahayu Contoh" not in page
    assert "R••••" in page


def test_oversight_content_is_not_in_the_queue_of_others(
    login: Login, make_case: CaseMaker, session: Session
) -> None:
    case = make_case("siak_check", category="PUNGLI")
    assert case.number in login("operator").get("/queue/").text
    take_away(session, "Operator", "see_confidential")
    assert case.number not in login("operator").get("/queue/").text


def test_a_colleagues_case_has_no_button_but_his_name(
    login: Login, make_case: CaseMaker, session: Session, office: Office, actor: Any
) -> None:
    case = make_case("siak_check")
    start_work(session, office.sop, case, actor("operator2"), now=make_case.now(case))
    session.commit()
    page = login("operator").get("/queue/").text
    assert "Rina Wulandari" in page
    assert "/complaints/start/" not in page
    assert "Lanjutkan" in login("operator2").get("/queue/").text


def test_the_button_starts_the_case_and_opens_its_form(
    login: Login, make_case: CaseMaker, post: Any, session: Session
) -> None:
    case = make_case("siak_check")
    answer = post(login("operator"), f"/complaints/start/{case.id}", {"from": "queue"})
    assert (answer.status_code, answer.location) == (303, f"/complaints/work/{case.id}")
    session.refresh(case)
    assert case.assignee is not None
    assert case.assignee.username == "operator"


def test_without_work_there_is_no_button(
    login: Login, make_case: CaseMaker, session: Session
) -> None:
    make_case("siak_check")
    take_away(session, "Operator", "can_work")
    assert "/complaints/start/" not in login("operator").get("/queue/").text


def test_an_empty_queue_says_why(login: Login) -> None:
    page = login("operator").get("/queue/").text
    assert "empty-title" in page
    assert "/complaints/list/" in page, "and what to do instead"


def test_a_role_without_a_step_is_told_so(login: Login, session: Session) -> None:
    for key in ("sign", "refuse_signature"):
        take_away(session, "Kepala Dinas", key)
    page = login("kepala").get("/queue/")
    assert page.status_code == 200
    assert "circle-help" in page.text


@pytest.mark.parametrize(
    "query",
    [
        "step=nothing&page=1",
        "page=0",
        "page=-1",
        "page=99999999",
        "page=abc",
        "page=%00",
        "step=%00%ff",
        "step=" + "x" * 5000,
        "page=1&page=2",
        "step=siak_check&page=7",
    ],
)
def test_a_made_up_address_shows_the_queue(login: Login, make_case: CaseMaker, query: str) -> None:
    case = make_case("siak_check")
    answer = login("operator").get(f"/queue/?{query}")
    assert answer.status_code == 200
    assert case.number in answer.text


# --- several at once ---


def test_ticks_stand_where_the_step_has_a_batch_transition_of_mine(
    login: Login, make_case: CaseMaker
) -> None:
    make_case("siak_check")
    make_case("printing")
    client = login("operator")
    assert "data-batch" in client.get("/queue/?step=printing").text
    assert 'value="confirm_printed"' in client.get("/queue/?step=printing").text
    for path in ("/queue/", "/queue/?step=siak_check"):
        assert 'name="rowid"' not in client.get(path).text


def test_the_batch_goes_the_way_of_the_list(login: Login, make_case: CaseMaker, post: Any) -> None:
    cases = [make_case("printing") for _ in range(2)]
    answer = post(
        login("operator"),
        "/complaints/action_post",
        {"action": "confirm_printed", "rowid": [str(case.id) for case in cases], "from": "queue"},
    )
    assert answer.status_code == 200
    assert all(case.number in answer.text for case in cases)


def test_a_batch_lets_nobody_choose_what_stands_elsewhere(
    login: Login, make_case: CaseMaker, post: Any
) -> None:
    done, here = make_case("done"), make_case("printing")
    client, sent = login("operator"), {"action": "confirm_printed"}
    page = post(
        client, "/complaints/action_post", {**sent, "rowid": [str(done.id), str(here.id)]}
    ).text
    assert re.findall(r'name="rowid" value="(\d+)"', page) == [str(here.id)]
    assert page.index(here.number) < page.index(done.number), "what can be done comes first"
    alone = post(client, "/complaints/action_post", {**sent, "rowid": [str(done.id)]}).text
    assert done.number in alone
    assert "Konfirmasi tercetak</button>" not in re.sub(r"\s+<", "<", alone)


# --- stopping the clocks of a step ---


def test_one_click_stops_a_step_and_another_lets_it_go_on(
    login: Login, make_case: CaseMaker, post: Any, session: Session
) -> None:
    make_case("siak_check")
    client = login("operator")
    answer = post(
        client, "/queue/pause_step/siak_check", {"reason": "siak_down", "note": "sejak\x00 pagi"}
    )
    assert (answer.status_code, answer.location) == (303, "/queue/?step=siak_check")
    page = client.get("/queue/?step=siak_check").text
    assert "SIAK tidak dapat diakses: sejak pagi" in page
    assert "/queue/resume_step/siak_check" in page
    assert post(client, "/queue/resume_step/siak_check").status_code == 303
    session.expire_all()
    assert open_step_pause(session, "siak_check") is None


@pytest.mark.parametrize("route", ["pause_step", "resume_step"])
@pytest.mark.parametrize(
    ("key", "step", "taken", "status"),
    [
        pytest.param("operator", "signing", "", 403, id="not a step of his"),
        pytest.param("operator", "siak_check", "can_pause", 403, id="may not stop clocks"),
        pytest.param("kepala", "signing", "", 403, id="the head does not stop clocks"),
        pytest.param("kabid", "siak_check", "", 403, id="no queue at all"),
        pytest.param("operator", "nothing", "", 404, id="no such step"),
    ],
)
def test_who_may_not_stop_a_step(
    login: Login,
    session: Session,
    post: Any,
    route: str,
    key: str,
    step: str,
    taken: str,
    status: int,
) -> None:
    if taken:
        take_away(session, "Operator", taken)
    answer = post(login(key), f"/queue/{route}/{step}", {"reason": "siak_down"})
    assert answer.status_code == status
    assert not session.scalars(select(Pause)).all()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="no reason"),
        pytest.param({"reason": "holiday"}, id="a made-up reason"),
        pytest.param({"reason": "x" * 10_000}, id="a long one"),
    ],
)
def test_a_pause_needs_a_reason_of_the_sop(
    login: Login, session: Session, post: Any, data: dict[str, str]
) -> None:
    client = login("operator")
    answer = post(client, "/queue/pause_step/siak_check", data)
    assert answer.status_code == 303, "back where he came from, with a message"
    assert not session.scalars(select(Pause)).all()


def test_stopping_twice_is_told_and_harmless(
    login: Login, session: Session, post: Any, office: Office, actor: Any, make_case: CaseMaker
) -> None:
    pause_step(
        session, office.sop, "siak_check", actor("operator2"), "siak_down", now=make_case.start
    )
    session.commit()
    answer = post(login("operator"), "/queue/pause_step/siak_check", {"reason": "other"})
    assert answer.status_code == 303
    assert len(session.scalars(select(Pause)).all()) == 1


def test_looking_stops_nothing(login: Login, session: Session) -> None:
    for path in ("/queue/pause_step/siak_check", "/queue/resume_step/siak_check"):
        assert login("operator").get(path).status_code == 405
    assert not session.scalars(select(Pause)).all()


# --- the cost ---


@pytest.mark.both
def test_the_page_takes_at_most_ten_statements(
    login: Login, make_case: CaseMaker, sql_count: Any
) -> None:
    client = login("operator")
    make_case("siak_check")
    client.get("/queue/")
    counts = []
    for _ in range(2):
        with sql_count() as statements:
            page = client.get("/queue/")
        assert page.status_code == 200
        counts.append(len(statements))
        for _ in range(3):
            make_case("siak_check", files=False, checked=False)
    assert counts[0] == counts[1] <= 10


def test_a_full_page_stays_small(login: Login, make_case: CaseMaker, session: Session) -> None:
    for _ in range(51):
        make_case.register(by="petugas")
    session.commit()
    assert session.query(Complaint).count() == 51
    page = login("petugas").get("/queue/")
    assert len(page.data) < 150_000
    assert page.text.count("/complaints/show/") == 50
    assert 'rel="next"' in page.text
