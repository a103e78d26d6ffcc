"""Two pairs of eyes: who checked a case at SIAK does not sign it, by page, batch or command; the
exception of a small office has a reason, an end, and stands where everybody sees it.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.models import AuditEvent, CaseEvent, Complaint, Office, SiakCheck
from app.services.batch import apply_batch
from app.services.facts import current_outputs
from app.services.transitions import apply_transition
from app.sop.errors import GuardFailedError
from tests.support.forms import largest_form
from tests.support.moments import office_day

pytestmark = pytest.mark.both
REASON = "Operator cuti, kantor hanya berdua"


@pytest.fixture
def case(make_case, session, user):
    """A case whose papers are signed, checked at SIAK by the head himself."""
    found = make_case("signing")
    for output in current_outputs(session, found):
        make_case.attach(found, "signed", "kepala", output_id=output.id)
    for document in found.documents:
        if document.stage == "signed":
            document.signature_state = "trusted"
    session.execute(
        update(SiakCheck)
        .where(SiakCheck.complaint_id == found.id)
        .values(checked_by_id=user("kepala").id)
    )
    session.commit()
    return found


def except_until(session, day, reason=REASON):
    session.execute(update(Office).values(same_person_reason=reason, same_person_until=day))
    session.commit()


def step_of(session, case):
    return session.scalar(select(Complaint.step_key).where(Complaint.id == case.id))


def sign(make_case, office, case, key="kepala"):
    return apply_transition(
        make_case.session, office, case, "sign", make_case.actor(key), now=make_case.now(case)
    )


def codes(refused):
    return [problem.code for problem in refused.value.problems]


def test_asvs_b23_who_checked_does_not_sign(make_case, office, case, session):
    with pytest.raises(GuardFailedError) as refused:
        sign(make_case, office, case)
    session.rollback()
    assert codes(refused) == ["checked_by_signer"]
    assert step_of(session, case) == "signing"


def test_asvs_b23_not_by_a_button_either(login, post, case, session):
    post(login("kepala"), f"/complaints/action/sign/{case.id}")
    post(login("kepala"), "/complaints/batch", {"action": "sign", "rowid": str(case.id)})
    assert step_of(session, case) == "signing"
    page = post(
        login("kepala"), "/complaints/action_post", {"action": "sign", "rowid": str(case.id)}
    )
    assert "Anda sendiri yang memverifikasi" in page.text


def test_asvs_b23_a_batch_names_the_refused_one_and_does_the_others(
    make_case, office, case, session, user
):
    other = make_case("signing")
    make_case.record_facts(other, "sign")
    session.commit()
    result = apply_batch(
        session, office, {case.id: None, other.id: None}, "sign", make_case.actor("kepala"),
        now=make_case.now(other), opened_at=make_case.now(other),
    )  # fmt: skip
    session.commit()
    assert result.done == [other.number]
    assert [(number, error.problems[0].code) for number, error in result.refused] == [
        (case.number, "checked_by_signer")
    ]


def test_asvs_b23_the_command_is_refused_as_well(app, case, session):
    arguments = ["case", "move", case.number, "sign", "--as", "kepala"]
    done = app.test_cli_runner().invoke(args=arguments)
    assert done.exit_code == 1
    assert step_of(session, case) == "signing"


def test_the_check_of_an_earlier_round_binds_nobody(make_case, office, case, session):
    """The check that this signature rests on is the latest round's."""
    session.execute(
        update(SiakCheck).where(SiakCheck.complaint_id == case.id).values(round=case.round + 1)
    )
    session.commit()
    sign(make_case, office, case)
    assert case.step_key == "printing"


def test_another_officer_s_check_binds_nobody(make_case, office, case, session, user):
    session.execute(update(SiakCheck).values(checked_by_id=user("operator").id))
    session.commit()
    sign(make_case, office, case)
    assert case.step_key == "printing"


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        pytest.param(-2, REASON, id="an exception that has ended"),
        pytest.param(5, "", id="an exception without a reason"),
    ],
)
def test_what_is_no_exception(make_case, office, case, session, days, reason):
    except_until(session, office_day(make_case.now(case)) + timedelta(days=days), reason)
    with pytest.raises(GuardFailedError) as refused:
        sign(make_case, office, case)
    session.rollback()
    assert codes(refused) == ["checked_by_signer"]


def test_asvs_b23_an_exception_is_written_into_the_case_and_the_log(
    make_case, office, case, session, login
):
    except_until(session, office_day() + timedelta(days=30))
    sign(make_case, office, case)
    session.commit()
    assert case.step_key == "printing"
    event = session.scalars(
        select(CaseEvent).where(CaseEvent.complaint_id == case.id).order_by(CaseEvent.id.desc())
    ).first()
    assert event.details["same_person"] == REASON
    logged = session.scalars(select(AuditEvent).where(AuditEvent.kind == "duties_exception")).all()
    assert case.number in [row.subject.partition(":")[2] for row in logged]
    page = login("subkoordinator").get(f"/complaints/show/{case.id}").text
    assert REASON in page


