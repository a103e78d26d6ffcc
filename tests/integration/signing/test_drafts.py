"""The draft of each paper: handed over at step 3, signed at step 4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.models import Document
from tests.support import samples
from tests.support.cases import CaseMaker
from tests.support.signing import Desk
from tests.support.workbench import Bench


@pytest.fixture
def bench(
    session: Session,
    store: Any,
    login: Callable[[str], Any],
    user: Callable[[str], Any],
    post: Callable[..., Any],
    make_case: CaseMaker,
) -> Bench:
    """The sub-coordinator at a case of step 3."""
    case = make_case("certification")
    officer = user("subkoordinator")
    return Bench(session, store, login("subkoordinator"), officer, post, case.id)


def drafts(bench: Bench) -> list[Document]:
    return [document for document in bench.case.documents if document.stage == "draft"]


def test_a_draft_goes_with_its_paper_and_is_signed(
    bench: Bench, desk: Desk, papers: Callable[..., list[Any]]
) -> None:
    fields = [name for name in bench.open().sent() if name.startswith("out_kind_")]
    places = [
        n for n in range(len(fields)) if f'id="draft_{n}"' in bench.client.get(bench.url).text
    ]
    assert places
    tokens = {f"draft_{n}_token": bench.pdf() for n in places}
    answer = bench.send("submit_certification", **tokens)
    assert answer.status_code == 303, answer.text[:2000]
    assert bench.case.step_key == "signing"
    assert {d.output_id for d in drafts(bench)} >= {paper.id for paper in papers(bench.case)}
    desk.run(desk.start([bench.case]))
    assert bench.case.step_key == "printing"


def test_a_picture_is_refused_as_a_draft(bench: Bench) -> None:
    before = bench.snapshot()
    answer = bench.send("submit_certification", draft_0_token=bench.upload(samples.jpeg()))
    assert answer.status_code == 422
    assert 'id="draft_0-errors"' in answer.text
    assert bench.snapshot() == before


def test_a_new_draft_takes_the_place_of_the_old(bench: Bench) -> None:
    assert bench.send("", draft_0_token=bench.pdf()).status_code == 303
    (first,) = drafts(bench)
    assert bench.send("", draft_0_token=bench.pdf()).status_code == 303
    old, new = drafts(bench)
    assert (old.id, new.replaces_id) == (first.id, first.id)
    assert old.replaced_at is not None
    assert new.replaced_at is None
