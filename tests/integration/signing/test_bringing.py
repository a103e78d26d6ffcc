"""Signed PDFs from elsewhere: what is taken in, and what is refused beside its paper."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.models import Complaint
from tests.support import samples, signed
from tests.support.cases import CaseMaker
from tests.support.signing import Desk, with_papers


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An office whose papers are signed in another system."""
    return make_app(SIGNATURE_WAY="upload")


def bring(desk: Desk, case: Complaint, **files: bytes) -> Any:
    data: dict[str, Any] = {
        name: (io.BytesIO(content), f"{name}.pdf") for name, content in files.items()
    }
    data["version"] = str(case.version)
    return desk.post(
        desk.client, f"/signing/bring/{case.id}", data, content_type="multipart/form-data"
    )


@pytest.mark.both
def test_a_signed_pdf_is_taken_in_and_the_case_moves_on(
    desk: Desk, waiting: Callable[..., list[Complaint]], papers: Any
) -> None:
    (case,) = waiting(1)
    (paper,) = papers(case)
    answer = bring(desk, case, **{f"signed_{paper.id}": signed.signed_pdf()})
    assert answer.status_code == 303
    assert desk.step_of(case) == "printing"
    document = papers(case)[0].documents[-1]
    assert (document.stage, document.signature_state) == ("signed", "trusted")


REFUSED = {
    "not signed": samples.pdf,
    "one byte changed": signed.changed_pdf,
    "no PDF": samples.jpeg,
    "nothing in it": lambda: b"",
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_stands_beside_its_paper_and_changes_nothing(
    desk: Desk,
    waiting: Callable[..., list[Complaint]],
    papers: Any,
    content: Callable[[], bytes],
) -> None:
    (case,) = waiting(1)
    (paper,) = papers(case)
    version = case.version
    answer = bring(desk, case, **{f"signed_{paper.id}": content()})
    assert answer.status_code == 422
    assert f'id="signed_{paper.id}-errors"' in answer.text
    assert (desk.step_of(case), case.version) == ("signing", version)
    assert [d.stage for d in papers(case)[0].documents] == ["draft"]


def test_one_of_two_papers_leaves_the_case_waiting_for_the_other(
    desk: Desk, make_case: CaseMaker, papers: Any
) -> None:
    case = make_case("signing")
    with_papers(make_case, case, "kk_baru", "biodata_penduduk")
    first, second = papers(case)
    assert bring(desk, case, **{f"signed_{first.id}": signed.signed_pdf()}).status_code == 303
    assert desk.step_of(case) == "signing"
    assert bring(desk, case, **{f"signed_{second.id}": signed.signed_pdf()}).status_code == 303
    assert desk.step_of(case) == "printing"


def test_of_two_files_one_broken_refuses_both(
    desk: Desk, make_case: CaseMaker, papers: Any
) -> None:
    case = make_case("signing")
    with_papers(make_case, case, "kk_baru", "biodata_penduduk")
    first, second = papers(case)
    files = {
        f"signed_{first.id}": signed.signed_pdf(),
        f"signed_{second.id}": signed.changed_pdf(),
    }
    answer = bring(desk, case, **files)
    assert answer.status_code == 422
    assert f'id="signed_{second.id}-errors"' in answer.text
    assert f'id="signed_{first.id}-errors"' not in answer.text
    # The good file is still there and need not be chosen again.
    assert f'name="signed_{first.id}_token" value="' in answer.text
    assert all(d.stage != "signed" for paper in papers(case) for d in paper.documents)


def test_a_paper_of_another_case_is_not_signed_here(
    desk: Desk, waiting: Callable[..., list[Complaint]], papers: Any
) -> None:
    mine, other = waiting(2)
    (foreign,) = papers(other)
    answer = bring(desk, mine, **{f"signed_{foreign.id}": signed.signed_pdf()})
    assert answer.status_code == 422
    assert {desk.step_of(mine), desk.step_of(other)} == {"signing"}


def test_nothing_chosen_is_said(desk: Desk, waiting: Callable[..., list[Complaint]]) -> None:
    (case,) = waiting(1)
    assert bring(desk, case).status_code == 422
    assert desk.step_of(case) == "signing"


@pytest.mark.parametrize("step", ["certification", "printing", "done"])
def test_a_case_that_stands_elsewhere_takes_no_signature(
    desk: Desk, make_case: CaseMaker, papers: Any, step: str
) -> None:
    case = make_case(step)
    found = papers(case)
    name = f"signed_{found[0].id}" if found else "signed_1"
    files = sum(len(paper.documents) for paper in found)
    assert bring(desk, case, **{name: signed.signed_pdf()}).status_code in (409, 422)
    assert desk.step_of(case) == step
    assert sum(len(paper.documents) for paper in papers(case)) == files


def test_who_may_not_sign_brings_nothing(
    waiting: Callable[..., list[Complaint]], papers: Any, login: Any, post: Any, session: Session
) -> None:
    (case,) = waiting(1)
    (paper,) = papers(case)
    for key in ("petugas", "operator", "subkoordinator", "admin"):
        data = {f"signed_{paper.id}": (io.BytesIO(signed.signed_pdf()), "x.pdf")}
        answer = post(
            login(key), f"/signing/bring/{case.id}", data, content_type="multipart/form-data"
        )
        assert answer.status_code == 403
    assert [d.stage for d in papers(case)[0].documents] == ["draft"]


def test_ready_cases_are_sent_on_together(
    desk: Desk, make_case: CaseMaker, waiting: Callable[..., list[Complaint]], session: Session
) -> None:
    ready = [make_case("signing") for _ in range(2)]
    for case in ready:
        make_case.record_facts(case, "sign")
    (unsigned,) = waiting(1)
    session.commit()
    desk.start([*ready, unsigned])
    assert desk.states() == ["signed", "signed", "failed"]
    assert desk.items()[2].error == "signed_file_missing"
    assert [desk.step_of(case) for case in (*ready, unsigned)] == [
        "printing",
        "printing",
        "signing",
    ]


def test_the_words_for_a_signature_are_those_of_the_office(
    desk: Desk, make_case: CaseMaker, papers: Any, session: Session
) -> None:
    """Never "valid": intact, changed, issuer unknown."""
    case = make_case("signing")
    make_case.record_facts(case, "sign")
    (paper,) = papers(case)
    for state, word in (
        ("trusted", "intact"), ("unknown_issuer", "issuer unknown"), ("changed", "changed"),
    ):  # fmt: skip
        paper.documents[-1].signature_state = state
        session.commit()
        desk.post(desk.client, "/lang/en", {})
        page = desk.client.get(f"/complaints/show/{case.id}").text
        assert f"</svg>{word}</span>" in page, state
        assert signed.SIGNER in page
