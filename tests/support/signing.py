"""The head of the test office at the signing desk."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Complaint, SigningBatch, SigningItem
from app.services.casework import OutputInput, name_outputs
from app.services.facts import current_outputs
from tests.support.cases import CaseMaker
from tests.support.forms import PageForm
from tests.support.signed import PASSPHRASE

JSON = {"Accept": "application/json"}


def add_drafts(make_case: CaseMaker, case: Complaint) -> None:
    """A PDF draft for each paper, from who submitted it."""
    for output in current_outputs(make_case.session, case):
        make_case.attach(case, "draft", "subkoordinator", output_id=output.id, scan=True)


def with_papers(make_case: CaseMaker, case: Complaint, *codes: str) -> None:
    """Let a case end with other papers, each with its draft."""
    from app.models import DocumentKind

    wanted = [OutputInput(make_case.id_of(DocumentKind, code)) for code in codes]
    actor = make_case.actor("subkoordinator")
    now = make_case.now(case)
    name_outputs(make_case.session, make_case.office, case, wanted, actor, now=now)
    add_drafts(make_case, case)
    make_case.session.commit()


@dataclass
class Desk:
    """One official at the desk, through the pages."""

    session: Session
    store: Any
    client: Any
    post: Callable[..., Any]

    def page(self) -> str:
        """The page of what waits."""
        answer = self.client.get("/signing/")
        assert answer.status_code == 200, answer.text[:2000]
        return str(answer.text)

    def chosen(self, cases: Sequence[Complaint], **more: Any) -> dict[str, Any]:
        """What the form sends when these cases are ticked."""
        key = re.search(r'name="form_key" value="([^"]+)"', self.page())
        assert key is not None, "there is nothing to choose"
        versions = {f"version_{case.id}": str(case.version) for case in cases}
        return {
            "form_key": key[1],
            "case": [str(case.id) for case in cases],
            **versions,
            **more,
        }

    def start(self, cases: Sequence[Complaint], **more: Any) -> str:
        """Start a batch; the address of its page."""
        answer = self.post(self.client, "/signing/start", self.chosen(cases, **more))
        assert answer.status_code == 303, answer.text[:2000]
        return str(answer.location)

    def next(self, batch: str, passphrase: str = PASSPHRASE) -> dict[str, Any]:
        """One step, as the page's script asks for it."""
        data = {"passphrase": passphrase}
        answer = self.post(self.client, f"{batch}/next", data, headers=JSON)
        assert answer.status_code == 200, answer.text[:2000]
        found: dict[str, Any] = answer.get_json()
        return found

    def run(self, batch: str, passphrase: str = PASSPHRASE) -> list[dict[str, Any]]:
        """Everything the script would do."""
        steps = []
        for _ in range(50):
            step = self.next(batch, passphrase)
            steps.append(step)
            if step["message"] or not step["left"] or step["id"] is None:
                return steps
        raise AssertionError("the batch has no end")

    def items(self) -> list[SigningItem]:
        """The papers of the latest batch as they are now."""
        self.session.commit()
        self.session.expire_all()
        batch = self.session.scalars(
            select(SigningBatch).order_by(SigningBatch.id.desc()).limit(1)
        ).one()
        return list(batch.items)

    def states(self) -> list[str]:
        """What became of each."""
        return [item.state for item in self.items()]

    def step_of(self, case: Complaint) -> str:
        """Where a case stands now."""
        self.session.commit()
        self.session.refresh(case)
        return case.step_key

    def form(self, page: str, name: str) -> PageForm:
        """One form of a page."""
        return PageForm(page, name)
