"""A paper is printed once more for a reason, numbered, wherever its case stands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, PrintBatch, PrintRun
from app.services.print_answers import Answer
from app.services.printing import (
    start_reprint,
)
from app.services.prints import record_print
from app.sop.errors import NotAllowedError, RefusedError
from tests.support.blanks import card_case, leave, stock_of
from tests.support.cases import CaseMaker
from tests.support.printing import GOOD, MONDAY, Printer, after


def reprint(
    printer: Printer, case: Complaint, reason: str = "Pemohon kehilangan", who: str = "operator"
) -> PrintBatch:
    batch = start_reprint(
        printer.session,
        printer.store,
        case.outputs[0],
        reason,
        printer.actor(who),
        now=after(30),
        opened_at=after(29),
    )
    printer.session.commit()
    return batch


@pytest.mark.both
def test_a_finished_case_is_printed_once_more_with_its_reason(
    make_case: CaseMaker, printer: Printer, session: Session
) -> None:
    case = make_case("done", category="KK", at=MONDAY - timedelta(days=3))
    done = printer.answer(reprint(printer, case), GOOD, now=31)
    assert (done.counted, done.moved, case.step_key) == (1, [], "done")
    runs = session.scalars(select(PrintRun).order_by(PrintRun.number)).all()
    assert [(run.number, run.reprint_reason) for run in runs] == [
        (1, ""),
        (2, "Pemohon kehilangan"),
    ]
    event = session.scalars(select(CaseEvent).order_by(CaseEvent.id.desc())).first()
    assert event is not None
    assert (event.kind, event.reason) == ("reprinted", "Pemohon kehilangan")


def test_a_reprint_on_a_card_takes_one(
    make_case: CaseMaker, printer: Printer, session: Session
) -> None:
    case = card_case(make_case, "done")
    leave(session, 1)
    printer.answer(reprint(printer, case), Answer("spoiled", "sobek"))
    assert stock_of(session).balance == 0
    with pytest.raises(RefusedError, match="blank_gone"):
        reprint(printer, case)


@pytest.mark.parametrize(
    ("step", "reason", "who", "error"),
    [
        pytest.param("done", "  ", "operator", "reprint_reason_missing", id="without a reason"),
        pytest.param("printing", "ya", "operator", "reprint_before_print", id="before the first"),
        pytest.param("done", "ya", "petugas", "not allowed", id="without the permission"),
    ],
)
def test_what_is_not_reprinted(
    make_case: CaseMaker, printer: Printer, step: str, reason: str, who: str, error: str
) -> None:
    case = make_case(step, category="KK")
    with pytest.raises((RefusedError, NotAllowedError), match=error):
        reprint(printer, case, reason, who)


def test_a_paper_that_was_printed_well_is_not_printed_again_in_passing(
    make_case: CaseMaker, printer: Printer, session: Session
) -> None:
    case = make_case("dispatch", category="KK")
    with pytest.raises(RefusedError, match="reprint_needs_reason"):
        record_print(
            session, case, case.outputs[0], "good", printer.actor("operator"), now=after(1)
        )
