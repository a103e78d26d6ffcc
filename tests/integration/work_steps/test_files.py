"""The files that a work form takes, and those that it refuses."""

from __future__ import annotations

import io

import pytest

from app.models import Courier, StagedUpload
from app.services.facts import current_outputs
from tests.support import samples
from tests.support.forms import PageForm


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
