"""The work form of each step: all of it is saved or nothing, and nothing typed is lost."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from app.models import (
    CaseEvent,
    Complaint,
    Courier,
    Dispatch,
    Document,
    DocumentKind,
    PrintRun,
    RequirementCheck,
    SiakCheck,
    StagedUpload,
    StepRun,
)
from app.services.casework import record_print
from app.services.facts import current_checks, current_outputs, current_siak
from app.services.transitions import open_run, start_work
from app.services.uploads import stage_upload
from tests.support import samples
from tests.support.forms import PageForm

WHO = {
    "intake": "petugas",
    "siak_check": "operator",
    "certification": "subkoordinator",
    "signing": "kepala",
    "printing": "operator",
    "dispatch": "petugas",
    "returned": "petugas",
    "done": "subkoordinator",
    "resolved": "subkoordinator",
}


@dataclass
class Bench:
    """One officer at the work form of one case."""

    session: Any
    store: Any
    client: Any
    user: Any
    post: Callable[..., Any]
    pk: int

    @property
    def url(self) -> str:
        return f"/complaints/work/{self.pk}"

    @property
    def case(self) -> Complaint:
        self.session.commit()
        self.session.expire_all()
        return self.session.get_one(Complaint, self.pk)

    def open(self) -> PageForm:
        answer = self.client.get(self.url)
        assert answer.status_code == 200, answer.text[:2000]
        return PageForm(answer.text, "work")

    def send(self, transition: str | None = "", *, form: PageForm | None = None, **changes: Any):
        form = form or self.open()
        data = form.sent(**changes)
        data.pop("csrf_token", None)
        if transition is not None:
            data["transition"] = [transition]
        return self.post(self.client, self.url, data)

    def upload(self, data: bytes | None = None, name: str = "foto.jpg", user: Any = None) -> str:
        staged = stage_upload(
            self.session,
            self.store,
            user_id=(user or self.user).id,
            filename=name,
            data=data if data is not None else samples.jpeg(),
            now=datetime.now(UTC),
        )
        token = staged.token
        self.session.commit()
        return token

    def pdf(self) -> str:
        return self.upload(samples.pdf(), "surat.pdf")

    def count(self, model: Any) -> int:
        self.session.commit()
        return self.session.scalar(select(func.count()).select_from(model))

    def snapshot(self) -> dict[str, Any]:
        """Everything that a refused form must leave alone."""
        case = self.case
        return {
            "case": (case.step_key, case.version, case.round, case.answer, case.assignee_id),
            "checks": [(c.kind_id, c.state, c.note) for c in current_checks(self.session, case)],
            "outputs": [(o.kind_id, o.reference) for o in current_outputs(self.session, case)],
            "rows": {
                model.__name__: self.count(model)
                for model in (CaseEvent, Document, Dispatch, PrintRun, SiakCheck, StepRun)
            },
        }


@pytest.fixture
def bench(session, store, make_case, login, user, post):
    """`bench("siak_check")`: a case in a step and the officer of its lane before its form."""

    def make(step: str, *, who: str | None = None, case: Any = None, **facts: Any) -> Bench:
        key = who or WHO[step]
        made = case or make_case(step, **facts)
        return Bench(session, store, login(key), user(key), post, made.id)

    return make


def ids(bench: Bench) -> dict[str, int]:
    return {c.kind.code: c.kind_id for c in current_checks(bench.session, bench.case)}


# --- the whole way -------------------------------------------------------------------------------


@pytest.mark.both
def test_a_case_goes_all_the_way_through_its_forms(bench, make_case, session, login, user, post):
    desk = bench("intake", checked=False, files=False)
    kinds = ids(desk)
    answer = desk.send(
        "verify_file",
        **{
            f"state_{kinds['kk_asli']}": "present",
            f"state_{kinds['ktp_asli']}": "present",
            f"files_{kinds['kk_asli']}_token": [desk.upload(), desk.upload()],
        },
    )
    assert answer.status_code == 303, answer.text[:3000]
    assert answer.location.endswith(f"/complaints/show/{desk.pk}")
    assert desk.case.step_key == "siak_check"
    assert [d.kind_id for d in desk.case.documents] == [kinds["kk_asli"]] * 2

    case = desk.case
    desk = bench("siak_check", case=case)
    assert desk.send("siak_match", draft_reference="BIO-77").status_code == 303
    assert desk.case.step_key == "certification"
    assert [str(o.kind) for o in current_outputs(session, desk.case)] == [
        "Kartu Keluarga (KK)",
        "KTP-el",
    ]

    desk = bench("certification", case=case)
    answer = desk.send("submit_certification", out_reference_0="KK-1", out_kind_1="")
    assert answer.status_code == 303
    assert [o.reference for o in current_outputs(session, desk.case)] == ["KK-1"]

    desk = bench("signing", case=case)
    output = current_outputs(session, desk.case)[0]
    answer = desk.send("sign", **{f"signed_{output.id}_token": desk.pdf()})
    assert answer.status_code == 303
    assert desk.case.documents[-1].stage == "signed"

    desk = bench("printing", case=case)
    assert desk.send("confirm_printed").status_code == 303

    desk = bench("dispatch", case=case)
    answer = desk.send(
        "send",
        courier=str(make_case.id_of(Courier, "pos")),
        tracking_number="P2301 2345 67890",
        cost="Rp 12.000",
        proof_token=desk.upload(),
    )
    assert answer.status_code == 303, answer.text
    parcel = desk.case.dispatches[0]
    assert (parcel.tracking_number, parcel.cost) == ("P23012345" + "67890", 12000)
    assert parcel.proof.stage == "proof"
    assert parcel.recipient == case.applicant_name
    assert desk.case.step_key == "done"
    page = desk.client.get(f"/complaints/show/{desk.pk}").text
    assert "P2301234567890" in page


def test_opening_the_form_is_when_the_work_began(bench, session, clock):
    desk = bench("siak_check")
    entered = desk.case.step_since
    opened = entered.replace(microsecond=0)
    form = desk.open()
    answer = desk.send("siak_match", form=form, draft_reference="BIO-1")
    assert answer.status_code == 303
    run = desk.case.runs[-2]
    assert run.started_at is not None
    assert run.started_at >= opened
    assert run.started_by_id == desk.user.id


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


# --- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["", "weg", "x" * 500, "ä", "../../etc/passwd", "\0"], ids=lambda text: repr(text)[:12]
)
def test_a_file_that_is_gone_is_asked_for_again(token, bench):
    desk = bench("dispatch")
    before = desk.snapshot()
    answer = desk.send("send", proof_token=token)
    assert answer.status_code == 422
    assert desk.snapshot() == before


def test_a_colleagues_upload_cannot_be_taken(bench, user):
    desk = bench("dispatch")
    token = desk.upload(user=user("operator"))
    before = desk.snapshot()
    assert desk.send("send", proof_token=token).status_code == 422
    assert desk.snapshot() == before
    assert desk.count(StagedUpload) == 1


def test_a_signed_document_is_a_pdf(bench, session):
    desk = bench("signing")
    output = next(o for o in current_outputs(session, desk.case) if o.kind.needs_signature)
    before = desk.snapshot()
    answer = desk.send("sign", **{f"signed_{output.id}_token": desk.upload()})
    assert answer.status_code == 422
    assert desk.snapshot() == before
    assert f'id="signed_{output.id}-errors"' in answer.text


def test_a_refusal_keeps_no_signature(bench, session):
    desk = bench("signing")
    output = next(o for o in current_outputs(session, desk.case) if o.kind.needs_signature)
    answer = desk.send(
        "refuse_signature",
        reason="nama salah",
        **{f"signed_{output.id}_token": desk.pdf()},
    )
    assert answer.status_code == 303
    assert [d.stage for d in desk.case.documents if d.stage == "signed"] == []
    assert desk.case.step_key == "certification"


def test_without_scripts_the_files_come_with_the_form(bench, make_case):
    desk = bench("dispatch")
    form = desk.open()
    data = form.sent(transition="send", tracking_number="P2301234567890")
    data["proof"] = [(io.BytesIO(samples.jpeg()), "resi.jpg")]
    answer = desk.post(desk.client, desk.url, data)
    assert answer.status_code == 422, "the courier is not chosen"
    again = PageForm(answer.text, "work")
    assert len(again.fields["proof_token"]) == 1, "the file is there again"
    answer = desk.send("send", form=again, courier=str(make_case.id_of(Courier, "pos")))
    assert answer.status_code == 303
    assert desk.case.dispatches[0].proof.original_name == "resi.jpg"


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"<html>", "resi.jpg"), (b"", "resi.pdf"), (b"MZ" * 99, "resi.exe")],
    ids=["a lie about its type", "an empty file", "a program"],
)
def test_a_bad_file_of_the_form_itself_is_refused_beside_its_place(data, name, bench, make_case):
    desk = bench("dispatch")
    before = desk.snapshot()
    fields = desk.open().sent(
        transition="send",
        tracking_number="P2301234567890",
        courier=str(make_case.id_of(Courier, "pos")),
    )
    fields["proof"] = [(io.BytesIO(data), name)]
    answer = desk.post(desk.client, desk.url, fields)
    assert answer.status_code == 422
    assert 'id="proof-errors"' in answer.text
    assert "P2301234567890" in answer.text
    assert desk.snapshot() == before


# --- each step's own rules ---------------------------------------------------------------------------


@pytest.mark.both
def test_a_return_lists_what_failed_and_only_that_is_opened_again(bench, session, make_case):
    desk = bench("intake")
    kinds = ids(desk)
    answer = desk.send(
        "request_completion",
        **{
            f"state_{kinds['ktp_asli']}": "unreadable",
            f"note_{kinds['ktp_asli']}": "terpotong",
        },
    )
    assert answer.status_code == 303
    assert desk.case.step_key == "returned"
    items = desk.case.events[-1].details["items"]
    assert [(item["label"], item["state"], item["note"]) for item in items] == [
        ("Foto KTP asli", "unreadable", "terpotong")
    ]
    page = desk.client.get(f"/complaints/show/{desk.pk}").text
    assert "terpotong" in page

    form = desk.open()
    token = desk.upload()
    answer = desk.send(
        "resubmit",
        form=form,
        reason="difoto ulang",
        **{f"files_{kinds['ktp_asli']}_token": token},
    )
    assert answer.status_code == 303
    case = desk.case
    assert (case.step_key, case.round) == ("intake", 2)
    assert case.documents[-1].round == 2
    assert case.events[-1].reason == "difoto ulang"

    form = desk.open()
    assert f"note_{kinds['ktp_asli']}" in form.fields
    assert f"note_{kinds['kk_asli']}" not in form.fields, "accepted before, closed now"
    answer = desk.send("", form=form, **{f"state_{kinds['kk_asli']}": "missing"})
    assert answer.status_code == 303
    states = {c.kind.code: c.state for c in current_checks(session, desk.case)}
    assert states["kk_asli"] == "present"
    assert desk.send("verify_file", **{f"state_{kinds['ktp_asli']}": "present"}).status_code == 303


def test_a_mismatch_goes_back_with_its_data_and_papers(bench, session):
    desk = bench("siak_check")
    kinds = ids(desk)
    answer = desk.send(
        "siak_mismatch",
        differences=["nama", "nama_ibu"],
        other_difference="gelar",
        ask_again=[str(kinds["kk_asli"])],
        reason="tidak sama dengan akta",
    )
    assert answer.status_code == 303, answer.text
    case = desk.case
    assert case.step_key == "returned"
    assert current_siak(session, case).differences == ["nama", "nama_ibu", "gelar"]
    details = case.events[-1].details
    assert details["differences"] == ["nama", "nama_ibu", "gelar"]
    assert [row["label"] for row in details["ask_again"]] == ["Foto KK asli"]
    states = {c.kind.code: c.state for c in current_checks(session, case)}
    assert (states["kk_asli"], states["ktp_asli"]) == ("missing", "present")
    page = bench("returned", case=case).client.get(f"/complaints/work/{case.id}").text
    assert "gelar" in page
    assert "Foto KK asli" in page


def test_a_case_is_resolved_by_an_answer_where_its_category_allows(bench):
    desk = bench("siak_check", category="NIK_TIDAK_AKTIF")
    assert desk.send("resolve_without_document").status_code == 422
    answer = desk.send("resolve_without_document", answer="NIK sudah aktif.")
    assert answer.status_code == 303
    assert (desk.case.step_key, desk.case.answer) == ("resolved", "NIK sudah aktif.")


def test_what_is_not_for_this_case_has_no_button_and_is_refused(bench):
    desk = bench("siak_check", category="BEDA_DATA")
    assert "resolve_without_document" not in desk.open().transitions
    assert desk.send("resolve_without_document", answer="x").status_code == 422
    desk = bench("certification")
    assert "submit_ktp_print" not in desk.open().transitions
    desk = bench("certification", needs_first_ktp=True)
    assert "submit_ktp_print" in desk.open().transitions
    assert desk.send("submit_ktp_print").status_code == 303


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        pytest.param({"out_kind_1": "same"}, "out_kind_1", id="a document named twice"),
        pytest.param(
            {"out_kind_1": "", "out_reference_1": "X"}, "out_kind_1", id="a reference alone"
        ),
        pytest.param({"out_kind_0": "999999"}, "out_kind_0", id="no such document"),
        pytest.param({"out_kind_0": "kk_asli"}, "out_kind_0", id="not an output"),
    ],
)
def test_the_list_of_documents_is_checked(rows, place, bench, make_case):
    desk = bench("certification")
    form = desk.open()
    special = {"same": form.fields["out_kind_0"][0]}
    rows = {
        name: special.get(value)
        or (str(make_case.id_of(DocumentKind, value)) if value == "kk_asli" else value)
        for name, value in rows.items()
    }
    before = desk.snapshot()
    answer = desk.send("", form=form, **rows)
    assert answer.status_code == 422
    assert f'href="#{place}"' in answer.text
    assert desk.snapshot() == before


def test_a_spoiled_print_is_saved_with_its_reason_and_keeps_the_case(bench, session):
    desk = bench("printing")
    output = current_outputs(session, desk.case)[0]
    form = desk.open()
    assert desk.send("", form=form, **{f"print_{output.id}": "spoiled"}).status_code == 422
    answer = desk.send(
        "", **{f"print_{output.id}": "spoiled", f"spoiled_{output.id}": "kertas macet"}
    )
    assert answer.status_code == 303
    assert desk.case.step_key == "printing"
    answer = desk.send("confirm_printed")
    assert answer.status_code == 422, "its latest print is spoiled"
    assert f'href="#print_{output.id}"' in answer.text
    assert desk.send("confirm_printed", **{f"print_{output.id}": "good"}).status_code == 303
    runs = session.scalars(select(PrintRun).where(PrintRun.output_id == output.id)).all()
    assert [(run.number, run.result) for run in runs] == [(1, "spoiled"), (2, "good")]


@pytest.mark.both
def test_a_tracking_number_belongs_to_one_parcel(bench, make_case):
    desk = bench("dispatch")
    fields = {
        "courier": str(make_case.id_of(Courier, "pos")),
        "tracking_number": "p-2301234567890",
    }
    assert desk.send("send", **fields, proof_token=desk.upload()).status_code == 303
    other = bench("dispatch")
    before = other.snapshot()
    answer = other.send("send", **fields, proof_token=other.upload())
    assert answer.status_code == 422
    assert 'href="#tracking_number"' in answer.text
    assert desk.case.number in answer.text
    assert other.snapshot() == before


def test_an_odd_tracking_number_only_warns(bench, make_case):
    desk = bench("dispatch")
    courier = str(make_case.id_of(Courier, "sicepat"))
    answer = desk.post(desk.client, "/complaints/tracking", {"value": "ABC", "courier": courier})
    assert answer.get_json()["findings"][0]["level"] == "warning"
    good = desk.post(
        desk.client, "/complaints/tracking", {"value": "0012 3456 7890", "courier": courier}
    )
    assert good.get_json() == {"findings": []}
    answer = desk.send("send", courier=courier, tracking_number="ABC", proof_token=desk.upload())
    assert answer.status_code == 303
    assert "SiCepat" in desk.client.get(answer.location).text


@pytest.mark.parametrize(
    ("text", "amount"),
    [("12000", 12000), ("12.000", 12000), ("Rp 1.250.000,00", 1250000), ("", None), ("0", 0)],
)
def test_money_is_read_as_people_write_it(text, amount, bench, make_case):
    desk = bench("dispatch")
    answer = desk.send(
        "send",
        courier=str(make_case.id_of(Courier, "pos")),
        tracking_number="P2301234567890",
        cost=text,
        proof_token=desk.upload(),
    )
    assert answer.status_code == 303
    assert desk.case.dispatches[0].cost == amount


@pytest.mark.parametrize("text", ["-5", "1,5", "12.00", "99999999999", "banyak", "1e9"])
def test_money_that_is_none_is_refused(text, bench):
    answer = bench("dispatch").send("send", cost=text)
    assert answer.status_code == 422
    assert 'href="#cost"' in answer.text
    assert f'value="{text}"' in answer.text


def test_a_finished_case_is_reopened_with_a_reason(bench, session):
    desk = bench("done")
    assert desk.send("reopen", reason="alamat salah").status_code == 303
    assert (desk.case.step_key, desk.case.round) == ("intake", 2)


def test_earlier_prints_are_listed(bench, session, actor):
    desk = bench("printing")
    output = current_outputs(session, desk.case)[0]
    record_print(
        session,
        desk.case,
        output,
        "spoiled",
        actor("operator"),
        now=datetime.now(UTC),
        reason="sobek",
    )
    session.commit()
    assert "sobek" in desk.client.get(desk.url).text


def test_a_category_that_asks_for_no_papers_still_has_a_form(bench, session):
    desk = bench("intake")
    for check in session.scalars(select(RequirementCheck)):
        session.delete(check)
    session.commit()
    assert desk.send("verify_file").status_code == 303


# --- in a browser ----------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_parcel_is_sent_from_a_phone(make_case, page, session, tmp_path):
    pk = make_case("dispatch").id
    photo = tmp_path / "resi.jpg"
    photo.write_bytes(samples.jpeg())
    phone = page("petugas", width=390, height=844)
    phone.goto(f"/complaints/work/{pk}")
    phone.select_option("#courier", label="SiCepat")
    phone.fill("#tracking_number", "ABC-1")
    phone.wait_for_selector("#tracking_number-findings .finding-warning")
    phone.fill("#tracking_number", "0012 3456 7890")
    phone.wait_for_selector("#tracking_number-findings .finding-warning", state="detached")
    phone.set_input_files("#proof", photo)
    phone.wait_for_selector('input[name="proof_token"][value]:not([value=""])', state="attached")
    phone.click('button[name="transition"][value="send"]')
    phone.wait_for_url(f"**/complaints/show/{pk}")
    session.expire_all()
    case = session.get_one(Complaint, pk)
    assert case.step_key == "done"
    assert case.dispatches[0].tracking_number == "001234567890"


@pytest.mark.browser
def test_a_return_is_confirmed_and_what_belongs_to_the_answer_is_shown(make_case, page, session):
    pk = make_case("siak_check").id
    desk = page("operator")
    desk.goto(f"/complaints/work/{pk}")
    assert not desk.is_visible("#draft_reference")
    desk.check('input[name="result"][value="mismatch"]')
    assert desk.is_visible("#differences")
    assert not desk.is_visible("#draft_reference")
    desk.check('input[name="differences"][value="nama"]')
    desk.fill("#reason", "beda satu huruf")
    desk.click('button[value="siak_mismatch"]')
    desk.click("#confirm-dialog [data-dialog-ok]")
    desk.wait_for_url(f"**/complaints/show/{pk}")
    session.expire_all()
    assert session.get_one(Complaint, pk).step_key == "returned"
