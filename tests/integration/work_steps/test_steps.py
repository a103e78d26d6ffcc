"""What each step's work form records, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.models import Courier, DocumentKind, PrintRun, RequirementCheck
from app.services.facts import current_checks, current_outputs, current_siak
from app.services.prints import record_print
from tests.support.workbench import ids


@pytest.mark.pooled
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
    answer = desk.send("sign", **{f"signed_{output.id}_token": desk.signed_pdf()})
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
