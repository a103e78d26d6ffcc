"""What holds for every work form: all of it is saved or nothing, and nothing typed is lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.models import (
    CaseEvent,
    Complaint,
    SiakCheck,
)
from app.services.facts import current_checks, current_outputs, current_siak
from app.services.transitions import open_run, start_work
from tests.support.forms import PageForm
from tests.support.workbench import WHO, Bench, ids


@pytest.fixture
def bench(session, store, make_case, login, user, post):
    """`bench("siak_check")`: a case in a step and the officer of its lane before its form."""

    def make(step: str, *, who: str | None = None, case: Any = None, **facts: Any) -> Bench:
        key = who or WHO[step]
        made = case or make_case(step, **facts)
        return Bench(session, store, login(key), user(key), post, made.id)

    return make


# --- saving without moving ------------------------------------------------------------------------


@pytest.mark.both
def test_saving_for_now_keeps_the_facts_and_starts_the_work(bench, session):
    desk = bench("intake", checked=False, files=False)
    session.get_one(Complaint, desk.pk).assignee_id = None
    run = open_run(session, desk.case)
    assert run is not None
    kinds = ids(desk)
    answer = desk.send(
        "",
        **{
            f"state_{kinds['ktp_asli']}": "unreadable",
            f"note_{kinds['ktp_asli']}": "buram 📷",
            f"files_{kinds['ktp_asli']}_token": desk.upload(),
        },
    )
    assert answer.status_code == 303
    assert answer.location.endswith(desk.url)
    case = desk.case
    assert case.step_key == "intake"
    found = {c.kind.code: (c.state, c.note) for c in current_checks(session, case)}
    assert found["ktp_asli"] == ("unreadable", "buram 📷")
    assert case.assignee_id == desk.user.id
    assert case.events[-1].kind == "saved"
    assert case.events[-1].details["files"] == ["foto.jpg"]
    form = desk.open()
    assert form.fields[f"state_{kinds['ktp_asli']}"] == ["unreadable"]


def test_ticks_for_papers_are_remembered_but_not_asked_for_before_the_return(bench, session):
    desk = bench("siak_check")
    kinds = ids(desk)
    answer = desk.send(
        "", result="mismatch", differences=["nama", "nik"], ask_again=[str(kinds["kk_asli"])]
    )
    assert answer.status_code == 303
    states = {c.kind.code: c.state for c in current_checks(session, desk.case)}
    assert states["kk_asli"] == "present"
    form = desk.open()
    assert form.fields["ask_again"] == [str(kinds["kk_asli"])]
    assert form.fields["differences"] == ["nama", "nik"]
    assert desk.count(SiakCheck) == 1
    desk.send("", form=form)
    assert desk.count(SiakCheck) == 1, "the same result is not recorded twice"


def test_a_posting_that_leaves_fields_out_changes_none_of_them(bench, session):
    desk = bench("intake")
    before = [(c.state, c.note) for c in current_checks(session, desk.case)]
    version = desk.case.version
    answer = desk.send("", form=PageForm("", "work"), version=str(version))
    assert answer.status_code == 303
    assert [(c.state, c.note) for c in current_checks(session, desk.case)] == before


# --- refusals: nothing saved, nothing lost ---------------------------------------------------------


def _typed(desk: Bench, step: str) -> dict[str, Any]:
    """Something in every kind of field of a step, not enough for its first transition."""
    if step == "intake":
        kind = ids(desk)["ktp_asli"]
        return {
            f"state_{kind}": "missing",
            f"note_{kind}": "tidak ikut dikirim",
            f"files_{kind}_token": desk.upload(),
            "reason": "mohon dilengkapi",
        }
    if step == "siak_check":
        return {
            "result": "match",
            "draft_reference": "",
            "siak_note": "dicek dua kali",
            "out_reference_0": "X-9",
            "reason": "catatan",
        }
    if step == "certification":
        return {"out_kind_0": "", "out_reference_0": "", "out_kind_1": "", "reason": "catatan"}
    if step == "signing":
        return {"reason": "catatan kepala"}
    if step == "printing":
        output = current_outputs(desk.session, desk.case)[0]
        return {
            f"print_{output.id}": "spoiled",
            f"spoiled_{output.id}": "tinta habis",
            "reason": "catatan",
        }
    if step == "dispatch":
        return {
            "tracking_number": "P2301234567890",
            "service": "Kilat",
            "address": "Jl. Baru No. 2, Batang",
            "proof_token": desk.upload(),
        }
    if step == "done":
        return {"reason": "  "}
    return {"files_other_token": desk.upload(), "reason": "  "}


@pytest.mark.parametrize(
    ("step", "key"),
    [
        pytest.param("intake", "verify_file", id="a required paper is missing"),
        pytest.param("siak_check", "siak_match", id="no draft reference"),
        pytest.param("siak_check", "siak_mismatch", id="a match is not returned"),
        pytest.param("certification", "submit_certification", id="no document named"),
        pytest.param("signing", "sign", id="not signed yet"),
        pytest.param("printing", "confirm_printed", id="a spoiled print"),
        pytest.param("dispatch", "send", id="no courier"),
        pytest.param("returned", "withdraw", id="a blank reason is no reason"),
        pytest.param("done", "reopen", id="no reason to reopen"),
    ],
)
def test_a_refused_form_saves_nothing_and_keeps_what_was_typed(step, key, bench):
    desk = bench(step)
    typed = _typed(desk, step)
    before = desk.snapshot()
    answer = desk.send(key, **typed)
    assert answer.status_code == 422
    assert desk.snapshot() == before
    assert 'role="alert"' in answer.text
    again = PageForm(answer.text, "work")
    for name, value in typed.items():
        if value.strip() or name in again.fields:
            assert [text.strip() for text in again.fields[name]] == [value.strip()], name


@pytest.mark.parametrize(
    ("step", "key", "change", "place"),
    [
        ("intake", "verify_file", {}, "state_"),
        ("siak_check", "siak_match", {}, "draft_reference"),
        ("siak_check", "siak_mismatch", {"result": "mismatch", "reason": "x"}, "differences"),
        ("siak_check", "siak_mismatch", {"differences": ["nik"]}, "reason"),
        ("certification", "submit_certification", {"out_kind_0": "", "out_kind_1": ""}, "out_kind"),
        ("certification", "send_back_to_check", {}, "reason"),
        ("signing", "sign", {}, "signed_"),
        ("dispatch", "send", {}, "courier"),
        ("dispatch", "send", {}, "tracking_number"),
        ("dispatch", "send", {}, "proof"),
        ("dispatch", "send", {"recipient": " ", "address": ""}, "recipient"),
    ],
)
def test_the_message_stands_beside_its_field(step, key, change, place, bench):
    desk = bench(step, checked=step != "intake")
    answer = desk.send(key, **change)
    assert answer.status_code == 422
    assert f'id="{place}' in answer.text
    assert f'href="#{place}' in answer.text


def test_enter_in_a_field_never_moves_the_case(bench):
    desk = bench("siak_check")
    assert desk.open().buttons[0] == ("transition", "")


def test_nothing_is_kept_of_a_parcel_before_it_is_sent(bench):
    desk = bench("dispatch")
    before = desk.snapshot()
    answer = desk.send("", tracking_number="P2301234567890")
    assert answer.status_code == 422
    assert desk.snapshot() == before


# --- two at once, twice the same -------------------------------------------------------------------


@pytest.mark.both
def test_a_form_sent_twice_has_one_effect(bench):
    desk = bench("siak_check")
    form = desk.open()
    first = desk.send("siak_match", form=form, draft_reference="BIO-1")
    events = desk.count(CaseEvent)
    second = desk.send("siak_match", form=form, draft_reference="BIO-1")
    assert (first.status_code, second.status_code) == (303, 303)
    assert second.location.endswith(f"/complaints/show/{desk.pk}")
    assert desk.count(CaseEvent) == events


@pytest.mark.both
def test_the_later_of_two_is_told_who_was_first_and_keeps_what_he_typed(bench, session):
    first = bench("siak_check")
    second = bench("siak_check", who="operator2", case=first.case)
    form = second.open()
    assert first.send("", result="match", draft_reference="BIO-1").status_code == 303
    before = first.snapshot()
    answer = second.send("siak_match", form=form, draft_reference="BIO-2")
    assert answer.status_code == 409
    assert first.snapshot() == before
    assert "Agus Prasetyo" in answer.text
    again = PageForm(answer.text, "work")
    assert again.fields["draft_reference"] == ["BIO-2"]
    # He has read it: the same form, sent once more, counts.
    assert second.send("siak_match", form=again).status_code == 303
    assert current_siak(session, second.case).draft_reference == "BIO-2"


def test_a_case_that_moved_on_meanwhile_says_where_it_is(bench):
    first = bench("siak_check")
    second = bench("siak_check", who="operator2", case=first.case)
    form = second.open()
    assert first.send("siak_match", draft_reference="BIO-1").status_code == 303
    before = first.snapshot()
    answer = second.send("siak_match", form=form, draft_reference="BIO-2")
    assert answer.status_code == 409
    assert first.snapshot() == before
    assert "Agus Prasetyo" in answer.text
    again = PageForm(answer.text, "work")
    assert again.fields["draft_reference"] == ["BIO-2"]
    assert again.transitions == []


def test_who_took_a_case_over_is_named(bench, session, actor, office):
    first = bench("siak_check")
    second = bench("siak_check", who="operator2", case=first.case)
    form = first.open()
    start_work(session, office.sop, second.case, actor("operator2"), now=datetime.now(UTC))
    session.commit()
    answer = first.send("siak_match", form=form, draft_reference="BIO-1")
    assert answer.status_code == 409
    assert "Rina Wulandari" in answer.text


# --- who may -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"),
    [("operator", 200), ("operator2", 200), ("petugas", 403), ("kepala", 403), ("kabid", 403)],
)
def test_only_who_has_a_part_in_the_step_sees_its_form(who, status, bench):
    desk = bench("siak_check", who=who)
    assert desk.client.get(desk.url).status_code == status
    before = desk.snapshot()
    answer = desk.post(desk.client, desk.url, {"transition": "siak_match", "step": "siak_check"})
    assert answer.status_code == (403 if status == 403 else 422)
    assert desk.snapshot() == before


def test_a_form_of_another_step_opens_no_door(bench):
    desk = bench("siak_check", who="petugas")
    before = desk.snapshot()
    data = {"transition": "verify_file", "step": "intake"}
    assert desk.post(desk.client, desk.url, data).status_code == 409
    data = {"transition": "siak_match", "step": "intake", "draft_reference": "X"}
    assert desk.post(desk.client, desk.url, data).status_code in (403, 409, 422)
    assert desk.snapshot() == before


@pytest.mark.parametrize("key", ["no_such", "sign", "list", "x" * 500, "\0"])
def test_an_action_that_does_not_belong_here_is_refused(key, bench):
    desk = bench("siak_check")
    before = desk.snapshot()
    assert desk.send(key).status_code in (403, 409, 422)
    assert desk.snapshot() == before


def test_a_confidential_case_is_not_there_for_who_may_not_know(bench, session, user):
    desk = bench("intake", category="PUNGLI", who="kabid")
    for url in (desk.url, f"/complaints/show/{desk.pk}"):
        assert desk.client.get(url).status_code in (403, 404)


# --- bad input -----------------------------------------------------------------------------------

BAD = {
    "long": "x" * 10_000,
    "null": "a\0b",
    "control": "a\x07b",
    "emoji": "👩‍👩‍👧 keluarga",
    "markup": "<script>alert(1)</script>",
    "surrogate": "\ud83d",
    "digits": "9" * 5_000,
    "minus": "-1",
}


@pytest.mark.both
@pytest.mark.parametrize("step", WHO)
def test_bad_input_is_refused_or_kept_as_it_is(step, bench):
    desk = bench(step)
    kept = {"csrf_token", "version", "form_key", "step", "shown"}
    for bad in BAD.values():
        text = bad.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        form = desk.open()
        names = [name for name in form.fields if name not in kept]
        for transition in ("", form.transitions[0]):
            before = desk.snapshot()
            answer = desk.send(transition, form=form, **dict.fromkeys(names, text))
            assert answer.status_code in (303, 422), (bad[:9], transition, answer.status_code)
            assert "<script>alert" not in answer.text
            if answer.status_code == 422:
                assert desk.snapshot() == before, (bad[:9], transition)
        if desk.case.step_key != step:  # harmless text in a form that asks for text alone
            desk = bench(step)


@pytest.mark.parametrize("name", ["version", "form_key", "step", "shown"])
def test_made_up_hidden_fields_never_break_the_form(name, bench):
    desk = bench("siak_check")
    for text in ("", "x" * 3_000, "\0", "-1", "99999999999999999999"):
        answer = desk.send("siak_match", **{name: text, "draft_reference": ""})
        assert answer.status_code in (409, 422), text[:9]
