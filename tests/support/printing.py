"""An operator at the printing page, for tests: papers chosen, printed together, answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from app.models import Complaint, PrintBatch
from app.services.actor import Actor
from app.services.print_answers import Answer, Answered, answer_batch
from app.services.printing import Started, papers_to_print, start_batch
from app.services.storage import Store
from app.services.transitions import Office
from tests.support.cases import CaseMaker

ActorOf = Callable[[str], Actor]
MONDAY: Final = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)
GOOD: Final = Answer("good")


def after(minutes: float) -> datetime:
    """So many minutes after Monday 08:00."""
    return MONDAY + timedelta(minutes=minutes)


def letter_case(make_case: CaseMaker, **facts: Any) -> Complaint:
    """A case whose one paper is a signed family card, at the printer before Monday 08:00."""
    return make_case("printing", category="KK", at=MONDAY - timedelta(days=3), **facts)


class Printer:
    """An operator at the printing page."""

    def __init__(self, session: Session, office: Office, store: Store, actor: ActorOf) -> None:
        self.session, self.office, self.store, self.actor = session, office, store, actor

    def start(self, *cases: Complaint, who: str = "operator", opened: float = 0) -> Started:
        """Choose every paper of the cases and press the button."""
        outputs = [o.id for case in cases for o in case.outputs if o.dropped_at is None]
        started = start_batch(
            self.session,
            self.office.sop,
            self.store,
            outputs,
            self.actor(who),
            now=after(opened + 1),
            opened_at=after(opened),
        )
        self.session.commit()
        return started

    def batch(self, *cases: Complaint, **more: Any) -> PrintBatch:
        """The same, when a batch is to come of it."""
        started = self.start(*cases, **more)
        assert started.batch is not None, started.refused
        return started.batch

    def answer(
        self, batch: PrintBatch, *answers: Answer, now: float = 10, who: str = "operator"
    ) -> Answered:
        """The answers in the order of the batch; None of the last ones are answered when fewer."""
        named = dict(zip([item.id for item in batch.items], answers, strict=False))
        done = answer_batch(
            self.session, self.office, batch, named, self.actor(who), now=after(now)
        )
        self.session.commit()
        return done

    def waiting(self, who: str = "operator") -> list[int]:
        """The cases of the papers on the page."""
        found = papers_to_print(self.session, self.office.sop, self.actor(who))
        return [paper.output.complaint_id for paper in found]