def test_an_exception_is_seen_by_who_signs_and_who_administers(login, session):
    for key, url in (("kepala", "/signing/"), ("admin", "/administration/")):
        assert REASON not in login(key).get(url).text
    except_until(session, office_day() + timedelta(days=30))
    for key, url in (("kepala", "/signing/"), ("admin", "/administration/")):
        text = login(key).get(url).text
        assert REASON in text
        assert (office_day() + timedelta(days=30)).isoformat() not in text


@pytest.mark.parametrize(
    ("reason", "days", "status"),
    [
        pytest.param("", 10, 422, id="a day without a reason"),
        pytest.param(REASON, None, 422, id="a reason without a day"),
        pytest.param(REASON, 500, 422, id="longer than a year"),
        pytest.param(REASON, 10, 303, id="a reason and a day"),
    ],
)
def test_the_administrator_writes_the_exception(login, post, session, reason, days, status):
    admin = login("admin")
    pk = session.scalar(select(Office.id))
    form = largest_form(admin.get(f"/reference/office/edit/{pk}").text)
    day = (office_day() + timedelta(days=days)).isoformat() if days else ""
    form |= {"same_person_reason": reason, "same_person_until": day}
    assert post(admin, f"/reference/office/edit/{pk}", form).status_code == status
    kept = session.scalar(
        select(Office.same_person_reason).execution_options(populate_existing=True)
    )
    assert kept == (reason if status == 303 else "")
    logged = session.scalars(select(AuditEvent).where(AuditEvent.kind == "duties_exception")).all()
    assert len(logged) == (status == 303)


def card_of(page, case):
    """What the signing desk says of a case."""
    found = [card for card in page.split('<li class="card sign-card')[1:] if case.number in card]
    return found[0] if found else ""


def own_draft(make_case, session, user):
    """Two cases with drafts: the head checked the first himself."""
    cases = [make_case("signing"), make_case("signing")]
    for found in cases:
        for output in current_outputs(session, found):
            make_case.attach(found, "draft", "subkoordinator", output_id=output.id, scan=True)
    session.execute(
        update(SiakCheck)
        .where(SiakCheck.complaint_id == cases[0].id)
        .values(checked_by_id=user("kepala").id)
    )
    session.commit()
    return cases


def test_asvs_b23_the_desk_says_so_before_anything_is_signed(
    make_case, session, user, login, sql_count
):
    own, other = own_draft(make_case, session, user)
    head = login("kepala")
    page = head.get("/signing/").text
    assert "Anda yang memverifikasi pengaduan ini di SIAK" in card_of(page, own)
    assert "Penanda tangan lain harus" in card_of(page, own)
    assert 'type="checkbox"' not in card_of(page, own)
    assert "/signing/bring/" not in card_of(page, own)
    assert "Anda yang memverifikasi" not in card_of(page, other)
    assert "data-sign-one" in card_of(page, other)
    with sql_count() as with_it:
        head.get("/signing/")
    session.execute(update(SiakCheck).values(checked_by_id=user("operator").id))
    session.commit()
    with sql_count() as without:
        head.get("/signing/")
    assert len(with_it) == len(without)


def test_asvs_b23_by_an_exception_it_is_marked_and_has_a_tick_of_its_own(
    make_case, session, user, login
):
    own, other = own_draft(make_case, session, user)
    except_until(session, office_day() + timedelta(days=7))
    page = login("kepala").get("/signing/").text
    assert "Anda yang memverifikasi pengaduan ini di SIAK" in card_of(page, own)
    assert "data-sign-own" in card_of(page, own)
    assert "data-sign-one" in card_of(page, own)
    assert "data-sign-own" not in card_of(page, other)
    except_until(session, office_day() - timedelta(days=1))
    assert "data-sign-own" not in login("kepala").get("/signing/").text


@pytest.mark.browser
def test_asvs_b23_select_all_leaves_it_out(make_case, session, user, page):
    own, other = own_draft(make_case, session, user)
    except_until(session, office_day() + timedelta(days=7))
    window = page("kepala")
    window.goto("/signing/")
    window.check("[data-sign-all]")
    ticked = "boxes => boxes.filter(box => box.checked).map(box => box.value)"
    assert window.eval_on_selector_all("[data-sign-one]", ticked) == [str(other.id)]
    window.check("[data-sign-own]")
    assert sorted(window.eval_on_selector_all("[data-sign-one]", ticked)) == sorted(
        [str(own.id), str(other.id)]
    )
    assert window.watched.problems == []
