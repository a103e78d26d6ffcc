"""An officer at the work form of a case: opening it, sending it, looking at what is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from app.models import (
    CaseEvent,
    Complaint,
    Dispatch,
    Document,
    PrintRun,
    SiakCheck,
    StepRun,
)
from app.services.facts import current_checks, current_outputs
from app.services.uploads import stage_upload
from tests.support import samples, signed
from tests.support.forms import PageForm

#: Who works in which step.
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
        """The work form's address."""
        return f"/complaints/work/{self.pk}"

    @property
    def case(self) -> Complaint:
        """The case as it is now."""
        self.session.commit()
        self.session.expire_all()
        return self.session.get_one(Complaint, self.pk)

    def open(self) -> PageForm:
        """The form as the officer sees it."""
        answer = self.client.get(self.url)
        assert answer.status_code == 200, answer.text[:2000]
        return PageForm(answer.text, "work")

    def send(
        self, transition: str | None = "", *, form: PageForm | None = None, **changes: Any
    ) -> Any:
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
        """The token of an uploaded PDF."""
        return self.upload(samples.pdf(), "surat.pdf")

    def signed_pdf(self) -> str:
        """The token of an uploaded PDF that bears a signature."""
        return self.upload(signed.signed_pdf(), "surat-tte.pdf")

    def count(self, model: Any) -> int:
        """How many rows of a table there are."""
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


def ids(bench: Bench) -> dict[str, int]:
    return {c.kind.code: c.kind_id for c in current_checks(bench.session, bench.case)}
